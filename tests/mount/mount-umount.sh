#!/bin/sh
# A mount comes up, shows its control folder to its owner alone, refuses a second one in its place, and goes with its process.
. "$(dirname "$0")/lib.sh"
use_fake
start_mount
equal "$(stat -c %a "$mnt")" 755 "mode of the mount point"
equal "$(stat -c %a "$mnt/.linkfs")" 700 "mode of .linkfs"
equal "$(ls "$mnt/.linkfs" | tr '\n' ' ')" "info links log map outputs socket stats " "what is in .linkfs"
expect_error 'is mounted here already' "$linkfs" mount "$mnt"
pid=$(stat_of mount_pid)
worker=$(stat_of worker_pid)
kill -0 "$pid" || fail "no mount process"
kill -0 "$worker" || fail "no linker process"
stop_mount
[ -z "$(mounts)" ] || fail "still mounted"
for p in "$pid" "$worker"; do
	grep -qs '^State:.[^ZX]' "/proc/$p/status" && fail "process $p has not ended"
done
expect_error 'nothing is mounted here' "$linkfs" umount "$mnt"
expect_error 'no linkfs is mounted here' "$linkfs" status
