#!/bin/sh
# An object overwritten in place, cut short or appended to under an open program: right bytes to the last.
# NEEDS: gcc linker
. "$(dirname "$0")/lib.sh"
cat >main.c <<'END_C'
volatile char big[3 << 20] = {VALUE, 2, 3};
int main(void) { return big[0]; }
END_C
gcc -DVALUE=1 -c main.c -o one.o
gcc -DVALUE=2 -c main.c -o two.o
start_mount
for way in overwritten truncated appended; do
	cp one.o main.o
	gcc -B"$LINKFS_BUILD/libexec/linkfs" main.o -o file || fail "file mode"
	add_linked "$way" gcc main.o -o file
	links_well "$way"
	exec 7<"$mnt/$way"
	run dd bs=4096 count=1 <&7 2>/dev/null | cmp -n 4096 - file || fail "the first page"
	case $way in
	overwritten) run dd if=two.o of=main.o conv=notrunc 2>/dev/null ;;
	truncated) : >main.o ;;
	appended) echo more >>main.o ;;
	esac
	same_bytes /dev/fd/7 file
	[ ! -s "$mnt/.linkfs/log/$way" ] || { cat "$mnt/.linkfs/log/$way" >&2; fail "$way: there is a log"; }
	exec 7<&-
done
cat two.o >main.o
status=0
run "$mnt/overwritten" || status=$?
equal "$status" 2 "the new program"
