#!/bin/sh
# What a stat of a live link costs while nothing changes, with and without watches.
#
#     tests/bench/reval.sh [OBJECTS=5000]        BUILD by $LINKFS_BUILD (default build/release)
#
# Prints the median and the worst of ten of 500 stats, in microseconds: of the link; of a name in the mount that needs no
# look at anything, for what FUSE itself costs; of the link where the mount has no watches and looks at every object.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
objects=${1:-5000}
: "${LINKFS_BUILD:=$here/../../build/release}"
linkfs=$LINKFS_BUILD/bin/linkfs
T=$(mktemp -d "${TMPDIR:-/tmp}/linkfs-reval.XXXXXX")
mkdir "$T/mnt" "$T/cache" "$T/o"
trap 'cd /; timeout 20 "$linkfs" umount "$T/mnt" >/dev/null 2>&1 || :; rm -rf --one-file-system "$T"' EXIT
trap 'exit 130' INT TERM HUP
cd "$T"

cat >main.s <<'S'
	.globl _start
_start:	mov $60, %eax
	xor %edi, %edi
	syscall
S
printf '\t.text\nlocal:\n\tret\n' >part.s
as -o main.o main.s
as -o part.o part.s
i=0
while [ $i -lt "$objects" ]; do
	i=$((i + 1))
	cp part.o "o/$i.o"
done

# measure LABEL PATH
measure() {
	python3 - "$1" "$2" <<'P'
import os, sys, time
label, path = sys.argv[1:]
for i in range(5):
    os.stat(path)
    time.sleep(0.05)
took = []
for i in range(500 if "looks" not in label else 50):
    begin = time.perf_counter()
    os.stat(path)
    took.append((time.perf_counter() - begin) * 1e6)
took.sort()
print("%-32s median %8.0f us, nine of ten below %8.0f us" % (label, took[len(took) // 2], took[len(took) * 9 // 10]))
P
}

for watches in "" 0; do
	"$linkfs" mount -o "cache_dir=$T/cache,settle=never${watches:+,watches=$watches}" "$T/mnt"
	{ echo "--chdir=$T main.o"; ls o | sed 's,^,o/,'; } >mnt/.linkfs/links/x
	./mnt/x
	if [ -z "$watches" ]; then
		measure "a name without inputs" "$T/mnt/.linkfs/info/x"
		measure "$objects objects, watched" "$T/mnt/x"
	else
		measure "$objects objects, looks at each" "$T/mnt/x"
	fi
	grep -E '^(watches|verify_)' mnt/.linkfs/stats | tr '\n' ' '
	echo
	"$linkfs" umount "$T/mnt"
done
