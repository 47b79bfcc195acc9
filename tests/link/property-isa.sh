#!/bin/sh
# The x86 ISA "needed" bits of all objects are joined (or), "used" likewise, and only one note is left.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "they keep the feature bits only"

echo 'int f(void) { return 0; }' >f.c
echo 'int f(void); void _start(void) { f(); __builtin_trap(); }' >m.c
cc -mneeded -march=x86-64 -c m.c
cc -mneeded -march=x86-64-v2 -c f.c
"$LD" m.o f.o -o a
readelf -nW a >n
has 'x86-64-baseline, x86-64-v2' n
equal "$(grep -c 'NT_GNU_PROPERTY_TYPE_0' n)" 1 "notes"
check_elf a
