#!/bin/sh
# The linker process is killed again and again, and readers notice nothing: not while linking, not while reading.
# NEEDS: openssl
. "$(dirname "$0")/lib.sh"
use_fake
pattern 6000001 a
cat a a >want
start_mount
i=0
while [ $i -lt 5 ]; do
	i=$((i + 1))
	add "x$i" --fake-slow-link=50 --fake-slow-fill=5 a a
	(
		while [ -e "$mnt/.linkfs/links/x$i" ] && [ ! -e "done$i" ]; do
			kill -9 "$(stat_of worker_pid)" 2>/dev/null || :
			sleep 0.2
		done
	) &
	killer=$!
	LINKFS_TEST_SEED=$i same_bytes "$mnt/x$i" want
	: >"done$i"
	wait "$killer" || :
done
# An old generation is remade from its record, for a reader that held it all along.
add held a
exec 7<"$mnt/held"
kill -9 "$(stat_of worker_pid)"
run cmp - a <&7 || fail "the held file is wrong"
exec 7<&-
[ "$(stat_of worker_restarts)" -gt 3 ] || fail "the linker process was not killed: $(stat_of worker_restarts)"
[ "$(stat_of replays)" -gt 0 ] || fail "nothing was replayed"
for i in 1 2 3 4 5 held; do
	[ ! -s "$mnt/.linkfs/log/x$i" ] 2>/dev/null || { cat "$mnt/.linkfs/log/x$i" >&2; fail "x$i has a log"; }
done
