# shellcheck shell=sh
# lib-full.sh: what the tests with a small file system as cache_dir share, on top of lib.sh, which it sources.

. "$(dirname "$0")/lib.sh"
use_fake
mkdir "$T/small"

end_it() {
	timeout 20 "$linkfs" umount "$mnt" >/dev/null 2>&1
	umount "$T/small" 2>/dev/null
}
at_exit=end_it

# mount_small [OPTION,...]: with cache_dir on the small file system, mounted on $T/small.
mount_small() {
	run "$linkfs" mount -o "cache_dir=$T/small/linkfs${1:+,$1}" "$mnt" || fail "can't mount"
}

# full_then_room MAKE_ROOM...: link x, whose bytes are file a's, finds no room at first: EIO, a line in the log that says
# what to do, and all else goes on. After MAKE_ROOM the same read works.
full_then_room() {
	links_well x
	pid=$(stat_of worker_pid)
	status=0
	run cat "$mnt/x" >got 2>err || status=$?
	[ $status != 0 ] || fail "there was room for all of it"
	grep -q 'Input/output error' err || fail "another error: $(cat err)"
	has "no room for it: No space left on device: make room in cache_dir $T/small/linkfs and read it again" \
		"$mnt/.linkfs/log/x"
	equal "$(grep -c 'no room' "$mnt/.linkfs/log/x")" 1 "it is told once"
	size=$(stat -c %s got)
	[ "$size" -gt 100000 ] || fail "only $size bytes were read"
	cmp -n "$size" got a || fail "wrong bytes before the error"
	expect_error 'Input/output error' cat "$mnt/x" # and again
	run head -c 65536 "$mnt/x" | cmp -n 65536 - a || fail "what was made before"
	run "$linkfs" add z -- a 2>err || grep -q 'No space left' err || fail "linkfs add: $(cat err)"
	equal "$(stat_of worker_pid) $(stat_of worker_restarts)" "$pid 0" "the linker process lives"
	"$@" || fail "can't make room"
	same_bytes "$mnt/x" a
	# Once more where the file system had found a block in between.
	[ "$(grep -c 'no room' "$mnt/.linkfs/log/x")" -le 2 ] || fail "it is told again and again"
	add z a
	same_bytes "$mnt/z" a
}
