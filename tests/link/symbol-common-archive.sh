#!/bin/sh
# A common symbol and an archive member that defines it: GNU ld and lld extract the member, and its value wins.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for mold "it leaves the member out"

echo 'int shared_name; int *a(void) { return &shared_name; }' >a.c
echo 'int shared_name = 5;' >d.c
echo 'int *a(void); int main(void) { return *a(); }' >m.c
cc -fcommon -c a.c m.c
cc -c d.c
ar rc libd.a d.o
cc m.o a.o libd.a -o m
exits_with 5 ./m
