#!/bin/sh
# A symbol asks by .symver for a version that no script defines: an error in a shared library, with names.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for mold "mold 1.10 says nothing"

printf 'int f(void) { return 1; }\n__asm__(".symver f, foo@V9");\n' >l.c
echo 'V1 { global: foo; local: *; };' >l.map
expect_error 'version node not found for symbol foo@V9|foo@V9.*undefined version' \
	cc -fPIC -shared l.c -Wl,--version-script,l.map -o libl.so
expect_error 'version node not found for symbol foo@V9|foo@V9.*undefined version' cc -fPIC -shared l.c -o libl.so
[ ! -e libl.so ] || fail "there is an output"
