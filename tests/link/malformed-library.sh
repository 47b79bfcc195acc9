#!/bin/sh
# A shared library that is truncated or has damaged tables is an error that names it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "it aborts"

echo 'int f(void) { return 0; }' >l.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -fPIC -shared l.c -o libl.so
cc -c m.c
for n in 20 60 200 1000; do
	head -c $n libl.so >cut.so
	expect_error 'cut\.so' cc m.o ./cut.so -o m
done
