#!/bin/sh
# --dynamic-list exports from an executable what it lists: exact names, wildcards, C++ names; hidden ones stay out.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

cat >m.cc <<'END'
#include <dlfcn.h>
extern "C" int listed(void) { return 1; }
extern "C" int plug_a(void) { return 2; }
extern "C" int other(void) { return 3; }
extern "C" __attribute__((visibility("hidden"))) int plug_hidden(void) { return 4; }
namespace ns { int deep(int a) { return a; } int flat(int a) { return a; } }
int main()
{
	return dlsym(RTLD_DEFAULT, "listed") && dlsym(RTLD_DEFAULT, "plug_a") && !dlsym(RTLD_DEFAULT, "other") &&
	       !dlsym(RTLD_DEFAULT, "plug_hidden") && dlsym(RTLD_DEFAULT, "_ZN2ns4deepEi") &&
	       !dlsym(RTLD_DEFAULT, "_ZN2ns4flatEi") ? 7 : 1;
}
END
echo '{ listed; plug_*; nobody; extern "C++" { ns::d*; }; };' >m.list
cxx m.cc -Wl,--dynamic-list=m.list -ldl -o m
exits_with 7 ./m
[ -z "$(dynsymlines m main)" ] || fail "main is exported"
check_elf m
