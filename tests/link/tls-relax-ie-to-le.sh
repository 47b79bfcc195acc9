#!/bin/sh
# Initial exec code for the executable's own variables becomes local exec, for movq and addq and every register, r12 and
# rsp among them.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "mold 1.10 does not relax it"

cat >gen.sh <<'END'
echo '	.globl check
check:	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; mov %rsp, saved(%rip)
	xor %eax, %eax; mov %rax, count(%rip)'
for r in rbx rcx rdx rsi rdi rbp r8 r9 r10 r11 r12 r13 r14 r15 rsp; do
	echo "	movq var@GOTTPOFF(%rip), %$r
	mov %$r, %rax
	mov %fs:(%rax), %eax
	add %rax, count(%rip)
	mov %fs:0, %$r
	addq var@GOTTPOFF(%rip), %$r
	mov (%$r), %eax
	add %rax, count(%rip)"
done
echo '	mov saved(%rip), %rsp; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx
	mov count(%rip), %rax
	ret
	.bss
saved:	.quad 0
count:	.quad 0
	.section .tdata,"awT",@progbits
	.globl var
	.long 1
var:	.long 3
	.section .note.GNU-stack,"",@progbits'
END
sh gen.sh >a.s
echo 'int check(void); int main(void) { return check(); }' >m.c
for mode in -no-pie -pie; do
	cc $mode a.s m.c -o m
	exits_with 90 ./m
	disas m check | grep -v "<saved>" >d
	hasnt 'mov +0x[0-9a-f]+\(%rip\),%r(bx|cx|12|13|sp)' d
	readelf -rW m >r
	hasnt 'TPOFF64' r
	check_elf m
done
