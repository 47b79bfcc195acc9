#!/bin/sh
# An input overwritten in place under an open generation: the writer waits for a copy, and every byte stays right, also when
# the linker process was replaced meanwhile.
# NEEDS: openssl
. "$(dirname "$0")/lib.sh"
use_fake
pattern 2000000 a
start_mount
for way in live replaced killed-after; do
	pattern 2000000 a
	cp a a.first
	add "x$way" a
	exec 7<"$mnt/x$way"
	run dd bs=4096 count=1 <&7 2>/dev/null | cmp -n 4096 - a.first || fail "the first page"
	[ "$(stat_of leases)" -gt 0 ] || fail "there is no lease"
	[ $way != replaced ] || kill -9 "$(stat_of worker_pid)"
	tr '\000-\377' '\001-\377\000' <a.first | run dd of=a conv=notrunc bs=1M 2>/dev/null || fail "the writer"
	[ $way != killed-after ] || kill -9 "$(stat_of worker_pid)"
	cmp -s a a.first && fail "nothing was written"
	same_bytes /dev/fd/7 a.first
	[ ! -s "$mnt/.linkfs/log/x$way" ] || { cat "$mnt/.linkfs/log/x$way" >&2; fail "$way: there is a log"; }
	run cmp a "$mnt/x$way" || fail "the new generation"
	exec 7<&-
done
[ "$(stat_of lease_breaks)" -ge 3 ] || fail "lease_breaks: $(stat_of lease_breaks)"
[ "$(stat_of snapshots)" -ge 3 ] || fail "snapshots: $(stat_of snapshots)"
# What nobody needs any more is let go, its copies too.
for way in live replaced killed-after; do
	run "$linkfs" rm "x$way"
done
echo 3 >/proc/sys/vm/drop_caches 2>/dev/null || skip "dropping caches needs root: the end was not looked at"
i=0
while [ "$(stat_of inputs)" != 0 ] && [ $i -lt 50 ]; do
	i=$((i + 1))
	echo 2 >/proc/sys/vm/drop_caches
	sleep 0.1
done
equal "$(stat_of inputs) $(stat_of leases) $(stat_of snapshot_bytes)" "0 0 0" "inputs, leases, snapshot_bytes at the end"
