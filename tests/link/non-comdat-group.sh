#!/bin/sh
# A section group that is not COMDAT is linked whole from each object that has one.
# NEEDS: cc python3
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.section .data.NAME,"awG",@progbits,same_signature,comdat
	.globl NAME
NAME:	.long VALUE
	.section .note.GNU-stack,"",@progbits
END
sed 's/NAME/one/; s/VALUE/1/' a.s >one.s
sed 's/NAME/two/; s/VALUE/2/' a.s >two.s
echo 'extern int one, two; int main(void) { return one * 10 + two; }' >m.c
sed -i 's/NAME/one/' one.s
sed -i 's/NAME/two/' two.s
cc -c one.s two.s m.c
cat >patch.py <<'END'
import struct, sys
for name in sys.argv[1:]:
    b = bytearray(open(name, "rb").read())
    shoff, = struct.unpack_from("<Q", b, 40)
    for i in range(struct.unpack_from("<H", b, 60)[0]):
        typ, = struct.unpack_from("<I", b, shoff + 64 * i + 4)
        if typ == 17:
            off, = struct.unpack_from("<Q", b, shoff + 64 * i + 24)
            struct.pack_into("<I", b, off, 0)
    open(name, "wb").write(b)
END
"$python3" patch.py one.o two.o
cc m.o one.o two.o -o m
exits_with 12 ./m
