#!/bin/sh
# make-corpus-link.sh - makes the seeds of fuzz_link anew, from the compiler, as and ar at hand: each the three header
# bytes (fuzz_link.c) and one or two small files. Inputs that once broke the target stand beside them as bug-*, and are
# left alone. With a folder as argument it writes there.
set -eu

corpus=${1:-$(cd "$(dirname "$0")" && pwd)/corpus/link}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-cc}
mkdir -p "$corpus"
corpus=$(cd "$corpus" && pwd)
cd "$work"

# seed NAME VARIANT FILE [FILE]
seed() {
	split=0
	if [ $# = 4 ]; then
		first=$(wc -c <"$3")
		rest=$((first + $(wc -c <"$4")))
		# The first file is padded until its length is a whole number of 255ths of the rest.
		pad=0
		while :; do
			split=$(((first + pad) * 255 / (rest + pad) + 1))
			[ "$split" -lt 255 ] || break
			[ $(((rest + pad) * split / 255)) != $((first + pad)) ] || break
			pad=$((pad + 1))
		done
	fi
	{
		# shellcheck disable=SC2059
		printf "\\$(printf %o "$2")\\1\\$(printf %o "$split")"
		cat "$3"
		if [ $# = 4 ]; then
			head -c "$pad" /dev/zero
			cat "$4"
		fi
	} >"$corpus/$1"
}

# compile NAME OPTION...: NAME.o from standard input.
compile() {
	out=$1
	shift
	"$cc" -w "$@" -c -o "$out.o" -
}

compile tls -O1 -fPIC -ftls-model=global-dynamic -x c <<'C'
__thread int t = 3, u; static __thread int s = 1;
int f(void) { return t + u + s; }
C
compile tls-desc -O1 -fPIC -mtls-dialect=gnu2 -x c <<'C'
__thread int t = 3; extern __thread int e;
int f(void) { return t + e; }
C
compile tls-local -O1 -x c <<'C'
static __thread int s = 1, z; __thread int t; int f(void) { return s + z + t; }
C
compile comdat -O1 -fno-asynchronous-unwind-tables -x c++ <<'C'
inline int g() { static int n; return n++; } int f() { return g(); }
C
compile frames -O1 -fexceptions -ffunction-sections -x c++ <<'C'
extern "C" int f(int); struct d { ~d() { f(1); } }; int f(int i) { d x; if (i) throw i; return f(2); } int x;
C
compile strings -O1 -fno-asynchronous-unwind-tables -x c <<'C'
const char *x[] = { "a", "bcd", "cd" }; const char *f(void) { return "bcd"; } double g(double a) { return a * 1.5 + 2.5; }
const int *h(void) { return (const int *)L"wide"; }
C
compile debug -g -O1 -fdebug-prefix-map="$work"=/src -x c <<'C'
struct s { int a; } x; int f(struct s *p) { return p->a + x.a; }
C
compile packed -g -gz=zlib -O1 -fdebug-prefix-map="$work"=/src -x c <<'C'
struct s { int a, b, c; long long_member_name; } x; int f(struct s *p) { return p->a + x.long_member_name; }
C
compile packed-zstd -g -O1 -fdebug-prefix-map="$work"=/src -x c <<'C'
struct s { int a, b, c; long long_member_name; } y; int g(struct s *p) { return p->a + y.long_member_name; }
C
objcopy --compress-debug-sections=zstd packed-zstd.o
compile ifunc -O1 -fno-asynchronous-unwind-tables -x c <<'C'
static int one(void) { return 1; } static void *choose(void) { return one; } int f(void) __attribute__((ifunc("choose")));
static int lf(void) __attribute__((ifunc("choose"))); int (*x)(void) = f; int (*y)(void) = lf; int g(void) { return f() + lf(); }
C
compile commons -O1 -fcommon -fno-asynchronous-unwind-tables -x c <<'C'
int x; char environ[100]; long aligned[4] __attribute__((aligned(64))); __thread int t; int f(void) { return x; }
C
compile medium -O1 -mcmodel=medium -fpic -fno-asynchronous-unwind-tables -x c <<'C'
int x[100000]; static int y[100000]; int *f(void) { return x + y[1]; }
C
compile asm -x assembler <<'ASM'
	.section .note.gnu.property,"a",@note
	.align 8
	.long 4, 16, 5
	.asciz "GNU"
	.long 0xc0000002, 4, 3, 0
	.section .rodata.cst16,"aM",@progbits,16
	.octa 1, 2, 1
	.section .rodata.s2,"aMS",@progbits,2
1:	.short 65, 66, 0, 66, 0
	.text
	.globl f
f:	call *g@GOTPCREL(%rip)
	mov w@GOTPCREL(%rip), %rax
	movq x@GOTPCREL(%rip), %rax
	addq x@GOTPCREL(%rip), %rbx
	movabs $x - f, %rax
	lea 1b + 4(%rip), %rax
	mov $x, %eax
	jmp g
	.section .text.a,"axo",@progbits,.text
g:	.reloc 4, R_X86_64_PC32, x
	.reloc 0, R_X86_64_32S, w
	.quad 0, 0
	.comm common, 8, 8
	.weak w
	.section .tbss,"awT",@nobits
	.zero 8
	.section .init_array,"aw",@init_array
	.quad f
	.section .init_array.7,"aw",@init_array
	.quad g
	.section names,"a",@progbits
	.quad __start_names, __stop_names, __bss_start, _end, _DYNAMIC, __ehdr_start, _GLOBAL_OFFSET_TABLE_
	.section .text.x,"aG",@progbits,.Lsig
	.long w - .
	.section .keep,"aR",@progbits
	.long 1
	.section .gone,"e",@progbits
	.long 2
	.data
	.globl x
x:	.quad x + 1, x@size, f@gotoff
	.long f@plt, x@gotpcrel
	.size x, 40
	.symver f, f@@V1
	.section .eh_frame,"a",@unwind
	.long 12, 0
	.byte 1, 0, 1, 8, 16, 0, 0, 0
	.long 16, 20, f - ., 4, 0
	.long 0
ASM
# Relocations over each other: whoever relaxes must not see what others wrote.
compile overlap -x assembler <<'ASM'
	.globl f
f:	.quad 0, 0
	.rept 10
	.byte 0x48, 0x8b, 0x05
	.endr
	.quad 0, 0
	.irp k, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
	.reloc 14 + 3 * \k, R_X86_64_64, x
	.reloc 19 + 3 * \k, R_X86_64_REX_GOTPCRELX, x - 4
	.reloc 19 + 3 * \k, R_X86_64_PC32, x
	.endr
	.data
x:	.quad 0
ASM
compile refs -O1 -fPIC -fno-asynchronous-unwind-tables -x c <<'C'
extern int f(void), x, *y, environ; extern __thread int t; int *p = &x; int (*q)(void) = f;
int main(void) { return f() + x + *y + t + environ; }
C
compile refs-abs -O1 -fno-pic -fno-pie -fno-asynchronous-unwind-tables -x c <<'C'
extern int f(void), x; extern __thread int t; int *p = &x; int (*q)(void) = f; int main(void) { return f() + x + t; }
C
compile wide -O0 -x assembler <<'ASM'
	.altmacro
	.macro sec n
	.section .text.s\n,"ax",@progbits
l\n:	.quad l\n
	.endm
	.set i, 0
	.rept 40
	sec %i
	.set i, i + 1
	.endr
ASM
echo 'int x[3] = { 1 }; int f(void) { return x[1]; } __thread int t; int y, environ;' >lib.c
"$cc" -w -shared -fPIC -O1 -s -nostdlib -Wl,-z,norelro,-z,noseparate-code,--hash-style=gnu -o lib.so lib.c
echo 'V1 { f; }; V2 { x; };' >versions
"$cc" -w -shared -fPIC -O1 -s -nostdlib -Wl,-z,norelro,-z,noseparate-code,--hash-style=both -Wl,--version-script=versions \
	-o versioned.so lib.c
ar rcD lib.a tls.o refs.o commons.o

seed tls-static 0 tls.o
seed tls-shared 2 tls.o refs.o
seed tls-desc 2 tls-desc.o
seed tls-desc-pie 4 tls-desc.o tls.o
seed tls-local 1 tls-local.o refs.o
seed comdat 3 comdat.o comdat.o
seed frames 4 frames.o
seed frames-static 7 frames.o frames.o
seed strings 0 strings.o asm.o
seed strings-o0 6 strings.o
seed debug 3 debug.o debug.o
seed packed 1 packed.o packed-zstd.o
seed ifunc 0 ifunc.o refs-abs.o
seed ifunc-pie 8 ifunc.o refs.o
seed ifunc-shared 9 ifunc.o refs.o
seed commons 10 commons.o refs-abs.o
seed medium 11 medium.o
seed asm 7 asm.o refs-abs.o
seed asm-strip 10 asm.o
seed asm-gc 3 asm.o
seed overlap 3 overlap.o
seed many 13 wide.o
seed lib-pie 1 refs.o lib.so
seed lib-no-pie 7 refs-abs.o lib.so
seed lib-versioned 4 refs.o versioned.so
seed lib-only 2 lib.so
seed lib-copies 10 versioned.so refs-abs.o
seed archive 1 refs.o lib.a
seed archive-whole 11 lib.a
