#!/bin/sh
# Tools that look for holes copy a file nobody has read yet in full.
# NEEDS: openssl tar
. "$(dirname "$0")/lib.sh"
use_fake
pattern 1000000 a
start_mount
for name in cp-always cp-auto tar dd; do
	add "$name" a
done
run cp --sparse=always "$mnt/cp-always" one
run cp --sparse=auto "$mnt/cp-auto" two
run tar -C "$mnt" -cSf t.tar tar
tar -xf t.tar
run dd if="$mnt/dd" of=three bs=4k conv=sparse 2>/dev/null
for f in one two tar three; do
	cmp "$f" a || fail "$f"
done
