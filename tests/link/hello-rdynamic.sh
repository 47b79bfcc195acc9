#!/bin/sh
# -rdynamic puts the executable's own symbols into .dynsym; without it they are not there.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
int answer(void) { return 42; }
int main(void)
{
	int (*f)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "answer");
	printf("%d\n", f ? f() : -1);
	return 0;
}
END
cc a.c -o plain
cc -rdynamic a.c -o exported
run_is -1 ./plain
run_is 42 ./exported
check_elf plain exported
