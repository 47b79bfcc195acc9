#!/bin/sh
# f@V1 beside a plain f that the script gives V1 as well: the plain one is local, not a second f of that version.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "export both"

printf 'int foo(void) { return 1; }\nint old(void) { return 2; }\n__asm__(".symver old, foo@V1");\n' >l.c
echo 'V1 { global: foo; local: *; };' >l.map
cc -fPIC -shared l.c -Wl,--version-script,l.map -o libl.so
readelf --dyn-syms -W libl.so >s
has ' foo@V1$' s
hasnt ' foo@@V1$| foo$' s
check_elf libl.so
