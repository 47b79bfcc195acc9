#!/bin/sh
# A reference whose addend alone takes it out of reach is found in a small image; a large addend that fits is linked.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.globl _start, data
_start:	lea data+ADDEND(%rip), %rax
	ret
	.data
data:	.long 1
	.section .note.GNU-stack,"",@progbits
END
sed 's/ADDEND/0x7ffffff0/' a.s >bad.s
sed 's/ADDEND/0x7fff0000/' a.s >good.s
cc -c good.s bad.s
"$LD" good.o -o good
expect_error 'out of range|truncated to fit|overflow' "$LD" bad.o -o bad
has 'R_X86_64_PC32' err
has 'data' err
