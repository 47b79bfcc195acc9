#!/bin/sh
# Under --as-needed a library is in DT_NEEDED only if a symbol is taken from it; otherwise always.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int used(void) { return 0; }' >u.c
echo 'int unused(void) { return 0; }' >v.c
echo 'int used(void); int main(void) { return used(); }' >m.c
cc -fPIC -shared -Wl,-soname,libu.so u.c -o libu.so
cc -fPIC -shared -Wl,-soname,libv.so v.c -o libv.so
cc -c m.c
cc m.o -Wl,--as-needed libu.so libv.so -Wl,-rpath,"$PWD" -o a
needed a >n
has '^libu\.so$' n
hasnt '^libv\.so$' n
./a
cc m.o -Wl,--no-as-needed libu.so libv.so -Wl,-rpath,"$PWD" -o a
equal "$(needed a | tr '\n' ' ')" "libu.so libv.so libc.so.6 " "the needed libraries"
./a
