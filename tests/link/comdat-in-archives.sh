#!/bin/sh
# Groups are deduplicated across objects and archive members, whichever come first.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

cat >inl.h <<'END'
inline int *where() { static int here; return &here; }
END
echo '#include "inl.h"
int *a() { return where(); }' >a.cc
echo '#include "inl.h"
int *b() { return where(); }' >b.cc
echo '#include "inl.h"
int *a(), *b(); int main() { return a() == b() && b() == where() ? 0 : 1; }' >m.cc
cxx -O0 -c a.cc b.cc m.cc
ar rc liba.a a.o
ar rc libb.a b.o
cxx libb.a m.o liba.a libb.a -o m
./m
equal "$(symlines m _Z5wherev | wc -l)" 1 "copies of where"
check_elf m
