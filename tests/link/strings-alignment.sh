#!/bin/sh
# Strings of sections with larger alignment keep it; strings of another alignment are not confused with them.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.section .rodata.str1.32,"aMS",@progbits,1
	.balign 32
	.globl s1, s2, s3
s1:	.asciz "aligned string number one"
	.balign 32
s2:	.asciz "two"
	.section .rodata.str1.1,"aMS",@progbits,1
s3:	.asciz "two"
	.section .rodata.cst16,"aM",@progbits,16
	.globl c1, c2
	.balign 16
c1:	.octa 0x112233445566778899
c2:	.octa 5
	.section .note.GNU-stack,"",@progbits
END
sed 's/\([sc][123]\)\b/\1b/g' a.s >b.s
cat >m.c <<'END'
#include <stdio.h>
extern char s1[], s2[], s3[], s1b[], s2b[], s3b[];
extern long c1[], c2[], c1b[], c2b[];
int main(void)
{
	printf("%s %s %s %s %s %s %ld %ld ", s1, s2, s3, s1b, s2b, s3b, c2[0], c2b[0]);
	printf("%d\n", (int)(((long)s1 | (long)s2 | (long)s1b | (long)s2b) % 32 + ((long)c1 | (long)c2b) % 16 + (c1 != c1b)));
	return 0;
}
END
sed -i 's/.rodata.str1.32b/.rodata.str1.32/' b.s
cc -fno-pie -no-pie a.s b.s m.c -o m
run_is "aligned string number one two two aligned string number one two two 5 5 0" ./m
check_elf m
