#!/bin/sh
# An input that somebody has open for writing can't be leased: it is copied, and what is written later goes into the next
# generation. One that never rests is an error that says so.
# NEEDS: openssl python3
. "$(dirname "$0")/lib.sh"
use_fake
pattern 900000 want
cp want a
exec 9>>a
start_mount
add x a
exec 7<"$mnt/x"
run dd bs=4096 count=1 <&7 2>/dev/null | cmp -n 4096 - want || fail "the first page"
equal "$(stat_of leases) $(stat_of snapshots)" "0 1" "leases, snapshots"
echo more >&9
same_bytes /dev/fd/7 want
run cmp a "$mnt/x" || fail "the new generation"
exec 9>&-
exec 7<&-
# Written while it is linked: the link is made again, until it holds still.
cat >writer.py <<'END_PY'
import os, sys, time
fd = os.open("b", os.O_WRONLY | os.O_CREAT)
end = time.time() + float(sys.argv[1])
i = 0
while time.time() < end:
    i += 1
    os.pwrite(fd, b"%08d" % i * 100, 0)
    open("writing", "w")
    time.sleep(0.002)
END_PY
wait_for_writer() {
	rm -f writing
	i=0
	while [ ! -e writing ] && [ $i -lt 100 ]; do
		i=$((i + 1))
		sleep 0.1
	done
}
echo start >b
python3 writer.py 2 &
writer=$!
wait_for_writer
add y b --fake-slow-link=20
links_well y
run cat "$mnt/y" >got
wait "$writer"
run cmp b "$mnt/y" || fail "after the writer"
nice -n -15 python3 writer.py 30 2>/dev/null & # as root: who waits 60 ms for a processor rests
writer=$!
wait_for_writer
add z b --fake-slow-link=60
equal "$(info_of z state)" failed "a file that never rests"
has 'b: it changes again and again' "$mnt/.linkfs/log/z"
kill "$writer"
wait "$writer" || :
run cmp b "$mnt/z" || fail "when it rests"
