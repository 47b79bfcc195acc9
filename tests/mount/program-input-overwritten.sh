#!/bin/sh
# An object overwritten in place, or cut short, under an open program: right bytes or EIO and a line in the log, never others.
# NEEDS: gcc linker
. "$(dirname "$0")/lib.sh"
cat >main.c <<'END'
volatile char big[3 << 20] = {VALUE, 2, 3};
int main(void) { return big[0]; }
END
gcc -DVALUE=1 -c main.c -o one.o
gcc -DVALUE=2 -c main.c -o two.o
start_mount
for way in overwritten truncated; do
	cp one.o main.o
	gcc -B"$LINKFS_BUILD/libexec/linkfs" main.o -o file || fail "file mode"
	add_linked "$way" gcc main.o -o file
	links_well "$way"
	exec 7<"$mnt/$way"
	run dd bs=4096 count=1 <&7 2>/dev/null | cmp -n 4096 - file || fail "the first page"
	if [ $way = overwritten ]; then
		cat two.o >main.o
	else
		: >main.o
	fi
	status=0
	run dd bs=4096 skip=500 count=1 <&7 >got 2>err || status=$?
	[ "$status" != 0 ] || fail "$way: bytes of a generation whose input changed"
	[ ! -s got ] || fail "$way: wrong bytes"
	grep -q 'Input/output error' err || fail "$way: another error: $(cat err)"
	has 'main.o|changed|Stale' "$mnt/.linkfs/log/$way"
	exec 7<&-
done
cat two.o >main.o
status=0
run "$mnt/overwritten" || status=$?
equal "$status" 2 "the new program"
