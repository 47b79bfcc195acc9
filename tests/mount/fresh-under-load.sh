#!/bin/sh
# While an input, or the symbolic link that leads to it, changes all the time nobody sees an older link than the inputs give
# at that moment, and no open fails.
# NEEDS: python3
. "$(dirname "$0")/lib.sh"
use_fake
echo 0 >a
ln -s a to
start_mount
add x to
run python3 - "$mnt/x" <<'END' || fail "see above"
import os, sys, threading, time
link, end, bad = sys.argv[1], time.time() + 4, []
done = 0  # what stands in the input for sure

def write(n):
    target = os.readlink("to")
    other = "b" if target == "a" else "a"
    with open("new", "w") as f:
        f.write("%d\n" % n)
    os.rename("new", other if n % 4 == 0 else target)
    if n % 4 == 0:
        os.symlink(other, "new")
        os.rename("new", "to")

def reader(how):
    count = last = 0
    while time.time() < end and not bad:
        least = done
        try:
            if how == 2:
                os.stat(link)
            with open(link) as f:
                got = int(f.read())
                if how == 1:
                    size = os.fstat(f.fileno()).st_size
                    if size != len("%d\n" % got):
                        bad.append("size %d of '%d'" % (size, got))
        except Exception as e:
            bad.append("reader %d: %r" % (how, e))
            return
        if got < least or got < last:
            bad.append("reader %d saw %d after %d" % (how, got, max(least, last)))
        last = got
        count += 1
    counts.append(count)

counts = []
threads = [threading.Thread(target=reader, args=(i % 3,)) for i in range(6)]
for t in threads:
    t.start()
n = 0
while time.time() < end and not bad:
    n += 1
    write(n)
    done = n
    if n % 3:
        if int(open(link).read()) != n:
            bad.append("the writer itself saw another than %d" % n)
    else:
        time.sleep(0.002)
for t in threads:
    t.join()
print(n, "changes, reads:", counts)
for b in bad[:5]:
    print(b)
if n < 20 or min(counts + [0] if not counts else counts) < 5:
    bad.append("too slow to mean anything")
sys.exit(1 if bad else 0)
END
