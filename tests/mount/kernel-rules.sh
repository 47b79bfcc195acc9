#!/bin/sh
# What the mount asks of the kernel, and promises it: no read waits for others' reads, bytes once read are not asked for
# again, names that were not there appear at once, numbers of nodes are never used again, files have blocks.
# NEEDS: openssl
. "$(dirname "$0")/lib.sh"
use_fake
pattern 1000000 a
printf small >s
start_mount settle=never
awk -v m="$mnt" '$5 == m' /proc/self/mountinfo | grep -q nosuid || fail "not nosuid: DESIGN says that file capabilities do nothing"

# Bytes in the page cache stay there over close and open.
add y a
cmp "$mnt/y" a || fail "y"
reads=$(stat_of reads)
cmp "$mnt/y" a || fail "y, the second time"
equal "$(stat_of reads)" "$reads" "reads of what the kernel has"

[ ! -e "$mnt/late" ] || fail "late is there"
add late s
equal "$(cat "$mnt/late")" small "a name that was not there a moment ago"
before=$(stat -c %i "$mnt/late")
run "$linkfs" rm late
[ ! -e "$mnt/late" ] || fail "late is still there"
add late s
[ "$(stat -c %i "$mnt/late")" != "$before" ] || fail "another file has the number of the first"
add sparse --fake-size=100000000 s
[ "$(stat -c %b "$mnt/sparse")" -ge 8 ] || fail "st_blocks: tar -S takes it for a hole"

# Many reads of one file that are not answered, more than the kernel lets be in the background by default: no other
# file's reads wait for them. (All of y is made; the kernel is told to forget it.)
add x --fake-slow-fill=2000 --fake-size=50000000 s
dd if="$mnt/y" iflag=nocache count=0 2>/dev/null
for i in $(seq 60); do
	dd if="$mnt/x" of=/dev/null bs=4096 count=1 skip=$((i * 100)) 2>/dev/null &
	pids="${pids:-} $!"
done
waits() {
	[ "$(cat /sys/fs/fuse/connections/"$(stat -c %d "$mnt")"/waiting)" -ge 30 ]
}
stat "$mnt/x" >/dev/null
if [ -e "/sys/fs/fuse/connections/$(stat -c %d "$mnt")/waiting" ]; then
	wait_until waits || fail "no reads wait: this tests nothing"
else
	sleep 1
fi
reads=$(stat_of reads)
within 5000 cmp "$mnt/y" a
[ "$(stat_of reads)" -gt "$reads" ] || fail "y was not read again: this tests nothing"
within 5000 stat "$mnt/y"
# shellcheck disable=SC2086 # a list
kill -9 $pids 2>/dev/null || :
# shellcheck disable=SC2086 # a list
wait $pids 2>/dev/null || :
