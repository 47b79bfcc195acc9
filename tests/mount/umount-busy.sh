#!/bin/sh
# umount while a file is open names who has it and fails; --lazy detaches, and serves to the last user.
# NEEDS: openssl
. "$(dirname "$0")/lib.sh"
use_fake
pattern 3000000 a
start_mount
add x a
pid=$(stat_of mount_pid)
exec 7<"$mnt/x"
expect_error "process $$ .* has a file open" "$linkfs" umount "$mnt"
has 'say --lazy' "$T/err"
(
	cd "$mnt" || exit 1
	exec sleep 20
) &
user=$!
sleep 0.2
expect_error "process $user .* is in its directory" "$linkfs" umount "$mnt"
kill "$user"
wait "$user" 2>/dev/null || :
equal "$(stat_of links)" 1 "it still works"
run "$linkfs" umount --lazy "$mnt"
[ -z "$(mounts)" ] || fail "still mounted"
run cmp - a <&7 || fail "the file held open"
exec 7<&-
i=0
while grep -qs '^State:.[^ZX]' "/proc/$pid/status" && [ $i -lt 100 ]; do
	i=$((i + 1))
	sleep 0.1
done
[ $i -lt 100 ] || fail "the mount process has not ended"
