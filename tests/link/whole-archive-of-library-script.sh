#!/bin/sh
# --whole-archive and --as-needed reach into scripts; -Bstatic changes only -l.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'extern int n; __attribute__((constructor)) static void add(void) { n += 5; }' >r.c
echo 'int n; int main(void) { return n; }' >m.c
cc -c r.c m.c
ar rc libr.a r.o
echo 'INPUT(libr.a)' >all.script
cc m.o -Wl,--whole-archive ./all.script -Wl,--no-whole-archive -o m
exits_with 5 ./m
