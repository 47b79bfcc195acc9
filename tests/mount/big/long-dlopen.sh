#!/bin/sh
# Shared libraries on the mount, linked when they are opened: loaded with dlopen by a program that lives there too, by
# several threads at once; one needs another.
# NEEDS: gcc linker
. "$(dirname "$0")/lib-big.sh"
cat >base.c <<'END'
static __thread int calls;
int base(int x) { return x * 2 + calls++ * 0; }
END
cat >m.c <<'END'
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
static const char *dir;
static void *run(void *arg)
{
	for (int i = 0; i < 12; i++) {
		char name[4096];
		snprintf(name, sizeof(name), "%s/p%d.so", dir, (i + *(int *)arg) % 12);
		void *h = dlopen(name, RTLD_NOW | RTLD_LOCAL);
		if (!h) { puts(dlerror()); return (void *)1; }
		int (*f)(int) = (int (*)(int))dlsym(h, "plugin");
		if (f(100) != 200 + (i + *(int *)arg) % 12) return (void *)1;
		dlclose(h);
	}
	return 0;
}
int main(int argc, char **argv)
{
	pthread_t t[4];
	int n[4] = {0, 3, 6, 9};
	long bad = 0;
	dir = argv[1];
	for (int i = 0; i < 4; i++) pthread_create(&t[i], 0, run, &n[i]);
	for (int i = 0; i < 4; i++) { void *r; pthread_join(t[i], &r); bad += (long)r; }
	printf("%ld\n", bad);
	return argc != 2 || bad;
}
END
gcc -O1 -g -fPIC -c base.c
gcc -O1 -g -c m.c
gcc -shared base.o -Wl,-soname,libbase.so -o libbase.so # what is linked with: the linker never reads its own mount
start_mount
link_both libbase.so gcc -shared base.o -Wl,-soname,libbase.so
i=0
while [ $i -lt 12 ]; do
	cat >p$i.c <<END
#include <stdlib.h>
int base(int);
static int helper(int x) { return base(x) + $i; }
int (*const table[])(int) = {helper, helper};
static char *kept;
__attribute__((constructor)) static void begin(void) { kept = malloc($i + 1); }
__attribute__((destructor)) static void end(void) { free(kept); }
int plugin(int x) { return kept ? table[x & 1](x) : 0; }
END
	gcc -O1 -g -fPIC -c p$i.c
	link_both p$i.so gcc -shared p$i.o ./libbase.so -Wl,-rpath,"$mnt"
	i=$((i + 1))
done
link_both prog gcc m.o -pthread
equal "$(from_mount prog "$mnt")" 0 "plugins that failed"
LD_DEBUG=files from_mount prog "$mnt" 2>&1 | grep -q "calling init: $mnt/libbase.so" || fail "another libbase.so was used"
lazily p7.so 100
for name in libbase.so p0.so p11.so prog; do
	right_bytes $name
done
