#!/bin/sh
# Named nodes: .gnu.version_d has the library itself, the versions in order and their parents, dlvsym finds each symbol by
# its version and by no other, and what no node lists stays without one.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >l.c <<'END'
int one(void) { return 1; }
int two(void) { return 2; }
int three(void) { return 3; }
int free_one(void) { return 4; }
int unseen(void) { return 5; }
END
cat >l.map <<'END'
V_1 { global: one; local: unseen; };
V_1.1 { two; } V_1;
V_2 { global: three; } V_1.1;
END
cat >m.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
static void try(void *l, const char *name, const char *version)
{
	int (*f)(void) = (int (*)(void))dlvsym(l, name, version);
	printf("%s@%s=%d ", name, version, f ? f() : 0);
}
int main(int argc, char **argv)
{
	void *l = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	if (!l)
		return 1;
	try(l, "one", "V_1");
	try(l, "one", "V_2");
	try(l, "two", "V_1.1");
	try(l, "three", "V_2");
	try(l, "three", "V_1");
	try(l, "unseen", "V_1");
	int (*f)(void) = (int (*)(void))dlsym(l, "free_one");
	printf("%d\n", f ? f() : 0);
}
END
cc -fPIC -shared l.c -Wl,--version-script,l.map -Wl,-soname,libl.so.2 -o libl.so
cc m.c -ldl -o m
run_is 'one@V_1=1 one@V_2=0 two@V_1.1=2 three@V_2=3 three@V_1=0 unseen@V_1=0 4' ./m ./libl.so
readelf -VW libl.so >v
has "'\.gnu\.version_d' contains 4 entries" v
has 'Flags: BASE *Index: 1  Cnt: 1  Name: libl\.so\.2' v
has 'Flags: none *Index: 2  Cnt: 1  Name: V_1$' v
if [ "$peer" != lld ]; then	# it takes parents for comments
	has 'Index: 3  Cnt: 2  Name: V_1\.1$' v
	has 'Parent 1: V_1$' v
	has 'Index: 4  Cnt: 2  Name: V_2$' v
	has 'Parent 1: V_1\.1$' v
fi
readelf -dW libl.so >d
has '\(VERDEFNUM\) *4$' d
[ -n "$(dynsymlines libl.so one@@V_1)" ] || fail "one has no version"
[ -n "$(dynsymlines libl.so free_one)" ] || fail "free_one has a version, or is not there"
check_elf libl.so
