#!/bin/sh
# -f serves in the foreground, says what goes wrong on standard error, and exits 0 after umount.
. "$(dirname "$0")/lib.sh"
use_fake
"$linkfs" mount -f -o "cache_dir=$T/cache/linkfs" "$mnt" 2>said &
pid=$!
i=0
while [ ! -e "$mnt/.linkfs" ] && [ $i -lt 100 ]; do
	i=$((i + 1))
	sleep 0.1
done
add x missing
expect_error 'Input/output error' cat "$mnt/x"
stop_mount
wait "$pid" || fail "exit status $?"
grep -q 'missing: cannot open' said || fail "nothing said: $(cat said)"
