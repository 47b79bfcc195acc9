#!/bin/sh
# The file system below the cache is full: EIO and a line in the log for what finds no room, the linker process lives, what
# was made stays right; with room again the rest can be read. On tmpfs, and on ext4 where loop devices are permitted.
# NEEDS: root openssl
. "$(dirname "$0")/lib-big.sh"
use_fake
pattern 6000000 a
end_it() {
	timeout 20 "$linkfs" umount "$mnt" >/dev/null 2>&1
	umount "$T/cache" 2>/dev/null
}
at_exit=end_it

check_full() {
	start_mount cache_size=100M
	add x a
	pid=$(stat_of worker_pid)
	status=0
	run cat "$mnt/x" >got 2>err || status=$?
	[ $status != 0 ] || fail "$1: six megabytes found room in three"
	grep -q 'Input/output error' err || fail "$1: another error: $(cat err)"
	has 'no room for it: No space left' "$mnt/.linkfs/log/x"
	size=$(stat -c %s got)
	[ "$size" -gt 500000 ] || fail "$1: only $size bytes were read"
	cmp -n "$size" got a || fail "$1: wrong bytes"
	equal "$(stat_of worker_pid)" "$pid" "$1: the linker process"
	equal "$(stat_of worker_restarts)" 0 "$1: restarts"
	rm "$T/cache/filler"
	same_bytes "$mnt/x" a
	stop_mount
	umount "$T/cache"
}

mount -t tmpfs -o size=8m none "$T/cache" 2>/dev/null || skip "mounting is not permitted here"
head -c 5000000 /dev/zero >"$T/cache/filler"
check_full tmpfs
truncate -s 24M "$T/image"
if mkfs.ext4 -q -O ^has_journal "$T/image" 2>/dev/null && mount -o loop "$T/image" "$T/cache" 2>/dev/null; then
	free=$(df --output=avail -B1 "$T/cache" | tail -n 1)
	head -c $((free - 3000000)) /dev/zero >"$T/cache/filler"
	sync -f "$T/cache"
	check_full ext4
else
	echo "ext4 was not tried: no loop device, or no mkfs.ext4"
fi
