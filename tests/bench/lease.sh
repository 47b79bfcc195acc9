#!/bin/sh
# lease.sh [--runs N] [--size MB]: how long a writer of an input is held up: the first open for writing of an archive that a
# link on the mount uses. Prints the median and the worst of N runs (9) for an archive of MB megabytes (100), and the same
# for one nobody holds. No test: it wants the machine to itself.
set -eu
runs=9
size=100
while [ $# -gt 0 ]; do
	case $1 in
	--runs) runs=$2 ;;
	--size) size=$2 ;;
	*)
		sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
		exit 2
		;;
	esac
	shift 2
done
here=$(cd "$(dirname "$0")" && pwd)
: "${LINKFS_BUILD:=$here/../../build/release}"
work=$(mktemp -d "${TMPDIR:-/tmp}/linkfs-lease.XXXXXX")
mkdir "$work/mnt"
clean_up() {
	status=$?
	trap - EXIT
	cd /
	timeout 20 "$LINKFS_BUILD/bin/linkfs" umount "$work/mnt" >/dev/null 2>&1 || umount -l "$work/mnt" 2>/dev/null || :
	rm -rf --one-file-system "$work"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
cd "$work"
echo 'extern char big[]; int main(void) { return big[1]; }' >main.c
# The archive is read through page cache, as after a build.
python3 - "$size" >big.s <<'END_PY'
import sys
print(".globl big\n.data\nbig: .byte 1, 2, 3")
print(f".section .debug_pad,\"\",@progbits\n.fill {int(sys.argv[1])} * 1048576, 1, 7")
END_PY
gcc -c main.c -o main.o
gcc -c big.s -o big.o
ar rcs lib.a big.o
"$LINKFS_BUILD/bin/linkfs" mount -o "cache_dir=$work/cache" "$work/mnt"
python3 - "$runs" "$work/mnt" "$LINKFS_BUILD/bin/linkfs" <<'END_PY'
import os, statistics, subprocess, sys, time
runs, mnt, linkfs = int(sys.argv[1]), sys.argv[2], sys.argv[3]

def held_up():
    started = time.monotonic()
    fd = os.open("lib.a", os.O_RDWR)
    ms = (time.monotonic() - started) * 1000
    os.pwrite(fd, os.pread(fd, 1, 0), 0)
    os.close(fd)
    return ms

def show(what, times):
    print(f"{what}: median {statistics.median(times):.1f} ms, worst {max(times):.1f} ms of {len(times)}")

def snapshots():
    with open(mnt + "/.linkfs/stats") as f:
        return int(next(line for line in f if line.startswith("snapshots")).split()[1])

size = os.stat("lib.a").st_size / 2**20
show(f"nobody holds the archive of {size:.0f} MB", [held_up() for _ in range(runs)])
subprocess.run([linkfs, "add", f"--mount={mnt}", "p", "--", "main.o", "lib.a", "-e", "main", "-o", "p"], check=True)
times = []
for _ in range(runs):
    with open(mnt + "/p", "rb") as f:
        f.read(4096)
        before = snapshots()
        times.append(held_up())
        if snapshots() != before + 1:
            sys.exit("no copy was made: see .linkfs/log/p")
show("a link on the mount uses it", times)
END_PY
