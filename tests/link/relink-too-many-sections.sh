#!/bin/sh
# A link that fails since it has too many output sections leaves nothing behind for the next one, which has some objects less.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
is_linkfs || skip "keeps a linker in process"
[ -x "$LINKFS_BUILD/tests/relinker" ] || skip "$LINKFS_BUILD/tests/relinker is not built"

# 72 objects of 240 names make 17,280, of which 16,384 can be; two sections of each.
for i in $(seq 10 81); do
	awk -v i="$i" 'BEGIN {
		for (round = 0; round < 2; round++)
			for (k = 0; k < 240; k++)
				printf "\t.section s%d_%d, \"a\", @progbits, unique, %d\n\t.long %d\n", i, k, round, k
		if (i == 10)
			print "\t.text\n\t.globl _start\n_start:\tret"
	}' >"$i.s"
done
gcc -c ./*.s
seq -f %g.o 10 81 >all
seq -f %g.o 10 71 >most
{ echo 10.o && seq -f %g.o 81 -1 60; } >last
printf '%s\n' all last most | "$LINKFS_BUILD/tests/relinker" >answers 2>&1 || fail "$(cat answers)"
equal "$(cut -d' ' -f1 answers | tr '\n' ' ')" "failed same same " "what became of the links"
