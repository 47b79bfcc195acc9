#!/bin/sh
# linkfs status: a line per output, sorted and aligned, cut to the terminal; --json is JSON; --watch tells what changes; and
# it makes no link fresh.
# NEEDS: gcc linker script python3
. "$(dirname "$0")/lib-output.sh"
expect_error 'no linkfs is mounted here: start one' "$linkfs" status
start_mount settle=never
status() {
	run "$linkfs" status "$@" >out || fail "status $*"
}
status
has '^mountpoint: /' out
has '^0 outputs' out
echo 'void _start(void) { for (;;); } char big[1 << 20] = "x";' >bare.c
gcc -c bare.c -o b.o
cp b.o a.o
mkdir -p a/directory/with/a/long/name
long=a/directory/with/a/long/name/program
"$ld_dir/ld" b.o -o zz
"$ld_dir/ld" a.o -o $long
"$ld_dir/ld" -r b.o -o rel 2>/dev/null || :
cat $long >/dev/null
add live missing.o
links_made 0 status --sort=name
equal "$(sed -n 's/^\([^ ]*\) .*/\1/p' out | grep -n -e "^$PWD" -e '^live' | tr '\n' ' ')" \
	"4:$PWD/$long 5:$PWD/rel 6:$PWD/zz 7:live " "names, sorted"
has "^$PWD/$long +ok +mount +1\.0M +100% .* 0$" out
has "^$PWD/zz +ok +mount +1\.0M +0% " out
has "^$PWD/rel +settled +file +- +- " out
has '^live +new +live +- ' out
has '^4 outputs, 2\.0M in all; 1\.[0-9]M made \(limit 16G\); .* 2 links made$' out
equal "$(sed -n '3,7p' out | awk '{ print index($0, $2) }' | sort -u | wc -l)" 1 "where the second column begins"
status --sort=made
equal "$(sed -n 's/ .*//; 4p' out)" "$PWD/$long" "the first by share made"
expect_error 'sort=age' "$linkfs" status --sort=colour
expect_error 'expected --watch' "$linkfs" status --watch=soon
expect_error 'expected --watch' "$linkfs" status --watch=0
expect_error 'does not go with' "$linkfs" status --watch --json

# What -o shows no more, and what is deleted meanwhile.
"$ld_dir/ld" a.o -o $long
rm a.o
status
has "^$PWD/$long .* 1\.0M$" out
has '^1 older that no -o shows' out

# On terminals.
for width in 120 70 40; do
	run env -u COLUMNS script -qec "stty cols $width; '$linkfs' status" /dev/null </dev/null | tr -d '\r' >out
	has '^OUTPUT +STATE' out
	[ "$(sed -n 3,7p out | awk '{ if (length($0) > n) n = length($0) } END { print n }')" -le $width ] ||
		fail "wider than $width: $(cat out)"
done
has '^\.\.\.[^ ]*/program ok ' out

run "$linkfs" status --json >out
python3 - out "$PWD/zz" <<'END' || fail "the JSON"
import json, sys
all = json.load(open(sys.argv[1]))
zz = [o for o in all["outputs"] if o["name"] == sys.argv[2]][0]
assert zz["state"] == "ok" and zz["mode"] == "mount" and zz["size"] > 1 << 20 and zz["link_ms"] > 0, zz
assert all["stats"]["outputs"] >= 3 and isinstance(all["stats"]["version"], str)
END

# Names that would be keys, lines, JSON or commands of a terminal.
odd=$(printf 'q"\\\nstate: lost\033[2J\377')
"$ld_dir/ld" b.o -o "$odd"
status
has '/q"\\\?state: lost\?\[2J\? +ok +mount ' out
run "$linkfs" status --json >out
python3 -c 'import json; assert any(o["name"].endswith("q\"\\\nstate: lost\x1b[2J\ufffd") for o in json.load(open("out"))["outputs"])' ||
	fail "the JSON of an odd name"

# Live: plain lines elsewhere than on a terminal, there the page again in its place.
"$linkfs" status --watch=0.1 >watched 2>watched.err &
watcher=$!
stop_watching() { kill $watcher; }
at_exit=stop_watching
await grep -q "^$PWD/zz " watched
"$ld_dir/ld" b.o -o later
await grep -q "^$PWD/later " watched
equal "$(grep -c "^$PWD/zz " watched)" 1 "lines about what did not change"
for seconds in 0.4 3 12; do # a busy machine may take that long to begin
	run script -qfec "stty rows 12 cols 100; timeout --foreground $seconds '$linkfs' status --watch" /dev/null </dev/null >page || :
	! grep -q 'links made' page || break
done
[ "$(grep -c "$(printf '\033\\[K')" page)" -ge 7 ] || fail "the page: $(cat -v page)"
stop_mount
wait $watcher && fail "what watches a mount that has ended"
at_exit=:
has 'linkfs: status: .*: the mount has ended' watched.err
