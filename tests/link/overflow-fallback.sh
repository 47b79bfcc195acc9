#!/bin/sh
# An image of nearly 2 GiB, where every reference has to be looked at one by one, is linked when all of them reach.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
char low[16], big[0x7f000000], high[16];
int main(void) { high[3] = 4; low[2] = 3; printf("%d %d\n", high[3], low[2]); return 0; }
END
cc -O1 a.c -o a
run_is "4 3" ./a
[ "$(stat -c %s a)" -lt 100000 ] || fail "the file has $(stat -c %s a) bytes"
check_elf a
