#!/bin/sh
# A reference to a version that the library does not define is an error that names symbol and version.
# NEEDS: cc bfd
. "$(dirname "$0")/lib.sh"
not_for mold "mold 1.10 says nothing"

echo 'int foo(void) { return 1; }' >l.c
echo 'V1 { global: foo; local: *; };' >l.map
cat >m.c <<'END'
int f(void);
__asm__(".symver f, foo@V9");
int main(void) { return f(); }
END
bfd_cc -fPIC -shared l.c -Wl,--version-script,l.map -o libl.so
expect_error 'foo@V9|foo.*V9' cc m.c ./libl.so -o m
