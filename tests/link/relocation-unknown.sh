#!/bin/sh
# An unknown relocation type is an error that names file, section, offset and number.
# NEEDS: cc python3
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.globl _start
_start:	nop
	call other
	.section .note.GNU-stack,"",@progbits
END
printf '\t.globl other\nother:\tret\n' >b.s
cc -c a.s b.s
cat >patch.py <<'END'
import struct
b = bytearray(open("a.o", "rb").read())
shoff, = struct.unpack_from("<Q", b, 40)
shnum, = struct.unpack_from("<H", b, 60)
for i in range(shnum):
    typ, = struct.unpack_from("<I", b, shoff + 64 * i + 4)
    if typ == 4:
        off, = struct.unpack_from("<Q", b, shoff + 64 * i + 24)
        struct.pack_into("<I", b, off + 8, 201)
open("a.o", "wb").write(b)
END
"$python3" patch.py
expect_error '201|0xc9|0x49' "$LD" a.o b.o -o a
has 'a\.o' err
if is_linkfs; then has '\.text\+0x2' err; fi
