#!/bin/sh
# General dynamic TLS in a library that is loaded with dlopen: DTPMOD64 and DTPOFF64, exported and hidden variables.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >l.c <<'END'
__thread int exported = 3;
__attribute__((visibility("hidden"))) __thread int concealed = 4;
static __thread int own = 5;
int sum(void) { return exported++ * 100 + concealed++ * 10 + own++; }
END
cat >m.c <<'END'
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
static int (*sum)(void);
static void *run(void *p) { sum(); return (void *)(long)sum(); }
int main(void)
{
	void *h = dlopen("./libl.so", RTLD_NOW), *r;
	if (!h) return puts(dlerror());
	sum = (int (*)(void))dlsym(h, "sum");
	pthread_t t;
	pthread_create(&t, 0, run, 0);
	pthread_join(t, &r);
	int mine = sum();
	printf("%ld %d %d\n", (long)r, mine, *(int *)dlsym(h, "exported"));
	return 0;
}
END
cc -O1 -fPIC -ftls-model=global-dynamic -shared l.c -o libl.so
cc m.c -pthread -o m
run_is "456 345 4" ./m
readelf -rW libl.so >r
has 'DTPMOD64' r
has 'DTPOFF64.*exported' r
check_elf libl.so
