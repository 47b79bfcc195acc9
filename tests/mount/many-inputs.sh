#!/bin/sh
# More inputs than fit one message: their descriptors arrive in order, for the link and for its replay.
. "$(dirname "$0")/lib.sh"
use_fake
mkdir in
i=0
while [ $i -lt 500 ]; do
	i=$((i + 1))
	printf 'input %04d: %s\n' "$i" "$(echo "$i" | cksum)" >"in/f$i"
	set -- "$@" "in/f$i"
done
cat "$@" >want
start_mount
add x "$@" in/f7
cat in/f7 >>want
equal "$(info_of x inputs)" 500 "distinct inputs"
equal "$(stat_of inputs)" 500 "inputs in custody"
exec 7<"$mnt/x"
rm -r in
kill -9 "$(stat_of worker_pid)"
run cmp - want <&7 || fail "the open file, replayed from deleted inputs"
exec 7<&-
