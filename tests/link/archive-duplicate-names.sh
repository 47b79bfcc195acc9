#!/bin/sh
# Members of the same name are different members.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

mkdir x y
echo 'int f(void) { return 1; }' >x/same.c
echo 'int g(void) { return 2; }' >y/same.c
echo 'int f(void), g(void); int main(void) { return f() + g(); }' >m.c
cc -c x/same.c -o x/same.o
cc -c y/same.c -o y/same.o
ar rc lib.a x/same.o
ar q lib.a y/same.o
ranlib lib.a
cc m.c lib.a -o m
exits_with 3 ./m
cc m.c -Wl,--whole-archive lib.a -Wl,--no-whole-archive -o m
exits_with 3 ./m
