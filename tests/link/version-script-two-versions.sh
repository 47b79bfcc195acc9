#!/bin/sh
# One name in two versions, by .symver: the linker gives new programs the default one and old programs keep the old one.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >l.c <<'END'
#include <string.h>
int old(void) { return 1; }
int new(void) { return 2; }
__asm__(".symver old, foo@V1");
__asm__(".symver new, foo@@V2");
int length(const char *s) { return (int)strlen(s); }
END
echo 'V1 { global: foo; length; local: *; }; V2 { global: foo; } V1;' >l.map
cat >m.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
int foo(void), oldfoo(void);
__asm__(".symver oldfoo, foo@V1");
int main(int argc, char **argv)
{
	void *l = dlopen(argv[argc - 1], RTLD_NOW);
	int (*v1)(void) = (int (*)(void))dlvsym(l, "foo", "V1"), (*v2)(void) = (int (*)(void))dlvsym(l, "foo", "V2");
	int (*any)(void) = (int (*)(void))dlsym(l, "foo");
	if (!v1 || !v2 || !any || v1() != 1 || v2() != 2 || any() != 2 || dlsym(l, "old") || dlsym(l, "new"))
		return 99;
	return foo() * 10 + oldfoo();
}
END
cc -fno-builtin -fPIC -shared l.c -Wl,--version-script,l.map -Wl,-soname,libl.so -o libl.so
cc m.c ./libl.so -Wl,-rpath,"$PWD" -o m
exits_with 21 ./m "$PWD/libl.so"
readelf --dyn-syms -W libl.so >s
has ' foo@V1$' s
has ' foo@@V2$' s
hasnt ' (old|new)(@|$)' s
readelf --dyn-syms -W m >s
has ' foo@V1 ' s
has ' foo@V2 ' s
# The versions needed are numbered behind those defined.
readelf -VW libl.so >v
has 'Name: GLIBC_[0-9.]+ .*Version: [4-9]' v
check_elf libl.so m
