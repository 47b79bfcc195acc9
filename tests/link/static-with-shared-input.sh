#!/bin/sh
# A shared library among the inputs of a static link is an error that names it.
# NEEDS: cc static
. "$(dirname "$0")/lib.sh"
not_for mold "mold 1.10 links it"

echo 'int f(void) { return 4; }' >f.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -fPIC -shared f.c -o libf.so
expect_error 'libf\.so' cc -static m.c ./libf.so -o m
