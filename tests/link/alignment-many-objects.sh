#!/bin/sh
# Sections of 150 objects with alignments that differ follow each other in command-line order, each at the next multiple of
# its own: no gap wider than that, none missing, whatever is placed apart and joined. So do FDEs of 300 functions in one
# section.
# NEEDS: cc python3
. "$(dirname "$0")/lib.sh"

i=0
objs=
while [ "$i" -lt 150 ]; do
	# Mostly low, with a strict one now and then.
	case $((i % 50)) in 31) p2=12 ;; 7 | 40) p2=8 ;; *) p2=$((i * 7 % 5)) ;; esac
	echo "	.section .data.s,\"aw\"
	.p2align $p2
	.globl s$i
s$i:	.fill $((i * 37 % 61 + 1)), 1, $((i % 250 + 1))
	.section .note.GNU-stack,\"\",@progbits" >s$i.s
	objs="$objs s$i.o"
	echo "$i $p2 $((i * 37 % 61 + 1))" >>plan
	i=$((i + 1))
done
cc -c s*.s
i=0
while [ "$i" -lt 300 ]; do
	echo "int f$i(void) { return $i % 256; }"
	i=$((i + 1))
done >many.c
echo 'int f299(void); int main(void) { return f299() - 43; }' >m.c
cc -O1 -fasynchronous-unwind-tables -fno-function-sections -c many.c m.c
# shellcheck disable=SC2086
cc m.o $objs many.o -o m
./m

while read -r n p2 sz; do
	echo "$n $p2 $sz 0x$(sym m "s$n")"
done <plan >placed
"$python3" - <<'END2' || fail "the sections are not where they belong"
end = None
for line in open('placed'):
    n, p2, sz, va = line.split()
    align, sz, va = 1 << int(p2), int(sz), int(va, 16)
    want = (end + align - 1) // align * align if end is not None else va
    if va != want or va % align:
        raise SystemExit('s%s is at %#x, not at %#x' % (n, va, want))
    end = va + sz
END2
readelf -wf m >f 2>err
hasnt . err
i=0
while [ "$i" -lt 300 ]; do
	has "FDE.*pc=$(sym m f$i)\.\." f
	i=$((i + 49))
done
[ "$peer" = mold ] || "$python3" "$lib_dir/elfcheck.py" m
check_elf m
