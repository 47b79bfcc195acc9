#!/bin/sh
# An object without .note.GNU-stack does not make the stack executable unless GNU ld's old rule is asked for; a warning
# at most.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd" "it makes the stack executable and warns"

printf '\t.globl f\nf:\tret\n' >f.s
echo 'void f(void); int main(void) { f(); return 0; }' >m.c
cc f.s m.c -o m
./m
readelf -lW m >l
has 'GNU_STACK.* RW ' l
