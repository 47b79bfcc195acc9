#!/bin/sh
# A tmpfs of 1 MiB as cache_dir: what finds no room is EIO with a line in the log that says what to do; the mount and the linker
# process live; with more room the same read works. With the smallest cache_size there is room for everything.
# NEEDS: root openssl
. "$(dirname "$0")/lib-full.sh"
pattern 3000000 a
mount -t tmpfs -o size=1m none "$T/small" 2>/dev/null || skip "mounting is not permitted here"
mount_small
add x a
full_then_room mount -o remount,size=20m "$T/small"
stop_mount
mount -o remount,size=2m "$T/small"
mount_small cache_size=1M
same_bytes "$mnt/x" a
[ "$(stat_of evictions)" -gt 0 ] || fail "nothing was given back"
