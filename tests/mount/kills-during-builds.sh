#!/bin/sh
# The linker process is killed again and again while eight builds link and run what they linked: no link and no run
# fails, and the bytes are file mode's. LINKFS_KILLS says how often (8).
# NEEDS: linker gcc
. "$(dirname "$0")/lib.sh"
kills=${LINKFS_KILLS:-8}

# A program large enough to stay on the mount, most of it not needed to run: its text is cold when the linker dies.
{
	for i in $(seq 400); do
		echo "int f$i(int x) { return x < 0 ? f$i(x + 1) + $i : x + $i; }"
	done
	echo 'const char bulk[5 << 20] = { 1 };'
	echo 'int (*const all[])(int) = {'
	for i in $(seq 400); do echo "f$i,"; done
	echo '};'
} >common.c
gcc -O0 -c common.c
unset LINKFS_MODE
start_mount settle=never

build() {	# NUMBER: until `stop` is there
	mkdir "b$1"
	cd "b$1" || exit
	n=0
	while [ ! -e ../stop ]; do
		n=$((n + 1))
		cat >main.c <<-END
			#include <stdio.h>
			extern int (*const all[])(int);
			extern const char bulk[];
			int main(void)
			{
				int s = bulk[4000000];
				for (int i = 0; i < 400; i++)
					s += all[i]($n);
				return printf("%d %d", $1, s) < 0;
			}
		END
		gcc -c main.c
		gcc -B"$LINKFS_BUILD/libexec/linkfs" main.o ../common.o -o prog 2>err || { cat err; exit 1; }
		[ -L prog ] || { echo "prog is not on the mount"; exit 1; }
		./prog >out || exit 1
		equal "$(cat out)" "$1 $((400 * n + 80200))" "build $1, run $n"
		if [ $((n % 5)) = 1 ]; then
			LINKFS_MODE="file" gcc -B"$LINKFS_BUILD/libexec/linkfs" main.o ../common.o -o want
			cmp prog want || exit 1
		fi
		echo $n >"done"
	done
}

pids=
for b in 1 2 3 4 5 6 7 8; do
	(trap - EXIT; build $b) >"log$b" 2>&1 &
	pids="$pids $!"
done
i=0
while [ $i -lt "$kills" ]; do
	sleep 0.2
	pid=$(stat_of worker_pid)
	if [ "${pid:-0}" != 0 ] && kill -9 "$pid" 2>/dev/null; then i=$((i + 1)); fi
done
: >stop
failed=0
for pid in $pids; do
	wait "$pid" || failed=$((failed + 1))
done
cat b?/done | paste -sd' '
[ $failed = 0 ] || { cat log?; fail "$failed of 8 builds failed"; }
grep -E '^(worker_restarts|links_made|replays|fill_errors)' "$mnt/.linkfs/stats"
