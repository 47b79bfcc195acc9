#!/bin/sh
# Padding between the pieces of .init, and between functions, can be executed or traps, but is not zeros: an aligned
# piece of .init runs.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "they fill with traps"

cat >a.s <<'END'
	.section .init,"ax",@progbits
	.balign 16
	incl count(%rip)
	.bss
	.globl count
count:	.long 0
	.section .note.GNU-stack,"",@progbits
END
echo 'extern int count; int main(void) { return count; }' >m.c
cc a.s m.c -o m
exits_with 1 ./m
check_elf m
