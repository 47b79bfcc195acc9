#!/bin/sh
# A shared library can be loaded with dlopen, and its symbols found; it has no interpreter.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >lib.c <<'END'
#include <stdio.h>
static int count;
int next(void) { return ++count; }
int (*table[])(void) = {next};
END
cat >a.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
int main(void)
{
	void *h = dlopen("./lib.so", RTLD_NOW);
	if (!h) { puts(dlerror()); return 1; }
	int (*next)(void) = (int (*)(void))dlsym(h, "next");
	int (**table)(void) = (int (**)(void))dlsym(h, "table");
	if (*table != next) return 2;
	next();
	printf("%d\n", table[0]());
	return dlclose(h);
}
END
cc -O2 -fPIC -shared lib.c -o lib.so
cc a.c -o a
run_is 2 ./a
readelf -lW lib.so >l
hasnt INTERP l
check_elf lib.so a
