#!/bin/sh
# The archive below a CPython on the mount is overwritten in place while its text is cold: every page is right or EIO with a
# line in the log; a program that runs on goes right or is ended by SIGBUS; the link's next generation is the new one's.
# NEEDS: gcc python3 linker /usr/lib/x86_64-linux-gnu/libpython3.11.a
# NEEDS: /usr/lib/python3.11/config-3.11-x86_64-linux-gnu/python.o
. "$(dirname "$0")/lib-big.sh"
cp /usr/lib/x86_64-linux-gnu/libpython3.11.a .
cp /usr/lib/python3.11/config-3.11-x86_64-linux-gnu/python.o .
cat >overwrite.py <<'END'
import sys
with open("libpython3.11.a", "r+b") as f:
    bytes_ = f.read()
    at = bytes_.index(b"division by zero\0")
    while at >= 0:
        f.seek(at)
        f.write(b"DIVISION by zero")
        at = bytes_.find(b"division by zero\0", at + 1)
END
cat >pages.py <<'END'
import errno, os, sys
fd, want = 7, open(sys.argv[1], "rb").read()
right = failed = 0
for off in range(0, len(want), 4096):
    try:
        got = os.pread(fd, 4096, off)
    except OSError as e:
        if e.errno != errno.EIO:
            sys.exit(f"another error at {off:#x}: {e}")
        failed += 1
        continue
    if got != want[off : off + 4096]:
        sys.exit(f"wrong bytes at {off:#x}")
    right += 1
print(f"{right} pages right, {failed} failed")
if not right or not failed:
    sys.exit("expected some of both")
END
start_mount
link_both python gcc -no-pie -Wl,-export-dynamic python.o libpython3.11.a -lexpat -lz -lm -ldl -lutil
mkfifo in
"$mnt/python" -S -c 'import sys
print("up", flush=True)
sys.stdin.readline()
try:
    1 / 0
except ZeroDivisionError as e:
    print(e, sorted({"b": 2, "a": 1}), f"{1.5:.3f}", "x".encode("utf-16"), hash(frozenset([1, 2])) != 0)
' <in >out 2>err &
pid=$!
exec 8>in
exec 7<"$mnt/python"
i=0
while ! grep -q up out && [ $i -lt 300 ]; do
	i=$((i + 1))
	sleep 0.1
done
cp python.file first
python3 overwrite.py
python3 pages.py first || fail "a generation whose input changed"
has 'libpython3.11.a|changed|Stale' "$mnt/.linkfs/log/python"
echo >&8
exec 8>&-
status=0
wait "$pid" || status=$?
case $status in
0) equal "$(cat out)" "up
division by zero ['a', 'b'] 1.500 b'\\xff\\xfex\\x00' True" "what the running program said" ;;
135) echo "the running program was ended by SIGBUS" ;;
*) cat err >&2; fail "the running program ended with $status" ;;
esac
exec 7<&-
LINKFS_MODE='file' gcc -B"$ld_dir/" -no-pie -Wl,-export-dynamic python.o libpython3.11.a -lexpat -lz -lm -ldl -lutil \
	-o python.file
equal "$(from_mount python -S -c 'try: 1 / 0
except ZeroDivisionError as e: print(e)' )" "DIVISION by zero" "the new program"
right_bytes python
