#!/bin/sh
# An output that can't be made again after a restart only now, for want of descriptors, is absent now, and comes back: nothing
# of what was kept of it is given up. Its time, which is one before 1970, is what it was, too.
# NEEDS: linker gcc prlimit
. "$(dirname "$0")/lib-output.sh"

is_safe() {
	[ "$(info_of "$PWD/prog" restart_safe)" = yes ]
}

comes_back() {
	run cat prog >now 2>/dev/null
}

big_object prog word
start_mount settle=never
link prog.o -o prog
touch -d '1960-01-01 00:00:00.25 UTC' prog
await is_safe
cp prog want
stat -L -c %y prog >before
run "$linkfs" umount --no-settle "$mnt"

start_mount settle=never
mount_pid=$(stat_of mount_pid)
limit=$(prlimit --pid "$mount_pid" --nofile --noheadings --raw --output SOFT)
prlimit --pid "$mount_pid" --nofile=3: || fail "prlimit"
expect_error "No such file" cat prog
prlimit --pid "$mount_pid" --nofile="$limit:"
has "restart of the mount yet: what was kept of it: Too many open files" "$mnt/.linkfs/log$PWD/prog"
await comes_back
cmp now want || fail "it is another one"
equal "$(stat -L -c %y prog)" "$(cat before)" "its time"
