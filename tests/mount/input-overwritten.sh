#!/bin/sh
# An input overwritten in place under an open generation: what was made stays right, the rest is EIO and a line in the log,
# never other bytes; also when the linker process was replaced meanwhile.
# NEEDS: openssl
. "$(dirname "$0")/lib.sh"
use_fake
pattern 2000000 a
start_mount
for way in live replaced; do
	pattern 2000000 a
	cp a a.first
	add "x$way" a
	exec 7<"$mnt/x$way"
	run dd bs=4096 count=1 <&7 2>/dev/null | cmp -n 4096 - a.first || fail "the first page"
	tr '\000-\377' '\001-\377\000' <a.first | dd of=a conv=notrunc bs=1M 2>/dev/null
	[ $way = live ] || kill -9 "$(stat_of worker_pid)"
	status=0
	run dd bs=4096 skip=400 count=1 <&7 >got 2>err || status=$?
	[ "$status" != 0 ] || fail "bytes of a generation whose input changed"
	[ ! -s got ] || fail "wrong bytes"
	grep -q 'Input/output error' err || fail "another error: $(cat err)"
	has 'Stale file handle|changed' "$mnt/.linkfs/log/x$way"
	exec 7<&-
	run cmp a "$mnt/x$way" || fail "the new generation"
done
