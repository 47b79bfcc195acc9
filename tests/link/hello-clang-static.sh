#!/bin/sh
# clang's -static and -static-pie command lines.
# NEEDS: clang static static-pie
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
int main(void) { puts("hello clang"); return 0; }
END
for mode in -static -static-pie; do
	clang_cc -O2 $mode a.c -o a
	run_is "hello clang" ./a
	check_elf a
done
