#!/bin/sh
# Objects without code, without symbols, or with a symbol table alone are linked.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

: >empty.s
printf '\t.globl absolute\n\tabsolute = 5\n' >symbols.s
echo 'int main(void) { return 0; }' >m.c
cc -c empty.s symbols.s m.c
cc m.o empty.o symbols.o -Wl,-z,noexecstack -o m
./m
equal "$(symlines m absolute | cut -d' ' -f4)" ABS "the absolute symbol"
check_elf m
