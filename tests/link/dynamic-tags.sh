#!/bin/sh
# DT_DEBUG is in executables only (gdb finds libraries by it); the sizes in DT_ tags are those of the tables.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo '#include <stdio.h>
int main(void) { puts("x"); return 0; }' >a.c
echo 'int f(void) { return 0; }' >l.c
cc a.c -Wl,-z,lazy -o a
cc -fPIC -shared l.c -o l.so
readelf -dW a >d
has '\(DEBUG\)' d
readelf -dW l.so >d2
hasnt '\(DEBUG\)' d2
tag() { sed -n "s/.*($1) *\(0x[0-9a-f]*\|[0-9]*\).*/\1/p" d; }
equal $(($(tag STRSZ))) $((0x$(section a .dynstr size))) DT_STRSZ
equal $(($(tag STRTAB))) $((0x$(section a .dynstr addr))) DT_STRTAB
equal $(($(tag SYMTAB))) $((0x$(section a .dynsym addr))) DT_SYMTAB
equal $(($(tag SYMENT))) 24 DT_SYMENT
equal $(($(tag RELAENT))) 24 DT_RELAENT
equal $(($(tag RELA))) $((0x$(section a .rela.dyn addr))) DT_RELA
has 'PLTREL\) *RELA' d
check_elf a l.so
