#!/bin/sh
# -z relro makes PT_GNU_RELRO: what only the loader writes cannot be written by the program; -z norelro makes none.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static int x;
int *const pointer = &x;
static void on(int s) { (void)s; write(1, "read-only\n", 10); _exit(0); }
int main(void)
{
	signal(SIGSEGV, on);
	int **volatile p = (int **)&pointer;
	*p = 0;
	puts("writable");
	return 0;
}
END
cc -fPIE -pie a.c -Wl,-z,relro -o on
cc -fPIE -pie a.c -Wl,-z,norelro -o off
run_is read-only ./on
run_is writable ./off
readelf -lW off >l
hasnt RELRO l
check_elf on off
