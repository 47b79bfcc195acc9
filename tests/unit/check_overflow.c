/* check_overflow.c - a value that fits its field is linked, one further is refused, whichever way it was found.
 *
 * In small images with small addends nothing is looked at but suspects (layout/overflow.c); a huge gap or a large
 * addend makes it look at everything. Rows stand at the last value that fits and the first that does not. What links
 * must also fill (P5); what does not must name the object, the place, the relocation and the symbol. GNU ld, where it is
 * installed, must agree, except where a row says why it does not. Huge sections have no bytes in the file.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "linked.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))
enum { TIMEOUT_SEC = 60 };

#define HEAD " .globl _start, here, target\n .text\n_start: ret\n"
#define TAIL "\n .section .note.GNU-stack, \"\", @progbits\n"
/* One field of eight bytes, at .text+0x1, with one relocation. */
#define REL(type, expr, more) \
	HEAD "here: .quad 0\n .reloc here, R_X86_64_" type ", " expr "\n" more TAIL
#define CODE(code, more) HEAD "here:\n " code "\n" more TAIL
#define GAP3 " .bss\n .skip 0xc0000000\ntarget: .quad 0\n"
#define GAP1 " .bss\n .skip 0x7e000000\ntarget: .quad 0\n"
#define TLS3 " .section .tbss, \"awT\", @nobits\ntarget: .skip 0xc0000000\n"
#define FAR_CODE " .section far_code, \"ax\", @nobits\n .skip 0xc0000000\n"
#define HIGH "-Ttext-segment=0x200000000"

static const struct row {
	const char *name, *text, *args;
	const char *error;     /* NULL: it links */
	const char *ld_unlike; /* why GNU ld does otherwise */
} rows[] = {
	/* 32 bits, relative: an addend takes a small image out of the proof. */
	{ "pc32, most", REL("PC32", "here+0x7fffffff", ""), "", NULL, NULL },
	{ "pc32, one more", REL("PC32", "here+0x80000000", ""), "", "R_X86_64_PC32 out of range: 2147483648", NULL },
	{ "pc32, least", REL("PC32", "here-0x80000000", ""), "", NULL, NULL },
	{ "pc32, one less", REL("PC32", "here-0x80000001", ""), "", "R_X86_64_PC32 out of range: -2147483649", NULL },
	{ "plt32, most", REL("PLT32", "here+0x7fffffff", ""), "", NULL, NULL },
	{ "plt32, one more", REL("PLT32", "here+0x80000000", ""), "", "R_X86_64_PLT32", NULL },
	{ "got entry, far addend", REL("GOTPCREL", "here+0x70000000", ""), "", NULL, NULL },
	{ "got entry, too far", REL("GOTPCREL", "here+0x7fffffff", ""), "", "R_X86_64_GOTPCREL", NULL },
	{ "got base, too far", REL("GOTPC32", "_GLOBAL_OFFSET_TABLE_+0x7fffffff", ""), "", "R_X86_64_GOTPC32", NULL },
	{ "tls slot, too far",
	 REL("GOTTPOFF", "target+0x7fffffff", " .section .tbss, \"awT\", @nobits\ntarget: .long 0"), "",
	 "R_X86_64_GOTTPOFF", NULL},
	/* Symbols that are not where their section is. */
	{ "sum, most", REL("PC32", "target", ""), "--defsym=target=here+0x7fffffff", NULL, NULL },
	{ "sum, one more", REL("PC32", "target", ""), "--defsym=target=here+0x80000000", "'target'", NULL },
	{ "sum, one less", REL("PC32", "target", ""), "--defsym=target=here-0x80000001", "'target'", NULL },
	{ "outside its section", REL("PC32", "target", " .set target, here+0x80000000\n"), "", "R_X86_64_PC32", NULL },
	{ "outside, local", HEAD "here: .quad 0\n .reloc here, R_X86_64_PC32, near\n .set near, here+0x80000000" TAIL,
	 "", "R_X86_64_PC32", NULL},
	{ "absolute, near", REL("PC32", "target", ""), "--defsym=target=0x7fffffff", NULL, NULL },
	{ "absolute, far", REL("PC32", "target", ""), "--defsym=target=0x90000000", "'target'", NULL },
	{ "undefined weak, low", REL("PC32", "target", " .weak target\n"), "", NULL, NULL },
	{ "undefined weak, high", REL("PC32", "target", " .weak target\n"), HIGH, "'target'", NULL },
	{ "undefined weak call, high", REL("PLT32", "target", " .weak target\n"), HIGH, "'target'", NULL },
	{ "undefined weak slot, high", REL("GOTPCREL", "target", " .weak target\n"), HIGH, NULL, NULL },
	{ "not loaded", REL("PC32", "target", " .section .note, \"\", @progbits\ntarget: .long 0\n"), HIGH,
	 "R_X86_64_PC32", NULL},
	{ "not loaded, local", REL("PC32", "near", " .section .note, \"\", @progbits\nnear: .long 0\n"), HIGH,
	 "R_X86_64_PC32", NULL},
	{ "no such section", REL("PC32", "_DYNAMIC", ""), HIGH, "_DYNAMIC", NULL },
	{ "empty array", REL("PC32", "__rela_iplt_start", ""), HIGH, NULL, NULL },
	{ "end of nothing", REL("PC32", "edata", ""), HIGH, NULL, NULL },
	{ "merged, within",
	 REL("PC32", ".rodata.str1.1+1", " .section .rodata.str1.1, \"aMS\", @progbits, 1\n .string \"x\"\n"), "", NULL,
	 NULL },
	{ "merged, beyond",
	 REL("PC32", ".rodata.str1.1+9", " .section .rodata.str1.1, \"aMS\", @progbits, 1\n .string \"x\"\n"), "",
	 "points outside", "prints an error but exits with 0" },
	/* A gap: nothing is proved, everything is looked at. */
	{ "across 3 GiB", CODE("lea target(%rip), %rax", GAP3), "", "R_X86_64_PC32", NULL },
	{ "call across 3 GiB", CODE("call target", GAP3), "", "R_X86_64_PLT32", NULL },
	{ "back across 3 GiB", HEAD " .bss\n .skip 0xc0000000\n .data\nhere: .long _start - .\n" TAIL, "", NULL, NULL },
	{ "beside 3 GiB",
	 CODE("lea near(%rip), %rax\n call _start\n lea end(%rip), %rbx", " .data\nnear: .long 0\n" GAP3), "", "'end'",
	 NULL },
	{ "only beside 3 GiB", CODE("lea near(%rip), %rax\n call _start", " .data\nnear: .long 0\n" GAP3), "", NULL,
	 NULL },
	{ "across nearly 2 GiB", CODE("lea target(%rip), %rax", GAP1), "", NULL, NULL },
	{ "across nearly 2 GiB, shared", CODE("lea target(%rip), %rax", " .hidden target\n" GAP1), "-shared", NULL,
	 NULL },
	{ "across 3 GiB, shared", CODE("lea target(%rip), %rax", " .hidden target\n" GAP3), "-shared", "R_X86_64_PC32",
	 NULL },
	{ "64 bits across 3 GiB", CODE("movabs $target, %rax", GAP3), "", NULL, NULL },
	{ "64 bits relative", REL("PC64", "target", GAP3), "", NULL, NULL },
	{ "slot of what is 3 GiB away", CODE("pushq target@GOTPCREL(%rip)", GAP3), "", NULL, NULL },
	{ "relaxed call beside 3 GiB",
	 CODE(".byte 0x66\n leaq var@tlsgd(%rip), %rdi\n .value 0x6666\n rex64\n call __tls_get_addr@PLT",
	      GAP3 " .section .tbss, \"awT\", @nobits\nvar: .long 0\n"),
	 "", NULL, NULL},
	{ "call frame of far code", HEAD FAR_CODE "f: .cfi_startproc\n .skip 1\n .cfi_endproc\n" TAIL, "",
	 "(.eh_frame+0x", NULL},
	{ "call frame of far code, with table", HEAD FAR_CODE "f: .cfi_startproc\n .skip 1\n .cfi_endproc\n" TAIL,
	 "--eh-frame-hdr", "(.eh_frame+0x", NULL},
	{ "call frame beside far code", HEAD "here: .cfi_startproc\n ret\n .cfi_endproc\n" FAR_CODE TAIL,
	 "--eh-frame-hdr", NULL, NULL},
	{ "far plt slots", CODE("call outer@PLT", FAR_CODE " .data\n .long 1\n"), "-shared",
	 ".plt: ", "places unknown sections elsewhere" },
	/* Relaxation gives way where it does not reach. */
	{ "relaxed mov", CODE("movq target@GOTPCREL(%rip), %rax", " .data\ntarget: .long 0\n"), "", NULL, NULL },
	{ "far mov", CODE("movq target@GOTPCREL(%rip), %rax", GAP3), "", NULL, NULL },
	{ "far call", CODE("call *target@GOTPCREL(%rip)", GAP3), "", NULL, "does not give way" },
	{ "far jmp", CODE("jmp *target@GOTPCREL(%rip)", GAP3), "", NULL, "does not give way" },
	{ "far add", CODE("addq target@GOTPCREL(%rip), %rax", GAP3), "", NULL, NULL },
	{ "mov of a sum", CODE("movq target@GOTPCREL(%rip), %rax", ""), "--defsym=target=_start+0x80001000", NULL, NULL },
	{ "add of a sum", CODE("addq target@GOTPCREL(%rip), %rax", ""), "--defsym=target=_start+0x80001000", NULL, NULL },
	{ "call of a sum", CODE("call *target@GOTPCREL(%rip)", ""), "--defsym=target=_start+0x80001000", NULL,
	 "does not give way" },
	{ "mov of an outside local", CODE("movq near@GOTPCREL(%rip), %rax", " .set near, here+0x90000000\n"), "", NULL,
	 "does not give way" },
	{ "mov of an absolute", CODE("movq target@GOTPCREL(%rip), %rax", ""), "--defsym=target=0x123456789abc", NULL,
	 NULL },
	{ "add in a high image", CODE("addq target@GOTPCREL(%rip), %rax", " .data\ntarget: .long 0\n"), HIGH, NULL,
	 "does not give way" },
	{ "add at 2 GiB", CODE("addq target@GOTPCREL(%rip), %rax", " .data\ntarget: .long 0\n"),
	 "-Ttext-segment=0x7ffff000", NULL, "does not give way" },
	{ "local exec, 3 GiB", CODE("movl %fs:target@tpoff, %eax", TLS3), "", "R_X86_64_TPOFF32", NULL },
	{ "initial exec, 3 GiB", CODE("movq target@gottpoff(%rip), %rax", TLS3), "",
	 "R_X86_64_GOTTPOFF out of range: -3221225472", "does not look" },
	{ "general dynamic, 3 GiB",
	 CODE(".byte 0x66\n leaq target@tlsgd(%rip), %rdi\n .value 0x6666\n rex64\n call __tls_get_addr@PLT", TLS3), "",
	 "R_X86_64_TLSGD out of range: -3221225472", "does not look" },
	{ "descriptor, 3 GiB", CODE("leaq target@tlsdesc(%rip), %rax\n call *target@tlscall(%rax)", TLS3), "",
	 "R_X86_64_GOTPC32_TLSDESC", "does not look" },
	{ "local dynamic, 3 GiB",
	 CODE("leaq target@tlsld(%rip), %rdi\n call __tls_get_addr@PLT\n lea target@dtpoff(%rax), %rax", TLS3), "",
	 "R_X86_64_DTPOFF32", NULL},
	/* 32 bits, absolute: by the address of the image, and by value. */
	{ "abs32, below 4 GiB", REL("32", "__executable_start+0xfff", ""), "-Ttext-segment=0xfffff000", NULL, NULL },
	{ "abs32, at 4 GiB", REL("32", "__executable_start+0x1000", ""), "-Ttext-segment=0xfffff000", "R_X86_64_32 out",
	 NULL },
	{ "abs32s, below 2 GiB", REL("32S", "__executable_start+0xfff", ""), "-Ttext-segment=0x7ffff000", NULL, NULL },
	{ "abs32s, at 2 GiB", REL("32S", "__executable_start+0x1000", ""), "-Ttext-segment=0x7ffff000",
	 "R_X86_64_32S out", NULL},
	{ "abs32s at 2 GiB, in abs32", REL("32", "__executable_start+0x1000", ""), "-Ttext-segment=0x7ffff000", NULL,
	 NULL },
	{ "abs32, high", REL("32", "here", ""), HIGH, "R_X86_64_32 out", NULL },
	{ "abs64, high", REL("64", "here", ""), HIGH, NULL, NULL },
	{ "abs32, most", REL("32", "target", ""), "--defsym=target=0xffffffff", NULL, NULL },
	{ "abs32, one more", REL("32", "target", ""), "--defsym=target=0x100000000", "R_X86_64_32 out", NULL },
	{ "abs32, negative", REL("32", "target-1", ""), "--defsym=target=0", "R_X86_64_32 out", NULL },
	{ "abs32s, most", REL("32S", "target", ""), "--defsym=target=0x7fffffff", NULL, NULL },
	{ "abs32s, one more", REL("32S", "target", ""), "--defsym=target=0x80000000", "R_X86_64_32S out", NULL },
	{ "abs32s, least", REL("32S", "target-0x80000000", ""), "--defsym=target=0", NULL, NULL },
	{ "abs32s, one less", REL("32S", "target-0x80000001", ""), "--defsym=target=0", "R_X86_64_32S out", NULL },
	{ "size32, 3 GiB", REL("SIZE32", "target", " .size target, 0xc0000000\n" GAP3), "", NULL, NULL },
	{ "size32, 4 GiB", REL("SIZE32", "target", " .size target, 0x100000000\n" GAP3), "", "R_X86_64_SIZE32", NULL },
	/* 16 and 8 bits. */
	{ "abs16, most", REL("16", "target", ""), "--defsym=target=0xffff", NULL, NULL },
	{ "abs16, one more", REL("16", "target", ""), "--defsym=target=0x10000", "R_X86_64_16 out", NULL },
	{ "abs16, least", REL("16", "target-0x8000", ""), "--defsym=target=0", NULL, NULL },
	{ "abs16, one less", REL("16", "target-0x8001", ""), "--defsym=target=0", "R_X86_64_16 out", "lets it wrap" },
	{ "abs8, most", REL("8", "target", ""), "--defsym=target=0xff", NULL, NULL },
	{ "abs8, one more", REL("8", "target", ""), "--defsym=target=0x100", "R_X86_64_8 out", NULL },
	{ "abs8, least", REL("8", "target-0x80", ""), "--defsym=target=0", NULL, NULL },
	{ "abs8, one less", REL("8", "target-0x81", ""), "--defsym=target=0", "R_X86_64_8 out", "lets it wrap" },
	{ "pc16, most", REL("PC16", "here+0x7fff", ""), "", NULL, NULL },
	{ "pc16, one more", REL("PC16", "here+0x8000", ""), "", "R_X86_64_PC16 out", "lets it wrap" },
	{ "pc16, least", REL("PC16", "here-0x8000", ""), "", NULL, NULL },
	{ "pc16, one less", REL("PC16", "here-0x8001", ""), "", "R_X86_64_PC16 out", "lets it wrap" },
	{ "pc8, most", REL("PC8", "here+0x7f", ""), "", NULL, NULL },
	{ "pc8, one more", REL("PC8", "here+0x80", ""), "", "R_X86_64_PC8 out", NULL },
	{ "pc8, least", REL("PC8", "here-0x80", ""), "", NULL, NULL },
	{ "pc8, one less", REL("PC8", "here-0x81", ""), "", "R_X86_64_PC8 out", NULL },
};

START_TEST(fits_or_is_refused)
{
	const struct row *r = &rows[_i];
	struct linkfs_linker *l = linked_linker(2);
	char args[512], *errors = NULL;
	size_t sz;
	linked_assemble("a.o", r->text);
	snprintf(args, sizeof(args), "-e here a.o -o a %s", r->args);
	struct linkfs_image *img = linked_try(l, args, &errors);
	if (!r->error) {
		ck_assert_msg(img, "%s: refused: %s", r->name, errors);
		free(linked_bytes(img, &sz));
	} else {
		ck_assert_msg(!img, "%s: linked", r->name);
		ck_assert_msg(strstr(errors, r->error), "%s: no '%s' in: %s", r->name, r->error, errors);
		if (!strstr(errors, "linkfs: error: .plt"))
			ck_assert_msg(strstr(errors, "a.o:(."), "%s: no place in: %s", r->name, errors);
	}
	free(errors);
	linkfs_image_unref(img);
	linkfs_linker_free(l);
}
END_TEST

START_TEST(gnu_ld_agrees)
{
	const struct row *r = &rows[_i];
	char command[512];
	if (system("ld -v 2>/dev/null | grep -q 'GNU ld'"))
		return; /* main has said so */
	linked_assemble("a.o", r->text);
	snprintf(command, sizeof(command), "timeout 30 ld -e here a.o -o a.ld %s >ld.err 2>&1", r->args);
	int status = system(command);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) < 2, "%s: ld: status %#x", r->name, (unsigned)status);
	ck_assert_msg((WEXITSTATUS(status) != 0) == ((r->error != NULL) != (r->ld_unlike != NULL)),
		      "%s: GNU ld %s it%s%s", r->name, status ? "refuses" : "links", r->ld_unlike ? ", but it " : "",
		      r->ld_unlike ? r->ld_unlike : "");
}
END_TEST

#define OUTER_GD ".byte 0x66\n leaq outer@tlsgd(%rip), %rdi\n .value 0x6666\n rex64\n call __tls_get_addr@PLT"

/* A library's variable: the sequence names a slot of the GOT, which may be too far away. */
START_TEST(initial_exec_by_a_slot)
{
	struct linkfs_linker *l = linked_linker(2);
	char *errors = NULL;
	size_t sz;
	linked_assemble("lib.o", " .globl outer\n .section .tbss, \"awT\", @nobits\n .type outer, @object\nouter: .long 0\n"
				 " .size outer, 4\n" TAIL);
	struct linkfs_image *lib = linked_try(l, "-shared lib.o -o lib.so", NULL);
	uint8_t *bytes = linked_bytes(lib, &sz);
	linked_write("lib.so", bytes, sz);
	linked_assemble("near.o", CODE(OUTER_GD, ""));
	linked_assemble("far.o", CODE(OUTER_GD, FAR_CODE));
	struct linkfs_image *img = linked_try(l, "-e here near.o lib.so -o a", NULL);
	free(linked_bytes(img, &sz));
	ck_assert_ptr_null(linked_try(l, "-e here far.o lib.so -o a", &errors));
	ck_assert_msg(strstr(errors, "far.o:(.text+0x5): relocation R_X86_64_TLSGD out of range: 32212"), "%s", errors);
	free(errors);
	free(bytes);
	linkfs_image_unref(img);
	linkfs_image_unref(lib);
	linkfs_linker_free(l);
}
END_TEST

/* Both ways of looking say the same, each relocation once, in the order of their places. */
START_TEST(all_are_reported_in_order)
{
	struct linkfs_linker *l = linked_linker(4);
	char *errors = NULL;
	linked_assemble("a.o",
			CODE("lea target(%rip), %rax\n nop\n lea target(%rip), %rbx\n lea _start(%rip), %rcx", GAP3));
	linked_assemble("b.o", " .text\n call target\n .long target - .\n .data\n .long target\n" TAIL);
	linked_try(l, "a.o b.o -o a --defsym=unused=1", &errors);
	static const char *const places[] = { "a.o:(.text+0x4)", "a.o:(.text+0xc)", "b.o:(.text+0x1)",
					     "b.o:(.text+0x5)" };
	const char *at = errors;
	int cnt = 0;
	for (const char *p = errors; (p = strstr(p, "out of range")); p++)
		cnt++;
	ck_assert_msg(cnt == COUNT(places), "%d reports: %s", cnt, errors);
	for (int i = 0; i < COUNT(places); i++) {
		at = strstr(at, places[i]);
		ck_assert_msg(at, "%s is missing or not in order: %s", places[i], errors);
		at++;
	}
	ck_assert_ptr_nonnull(strstr(errors, "'target'"));
	free(errors);
	linkfs_linker_free(l);
}
END_TEST

int main(void)
{
	linked_need_as();
	if (system("ld -v 2>/dev/null | grep -q 'GNU ld'"))
		puts("GNU ld is not installed: nothing is compared with it");
	Suite *suite = suite_create("overflow");
	TCase *tc = tcase_create("overflow");
	tcase_set_timeout(tc, TIMEOUT_SEC);
	tcase_add_unchecked_fixture(tc, linked_begin, linked_end);
	tcase_add_loop_test(tc, fits_or_is_refused, 0, COUNT(rows));
	tcase_add_loop_test(tc, gnu_ld_agrees, 0, COUNT(rows));
	tcase_add_test(tc, initial_exec_by_a_slot);
	tcase_add_test(tc, all_are_reported_in_order);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
