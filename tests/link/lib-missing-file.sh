#!/bin/sh
# An input file that does not exist is an error that names it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int main(void) { return 0; }' >a.c
cc -c a.c
expect_error 'no-such-file\.o' "$LD" a.o no-such-file.o -o a
has 'No such file|cannot find|cannot open' err
