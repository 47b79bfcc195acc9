#!/bin/sh
# Section headers: names, types, flags, links and alignments that debuggers and strip rely on.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
int data = 1, bss;
__thread int tbss;
int main(void) { printf("%d\n", data + bss + tbss); return 0; }
END
cc -fPIE -pie a.c -o a
row() { echo "$(section a $1 type) $(section a $1 flg)"; }
equal "$(row .text)" "PROGBITS AX" .text
equal "$(row .data)" "PROGBITS WA" .data
equal "$(row .bss)" "NOBITS WA" .bss
equal "$(row .tbss)" "NOBITS WAT" .tbss
equal "$(row .dynamic)" "DYNAMIC WA" .dynamic
equal "$(row .interp)" "PROGBITS A" .interp
equal "$(row .dynsym)" "DYNSYM A" .dynsym
equal "$(row .gnu.hash)" "GNU_HASH A" .gnu.hash
equal "$(row .init_array)" "INIT_ARRAY WA" .init_array
equal "$(row .symtab)" "SYMTAB " .symtab
equal "$(section a .dynamic es)" 10 "entry size of .dynamic"
cp a stripped
strip stripped
run_is 1 ./stripped
objcopy a copied
run_is 1 ./copied
check_elf a
