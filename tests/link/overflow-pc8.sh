#!/bin/sh
# One-byte and two-byte relative references that do not reach are errors; those that do are stored.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.globl _start
_start:	jmp near
	.byte 0xeb
	.reloc ., R_X86_64_PC8, target - 1
	.byte 0
	.word 0x9090
	.section .text.b,"ax",@progbits
	.globl target
near:	nop
target:	ret
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
"$LD" a.o -o a
disas a _start >d
has 'jmp +[0-9a-f]+ <target>' d
sed 's/^near:/near: .skip 200;/' a.s >b.s
cc -c b.s
expect_error 'R_X86_64_PC8' "$LD" b.o -o b
has 'target' err
