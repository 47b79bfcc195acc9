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
equal "$status" 1 "the exit status"
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
cp /bin/sleep s
add s s
"$mnt/s" 20 &
user=$!
wait_until grep -qs "$mnt/s" "/proc/$user/maps" || fail "s does not run"
expect_error "process $user .* runs a program from it" "$linkfs" umount "$mnt"
library=$(ldd /bin/ls | awk '/libselinux|libpcre|libcap|libacl/ { print $3; exit }')
if [ -n "$library" ]; then
	cp "$library" l
	add l l
	LD_PRELOAD=$mnt/l sleep 20 7<&- &
	mapper=$!
	wait_until grep -qs "$mnt/l" "/proc/$mapper/maps" || fail "l is not mapped"
	expect_error "process $mapper .* has a file mapped" "$linkfs" umount "$mnt"
	kill "$mapper"
fi
[ "$(stat_of links)" -ge 2 ] || fail "it does not work any more"
run "$linkfs" umount --lazy "$mnt"
[ -z "$(mounts)" ] || fail "still mounted"
run cmp - a <&7 || fail "the file held open"
exec 7<&-
run cmp "/proc/$user/exe" s || fail "the program running"
grep -qs '^State:.[^ZX]' "/proc/$pid/status" || fail "the mount process left its last user alone"
kill "$user"
wait "$user" 2>/dev/null || :
i=0
while grep -qs '^State:.[^ZX]' "/proc/$pid/status" && [ $i -lt 100 ]; do
	i=$((i + 1))
	sleep 0.1
done
[ $i -lt 100 ] || fail "the mount process has not ended"
