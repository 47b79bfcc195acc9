#!/bin/sh
# -l:NAME looks for a file of exactly that name in the search path.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

mkdir d
echo 'int who(void) { return 5; }' >r.c
echo 'int who(void); int main(void) { return who(); }' >a.c
cc -c r.c a.c
ar rc d/odd-name.archive r.o
cc a.o -Ld -l:odd-name.archive -o a
exits_with 5 ./a
expect_error 'other' cc a.o -Ld -l:other.archive -o b
