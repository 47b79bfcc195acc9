#!/bin/sh
# A linker process that hangs: the mount lives, requests are tried again after a deadline or fail with a message, and
# whoever is killed while waiting ends at once.
# NEEDS: openssl
. "$(dirname "$0")/lib.sh"
use_fake
pattern 300000 a
printf ready >r
start_mount fill_timeout=7s,link_timeout=7s,settle=never
add ready r
cat "$mnt/ready" >/dev/null
add x a
stat "$mnt/x" >/dev/null

worker=$(stat_of worker_pid)
kill -STOP "$worker"
within 3000 ls -l "$mnt/.linkfs/links"
equal "$(run cat "$mnt/ready")" ready "what is made already"
cat "$mnt/x" >got &
reader=$!
cat "$mnt/x" >/dev/null 2>&1 &
killed_reader=$!
add y a
stat "$mnt/y" >/dev/null 2>&1 &
killed_stat=$!
cat "$mnt/.linkfs/map/x" >/dev/null 2>&1 &
killed_map=$!
sleep 0.3
for pid in $killed_reader $killed_stat $killed_map; do
	[ -e "/proc/$pid" ] || fail "process $pid did not wait"
	kill -9 "$pid"
	# shellcheck disable=SC2016 # for the inner shell
	within 1500 timeout 5 sh -c 'while grep -qs "^State:.[^ZX]" "/proc/$0/status"; do sleep 0.02; done' "$pid"
	wait "$pid" 2>/dev/null || :
done
grep -qs '^State:.T' "/proc/$worker/status" || fail "the linker process was replaced too early to tell"
within 4000 cat "$mnt/.linkfs/stats"
wait "$reader" || fail "the reader"
cmp got a || fail "what it read"
[ "$(stat_of worker_pid)" != "$worker" ] || fail "the linker process was not replaced"
[ ! -s "$mnt/.linkfs/log/x" ] || fail "x has a log: $(cat "$mnt/.linkfs/log/x")"

# What hangs each time is failed; what came between goes on.
stop_mount
start_mount fill_timeout=700ms,link_timeout=700ms,settle=never
add hangs --fake-hang-link a
add slow --fake-slow-fill=20000 a
cat "$mnt/hangs" >/dev/null 2>&1 &
hangs=$!
sleep 0.1
within 5000 cmp "$mnt/y" a
wait "$hangs" && fail "a link that hangs has an output"
has 'not done with this link within link_timeout=0.7s, twice' "$mnt/.linkfs/log/hangs"
status=0
run cat "$mnt/slow" >/dev/null 2>&1 || status=$?
equal "$status" 1 "the status of cat"
has 'not done with these bytes within fill_timeout=0.7s, twice' "$mnt/.linkfs/log/slow"
within 3000 cmp "$mnt/x" a

# umount does not wait for it.
kill -STOP "$(stat_of worker_pid)"
within 8000 "$linkfs" umount "$mnt"
