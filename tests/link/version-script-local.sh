#!/bin/sh
# An anonymous version script exports what it lists; the rest is local, cannot be interposed, and has no version.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >l.c <<'END'
int helper(void) { return 1; }
int data = 2;
int api(void) { return helper() * 10 + data; }
END
echo '{ global: api; local: *; };' >l.map
cat >m.c <<'END'
#include <dlfcn.h>
int helper(void) { return 7; }
int data = 7;
int api(void);
int main(int argc, char **argv)
{
	void *l = dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD);
	return l && dlsym(l, "api") && !dlsym(l, "helper") && !dlsym(l, "data") && argc == 2 ? api() : 99;
}
END
cc -O0 -fPIC -shared l.c -Wl,--version-script=l.map -o libl.so
cc -rdynamic m.c ./libl.so -o m
exits_with 12 ./m ./libl.so
[ -n "$(dynsymlines libl.so api)" ] || fail "api is not exported"
[ -z "$(dynsymlines libl.so helper)" ] || fail "helper is exported"
[ -z "$(dynsymlines libl.so data)" ] || fail "data is exported"
case $(symlines libl.so helper) in "FUNC LOCAL DEFAULT "*) ;; *) fail "helper: $(symlines libl.so helper)" ;; esac
equal "$(section libl.so .gnu.version_d type)" "" "a version is defined"
check_elf libl.so m
