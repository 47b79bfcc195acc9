#!/bin/sh
# .note.gnu.property is merged: IBT and SHSTK stay only if every object has them; PT_GNU_PROPERTY covers the note.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int f(void) { return 0; }' >f.c
echo 'int f(void); void _start(void) { f(); __builtin_trap(); }' >m.c
cc -fcf-protection=full -c m.c
cc -fcf-protection=full -c f.c -o with.o
cc -fcf-protection=none -c f.c -o without.o
"$LD" m.o with.o -o a
readelf -nlW a >n
has 'IBT, SHSTK' n
has 'GNU_PROPERTY' n
"$LD" m.o without.o -o b
readelf -nW b >n
hasnt 'IBT' n
check_elf a b
