#!/bin/sh
# Symbols that cannot mean what is asked of them.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd lld mold" "they refuse less"

# A library's thread-local variable has no address in the executable: it can neither be copied nor pointed at.
printf '__thread int t = 1;' | gcc -shared -fPIC -x c -o libt.so -
printf '\t.globl _start\n_start:\tmov t(%%rip), %%eax\n' >tls.s
gcc -c tls.s
expect_error 'tls\.o:\(\.text\+0x2\): .* against .t. takes the address of a thread-local' "$LD" -o tls tls.o libt.so

# The call of a TLS sequence is none itself: who belongs to whom must not depend on where one starts to read.
cat >chain.s <<'END'
	.globl _start
_start:	.byte 0x66, 0x48, 0x8d, 0x3d
	.reloc ., R_X86_64_TLSGD, t - 4
	.long 0
	.byte 0x66, 0x66, 0x48, 0xe8
	.reloc ., R_X86_64_TLSGD, __tls_get_addr - 4
	.long 0
	.byte 0x66, 0x66, 0x48, 0xe8
	.reloc ., R_X86_64_PLT32, __tls_get_addr - 4
	.long 0
	.section .tbss,"awT",@nobits
t:	.long 0
END
gcc -c chain.s
expect_error 'chain\.o:\(\.text\+0x4\): .* malformed general-dynamic TLS access' "$LD" -static -o chain chain.o

# A thin archive's member that is a library.
printf 'extern int t; int *_start(void) { return &t; }' | gcc -c -x c -o a.o -
ar rcT thin.a libt.so
expect_error 'thin\.a\(libt\.so\): is not a relocatable object' "$LD" --whole-archive -o thin a.o thin.a
