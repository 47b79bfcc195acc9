#!/bin/sh
# clang finds the linker by --ld-path and its default options are understood.
# NEEDS: clang
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
int main(void) { puts("hello clang"); return 0; }
END
for mode in -no-pie -pie; do
	clang_cc -O2 -fPIE $mode a.c -o a
	run_is "hello clang" ./a
	check_elf a
done
