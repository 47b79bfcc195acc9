#!/bin/sh
# A range that can't be made is EIO and a line in the log, not zeros; the error stays in its chunk.
. "$(dirname "$0")/lib.sh"
use_fake
start_mount
head -c 1000000 /dev/urandom >a
add x --fake-bad=200000 a
expect_error 'Input/output error' cat "$mnt/x"
has "byte 0x30d40 can't be made" "$mnt/.linkfs/log/x"
run dd if="$mnt/x" bs=65536 count=3 2>/dev/null | cmp -n 196608 - a || fail "the bytes before"
run dd if="$mnt/x" bs=65536 skip=4 2>/dev/null | cmp - a 0 262144 || fail "the bytes behind"
[ "$(stat_of fill_errors)" -gt 0 ] || fail "it was not counted"
