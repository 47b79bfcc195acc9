#!/bin/sh
# Under -static only archives are found by -l.
# NEEDS: cc static
. "$(dirname "$0")/lib.sh"

mkdir d
echo 'int who(void) { return 4; }' >w.c
echo 'int who(void); int main(void) { return who(); }' >a.c
cc -c a.c w.c
cc -fPIC -shared -DS w.c -o d/libwho.so
ar rc d/libwho.a w.o
cc -static a.o -Ld -lwho -o a
exits_with 4 ./a
expect_error 'only-shared|attempted static link|cannot find|unable to find|not found' \
	sh -c 'cp d/libwho.so d/libonly-shared.so; exec gcc -B"$1/" -static a.o -Ld -lonly-shared -o b' sh "$ld_dir"
