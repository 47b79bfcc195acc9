#!/bin/sh
# A shared library keeps an undefined weak symbol in .dynsym, so that the program it is loaded into can define it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int opt(void) __attribute__((weak)); int f(void) { return opt ? opt() : 1; }' >l.c
echo 'int f(void); int main(void) { return f(); }' >m.c
echo 'int opt(void) { return 4; }' >o.c
cc -fPIC -shared l.c -o libl.so
equal "$(dynsymlines libl.so opt | cut -d' ' -f2,4)" "WEAK UND" "the weak symbol"
cc m.c ./libl.so -o without
exits_with 1 ./without
cc m.c o.c ./libl.so -o with
exits_with 4 ./with
check_elf libl.so with
