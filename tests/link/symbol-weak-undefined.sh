#!/bin/sh
# A weak reference that nothing defines is zero: for functions and data, in every kind of executable.
# NEEDS: cc static static-pie
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <stdio.h>
extern int data __attribute__((weak));
int func(void) __attribute__((weak));
static int (*pointer)(void) = func;
int main(void) { printf("%p %p %p\n", (void *)&data, (void *)func, (void *)pointer); return func ? func() : 0; }
END
for mode in "-fno-pie -no-pie" "-fPIE -pie" "-fno-pie -static" "-fPIE -static-pie"; do
	cc -O1 $mode a.c -o a
	run_is "(nil) (nil) (nil)" ./a
	check_elf a
done
