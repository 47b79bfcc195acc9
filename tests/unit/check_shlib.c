/* check_shlib.c - linker/input/shlib: one good image, read by its sections and by its segments, and each way to spoil it. */
#include <check.h>
#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shlib.h"

#define ARRAY_CNT(a) (sizeof(a) / sizeof((a)[0]))

enum { NUL, DYNSYM, DYNSTR, VERSYM, VERDEF, VERNEED, DYNAMIC, DATA, SEC_CNT };
enum { SYM_NUL, SYM_U, SYM_OLD, SYM_NEW, SYM_PLAIN, SYM_LOCAL, SYM_RO, SYM_CNT };
enum {
	TAG_SONAME, TAG_NEEDED, TAG_NEEDED_2, TAG_RUNPATH, TAG_FLAGS, TAG_STRTAB, TAG_STRSZ, TAG_SYMTAB, TAG_HASH,
	TAG_VERSYM, TAG_VERDEF, TAG_VERDEFNUM, TAG_VERNEED, TAG_VERNEEDNUM, TAG_NULL, TAG_CNT
};
enum { SEG_RO, SEG_RW, SEG_DYNAMIC, SEG_RELRO, SEG_CNT };

#define STRS "\0libx.so.1\0liba.so\0libb.so\0/r\0f\0u\0plain\0ro\0V1\0V2\0W\0" "local\0"

static const char strs[] = STRS;

/* Addresses are file offsets. */
struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[SEG_CNT];
	Elf64_Sym syms[SYM_CNT];
	char dynstr[sizeof(STRS)];
	uint16_t versym[SYM_CNT];
	struct {
		Elf64_Verdef def;
		Elf64_Verdaux aux;
	} verdef[3];
	struct {
		Elf64_Verneed need;
		Elf64_Vernaux aux;
	} verneed;
	struct {
		uint32_t bucket_cnt, first, bloom_cnt, bloom_shift;
		uint64_t bloom[1];
		uint32_t buckets[2], chains[SYM_CNT - SYM_OLD];
	} hash;
	Elf64_Dyn dyn[TAG_CNT];
	_Alignas(64) uint8_t data[64];
	Elf64_Shdr sh[SEC_CNT];
};

static uint32_t str(const char *name)
{
	for (size_t i = 0; i < sizeof(strs); i++)
		if ((!i || !strs[i - 1]) && !strcmp(strs + i, name))
			return (uint32_t)i;
	ck_abort_msg("no string %s", name);
}

#define AT(field) offsetof(struct image, field)
#define SIZE(field) sizeof(((struct image *)0)->field)

static Elf64_Shdr section(uint32_t type, uint64_t off, uint64_t sz, uint32_t link, uint32_t info, uint64_t align,
			  uint64_t entsize)
{
	return (Elf64_Shdr){ 0, type, SHF_ALLOC, off, off, sz, link, info, align, entsize };
}

static Elf64_Sym symbol(const char *name, uint8_t bind, uint16_t shndx, uint64_t value, uint64_t sz)
{
	return (Elf64_Sym){ *name ? str(name) : 0, ELF64_ST_INFO(bind, STT_OBJECT), 0, shndx, value, sz };
}

static Elf64_Dyn tag(int64_t tag, uint64_t value)
{
	return (Elf64_Dyn){ .d_tag = tag, .d_un.d_val = value };
}

static Elf64_Verdef verdef(uint16_t flags, uint16_t idx, uint32_t next)
{
	return (Elf64_Verdef){ 1, flags, idx, 1, 0, sizeof(Elf64_Verdef), next };
}

static void make(struct image *im)
{
	uint32_t step = sizeof(im->verdef[0]);
	memset(im, 0, sizeof(*im));
	im->eh = (Elf64_Ehdr){
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_ehsize = sizeof(Elf64_Ehdr),
		.e_phoff = AT(ph), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = SEG_CNT,
		.e_shoff = AT(sh), .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = SEC_CNT,
	};
	im->ph[SEG_RO] = (Elf64_Phdr){ PT_LOAD, PF_R, 0, 0, 0, AT(dyn), AT(dyn), 4096 };
	im->ph[SEG_RW] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_W, AT(dyn), AT(dyn), 0, AT(sh) - AT(dyn), AT(sh) - AT(dyn), 4096 };
	im->ph[SEG_DYNAMIC] = (Elf64_Phdr){ PT_DYNAMIC, PF_R | PF_W, AT(dyn), AT(dyn), 0, SIZE(dyn), SIZE(dyn), 8 };
	im->ph[SEG_RELRO] = (Elf64_Phdr){ PT_GNU_RELRO, PF_R, AT(data), AT(data), 0, 16, 16, 1 };
	im->syms[SYM_U] = symbol("u", STB_GLOBAL, SHN_UNDEF, 0, 0);
	im->syms[SYM_OLD] = symbol("f", STB_GLOBAL, DATA, AT(data) + 32, 4);
	im->syms[SYM_NEW] = symbol("f", STB_WEAK, DATA, AT(data) + 24, 4);
	im->syms[SYM_PLAIN] = symbol("plain", STB_GLOBAL, DATA, AT(data) + 64, 4);
	im->syms[SYM_LOCAL] = symbol("local", STB_GLOBAL, DATA, AT(data), 4);
	im->syms[SYM_RO] = symbol("ro", STB_GLOBAL, DATA, AT(data) + 8, 4);
	memcpy(im->dynstr, strs, sizeof(strs));
	memcpy(im->versym, (uint16_t[]){ 0, 4, 0x8002, 3, 1, 0, 3 }, sizeof(im->versym));
	im->verdef[0].def = verdef(VER_FLG_BASE, 1, step);
	im->verdef[0].aux.vda_name = str("libx.so.1");
	im->verdef[1].def = verdef(0, 2, step);
	im->verdef[1].aux.vda_name = str("V1");
	im->verdef[2].def = verdef(0, 3, 0);
	im->verdef[2].aux.vda_name = str("V2");
	im->verneed.need = (Elf64_Verneed){ 1, 1, str("liba.so"), sizeof(Elf64_Verneed), 0 };
	im->verneed.aux = (Elf64_Vernaux){ 0, 0, 4, str("W"), 0 };
	im->hash.bucket_cnt = 2;
	im->hash.first = SYM_OLD;
	im->hash.bloom_cnt = 1;
	im->hash.buckets[0] = SYM_PLAIN;
	im->hash.buckets[1] = SYM_OLD;
	memcpy(im->hash.chains, (uint32_t[]){ 2, 3, 2, 2, 3 }, sizeof(im->hash.chains));
	const Elf64_Dyn dyn[TAG_CNT] = {
		[TAG_SONAME] = tag(DT_SONAME, str("libx.so.1")),
		[TAG_NEEDED] = tag(DT_NEEDED, str("liba.so")),
		[TAG_NEEDED_2] = tag(DT_NEEDED, str("libb.so")),
		[TAG_RUNPATH] = tag(DT_RUNPATH, str("/r")),
		[TAG_FLAGS] = tag(DT_FLAGS_1, 1),
		[TAG_STRTAB] = tag(DT_STRTAB, AT(dynstr)),
		[TAG_STRSZ] = tag(DT_STRSZ, SIZE(dynstr)),
		[TAG_SYMTAB] = tag(DT_SYMTAB, AT(syms)),
		[TAG_HASH] = tag(DT_GNU_HASH, AT(hash)),
		[TAG_VERSYM] = tag(DT_VERSYM, AT(versym)),
		[TAG_VERDEF] = tag(DT_VERDEF, AT(verdef)),
		[TAG_VERDEFNUM] = tag(DT_VERDEFNUM, 3),
		[TAG_VERNEED] = tag(DT_VERNEED, AT(verneed)),
		[TAG_VERNEEDNUM] = tag(DT_VERNEEDNUM, 1),
	};
	memcpy(im->dyn, dyn, sizeof(dyn));
	im->sh[DYNSYM] = section(SHT_DYNSYM, AT(syms), SIZE(syms), DYNSTR, 1, 8, sizeof(Elf64_Sym));
	im->sh[DYNSTR] = section(SHT_STRTAB, AT(dynstr), SIZE(dynstr), 0, 0, 1, 0);
	im->sh[VERSYM] = section(SHT_GNU_versym, AT(versym), SIZE(versym), DYNSYM, 0, 2, 2);
	im->sh[VERDEF] = section(SHT_GNU_verdef, AT(verdef), SIZE(verdef), DYNSTR, 3, 8, 0);
	im->sh[VERNEED] = section(SHT_GNU_verneed, AT(verneed), SIZE(verneed), DYNSTR, 1, 8, 0);
	im->sh[DYNAMIC] = section(SHT_DYNAMIC, AT(dyn), SIZE(dyn), DYNSTR, 0, 8, 16);
	im->sh[DATA] = section(SHT_PROGBITS, AT(data), SIZE(data), 0, 0, 16, 0);
}

static void drop_sections(struct image *im)
{
	im->eh.e_shoff = im->eh.e_shnum = 0;
	memset(im->sh, 0xff, sizeof(im->sh));
}

struct outcome {
	struct names *names;
	struct shlib *s;
	struct infile f;
	int rc;
	char *messages;
};

static void parse(const void *data, size_t sz, struct outcome *ret)
{
	struct diag *d = diag_new(0);
	uint8_t *copy = malloc(sz ? sz : 1);
	memcpy(copy, data, sz);
	*ret = (struct outcome){ .f = { .data = copy, .sz = sz, .path = (char *)"libx.so" } };
	ck_assert_int_eq(names_new(&ret->names), 0);
	ret->rc = shlib_parse(&ret->f, ret->names, d, 0, &ret->s);
	ret->messages = diag_text(d);
	diag_free(d);
}

static void done(struct outcome *out)
{
	shlib_free(out->s);
	names_free(out->names);
	free((void *)out->f.data);
	free(out->messages);
}

/* "name/base version dynsym-index[?][r]", ? undefined, r read-only. */
static const char *dump(const struct outcome *out)
{
	static char text[1024];
	size_t sz = 0;
	for (uint32_t i = 0; i < out->s->sym_cnt; i++) {
		const struct shlib_sym *s = &out->s->syms[i];
		const struct name *name = names_get(out->names, s->name), *base = names_get(out->names, s->base);
		sz += (size_t)snprintf(text + sz, sizeof(text) - sz, "%.*s/%.*s %u %u%s%s ", (int)name->len, name->str,
				       (int)base->len, base->str, s->version, s->dynsym_idx, s->is_undef ? "?" : "",
				       s->is_readonly ? "r" : "");
	}
	return text;
}

START_TEST(test_good)
{
	struct image im;
	struct outcome out;
	make(&im);
	if (_i)
		drop_sections(&im);
	parse(&im, sizeof(im), &out);
	ck_assert_msg(!out.rc && !*out.messages, "%d: %s", out.rc, out.messages);
	const struct shlib *s = out.s;
	ck_assert_str_eq(dump(&out), "u/u 4 1? f@V1/f 2 2 f/f 3 3 plain/plain 1 4 ro/ro 3 6r ");
	ck_assert(s->machine == EM_X86_64 && s->elf_class == ELFCLASS64 && !s->is_be);
	ck_assert_str_eq(s->soname, "libx.so.1");
	ck_assert_str_eq(s->runpath, "/r");
	ck_assert_ptr_null(s->rpath);
	ck_assert_uint_eq(s->needed_cnt, 2);
	ck_assert_str_eq(s->needed[0], "liba.so");
	ck_assert_str_eq(s->needed[1], "libb.so");
	ck_assert_uint_eq(s->version_cnt, 5);
	ck_assert(!s->versions[0] && !s->versions[1]);
	ck_assert_str_eq(s->versions[2], "V1");
	ck_assert_str_eq(s->versions[3], "V2");
	ck_assert_str_eq(s->versions[4], "W");
	ck_assert(s->syms[2].bind == STB_WEAK && s->syms[2].type == STT_OBJECT && s->syms[2].size == 4);
	ck_assert_uint_eq(s->syms[2].value, AT(data) + 24);
	ck_assert_uint_eq(s->syms[2].align_shift, 3); /* by its address */
	/* By its section, where there is one. */
	ck_assert_uint_eq(s->syms[3].align_shift, _i ? (uint32_t)__builtin_ctzll(AT(data) + 64) : 4);
	done(&out);
}
END_TEST

#define EDIT(name, ...)                          \
	static void name(struct image *im)       \
	{                                        \
		__VA_ARGS__;                     \
	}

EDIT(type_rel, im->eh.e_type = ET_REL)
EDIT(class_0, im->eh.e_ident[EI_CLASS] = 0)
EDIT(shoff_far, im->eh.e_shoff = sizeof(*im))
EDIT(phoff_far, im->eh.e_phoff = UINT64_MAX)
EDIT(syms_far, im->sh[DYNSYM].sh_offset = sizeof(*im))
EDIT(syms_entsize, im->sh[DYNSYM].sh_entsize = 16)
EDIT(syms_partial, im->sh[DYNSYM].sh_size -= 1)
EDIT(strs_far, im->sh[DYNSTR].sh_size = sizeof(*im))
EDIT(strs_open, im->dynstr[sizeof(STRS) - 1] = 'x')
EDIT(strs_none, im->sh[DYNSYM].sh_link = im->sh[VERDEF].sh_link = im->sh[VERNEED].sh_link = im->sh[DYNAMIC].sh_link = 0)
EDIT(strs_two, im->sh[VERDEF].sh_link = DATA)
EDIT(strs_type, im->sh[DYNSTR].sh_type = SHT_PROGBITS)
EDIT(versym_short, im->sh[VERSYM].sh_size -= 2)
EDIT(dynamic_far, im->sh[DYNAMIC].sh_size = UINT64_MAX)
EDIT(soname_far, im->dyn[TAG_SONAME].d_un.d_val = sizeof(STRS))
EDIT(needed_far, im->dyn[TAG_NEEDED].d_un.d_val = UINT64_MAX)
EDIT(pie, im->dyn[TAG_FLAGS].d_un.d_val = 0x08000000)
EDIT(verdef_next, im->verdef[0].def.vd_next = 1000)
EDIT(verdef_aux, im->verdef[1].def.vd_aux = UINT32_MAX)
EDIT(verdef_idx, im->verdef[1].def.vd_ndx = 0x8002)
EDIT(verdef_name, im->verdef[1].aux.vda_name = sizeof(STRS))
EDIT(verdef_nameless, im->verdef[1].aux.vda_name = 0)
EDIT(verneed_next, im->sh[VERNEED].sh_info = 2; im->verneed.need.vn_next = 1000)
EDIT(verneed_aux, im->verneed.need.vn_aux = 1000)
EDIT(verneed_overlap, im->verneed.need.vn_cnt = 60000; im->verneed.need.vn_aux = 0; im->verneed.need.vn_next = 1)
EDIT(sym_name, im->syms[SYM_RO].st_name = sizeof(STRS))
EDIT(sym_nameless, im->syms[SYM_RO].st_name = 0)
EDIT(sym_version, im->versym[SYM_RO] = 5)
EDIT(sym_version_hole, im->verdef[2].def.vd_ndx = 6)
EDIT(seg_none, drop_sections(im); im->ph[SEG_DYNAMIC].p_type = PT_NULL)
EDIT(seg_far, drop_sections(im); im->ph[SEG_DYNAMIC].p_offset = UINT64_MAX)
EDIT(seg_strs, drop_sections(im); im->dyn[TAG_STRTAB].d_un.d_val = 0x10000000)
EDIT(seg_strsz, drop_sections(im); im->dyn[TAG_STRSZ].d_un.d_val = UINT64_MAX)
EDIT(seg_syms, drop_sections(im); im->dyn[TAG_SYMTAB].d_un.d_val = 0x10000000)
EDIT(seg_no_hash, drop_sections(im); im->dyn[TAG_HASH].d_tag = DT_DEBUG)
EDIT(seg_hash_buckets, drop_sections(im); im->hash.bucket_cnt = UINT32_MAX)
EDIT(seg_hash_chain, drop_sections(im); im->hash.buckets[0] = 1000000)

static const struct bad_row {
	const char *name;
	void (*edit)(struct image *im);
	const char *message;
} bad_rows[] = {
	{ "type", type_rel, "libx.so: not a shared library: its type is 1" },
	{ "class", class_0, "libx.so: not an elf file" },
	{ "sections beyond the file", shoff_far, "truncated or damaged" },
	{ "segments beyond the file", phoff_far, "libx.so: " },
	{ "symbols beyond the file", syms_far, "dynamic symbols: 0x" },
	{ "symbol size", syms_entsize, "dynamic symbols: entries of 16 bytes: expected 24" },
	{ "part of a symbol", syms_partial, "dynamic symbols: 0xa7 bytes of entries of 24" },
	{ "strings beyond the file", strs_far, "dynamic strings: 0x" },
	{ "strings open", strs_open, "without a NUL at the end" },
	{ "no strings", strs_none, "dynamic strings: section 0" },
	{ "two string tables", strs_two, "different string tables: sections 2 and 7" },
	{ "strings that are none", strs_type, "dynamic strings: section 2" },
	{ "versions too few", versym_short, "symbol versions: 6 for 7 symbols" },
	{ "dynamic section beyond the file", dynamic_far, "dynamic section: 0x" },
	{ "soname", soname_far, "dynamic section: a string at 0x" },
	{ "needed", needed_far, "dynamic section: a string at 0xffffffffffffffff" },
	{ "executable", pie, "it is a position-independent executable" },
	{ "next definition", verdef_next, "version definitions: a record at 0x3e8" },
	{ "definition's name record", verdef_aux, "version definitions: a record at 0x" },
	{ "definition's index", verdef_idx, "version definitions: a record at 0x" },
	{ "definition's name", verdef_name, "version 2: its name at 0x" },
	{ "definition without a name", verdef_nameless, "version 2: its name at 0x0" },
	{ "next needed", verneed_next, "needed versions: a record at 0x3e8" },
	{ "needed version", verneed_aux, "needed versions: a record at 0x3e8" },
	{ "needed versions overlap", verneed_overlap, "libx.so: " },
	{ "symbol's name", sym_name, "dynamic symbol 6: its name at 0x" },
	{ "symbol without a name", sym_nameless, "dynamic symbol 6: its name at 0x0" },
	{ "symbol's version", sym_version, "dynamic symbol ro: its version 5 is not defined" },
	{ "symbol's version, a hole", sym_version_hole, "dynamic symbol f: its version 3 is not defined" },
	{ "no dynamic segment", seg_none, "no dynamic section" },
	{ "dynamic segment beyond the file", seg_far, "dynamic segment: 0x" },
	{ "strings in no segment", seg_strs, "its strings or symbols do not lie in the file" },
	{ "size of strings", seg_strsz, "its strings or symbols do not lie in the file" },
	{ "symbols in no segment", seg_syms, "its strings or symbols do not lie in the file" },
	{ "no hash table", seg_no_hash, "no hash table that tells the number of symbols" },
	{ "hash table's buckets", seg_hash_buckets, "no hash table that tells the number of symbols" },
	{ "hash table's chain", seg_hash_chain, "no hash table that tells the number of symbols" },
};

START_TEST(test_bad)
{
	const struct bad_row *row = &bad_rows[_i];
	struct image im;
	struct outcome out;
	make(&im);
	row->edit(&im);
	parse(&im, sizeof(im), &out);
	ck_assert_msg(out.rc == -EINVAL && !out.s, "%s: gives %d", row->name, out.rc);
	ck_assert_msg(strstr(out.messages, row->message) != NULL, "%s: %s", row->name, out.messages);
	done(&out);
}
END_TEST

EDIT(no_versions, im->sh[VERSYM].sh_type = im->sh[VERDEF].sh_type = im->sh[VERNEED].sh_type = SHT_PROGBITS)
EDIT(hidden_global, im->versym[SYM_PLAIN] = 0x8001)
EDIT(local_bind, im->syms[SYM_PLAIN].st_info = 0)
EDIT(segments_hash, drop_sections(im); im->dyn[TAG_HASH].d_tag = DT_HASH; im->hash.first = SYM_CNT)
EDIT(none_hashed, drop_sections(im); im->hash.first = SYM_PLAIN; im->hash.buckets[0] = im->hash.buckets[1] = 0)

static const struct said_row {
	const char *name;
	void (*edit)(struct image *im);
	const char *want;
} said_rows[] = {
	{ "no versions", no_versions, "u/u 1 1? f/f 1 2 f/f 1 3 plain/plain 1 4 local/local 1 5r ro/ro 1 6r " },
	{ "hidden without a version", hidden_global, "u/u 4 1? f@V1/f 2 2 f/f 3 3 ro/ro 3 6r " },
	{ "local binding", local_bind, "u/u 4 1? f@V1/f 2 2 f/f 3 3 ro/ro 3 6r " },
	{ "counted by the old hash table", segments_hash, "u/u 4 1? f@V1/f 2 2 f/f 3 3 plain/plain 1 4 ro/ro 3 6r " },
	{ "nothing hashed", none_hashed, "u/u 4 1? f@V1/f 2 2 f/f 3 3 " },
};

START_TEST(test_said)
{
	const struct said_row *row = &said_rows[_i];
	struct image im;
	struct outcome out;
	make(&im);
	row->edit(&im);
	parse(&im, sizeof(im), &out);
	ck_assert_msg(!out.rc, "%s: %s", row->name, out.messages);
	ck_assert_msg(!strcmp(dump(&out), row->want), "%s: %s", row->name, dump(&out));
	done(&out);
}
END_TEST

START_TEST(test_cut)
{
	struct image im;
	make(&im);
	for (size_t sz = 0; sz < sizeof(im); sz++) {
		struct outcome out;
		parse(&im, sz, &out);
		ck_assert_msg(out.rc == -EINVAL && *out.messages, "cut at %zu: %d", sz, out.rc);
		done(&out);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shlib");
	TCase *tc = tcase_create("shlib");
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_good, 0, 2);
	tcase_add_loop_test(tc, test_bad, 0, (int)ARRAY_CNT(bad_rows));
	tcase_add_loop_test(tc, test_said, 0, (int)ARRAY_CNT(said_rows));
	tcase_add_test(tc, test_cut);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
