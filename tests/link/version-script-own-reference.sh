#!/bin/sh
# A reference to f@V means the f@@V of another object of the link, also where that can be interposed; f@V beside a plain f
# of the same version is what counts.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for mold "mold 1.10 does not find it"

printf 'int new(void) { return 2; }\n__asm__(".symver new, foo@@V2");\n' >a.c
printf 'int newfoo(void);\n__asm__(".symver newfoo, foo@V2");\nint bar(void) { return newfoo() + 1; }\n' >b.c
echo 'V1 { global: bar; local: *; }; V2 { global: foo; } V1;' >l.map
echo 'int bar(void); int foo(void); int main(void) { return bar() * 10 + foo(); }' >m.c
cc -fPIC -c a.c b.c
for order in "a.o b.o" "b.o a.o"; do
	cc -shared $order -Wl,--version-script,l.map -o libl.so
	cc m.c ./libl.so -o m
	exits_with 32 ./m
	readelf -rW libl.so >r
	has ' foo@@V2' r
	check_elf libl.so
done
