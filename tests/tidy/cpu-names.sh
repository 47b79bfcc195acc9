#!/bin/sh
# The generic linker asks for properties, never for a CPU: outside arch/ and tests/ none is named. (ELF's own list of
# machine numbers is for arch/ to know.)
. "$(dirname "$0")/lib.sh"

files 'include/*.[ch]' 'linker/*.[ch]' 'fs/*.[ch]' | while read -r file; do
	grep -nE '\b(R_(X86_64|386|AARCH64|ARM|RISCV|390|PPC|PPC64|LARCH|MIPS|SPARC|68K)_|EM_(X86_64|386|AARCH64|ARM|RISCV|S390|PPC|PPC64|LOONGARCH|MIPS))|__x86_64__|__aarch64__|__i386__' \
		"$file" | sed "s|^|$file:|"
done | bad "a CPU is named"
verdict
