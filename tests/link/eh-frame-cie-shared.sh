#!/bin/sh
# Equal CIEs of several objects are stored once, those with another personality apart.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

for n in 1 2 3; do
	echo "struct s$n { ~s$n(); }; void g$n(); int f$n(int x) { s$n s; g$n(); return x; }" >$n.cc
	echo "struct s$n { ~s$n(); }; s$n::~s$n() {} void g$n() {}" >d$n.cc
done
echo 'int f1(int), f2(int), f3(int); int main() { return f1(0) + f2(0) + f3(0); }' >m.cc
cxx -O1 1.cc 2.cc 3.cc d1.cc d2.cc d3.cc m.cc -o m
./m
readelf -wf m >f
[ "$(grep -c ' CIE' f)" -le 5 ] || fail "$(grep -c ' CIE' f) CIEs"
has 'Augmentation: +"zPLR"' f
check_elf m
