#!/bin/sh
# test, cmp, add and the like on a GOT entry become immediates in position-dependent code; where they cannot, the GOT is
# used: the result is the same.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.globl check
check:	mov $data, %eax
	xor %ecx, %ecx
	cmpq data@GOTPCREL(%rip), %rax
	jne 1f
	testq %rax, data@GOTPCREL(%rip)
	je 1f
	mov $1, %ecx
	addq data@GOTPCREL(%rip), %rcx
	subq data@GOTPCREL(%rip), %rcx
	mov $-1, %r8
	andq data@GOTPCREL(%rip), %r8
	cmp %rax, %r8
	jne 1f
	add %ecx, %ecx
1:	mov %ecx, %eax
	ret
	.data
	.globl data
data:	.long 1
	.section .note.GNU-stack,"",@progbits
END
sed 's/mov $data, %eax/lea data(%rip), %rax/' a.s >b.s
echo 'int check(void); int main(void) { return check(); }' >m.c
cc -fno-pie -no-pie a.s m.c -o a
exits_with 2 ./a
cc -pie b.s m.c -o b
exits_with 2 ./b
check_elf a b
