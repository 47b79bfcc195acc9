/* check_object.c - linker/input/object: one good image, and one row for each way to spoil it or to make it say something.
 *
 * The image is a C struct, so that rows name what they change; a second, generated one covers classes and byte orders.
 */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"

#define ARRAY_CNT(a) (sizeof(a) / sizeof((a)[0]))

enum { NUL, TEXT, RELA, STR, GROUP, COMDAT, SYMTAB, STRTAB, SHSTRTAB, STACK, PROPERTY, BSS, DEBUG, RELA_DEBUG, SHNDX, SEC_CNT };
enum { SYM_NUL, SYM_FILE, SYM_F, SYM_G, SYM_U, SYM_C, SYM_V, SYM_CNT };

#define NAMES "\0.text\0.rela.text\0.rodata.str1.1\0.group\0.text.g\0.symtab\0.strtab\0.shstrtab\0.note.GNU-stack\0" \
	".note.gnu.property\0.bss\0.debug_x\0.rela.debug_x\0.symtab_shndx\0.eh_frame\0.gnu.warning.f\0.llvmbc\0"   \
	".gnu.lto_.lto.1\0.note.GNU-split-stack\0.note.x\0.zdebug_x"
#define SYMS "\0a.c\0f\0g\0u\0c\0v@@V1\0w@V2\0__gnu_lto_slim\0"

static const char section_names[] = NAMES, symbol_names[] = SYMS;

/* The image; with 7 bytes before it, as a member of an archive may lie. */
struct image {
	Elf64_Ehdr eh;
	uint8_t text[32];
	Elf64_Rela rela[2];
	char str[8];
	uint32_t group[2];
	uint8_t comdat[16];
	uint32_t note[3];
	char note_name[4];
	uint32_t property[4];
	uint32_t shndx[SYM_CNT];
	Elf64_Rela rela_debug[2];
	Elf64_Sym syms[SYM_CNT];
	char strtab[sizeof(SYMS)];
	char shstrtab[sizeof(NAMES)];
	Elf64_Shdr sh[SEC_CNT];
};

static uint32_t find_name(const char *table, size_t sz, const char *name)
{
	for (size_t i = 0; i + strlen(name) < sz; i++)
		if ((!i || !table[i - 1]) && !strcmp(table + i, name))
			return (uint32_t)i;
	ck_abort_msg("no name %s", name);
}

static uint32_t section_name(const char *name)
{
	return find_name(section_names, sizeof(section_names), name);
}

static uint32_t symbol_name(const char *name)
{
	return find_name(symbol_names, sizeof(symbol_names), name);
}

#define PLACE(field) offsetof(struct image, field), sizeof(((struct image *)0)->field)

static Elf64_Shdr section(const char *name, uint32_t type, uint64_t flags, uint64_t off, uint64_t sz, uint32_t link,
			  uint32_t info, uint64_t align, uint64_t entsize)
{
	return (Elf64_Shdr){ section_name(name), type, flags, 0, off, sz, link, info, align, entsize };
}

static void make(struct image *im)
{
	*im = (struct image){
		.eh = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_REL, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
			.e_ehsize = sizeof(Elf64_Ehdr), .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = SEC_CNT,
			.e_shstrndx = SHSTRTAB, .e_shoff = offsetof(struct image, sh), .e_flags = 0x12345,
		},
		.rela = { { 4, ELF64_R_INFO(SYM_U, 2), -4 }, { 12, ELF64_R_INFO(SYM_G, 4), 8 } },
		.str = "a\0bcd\0e",
		.group = { GRP_COMDAT, COMDAT },
		.note = { 4, 16, 5 }, .note_name = "GNU", .property = { 0xc0000002, 4, 3, 0 },
		.rela_debug = { { 8, ELF64_R_INFO(SYM_F, 1), 0 }, { 0, ELF64_R_INFO(SYM_F, 1), 0 } },
		.syms = {
			[SYM_FILE] = { symbol_name("a.c"), ELF64_ST_INFO(STB_LOCAL, STT_FILE), 0, SHN_ABS, 0, 0 },
			[SYM_F] = { symbol_name("f"), ELF64_ST_INFO(STB_LOCAL, STT_FUNC), 0, TEXT, 0, 32 },
			[SYM_G] = { symbol_name("g"), ELF64_ST_INFO(STB_WEAK, STT_FUNC), STV_HIDDEN, COMDAT, 1, 15 },
			[SYM_U] = { symbol_name("u"), ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), 0, SHN_UNDEF, 0, 0 },
			[SYM_C] = { symbol_name("c"), ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), 0, SHN_COMMON, 8, 24 },
			[SYM_V] = { symbol_name("v@@V1"), ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), 0, SHN_XINDEX, 0, 4 },
		},
		.shndx = { [SYM_V] = BSS },
		.strtab = SYMS, .shstrtab = NAMES,
		.sh = {
			[TEXT] = section(".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, PLACE(text), 0, 0, 16, 0),
			[RELA] = section(".rela.text", SHT_RELA, SHF_INFO_LINK, PLACE(rela), SYMTAB, TEXT, 8, 24),
			[STR] = section(".rodata.str1.1", SHT_PROGBITS, SHF_ALLOC | SHF_MERGE | SHF_STRINGS, PLACE(str), 0, 0,
					1, 1),
			[GROUP] = section(".group", SHT_GROUP, 0, PLACE(group), SYMTAB, SYM_G, 4, 4),
			[COMDAT] = section(".text.g", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR | SHF_GROUP, PLACE(comdat), 0, 0,
					   0, 0),
			[SYMTAB] = section(".symtab", SHT_SYMTAB, 0, PLACE(syms), STRTAB, SYM_G, 8, 24),
			[STRTAB] = section(".strtab", SHT_STRTAB, 0, PLACE(strtab), 0, 0, 1, 0),
			[SHSTRTAB] = section(".shstrtab", SHT_STRTAB, 0, PLACE(shstrtab), 0, 0, 1, 0),
			[STACK] = section(".note.GNU-stack", SHT_PROGBITS, 0, 0, 0, 0, 0, 1, 0),
			[PROPERTY] = section(".note.gnu.property", SHT_NOTE, SHF_ALLOC, offsetof(struct image, note), 32, 0,
					     0, 8, 0),
			[BSS] = section(".bss", SHT_NOBITS, SHF_ALLOC | SHF_WRITE, 0x7777777777, 0x100000000, 0, 0, 4096, 0),
			[DEBUG] = section(".debug_x", SHT_PROGBITS, 0, PLACE(text), 0, 0, 1, 0),
			[RELA_DEBUG] = section(".rela.debug_x", SHT_RELA, SHF_INFO_LINK, PLACE(rela_debug), SYMTAB, DEBUG, 8,
					       24),
			[SHNDX] = section(".symtab_shndx", SHT_SYMTAB_SHNDX, 0, PLACE(shndx), SYMTAB, 0, 4, 4),
		},
	};
}

struct outcome {
	struct names *names;
	struct object *o;
	struct infile f;
	int rc;
	char *messages;
};

enum { SHIFT = 7 };

static void parse(const void *data, size_t sz, struct outcome *ret)
{
	struct diag *d = diag_new(0);
	uint8_t *copy = malloc(sz + SHIFT);
	memcpy(copy + SHIFT, data, sz);
	*ret = (struct outcome){ .f = { .data = copy, .sz = sz + SHIFT, .path = (char *)"x.a" } };
	ck_assert_int_eq(names_new(&ret->names), 0);
	ck_assert_int_eq(names_reserve(ret->names, object_sym_bound(copy + SHIFT, sz)), 0);
	ret->rc = object_parse(&ret->f, SHIFT, sz, "x.a(y.o)", ret->names, d, 0, &ret->o);
	ret->messages = diag_text(d);
	diag_free(d);
}

static void done(struct outcome *out)
{
	object_free(out->o);
	names_free(out->names);
	free((void *)out->f.data);
	free(out->messages);
}

static const char *global_name(const struct outcome *out, uint32_t i)
{
	static char buf[64];
	const struct name *n = names_get(out->names, out->o->names[i - out->o->first_global]);
	snprintf(buf, sizeof(buf), "%.*s", (int)n->len, n->str);
	return buf;
}

START_TEST(test_good)
{
	static const uint8_t kinds[SEC_CNT] = {
		[TEXT] = ISEC_REGULAR, [STR] = ISEC_MERGE, [COMDAT] = ISEC_REGULAR, [PROPERTY] = ISEC_PROPERTY,
		[BSS] = ISEC_REGULAR, [DEBUG] = ISEC_REGULAR,
	};
	struct image im;
	struct outcome out;
	make(&im);
	ck_assert_uint_eq(object_sym_bound((uint8_t *)&im, sizeof(im)), SYM_CNT - SYM_G);
	parse(&im, sizeof(im), &out);
	ck_assert_msg(!out.rc && !*out.messages, "%d: %s", out.rc, out.messages);
	const struct object *o = out.o;
	ck_assert_str_eq(o->name, "x.a(y.o)");
	ck_assert(o->machine == EM_X86_64 && o->elf_class == ELFCLASS64 && !o->is_be && o->e_flags == 0x12345);
	ck_assert(o->file == &out.f && o->file_off == SHIFT && o->data == out.f.data + SHIFT && o->sz == sizeof(im));
	ck_assert(o->has_gnu_stack && !o->exec_stack && !o->is_lto && !o->has_split_stack);
	ck_assert_uint_eq(o->sec_cnt, SEC_CNT);
	for (int i = 0; i < SEC_CNT; i++) {
		ck_assert_msg(o->secs[i].kind == kinds[i], "section %d has kind %d", i, o->secs[i].kind);
		ck_assert_uint_eq(o->secs[i].group, i == COMDAT ? 1 : 0);
		ck_assert_uint_eq(o->secs[i].link, 0);
		ck_assert_str_eq(isec_name(o, &o->secs[i]), section_names + im.sh[i].sh_name);
	}
	const struct isec *text = &o->secs[TEXT], *bss = &o->secs[BSS], *debug = &o->secs[DEBUG];
	ck_assert(text->p2align == 4 && text->sz == 32 && text->rel_cnt == 2 && !text->is_rel && !text->rel_unsorted);
	ck_assert(!text->rel_unchecked && debug->rel_unchecked && !object_rel_is_sorted(o, debug));
	ck_assert(bss->sz == UINT64_C(0x100000000) && bss->p2align == 12 && bss->off == 0);
	ck_assert_uint_eq(o->rel_cnt, 4);
	struct rel r;
	rel_get(o, text, 1, &r);
	ck_assert(r.off == 12 && r.type == 4 && r.sym == SYM_G && r.addend == 8);
	uint32_t *order;
	ck_assert_int_eq(object_rel_order(o, debug, &order), 0);
	ck_assert(order[0] == 1 && order[1] == 0);
	free(order);
	ck_assert(o->sym_cnt == SYM_CNT && o->first_global == SYM_G);
	ck_assert_str_eq(global_name(&out, SYM_G), "g");
	ck_assert_str_eq(global_name(&out, SYM_U), "u");
	ck_assert_str_eq(global_name(&out, SYM_V), "v"); /* a default version is cut off */
	struct esym e;
	esym_get(o, SYM_G, &e);
	ck_assert(e.value == 1 && e.size == 15 && e.shndx == COMDAT && e.type == STT_FUNC && e.bind == STB_WEAK);
	ck_assert_uint_eq(e.vis, STV_HIDDEN);
	esym_get(o, SYM_C, &e);
	ck_assert_uint_eq(e.shndx, OBJ_SHN_COMMON);
	esym_get(o, SYM_V, &e);
	ck_assert_uint_eq(e.shndx, BSS);
	ck_assert(o->group_cnt == 1 && o->groups[0].is_comdat && o->groups[0].member_cnt == 1);
	ck_assert(o->groups[0].members[0] == COMDAT && o->groups[0].signature == o->names[0]);
	ck_assert(o->property_cnt == 1 && o->properties[0].type == 0xc0000002 && o->properties[0].value == 3);
	done(&out);
}
END_TEST

/* ---- one change each ---- */

#define EDIT(name, ...)                          \
	static void name(struct image *im)       \
	{                                        \
		__VA_ARGS__;                     \
	}

EDIT(type_exec, im->eh.e_type = ET_EXEC)
EDIT(class_3, im->eh.e_ident[EI_CLASS] = 3)
EDIT(data_0, im->eh.e_ident[EI_DATA] = 0)
EDIT(shoff_far, im->eh.e_shoff = sizeof(*im) + 1)
EDIT(shoff_max, im->eh.e_shoff = UINT64_MAX)
EDIT(shnum_big, im->eh.e_shnum = SEC_CNT + 1)
EDIT(shentsize_65, im->eh.e_shentsize = 65)
EDIT(shstrndx_big, im->eh.e_shstrndx = SEC_CNT)
EDIT(shstrndx_text, im->eh.e_shstrndx = TEXT)
EDIT(shstrtab_open, im->shstrtab[sizeof(NAMES) - 1] = 'x')
EDIT(shstrtab_far, im->sh[SHSTRTAB].sh_offset = sizeof(*im))
EDIT(shstrtab_empty, im->sh[SHSTRTAB].sh_size = 0)
EDIT(name_far, im->sh[TEXT].sh_name = sizeof(NAMES))
EDIT(off_far, im->sh[TEXT].sh_offset = sizeof(*im) - 31)
EDIT(off_wraps, im->sh[TEXT].sh_offset = UINT64_MAX - 15)
EDIT(size_far, im->sh[TEXT].sh_size = UINT64_MAX)
EDIT(bss_huge, im->sh[BSS].sh_size = UINT64_C(1) << 56)
EDIT(align_3, im->sh[TEXT].sh_addralign = 3)
EDIT(align_2_33, im->sh[TEXT].sh_addralign = UINT64_C(1) << 33)
EDIT(rela_entsize, im->sh[RELA].sh_entsize = 16)
EDIT(rela_partial, im->sh[RELA].sh_size = 47)
EDIT(rela_no_target, im->sh[RELA].sh_info = 0)
EDIT(rela_far_target, im->sh[RELA].sh_info = SEC_CNT)
EDIT(rela_itself, im->sh[RELA].sh_info = RELA)
EDIT(rela_twice, im->sh[RELA_DEBUG].sh_info = TEXT)
EDIT(rela_bss, im->sh[RELA].sh_info = BSS)
EDIT(rela_other_symbols, im->sh[RELA].sh_link = STRTAB)
EDIT(crel, im->sh[RELA].sh_type = 0x40000014)
EDIT(two_symtabs, im->sh[DEBUG].sh_type = SHT_SYMTAB)
EDIT(two_shndx, im->sh[DEBUG].sh_type = SHT_SYMTAB_SHNDX)
EDIT(shndx_short, im->sh[SHNDX].sh_size = 24)
EDIT(shndx_link, im->sh[SHNDX].sh_link = STRTAB)
EDIT(sym_entsize, im->sh[SYMTAB].sh_entsize = 16)
EDIT(sym_partial, im->sh[SYMTAB].sh_size -= 1)
EDIT(sym_info_0, im->sh[SYMTAB].sh_info = 0)
EDIT(sym_info_big, im->sh[SYMTAB].sh_info = SYM_CNT + 1)
EDIT(sym_link_0, im->sh[SYMTAB].sh_link = 0)
EDIT(sym_link_big, im->sh[SYMTAB].sh_link = SEC_CNT)
EDIT(sym_link_text, im->sh[SYMTAB].sh_link = TEXT)
EDIT(strtab_open, im->strtab[sizeof(SYMS) - 1] = 'x')
EDIT(sym_name_far, im->syms[SYM_F].st_name = sizeof(SYMS))
EDIT(sym_0_defined, im->syms[0].st_shndx = SEC_CNT + 9)
EDIT(sym_0_value, im->syms[0].st_value = 8)
EDIT(sym_shndx_big, im->syms[SYM_F].st_shndx = SEC_CNT)
EDIT(sym_xindex_big, im->shndx[SYM_V] = SEC_CNT)
EDIT(sym_xindex_alone, im->sh[SHNDX].sh_type = SHT_PROGBITS)
EDIT(sym_reserved, im->syms[SYM_F].st_shndx = SHN_LOPROC)
EDIT(common_local, im->syms[SYM_F].st_shndx = SHN_COMMON)
EDIT(common_align, im->syms[SYM_C].st_value = 24)
EDIT(local_late, im->syms[SYM_U].st_info = 0)
EDIT(global_early, im->syms[SYM_F].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC))
EDIT(bind_5, im->syms[SYM_U].st_info = ELF64_ST_INFO(5, STT_FUNC))
EDIT(global_nameless, im->syms[SYM_U].st_name = 0)
EDIT(group_flags, im->group[0] = 2)
EDIT(group_size_0, im->sh[GROUP].sh_size = 0)
EDIT(group_size_6, im->sh[GROUP].sh_size = 6)
EDIT(group_sym_0, im->sh[GROUP].sh_info = 0)
EDIT(group_sym_far, im->sh[GROUP].sh_info = SYM_CNT)
EDIT(group_link, im->sh[GROUP].sh_link = STRTAB)
EDIT(group_member_0, im->group[1] = 0)
EDIT(group_member_far, im->group[1] = SEC_CNT)
EDIT(group_in_group, im->group[1] = GROUP)
EDIT(group_twice, im->sh[DEBUG] = im->sh[GROUP])
EDIT(str_open, im->str[7] = 'x')
EDIT(link_order_far, im->sh[TEXT].sh_flags |= SHF_LINK_ORDER; im->sh[TEXT].sh_link = SEC_CNT)
EDIT(compressed_alloc, im->sh[TEXT].sh_flags |= SHF_COMPRESSED)
EDIT(compressed_short, im->sh[DEBUG].sh_flags |= SHF_COMPRESSED; im->sh[DEBUG].sh_size = 23)
/* The header a compressed .debug_x has; its stream is never looked at here. */
static void compress(struct image *im, uint32_t type, uint64_t sz, uint64_t align)
{
	Elf64_Chdr c = { .ch_type = type, .ch_size = sz, .ch_addralign = align };
	memcpy(im->text, &c, sizeof(c));
	im->sh[DEBUG].sh_flags |= SHF_COMPRESSED;
}

EDIT(compressed_type, compress(im, 3, 8, 1))
EDIT(compressed_align, compress(im, ELFCOMPRESS_ZLIB, 8, 6))
EDIT(compressed_far_align, compress(im, ELFCOMPRESS_ZLIB, 8, UINT64_C(1) << 33))
EDIT(compressed_ratio, compress(im, ELFCOMPRESS_ZLIB, 1032 * 9, 1))
EDIT(compressed_zstd_ratio, compress(im, 2, 32768 * 9, 1))
EDIT(compressed_huge, compress(im, 2, UINT64_C(1) << 32, 1))
EDIT(compressed_note, compress(im, ELFCOMPRESS_ZLIB, 8, 1); im->sh[DEBUG].sh_type = SHT_NOTE;
	im->sh[DEBUG].sh_name = section_name(".note.gnu.property"))
EDIT(compressed_symbols, im->sh[SYMTAB].sh_flags |= SHF_COMPRESSED)
EDIT(compressed_strings, compress(im, ELFCOMPRESS_ZLIB, 8, 1); im->sh[DEBUG].sh_type = SHT_STRTAB)
EDIT(note_short, im->sh[PROPERTY].sh_size = 11)
EDIT(note_name_far, im->note[0] = UINT32_MAX)
EDIT(note_desc_far, im->note[1] = 17)
EDIT(property_far, im->property[1] = 9)
EDIT(property_short, im->note[1] = 4)

static const struct bad_row {
	const char *name;
	void (*edit)(struct image *im);
	const char *message;
} bad_rows[] = {
	{ "type", type_exec, "x.a(y.o): not a relocatable object: its type is 2" },
	{ "class", class_3, "x.a(y.o): not an elf file of a known class" },
	{ "byte order", data_0, "x.a(y.o): not an elf file of a known class" },
	{ "headers beyond the file", shoff_far, "x.a(y.o): truncated or damaged: its section headers" },
	{ "headers at the end of numbers", shoff_max, "x.a(y.o): truncated or damaged: its section headers" },
	{ "one header too many", shnum_big, "x.a(y.o): truncated or damaged: its section headers" },
	{ "header size", shentsize_65, "x.a(y.o): truncated or damaged: its section headers" },
	{ "section names beyond", shstrndx_big, "x.a(y.o): section names: " },
	{ "section names elsewhere", shstrndx_text, "section names: section 1 is not a string table" },
	{ "section names open", shstrtab_open, "section names: section 8 does not end in a NUL" },
	{ "section names far", shstrtab_far, "section names: section 8 does not lie in the file" },
	{ "section names empty", shstrtab_empty, "section names: section 8 does not end in a NUL" },
	{ "name beyond the names", name_far, "x.a(y.o): section 1: name at 0x" },
	{ "section beyond the file", off_far, "x.a(y.o):(.text+0x0): section: 0x20 bytes at 0x" },
	{ "section wraps around", off_wraps, "x.a(y.o):(.text+0x0): section: 0x20 bytes at 0x" },
	{ "size", size_far, "x.a(y.o):(.text+0x0): section: 0xffffffffffffffff bytes" },
	{ "bss too large for any address space", bss_huge, "x.a(y.o):(.bss+0x0): section: 0x100000000000000 bytes" },
	{ "alignment 3", align_3, ":(.text+0x0): alignment is 0x3: expected a power of two" },
	{ "alignment 2^33", align_2_33, ":(.text+0x0): alignment is 0x200000000: expected" },
	{ "relocation size", rela_entsize, ":(.rela.text+0x0): relocation table: 0x30 bytes of entries of 16" },
	{ "part of a relocation", rela_partial, ":(.rela.text+0x0): relocation table: 0x2f bytes of entries of 24" },
	{ "relocations of nothing", rela_no_target, ":(.rela.text+0x0): relocation table: applies to section 0" },
	{ "relocations of no section", rela_far_target, "relocation table: applies to section 15: there are 15" },
	{ "relocations of themselves", rela_itself, "relocation table: applies to section 2" },
	{ "two tables for a section", rela_twice, ":(.rela.debug_x+0x0): relocation table: section 1 has one already" },
	{ "relocations without bytes", rela_bss, ":(.bss+0x0): relocations against a section without bytes" },
	{ "relocations by other symbols", rela_other_symbols, ":(.rela.text+0x0): relocation table: its symbol table is" },
	{ "crel", crel, "compact relocations (crel) are not supported" },
	{ "two symbol tables", two_symtabs, ":(.debug_x+0x0): a second symbol table" },
	{ "two extended index tables", two_shndx, ":(.symtab_shndx+0x0): a second table of extended" },
	{ "extended indices too few", shndx_short, "extended section indices: 0x18 bytes for 7 symbols" },
	{ "extended indices of others", shndx_link, "extended section indices" },
	{ "symbol size", sym_entsize, ":(.symtab+0x0): entries of 16 bytes: expected 24" },
	{ "part of a symbol", sym_partial, ":(.symtab+0x0): symbol table: 0xa7 bytes of entries of 24" },
	{ "first global 0", sym_info_0, ":(.symtab+0x0): the first global symbol is 0: there are 7" },
	{ "first global beyond", sym_info_big, ":(.symtab+0x0): the first global symbol is 8: there are 7" },
	{ "no symbol names", sym_link_0, "symbol names: section 0" },
	{ "symbol names beyond", sym_link_big, "symbol names: section 15: there are 15" },
	{ "symbol names elsewhere", sym_link_text, "symbol names: section 1 is not a string table" },
	{ "symbol names open", strtab_open, "symbol names: section 7 does not end in a NUL" },
	{ "symbol name beyond", sym_name_far, "symbol 2: name at 0x" },
	{ "symbol 0 in a section", sym_0_defined, "symbol 0 is not the undefined symbol: section index 0x18" },
	{ "symbol 0 with a value", sym_0_value, "symbol 0 is not the undefined symbol: section index 0x0, value 0x8" },
	{ "symbol in no section", sym_shndx_big, "symbol 2 (f): section index 0xf: there are 15" },
	{ "extended index beyond", sym_xindex_big, "symbol 6 (v@@V1): section index 0xf: there are 15" },
	{ "extended index without a table", sym_xindex_alone, "symbol 6 (v@@V1): section index 0xffffffff" },
	{ "reserved index", sym_reserved, "symbol 2 (f): section index 0xffffff00" },
	{ "local common", common_local, "symbol 2 (f): section index 0xfffffff2" },
	{ "common alignment", common_align, "common symbol c: alignment is 0x18" },
	{ "local among globals", local_late, "symbol 4 (u): local among the global ones" },
	{ "global among locals", global_early, "symbol 2 (f): global among the local ones" },
	{ "binding", bind_5, "symbol 4 (u): unknown binding 5" },
	{ "global without a name", global_nameless, "symbol 4: a global symbol without a name" },
	{ "group flags", group_flags, ":(.group+0x0): section group: unknown flags 0x2" },
	{ "group empty", group_size_0, ":(.group+0x0): section group: 0x0 bytes" },
	{ "group of half a word", group_size_6, ":(.group+0x0): section group: 0x6 bytes" },
	{ "group without a signature", group_sym_0, "section group: its signature is symbol 0" },
	{ "group signature beyond", group_sym_far, "section group: its signature is symbol 7" },
	{ "group of other symbols", group_link, "section group: its signature is symbol 3 of section 7" },
	{ "group of nothing", group_member_0, ":(.group+0x4): section group: member 0" },
	{ "group member beyond", group_member_far, ":(.group+0x4): section group: member 15: there are 15" },
	{ "group in a group", group_in_group, ":(.group+0x4): section group: member 4" },
	{ "section in two groups", group_twice, "section group: section 5 is in two groups" },
	{ "open string", str_open, ":(.rodata.str1.1+0x7): string is not null terminated" },
	{ "link order beyond", link_order_far, ":(.text+0x0): goes with section 15: there are 15" },
	{ "allocated and compressed", compressed_alloc, ":(.text+0x0): compressed section" },
	{ "compressed without a header", compressed_short, ":(.debug_x+0x0): compressed section" },
	{ "compressed, how?", compressed_type, ":(.debug_x+0x0): cannot decompress: type 3: expected 1 (zlib)" },
	{ "compressed, alignment 6", compressed_align, ":(.debug_x+0x0): cannot decompress: alignment is 0x6" },
	{ "compressed, alignment 2^33", compressed_far_align, "cannot decompress: alignment is 0x200000000" },
	{ "more than zlib can do", compressed_ratio, "cannot decompress: 0x2448 bytes from 0x8: more than any stream" },
	{ "more than zstd can do", compressed_zstd_ratio, "0x48000 bytes from 0x8: more than any stream" },
	{ "compressed, 4 GiB", compressed_huge, "cannot decompress: 0x100000000 bytes from 0x8: expected less" },
	{ "compressed property", compressed_note, ":(.note.gnu.property+0x0): compressed section: the linker" },
	{ "compressed symbols", compressed_symbols, ":(.symtab+0x0): compressed section: the linker itself" },
	{ "compressed string table", compressed_strings, ":(.debug_x+0x0): compressed section: the linker itself" },
	{ "note without a header", note_short, ":(.note.gnu.property+0x0): note: 11 bytes left" },
	{ "note name", note_name_far, ":(.note.gnu.property+0x0): note: name of 4294967295" },
	{ "note data", note_desc_far, ":(.note.gnu.property+0x0): note: name of 4 and data of 17" },
	{ "property data", property_far, ":(.note.gnu.property+0x10): property 0xc0000002: a value of 9" },
	{ "property header", property_short, ":(.note.gnu.property+0x10): property: 4 bytes left" },
};

START_TEST(test_bad)
{
	const struct bad_row *row = &bad_rows[_i];
	struct image im;
	struct outcome out;
	make(&im);
	row->edit(&im);
	parse(&im, sizeof(im), &out);
	ck_assert_msg(out.rc == -EINVAL && !out.o, "%s: gives %d", row->name, out.rc);
	ck_assert_msg(strstr(out.messages, row->message) != NULL, "%s: %s", row->name, out.messages);
	ck_assert_msg(strchr(out.messages, '\n') == strrchr(out.messages, '\n'), "%s: %s", row->name, out.messages);
	done(&out);
}
END_TEST

/* ---- changes that mean something ---- */

EDIT(merge_writable, im->sh[STR].sh_flags |= SHF_WRITE)
EDIT(merge_no_entsize, im->sh[STR].sh_entsize = 0)
EDIT(merge_odd_size, im->sh[STR].sh_entsize = 3)
EDIT(merge_relocated, im->sh[RELA_DEBUG].sh_info = STR)
EDIT(merge_constants, im->sh[STR].sh_flags &= ~(uint64_t)SHF_STRINGS; im->str[7] = 'x'; im->sh[STR].sh_entsize = 8)
EDIT(merge_empty, im->sh[STR].sh_size = 0)
EDIT(eh_frame, im->sh[TEXT].sh_name = section_name(".eh_frame"))
EDIT(warning, im->sh[TEXT].sh_name = section_name(".gnu.warning.f"))
EDIT(excluded, im->sh[TEXT].sh_flags |= SHF_EXCLUDE)
EDIT(llvmbc, im->sh[TEXT].sh_name = section_name(".llvmbc"); im->sh[TEXT].sh_flags |= SHF_EXCLUDE)
EDIT(other_note, im->sh[PROPERTY].sh_name = section_name(".note.x"))
EDIT(other_strtab, im->sh[DEBUG].sh_type = SHT_STRTAB)
EDIT(compressed, compress(im, ELFCOMPRESS_ZLIB, 1032 * 9 - 1, 16))
EDIT(compressed_zstd, compress(im, 2, 32768 * 9 - 1, 0))
EDIT(compressed_merge, compress(im, ELFCOMPRESS_ZLIB, 8, 1); im->sh[DEBUG].sh_flags |= SHF_MERGE | SHF_STRINGS;
	im->sh[DEBUG].sh_entsize = 4; im->sh[RELA_DEBUG].sh_size = 0)
EDIT(compressed_odd, compress(im, ELFCOMPRESS_ZLIB, 9, 1); im->sh[DEBUG].sh_flags |= SHF_MERGE | SHF_STRINGS;
	im->sh[DEBUG].sh_entsize = 4; im->sh[RELA_DEBUG].sh_size = 0)
EDIT(old_compressed, memcpy(im->text, "ZLIB\0\0\0\0\0\0\1\2", 12); im->sh[DEBUG].sh_name = section_name(".zdebug_x"))
EDIT(old_not_compressed, im->sh[DEBUG].sh_name = section_name(".zdebug_x"))
EDIT(old_elsewhere, memcpy(im->text, "ZLIB\0\0\0\0\0\0\1\2", 12))
EDIT(unsorted, im->rela[0].r_offset = 13)
EDIT(exec_stack, im->sh[STACK].sh_flags |= SHF_EXECINSTR)
EDIT(no_stack, im->sh[STACK].sh_name = section_name(".debug_x"))
EDIT(split_stack, im->sh[TEXT].sh_name = section_name(".note.GNU-split-stack"))
EDIT(lto_by_symbol, im->sh[TEXT].sh_name = section_name(".gnu.lto_.lto.1");
	im->syms[SYM_C].st_name = symbol_name("__gnu_lto_slim"))
EDIT(lto_by_mark, im->sh[TEXT].sh_name = section_name(".gnu.lto_.lto.1"); im->text[4] = 1)
EDIT(bitcode, memcpy(im, "BC\xc0\xde", 4))
EDIT(lto_fat, im->sh[TEXT].sh_name = section_name(".gnu.lto_.lto.1"))
EDIT(link_order, im->sh[TEXT].sh_flags |= SHF_LINK_ORDER; im->sh[TEXT].sh_link = COMDAT)
EDIT(no_symbols, im->sh[SYMTAB].sh_size = 0; im->sh[SYMTAB].sh_info = 0; im->sh[GROUP].sh_type = SHT_PROGBITS;
	im->sh[SHNDX].sh_type = SHT_PROGBITS)
EDIT(local_signature, im->sh[GROUP].sh_info = SYM_F)
EDIT(section_signature, im->sh[GROUP].sh_info = SYM_F; im->syms[SYM_F].st_name = 0;
	im->syms[SYM_F].st_info = ELF64_ST_INFO(STB_LOCAL, STT_SECTION))
EDIT(plain_group, im->group[0] = 0)
EDIT(old_version, im->syms[SYM_V].st_name = symbol_name("w@V2"))

static bool is_kind(const struct outcome *out, int sec, int kind)
{
	return out->o->secs[sec].kind == kind;
}

#define TELLS(name, condition)                            \
	static bool name(const struct outcome *out)       \
	{                                                 \
		return condition;                         \
	}

TELLS(str_regular, is_kind(out, STR, ISEC_REGULAR))
TELLS(str_merge, is_kind(out, STR, ISEC_MERGE))
TELLS(text_frame, is_kind(out, TEXT, ISEC_EH_FRAME))
TELLS(text_discarded, is_kind(out, TEXT, ISEC_DISCARD))
TELLS(text_none, is_kind(out, TEXT, ISEC_NONE))
TELLS(property_regular, is_kind(out, PROPERTY, ISEC_REGULAR) && !out->o->property_cnt)
TELLS(debug_regular, is_kind(out, DEBUG, ISEC_REGULAR))
static bool is_packed(const struct outcome *out, int kind, uint64_t sz, unsigned p2align, const char *name)
{
	const struct object *o = out->o;
	const struct isec *s = &o->secs[DEBUG];
	return s->is_compressed && s->kind == kind && s->sz == sz && s->p2align == p2align && !isec_bytes(o, s) &&
	       !(s->flags & SHF_COMPRESSED) && o->packed_cnt == 1 && o->packed[0].sec == DEBUG &&
	       o->packed[0].off + o->packed[0].sz == offsetof(struct image, text) + 32 &&
	       !strcmp(isec_plain_name(o, s), name);
}

TELLS(debug_compressed, is_packed(out, ISEC_REGULAR, 1032 * 9 - 1, 4, ".debug_x") && !out->o->packed[0].is_zstd)
TELLS(debug_zstd, is_packed(out, ISEC_REGULAR, 32768 * 9 - 1, 0, ".debug_x") && out->o->packed[0].is_zstd)
TELLS(debug_merge, is_packed(out, ISEC_MERGE, 8, 0, ".debug_x"))
TELLS(debug_odd, is_packed(out, ISEC_REGULAR, 9, 0, ".debug_x"))
TELLS(debug_old, is_packed(out, ISEC_REGULAR, 0x102, 0, ".debug_x") && out->o->packed[0].sz == 20)
TELLS(not_packed, !out->o->packed_cnt && !out->o->secs[DEBUG].is_compressed && out->o->secs[DEBUG].sz == 32)
TELLS(text_unsorted, out->o->secs[TEXT].rel_unsorted && !out->o->secs[TEXT].rel_unchecked)
TELLS(stack_exec, out->o->has_gnu_stack && out->o->exec_stack)
TELLS(stack_missing, !out->o->has_gnu_stack)
TELLS(stack_split, out->o->has_split_stack && is_kind(out, TEXT, ISEC_NONE))
TELLS(is_lto, out->o->is_lto && out->o->has_ir && !out->o->is_bitcode)
TELLS(is_bitcode, out->o->is_bitcode && out->o->has_ir && out->o->is_lto && !out->o->sec_cnt && !out->o->sym_cnt)
TELLS(is_not_lto, !out->o->is_lto && out->o->has_ir && is_kind(out, TEXT, ISEC_DISCARD))
TELLS(linked, out->o->secs[TEXT].link == COMDAT)
TELLS(symbolless, !out->o->sym_cnt && !out->o->first_global && is_kind(out, STRTAB, ISEC_NONE))
TELLS(signature_f, names_find(out->names, "f", 1) && out->o->groups[0].signature == names_find(out->names, "f", 1))
TELLS(signature_text, names_find(out->names, ".text", 5) &&
	out->o->groups[0].signature == names_find(out->names, ".text", 5))
TELLS(not_comdat, out->o->group_cnt == 1 && !out->o->groups[0].is_comdat)
TELLS(name_with_version, !strcmp(global_name(out, SYM_V), "w@V2"))

static const struct said_row {
	const char *name;
	void (*edit)(struct image *im);
	bool (*is_said)(const struct outcome *out);
} said_rows[] = {
	{ "merge: writable", merge_writable, str_regular },
	{ "merge: no entry size", merge_no_entsize, str_regular },
	{ "merge: not a multiple", merge_odd_size, str_regular },
	{ "merge: relocated", merge_relocated, str_regular },
	{ "merge: empty", merge_empty, str_regular },
	{ "merge: constants need no NUL", merge_constants, str_merge },
	{ ".eh_frame", eh_frame, text_frame },
	{ ".gnu.warning", warning, text_discarded },
	{ "SHF_EXCLUDE", excluded, text_discarded },
	{ ".llvmbc", llvmbc, text_none },
	{ "another note", other_note, property_regular },
	{ "a string table that is content", other_strtab, debug_regular },
	{ "compressed", compressed, debug_compressed },
	{ "compressed, zstd", compressed_zstd, debug_zstd },
	{ "compressed strings to merge", compressed_merge, debug_merge },
	{ "compressed, no multiple of its entries", compressed_odd, debug_odd },
	{ "compressed the old way", old_compressed, debug_old },
	{ ".zdebug without the mark", old_not_compressed, not_packed },
	{ "the mark without .zdebug", old_elsewhere, not_packed },
	{ "unsorted relocations", unsorted, text_unsorted },
	{ "executable stack", exec_stack, stack_exec },
	{ "no stack note", no_stack, stack_missing },
	{ "split stack", split_stack, stack_split },
	{ "lto, by the symbol", lto_by_symbol, is_lto },
	{ "lto, by the mark", lto_by_mark, is_lto },
	{ "lto, bitcode", bitcode, is_bitcode },
	{ "lto beside code", lto_fat, is_not_lto },
	{ "link order", link_order, linked },
	{ "no symbols", no_symbols, symbolless },
	{ "local signature", local_signature, signature_f },
	{ "section as signature", section_signature, signature_text },
	{ "group without COMDAT", plain_group, not_comdat },
	{ "a version that is not the default", old_version, name_with_version },
};

START_TEST(test_said)
{
	const struct said_row *row = &said_rows[_i];
	struct image im;
	struct outcome out;
	make(&im);
	if (row->edit == no_symbols) /* relocations need symbols */
		im.sh[RELA].sh_size = im.sh[RELA_DEBUG].sh_size = 0;
	row->edit(&im);
	parse(&im, sizeof(im), &out);
	ck_assert_msg(!out.rc && !*out.messages, "%s: %d: %s", row->name, out.rc, out.messages);
	ck_assert_msg(row->is_said(&out), "%s: is not said", row->name);
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

START_TEST(test_slice)
{
	struct infile f = { .data = (const uint8_t *)"", .sz = 1 };
	struct diag *d = diag_new(0);
	struct object *o = NULL;
	ck_assert_int_eq(object_parse(&f, 2, UINT64_MAX, "x", NULL, d, 0, &o), -EINVAL);
	ck_assert_uint_eq(diag_errors(d), 1);
	diag_free(d);
}
END_TEST

/* ---- both classes, both orders: null, .text, .rel(a).text, .symtab, .strtab (of everything) ---- */

struct writer {
	uint8_t data[1024];
	size_t at;
	bool is_64, be;
};

static void put(struct writer *w, unsigned bytes, uint64_t v)
{
	for (unsigned i = 0; i < bytes; i++)
		w->data[w->at + i] = (uint8_t)(v >> 8 * (w->be ? bytes - 1 - i : i));
	w->at += bytes;
}

static void put_word(struct writer *w, uint64_t v)
{
	put(w, w->is_64 ? 8 : 4, v);
}

static void put_section(struct writer *w, uint32_t name, uint32_t type, uint64_t flags, uint64_t off, uint64_t sz,
			uint32_t link, uint32_t info, uint64_t entsize)
{
	put(w, 4, name);
	put(w, 4, type);
	put_word(w, flags);
	put_word(w, 0);
	put_word(w, off);
	put_word(w, sz);
	put(w, 4, link);
	put(w, 4, info);
	put_word(w, 4);
	put_word(w, entsize);
}

static void put_symbol(struct writer *w, uint32_t name, uint64_t value, uint64_t sz, uint8_t info, uint16_t shndx)
{
	put(w, 4, name);
	if (!w->is_64) {
		put_word(w, value);
		put_word(w, sz);
	}
	put(w, 1, info);
	put(w, 1, STV_PROTECTED);
	put(w, 2, shndx);
	if (w->is_64) {
		put_word(w, value);
		put_word(w, sz);
	}
}

static size_t make_any(struct writer *w, bool is_rel)
{
	static const char strs[] = "\0.text\0.rel\0.sym\0.str\0main";
	size_t rel_sz = (is_rel ? 2 : 3) * (w->is_64 ? 8 : 4), sym_sz = w->is_64 ? 24 : 16;
	size_t text_at = 64, rel_at = 80, sym_at = 128, str_at = 192, sh_at = 256;
	memcpy(w->data, "\177ELF", 4);
	w->data[EI_CLASS] = w->is_64 ? ELFCLASS64 : ELFCLASS32;
	w->data[EI_DATA] = w->be ? ELFDATA2MSB : ELFDATA2LSB;
	w->data[EI_VERSION] = EV_CURRENT;
	w->at = EI_NIDENT;
	put(w, 2, ET_REL);
	put(w, 2, EM_PPC64);
	put(w, 4, EV_CURRENT);
	put_word(w, 0);
	put_word(w, 0);
	put_word(w, sh_at);
	put(w, 4, 0xabcd);
	put(w, 2, w->is_64 ? 64 : 52);
	put(w, 2, 0);
	put(w, 2, 0);
	put(w, 2, w->is_64 ? 64 : 40);
	put(w, 2, 5);
	put(w, 2, 4);
	w->at = rel_at;
	put_word(w, 4);
	put_word(w, w->is_64 ? UINT64_C(1) << 32 | 38 : 1 << 8 | 38);
	if (!is_rel)
		put_word(w, (uint64_t)-5);
	w->at = sym_at + sym_sz;
	put_symbol(w, 22, 8, 12, ELF32_ST_INFO(STB_GLOBAL, STT_FUNC), 1);
	memcpy(w->data + str_at, strs, sizeof(strs));
	w->at = sh_at + (w->is_64 ? 64 : 40);
	put_section(w, 1, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, text_at, 16, 0, 0, 0);
	put_section(w, 7, is_rel ? SHT_REL : SHT_RELA, 0, rel_at, rel_sz, 3, 1, rel_sz);
	put_section(w, 12, SHT_SYMTAB, 0, sym_at, 2 * sym_sz, 4, 1, sym_sz);
	put_section(w, 17, SHT_STRTAB, 0, str_at, sizeof(strs), 0, 0, 0);
	return w->at;
}

START_TEST(test_class_and_order)
{
	struct writer w = { .is_64 = _i & 1, .be = _i & 2 };
	bool is_rel = _i & 4;
	size_t sz = make_any(&w, is_rel);
	struct outcome out;
	ck_assert_uint_eq(object_sym_bound(w.data, sz), 1);
	parse(w.data, sz, &out);
	ck_assert_msg(!out.rc, "%d: %s", _i, out.messages);
	const struct object *o = out.o;
	ck_assert(o->is_be == w.be && o->elf_class == (w.is_64 ? ELFCLASS64 : ELFCLASS32) && o->machine == EM_PPC64);
	ck_assert(o->e_flags == 0xabcd && o->sec_cnt == 5 && o->secs[1].sz == 16 && o->secs[1].p2align == 2);
	struct rel r;
	ck_assert(o->secs[1].rel_cnt == 1 && o->secs[1].is_rel == is_rel);
	rel_get(o, &o->secs[1], 0, &r);
	ck_assert(r.off == 4 && r.sym == 1 && r.type == 38 && r.addend == (is_rel ? 0 : -5));
	struct esym e;
	esym_get(o, 1, &e);
	ck_assert(e.value == 8 && e.size == 12 && e.type == STT_FUNC && e.bind == STB_GLOBAL && e.vis == STV_PROTECTED);
	ck_assert_uint_eq(e.shndx, 1);
	ck_assert_str_eq(global_name(&out, 1), "main");
	done(&out);
}
END_TEST

/* --- the digest --- */

enum { DIGEST_ROUNDS = 20000 };

static struct digest_race {
	struct object o;
	atomic_uint round, done;
	uint64_t want[2];
	atomic_uint wrong;
} digest_race;

static void *digest_again(void *arg)
{
	struct digest_race *race = arg;
	for (unsigned round = 1; round <= DIGEST_ROUNDS; round++) {
		uint64_t low, high;
		while (atomic_load(&race->round) < round)
			sched_yield();
		object_digest(&race->o, &low, &high);
		atomic_fetch_add(&race->wrong, low != race->want[0] || high != race->want[1]);
		atomic_fetch_add(&race->done, 1);
	}
	return NULL;
}

/* Who comes while another makes it gets both halves, or makes it, too. */
START_TEST(test_digest_by_threads)
{
	struct digest_race *race = &digest_race;
	pthread_t other;
	race->o.data = (const uint8_t *)"bytes of an object";
	race->o.sz = 18;
	object_digest(&race->o, &race->want[0], &race->want[1]);
	ck_assert_int_eq(pthread_create(&other, NULL, digest_again, race), 0);
	for (unsigned round = 1; round <= DIGEST_ROUNDS; round++) {
		uint64_t low, high;
		atomic_store(&race->o.digest[0], 0);
		atomic_store(&race->o.digest[1], 0);
		atomic_store(&race->round, round);
		object_digest(&race->o, &low, &high);
		ck_assert_msg(low == race->want[0] && high == race->want[1], "round %u", round);
		while (atomic_load(&race->done) < round)
			sched_yield();
	}
	pthread_join(other, NULL);
	ck_assert_uint_eq(atomic_load(&race->wrong), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("object");
	TCase *tc = tcase_create("object");
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_digest_by_threads);
	tcase_add_test(tc, test_good);
	tcase_add_loop_test(tc, test_bad, 0, (int)ARRAY_CNT(bad_rows));
	tcase_add_loop_test(tc, test_said, 0, (int)ARRAY_CNT(said_rows));
	tcase_add_test(tc, test_cut);
	tcase_add_test(tc, test_slice);
	tcase_add_loop_test(tc, test_class_and_order, 0, 8);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
