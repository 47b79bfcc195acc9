#!/bin/sh
# Of an inline function defined by several objects one copy is linked, and all see the same address.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

for n in a b c; do
	cat >$n.cc <<END
template <int N> struct shared { static int counter; static int *address() { return &counter; } };
template <int N> int shared<N>::counter = N;
int *from_$n() { return shared<7>::address(); }
END
done
cat >m.cc <<'END'
int *from_a(), *from_b(), *from_c();
int main() { return from_a() == from_b() && from_b() == from_c() ? *from_a() : 99; }
END
cxx -O0 a.cc b.cc c.cc m.cc -o m
exits_with 7 ./m
equal "$(symlines m _ZN6sharedILi7EE7addressEv | wc -l)" 1 "copies in .symtab"
equal "$(readelf -SW m | grep -c ' GROUP ' || :)" 0 "group sections in the output"
check_elf m
