#!/bin/sh
# -l passes by a library of another CPU and looks further, as GNU ld does with a warning.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "they take the first file of that name"

mkdir d1 d2
echo 'int f(void) { return 3; }' >f.c
echo 'int f(void); int main(void) { return f(); }' >m.c
printf '\t.globl f\nf:\tret\n' >i.s
as --32 i.s -o i.o
cc -c f.c m.c
ar rc d1/libf.a i.o
ar rc d2/libf.a f.o
cc m.o -Ld1 -Ld2 -lf -o m
exits_with 3 ./m
