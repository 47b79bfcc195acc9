#!/bin/sh
# Named defects of an object give an error that tells file and section: section beyond the file, a bad symbol index, a
# relocation outside its section, a string table without end, a group without members.
# NEEDS: cc python3
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "each misses some of them"

cat >a.s <<'END'
	.globl _start
_start:	call other
	.section .text.g,"axG",@progbits,g,comdat
	.globl g
g:	ret
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s -o good.o
cat >patch.py <<'END'
import struct, sys
b = bytearray(open("good.o", "rb").read())
shoff, = struct.unpack_from("<Q", b, 40)
shnum, shstrndx = struct.unpack_from("<HH", b, 60)
sec = {}
for i in range(shnum):
    f = list(struct.unpack_from("<IIQQQQIIQQ", b, shoff + 64 * i))
    stroff, = struct.unpack_from("<Q", b, shoff + 64 * shstrndx + 24)
    name = b[stroff + f[0]:b.index(0, stroff + f[0])].decode()
    sec[name] = (shoff + 64 * i, f)
def put(name, field, value, fmt="<Q"):
    struct.pack_into(fmt, b, sec[name][0] + field, value)
what = sys.argv[1]
if what == "beyond": put(".text", 32, 1 << 40)
elif what == "offset": put(".text", 24, 0xFFFFFFFFFFFFFFF0)
elif what == "symbol": struct.pack_into("<I", b, sec[".rela.text"][1][4] + 12, 10000)
elif what == "reloc": struct.pack_into("<Q", b, sec[".rela.text"][1][4], 4)
elif what == "far": struct.pack_into("<Q", b, sec[".rela.text"][1][4], 1 << 60)
elif what == "strings": b[sec[".strtab"][1][4] + sec[".strtab"][1][5] - 1] = 65
elif what == "symsize": put(".symtab", 32, sec[".symtab"][1][5] - 5)
elif what == "symlink": put(".symtab", 40, 200, "<I")
elif what == "syminfo": put(".symtab", 44, 5000, "<I")
elif what == "shndx": struct.pack_into("<H", b, sec[".symtab"][1][4] + 24 * (sec[".symtab"][1][5] // 24 - 1) + 6, 900)
elif what == "name": struct.pack_into("<I", b, sec[".symtab"][1][4] + 24 * (sec[".symtab"][1][5] // 24 - 1), 90000)
elif what == "group": struct.pack_into("<I", b, sec[".group"][1][4] + 4, 900)
elif what == "signature": put(".group", 44, 900, "<I")
elif what == "align": put(".text", 48, 3)
elif what == "relatarget": put(".rela.text", 44, 900, "<I")
elif what == "relaentry": put(".rela.text", 56, 17)
elif what == "shnum": struct.pack_into("<H", b, 60, 60000)
elif what == "shstrndx": struct.pack_into("<H", b, 62, 500)
elif what == "class": b[4] = 1
elif what == "order": b[5] = 2
elif what == "type": b[16] = 9
open("broken.o", "wb").write(b)
END
for what in beyond offset symbol reloc far strings symsize symlink syminfo shndx name group signature align relatarget \
	relaentry shnum shstrndx class order type; do
	"$python3" patch.py $what
	echo "defect: $what"
	expect_error 'broken\.o' "$LD" -shared broken.o -o out
	[ ! -e out ] || fail "an output was made with the defect $what"
done
