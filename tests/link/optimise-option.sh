#!/bin/sh
# -O0, -O1 and -O2 are accepted and the result works.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
int main(void) { printf("%s %s\n", "substring", "string"); return 0; }
END
cc -c a.c
for o in -O0 -O1 -O2; do
	cc a.o -Wl,$o -o a
	run_is "substring string" ./a
	check_elf a
done
