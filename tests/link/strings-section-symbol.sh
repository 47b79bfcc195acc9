#!/bin/sh
# References to merged strings through the section symbol plus an addend reach the string meant, whatever the addend
# carries of the instruction's own displacement.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.section .rodata.str1.1,"aMS",@progbits,1
.L1:	.asciz "first"
.L2:	.asciz "second"
.L3:	.asciz "third"
	.text
	.globl get
get:	lea .L2(%rip), %rax
	cmpb $'s', .L2(%rip)
	jne 1f
	movl $0, .L4-1f+1b(%rip)
	ret
1:	xor %eax, %eax
	ret
	.data
.L4:	.long 0
	.globl table
table:	.quad .L1, .L2 + 3, .L3
	.section .note.GNU-stack,"",@progbits
END
sed -i '/L4-1f/d; /^\.L4/d' a.s
cat >m.c <<'END'
#include <stdio.h>
const char *get(void);
extern const char *table[];
int main(void) { printf("%s %s %s %s\n", get(), table[0], table[1], table[2]); return 0; }
END
echo 'const char *z = "zeroth first second";' >z.c
for mode in -no-pie -pie; do
	cc $mode z.c a.s m.c -o m
	run_is "second first ond third" ./m
	check_elf m
done
