#!/bin/sh
# An undefined C++ function is reported with its demangled name; --no-demangle leaves it.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

echo '#include <string>
namespace space { int missing(const std::string &, int); }
int main() { return space::missing("", 1); }' >a.cc
cxx -c a.cc
expect_error 'space::missing\(' cxx a.o -o a
expect_error '_ZN5space7missing' cxx a.o -Wl,--no-demangle -o a
