#!/bin/sh
# A link that crashes the linker process is tried once more; twice, and it is failed with a message. Others go on.
. "$(dirname "$0")/lib.sh"
use_fake
start_mount
printf hello >a
add once --fake-crash-once="$PWD/crashed" a
equal "$(cat "$mnt/once")" hello "a link that crashed once"
[ -e crashed ] || fail "it did not crash"
add twice --fake-crash-link a
expect_error 'Input/output error' cat "$mnt/twice"
has 'died twice' "$mnt/.linkfs/log/twice"
equal "$(info_of twice state)" failed "state"
equal "$(cat "$mnt/once")" hello "the other link, afterwards"
