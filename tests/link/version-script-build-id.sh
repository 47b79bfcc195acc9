#!/bin/sh
# The bytes of version scripts and dynamic lists count into the build-id, their paths do not.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int f(void) { return 1; } int g(void) { return 2; } int h(void) { return f() + g(); }' >l.c
cc -O0 -fPIC -c l.c
id() {
	readelf -n "$1" | sed -n 's/.*Build ID: //p'
}
echo '{ global: f; g; local: *; };' >a.map
cp a.map b.map
echo '{ global: f; local: *; };' >c.map
for m in a b c; do
	cc -shared l.o -Wl,--build-id,--version-script,$m.map -o lib$m.so
done
same liba.so libb.so
[ "$(id liba.so)" != "$(id libc.so)" ] || fail "two scripts, one build-id"
[ -n "$(id liba.so)" ] || fail "no build-id"
echo '{ f; };' >a.list
echo '{ g; };' >b.list
for m in a b; do
	cc -shared l.o -Wl,--build-id,--dynamic-list,$m.list -o lib$m.so
done
[ "$(id liba.so)" != "$(id libb.so)" ] || fail "two dynamic lists, one build-id"
