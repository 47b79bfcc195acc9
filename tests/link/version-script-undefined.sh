#!/bin/sh
# A script may list names that nobody defines; --no-undefined-version makes that an error, for C++ names in quotes too.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for mold "mold 1.10 does not have the option"

printf 'int f(void) { return 1; }\nint g(void) { return 2; }\n__asm__(".symver g, h@V1");\n' >l.c
echo 'V1 { global: f; h; nobody; any*; local: *; };' >l.map
cc -fPIC -shared l.c -Wl,--version-script,l.map -Wl,--undefined-version -o libl.so
is_linkfs && cc -fPIC -shared l.c -Wl,--version-script,l.map -o libl.so
expect_error 'nobody' cc -fPIC -shared l.c -Wl,--version-script,l.map -Wl,--no-undefined-version -o libm.so
has 'undefined version|symbol not defined' err
hasnt ' (f|h|any)(:|$)' err
echo 'V1 { global: f; h; any*; local: *; };' >l.map
cc -fPIC -shared l.c -Wl,--version-script,l.map -Wl,--no-undefined-version -o libl.so
if [ "$peer" != lld ]; then
	echo 'V1 { global: f; h; local: *; none; };' >l.map
	cc -fPIC -shared l.c -Wl,--version-script,l.map -Wl,--no-undefined-version -o libl.so
	echo 'V1 { global: f; h; extern "C++" { "ns::gone(int)" }; local: *; };' >l.map
	expect_error 'ns::gone\(int\)' \
		cc -fPIC -shared l.c -Wl,--version-script,l.map -Wl,--no-undefined-version -o libm.so
fi
