#!/bin/sh
# A library of 20,000 exported functions: each is found by the loader; the hash tables are walked by elfcheck.py.
# NEEDS: cc python3
. "$(dirname "$0")/lib.sh"

awk 'BEGIN {
	for (i = 0; i < 20000; i++) {
		printf "\t.globl function_%d\n\t.type function_%d, @function\n", i, i
		printf "function_%d:\tmov $%d, %%eax\n\tret\n", i, i
	}
	print "\t.section .note.GNU-stack,\"\",@progbits" }' >l.s
cat >m.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
int main(void)
{
	void *h = dlopen("./libl.so", RTLD_NOW);
	int good = 0;
	for (int i = 0; i < 20000; i++) {
		char name[40];
		sprintf(name, "function_%d", i);
		int (*f)(void) = (int (*)(void))dlsym(h, name);
		good += f && f() == i;
	}
	return printf("%d\n", good) < 0;
}
END
cc -shared l.s -Wl,--hash-style=both -o libl.so
cc m.c -o m
run_is 20000 ./m
[ "$peer" = mold ] || "$python3" "$lib_dir/elfcheck.py" libl.so
check_elf libl.so
