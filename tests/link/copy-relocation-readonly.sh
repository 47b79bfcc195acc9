#!/bin/sh
# A copy of read-only library data is aligned as there and cannot be written: it lies in RELRO.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "mold 1.10 keeps it writable"

echo 'const int constant[16] __attribute__((aligned(64))) = {5}; ' >l.c
cat >m.c <<'END'
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
extern const int constant[16];
static void on(int s) { (void)s; write(1, "read-only\n", 10); _exit(0); }
int main(void)
{
	printf("%d %d\n", constant[0], (int)((unsigned long)constant % 64));
	fflush(stdout);
	signal(SIGSEGV, on);
	int *volatile p = (int *)constant;
	*p = 0;
	return puts("writable");
}
END
cc -fPIC -shared l.c -o libl.so
cc -O1 -fno-pie -no-pie m.c ./libl.so -o m
run_is "5 0
read-only" ./m
check_elf m
