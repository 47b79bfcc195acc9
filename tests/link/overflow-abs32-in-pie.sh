#!/bin/sh
# R_X86_64_32 and 32S in a position-independent output are errors that name type, symbol, file and section, and advise
# to "recompile with -fPIC".
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld" "lld 14 says nothing of 32S against data"

echo 'int table[10]; int get(int i) { return table[i]; }' >a.c
echo 'int get(int); int main(void) { return get(1); }' >m.c
cc -O1 -fno-pie -c a.c
cc -fPIE -c m.c
for mode in -pie -shared; do
	expect_error 'R_X86_64_32S?' cc $mode a.o m.o -o m
	has 'a\.o' err
	has 'recompile with -fPI[CE]' err
	if is_linkfs; then
		has 'table' err
		has '\.text' err
	fi
done
[ ! -e m ] || fail "an output was made"
