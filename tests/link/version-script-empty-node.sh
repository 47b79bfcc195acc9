#!/bin/sh
# A version without patterns is defined nevertheless, weakly: programs may ask whether it exists. Several parents.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "take parents for comments"

printf 'int f(void) { return 1; }\nint h(void) { return 2; }\n__asm__(".symver h, g@@USED");\n' >l.c
echo 'V1 { f; }; MARK { }; USED { }; ALL { } V1 MARK USED;' >l.map
cc -fPIC -shared l.c -Wl,--version-script,l.map -o libl.so
readelf -VW libl.so >v
has 'Flags: WEAK  Index: 3  Cnt: 1  Name: MARK' v
has 'Flags: none  Index: 4  Cnt: 1  Name: USED' v
has 'Index: 5  Cnt: 4  Name: ALL' v
for parent in V1 MARK USED; do
	has "Parent [123]: $parent\$" v
done
has 'Flags: BASE .*Name: libl\.so' v
[ -n "$(dynsymlines libl.so g@@USED)" ] || fail "g has no version"
check_elf libl.so
