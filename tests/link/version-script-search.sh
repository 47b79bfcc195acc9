#!/bin/sh
# A version script is looked for in the folders of -L too, as it is first.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "open the name as it is, and nothing else"

echo 'int f(void) { return 1; } int g(void) { return 2; }' >l.c
mkdir maps
echo '{ global: f; local: *; };' >maps/l.map
cc -fPIC -shared l.c -Lmaps -Wl,--version-script,l.map -o libl.so
[ -z "$(dynsymlines libl.so g)" ] || fail "the script does not count"
echo '{ global: g; local: *; };' >l.map
cc -fPIC -shared l.c -Lmaps -Wl,--version-script,l.map -o libl.so
[ -z "$(dynsymlines libl.so f)" ] || fail "the script in the current folder does not come first"
