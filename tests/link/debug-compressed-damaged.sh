#!/bin/sh
# Compressed sections that cannot be decompressed are errors of the link, each with file, member, section and reason, and
# no output is made. Where debug sections are stripped their streams are not looked at.
# NEEDS: cc python3
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "each misses some of them, and their words differ"

cat >make.py <<'E'
# make.py WHAT OUT: a.o with .debug_x replaced by a compressed one with the defect WHAT
import re, struct, sys, zlib
what, out = sys.argv[1:]
text = b"some bytes that are worth compressing " * 20 + b"\0"
stream = zlib.compress(text)
kind, size, align = 1, len(text), 1
if what == "cut": stream = stream[:-9]
elif what == "short": size += 1
elif what == "long": size -= 1
elif what == "type": kind = 3
elif what == "zstd": kind = 2
elif what == "align": align = 3
elif what == "ratio": size = 1032 * (len(stream) + 1)
elif what == "huge": size = 1 << 40
elif what == "bits": stream = stream[:12] + bytes([stream[12] ^ 0xff]) + stream[13:]
elif what == "check": stream = stream[:-1] + bytes([stream[-1] ^ 1])
elif what == "open": stream = zlib.compress(text[:-1] + b"x")
elif what == "header": stream = None
data = struct.pack("<IIQQ", kind, 0, size, align) + stream if stream else b"1234"
if what.startswith("old"):
    data = b"ZLIB" + struct.pack(">Q", size + (what == "old-short")) + stream
name, flags = (".zdebug_x", "") if what.startswith("old") else (".debug_x", "MSC")
with open(out, "w") as f:
    f.write('\t.section %s,"%s",@progbits%s\n' % (name, "MS" if flags else "", ",1" if flags else ""))
    f.write("\t.byte " + ",".join(map(str, data)) + "\n")
    f.write('\t.section .note.GNU-stack,"",@progbits\n')
E
cat >mark.py <<'E'
# mark.py OBJECT: sets SHF_COMPRESSED of .debug_x, for assemblers that do not know it
import struct, sys
b = bytearray(open(sys.argv[1], "rb").read())
shoff, = struct.unpack_from("<Q", b, 40)
shnum, shstrndx = struct.unpack_from("<HH", b, 60)
names, = struct.unpack_from("<Q", b, shoff + 64 * shstrndx + 24)
for at in range(shoff, shoff + 64 * shnum, 64):
    name, = struct.unpack_from("<I", b, at)
    if b[names + name:].startswith(b".debug_x\0"):
        flags, = struct.unpack_from("<Q", b, at + 8)
        struct.pack_into("<Q", b, at + 8, flags | 0x800)
open(sys.argv[1], "wb").write(b)
E
echo 'int main(void) { return 0; }' >m.c
cc -c m.c

craft() {	# what: x.o
	"$python3" make.py "$1" x.s
	cc -c x.s
	"$python3" mark.py x.o
}

for good in none old; do
	craft $good
	cc m.o x.o -o m
	./m
	objcopy -O binary --only-section=.debug_x --set-section-flags .debug_x=alloc m text
	equal "$(tr -d '\0' <text | wc -c)" 760 "$good: .debug_x has other bytes"
done

damaged() {	# what, where, reason
	echo "defect: $1"
	craft "$1"
	rm -f m lib.a
	expect_error "x\.o:\($2\+0x[0-9a-f]+\): $3" cc m.o x.o -o m
	[ ! -e m ] || fail "an output was made with the defect $1"
	ar rc lib.a x.o
	expect_error "lib\.a\(x\.o\):\($2\+" cc m.o -Wl,--whole-archive lib.a -Wl,--no-whole-archive -o m
}
damaged cut '\.debug_x' 'cannot decompress: the stream is too short: got 0x[0-9a-f]+ bytes, expected 0x2f9'
damaged short '\.debug_x' 'cannot decompress: the stream is too short: got 0x2f9 bytes, expected 0x2fa'
damaged long '\.debug_x' 'cannot decompress: the stream is longer than its header says: got 0x2f8 bytes'
damaged bits '\.debug_x' 'cannot decompress: [a-z]'
damaged check '\.debug_x' 'cannot decompress: incorrect data check'
damaged zstd '\.debug_x' 'cannot decompress: [A-Z]'
damaged type '\.debug_x' 'cannot decompress: type 3: expected 1 \(zlib\) or 2 \(zstd\)'
damaged align '\.debug_x' 'cannot decompress: alignment is 0x3'
damaged ratio '\.debug_x' 'cannot decompress: 0x[0-9a-f]+ bytes from 0x[0-9a-f]+: more than any stream can hold'
damaged huge '\.debug_x' 'cannot decompress: 0x10000000000 bytes'
damaged header '\.debug_x' 'compressed section: is allocated, empty or shorter than its header'
damaged open '\.debug_x' 'string is not null terminated'
damaged old-short '\.zdebug_x' 'cannot decompress: the stream is too short'

craft bits
cc -s m.o x.o -o m
./m
