#!/bin/sh
# A program linked again and again by ld.linkfs on the mount: what the links before it took is given back.
# NEEDS: gcc linker
. "$(dirname "$0")/lib.sh"
[ -z "${LINKFS_SANITIZE:-}" ] || skip "a sanitizer is no measure"
export LINKFS_MODE=mount
cat >p.c <<'END'
#include <stdio.h>
int main(void) { return puts("linked") < 0; }
END
gcc -O1 -c p.c
echo 'int main(void) { return 0; }' >probe.c
gcc -static probe.c -o probe 2>/dev/null || skip "there is no static libc"
start_mount settle=never

# relink TIMES: and then only the last one is there.
relink() {
	n=0
	while [ $n -lt "$1" ]; do
		run gcc -static -B"$LINKFS_BUILD/libexec/linkfs/" p.o -o p || fail "link $n"
		run ./p >out || fail "p of link $n returned $?"
		n=$((n + 1))
	done
	alone() {
		run "$linkfs" gc >/dev/null || fail "linkfs gc"
		[ "$(stat_of generations)" = 1 ]
	}
	wait_until alone || fail "generations: $(stat_of generations)"
}

relink 10
objects=$(stat_of parsed_objects) resolutions=$(stat_of resolutions) first=$(stat_of anon_bytes)
relink 50
last=$(stat_of anon_bytes)
equal "$(stat_of parsed_objects)" "$objects" "objects parsed by 50 links of the same inputs"
equal "$(stat_of resolutions)" "$resolutions" "links of these that resolved their symbols"
equal "$(stat_of worker_restarts)" 0 "the linker process was replaced"
[ "$last" -lt $((first + 1000000)) ] || fail "anon_bytes: $first, then $last"
