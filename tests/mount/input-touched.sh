#!/bin/sh
# What changes a file's times, mode or names but not its bytes loses nothing: touch, chmod, ln, mv, rm, with the linker
# process killed after each.
# NEEDS: openssl python3
. "$(dirname "$0")/lib.sh"
use_fake
pattern 700000 want
cp want a
start_mount
n=0
# touched HOW COMMAND...: an open generation stays whole.
touched() {
	n=$((n + 1))
	how=$1
	shift
	add "x$n" a
	exec 7<"$mnt/x$n"
	run dd bs=4096 count=1 <&7 2>/dev/null | cmp -n 4096 - want || fail "$how: the first page"
	run "$@" || fail "$how: $*"
	same_bytes /dev/fd/7 want
	kill -9 "$(stat_of worker_pid)"
	# Other bytes than those made already.
	add "y$n" --fake-size=1 "$T/work/other"
	same_bytes /dev/fd/7 want
	exec 7<&-
	[ ! -s "$mnt/.linkfs/log/x$n" ] || { cat "$mnt/.linkfs/log/x$n" >&2; fail "$how: there is a log"; }
}
echo other >other
touched utime python3 -c 'import os; os.utime("a")'
touched old python3 -c 'import os; os.utime("a", (1, 1))'
touched touch sh -c 'touch a || :' # which may be refused while somebody holds a lease
touched chmod chmod 640 a
touched link ln a b
touched rename mv a c
mv c a
touched replaced sh -c 'echo new >n && mv n a'
cp want a
touched removed rm a
has 'fill_errors: 0' "$mnt/.linkfs/stats"
