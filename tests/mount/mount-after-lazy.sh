#!/bin/sh
# A mount begun where one was detached with --lazy keeps its own socket when the older one ends.
. "$(dirname "$0")/lib.sh"
use_fake
pattern 100000 a
start_mount
add x a
pid=$(stat_of mount_pid)
exec 7<"$mnt/x"
run "$linkfs" umount --lazy "$mnt"
start_mount 7<&-
[ "$(stat_of mount_pid)" != "$pid" ] || fail "it is the same process"
run cmp - a <&7 || fail "the file held open"
exec 7<&-
is_ended() { ! grep -qs '^State:.[^ZX]' "/proc/$pid/status"; }
wait_until is_ended || fail "the older mount process has not ended"
[ -S "$(readlink -f "$mnt/.linkfs/socket")" ] || fail "the older mount took the socket of the newer with it"
run cmp "$mnt/x" a
stop_mount
