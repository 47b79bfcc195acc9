#!/bin/sh
# The same object twice is a duplicate symbol; the same archive or library twice is none.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int f(void) { return 0; }' >f.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -fPIC -c f.c m.c
ar rc libf.a f.o
cc -shared f.o -o libg.so
expect_error '\bf\b' cc m.o f.o f.o -o m
cc m.o libf.a libf.a ./libg.so ./libg.so -o m
./m
