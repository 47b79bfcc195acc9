#!/bin/sh
# Intermediate code beside machine code: references both ways, assembly, weak and common symbols, COMDAT, whichever is first.
# NEEDS: lto
. "$(dirname "$0")/lib.sh"
not_for lld "it does not take GCC's plugin"

cat >a.c <<'X'
#include <stdio.h>
int from_asm(int), native(int), twice(int);
__attribute__((weak, noipa)) int weak_in_both(void) { return 1; }
__attribute__((weak, noipa)) int weak_here(void) { return 2; }
__attribute__((weak)) int absent(void);
int common_one, common_two;
int called_from_native(int x) { return x + 100; }
int used_by_asm = 7;
int main(void)
{
	common_one += 3;
	printf("%d %d %d %d %d %d %d %d\n", from_asm(1), native(1), twice(4), weak_in_both(), weak_here(), common_one, common_two,
	       absent ? absent() : -1);
}
X
cat >n.c <<'X'
int called_from_native(int);
int weak_here(void) { return 22; }
__attribute__((weak)) int weak_in_both(void) { return 11; }
int common_one, common_two = 9;
int native(int x) { return called_from_native(x); }
X
cat >s.s <<'X'
	.globl from_asm
from_asm:
	movl used_by_asm(%rip), %eax
	addl %edi, %eax
	ret
	.section .text.twice,"axG",@progbits,twice,comdat
	.weak twice
twice:	lea (%rdi,%rdi), %eax
	ret
	.section .note.GNU-stack,"",@progbits
X
case $(uname -m) in x86_64) ;; *) skip "its assembly is for x86-64" ;; esac
gcc -flto -O2 -fcommon -c a.c
gcc -O2 -fcommon -c n.c s.s
for order in "a.o n.o s.o" "s.o n.o a.o"; do
	case $order in a*) both=1 ;; *) both=11 ;; esac
	# shellcheck disable=SC2086 # a list
	cc -flto -O2 $order -o prog
	run_is "8 101 8 $both 22 3 9 -1" ./prog
	check_elf prog
done
