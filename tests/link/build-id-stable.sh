#!/bin/sh
# --build-id gives the same note for the same inputs wherever they lie and whatever the output is called.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

id() { readelf -nW "$1" | sed -n 's/.*Build ID: //p'; }
echo 'int main(void) { return 0; }' >a.c
mkdir x y
cc -c a.c -o x/a.o
cp x/a.o y/renamed.o
cc x/a.o -Wl,--build-id -o x/one
(cd y && cc renamed.o -Wl,--build-id -o another-name)
[ -n "$(id x/one)" ] || fail "no build-id"
is_linkfs || exit 0	# peers hash the output, whose .symtab has the same names here; nothing more to hold against them
equal "$(id x/one)" "$(id y/another-name)" "the build-id of the same link elsewhere"
same x/one y/another-name
