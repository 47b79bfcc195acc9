#!/bin/sh
# -rpath becomes DT_RUNPATH (DT_RPATH with --disable-new-dtags), several are joined by colons, $ORIGIN works.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

mkdir d
echo 'int f(void) { return 6; }' >f.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -fPIC -shared -Wl,-soname,libf.so f.c -o d/libf.so
cc m.c d/libf.so -Wl,--enable-new-dtags -Wl,-rpath,/nowhere -Wl,-rpath='$ORIGIN/d' -o a
readelf -dW a >dyn
has 'RUNPATH.*\[/nowhere:\$ORIGIN/d\]' dyn
exits_with 6 ./a
cc m.c d/libf.so -Wl,--disable-new-dtags -Wl,-rpath,"$PWD/d" -o b
readelf -dW b >dyn
has '\(RPATH\)' dyn
exits_with 6 ./b
