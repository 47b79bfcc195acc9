#!/bin/sh
# Member names beyond 15 characters (in the // table), of odd size, and with spaces.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >f.s <<'END'
	.globl f
f:	mov $1, %eax
	ret
	.section .note.GNU-stack,"",@progbits
	.section odd,"",@progbits
	.byte 1
END
echo 'int g(void) { return 2; }' >g.c
echo 'int f(void), g(void); int main(void) { return f() + g(); }' >m.c
cc -c f.s -o a-rather-long-member-name-of-many-letters.o
printf '\0' >>a-rather-long-member-name-of-many-letters.o
cc -c g.c -o 'another one with spaces in its name.o'
ar rc lib.a a-rather-long-member-name-of-many-letters.o 'another one with spaces in its name.o'
cc m.c lib.a -o m
exits_with 3 ./m
