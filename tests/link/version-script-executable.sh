#!/bin/sh
# In an executable a version script gives exports their versions and makes others local; --gc-sections drops the latter.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >m.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
int shown(void) { return 3; }
int unseen(void) { return 4; }
int main(void)
{
	int (*f)(void) = (int (*)(void))dlvsym(RTLD_DEFAULT, "shown", "APP_1");
	return f ? f() + !dlsym(RTLD_DEFAULT, "unseen") * 10 : 1;
}
END
echo 'APP_1 { global: shown; local: *; };' >m.map
cc -ffunction-sections m.c -rdynamic -Wl,--version-script,m.map -Wl,--gc-sections -ldl -o m
exits_with 13 ./m
[ -n "$(dynsymlines m shown@@APP_1)" ] || fail "shown has no version"
[ -z "$(dynsymlines m unseen)" ] || fail "unseen is exported"
[ -z "$(symlines m unseen)" ] || fail "unseen is there, and nobody needs it"
check_elf m
