#!/bin/sh
# No room for a copy of an input that is about to change: the writer is not held up, the generation is lost with a line in the
# log, never wrong, and the link is made again.
# NEEDS: root openssl
. "$(dirname "$0")/lib.sh"
use_fake
mkdir "$T/small"
mount -t tmpfs -o size=1M none "$T/small" 2>/dev/null || skip "mounting tmpfs is not permitted here"
at_exit="umount -l $T/small"
pattern 70000000 a
cp a a.first
mkdir -p "$T/small/c"
run "$linkfs" mount -o "cache_dir=$T/small/c" "$mnt" || fail "can't mount"
add x a
exec 7<"$mnt/x"
run dd bs=4096 count=1 <&7 2>/dev/null | cmp -n 4096 - a.first || fail "the first page"
echo new >a
status=0
run dd bs=4096 skip=400 count=1 <&7 >got 2>err || status=$?
[ "$status" != 0 ] && [ ! -s got ] || fail "bytes that can't be made"
grep -q 'Input/output error' err || fail "another error: $(cat err)"
has 'no room for a copy' "$mnt/.linkfs/log/x"
exec 7<&-
run cmp a "$mnt/x" || fail "the new generation"
stop_mount
