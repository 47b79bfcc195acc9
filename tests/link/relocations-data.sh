#!/bin/sh
# 8-, 16-, 32- and 64-bit absolute and relative data relocations, with positive and negative addends, sizes too.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.data
	.globl target, check
	.balign 16
	.skip 32
target:	.skip 16
	.size target, 16
abs64:	.quad target + 5
abs64n:	.quad target - 7
abs32:	.long target + 3
here32:	.long target - .
here64:	.quad target - . + 9
size64:	.quad target@SIZE
size32:	.long target@SIZE + 1
	.text
check:	lea target(%rip), %rdx
	lea 5(%rdx), %rcx
	cmp %rcx, abs64(%rip)
	jne 1f
	lea -7(%rdx), %rcx
	cmp %rcx, abs64n(%rip)
	jne 1f
	mov abs32(%rip), %ecx
	sub $3, %rcx
	cmp %rcx, %rdx
	jne 1f
	movslq here32(%rip), %rcx
	lea here32(%rip), %rsi
	add %rsi, %rcx
	cmp %rcx, %rdx
	jne 1f
	lea here64-9(%rip), %rsi
	add here64(%rip), %rsi
	cmp %rsi, %rdx
	jne 1f
	cmpq $16, size64(%rip)
	jne 1f
	cmpl $17, size32(%rip)
	jne 1f
	cmpw $0x1234, target - 40000 + 40000(%rip)
	xor %eax, %eax
	ret
1:	mov $1, %eax
	ret
	.section .note.GNU-stack,"",@progbits
END
echo 'int check(void); int main(void) { return check(); }' >m.c
cc -fno-pie -no-pie a.s m.c -o m
./m
check_elf m
