#!/bin/sh
# The linker process is killed while it makes what a program's start will read: the program starts all the same, with the
# right bytes, and later starts are made ahead again.
# NEEDS: gcc linker
. "$(dirname "$0")/lib.sh"
. "$lib_dir/lib-start.sh"

start_code 600 'i % 2'
edit
start_mount
add_linked p gcc code.o edited.o -o p
run "$mnt/p" || fail "the program"
is_up() {
	worker=$(stat_of worker_pid)
	[ "$worker" -gt 0 ]
}
for delay in 0 0.01 0.02 0.05 0.1 0.2 0.4; do
	edit
	wait_until is_up || fail "there is no linker process"
	run "$mnt/p" &
	start=$!
	sleep $delay
	kill -9 "$worker"
	wait $start || fail "the program, after edit $turn"
done
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
