#!/bin/sh
# .eh_frame_hdr's table has one entry per FDE, sorted, each leading to its FDE; functions of three objects are found.
# NEEDS: cc python3
. "$(dirname "$0")/lib.sh"

for n in 1 2 3; do
	echo "int f$n(int x) { return x + $n; } int g$n(int x) { return f$n(x) * 2; }" >$n.c
done
echo 'int g1(int), g2(int), g3(int); int main(void) { return g1(1) + g2(1) + g3(1); }' >m.c
cc -O0 -ffunction-sections 1.c 2.c 3.c m.c -o m
exits_with 18 ./m
[ "$peer" = mold ] || "$python3" "$lib_dir/elfcheck.py" m
readelf -wf m >f 2>err
hasnt . err
for s in f1 g1 f2 g2 f3 g3 main; do
	has "FDE.*pc=$(sym m $s)\.\." f
done
check_elf m
