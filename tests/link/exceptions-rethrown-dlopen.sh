#!/bin/sh
# An exception thrown in a library that was loaded with dlopen is caught by its type in the program.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

echo 'struct problem { int code; virtual ~problem() {} };' >p.h
echo '#include "p.h"
extern "C" void run() { throw problem{}; }' >l.cc
cat >m.cc <<'END'
#include "p.h"
#include <cstdio>
#include <dlfcn.h>
int main()
{
	void *h = dlopen("./libl.so", RTLD_NOW);
	if (!h) return std::puts(dlerror());
	try { ((void (*)())dlsym(h, "run"))(); } catch (const problem &) { std::puts("caught"); }
	try { throw problem{}; } catch (...) { std::puts("own"); }
}
END
cxx -fPIC -shared l.cc -o libl.so
cxx -rdynamic m.cc -o m
run_is "caught
own" ./m
check_elf libl.so m
