#!/bin/sh
# Inputs and directories on a mount that does not answer: links that need them fail with a message, everything else goes
# on, and when it answers again so do they. The dead mount is a second linkfs, stopped.
. "$(dirname "$0")/lib.sh"
use_fake
. "$lib_dir/lib-far.sh"
LINKFS_MOUNT=$far "$linkfs" add hang -- --fake-hang-link "$PWD/r"

# lives NAME: everything that needs nothing far.
lives() {
	within 3500 cat "$mnt/ready"
	within 3500 "$linkfs" status
	within 3500 ls "$mnt" "$mnt/.linkfs/links"
	within 3500 "$linkfs" add "$1" -- r
	within 6000 cat "$mnt/$1"
}

start_mount fill_timeout=1s,link_timeout=4s,settle=never
add ready r
add known "$far/lib"
equal "$(cat "$mnt/ready" "$mnt/known")" readyready "before"
exec 7<"$mnt/known"

kill -STOP "$server"
sleep 1.1 # what the kernel knows of the far mount's files
lives one
expect_error 'Input/output error' cat "$mnt/known"
has 'does not answer' "$mnt/.linkfs/log/known"
add new "$far/lib"
add searched "-L$far" -lx r
for name in new searched; do
	expect_error 'Input/output error' cat "$mnt/$name"
	has "$far/.*: the file system does not answer" "$mnt/.linkfs/log/$name"
	lives "after-$name"
done
equal "$(run cat <&7)" ready "what was open before"
exec 7<&-
within 6000 "$linkfs" info known
kill -CONT "$server"

# It stops answering when the linker process has opened an input, and nobody holds it yet.
LINKFS_MOUNT=$far "$linkfs" add other -- "$PWD/r"
equal "$(cat "$far/other")" ready "another far file"
add between "$far/other" --fake-slow-link=1500
cat "$mnt/between" >/dev/null 2>&1 &
between=$!
sleep 0.7
kill -STOP "$server"
wait "$between" && fail "between has bytes"
has "$far/other: the file system does not answer" "$mnt/.linkfs/log/between"
lives during
kill -CONT "$server"
wait_until cmp -s "$mnt/between" r || fail "between was not linked when the file system answered again"
is_back() {
	[ "$(run cat "$mnt/known" 2>/dev/null)" = ready ]
}
wait_until is_back || fail "known does not come back"

# Where the far mount has taken the request and then does not answer, the linker process can't even be killed.
worker=$(stat_of worker_pid)
add stuck "$far/hang"
cat "$mnt/stuck" >/dev/null 2>&1 &
reader=$!
sleep 0.5
kill -STOP "$server"
wait "$reader" && fail "stuck can be read"
has "$far/hang: .*the file system does not answer" "$mnt/.linkfs/log/stuck"
printf three >r3
add three r3
wait_until grep -q three "$mnt/three" || fail "no other linker process does the work"
grep -qs '^State:.[^Z]' "/proc/$worker/task/"*/status || fail "it could be killed: this tests nothing"
within 8000 "$linkfs" umount "$mnt"
