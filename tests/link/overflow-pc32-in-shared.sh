#!/bin/sh
# A direct PC32 reference to a symbol that can be interposed cannot go into a shared library.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int data; int get(void) { return data; }' >a.c
cc -O1 -fPIE -c a.c
expect_error 'R_X86_64_PC32' cc -shared a.o -o a.so
has 'data' err
has 'recompile with -fPIC' err
