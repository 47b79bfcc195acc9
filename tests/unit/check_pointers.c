/* check_pointers.c - tables of pointers: what .rela.dyn and the words below it are made of, by the short way, is what the
 * relocations say.
 *
 * The long way is there still: with --wrap names may mean others, so no table is used, and a --wrap of a name that nobody
 * mentions changes nothing else. Each image is made both ways and compared, then cut at every byte of its pointers. What
 * targets and what rows there must be is looked at in the object's own table.
 */
#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "linked.h"
#include "pointers.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))
enum { TIMEOUT_SEC = 120, CALM = 0xa5 };

static const char own[] =
	" .globl _start, own_func, own_data, hidden_data, pick\n"
	" .hidden hidden_data\n .weak nothing\n .type own_func, @function\n"
	" .text\n_start: ret\nown_func: ret\nlocal_func: ret\n"
	" .type pick, @gnu_indirect_function\npick: ret\n"
	" .type local_pick, @gnu_indirect_function\nlocal_pick: ret\n"
	"local_small = 0x13\n"
	" .data\nown_data: .quad 1\nhidden_data: .quad 2\nlocal_data: .quad 3\n"
	" .section .rodata.str1.1, \"aMS\", @progbits, 1\n"
	".Lone: .string \"one of both\"\ntext_2: .string \"only here\"\n.Llast: .string \"last\"\n.Lend:\n"
	" .section .rodata.cst8, \"aM\", @progbits, 8\n .align 8\n.Leight: .quad 1, 2, 3\n"
	" .section .tdata, \"awT\"\nthread: .quad 4\n"
	/* All are RELATIVE. */
	" .section .data.rel.ro.names, \"aw\"\n"
	" .quad hidden_data, own_func, own_func - 1, own_data + 8, hidden_data + 0x7fffffff\n"
	" .section .data.rel.ro.local, \"aw\"\n .byte 7\n"
	" .quad local_func, local_func + 4, local_data, local_data - 0x80000000, _start\n .byte 8\n .quad local_data\n"
	" .section .data.rel.ro.pieces, \"aw\"\n"
	" .quad .Lone, .Lone + 4, .Llast, .Lend, text_2, text_2 + 5, text_2 - 3, .Leight + 8, .Leight + 15, .Lone\n"
	" .quad .rodata.str1.1, .rodata.str1.1 + 5, .rodata.str1.1 + 26, .rodata.str1.1 + 27, .rodata.cst8 + 23\n"
	" .section .data.rel.ro.far, \"aw\"\n .quad local_data + 0x123456789, own_data - 0x123456789, .Lend - 1\n"
	" .section .data.rel.ro.reversed, \"aw\"\n .quad local_func, own_data, .Lone, text_2 + 1, .Llast\n"
	" .section .data.rel.ro.overlap, \"aw\"\n.Lover: .long 0, 0, 0, 0\n .reloc .Lover, R_X86_64_64, own_data\n"
	" .reloc .Lover + 4, R_X86_64_64, .Lone\n .reloc .Lover + 4, R_X86_64_64, local_func\n"
	/* Some are not. */
	" .section .data.rel.ro.mixed, \"aw\"\n"
	" .quad own_func, foreign_data, local_func, nothing, .Lone, small, hidden_data, pick, local_pick\n"
	" .quad foreign_func + 8, text_2, 5, own_data\n"
	" .section .data.rel.ro.none, \"aw\"\n .quad foreign_data, small\n"
	/* What the loader overwrites is not zero. */
	" .data\n .reloc ., R_X86_64_64, own_data\n .quad 0x1122334455667788\n"
	" .reloc ., R_X86_64_64, local_small\n .quad 0x1122334455667788\n .quad .Lone, -1\n"
	" .section .data.filled, \"aw\"\n .reloc ., R_X86_64_64, local_data\n .quad 0x1122334455667788, 9\n"
	/* Not all of it are addresses: no table. */
	" .section .data.other, \"aw\"\n .quad own_data, local_data - .\n .long local_func - .\n .quad .Lone\n"
	" .section .note.GNU-stack, \"\", @progbits\n";

static const char other[] =
	" .globl more, small\nsmall = 0x12\n .text\nmore: ret\n"
	" .section .rodata.str1.1, \"aMS\", @progbits, 1\n"
	".Lfirst: .string \"not here\"\n.Lone: .string \"one of both\"\n"
	" .section .data.rel.ro.local, \"aw\"\n .quad .Lone, .Lone + 1, more, .Lfirst, .text\n"
	" .section .data.rel.ro, \"aw\"\n .quad own_func, more, foreign_data\n"
	" .section .note.GNU-stack, \"\", @progbits\n";

static const char foreign[] =
	" .globl foreign_func, foreign_data\n .type foreign_func, @function\n .type foreign_data, @object\n"
	" .text\nforeign_func: ret\n .data\nforeign_data: .quad 1, 2\n .size foreign_data, 16\n"
	" .section .note.GNU-stack, \"\", @progbits\n";

static const struct image_case {
	const char *name, *args;
} images[] = {
	{ "pie", "-z max-page-size=64 -pie -E --dynamic-linker=/ld.so own.o other.o lib.so" },
	{ "shared", "-z max-page-size=64 -shared own.o other.o lib.so" },
	{ "shared, symbolic", "-z max-page-size=64 -shared -Bsymbolic other.o own.o lib.so" },
	{ "strings whole", "-z max-page-size=64 -O0 -pie --dynamic-linker=/ld.so own.o other.o lib.so" },
	{ "text relocations", "-z max-page-size=64 -z notext -pie --dynamic-linker=/ld.so own.o other.o read-only.o lib.so" },
	{ "some wrapped", "-z max-page-size=64 --wrap=own_func --defsym=__wrap_own_func=more -pie --dynamic-linker=/ld.so "
			  "own.o other.o lib.so" },
};

/* Turns a table round. */
static void reverse_table(uint8_t *object, const char *section)
{
	struct linked_table t = linked_table(object, section);
	Elf64_Rela *r = (Elf64_Rela *)(void *)t.rela;
	ck_assert_uint_gt(t.cnt, 1);
	for (size_t i = 0; i < t.cnt / 2; i++) {
		Elf64_Rela x = r[i];
		r[i] = r[t.cnt - 1 - i];
		r[t.cnt - 1 - i] = x;
	}
}

static void make_inputs(void)
{
	size_t sz;
	linked_begin();
	linked_assemble("own.o", own);
	linked_assemble("other.o", other);
	linked_assemble("foreign.o", foreign);
	linked_assemble("read-only.o", " .section .rodata.table, \"a\"\n .quad own_data, own_func, foreign_data\n"
				       " .section .note.GNU-stack, \"\", @progbits\n");
	uint8_t *object = linked_read("own.o", &sz);
	reverse_table(object, ".data.rel.ro.reversed");
	linked_write("own.o", object, sz);
	free(object);
}

static struct linkfs_linker *linker_with_library(void)
{
	struct linkfs_linker *l = linked_linker(2);
	struct linkfs_image *lib = linked_try(l, "-shared -soname lib.so -o lib.so foreign.o", NULL);
	struct diag *d = diag_new(0);
	ck_assert_int_eq(linkfs_image_write_outputs(lib, AT_FDCWD, d), 0);
	diag_free(d);
	linkfs_image_unref(lib);
	return l;
}

static struct linkfs_image *image_of(struct linkfs_linker *l, const struct image_case *c, const char *more)
{
	char args[512];
	snprintf(args, sizeof(args), "%s %s", more, c->args);
	return linked_try(l, args, NULL);
}

/* The same by the long way, by a linker that has no tables; the other one has them, whatever the options. */
START_TEST(as_relocations_say)
{
	const struct image_case *c = &images[_i];
	struct linkfs_linker *l = linker_with_library(), *fresh = linked_linker(1);
	struct linkfs_image *before = image_of(l, &images[0], "");
	struct linkfs_image *img = image_of(l, c, ""), *ref = image_of(fresh, c, "--wrap=nobody");
	size_t sz, ref_sz;
	uint8_t *bytes = linked_bytes(img, &sz), *want = linked_bytes(ref, &ref_sz);
	ck_assert_msg(ref->st->wrap_cnt > 0, "--wrap of an unknown name changes something: no reference");
	ck_assert_uint_eq(sz, ref_sz);
	for (size_t i = 0; i < sz; i++)
		ck_assert_msg(bytes[i] == want[i], "%s: byte %#zx is %#x, not %#x", c->name, i, bytes[i], want[i]);
	ck_assert_uint_gt(linked_section(bytes, ".rela.dyn", &sz, NULL), 0);
	ck_assert_uint_gt(sz / sizeof(Elf64_Rela), 30);
	free(bytes);
	free(want);
	linkfs_image_unref(before);
	linkfs_image_unref(img);
	linkfs_image_unref(ref);
	linkfs_linker_free(fresh);
	linkfs_linker_free(l);
}
END_TEST

/* All windows of these lengths that begin in section NAME. */
static void assert_windows(const struct image_case *c, struct linkfs_image *img, const uint8_t *want, size_t want_sz,
			   const char *name)
{
	static const size_t widths[] = { 1, 3, 8, 9, 24, 25, 47, 200, 3000 };
	size_t sz, off = linked_section(want, name, &sz, NULL);
	uint8_t buf[3002];
	char why[256] = "";
	ck_assert_msg(off > 0, "%s: no %s", c->name, name);
	for (size_t k = off < 30 ? 0 : off - 30; k < off + sz; k++)
		for (int w = 0; w < COUNT(widths); w++) {
			size_t n = widths[w] < want_sz - k ? widths[w] : want_sz - k;
			memset(buf, CALM, sizeof(buf));
			int rc = linkfs_image_fill(img, k, n, buf + 1, why, sizeof(why));
			ck_assert_msg(!rc && !memcmp(buf + 1, want + k, n) && buf[0] == CALM && buf[n + 1] == CALM,
				      "%s: %s: [%#zx, +%zu): %d %s", c->name, name, k, n, rc, why);
		}
}

START_TEST(cut_anywhere)
{
	const struct image_case *c = &images[_i];
	struct linkfs_linker *l = linker_with_library();
	struct linkfs_image *img = image_of(l, c, "");
	size_t sz;
	uint8_t *want = linked_bytes(img, &sz);
	assert_windows(c, img, want, sz, ".rela.dyn");
	assert_windows(c, img, want, sz, ".data.rel.ro");
	assert_windows(c, img, want, sz, ".data");
	free(want);
	linkfs_image_unref(img);
	linkfs_linker_free(l);
}
END_TEST

/* ---- the tables themselves ---- */

static const struct table_case {
	const char *section;
	const char *kinds; /* of the rows: Name, Section, Piece, Other; NULL: there is no table */
	bool is_sorted, is_zero;
} tables[] = {
	{ ".data.rel.ro.names", "NNNNN", true, true },
	{ ".data.rel.ro.local", "SSSSNS", true, true },
	{ ".data.rel.ro.pieces", "PPPOPPPPPPPPPOP", true, true },
	{ ".data.rel.ro.far", "OOO", true, true },
	{ ".data.rel.ro.reversed", "PPPNS", false, true },
	{ ".data.rel.ro.overlap", "NPS", true, true },
	{ ".data.rel.ro.mixed", "NNSNPNNNONPN", true, true },
	{ ".data.rel.ro.none", "NN", true, true },
	{ ".data", "NOP", true, false },
	{ ".data.filled", "S", true, false },
	{ ".data.other", NULL, false, false },
	{ ".text", NULL, false, false },
};

START_TEST(rows_of_sections)
{
	const struct table_case *c = &tables[_i];
	struct linkfs_linker *l = linker_with_library();
	struct linkfs_image *img = image_of(l, &images[0], "");
	const struct object *o = img->in->files[img->st->objs[0]].obj;
	const struct pointers *p = pointers_of(o);
	char kinds[32] = "";
	uint32_t at = 7, sec = 1;
	while (sec < o->sec_cnt && strcmp(isec_name(o, &o->secs[sec]), c->section))
		sec++;
	ck_assert_uint_lt(sec, o->sec_cnt);
	ck_assert_ptr_nonnull(p);
	const struct pointer_table *t = pointers_find(p, sec, &at);
	for (uint32_t i = 0; t && i < t->cnt; i++)
		kinds[i] = "NSPO"[pointer_kind(&pointers_rows(p)[t->first + i])];
	ck_assert_msg(!t == !c->kinds, "%s: has %s table", c->section, t ? "a" : "no");
	if (t) {
		ck_assert_str_eq(kinds, c->kinds);
		ck_assert_uint_eq(t->is_sorted, c->is_sorted);
		ck_assert_uint_eq(t->is_zero, c->is_zero);
		ck_assert_uint_eq(t->cnt, o->secs[sec].rel_cnt);
	}
	linkfs_image_unref(img);
	linkfs_linker_free(l);
}
END_TEST

/* Offsets are 32 bits wide; and no row lies outside. */
START_TEST(large_sections_have_none)
{
	static const struct {
		uint64_t sz, off;
		bool has_table;
	} rows[] = {
		{ UINT32_MAX, 8, true }, { UINT64_C(1) << 32, 8, false }, { UINT64_C(5) << 32, 8, false },
		{ 16, 8, true }, { 16, 9, false }, { 7, 0, false }, { 16, UINT64_MAX, false },
	};
	struct { uint8_t bytes[64]; Elf64_Rela rela; Elf64_Sym syms[2]; } data = { 0 };
	const struct arch *arch = NULL;
	for (int i = 0; arch_table[i]; i++)
		arch = arch_table[i]->machine == EM_X86_64 ? arch_table[i] : arch;
	ck_assert_ptr_nonnull(arch);
	data.rela = (Elf64_Rela){ rows[_i].off, ELF64_R_INFO(1, R_X86_64_64), 0 };
	data.syms[1].st_shndx = 1;
	struct isec secs[2] = { [1] = { .sz = rows[_i].sz, .rel_off = sizeof(data.bytes), .rel_cnt = 1,
					.flags = POINTER_FLAGS, .type = SHT_PROGBITS, .kind = ISEC_REGULAR } };
	struct object o = { .data = data.bytes, .sz = sizeof(data), .elf_class = ELFCLASS64, .sec_cnt = 2, .secs = secs,
			    .sym_cnt = 2, .first_global = 2, .symtab = (const uint8_t *)data.syms };
	uint32_t at = 0;
	pointers_make(&o, arch);
	ck_assert_ptr_nonnull(pointers_of(&o));
	ck_assert_uint_eq(pointers_find(pointers_of(&o), 1, &at) != NULL, rows[_i].has_table);
	free(atomic_load(&o.pointers));
}
END_TEST

int main(void)
{
	linked_need_as();
	Suite *s = suite_create("pointers");
	TCase *t = tcase_create("pointers");
	tcase_set_timeout(t, TIMEOUT_SEC);
	tcase_add_unchecked_fixture(t, make_inputs, linked_end);
	tcase_add_loop_test(t, as_relocations_say, 0, COUNT(images));
	tcase_add_loop_test(t, cut_anywhere, 0, COUNT(images));
	tcase_add_loop_test(t, rows_of_sections, 0, COUNT(tables));
	tcase_add_loop_test(t, large_sections_have_none, 0, 7);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
