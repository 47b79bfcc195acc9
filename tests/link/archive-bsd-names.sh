#!/bin/sh
# An archive with BSD names (#1/LENGTH, the name before the data) and a BSD symbol index.
# NEEDS: cc python3
. "$(dirname "$0")/lib.sh"
not_for "bfd" "it does not read a BSD index"

echo 'int f(void) { return 6; }' >f.c
echo 'int f(void); int main(void) { return f(); }' >m.c
cc -c f.c
cat >make.py <<'END'
import struct
def member(name, data):
    name += b"\0" * (-len(name) % 8)
    data = name + data
    head = b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (b"#1/%d" % len(name), 0, 0, 0, 0o644, len(data))
    return head + data + b"\n" * (len(data) % 2)
index = struct.pack("<III", 8, 0, 0) + struct.pack("<I", 8) + b"f\0\0\0\0\0\0\0"
at = 8 + len(member(b"__.SYMDEF", index))
index = struct.pack("<III", 8, 0, at) + struct.pack("<I", 8) + b"f\0\0\0\0\0\0\0"
open("lib.a", "wb").write(b"!<arch>\n" + member(b"__.SYMDEF", index)
                          + member(b"a member with a long BSD name.o", open("f.o", "rb").read()))
END
"$python3" make.py
cc m.c lib.a -o m
exits_with 6 ./m
