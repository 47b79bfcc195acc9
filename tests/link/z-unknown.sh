#!/bin/sh
# An unknown -z keyword is warned of, not an error.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int main(void) { return 0; }' >a.c
cc a.c -Wl,-z,no-such-keyword -o a 2>err
has 'no-such-keyword' err
./a
