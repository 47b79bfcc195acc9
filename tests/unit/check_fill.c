/* check_fill.c - fill(plan, range): the bytes of a range are the same however the output is cut (DESIGN.md, P1).
 *
 * Images of a few KB hold every relaxed sequence, every kind of synthetic section, unsorted relocation tables and dead
 * targets. One fill of the whole is the reference; then the image is cut at every byte, looked at through every window
 * of 1, 7 and 64 bytes, through random ones, and by several threads at once. What must have been relaxed is looked for,
 * so that a sequence that no longer is does not hide here.
 */
#include <check.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linked.h"
#include "render.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))
enum { TIMEOUT_SEC = 120, THREADS = 4, RANDOM_WINDOWS = 1000, NEAR = 400, CALM = 0xa5 };

/* --- What the images are made of ------------------------------------------------------------------------------- */

/* Every way to reach thread-local data: VAR and SECTION are macro arguments, so that symbols of every kind meet them. */
#define TLS_MACROS                                                                                                     \
	" .macro large_call\n"                                                                                   \
	" movabsq $__tls_get_addr@PLTOFF, %rax\n"                                                                \
	" addq %rbx, %rax\n"                                                                                     \
	" call *%rax\n"                                                                                          \
	" .endm\n"                                                                                               \
	" .macro large_call_r15\n"                                                                               \
	" movabsq $__tls_get_addr@PLTOFF, %rax\n"                                                                \
	" addq %r15, %rax\n"                                                                                     \
	" call *%rax\n"                                                                                          \
	" .endm\n"                                                                                               \
	" .macro general var\n"                                                                                  \
	" .byte 0x66\n leaq \\var@tlsgd(%rip), %rdi\n"                                                        \
	" .value 0x6666\n rex64\n call __tls_get_addr@PLT\n"                                                     \
	" .byte 0x66\n leaq \\var@tlsgd(%rip), %rdi\n"                                                        \
	" .byte 0x66\n rex64\n call *__tls_get_addr@GOTPCREL(%rip)\n"                                         \
	" .byte 0x66\n leaq \\var@tlsgd(%rip), %rdi\n"                                                        \
	" .byte 0x66, 0x48, 0x67, 0xe8\n .reloc ., R_X86_64_PLT32, __tls_get_addr - 4\n .long 0\n"                     \
	" leaq \\var@tlsgd(%rip), %rdi\n large_call\n"                                                          \
	" leaq \\var@tlsgd(%rip), %rdi\n large_call_r15\n"                                                      \
	" .endm\n"                                                                                               \
	" .macro module var\n"                                                                                   \
	" leaq \\var@tlsld(%rip), %rdi\n call __tls_get_addr@PLT\n leaq \\var@dtpoff(%rax), %rdx\n"       \
	" leaq \\var@tlsld(%rip), %rdi\n call *__tls_get_addr@GOTPCREL(%rip)\n"                                 \
	" leaq \\var@tlsld(%rip), %rdi\n large_call\n movabsq $\\var@dtpoff, %rdx\n"                         \
	" .endm\n"                                                                                               \
	" .macro initial var\n"                                                                                  \
	" movq \\var@gottpoff(%rip), %rax\n"                                                                     \
	" movq \\var@gottpoff(%rip), %r12\n"                                                                     \
	" addq \\var@gottpoff(%rip), %r13\n"                                                                     \
	" addq \\var@gottpoff(%rip), %rsp\n"                                                                     \
	" .endm\n"                                                                                               \
	" .macro descriptor var\n"                                                                               \
	" leaq \\var@tlsdesc(%rip), %rax\n call *\\var@tlscall(%rax)\n"                                   \
	" leaq \\var@tlsdesc(%rip), %rax\n .reloc ., R_X86_64_TLSDESC_CALL, \\var\n .byte 0x67, 0xff, 0x10\n" \
	" .endm\n"

static const char sequences[] =
	TLS_MACROS
	" .globl _start, own, own_func, own_data\n"
	" .type own_func, @function\n"
	" .text\n"
	"_start:\n"
	" general own\n module own\n initial own\n"
	" general local\n module local\n initial local\n"
	" general foreign\n initial foreign\n"
	" descriptor own\n descriptor local\n descriptor foreign\n"
	"own_func:\nlocal_func:\n"
	" mov own_data@GOTPCREL(%rip), %eax\n movq own_data@GOTPCREL(%rip), %r9\n"
	" call *own_func@GOTPCREL(%rip)\n jmp *own_func@GOTPCREL(%rip)\n"
	" test %eax, own_data@GOTPCREL(%rip)\n testq %r10, own_data@GOTPCREL(%rip)\n"
	" add own_data@GOTPCREL(%rip), %eax\n adcq own_data@GOTPCREL(%rip), %rcx\n"
	" andq own_data@GOTPCREL(%rip), %r11\n cmpq own_data@GOTPCREL(%rip), %rdx\n"
	" orq own_data@GOTPCREL(%rip), %rbx\n sbbq own_data@GOTPCREL(%rip), %rsi\n"
	" subq own_data@GOTPCREL(%rip), %rdi\n xorq own_data@GOTPCREL(%rip), %r15\n"
	" pushq own_data@GOTPCREL(%rip)\n"
	" movq foreign_data@GOTPCREL(%rip), %rax\n call *foreign_func@GOTPCREL(%rip)\n"
	" call foreign_func@PLT\n call other_func@PLT\n jmp own_func\n"
	" leaq text_1(%rip), %rax\n leaq text_2(%rip), %rax\n"
	" movabsq $_GLOBAL_OFFSET_TABLE_ - _start, %rbx\n movabsq $local_data@GOTOFF, %rax\n"
	" movabsq $own_data@GOT, %rax\n movabsq $foreign_func@PLTOFF, %rax\n"
	" leaq _GLOBAL_OFFSET_TABLE_(%rip), %rbx\n"
	" ret\n"
	/* One sequence is all there is: its footprint is cut off by both ends of the section. */
	" .section .text.g, \"ax\"\n .byte 0x66\n leaq own@tlsgd(%rip), %rdi\n"
	" .value 0x6666\n rex64\n call __tls_get_addr@PLT\n"
	" .section .text.l, \"ax\"\n leaq own@tlsld(%rip), %rdi\n call __tls_get_addr@PLT\n"
	" .section .text.j, \"ax\"\n jmp *own_func@GOTPCREL(%rip)\n"
	" .section .text.m, \"ax\"\n movq own_data@GOTPCREL(%rip), %rax\n"
	/* Sequences of APX, which the assembler does not know: make_apx renames their relocations. */
	" .section .text.apx, \"ax\"\n"
	" .byte 0xd5, 0x48, 0x8b, 0x05\n .reloc ., R_X86_64_REX_GOTPCRELX, own_data - 4\n .long 0\n"
	" .byte 0xd5, 0x4c, 0x03, 0x05\n .reloc ., R_X86_64_REX_GOTPCRELX, own_data - 4\n .long 0\n"
	" .byte 0xd5, 0x48, 0x8b, 0x05\n .reloc ., R_X86_64_GOTTPOFF, own - 4\n .long 0\n"
	" .byte 0xd5, 0x48, 0x03, 0x05\n .reloc ., R_X86_64_GOTTPOFF, own - 4\n .long 0\n"
	" .section .tdata, \"awT\"\n .align 16\nlocal: .long 1\nown: .quad 2\n"
	" .section .tbss, \"awT\", @nobits\n .align 32\n .skip 24\n"
	" .data\nown_data: .quad own_data, own_func - 1, foreign_func, foreign_data + 8\n"
	"local_data: .quad local_data + 0x123456789, own_data - .\n .long local_func - ., 7\n"
	" .section .data.rel.ro, \"aw\"\n .quad text_1, own_func, text_2 + 3\n"
	" .section .init_array, \"aw\"\n .quad own_func\n"
	" .section .rodata.str1.1, \"aMS\", @progbits, 1\n"
	"text_1: .string \"shared by both\"\ntext_2: .string \"only in one\"\n .string \"\"\n"
	" .section .rodata.cst8, \"aM\", @progbits, 8\n .align 8\n .quad 1, 2, 3\n"
	" .section .note.own, \"a\", @note\n .align 4\n .long 4, 4, 1\n .string \"own\"\n .long 5\n"
	" .comm shared_common, 40, 32\n"
	" .section .note.GNU-stack, \"\", @progbits\n";

/* A second object with a twin of the first one's COMDAT function, equal strings, call frames, and debug sections. */
#define TWIN(n)                                                                                                 \
	" .section .text.twin, \"axG\", @progbits, twin, comdat\n .weak twin\n .type twin, @function\n"         \
	"twin:\n .cfi_startproc\n push %rbp\n .cfi_def_cfa_offset 16\n pop %rbp\n ret\n"                        \
	" .cfi_endproc\n .size twin, . - twin\n.Ltwin" n ":\n"                                                  \
	" .text\n .globl frame" n "\nframe" n ":\n .cfi_startproc\n .cfi_personality 0x9b, DW.ref\n"            \
	" .cfi_lsda 0x1b, .Llsda" n "\n nop\n .cfi_def_cfa_offset 32\n ret\n .cfi_endproc\n"                    \
	" .cfi_startproc\n leaq .Lstr" n "(%rip), %rax\n call twin@PLT\n .cfi_endproc\n"                        \
	" .section .gcc_except_table, \"a\"\n.Llsda" n ": .byte 255, 255, 1, 0\n"                               \
	" .section .data.DW, \"aw\"\n .weak DW.ref\n .hidden DW.ref\nDW.ref: .quad twin\n"                      \
	" .section .rodata.str1.1, \"aMS\", @progbits, 1\n.Lstr" n ": .string \"shared by both\"\n"             \
	" .string \"text of " n "\"\n"                                                                          \
	" .section .rodata.cst8, \"aM\", @progbits, 8\n .align 8\n .quad 3, 4, " n "\n"                         \
	" .section .debug_info, \"\", @progbits\n"                                                              \
	" .long .Lname" n "\n .quad twin, .text.twin, .Ltwin" n ", frame" n "\n .long .debug_ranges\n"          \
	" .section .debug_ranges, \"\", @progbits\n .quad .text.twin, .Ltwin" n ", frame" n ", 0, 0\n"          \
	" .section .debug_loc, \"\", @progbits\n .quad .text.twin, .Ltwin" n ", 0, 0\n"                         \
	" .section .debug_str, \"MS\", @progbits, 1\n .string \"first\"\n.Lname" n ": .string \"name " n "\"\n" \
	" .section .note.GNU-stack, \"\", @progbits\n"

static const char twin_1[] = TWIN("1");
static const char twin_2[] = TWIN("2");

/* What only a fixed address allows. */
static const char absolute[] =
	" .globl pick\n .type pick, @gnu_indirect_function\n .text\npick: ret\n"
	" call pick\n movl $pick, %eax\n movl $own_data, %eax\n movq $own_data, %rax\n"
	" movabsq $own_data, %rax\n movl $small, %eax\n lea foreign_data(%rip), %rax\n"
	" .data\n .byte small\n .value small\n .long small, own_func\n .long own_func@SIZE\n .quad own_func@SIZE\n"
	" .quad pick, foreign_func\n"
	" .globl small\nsmall = 0x12\n"
	" .section .note.GNU-stack, \"\", @progbits\n";

static const char foreign[] =
	" .globl foreign, foreign_func, foreign_data, other_func\n"
	" .type foreign_func, @function\n .type other_func, @function\n .type foreign_data, @object\n"
	" .text\nforeign_func: ret\nother_func: ret\n"
	" .data\nforeign_data: .quad 1, 2\n .size foreign_data, 16\n"
	" .section .tdata, \"awT\"\nforeign: .quad 3\n .type foreign, @object\n .size foreign, 8\n"
	" .section .note.GNU-stack, \"\", @progbits\n";

static const char tls_get_addr[] = " .globl __tls_get_addr\n .type __tls_get_addr, @function\n"
				   "__tls_get_addr: ret\n .section .note.GNU-stack, \"\", @progbits\n";

/* --- Crafted relocation tables ----------------------------------------------------------------------------------- */

static bool takes_next(const Elf64_Rela *r)
{
	uint32_t type = ELF64_R_TYPE(r->r_info);
	return type == R_X86_64_TLSGD || type == R_X86_64_TLSLD;
}

/* Turns a table round, but leaves what a TLS sequence consists of together. */
static void reverse_table(struct linked_table t)
{
	Elf64_Rela *was = malloc(t.cnt * sizeof(*was)), *now = malloc(t.cnt * sizeof(*now));
	size_t to = t.cnt;
	ck_assert_msg(t.cnt > 1, "a table of one cannot be unsorted");
	memcpy(was, t.rela, t.cnt * sizeof(*was));
	for (size_t i = 0; i < t.cnt;) {
		size_t n = takes_next(&was[i]) && i + 1 < t.cnt ? 2 : 1;
		to -= n;
		memcpy(now + to, was + i, n * sizeof(*now));
		i += n;
	}
	memcpy(t.rela, now, t.cnt * sizeof(*now));
	free(was);
	free(now);
}

static void make_unsorted(const char *from, const char *to, const char *const *sections, int cnt)
{
	size_t sz;
	uint8_t *object = linked_read(from, &sz);
	for (int i = 0; i < cnt; i++)
		reverse_table(linked_table(object, sections[i]));
	linked_write(to, object, sz);
	free(object);
}

/* Numbers of the CODE_4 relocations, in place of those that the assembler knows. */
static void make_apx(const char *name)
{
	size_t sz;
	uint8_t *object = linked_read(name, &sz);
	struct linked_table t = linked_table(object, ".text.apx");
	ck_assert_uint_eq(t.cnt, 4);
	for (size_t i = 0; i < t.cnt; i++) {
		Elf64_Rela *r = (Elf64_Rela *)(void *)t.rela + i;
		uint32_t type = ELF64_R_TYPE(r->r_info) == R_X86_64_GOTTPOFF ? 44 : 43;
		r->r_info = ELF64_R_INFO(ELF64_R_SYM(r->r_info), type);
	}
	linked_write(name, object, sz);
	free(object);
}

/* --- The images -------------------------------------------------------------------------------------------------- */

#define PIC_INPUTS "sequences.o one.o two.o"
#define UNSORTED_INPUTS "sequences-unsorted.o one-unsorted.o two-unsorted.o"
#define TIGHT "-z max-page-size=64 --build-id --eh-frame-hdr --hash-style=both --defsym=by_option=own_data+8 "

static const struct image_case {
	const char *name, *args;
	const char *holds[16]; /* what .text must have in it: hex, starting where a relaxed sequence does */
} images[] = {
	{ "static",
	 TIGHT "-static " PIC_INPUTS " absolute.o foreign.o",
	 { "6448 8b0425 00000000 488d80", /* general dynamic to local exec */
	  "660f1f44 0000",		 /* ... of the large model */
	  "666666 6448 8b0425", "66666666 6448 8b0425", "66666666 2e0f1f84 00000000 00 6448", "48c7c0", "49c7c4",
	  "4981c5", "4881c4", /* initial exec */
	  "6690", "0f1f00",   /* calls through descriptors */
	  "67e8", "f7c0", "49f7c2", "81c0", "4881d1" } },
	{ "executable",
	 TIGHT "-no-pie -E --dynamic-linker=/ld.so " PIC_INPUTS " absolute.o lib.so",
	 { "6448 8b0425 00000000 488d80", "6448 8b0425 00000000 480305", "488b05", "4981f7", "4881ef" } },
	{ "pie",
	 TIGHT "-pie -E --dynamic-linker=/ld.so " PIC_INPUTS " lib.so",
	 { "6448 8b0425 00000000 488d80", "6448 8b0425 00000000 480305", "4c8d0d", "67e8", "6690" } },
	{ "pie, bound at start",
	 TIGHT "-z now -z ibtplt --gc-sections --dynamic-linker=/ld.so -pie " PIC_INPUTS " lib.so",
	 { "6448 8b0425 00000000 480305", "f30f1efa" } },
	{ "shared", TIGHT "-shared -soname x.so " PIC_INPUTS " lib.so", { "66488d3d", "666648e8", "4c8b0d" } },
	{ "shared, symbolic",
	 TIGHT "-shared -Bsymbolic -s " PIC_INPUTS " foreign.o tls_get_addr.o",
	 { "66488d3d", "67e8" } },
	{ "not relaxed", TIGHT "--no-relax -pie --dynamic-linker=/ld.so " PIC_INPUTS " lib.so", { "ff35", "488b05" } },
	{ "unsorted, static",
	 TIGHT "-static " UNSORTED_INPUTS " absolute.o foreign.o",
	 { "6448 8b0425 00000000 488d80", "666666 6448 8b0425", "48c7c0", "4881d1" } },
	{ "unsorted, shared", TIGHT "-shared " UNSORTED_INPUTS " lib.so", { "66488d3d" } },
	{ "pages of 4096", "-static -O0 " PIC_INPUTS " absolute.o foreign.o", { "6448 8b0425 00000000 488d80" } },
};

static struct linkfs_image *image_of(struct linkfs_linker *l, const struct image_case *c)
{
	return linked_try(l, c->args, NULL);
}

static void make_inputs(void)
{
	linked_begin();
	linked_assemble("sequences.o", sequences);
	linked_assemble("one.o", twin_1);
	linked_assemble("two.o", twin_2);
	linked_assemble("absolute.o", absolute);
	linked_assemble("foreign.o", foreign);
	linked_assemble("tls_get_addr.o", tls_get_addr);
	make_apx("sequences.o");
	make_unsorted("sequences.o", "sequences-unsorted.o", (const char *const[]){ ".text", ".data", ".text.apx" }, 3);
	make_unsorted("one.o", "one-unsorted.o", (const char *const[]){ ".debug_info", ".debug_ranges" }, 2);
	make_unsorted("two.o", "two-unsorted.o",
		      (const char *const[]){ ".text", ".debug_info", ".debug_ranges", ".debug_loc" }, 4);
}

/* Each test is a process of its own, and so makes its own library. */
static struct linkfs_linker *linker_with_library(unsigned threads)
{
	struct linkfs_linker *l = linked_linker(threads);
	struct linkfs_image *lib = linked_try(l, "-shared -soname lib.so -o lib.so foreign.o tls_get_addr.o", NULL);
	struct diag *d = diag_new(0);
	ck_assert_int_eq(linkfs_image_write_outputs(lib, AT_FDCWD, d), 0);
	diag_free(d);
	linkfs_image_unref(lib);
	return l;
}

/* --- Comparing --------------------------------------------------------------------------------------------------- */

struct reference {
	const char *name;
	struct linkfs_image *img;
	uint8_t *bytes;
	size_t sz;
};

/* Which section the first byte that differs lies in, for messages. */
static const char *section_at(const struct reference *ref, size_t off)
{
	const Elf64_Ehdr *e = (const void *)ref->bytes;
	const Elf64_Shdr *sh = (const void *)(ref->bytes + e->e_shoff);
	for (int i = 1; i < e->e_shnum; i++)
		if (sh[i].sh_type != SHT_NOBITS && off >= sh[i].sh_offset && off - sh[i].sh_offset < sh[i].sh_size)
			return (const char *)ref->bytes + sh[e->e_shstrndx].sh_offset + sh[i].sh_name;
	return "no section";
}

/* Bytes [lo, hi) of BUF: those of [off, off + sz) are right, those around it untouched. */
static void assert_bytes(const struct reference *ref, const uint8_t *buf, size_t lo, size_t hi, size_t off, size_t sz)
{
	uint8_t calm[8];
	memset(calm, CALM, sizeof(calm));
	if (!memcmp(buf + off, ref->bytes + off, sz) && !memcmp(buf + lo, calm, off - lo) &&
	    !memcmp(buf + off + sz, calm, hi - off - sz))
		return;
	for (size_t i = lo; i < hi; i++) {
		bool is_in = i >= off && i < off + sz;
		ck_assert_msg(buf[i] == (is_in ? ref->bytes[i] : CALM),
			      "%s: [%#zx, +%zu): byte %#zx (%s) is %#x, not %#x", ref->name, off, sz, i,
			      section_at(ref, i), buf[i], is_in ? ref->bytes[i] : CALM);
	}
}

/* Fills [off, off + sz) at its place in BUF, in two parts where CUT lies inside, the second part first. */
static void assert_window(const struct reference *ref, uint8_t *buf, size_t off, size_t sz, size_t cut)
{
	char why[256] = "";
	size_t lo = off < 8 ? 0 : off - 8, hi = off + sz + 8 < ref->sz ? off + sz + 8 : ref->sz;
	memset(buf + lo, CALM, hi - lo);
	cut = cut > off && cut < off + sz ? cut : off;
	int rc = linkfs_image_fill(ref->img, cut, off + sz - cut, buf + cut, why, sizeof(why));
	if (!rc)
		rc = linkfs_image_fill(ref->img, off, cut - off, buf + off, why, sizeof(why));
	ck_assert_msg(rc == 0, "%s: [%#zx, +%zu): %d: %s", ref->name, off, sz, rc, why);
	assert_bytes(ref, buf, lo, hi, off, sz);
}

static struct reference reference_new(struct linkfs_linker *l, const struct image_case *c)
{
	struct reference ref = { .name = c->name, .img = image_of(l, c) };
	ref.bytes = linked_bytes(ref.img, &ref.sz);
	return ref;
}

static void reference_free(struct reference *ref, struct linkfs_linker *l)
{
	free(ref->bytes);
	linkfs_image_unref(ref->img);
	linkfs_linker_free(l);
}

static size_t from_hex(const char *hex, uint8_t *bytes)
{
	size_t n = 0;
	for (; *hex; hex += *hex == ' ' ? 1 : 2) {
		unsigned v;
		if (*hex != ' ' && sscanf(hex, "%2x", &v) == 1)
			bytes[n++] = (uint8_t)v;
	}
	return n;
}

/* --- The tests --------------------------------------------------------------------------------------------------- */

START_TEST(holds_every_sequence)
{
	const struct image_case *c = &images[_i];
	struct linkfs_linker *l = linker_with_library(1);
	struct reference ref = reference_new(l, c);
	size_t text_sz, text = linked_section(ref.bytes, ".text", &text_sz, NULL);
	for (int i = 0; i < COUNT(c->holds) && c->holds[i]; i++) {
		uint8_t bytes[32];
		size_t n = from_hex(c->holds[i], bytes);
		ck_assert_msg(memmem(ref.bytes + text, text_sz, bytes, n) ||
				      (!strncmp(c->holds[i], "f30f1efa", 8) && memmem(ref.bytes, ref.sz, bytes, n)),
			      "%s: no %s", c->name, c->holds[i]);
	}
	ck_assert_msg(ref.sz < 40000, "%s: %zu bytes are too many to cut at each", c->name, ref.sz);
	reference_free(&ref, l);
}
END_TEST

/* Cut at every byte: what lies within a few hundred bytes of it, and at some the whole output. */
START_TEST(cut_at_every_byte)
{
	struct linkfs_linker *l = linker_with_library(1);
	struct reference ref = reference_new(l, &images[_i]);
	uint8_t *buf = malloc(ref.sz);
	for (size_t k = 0; k <= ref.sz; k++) {
		size_t lo = k < NEAR ? 0 : k - NEAR, hi = k + NEAR < ref.sz ? k + NEAR : ref.sz;
		bool is_whole = k % 101 == 0;
		assert_window(&ref, buf, is_whole ? 0 : lo, is_whole ? ref.sz : hi - lo, k);
	}
	free(buf);
	reference_free(&ref, l);
}
END_TEST

START_TEST(every_window)
{
	static const size_t widths[] = { 1, 7, 64 };
	struct linkfs_linker *l = linker_with_library(1);
	struct reference ref = reference_new(l, &images[_i]);
	uint8_t *buf = malloc(ref.sz);
	for (int w = 0; w < COUNT(widths); w++)
		for (size_t k = 0; k < ref.sz; k++)
			assert_window(&ref, buf, k, widths[w] < ref.sz - k ? widths[w] : ref.sz - k, 0);
	free(buf);
	reference_free(&ref, l);
}
END_TEST

struct shared_work {
	const struct reference *ref;
	uint64_t seed;
	size_t wrong_off, wrong_sz; /* WRONG_SZ 0: none */
};

static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* In a thread no assertion may leave: the first wrong window is noted. */
static void *random_windows(void *ctx)
{
	struct shared_work *w = ctx;
	uint8_t *buf = malloc(w->ref->sz);
	for (int i = 0; i < RANDOM_WINDOWS && !w->wrong_sz; i++) {
		size_t off = next_random(&w->seed) % w->ref->sz;
		size_t sz = 1 + next_random(&w->seed) % (i % 4 ? 200 : w->ref->sz);
		sz = sz < w->ref->sz - off ? sz : w->ref->sz - off;
		if (linkfs_image_fill(w->ref->img, off, sz, buf, NULL, 0) || memcmp(buf, w->ref->bytes + off, sz)) {
			w->wrong_off = off;
			w->wrong_sz = sz;
		}
	}
	free(buf);
	return NULL;
}

/* A new image, of which no byte was ever asked for, under several threads at once. */
START_TEST(random_windows_by_threads)
{
	struct linkfs_linker *l = linker_with_library(2);
	struct reference ref = reference_new(l, &images[_i]);
	struct linkfs_image *seen = ref.img;
	struct shared_work work[THREADS];
	pthread_t threads[THREADS];
	ref.img = image_of(l, &images[_i]);
	for (int t = 0; t < THREADS; t++) {
		work[t] = (struct shared_work){ .ref = &ref, .seed = UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)t };
		ck_assert_int_eq(pthread_create(&threads[t], NULL, random_windows, &work[t]), 0);
	}
	for (int t = 0; t < THREADS; t++)
		pthread_join(threads[t], NULL);
	for (int t = 0; t < THREADS; t++)
		ck_assert_msg(!work[t].wrong_sz, "%s: thread %d: [%#zx, +%zu) differs", ref.name, t, work[t].wrong_off,
			      work[t].wrong_sz);
	linkfs_image_unref(seen);
	reference_free(&ref, l);
}
END_TEST

/* The order of a relocation table says nothing, as long as the parts of a sequence stay together. */
START_TEST(unsorted_tables_give_the_same)
{
	struct linkfs_linker *l = linker_with_library(1);
	const struct image_case sorted = { "sorted", TIGHT "-static " PIC_INPUTS " absolute.o foreign.o", { 0 } };
	const struct image_case unsorted = { "unsorted", TIGHT "-static " UNSORTED_INPUTS " absolute.o foreign.o", { 0 } };
	struct reference a = reference_new(l, &sorted), b = reference_new(l, &unsorted);
	static const char *const sections[] = { ".text",		".data",      ".debug_info",
					       ".debug_ranges", ".debug_loc", ".eh_frame" };
	for (int i = 0; i < COUNT(sections); i++) {
		size_t sz, other_sz, at = linked_section(a.bytes, sections[i], &sz, NULL);
		size_t other = linked_section(b.bytes, sections[i], &other_sz, NULL);
		ck_assert_uint_eq(sz, other_sz);
		for (size_t k = 0; k < sz; k++)
			ck_assert_msg(a.bytes[at + k] == b.bytes[other + k], "%s+%#zx: sorted %#x, unsorted %#x",
				      sections[i], k, a.bytes[at + k], b.bytes[other + k]);
	}
	linkfs_image_unref(b.img);
	free(b.bytes);
	reference_free(&a, l);
}
END_TEST

static uint64_t word_at(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

/* Debug sections of the object whose COMDAT copy was dropped: 0, or 1 where 0, 0 would end a list. */
START_TEST(dead_targets_have_tombstones)
{
	struct linkfs_linker *l = linker_with_library(1);
	const struct image_case *c = &images[_i];
	struct reference ref = reference_new(l, c);
	size_t sz, at = linked_section(ref.bytes, ".debug_ranges", &sz, NULL);
	ck_assert_uint_eq(sz, 80);
	ck_assert_uint_ne(word_at(ref.bytes + at), 1);
	ck_assert_uint_eq(word_at(ref.bytes + at + 40), 1); /* .text.twin of the second object, and an address in it */
	ck_assert_uint_eq(word_at(ref.bytes + at + 48), 1);
	ck_assert_uint_gt(word_at(ref.bytes + at + 56), 1); /* its frame2 lives */
	at = linked_section(ref.bytes, ".debug_loc", &sz, NULL);
	ck_assert_uint_eq(sz, 64);
	ck_assert_uint_eq(word_at(ref.bytes + at + 32), 1);
	at = linked_section(ref.bytes, ".debug_info", &sz, NULL);
	ck_assert_uint_eq(sz, 80);
	ck_assert_uint_ne(word_at(ref.bytes + at + 44), 0); /* the name twin: the copy that was kept */
	ck_assert_uint_eq(word_at(ref.bytes + at + 52), 0); /* .text.twin of this object: dropped */
	ck_assert_uint_eq(word_at(ref.bytes + at + 60), 0);
	ck_assert_uint_ne(word_at(ref.bytes + at + 68), 0);
	reference_free(&ref, l);
}
END_TEST

START_TEST(beyond_the_end_is_refused)
{
	struct linkfs_linker *l = linker_with_library(1);
	struct reference ref = reference_new(l, &images[0]);
	uint8_t byte = CALM;
	char why[64] = "";
	ck_assert_int_eq(linkfs_image_fill(ref.img, ref.sz, 1, &byte, why, sizeof(why)), -EINVAL);
	ck_assert_str_ne(why, "");
	ck_assert_int_eq(linkfs_image_fill(ref.img, ref.sz - 1, 2, &byte, NULL, 0), -EINVAL);
	ck_assert_int_eq(linkfs_image_fill(ref.img, UINT64_MAX, 2, &byte, NULL, 0), -EINVAL);
	ck_assert_int_eq(linkfs_image_fill(ref.img, 1, UINT64_MAX, &byte, NULL, 0), -EINVAL);
	ck_assert_uint_eq(byte, CALM);
	ck_assert_int_eq(linkfs_image_fill(ref.img, ref.sz, 0, &byte, NULL, 0), 0);
	reference_free(&ref, l);
}
END_TEST

/* section_render makes what a cut may touch in a window of EDGE bytes on either side: no row may reach further. */
START_TEST(no_footprint_is_wider_than_the_edge)
{
	for (const struct arch *const *a = arch_table; *a; a++) {
		for (uint32_t type = 0; type < (*a)->row_cnt; type++) {
			const struct rel_row *row = arch_row(*a, type);
			if (!row)
				continue;
			unsigned size = (*a)->fields[row->field].size;
			unsigned after = row->after > size ? row->after : size;
			ck_assert_msg(row->before + after <= RENDER_EDGE, "%s: %s touches %u bytes, EDGE is %d",
				      (*a)->name, row->name, row->before + after, RENDER_EDGE);
		}
		ck_assert_uint_le((*a)->plt_header_size, 64);
		ck_assert_uint_le((*a)->plt_ibt_header_size, 64);
	}
}
END_TEST

int main(void)
{
	linked_need_as();
	Suite *suite = suite_create("fill");
	TCase *tc = tcase_create("fill");
	tcase_set_timeout(tc, TIMEOUT_SEC);
	tcase_add_unchecked_fixture(tc, make_inputs, linked_end);
	tcase_add_loop_test(tc, holds_every_sequence, 0, COUNT(images));
	tcase_add_loop_test(tc, cut_at_every_byte, 0, COUNT(images));
	tcase_add_loop_test(tc, every_window, 0, COUNT(images));
	tcase_add_loop_test(tc, random_windows_by_threads, 0, COUNT(images));
	tcase_add_test(tc, unsorted_tables_give_the_same);
	tcase_add_loop_test(tc, dead_targets_have_tombstones, 0, 2);
	tcase_add_test(tc, beyond_the_end_is_refused);
	tcase_add_test(tc, no_footprint_is_wider_than_the_edge);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
