#!/bin/sh
# Without a name the mount is the default one, made when missing, and every command finds it.
. "$(dirname "$0")/lib.sh"
use_fake
unset LINKFS_MOUNT
printf hello >a
run "$linkfs" mount
mnt=$XDG_CACHE_HOME/linkfs/mnt
add x a
equal "$(cat "$mnt/x")" hello "the link"
run "$linkfs" status | grep -q "^mountpoint: $mnt$" || fail "status"
run "$linkfs" status --mount="$mnt" | grep -q '^x  *ok  *live ' || fail "status --mount"
run "$linkfs" umount
