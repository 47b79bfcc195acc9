#!/bin/sh
# A direct call of an undefined weak function, never executed, links in every kind of executable.
# NEEDS: cc static static-pie
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.weak nowhere
	.globl f
f:	test %rdi, %rdi
	je 1f
	call nowhere
	call nowhere@PLT
1:	ret
	.data
	.globl pointer
pointer: .quad nowhere
	.section .note.GNU-stack,"",@progbits
END
echo 'void f(long); extern long pointer; int main(void) { f(0); return pointer != 0; }' >m.c
for mode in "-fno-pie -no-pie" "-fno-pie -static" "-fPIE -pie" "-fPIE -static-pie"; do
	cc $mode a.s m.c -o m
	./m
	check_elf m
done
