#!/bin/sh
# Two hundred links at once, and five hundred of one output: all are right, and what nobody can want is forgotten without
# being told to. Then the mount process is killed in the middle of links, again and again: each ends with the right bytes
# or an error, and with nothing left over.
# NEEDS: gcc linker
: "${LINKFS_TEST_PATIENCE:=300}"
. "$(dirname "$0")/../lib.sh"
. "$lib_dir/lib-output.sh"
for i in 1 2 3 4; do
	makes "word$i"
	link_file "word$i.o" -o "file$i"
	echo "void _start(void) { for (;;); } int number = $i;" >bare.c
	gcc -c bare.c -o "bare$i.o"
	"$ld_dir/ld" --linkfs=file "bare$i.o" -o "bare$i"
done

start_mount settle=never
i=0 pids=
while [ $i -lt 200 ]; do
	i=$((i + 1))
	timeout 60 "$ld_dir/ld" "bare$((i % 4 + 1)).o" -o "out$i" &
	pids="$pids $!"
done
for pid in $pids; do wait "$pid" || fail "one of two hundred links at once"; done
equal "$(stat_of links_made)" 200 "links on the mount"
while [ $i -gt 0 ]; do
	on_mount "out$i"
	cmp "out$i" "bare$((i % 4 + 1))" || fail "out$i"
	i=$((i - 1))
done
rm out*
while [ $i -lt 500 ]; do
	i=$((i + 1))
	"$ld_dir/ld" "bare$((i % 4 + 1)).o" -o same || fail "link $i of one output"
done
cmp same bare1 || fail "the last of five hundred links"
is_bounded() { [ "$(stat_of outputs)" -le 300 ] && [ "$(stat_of generations)" -le 300 ]; }
wait_until is_bounded || fail "$(stat_of outputs) outputs are kept"
echo "$(stat_of outputs) outputs are kept, $(ls "/proc/$(stat_of mount_pid)/fd" | wc -l) descriptors"
stop_mount

round=0
while [ $round -lt 20 ]; do
	round=$((round + 1))
	[ $((round % 2)) = 0 ] || settle=never
	[ $((round % 2)) = 1 ] || settle=5s
	rm -rf tree && mkdir tree
	start_mount "settle=$settle"
	server=$(stat_of mount_pid)
	i=0 pids=
	while [ $i -lt 16 ]; do
		i=$((i + 1))
		timeout 60 gcc -B"$ld_dir/" "word$((i % 4 + 1)).o" -o "tree/out$i" 2>"tree/said$i" &
		pids="$pids $!"
	done
	sleep "0.0$((round * 3 % 10))"
	kill -9 "$server"
	for pid in $pids; do
		wait "$pid" || { cat tree/said*; fail "auto mode, killed in round $round"; }
	done
	while [ $i -gt 0 ]; do
		if [ -L "tree/out$i" ]; then
			run cat "tree/out$i" >/dev/null 2>&1 && fail "a dead mount is read"
		else
			cmp "tree/out$i" "file$((i % 4 + 1))" || fail "tree/out$i in round $round"
			[ -x "tree/out$i" ] || fail "tree/out$i can't be run"
		fi
		i=$((i - 1))
	done
	nothing_beside tree
	run "$linkfs" umount "$mnt" || fail "umount of a dead mount"
done
