#!/bin/sh
# A reference that just fits is linked, one a byte further is an error: 8, 16 and 32 bits, signed and unsigned.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.globl _start
_start:	ret
	.data
	.byte value8
	.word value16
	.long value32
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
good() { "$LD" a.o --defsym=value8=$1 --defsym=value16=$2 --defsym=value32=$3 -o a || fail "rejected: $*"; }
bad() {
	expect_error "value$1" "$LD" a.o --defsym=value8=$2 --defsym=value16=$3 --defsym=value32=$4 -o a
	has 'out of range|truncated to fit|overflow' err
}
good 0xff 0xffff 0xffffffff
good 0x7f 0x7fff 0x7fffffff
equal "$(section_hex a .data | cut -c1-14)" "7fff7fffffff7f" "the bytes stored"
bad 8 0x100 0 0
bad 16 0 0x10000 0
bad 32 0 0 0x100000000
