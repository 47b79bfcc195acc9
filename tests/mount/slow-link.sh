#!/bin/sh
# While a link takes long its directory stays free, and its waiters can be killed.
. "$(dirname "$0")/lib.sh"
use_fake
printf hello >a
start_mount
add quick a
cat "$mnt/quick" >/dev/null
add slow --fake-slow-link=3000 a
cat "$mnt/slow" >got &
waiter=$!
stat "$mnt/slow" >/dev/null &
killed=$!
sleep 0.3
start=$(date +%s%N)
ls "$mnt" >/dev/null
[ ! -e "$mnt/absent" ] || fail "absent is there"
equal "$(cat "$mnt/quick")" hello "another link"
echo "--chdir=$PWD a" >"$mnt/.linkfs/links/new"
took=$((($(date +%s%N) - start) / 1000000))
[ "$took" -lt 1500 ] || fail "the directory was blocked for $took ms"
start=$(date +%s%N)
kill -9 "$killed"
wait "$killed" 2>/dev/null || :
took=$((($(date +%s%N) - start) / 1000000))
[ "$took" -lt 1500 ] || fail "a killed caller waited for $took ms"
wait "$waiter" || fail "the waiter"
equal "$(cat got)" hello "what the waiter read"
