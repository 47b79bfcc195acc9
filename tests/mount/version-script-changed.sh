#!/bin/sh
# A version script is an input: changed, it gives a new image with other exports, and named in the reason.
# NEEDS: g++ linker
. "$(dirname "$0")/lib.sh"
echo 'extern "C" int one() { return 1; } extern "C" int two() { return 2; }' >l.cc
g++ -fPIC -c l.cc
echo '{ global: one; local: *; };' >l.map
start_mount
add_linked lib.so g++ -shared l.o -Wl,--version-script,l.map -o out
links_well lib.so
readelf --dyn-syms -W "$mnt/lib.so" >s
has ' one$' s
if grep -q ' two$' s; then fail "two is exported"; fi
echo '{ global: two; local: *; };' >l.new
mv l.new l.map
readelf --dyn-syms -W "$mnt/lib.so" >s
has ' two$' s
if grep -q ' one$' s; then fail "one is still exported"; fi
has '^relink_reason: .*l\.map changed' "$mnt/.linkfs/info/lib.so"
