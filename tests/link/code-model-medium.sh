#!/bin/sh
# The medium code model: data beyond 2 GiB in .lbss and .ldata, behind everything that ordinary code refers to.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld" "lld 14 puts .ldata before .bss"

cat >a.c <<'END'
#include <stdio.h>
char huge[0xc0000000];
int large_data[20000] = {[19999] = 7};
int small = 5, zero;
int main(void)
{
	huge[sizeof(huge) - 1] = 1;
	zero = 2;
	printf("%d %d %d\n", huge[sizeof(huge) - 1], large_data[19999], small + zero);
	return 0;
}
END
cc -O1 -mcmodel=medium -fno-pie -no-pie a.c -o a
run_is "1 7 7" ./a
check_elf a
