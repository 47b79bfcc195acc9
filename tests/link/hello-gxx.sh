#!/bin/sh
# A C++ program with iostreams, linked by g++.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

cat >a.cc <<'END'
#include <iostream>
#include <string>
struct greeter { std::string s{"hello"}; ~greeter() { std::cout << s << " bye\n"; } } g;
int main() { std::cout << g.s << " c++" << std::endl; }
END
cxx -O2 a.cc -o a
run_is "hello c++
hello bye" ./a
check_elf a
