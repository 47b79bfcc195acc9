#!/bin/sh
# IFUNC in a static executable and a static PIE: called, and its address taken in code and data, always the same.
# NEEDS: cc static static-pie
. "$(dirname "$0")/lib.sh"
not_for "bfd mold" "a pointer in data differs from the address in code there"

cat >a.c <<'END'
#include <stdio.h>
static int one(void) { return 1; }
static int two(void) { return 2; }
static int (*resolve(void))(void) { return two; }
int chosen(void) __attribute__((ifunc("resolve")));
int (*pointer)(void) = chosen;
int (*volatile again)(void);
int main(void)
{
	again = chosen;
	printf("%d %d %d %d\n", chosen(), pointer(), again(), again == pointer);
	return one() - 1;
}
END
for mode in "-fno-pie -static" "-fPIE -static-pie" "-fPIE -static"; do
	cc -O1 $mode a.c -o a
	run_is "2 2 2 1" ./a
	check_elf a
done
readelf -rW a >r
has 'R_X86_64_IRELATIV' r
