#!/bin/sh
# A mount that is ended by force while inputs are looked at, and more looks are due, ends in order: those who wait are
# told, and nothing is touched that is gone (the allocator overwrites it). What holds the first look up is a second
# linkfs, stopped for a while.
. "$(dirname "$0")/lib.sh"
use_fake
. "$lib_dir/lib-far.sh"

GLIBC_TUNABLES=glibc.malloc.tcache_count=0:glibc.malloc.perturb=165 \
	"$linkfs" mount -f -o "cache_dir=$T/cache/linkfs,settle=never,watches=0,fill_timeout=100s" "$mnt" 2>said &
mount=$!
is_there() {
	[ -e "$mnt/.linkfs/stats" ]
}
wait_until is_there || { cat said >&2; fail "can't mount"; }
add first "$far/lib"
add second r
equal "$(cat "$mnt/first" "$mnt/second")" readyready "before"

is_gone() {
	! mounts | grep -qx "$mnt"
}
is_stopped() {
	grep -q '^State:.T' "/proc/$server/status"
}
kill -STOP "$server"
wait_until is_stopped || fail "the far mount was not stopped"
cat "$mnt/first" >/dev/null 2>&1 &
first=$!
sleep 0.2 # one after the other, and the looks have begun
cat "$mnt/second" >/dev/null 2>&1 &
second=$!
sleep 0.1
kill $mount
wait_until is_gone || fail "still mounted"
kill $mount 2>/dev/null || : # it may have ended: the first look was over before
sleep 0.3
kill -CONT "$server"
wait $first || :
wait $second || :
status=0
wait $mount || status=$?
equal $status 0 "what the mount process returned ($(cat said))"
