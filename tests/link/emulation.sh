#!/bin/sh
# -m elf_x86_64 is accepted, an unknown emulation is an error that names it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.globl _start
_start:	ret
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
"$LD" -m elf_x86_64 a.o -o a
"$LD" -melf_x86_64 a.o -o a
expect_error 'elf_unheard_of' "$LD" -m elf_unheard_of a.o -o b
