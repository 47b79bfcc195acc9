#!/bin/sh
# An archive before the object that needs it is searched all the same, as lld and mold do.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for bfd "it searches once, in order"

echo 'int f(void) { return 4; }' >f.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -c f.c m.c
ar rc libf.a f.o
cc libf.a m.o -o m
exits_with 4 ./m
