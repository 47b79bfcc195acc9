#!/bin/sh
# SIGTERM to the mount process is a lazy umount.
. "$(dirname "$0")/lib.sh"
use_fake
printf hello >a
start_mount
add x a
exec 7<"$mnt/x"
pid=$(stat_of mount_pid)
kill "$pid"
i=0
while [ -n "$(mounts)" ] && [ $i -lt 100 ]; do
	i=$((i + 1))
	sleep 0.1
done
[ -z "$(mounts)" ] || fail "still mounted"
equal "$(cat <&7)" hello "the file held open"
exec 7<&-
i=0
while grep -qs '^State:.[^ZX]' "/proc/$pid/status" && [ $i -lt 100 ]; do
	i=$((i + 1))
	sleep 0.1
done
[ $i -lt 100 ] || fail "the mount process has not ended"
