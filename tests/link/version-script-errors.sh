#!/bin/sh
# What is wrong with a version script is told with file and place.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for mold "says other things"

echo 'int f(void) { return 1; }' >l.c
cc -fPIC -c l.c
expect_error 'gone\.map' cc -shared l.o -Wl,--version-script,gone.map -o libl.so
has '[Nn]o such file|cannot find' err
expect_error 'gone\.list' cc -shared l.o -Wl,--dynamic-list,gone.list -o libl.so
printf 'V1 {\n global: f\n ; g h; };\n' >l.map
expect_error 'l\.map:3' cc -shared l.o -Wl,--version-script,l.map -o libl.so
[ "$peer" != lld ] || exit 0
echo 'V1 { f; };' >l.map
echo '{ local: *; };' >k.map
expect_error 'anonymous' cc -shared l.o -Wl,--version-script,l.map -Wl,--version-script,k.map -o libl.so
expect_error 'V1 is defined twice|duplicate version tag' \
	cc -shared l.o -Wl,--version-script,l.map -Wl,--version-script,l.map -o libl.so
for pattern in f 'f*' 'extern "C++" { "f()" }'; do
	echo "V1 { global: $pattern; }; V2 { local: $pattern; };" >l.map
	expect_error 'f(\*|\(\))? is both global and local|duplicate expression' \
		cc -shared l.o -Wl,--version-script,l.map -o libl.so
done
