#!/bin/sh
# A program with only .tbss, and one whose .tbss is followed by .init_array: zero thread-locals take no address space.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
__thread char big[100000];
static int ran;
__attribute__((constructor)) static void start(void) { ran = 1; }
int main(void) { big[99999] = 1; printf("%d %d\n", ran, big[0] + big[99999]); return 0; }
END
cc -O0 a.c -o a
run_is "1 1" ./a
[ "$(stat -c %s a)" -lt 60000 ] || fail "the file has $(stat -c %s a) bytes"
check_elf a
