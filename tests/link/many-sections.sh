#!/bin/sh
# An object with 70,000 sections (SHN_XINDEX, extended section count) is linked.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >gen.sh <<'END'
awk 'BEGIN {
	for (i = 0; i < 70000; i++)
		printf "\t.section .data.s%d,\"aw\",@progbits\nv%d:\t.byte %d\n", i, i, i % 7
	print "\t.globl first, last\n\t.data\n\t.section .data.z,\"aw\",@progbits\nlast:\t.quad v69999\nfirst:\t.quad v3"
	print "\t.section .note.GNU-stack,\"\",@progbits"
}'
END
sh gen.sh >a.s
echo 'extern char *first, *last; int main(void) { return *first * 10 + *last; }' >m.c
cc -c a.s m.c
cc a.o m.o -o m
exits_with $((3 * 10 + 69999 % 7)) ./m
