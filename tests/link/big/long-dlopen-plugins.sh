#!/bin/sh
# Thirty libraries with thread-locals, constructors and cross references, loaded and unloaded by dlopen in a loop from
# several threads.
# NEEDS: cc
. "$(dirname "$0")/../lib.sh"

i=0
while [ $i -lt 30 ]; do
	cat >p$i.c <<END
#include <stdio.h>
#include <stdlib.h>
static __thread int own = $i;
int shared_counter;
__attribute__((constructor)) static void begin(void) { shared_counter += 1; }
static int helper(int x) { return x + own++; }
int (*const table[])(int) = {helper, helper};
int plugin(int x) { char *p = malloc(10); snprintf(p, 10, "%d", table[x & 1](x)); int r = atoi(p); free(p); return r; }
END
	cc -O1 -fPIC -shared p$i.c -o p$i.so
	i=$((i + 1))
done
cat >m.c <<'END'
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
static void *run(void *p)
{
	long bad = 0;
	for (int round = 0; round < 10; round++)
		for (int i = 0; i < 30; i++) {
			char name[20];
			snprintf(name, sizeof(name), "./p%d.so", i);
			void *h = dlopen(name, RTLD_NOW | RTLD_LOCAL);
			if (!h) { puts(dlerror()); return (void *)1; }
			int (*f)(int) = (int (*)(int))dlsym(h, "plugin");
			int first = f(100);
			bad += first < 100 + i || f(100) != first + 1;
			dlclose(h);
		}
	return (void *)bad;
}
int main(void)
{
	pthread_t t[4];
	long bad = 0;
	for (int i = 0; i < 4; i++) pthread_create(&t[i], 0, run, 0);
	for (int i = 0; i < 4; i++) { void *r; pthread_join(t[i], &r); bad += (long)r; }
	printf("%ld\n", bad);
	return 0;
}
END
cc -O1 m.c -pthread -o m
run_is 0 ./m
check_elf p7.so m
