#!/bin/sh
# A GOT load, call or jump of a symbol of the output becomes direct (GOTPCRELX, REX_GOTPCRELX), for every register.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.globl main, relaxed, other
main:	push %rbx
	movq data@GOTPCREL(%rip), %rax
	movq data@GOTPCREL(%rip), %r9
	movq data@GOTPCREL(%rip), %rsp
	call *other@GOTPCREL(%rip)
	jmp *other@GOTPCREL(%rip)
relaxed: sub $8, %rsp
	movq data@GOTPCREL(%rip), %rax
	movq data@GOTPCREL(%rip), %r15
	movl (%rax), %edi
	addl (%r15), %edi
	call *other@GOTPCREL(%rip)
	add $8, %rsp
	ret
other:	lea 1(%rdi), %eax
	ret
	.data
	.hidden data
	.globl data
data:	.long 20
	.section .note.GNU-stack,"",@progbits
END
echo 'int relaxed(void); int main2(void); int main(void) { return relaxed(); }' >m.c
sed -i 's/\bmain\b/main2/' a.s
for mode in -pie -no-pie; do
	cc -fPIE $mode a.s m.c -o m
	exits_with 41 ./m
	disas m relaxed >d
	disas m main2 >>d
	equal "$(grep -c 'lea .*<data>\|mov \+\$0x' d)" 5 "relaxed loads"
	has 'call +[0-9a-f]+ <other>' d
	has 'jmp +[0-9a-f]+ <other>' d
	check_elf m
done
