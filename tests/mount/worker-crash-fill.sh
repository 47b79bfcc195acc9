#!/bin/sh
# A range that crashes the linker process twice is EIO and a line in the log; the other bytes can be read.
. "$(dirname "$0")/lib.sh"
use_fake
start_mount
head -c 1000000 /dev/zero >a
add x --fake-crash-fill=500000 a
expect_error 'Input/output error' cat "$mnt/x"
has 'died twice while making these bytes' "$mnt/.linkfs/log/x"
run dd if="$mnt/x" of=/dev/null bs=4096 count=8 2>/dev/null || fail "the first bytes"
run dd if="$mnt/x" of=/dev/null bs=4096 skip=200 count=8 2>/dev/null || fail "the last bytes"
