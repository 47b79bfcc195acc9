#!/bin/sh
# A program that runs from the mount goes on when the linker process is killed, with pages it had not touched before; its
# bytes read by others are right, too. After that a relink gives the next program.
# NEEDS: gcc linker
. "$(dirname "$0")/lib.sh"
cat >main.c <<'END'
#include <stdio.h>
#include <unistd.h>
#define A4(x) x, x + 1, x + 2, x + 3
#define A16(x) A4(x), A4(x + 4), A4(x + 8), A4(x + 12)
int target = 5;
int *table[1 << 18] = {[0] = &target, [1000] = &target, [1 << 17] = &target, [(1 << 18) - 1] = &target};
int main(void)
{
	int sum = *table[0];
	puts("up");
	fflush(stdout);
	getchar();
	for (int i = 1; i < 1 << 18; i++)
		sum += table[i] ? *table[i] : 0;
	printf("%d\n", sum);
	return 0;
}
END
gcc -g -O1 -c main.c
gcc -B"$LINKFS_BUILD/libexec/linkfs" -no-pie main.o -o file || fail "file mode"
start_mount
add_linked prog gcc -no-pie main.o -o file
links_well prog
mkfifo in
"$mnt/prog" <in >out &
pid=$!
exec 7>in
i=0
while ! grep -q up out && [ $i -lt 100 ]; do
	i=$((i + 1))
	sleep 0.1
done
kill -9 "$(stat_of worker_pid)"
echo >&7
exec 7>&-
wait "$pid" || fail "the program ended with $?"
equal "$(cat out)" "up
20" "what it said"
exec 7<"$mnt/prog"
for _ in 1 2 3; do
	kill -9 "$(stat_of worker_pid)" || :
	same_bytes "$mnt/prog" file
	sleep 0.1
done
sed 's/target = 5/target = 6/' main.c >new.c
gcc -g -O1 -c new.c -o new.o
mv new.o main.o
equal "$(echo | run "$mnt/prog")" "up
24" "after a change"
run cmp - file <&7 || fail "the old generation, held open"
exec 7<&-
equal "$(run cat "$mnt/.linkfs/log/prog")" "" "the log"
[ "$(stat_of worker_restarts)" -ge 4 ] || fail "the linker process was not killed"
