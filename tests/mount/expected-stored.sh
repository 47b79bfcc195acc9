#!/bin/sh
# What a program's start read before an edit is in the kernel's cache when it starts after it: right bytes, and few requests
# for them. Who opens it meanwhile, or first of all otherwise, gets the same bytes.
# NEEDS: gcc linker
. "$(dirname "$0")/lib.sh"
. "$lib_dir/lib-start.sh"

start_code 600 'i % 2'
edit
start_mount
add_linked p gcc code.o edited.o -o p
run "$mnt/p" || fail "the program"
first=$(stat_of reads)
# Not each time: on a busy machine its time may be over before all is stored, and each ninth version is left to itself.
starts_warm() {
	edit
	before=$(stat_of reads) stored=$(stat_of stored_bytes)
	run "$mnt/p" || fail "the program after an edit"
	reads=$(($(stat_of reads) - before)) stored=$(($(stat_of stored_bytes) - stored))
	[ $((reads * 5)) -lt "$first" ] && [ "$stored" -gt $((600 * 4096 * 8 / 10)) ]
}
wait_until starts_warm || fail "$reads requests after an edit, $first at first, $stored bytes stored"
gcc -B"$LINKFS_BUILD/libexec/linkfs/" code.o edited.o -o plain
same_bytes "$mnt/p" plain

edit
pids=
for _ in 1 2 3 4; do
	run "$mnt/p" &
	pids="$pids $!"
	run cmp "$mnt/p" "$mnt/p" &
	pids="$pids $!"
done
for pid in $pids; do
	wait "$pid" || fail "one of several at once"
done
gcc -B"$LINKFS_BUILD/libexec/linkfs/" code.o edited.o -o plain
same_bytes "$mnt/p" plain

# Opened by somebody else first: nothing is stored, and it is read as ever.
edit
exec 3<"$mnt/p"
stored=$(stat_of stored_bytes)
run "$mnt/p" || fail "the program, while it is open"
equal "$(stat_of stored_bytes)" "$stored" "stored while somebody has it open"
exec 3<&-
