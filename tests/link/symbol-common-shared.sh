#!/bin/sh
# A common symbol of the executable and a definition in a library: as GNU ld does, the library's value counts, and both
# use one object.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for lld "it takes the common symbol"

echo 'int shared_name = 5; int get(void) { return shared_name; }' >l.c
echo 'int shared_name; int get(void); int main(void) { return shared_name * 10 + get(); }' >m.c
cc -fPIC -shared l.c -o libl.so
cc -fcommon -c m.c
for order in "m.o ./libl.so" "./libl.so m.o"; do
	cc -Wl,--no-as-needed $order -o m
	exits_with 55 ./m
done
check_elf m
