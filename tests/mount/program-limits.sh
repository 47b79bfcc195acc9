#!/bin/sh
# The linker in little address space: a link that does not fit fails with a message, and nobody dies of it.
# NEEDS: linker gcc
. "$(dirname "$0")/lib.sh"
[ -z "${LINKFS_SANITIZE:-}" ] || skip "a sanitizer wants terabytes of address space"
echo 'int puts(const char *); int main(void) { return puts("well") < 0; }' >m.c
gcc -c m.c
memory='Cannot allocate memory|out of memory|temporarily unavailable|is there memory'
# Where the mount process is at its limit too, which of the two it happens to is chance.
one_link() {
	if ! (trap - EXIT; add_linked x gcc -static m.o) 2>"$T/err"; then
		has "$memory" "$T/err"
	elif run "$mnt/x" >got 2>"$T/err"; then
		equal "$(cat got)" well "what it says with $kib KiB"
		echo well
	else
		has "$memory" "$mnt/.linkfs/log/x"
		! grep -q "can't be started" "$mnt/.linkfs/log/x" || return 0
	fi
	equal "$(stat_of worker_restarts)" 0 "the linker process died with $kib KiB"
}

well=0
for kib in 110000 128000 138000 150000 157000 190000 230000 270000 400000 1000000; do
	# shellcheck disable=SC3045 # every sh that matters has it
	if ! (ulimit -v "$kib" && run "$linkfs" mount -o "cache_dir=$T/cache/linkfs,settle=never" "$mnt") 2>"$T/err"; then
		has "$memory" "$T/err"
		continue
	fi
	if (trap - EXIT; one_link) >said 2>&1; then
		if grep -q '^well$' said; then well=$((well + 1)); fi
	else
		cat said >&2
		fail "with $kib KiB"
	fi
	stop_mount
done
[ $well -gt 0 ] || fail "nothing could be linked in any of these"
