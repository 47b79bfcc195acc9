#!/bin/sh
# A failed link can be listed and looked at, opens as EIO, and its log says why; it heals when its inputs do.
. "$(dirname "$0")/lib.sh"
use_fake
start_mount
add x missing.o -L"$PWD/lib" -lgone
ls -l "$mnt" >/dev/null || fail "can't be listed"
expect_error 'Input/output error' cat "$mnt/x"
expect_error 'Input/output error' cat "$mnt/.linkfs/map/x"
has 'missing.o: cannot open: No such file' "$mnt/.linkfs/log/x"
has 'cannot find -lgone' "$mnt/.linkfs/log/x"
equal "$(info_of x state)" failed "state"
printf 'now ' >missing.o
mkdir lib
expect_error 'Input/output error' cat "$mnt/x"
printf 'there' >lib/libgone.a
equal "$(cat "$mnt/x")" "now there" "after its inputs came"
equal "$(cat "$mnt/.linkfs/log/x")" "" "the log is empty again"
equal "$(info_of x state)" ok "state"
