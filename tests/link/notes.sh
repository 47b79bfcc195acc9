#!/bin/sh
# Note sections of different alignment lie in PT_NOTE segments that readers can walk.
# NEEDS: cc elfutils
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.section .note.four,"a",@note
	.balign 4
	.long 5, 3, 77
	.asciz "Four"
	.balign 4
	.byte 1, 2, 3
	.balign 4
	.section .note.eight,"a",@note
	.balign 8
	.long 6, 8, 88
	.asciz "Eight"
	.balign 8
	.quad 1
	.section .note.GNU-stack,"",@progbits
END
echo 'int main(void) { return 0; }' >m.c
cc a.s m.c -o m
./m
eu-readelf -n m >n 2>&1
has 'Four' n
has 'Eight' n
check_elf m
