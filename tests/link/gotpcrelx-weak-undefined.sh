#!/bin/sh
# A GOT load of an undefined weak symbol gives zero, in position-dependent and independent executables.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.weak nowhere
	.globl get
get:	movq nowhere@GOTPCREL(%rip), %rax
	test %rax, %rax
	jne 1f
	cmpq $0, nowhere@GOTPCREL(%rip)
	jne 1f
	mov $3, %eax
1:	ret
	.section .note.GNU-stack,"",@progbits
END
echo 'int get(void); int main(void) { return get(); }' >m.c
for mode in -no-pie -pie "-static -fno-pie" "-static-pie -fPIE"; do
	cc $mode a.s m.c -o m
	exits_with 3 ./m
	check_elf m
done
