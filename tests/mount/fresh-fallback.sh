#!/bin/sh
# Without watches, with too few of them, where they are not believed, and when events were lost, inputs are looked at: never
# an old link.
# NEEDS: python3
. "$(dirname "$0")/lib.sh"
. "$lib_dir/lib-fresh.sh"
use_fake
printf one >a
printf two >b
ln -s a link
n=0
# changes: a link follows its inputs.
changes() {
	n=$((n + 1))
	printf %0${n}d 0 >new && mv new a
	now_gives x "$(cat a)two" "$1: replaced"
	n=$((n + 1))
	printf %0${n}d 0 >a
	now_gives x "$(cat a)two" "$1: in place"
	n=$((n + 1))
	printf %0${n}d 0 >c && ln -sfn c link
	now_gives x "$(cat c)two" "$1: a symbolic link"
	ln -sfn a link
	now_gives x "$(cat a)two" "$1: and back"
}

start_mount watches=0
add x link b
changes "no watches"
quiet x 2
equal "$(stat_of watches)" 0 "watches"
stop_mount

depth=$(pwd | tr -dc / | wc -c)
start_mount "watches=$((depth + 2))" # all directories, and one file
changes "too few watches"
quiet x 1
[ "$(stat_of watches)" -le $((depth + 2)) ] || fail "$(stat_of watches) watches"
stop_mount
start_mount watches=1
changes "one watch"
quiet x 2
stop_mount

start_mount
changes "enough watches"
quiet x
# What happens while the mount is held up is more than the kernel's queue takes.
pid=$(stat_of mount_pid)
resume() {
	kill -CONT "$pid"
}
at_exit=resume
queue=$(cat /proc/sys/fs/inotify/max_queued_events)
[ "$queue" -le 100000 ] || skip "max_queued_events is $queue: too many to fill"
kill -STOP "$pid"
python3 - "$queue" <<'END_PY' || fail "filling the queue"
import os, sys
for i in range(int(sys.argv[1]) // 2 + 1):
    os.close(os.open("f%d" % i, os.O_CREAT | os.O_WRONLY))
    os.unlink("f%d" % i)
os.rename("b", "old")
with open("b", "w") as f:
    f.write("other")
END_PY
kill -CONT "$pid"
now_gives x "$(cat a)other" "events were lost"
quiet x
