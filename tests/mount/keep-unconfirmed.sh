#!/bin/sh
# A linker process that does not take the copy in an input's place is replaced, and the writer goes on; also when the queue of
# signals is full and only SIGIO comes through.
# NEEDS: openssl prlimit
. "$(dirname "$0")/lib.sh"
use_fake
pattern 2000000 want
cp want a
start_mount
add x "--fake-hang-keep=$T/hung" a
exec 7<"$mnt/x"
run dd bs=4096 count=1 <&7 2>/dev/null | cmp -n 4096 - want || fail "the first page"
before=$(stat_of worker_restarts)
started=$(date +%s)
echo short >a
[ $(($(date +%s) - started)) -lt 10 ] || fail "the writer waited long"
[ -e "$T/hung" ] || fail "it did not hang"
same_bytes /dev/fd/7 want
[ "$(stat_of worker_restarts)" -gt "$before" ] || fail "the linker process is the same"
exec 7<&-
stop_mount
cp want a
start_mount
add y a
exec 7<"$mnt/y"
[ "$(stat_of leases)" -gt 0 ] || fail "there is no lease"
started=$(date +%s)
mount_pid=$(stat_of mount_pid)
limit=$(prlimit --pid "$mount_pid" --sigpending --noheadings --raw --output SOFT)
prlimit --pid "$mount_pid" --sigpending=0: || fail "prlimit"
echo short >a
prlimit --pid "$mount_pid" --sigpending="$limit:"
[ $(($(date +%s) - started)) -lt 10 ] || fail "the writer waited long, without real-time signals"
same_bytes /dev/fd/7 want
exec 7<&-
