#!/bin/sh
# A function of no instructions (gcc makes such .cold parts) has an FDE of the address of the one behind it: unwinding
# through that one finds the right FDE.
# NEEDS: cxx
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "they put both into the table: std::terminate"

cat >a.s <<'END'
	.text
	.globl through1, through2
	.type through1, @function
	.type through2, @function
before1: .cfi_startproc
	.cfi_endproc
through1: .cfi_startproc
	sub $8, %rsp
	.cfi_def_cfa_offset 16
	call thrower
	add $8, %rsp
	ret
	.cfi_endproc
	.section .text.two,"ax",@progbits
through2:
	.cfi_startproc
	sub $8, %rsp
	.cfi_def_cfa_offset 16
	call thrower
	add $8, %rsp
	ret
	.cfi_endproc
	.section .text.two,"ax",@progbits
	.subsection -1
before2: .cfi_startproc
	.cfi_endproc
	.section .note.GNU-stack,"",@progbits
END
cat >m.cc <<'END'
#include <cstdio>
extern "C" void through1(), through2();
extern "C" void thrower() { throw 5; }
int main()
{
	int sum = 0;
	try { through1(); } catch (int i) { sum += i; }
	try { through2(); } catch (int i) { sum += i; }
	std::printf("%d\n", sum);
}
END
cxx -fno-pie -no-pie a.s m.cc -o m
run_is 10 ./m
check_elf m
