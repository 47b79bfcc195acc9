#!/bin/sh
# General dynamic code in an executable that uses a library's variable becomes initial exec.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "mold 1.10 does not relax it"

echo '__thread int theirs = 7;' >l.c
echo 'extern __thread int theirs; int get(void) { return theirs; }' >a.c
echo 'int get(void); int main(void) { return get(); }' >m.c
cc -fPIC -shared l.c -o libl.so
cc -O1 -fPIC -ftls-model=global-dynamic -c a.c
for mode in -no-pie -pie; do
	cc $mode a.o m.c ./libl.so -o m
	exits_with 7 ./m
	disas m get >d
	hasnt '__tls_get_addr' d
	readelf -rW m >r
	has 'TPOFF64.*theirs' r
	hasnt 'DTPMOD64' r
	check_elf m
done
