#!/bin/sh
# A shared library that uses versioned symbols of another has version needs and calls the right version.
# NEEDS: cc bfd
. "$(dirname "$0")/lib.sh"

echo 'int foo(void) { return 4; }' >l.c
echo 'V1 { global: foo; local: *; };' >l.map
echo 'int foo(void); int bar(void) { return foo() + 1; }' >k.c
echo 'int bar(void); int main(void) { return bar(); }' >m.c
bfd_cc -fPIC -shared l.c -Wl,--version-script,l.map -Wl,-soname,libl.so -o libl.so
cc -fPIC -shared k.c ./libl.so -Wl,-rpath,"$PWD" -o libk.so
cc m.c ./libk.so -Wl,-rpath,"$PWD" -o m
exits_with 5 ./m
readelf --dyn-syms -W libk.so >s
has 'foo@V1' s
has ' bar$' s
check_elf libk.so m
