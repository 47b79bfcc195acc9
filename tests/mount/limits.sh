#!/bin/sh
# With few descriptors, little address space, or no room for signals, what does not fit fails with a message, and the mount goes on.
# NEEDS: openssl prlimit
. "$(dirname "$0")/lib.sh"
use_fake
printf ready >r
mkdir in
i=0
while [ $i -lt 300 ]; do
	i=$((i + 1))
	echo "$i" >"in/f$i"
	set -- "$@" "in/f$i"
done

# start_limited ULIMIT-OPTION NUMBER
start_limited() {
	# shellcheck disable=SC3045 # every sh that matters has them
	(ulimit "$1" "$2" && start_mount settle=never)
	add ready r
	equal "$(run cat "$mnt/ready")" ready "a link that fits"
}

start_with() {
	run "$@" "$linkfs" mount -o "cache_dir=$T/cache/linkfs,settle=never" "$mnt" || fail "can't mount"
	add ready r
}

# lives: after what did not fit. What was removed is given back when the kernel has forgotten it, a little later.
new_link() {
	add new n
	[ "$(run cat "$mnt/new" 2>/dev/null)" = new ]
}
lives() {
	printf new >n
	wait_until new_link || fail "a new link: $(cat "$mnt/.linkfs/log/new")"
	equal "$(run cat "$mnt/ready")" ready "the old link"
	run "$linkfs" status >/dev/null || fail "status"
	run "$linkfs" rm new
}

# More inputs in one link than descriptors: in the linker process, and in the mount process.
start_limited -n 100
add many "$@"
run cat "$mnt/many" >/dev/null 2>&1 && fail "300 inputs with 100 descriptors"
has 'Too many open files' "$mnt/.linkfs/log/many"
lives
equal "$(stat_of worker_restarts)" 0 "it died of it"
stop_mount

# More inputs in many links than descriptors.
start_limited -n 100
failed=0
for i in $(seq 60); do
	add "f$i" "in/f$i" "in/f$((i + 60))" "in/f$((i + 120))"
	run cat "$mnt/f$i" >got 2>/dev/null || { failed=$((failed + 1)) && continue; }
	cat "in/f$i" "in/f$((i + 60))" "in/f$((i + 120))" >want
	cmp got want || fail "f$i"
done
[ "$failed" -gt 0 ] || fail "nothing failed"
last=$(find "$mnt/.linkfs/log" -size +0 -print -quit)
has 'Too many open files' "$last"
for i in $(seq 60); do
	run "$linkfs" rm "f$i"
done
lives
stop_mount

# No signal that is queued: the mount ends nevertheless, while many read too.
start_with prlimit --sigpending=0
add many r
readers=
for i in $(seq 20); do
	cat "$mnt/many" >/dev/null &
	readers="$readers $!"
done
# shellcheck disable=SC2086 # many
wait $readers
stop_mount
mountpoint -q "$mnt" && fail "still mounted"

# An output larger than the address space (a sanitizer wants terabytes of it).
if [ -z "${LINKFS_SANITIZE:-}" ]; then
	start_limited -v 1000000
	add big --fake-size=3000000000 r
	equal "$(run stat -c %s "$mnt/big")" 3000000000 "its size"
	run cat "$mnt/big" >/dev/null 2>&1 && fail "3 GB mapped in 1 GB"
	has "can't be mapped" "$mnt/.linkfs/log/big"
	lives
	stop_mount
fi
