#!/bin/sh
# The first group of a name on the command line wins, as a whole: no member of a later one is linked.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

for n in 1 2; do
	cat >$n.s <<END
	.section .text.f,"axG",@progbits,f,comdat
	.weak f
f:	mov \$$n, %eax
	ret
	.section .data.extra$n,"awG",@progbits,f,comdat
	.weak extra$n
extra$n:	.quad f
	.section .note.GNU-stack,"",@progbits
END
done
cat >m.c <<'END'
int f(void);
extern char extra1[] __attribute__((weak)), extra2[] __attribute__((weak));
int main(void) { return f() + (extra1 ? 10 : 0) + (extra2 ? 20 : 0); }
END
cc -fPIE -c 1.s 2.s m.c
cc m.o 1.o 2.o -o a
exits_with 11 ./a
cc 2.o m.o 1.o -o b
exits_with 22 ./b
check_elf a b
