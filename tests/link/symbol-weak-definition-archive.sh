#!/bin/sh
# A weak definition in an object satisfies a reference: the archive's strong one is not extracted.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo '__attribute__((weak)) int f(void) { return 1; }' >w.c
echo 'int f(void) { return 2; }' >d.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -c w.c d.c m.c
ar rc libd.a d.o
cc m.o w.o libd.a -o a
exits_with 1 ./a
cc m.o d.o w.o -o b
exits_with 2 ./b
