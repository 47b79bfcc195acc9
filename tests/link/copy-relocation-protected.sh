#!/bin/sh
# Protected data of a library cannot be copied: an error that names the symbol.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd mold" "GNU ld 2.40 copies it, mold 1.10 too"

echo '__attribute__((visibility("protected"))) int data = 1; int get(void) { return data; }' >l.c
echo 'extern int data; int main(void) { return data; }' >m.c
cc -fPIC -shared l.c -o libl.so
expect_error 'data' cc -fno-pie -no-pie m.c ./libl.so -o m
