#!/bin/sh
# Zeroed read-only-after-relocation data (.bss.rel.ro, copies) and large .data.rel.ro keep their page-aligned end.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
static int x;
int *const many[3000] = {[0 ... 2999] = &x};
int after = 3;
int main(void) { after++; x = 4; printf("%d %d\n", *many[2999], after); return 0; }
END
for mode in "-fPIE -pie" "-fno-pie -no-pie"; do
	for bind in lazy now; do
		cc -O0 $mode a.c -Wl,-z,$bind -o a
		run_is "4 4" ./a
		check_elf a
	done
done
