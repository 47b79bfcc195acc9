#!/bin/sh
# A file that is neither ELF, archive nor script is an error that names it; so is an empty one.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int main(void) { return 0; }' >m.c
cc -c m.c
printf '\1\2\3 this is not an object' >nonsense.o
expect_error 'nonsense\.o' "$LD" m.o nonsense.o -o m
is_linkfs || exit 0
: >empty.o
expect_error 'empty\.o' "$LD" m.o empty.o -o m
mkdir folder.o
expect_error 'folder\.o' "$LD" m.o folder.o -o m
