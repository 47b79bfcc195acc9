#!/bin/sh
# The linker process is killed while it makes what a program's start will read: the program starts all the same, with the
# right bytes, and later starts are made ahead again.
# NEEDS: gcc linker
. "$(dirname "$0")/lib.sh"
. "$lib_dir/lib-start.sh"

start_code 600 'i % 2'
turn=0
edit() {
	turn=$((turn + 1))
	echo "int answer[20] = {$turn};" >edited.c && gcc -c edited.c -o new.o && mv new.o edited.o
}
edit
start_mount
add_linked p gcc code.o edited.o -o p
run "$mnt/p" || fail "the program"
(
	while [ ! -e over ]; do
		kill -9 "$(stat_of worker_pid)" 2>/dev/null || :
		sleep 0.05
	done
) &
killer=$!
for _ in 1 2 3 4 5 6; do
	edit
	run "$mnt/p" || fail "the program, after edit $turn"
done
: >over
wait "$killer" || :
[ "$(stat_of worker_restarts)" -gt 2 ] || fail "the linker process was not killed: $(stat_of worker_restarts)"
gcc -B"$LINKFS_BUILD/libexec/linkfs/" code.o edited.o -o plain
same_bytes "$mnt/p" plain
starts_warm() {
	edit
	stored=$(stat_of stored_bytes)
	run "$mnt/p" || fail "the program, after edit $turn"
	[ $(($(stat_of stored_bytes) - stored)) -gt $((600 * 4096 / 10)) ]
}
wait_until starts_warm || fail "nothing is stored any more"
gcc -B"$LINKFS_BUILD/libexec/linkfs/" code.o edited.o -o plain
same_bytes "$mnt/p" plain
