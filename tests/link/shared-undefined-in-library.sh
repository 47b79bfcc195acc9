#!/bin/sh
# An executable linked with a library that itself has an undefined symbol: that is an error that names it, unless
# --allow-shlib-undefined.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for mold "mold 1.10 does not check libraries by default"

echo 'int elsewhere(void); int f(void) { return elsewhere(); }' >f.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -fPIC -shared f.c -o libf.so
expect_error elsewhere cc m.c libf.so -o a
cc m.c libf.so -Wl,--allow-shlib-undefined -o b
