#!/bin/sh
# A hidden reference is not satisfied by a shared library.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int f(void) { return 1; }' >l.c
echo '__attribute__((visibility("hidden"))) int f(void); int main(void) { return f(); }' >m.c
cc -fPIC -shared l.c -o libl.so
cc -c m.c
expect_error 'hidden|undefined' cc m.o ./libl.so -o a
has '\bf\b' err
