#!/bin/sh
# A linker process that overwrites the memory it shares with the mount process is replaced; readers notice nothing.
# NEEDS: openssl
. "$(dirname "$0")/lib.sh"
use_fake
pattern 3000001 a
start_mount
mount_pid=$(stat_of mount_pid)
restarts=0
for byte in 255 256 1; do
	restarts=$((restarts + 1))
	add "x$byte" --fake-mad="$byte,$T/mad$byte" a
	same_bytes "$mnt/x$byte" a
	[ -e "$T/mad$byte" ] || fail "it did not go mad"
	equal "$(stat_of worker_restarts)" "$restarts" "linker processes replaced after $byte"
done
equal "$(stat_of mount_pid)" "$mount_pid" "the mount process"
