#!/bin/sh
# make-corpus.sh - makes the seeds of the input layer's fuzz targets anew, from the compiler and ar at hand.
# Inputs that once broke a target stand beside them as bug-*, and are left alone.
set -eu

corpus=$(cd "$(dirname "$0")" && pwd)/corpus
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-cc}
mkdir -p "$corpus/object" "$corpus/archive" "$corpus/script" "$corpus/shlib"
cd "$work"

# compile NAME OPTION...: corpus/object/NAME from standard input.
compile() {
	name=$1
	shift
	"$cc" -w "$@" -c -o "$corpus/object/$name" -
}

echo 'int x; int *p = &x; static const char *s[] = { "a", "bc" }; const char **f(void) { return s; }' >c.c
compile data -O1 -x c <c.c
compile data-32 -O1 -x c -m32 <c.c
compile debug -g -x c <c.c
compile debug-compressed -g -gz -x c <c.c
compile debug-zstd -g -Wa,--compress-debug-sections=zstd -x c <c.c
compile debug-old -g -Wa,--compress-debug-sections=zlib-gnu -x c <c.c
compile lto -O1 -flto -x c <c.c
echo 'inline int g() { static int n; return n++; } int f() { return g(); }' | compile group -O1 -x c++
compile asm -x assembler <<'ASM'
	.section .note.gnu.property,"a",@note
	.align 8
	.long 4, 16, 5
	.asciz "GNU"
	.long 0xc0000002, 4, 3, 0
	.section .rodata.cst16,"aM",@progbits,16
	.octa 1, 2
	.section .text.a,"axo",@progbits,.data
	.reloc 4, R_X86_64_64, b
	.reloc 0, R_X86_64_64, c
	.quad 0, 0
	.comm common, 8, 8
	.weak w
	.section .tbss,"awT",@nobits
	.zero 8
	.section .x,"aG",@progbits,.Lsig
	.long w
	.symver f1, f@V1
	.symver f2, f@@V2
	.globl f1, f2
f1: f2:
ASM

cp "$corpus/object/data" a.o
cp "$corpus/object/group" a-member-with-a-long-name.o
rm -f "$corpus/archive/"[!b]*
ar rcD "$corpus/archive/gnu" a.o a-member-with-a-long-name.o
ar rcSD "$corpus/archive/gnu-without-index" a.o
ar rcD nested.a a-member-with-a-long-name.o
ar rcTD "$corpus/archive/thin" nested.a a.o
ar rcD "$corpus/archive/empty"
if command -v llvm-ar >/dev/null; then
	llvm-ar --format=bsd rcD "$corpus/archive/bsd" a.o a-member-with-a-long-name.o
fi

echo 'V1 { global: f; local: *; }; V2 { g; } V1;' >versions
cat >lib.c <<'C'
__asm__(".symver f1, f@V1\n.symver f2, f@@V2");
int f1(void) { return 1; }
int f2(void) { return 2; }
int g[100] = { 1 };
int puts(const char *);
int h(void) { return puts("x"); }
C
"$cc" -w -shared -fPIC -O1 -s -nostartfiles -Wl,-z,norelro,-z,noseparate-code,--hash-style=both -Wl,--version-script=versions \
	-Wl,-soname,libx.so.1,-rpath,/r -o "$corpus/shlib/versions" lib.c
"$cc" -w -shared -fPIC -O1 -s -nostartfiles -Wl,-z,norelro,-z,noseparate-code,--hash-style=gnu -nostdlib -x c -o lib.so - <<'C'
int g[100] = { 1 };
int puts(const char *);
int h(void) { return puts("x"); }
C
cp lib.so "$corpus/shlib/plain"
# No section headers: e_shoff, e_shnum and e_shstrndx are zero.
cp "$corpus/shlib/versions" "$corpus/shlib/no-sections"
printf '\0\0\0\0\0\0\0\0' | dd of="$corpus/shlib/no-sections" bs=1 seek=40 conv=notrunc status=none
printf '\0\0\0\0' | dd of="$corpus/shlib/no-sections" bs=1 seek=60 conv=notrunc status=none

cat >"$corpus/script/libc" <<'LD'
/* GNU ld script */
OUTPUT_FORMAT(elf64-x86-64)
GROUP ( /lib/libc.so.6 /usr/lib/libc_nonshared.a  AS_NEEDED ( /lib64/ld-linux-x86-64.so.2 ) )
LD
echo 'INPUT(a.o, -lm "b c.o");SEARCH_DIR(=/x);ENTRY(f) OUTPUT_ARCH(i386:x86-64) EXTERN(a b) TARGET(binary) OUTPUT(a.out)' \
	>"$corpus/script/commands"
printf '# comment\nV1 {\nglobal: f*; "g"; extern "C++" { std::*; "h(int)"; };\nlocal: *; };\nV2 { i; } V1;\n' >"$corpus/script/versions"
echo '{ f; extern "C++" { g*; }; };' >"$corpus/script/list"
