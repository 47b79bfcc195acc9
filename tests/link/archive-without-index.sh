#!/bin/sh
# An archive without symbol index is searched by reading its members, as lld does.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for bfd "it wants ranlib to be run"

echo 'int f(void) { return 6; }' >f.c
echo 'int unused(void) { return 6; }' >u.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -c f.c u.c
ar rcS lib.a u.o f.o
cc m.c lib.a -o m
exits_with 6 ./m
[ -z "$(sym m unused)" ] || fail "a member nobody needs was linked"
