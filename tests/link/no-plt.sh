#!/bin/sh
# -fno-plt: calls through the GOT work; those to the program's own functions become direct.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int far(void) { return 4; }' >l.c
echo 'int near(void) { return 1; }' >n.c
echo 'int far(void), near(void); int main(void) { return far() + near(); }' >m.c
cc -fPIC -shared l.c -o libl.so
for mode in "-fPIE -pie" "-fPIE -no-pie"; do
	cc -O1 -fno-plt $mode m.c n.c ./libl.so -o m
	exits_with 5 ./m
	disas m main >d
	has 'call +\*0x' d
	has 'call +[0-9a-f]+ <near>' d
	check_elf m
done
