#!/bin/sh
# Below linkfs run, 32-bit programs are linked by the linker that was asked for, and told; they run, without a word of their
# dynamic linker about a library of another class, and what they start is below linkfs run all the same.
# NEEDS: gcc as ld.bfd env linker
. "$(dirname "$0")/lib-run.sh"
lfile() { run "$linkfs" run --linkfs=file -- "$@"; }

# A program that prints its environment and knows no library.
cat >env32.s <<'END_OF_SOURCE'
	.globl _start
_start:	mov (%esp), %eax
	lea 8(%esp,%eax,4), %esi	# envp
1:	mov (%esi), %ecx
	test %ecx, %ecx
	jz 3f
	xor %edx, %edx
2:	inc %edx
	cmpb $0, -1(%ecx,%edx)
	jne 2b
	movb $10, -1(%ecx,%edx)		# a newline for the end
	mov $1, %ebx
	mov $4, %eax
	int $0x80
	add $4, %esi
	jmp 1b
3:	xor %ebx, %ebx
	mov $1, %eax
	int $0x80
END_OF_SOURCE
as --32 env32.s -o env32.o
link_fails=$(run "$ld" -m elf_i386 env32.o -o env32 2>&1) && fail "it is linked"
echo "$link_fails" | grep -q 'unknown emulation: got .elf_i386., expected one of' || fail "refused by: $link_fails"
link_fails=$(run "$ld" env32.o -o env32 2>&1) && fail "it is linked"
echo "$link_fails" | grep -q 'env32.o: .*32 bit' || fail "refused by: $link_fails"
[ ! -e env32 ] || fail "something is there"
LINKFS_VERBOSE=1 lfile ld -m elf_i386 env32.o -o env32 2>said
has '^linkfs: env32: made by .*/ld: -m: unknown emulation' said
run ./env32 >out || skip "this kernel runs no 32-bit programs"

library=$LINKFS_BUILD/lib/linkfs/run/liblinkfs-run.so
export UNTOUCHED=1
[ -z "${LINKFS_SANITIZE:-}" ] || export ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" # linkfs is preloaded to, too
# started_by COMMAND...: it starts ./env32, which has all of the environment but the library.
started_by() {
	lfile "$@" >out 2>err || { cat err >&2; fail "status $?: $*"; }
	grep -qx 'UNTOUCHED=1' out || fail "the environment of: $*"
	grep -q '^COMPILER_PATH=.*libexec/linkfs/run' out || fail "COMPILER_PATH of: $*"
	! grep -F liblinkfs-run out || fail "the library is given to: $*"
}
started_by ./env32
! grep LD_PRELOAD= out || fail "what is empty is left"
started_by sh -c 'exec ./env32'
started_by env PATH="$PWD" env32
LD_PRELOAD=libm.so.6 started_by ./env32
grep -qx 'LD_PRELOAD=libm.so.6' out || fail "the rest of LD_PRELOAD"
LD_PRELOAD=libm.so.6 started_by sh -c 'LD_PRELOAD=$LD_PRELOAD:libc.so.6 ./env32'
grep -qx 'LD_PRELOAD=libm.so.6:libc.so.6' out || fail "the rest of LD_PRELOAD"
lfile env >out
grep -q "^LD_PRELOAD=.*$library" out || fail "it is not given to others"

# By a compiler that has the libraries.
cat >main.c <<'END_OF_SOURCE'
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
	printf("%d\n", (int)sizeof(void *));
	fflush(stdout);
	return system("ld --version >linker");
}
END_OF_SOURCE
gcc -m32 main.c -o main32 2>/dev/null || skip "gcc -m32 makes no program; all the rest is right"
rm main32
LINKFS_VERBOSE=1 lfile gcc -m32 main.c -o main32 2>said
has '^linkfs: main32: made by .*/ld: -m: unknown emulation' said
equal "$(lfile ./main32 2>&1)" 4 "what it says"
has linkfs linker
