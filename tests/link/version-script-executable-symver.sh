#!/bin/sh
# An executable needs no script to define f@V: the version is made on the spot, where the symbol is exported.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "leave out the version that no script defines"

cat >m.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
int one(void) { return 1; }
int two(void) { return 2; }
int three(void) { return 3; }
__asm__(".symver one, foo@V1");
__asm__(".symver two, foo@@V2");
__asm__(".symver three, bar@V2");
int main(void)
{
	int (*f)(void) = (int (*)(void))dlvsym(RTLD_DEFAULT, "foo", "V1");
	int (*g)(void) = (int (*)(void))dlvsym(RTLD_DEFAULT, "foo", "V2");
	int (*h)(void) = (int (*)(void))dlvsym(RTLD_DEFAULT, "bar", "V2");
	return f && g && h ? f() * 100 + g() * 10 + h() : 0;
}
END
cc m.c -rdynamic -ldl -o m
exits_with 123 ./m
readelf -VW m >v
has 'Index: 3 .*Name: V2' v
has 'Flags: BASE .*Name: m$' v
cc m.c -ldl -o m
exits_with 0 ./m
equal "$(section m .gnu.version_d type)" "" "versions are defined that nobody can see"
check_elf m
