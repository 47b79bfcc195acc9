#!/bin/sh
# SIGTERM to the mount process settles like any umount: at a shutdown nothing is left dangling.
# NEEDS: linker gcc
. "$(dirname "$0")/lib-output.sh"

big_object one one
link_file one.o -o want
start_mount settle=never
link one.o -o prog
link one.o -o open
exec 5<open
pid=$(stat_of mount_pid)
is_over() { ! grep -qs '^State:.[^ZX]' "/proc/$pid/status"; }
kill "$pid"
await test ! -L prog
exec 5<&-
await is_over
for f in prog open; do
	plain "$f"
	cmp "$f" want || fail "$f has other bytes"
done
nothing_beside .
