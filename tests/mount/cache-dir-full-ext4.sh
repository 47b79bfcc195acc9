#!/bin/sh
# A loop-mounted ext4 of 5 MiB as cache_dir, as cache-dir-full-tmpfs.sh: there blocks are promised at the write and laid out later.
# NEEDS: root openssl mkfs.ext4
. "$(dirname "$0")/lib-full.sh"
pattern 1500000 a
truncate -s 5M "$T/image"
mkfs.ext4 -q -O ^has_journal "$T/image" 2>err || fail "mkfs.ext4: $(cat err)"
mount -o loop "$T/image" "$T/small" 2>/dev/null || skip "loop devices can't be mounted here"
mount_small
add x a
free=$(df --output=avail -B1 "$T/small" | tail -n 1)
[ "$free" -gt 3500000 ] || fail "ext4 leaves $free of 5 MiB"
head -c $((free - 600000)) /dev/zero >"$T/small/filler"
sync -f "$T/small"
make_room() {
	rm "$T/small/filler" && sync -f "$T/small"
}
full_then_room make_room
stop_mount
pattern 12000000 b
mount_small cache_size=1M
add y b
same_bytes "$mnt/y" b
[ "$(stat_of evictions)" -gt 0 ] || fail "nothing was given back"
