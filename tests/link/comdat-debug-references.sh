#!/bin/sh
# Debug sections that refer to the dropped copy of a group are linked with tombstones, without an error; gdb's view of
# the kept copy is right.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"

for n in a b; do
	cat >$n.cc <<END
inline int common_inline(int x)
{
	return x * 2;
}
int use_$n(int x) { return common_inline(x); }
END
done
echo 'int use_a(int), use_b(int); int main() { return use_a(1) + use_b(2); }' >m.cc
cxx -g -O0 -c a.cc b.cc m.cc
cxx a.o b.o m.o -o m >out 2>&1
hasnt . out
exits_with 6 ./m
addr2line -e m "0x$(sym m _Z13common_inlinei)" >line
has 'a\.cc:2' line
readelf --debug-dump=info,decodedline,aranges,Ranges,str m >dump 2>err
hasnt . err
