#!/bin/sh
# FDEs of functions that are not in the output (garbage-collected, or of a group's dropped copy) are not either.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

cat >inl.h <<'END'
inline int twice(int x) { return x * 2; }
END
for n in 1 2; do
	echo "#include \"inl.h\"
int unused$n(int x) { return twice(x) + 1; } int f$n(int x) { return twice(x); }" >$n.cc
done
echo 'int f1(int), f2(int); int main() { return f1(1) + f2(1); }' >m.cc
cxx -O0 -ffunction-sections 1.cc 2.cc m.cc -Wl,--gc-sections -nostartfiles -Wl,-e,main -o m
readelf -wf m >f
equal "$(grep -c ' FDE ' f)" 4 "FDEs for main, f1, f2, twice"
check_elf m
