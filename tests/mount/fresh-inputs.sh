#!/bin/sh
# Every kind of change to an input is seen at the very next stat, and while nothing changes no file is looked at. One that
# somebody has open for writing, and may write to through a mapping, is looked at each time: nothing tells of that.
# NEEDS: python3
. "$(dirname "$0")/lib.sh"
. "$lib_dir/lib-fresh.sh"
use_fake
mkdir d
printf one >d/a
printf , >comma
start_mount
add x d/a comma d/a
now_gives x one,one "first"
quiet x
three_are_counted() {
	watched=$(stat_of verify_watched)
	for _ in 1 2 3; do stat "$mnt/x" >/dev/null; done
	[ "$(stat_of verify_watched)" -ge $((watched + 3)) ]
}
wait_until three_are_counted || fail "verify_watched does not count" # mounts elsewhere make whole looks of some

printf third >new && mv new d/a
now_gives x third,third "replaced"
quiet x
printf four >d/a
now_gives x four,four "written in place"
quiet x
printf more >>d/a
now_gives x fourmore,fourmore "appended to"
quiet x
python3 -c 'import os; os.utime("d/a", (1e9, 2e9))'
equal "$(stat -c %Y "$mnt/x")" 2000000000 "touched"
quiet x
mkdir e
ln d/a e/also
equal "$(stat -c %Y "$mnt/x")" 2000000000 "another name"
quiet x
python3 -c 'import os; os.utime("e/also", (1e9, 1.9e9))'
equal "$(stat -c %Y "$mnt/x")" 1900000000 "touched by another name"
quiet x
printf 'by its other name' >e/also
now_gives x 'by its other name,by its other name' "written by another name"
quiet x
rm d/a
expect_error 'Input/output error' cat "$mnt/x"
quiet x 2 # the comma, by LOOKUP and GETATTR: a link that failed keeps no leases
printf back >d/a
now_gives x back,back "back again"
quiet x
files_beside_are_nothing() {
	printf other >unrelated && printf other >d/unrelated && rm d/unrelated
	looks_at_is x 0
}
wait_until files_beside_are_nothing || fail "files beside the inputs are looked at"

run python3 - "$mnt/x" <<'END_PY' || fail "a store through a mapping"
import mmap, os, sys
with open("d/a", "r+b") as f:
    m = mmap.mmap(f.fileno(), 4)
    for byte in b"BAC":
        m[0] = byte
        m.flush() # else only the first store to a page moves its times
        os.stat(sys.argv[1])
        got = open(sys.argv[1]).read()
        if got[0] != chr(byte):
            sys.exit("%c: %s" % (byte, got))
END_PY
quiet x 2 # it is named twice
printf changed >new && mv new d/a
now_gives x changed,changed "replaced after all"
quiet x

"$linkfs" rm x
has_none() {
	[ "$(stat_of watches) $(stat_of inputs)" = "0 0" ]
}
wait_until has_none || fail "$(stat_of watches) watches and $(stat_of inputs) inputs are left"
