#!/bin/sh
# A weak reference extracts nothing from an archive; but it binds to what another, strong reference extracts.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int f(void) { return 1; } int g(void) { return 2; }' >d.c
echo 'int f(void) __attribute__((weak)); int main(void) { return f ? f() : 9; }' >m.c
echo 'int g(void); int (*p)(void) = g;' >s.c
cc -fPIE -c d.c m.c s.c
ar rc libd.a d.o
cc m.o libd.a -o a
exits_with 9 ./a
cc m.o s.o libd.a -o b
exits_with 1 ./b
cc s.o libd.a m.o -o c
exits_with 1 ./c
