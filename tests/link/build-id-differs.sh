#!/bin/sh
# The build-id differs when a byte of an input or an option that changes the output differs; it has 20 bytes.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

id() { readelf -nW "$1" | sed -n 's/.*Build ID: //p'; }
echo 'int x = 1; int main(void) { return 0; }' >a.c
echo 'int x = 2; int main(void) { return 0; }' >b.c
cc a.c -Wl,--build-id=sha1 -o a
cc b.c -Wl,--build-id=sha1 -o b
cc a.c -Wl,--build-id=sha1 -rdynamic -o c
equal "$(id a | wc -c)" 41 "digits of the build-id and a newline"
[ "$(id a)" != "$(id b)" ] || fail "a changed input gives the same build-id"
[ "$(id a)" != "$(id c)" ] || fail "another option gives the same build-id"
check_elf a
