#!/bin/sh
# A member that defines f@@V is extracted for f, and --exclude-libs keeps its names local whatever the script says.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for mold "mold 1.10 ignores versions in archives"

printf 'int impl(void) { return 2; }\n__asm__(".symver impl, foo@@V1");\n' >a.c
echo 'int foo(void); int bar(void) { return foo() + 1; }' >b.c
echo 'V1 { global: foo; bar; local: *; };' >l.map
echo 'int bar(void); int main(void) { return bar(); }' >m.c
cc -fPIC -c a.c b.c
ar rc liba.a a.o
cc -shared b.o liba.a -Wl,--version-script,l.map -o libl.so
cc m.c ./libl.so -o m
exits_with 3 ./m
[ -n "$(dynsymlines libl.so foo@@V1)" ] || fail "foo is not exported"
check_elf libl.so
cc -shared b.o liba.a -Wl,--version-script,l.map -Wl,--exclude-libs,ALL -o libl.so
exits_with 3 ./m
readelf --dyn-syms -W libl.so >s
hasnt ' foo(@|$)' s
