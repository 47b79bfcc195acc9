#!/bin/sh
# After the mount process was killed, mounting again clears the dead mount away, and the links are back.
. "$(dirname "$0")/lib.sh"
use_fake
printf hello >a
start_mount
add x a
equal "$(cat "$mnt/x")" hello "before"
worker=$(stat_of worker_pid)
kill -9 "$(stat_of mount_pid)"
i=0
while ls "$mnt" >/dev/null 2>&1 && [ $i -lt 50 ]; do
	i=$((i + 1))
	sleep 0.1
done
expect_error 'Transport endpoint is not connected|no linkfs' "$linkfs" status
grep -qs '^State:.[^ZX]' "/proc/$worker/status" && fail "the linker process outlived the mount process"
start_mount
equal "$(cat "$mnt/x")" hello "after"
equal "$(mounts | wc -l)" 1 "mounts on top of each other"
kill -9 "$(stat_of mount_pid)"
sleep 0.3
run "$linkfs" umount "$mnt" || fail "umount of a dead mount"
[ -z "$(mounts)" ] || fail "still mounted"
