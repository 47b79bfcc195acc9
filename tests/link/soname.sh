#!/bin/sh
# -soname becomes DT_SONAME, and DT_NEEDED of who links against it; without it, the name as given (or found) is used.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

mkdir d
echo 'int f(void) { return 0; }' >f.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -fPIC -shared -Wl,-soname,libgiven.so.3 f.c -o libf.so
readelf -dW libf.so >dyn
has 'SONAME.*\[libgiven\.so\.3\]' dyn
cc -fPIC -shared -Wl,-h,short.so f.c -o libh.so
readelf -dW libh.so >dyn
has 'SONAME.*\[short\.so\]' dyn
cc -fPIC -shared f.c -o d/libnone.so
readelf -dW d/libnone.so >dyn
hasnt SONAME dyn
cc m.c libf.so -o a1
needed a1 >n
has '^libgiven\.so\.3$' n
cc m.c d/libnone.so -o a2
needed a2 >n
has '^d/libnone\.so$' n
cc m.c -Ld -lnone -o a3
needed a3 >n
has '^libnone\.so$' n
