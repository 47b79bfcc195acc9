#!/bin/sh
# A library's calls to its own exported functions can be interposed; calls among three libraries work.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "it does not export to libraries that are not needed"

echo 'int a(void) { return 1; } int call_a(void) { return a(); }' >a.c
echo 'int call_a(void); int b(void) { return call_a() + 10; }' >b.c
echo 'int b(void); int a(void) { return 5; } int main(void) { return b(); }' >m.c
cc -fPIC -shared a.c -o liba.so
cc -fPIC -shared b.c ./liba.so -o libb.so
cc m.c ./libb.so ./liba.so -o m
exits_with 15 ./m
echo 'int b(void); int main(void) { return b(); }' >m.c
cc m.c ./libb.so ./liba.so -o m
exits_with 11 ./m
check_elf liba.so libb.so m
