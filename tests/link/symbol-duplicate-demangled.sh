#!/bin/sh
# A duplicate C++ function is reported with its demangled name.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

echo 'namespace space { int twice(int) { return 1; } } int main() { return 0; }' >a.cc
echo 'namespace space { int twice(int) { return 2; } }' >b.cc
expect_error 'space::twice\(int\)' cxx a.cc b.cc -o m
