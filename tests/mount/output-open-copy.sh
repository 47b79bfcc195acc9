#!/bin/sh
# Who has an output open that was touched keeps it loaded, and from being collected, like any other.
# NEEDS: linker gcc
. "$(dirname "$0")/lib-output.sh"

big_object one one
link_file one.o -o want
start_mount settle=never
link one.o -o prog
old=$(readlink prog)
touch prog
exec 5<"$old"
link one.o -o prog # another output
is_stale() {
	run "$linkfs" gc >/dev/null
	[ "$(stat_of outputs)" -le 2 ]
}
await is_stale
sleep 1.5 # a look at what nobody needs
replays=$(stat_of replays)
[ -e "$old" ] || fail "it was collected"
run cmp - want <&5 || fail "it has other bytes"
equal "$(stat_of replays)" "$replays" "the linker process had forgotten what was open"
exec 5<&-
