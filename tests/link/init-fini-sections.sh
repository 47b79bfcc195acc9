#!/bin/sh
# Pieces of .init and .fini from crti.o, objects and crtn.o are joined in order into one function each.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.section .init,"ax",@progbits
	incl count(%rip)
	.section .fini,"ax",@progbits
	incl count(%rip)
	.bss
	.globl count
count:	.long 0
	.section .note.GNU-stack,"",@progbits
END
echo 'extern int count; int main(void) { return count; }' >m.c
cc a.s m.c -o m
exits_with 1 ./m
readelf -dW m >d
has '\(INIT\)' d
has '\(FINI\)' d
check_elf m
