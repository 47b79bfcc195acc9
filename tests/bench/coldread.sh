#!/bin/sh
# coldread.sh [COUNT [PAUSE_US]]: the time of one cold page through the mount, asked for at random places of an output that
# a fake linker makes (so that what is measured is the way there and back). See coldread.c.
lib_dir=$(cd "$(dirname "$0")/../mount" && pwd)
. "$lib_dir/lib.sh"
use_fake
start_mount
head -c 4096 /dev/zero >a
for round in 1 2 3 4 5; do
	add "x$round" --fake-size=700000000 a
	taskset -c 0,1 "$LINKFS_BUILD/tests/coldread" "$mnt/x$round" "${1:-4000}" "$round" "${2:-0}"
	run "$linkfs" rm "x$round" || :
done
