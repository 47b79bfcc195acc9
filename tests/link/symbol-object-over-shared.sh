#!/bin/sh
# A definition in an object, strong or weak, beats one in a shared library in either order.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int f(void) { return 2; } int anchor;' >l.c
echo 'int f(void) { return 1; }' >s.c
echo '__attribute__((weak)) int f(void) { return 1; }' >w.c
echo 'int f(void); extern int anchor; int main(void) { return f() + anchor; }' >m.c
cc -fPIC -shared l.c -o libl.so
cc -fPIE -c s.c w.c m.c
for order in "./libl.so m.o s.o" "m.o s.o ./libl.so" "./libl.so m.o w.o" "m.o w.o ./libl.so"; do
	cc -Wl,--no-as-needed $order -o a
	exits_with 1 ./a
done
