#!/bin/sh
# Bytes through the mount, in random order from several threads, equal what ld.linkfs writes; and the program runs.
# NEEDS: gcc linker
. "$(dirname "$0")/lib.sh"
cat >main.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int square(int);
volatile char big[3 << 20] = {1, 2, 3};
int main(int argc, char **argv)
{
	char exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe));
	printf("%d %d %.*s\n", square(argc), big[1], (int)n, exe);
	return argc > 1 ? atoi(argv[1]) : 0;
}
END
echo 'int square(int x) { return x * x; }' >square.c
gcc -g -O1 -c main.c square.c
ar rc libsquare.a square.o
start_mount
for kind in -pie -no-pie -static -static-pie; do
	gcc -B"$LINKFS_BUILD/libexec/linkfs" $kind main.o -L. -lsquare -o "file$kind" || fail "file mode $kind"
	add_linked "prog$kind" gcc $kind main.o -L. -lsquare -o "file$kind"
	links_well "prog$kind"
	equal "$(info_of "prog$kind" filled_bytes)" 0 "nothing is made before it is read"
	status=0
	run "$mnt/prog$kind" 7 2 >out || status=$?
	equal "$status" 7 "exit status of prog$kind"
	equal "$(cat out)" "9 2 $mnt/prog$kind" "output of prog$kind"
	filled=$(info_of "prog$kind" filled_bytes)
	[ "$filled" -lt "$(info_of "prog$kind" size)" ] || fail "starting prog$kind made $filled bytes, all of them"
	same_bytes "$mnt/prog$kind" "file$kind"
	has 'main.o' "$mnt/.linkfs/map/prog$kind"
done
equal "$(stat_of worker_restarts)" 0 "linker processes that died"
