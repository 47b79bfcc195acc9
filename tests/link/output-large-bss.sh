#!/bin/sh
# A bss of 1 GiB takes no room in the file.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
char big[1 << 30];
char after[] = "data";
int main(void) { big[sizeof(big) - 1] = 'x'; printf("%c%s\n", big[sizeof(big) - 1], after); return 0; }
END
cc -O1 a.c -o a
run_is xdata ./a
[ "$(stat -c %s a)" -lt 100000 ] || fail "the file has $(stat -c %s a) bytes"
check_elf a
