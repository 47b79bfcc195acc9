#!/bin/sh
# What a newcomer tries: a C++ program with exceptions, one with an undefined symbol, a shared library opened at run time.
# NEEDS: g++ linker
. "$(dirname "$0")/lib.sh"
cat >throw.cc <<'END'
#include <iostream>
#include <stdexcept>
int main()
{
	try {
		throw std::runtime_error("caught");
	} catch (const std::exception &e) {
		std::cout << e.what() << std::endl;
	}
}
END
echo 'int missing(); int main() { return missing(); }' >missing.cc
echo 'extern "C" int answer() { return 42; }' >lib.cc
cat >open.cc <<'END'
#include <dlfcn.h>
int main(int, char **argv)
{
	void *h = dlopen(argv[1], RTLD_NOW);
	auto f = h ? (int (*)())dlsym(h, "answer") : nullptr;
	return f ? f() : 1;
}
END
g++ -c throw.cc missing.cc open.cc
g++ -fPIC -c lib.cc
start_mount
add_linked throw g++ throw.o -o out
links_well throw
equal "$(run "$mnt/throw")" caught "the exception"
add_linked missing g++ missing.o -o out
expect_error 'Input/output error' cat "$mnt/missing"
has 'undefined symbol: missing\(\)' "$mnt/.linkfs/log/missing"
add_linked lib.so g++ -shared lib.o -o out
add_linked open g++ open.o -o out
status=0
run "$mnt/open" "$mnt/lib.so" || status=$?
equal "$status" 42 "what the library answered"
