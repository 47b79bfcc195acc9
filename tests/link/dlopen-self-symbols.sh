#!/bin/sh
# dlsym of NULL's handle finds exported functions, data and thread-locals of the program and its libraries' in order.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

echo 'int both(void) { return 1; } int lib_only = 6;' >l.c
cat >m.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
int both(void) { return 2; }
__thread int local = 9;
extern int lib_only;
int main(void)
{
	void *h = dlopen(NULL, RTLD_NOW);
	int (*f)(void) = (int (*)(void))dlsym(h, "both");
	printf("%d %d %d\n", f(), *(int *)dlsym(h, "lib_only") - lib_only, *(int *)dlsym(h, "local"));
	return 0;
}
END
cc -fPIC -shared l.c -o libl.so
cc -rdynamic m.c ./libl.so -o m
run_is "2 0 9" ./m
check_elf m
