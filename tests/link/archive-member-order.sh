#!/bin/sh
# Of two members that define a symbol the first in the archive is taken; the other is not linked.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int f(void) { return 1; } int only1;' >o1.c
echo 'int f(void) { return 2; } int only2;' >o2.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -c o1.c o2.c m.c
ar rc lib12.a o1.o o2.o
ar rc lib21.a o2.o o1.o
cc m.o lib12.a -o a
exits_with 1 ./a
cc m.o lib21.a -o b
exits_with 2 ./b
[ -z "$(sym b only1)" ] || fail "the second member was linked too"
