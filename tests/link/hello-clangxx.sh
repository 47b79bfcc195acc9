#!/bin/sh
# clang++ with exceptions and iostreams.
# NEEDS: clangxx
. "$(dirname "$0")/lib.sh"

cat >a.cc <<'END'
#include <iostream>
#include <stdexcept>
int main()
{
	try { throw std::runtime_error("hello"); } catch (const std::exception &e) { std::cout << e.what() << "\n"; }
}
END
clang_cxx -O2 a.cc -o a
run_is hello ./a
check_elf a
