#!/bin/sh
# A name that is listed is exported although a node before it makes everything local; later scripts add their nodes.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int a1(void) { return 1; } int b1(void) { return 2; } int b2(void) { return 3; } int c(void) { return 4; }' >l.c
echo 'A { global: a1; local: *; };' >a.map
echo 'B { global: b1; b?; };' >b.map
cc -fPIC -shared l.c -Wl,--version-script,a.map -Wl,--version-script,b.map -o libl.so
readelf --dyn-syms -W libl.so >s
has ' a1@@A$' s
has ' b1@@B$' s
has ' b2@@B$' s
hasnt ' c(@|$)' s
check_elf libl.so
