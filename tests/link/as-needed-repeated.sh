#!/bin/sh
# A library named twice is needed once, whatever the mode of each mention.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int used(void) { return 0; }' >u.c
echo 'int used(void); int main(void) { return used(); }' >m.c
cc -fPIC -shared -Wl,-soname,libu.so u.c -o libu.so
cc -c m.c
cc m.o -Wl,--as-needed libu.so -Wl,--no-as-needed libu.so ./libu.so -Wl,-rpath,"$PWD" -o a
equal "$(needed a | grep -c libu.so)" 1 "mentions in DT_NEEDED"
./a
