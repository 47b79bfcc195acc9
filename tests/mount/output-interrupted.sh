#!/bin/sh
# ^C at one linker gives its link up and no other; it leaves nothing behind. So does the death of a client in any way.
# NEEDS: gcc linker
. "$(dirname "$0")/lib-output.sh"
makes one two
echo 'void _start(void) { for (;;); }' >bare.c
gcc -c bare.c
start_mount settle=never
link one.o -o warm
stop_worker
for sig in INT TERM KILL HUP; do
	# A background process of a script ignores SIGINT, unless it is told otherwise.
	timeout 40 env --default-signal=INT "$ld_dir/ld" bare.o -o "victim.$sig" &
	eval "victim_$sig=$!"
done
link two.o -o other &
other=$!
for name in victim.INT victim.TERM victim.KILL victim.HUP other; do
	await is_linking "$PWD/$name"
done
for sig in INT TERM KILL HUP; do
	eval "pid=\$victim_$sig"
	pid=$(cat "/proc/$pid/task/$pid/children")
	kill -$sig "$pid"
	eval "wait \$victim_$sig" 2>/dev/null && fail "SIG$sig did not end the linker"
done
go_on_worker
wait "$other" || fail "the link that nobody interrupted"
on_mount other
for sig in INT TERM KILL HUP; do
	[ ! -e "victim.$sig" ] && [ ! -L "victim.$sig" ] || fail "victim.$sig is there after SIG$sig"
	await test ! -e "$mnt/.linkfs/info$PWD/victim.$sig"
done
nothing_beside .
equal "$(stat_of outputs)" 2 "outputs that are kept"
equal "$(stat_of generations)" 2 "generations that are kept"

# A mount that does not answer can be waited for, or not.
server=$(stat_of mount_pid)
all_stopped() {
	! grep -L '^State:.T' "/proc/$server/task/"*/status | grep -q .
}
kill -STOP "$server"
await all_stopped # a thread that stops with a request in its hands leaves a caller that nothing ends
timeout 40 env --default-signal=INT "$ld_dir/ld" bare.o -o stuck &
stuck=$!
is_asking() {	# it waits in the kernel, for the mount
	child=$(cat "/proc/$stuck/task/$stuck/children") && grep -q request_wait_answer "/proc/${child% }/wchan"
}
await is_asking
kill -INT "$(cat "/proc/$stuck/task/$stuck/children")"
start=$(date +%s)
wait "$stuck" 2>/dev/null && fail "linked by a mount that does not answer"
[ $(($(date +%s) - start)) -lt 10 ] || fail "^C was not obeyed"
kill -CONT "$server"
links_made 1 link two.o -o after
says ./after two
