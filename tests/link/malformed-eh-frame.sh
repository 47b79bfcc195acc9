#!/bin/sh
# A damaged .eh_frame is an error that names file and section, not a crash.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd mold" "they warn or crash"

cat >a.s <<'END'
	.globl _start
_start:	ret
	.section .eh_frame,"a",@progbits
	.long 0x7000
	.long 0
	.byte 1
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
expect_error 'a\.o' "$LD" --eh-frame-hdr a.o -o a
has 'eh_frame|CIE|FDE' err
