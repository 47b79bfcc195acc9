#!/bin/sh
# stdout, stderr and C++'s std::cout are copied into a position-dependent program and work there.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

cat >m.cc <<'END'
#include <cstdio>
#include <iostream>
#include <typeinfo>
int main() { fputs("one\n", stdout); fflush(stdout); std::cout << "two" << typeid(int).name() << std::endl; }
END
cxx -fno-pie -no-pie m.cc -o m
run_is "one
twoi" ./m
check_elf m
