#!/bin/sh
# Sections of one name with different flags, or with and without bytes, keep their bytes and can be
# written where asked for, whether joined into one or not.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.section mine,"a",@progbits
	.globl first
first:	.long 1
	.section .note.GNU-stack,"",@progbits
END
cat >b.s <<'END'
	.section mine,"aw",@nobits
	.globl second
second:	.skip 8
	.section .note.GNU-stack,"",@progbits
END
cat >c.s <<'END'
	.section mine,"aw",@progbits
	.globl third
third:	.long 3
	.section .note.GNU-stack,"",@progbits
END
echo 'extern int first, second[], third;
int main(void) { second[1]++; return first * 100 + second[0] * 10 + third; }' >m.c
cc a.s b.s c.s m.c -o m
exits_with 103 ./m
check_elf m
