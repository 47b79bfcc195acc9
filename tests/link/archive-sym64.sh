#!/bin/sh
# An archive with a 64-bit symbol index (/SYM64/), as archives beyond 4 GiB have.
# NEEDS: cc python3
. "$(dirname "$0")/lib.sh"

echo 'int f(void) { return 6; }' >f.c
echo 'int unused(void) { return 6; }' >u.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -c f.c u.c
cat >make.py <<'END'
import struct
def member(name, data):
    head = b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (name, 0, 0, 0, 0o644, len(data))
    return head + data + b"\n" * (len(data) % 2)
u, f = member(b"u.o/", open("u.o", "rb").read()), member(b"f.o/", open("f.o", "rb").read())
names = b"unused\0f\0"
size = 8 + 16 + len(names)
first = 8 + 60 + size + size % 2
index = struct.pack(">QQQ", 2, first, first + len(u)) + names
open("lib.a", "wb").write(b"!<arch>\n" + member(b"/SYM64/", index) + u + f)
END
"$python3" make.py
cc m.c lib.a -o m
exits_with 6 ./m
[ -z "$(sym m unused)" ] || fail "a member nobody needs was linked"
