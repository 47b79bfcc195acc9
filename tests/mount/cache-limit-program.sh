#!/bin/sh
# A program twenty times the size of the smallest cache, read in random order by several threads and run from the mount:
# ranges are given back and come back identical.
# NEEDS: gcc linker
. "$(dirname "$0")/lib.sh"
cat >main.c <<'END'
#include <stdio.h>
#define ROW(n) n, n + 1, n * n, ~n
#define ROWS(n) ROW(n), ROW(n + 7), ROW(n + 31), ROW(n ^ 99)
#define TABLE(n) ROWS(n), ROWS(n * 3), ROWS(n * 5), ROWS(n * 7)
#define PAGE(n) [n * 2048] = TABLE(n), TABLE(n + 1)
int table[5 << 20] = { PAGE(0), PAGE(1), PAGE(99), PAGE(1000), PAGE(2559) };
int *where[] = { &table[1], &table[1 << 20], &table[(5 << 20) - 1] };
int main(void)
{
	unsigned long sum = 0;
	for (unsigned i = 0; i < sizeof(table) / sizeof(*table); i++)
		sum = sum * 31 + (unsigned)table[i];
	printf("%lx %ld\n", sum, (long)(where[2] - where[0]));
	return 0;
}
END
gcc -c -O1 main.c -o main.o
LINKFS_MODE='file' run gcc main.o -B"$LINKFS_BUILD/libexec/linkfs/" -o want || fail "file mode"
start_mount cache_size=1M
add_linked x gcc main.o -o want
links_well x
size=$(stat -c %s "$mnt/x")
[ "$size" -gt 20000000 ] || fail "it has $size bytes only"
same_bytes "$mnt/x" want
same_bytes "$mnt/x" want
equal "$(run "$mnt/x")" "$(run ./want)" "what it says"
[ "$(stat_of evictions)" -gt 1000 ] || fail "only $(stat_of evictions) chunks were given back"
[ "$(info_of x filled_bytes)" -gt "$size" ] || fail "nothing was made twice"
[ "$(stat_of cache_bytes)" -le 1048576 ] || fail "the limit is exceeded: $(stat_of cache_bytes)"
equal "$(stat_of fill_errors)" 0 "errors"
