#!/bin/sh
# bindfs grants leases and does not honour them. An input there is copied at once, so its generation stays whole whatever
# happens below; where nobody can write through it, it is looked at around each fill: right bytes or an error, never others.
# NEEDS: bindfs openssl
. "$(dirname "$0")/lib.sh"
use_fake
mkdir below above frozen
pattern 900000 want
cp want below/a
cp want below/b
at_exit='umount -l above frozen'
run bindfs below above 2>err || skip "bindfs can't mount: $(cat err)"
run bindfs -r below frozen || fail "bindfs -r"
start_mount
add x above/a
exec 7<"$mnt/x"
run dd bs=4096 count=1 <&7 2>/dev/null | cmp -n 4096 - want || fail "the first page"
equal "$(stat_of leases)" 0 "leases"
equal "$(stat_of snapshots)" 1 "snapshots"
pattern 900000 other
tr '\000-\377' '\001-\377\000' <want >other
dd if=other of=below/a conv=notrunc bs=1M 2>/dev/null
same_bytes /dev/fd/7 want
kill -9 "$(stat_of worker_pid)"
run cmp - want <"$mnt/x" 2>/dev/null || : # whichever it is by now, it is whole
same_bytes /dev/fd/7 want
exec 7<&-

copied=$(stat_of snapshots) # x may have been linked again, and copied
add y frozen/b
exec 7<"$mnt/y"
run dd bs=4096 count=1 <&7 2>/dev/null | cmp -n 4096 - want || fail "the first page of y"
equal "$(stat_of snapshots)" "$copied" "snapshots of what nobody can write"
cat other >below/b
sleep 2.1 # bindfs lets the kernel remember attributes
status=0
run dd bs=4096 skip=200 count=1 <&7 >got 2>err || status=$?
[ "$status" != 0 ] || fail "bytes of a generation whose input changed"
[ ! -s got ] || fail "wrong bytes"
grep -q 'Input/output error' err || fail "another error: $(cat err)"
has 'frozen/b.*changed|Stale' "$mnt/.linkfs/log/y"
exec 7<&-
run cmp other "$mnt/y" || fail "the new generation"
stop_mount
