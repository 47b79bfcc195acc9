#!/bin/sh
# An object with one byte changed, at hundreds of places in its headers and tables, is linked or refused with a message
# that names it; never a crash or a hang.
# NEEDS: cc python3
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "they crash, lld by its stated policy"

cat >a.c <<'END'
extern int printf(const char *, ...);
__thread int t = 4;
__attribute__((visibility("hidden"))) int h = 3;
static const char *names[] = {"one", "two"};
int main(int argc, char **argv) { return printf("%s %d %d\n", names[argc - 1], t, h) + (argv != 0); }
END
cc -g -fPIC -O1 -ffunction-sections -c a.c -o good.o
cat >break.py <<'END'
import random, struct, subprocess, sys
ld = sys.argv[1]
good = open("good.o", "rb").read()
shoff, = struct.unpack_from("<Q", good, 40)
shnum, = struct.unpack_from("<H", good, 60)
places = list(range(64)) + list(range(shoff, shoff + 64 * shnum))
for i in range(shnum):
    typ, = struct.unpack_from("<I", good, shoff + 64 * i + 4)
    off, size = struct.unpack_from("<QQ", good, shoff + 64 * i + 24)
    if typ in (2, 3, 4, 7, 17):
        places += range(off, off + size)
random.seed(7)
bad = 0
for n in range(400):
    b = bytearray(good)
    p = random.choice(places)
    b[p] = random.choice([0, 1, 0x7F, 0x80, 0xFF, b[p] ^ 1, random.randrange(256)])
    open("broken.o", "wb").write(b)
    try:
        r = subprocess.run([ld, "-shared", "broken.o", "-o", "out"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, timeout=20)
        text = r.stderr.decode(errors="replace")
        wrong = r.returncode not in (0, 1) or "AddressSanitizer" in text or "runtime error" in text
        wrong = wrong or (r.returncode == 1 and "broken.o" not in text and "undefined" not in text)
    except subprocess.TimeoutExpired:
        wrong, text, r = True, "no end in 20 s", None
    if wrong:
        print("byte %d = 0x%02x: status %s: %s" % (p, b[p], r and r.returncode, text[:200]))
        bad += 1
sys.exit(bad != 0)
END
"$LD" -shared good.o -o out
[ -s out ] || fail "the sound object is not linked"
"$python3" break.py "$LD"
