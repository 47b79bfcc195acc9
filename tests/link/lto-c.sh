#!/bin/sh
# Programs of gcc -flto: slim and fat objects, partitions, several jobs, every kind of executable.
# NEEDS: lto static
. "$(dirname "$0")/lib.sh"
not_for lld "it does not take GCC's plugin"

cat >a.c <<'X'
#include <stdio.h>
int f(int); extern int shared_state; static int local(int x) { return x * 2; }
int main(int c, char **v) { (void)v; int x = f(c); printf("%d %d\n", x + local(c), shared_state); return 0; }
X
cat >b.c <<'X'
int shared_state = 5; static int local(int x) { return x * 3; }
int f(int x) { shared_state += x; return local(x) + 1; }
X
gcc -flto -O2 -c a.c b.c
for how in "-O2" "-O0" "-O2 -flto=auto -flto-partition=max" "-O2 -static" "-O2 -no-pie" "-O2 -flto-partition=none"; do
	rm -f prog
	# shellcheck disable=SC2086 # options
	cc -flto $how a.o b.o -o prog
	run_is "6 6" ./prog
done
check_elf prog
gcc -flto -O2 -ffat-lto-objects -c a.c b.c
cc -flto -O2 a.o b.o -o prog
run_is "6 6" ./prog
readelf -SW prog >s
hasnt '\.gnu\.lto' s
cc -fno-lto a.o b.o -o prog
run_is "6 6" ./prog
