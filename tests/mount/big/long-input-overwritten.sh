#!/bin/sh
# The archive below a CPython on the mount is overwritten in place while its text is cold: every page is right, a program that
# runs on goes right; the link's next generation is the new one's.
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
same_bytes /dev/fd/7 first
[ ! -s "$mnt/.linkfs/log/python" ] || fail "there is a log"
echo >&8
exec 8>&-
status=0
wait "$pid" || status=$?
equal "$status" 0 "how the running program ended: $(cat err)"
equal "$(cat out)" "up
division by zero ['a', 'b'] 1.500 b'\\xff\\xfex\\x00' True" "what the running program said"
exec 7<&-
LINKFS_MODE='file' "$ld_dir/ld" "@$T/args" -o python.file
equal "$(from_mount python -S -c 'try: 1 / 0
except ZeroDivisionError as e: print(e)' )" "DIVISION by zero" "the new program"
right_bytes python
