/* check_resolve.c - the provider rule (symtab.h) as a table, and links that remember nothing of those before them.
 *
 * Files that each mention the name x in one way are linked in every order; who provides x, and which archive members
 * came along, must be what the table says. Where GNU ld 2.40 and lld 14 do otherwise, the row has what they do: mostly
 * they depend on the order, because they resolve while reading.
 */
#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linked.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))
enum { TIMEOUT_SEC = 300, CNT = 40 };

#define TAIL "\n .section .note.GNU-stack, \"\", @progbits\n"
#define DEFINES(bind, mark, n)                                                     \
	" ." bind " x\n .globl mark_" mark "\n .data\nmark_" mark ":\nx: .quad " n \
	"\n .type x, @object\n .size x, 8" TAIL

/* How a file may mention x. Its letter stands for it in the rows; its place here is also its value, from 1. */
static const struct kind {
	char letter;
	const char *file, *text;
} kinds[] = {
	{ 'S', "S.o", DEFINES("globl", "S", "1") },
	{ 'W', "W.o", DEFINES("weak", "W", "2") },
	{ 'C', "C.o", " .comm x, 8, 8" TAIL },
	{ 's', "s.a", DEFINES("globl", "s", "4") },  /* small letters: an archive with that member */
	{ 'w', "w.a", DEFINES("weak", "w", "5") },
	{ 'c', "c.a", " .comm x, 24, 8\n .globl mark_c\n .data\nmark_c: .quad 6" TAIL },
	{ 'D', "d.so", DEFINES("globl", "D", "7") }, /* a shared library */
	{ 'U', "U.o", " .data\n .quad x" TAIL },
	{ 'u', "u.o", " .data\n .weak x\n .quad x" TAIL },
};

/* Outcomes: the letter of the provider; C8, C24 a common symbol of that size; 0 undefined weak, - nobody asked, !undef
 * and !dup errors; after a slash the archive members that are part of the link. */
static const struct row {
	const char *kinds;
	char first;            /* 0: in every order; else where this one is the first of s, w, c and D */
	const char *outcome;
	const char *peers;     /* what GNU ld and lld do where they do otherwise in some order */
} rows[] = {
	{ "S", 0, "S", NULL },
	{ "W", 0, "W", NULL },
	{ "C", 0, "C8", NULL },
	{ "s", 0, "-", NULL },
	{ "w", 0, "-", NULL },
	{ "c", 0, "-", NULL },
	{ "D", 0, "-", NULL },
	{ "U", 0, "!undef", NULL },
	{ "u", 0, "0", NULL },
	{ "SW", 0, "S", NULL },
	{ "SC", 0, "S", NULL },
	{ "Ss", 0, "S", NULL },
	{ "Sw", 0, "S", NULL },
	{ "Sc", 0, "S", NULL },
	{ "SD", 0, "S", NULL },
	{ "SU", 0, "S", NULL },
	{ "Su", 0, "S", NULL },
	{ "WC", 0, "C8", NULL },
	{ "Ws", 0, "W", NULL },
	{ "Ww", 0, "W", NULL },
	{ "Wc", 0, "W", NULL },
	{ "WD", 0, "W", NULL },
	{ "WU", 0, "W", NULL },
	{ "Wu", 0, "W", NULL },
	{ "Cs", 0, "s/s", "ld: s/s or C8; lld: s/s or C8" },
	{ "Cw", 0, "C8", NULL },
	{ "Cc", 0, "C8", NULL },
	{ "CD", 0, "D", "lld: C8" },
	{ "CU", 0, "C8", NULL },
	{ "Cu", 0, "C8", NULL },
	{ "sw", 0, "-", NULL },
	{ "sc", 0, "-", NULL },
	{ "sD", 0, "-", NULL },
	{ "sU", 0, "s/s", "ld: s/s or !undef" },
	{ "su", 0, "0", NULL },
	{ "wc", 0, "-", NULL },
	{ "wD", 0, "-", NULL },
	{ "wU", 0, "w/w", "ld: w/w or !undef" },
	{ "wu", 0, "0", NULL },
	{ "cD", 0, "-", NULL },
	{ "cU", 0, "C24/c", "ld: C24/c or !undef" },
	{ "cu", 0, "0", NULL },
	{ "DU", 0, "D", NULL },
	{ "Du", 0, "D", NULL },
	{ "Uu", 0, "!undef", NULL },
	{ "SWC", 0, "S", NULL },
	{ "SWs", 0, "S", NULL },
	{ "SWw", 0, "S", NULL },
	{ "SWc", 0, "S", NULL },
	{ "SWD", 0, "S", NULL },
	{ "SWU", 0, "S", NULL },
	{ "SWu", 0, "S", NULL },
	{ "SCs", 0, "S", "ld: S or !dup; lld: S or !dup" },
	{ "SCw", 0, "S", NULL },
	{ "SCc", 0, "S", NULL },
	{ "SCD", 0, "S", NULL },
	{ "SCU", 0, "S", NULL },
	{ "SCu", 0, "S", NULL },
	{ "Ssw", 0, "S", NULL },
	{ "Ssc", 0, "S", NULL },
	{ "SsD", 0, "S", NULL },
	{ "SsU", 0, "S", "ld: S or !dup; lld: S or !dup" },
	{ "Ssu", 0, "S", NULL },
	{ "Swc", 0, "S", NULL },
	{ "SwD", 0, "S", NULL },
	{ "SwU", 0, "S", "ld: S or S/w; lld: S or S/w" },
	{ "Swu", 0, "S", NULL },
	{ "ScD", 0, "S", NULL },
	{ "ScU", 0, "S", "ld: S or S/c; lld: S or S/c" },
	{ "Scu", 0, "S", NULL },
	{ "SDU", 0, "S", NULL },
	{ "SDu", 0, "S", NULL },
	{ "SUu", 0, "S", NULL },
	{ "WCs", 0, "C8", "ld: C8 or s/s; lld: C8 or s/s" },
	{ "WCw", 0, "C8", NULL },
	{ "WCc", 0, "C8", NULL },
	{ "WCD", 0, "C8", "ld: C8 or D or W" },
	{ "WCU", 0, "C8", NULL },
	{ "WCu", 0, "C8", NULL },
	{ "Wsw", 0, "W", NULL },
	{ "Wsc", 0, "W", NULL },
	{ "WsD", 0, "W", NULL },
	{ "WsU", 0, "W", "ld: W or s/s; lld: W or s/s" },
	{ "Wsu", 0, "W", NULL },
	{ "Wwc", 0, "W", NULL },
	{ "WwD", 0, "W", NULL },
	{ "WwU", 0, "W", "ld: W or w/w; lld: W or w/w" },
	{ "Wwu", 0, "W", NULL },
	{ "WcD", 0, "W", NULL },
	{ "WcU", 0, "W", "ld: W or C24/c; lld: W or C24/c" },
	{ "Wcu", 0, "W", NULL },
	{ "WDU", 0, "W", NULL },
	{ "WDu", 0, "W", NULL },
	{ "WUu", 0, "W", NULL },
	{ "Csw", 's', "s/s", "ld: s/s or C8; lld: s/s or C8" },
	{ "Csw", 'w', "C8", "ld: C8 or s/s; lld: C8 or s/s" },
	{ "Csc", 'c', "C8", "ld: C8 or s/s; lld: C8 or s/s" },
	{ "Csc", 's', "s/s", "ld: s/s or C8; lld: s/s or C8" },
	{ "CsD", 'D', "D", "lld: C8 or s/s" },
	{ "CsD", 's', "s/s", "ld: s/s or D; lld: s/s or C8" },
	{ "CsU", 0, "s/s", "ld: s/s or C8; lld: s/s or C8" },
	{ "Csu", 0, "s/s", "ld: s/s or C8; lld: s/s or C8" },
	{ "Cwc", 0, "C8", NULL },
	{ "CwD", 0, "D", "lld: C8" },
	{ "CwU", 0, "C8/w", "ld: C8/w or C8; lld: C8/w or C8" },
	{ "Cwu", 0, "C8", NULL },
	{ "CcD", 0, "D", "lld: C8" },
	{ "CcU", 0, "C24/c", "ld: C24/c or C8; lld: C24/c or C8" },
	{ "Ccu", 0, "C8", NULL },
	{ "CDU", 0, "D", "lld: C8" },
	{ "CDu", 0, "D", "lld: C8" },
	{ "CUu", 0, "C8", NULL },
	{ "swc", 0, "-", NULL },
	{ "swD", 0, "-", NULL },
	{ "swU", 's', "s/s", "ld: s/s or !undef or w/w" },
	{ "swU", 'w', "w/w", "ld: w/w or !undef or s/s" },
	{ "swu", 0, "0", NULL },
	{ "scD", 0, "-", NULL },
	{ "scU", 'c', "C24/c", "ld: !undef or s/s or s/sc; lld: C24/c or s/sc" },
	{ "scU", 's', "s/s", "ld: s/s or !undef or C24/c" },
	{ "scu", 0, "0", NULL },
	{ "sDU", 'D', "D", NULL },
	{ "sDU", 's', "s/s", "ld: s/s or D; lld: s/s or D" },
	{ "sDu", 0, "D", NULL },
	{ "sUu", 0, "s/s", "ld: s/s or !undef" },
	{ "wcD", 0, "-", NULL },
	{ "wcU", 'c', "C24/c", "ld: C24/c or !undef or w/w" },
	{ "wcU", 'w', "w/w", "ld: w/w or !undef or C24/c" },
	{ "wcu", 0, "0", NULL },
	{ "wDU", 'D', "D", NULL },
	{ "wDU", 'w', "w/w", "ld: w/w or D; lld: w/w or D" },
	{ "wDu", 0, "D", NULL },
	{ "wUu", 0, "w/w", "ld: w/w or !undef" },
	{ "cDU", 'D', "D", NULL },
	{ "cDU", 'c', "D/c", "ld: D/c or D; lld: C24/c or D" },
	{ "cDu", 0, "D", NULL },
	{ "cUu", 0, "C24/c", "ld: C24/c or !undef" },
	{ "DUu", 0, "D", NULL },
};

/* The providers by the value of x, from 1: the kinds, then S2, W2 and s2. */
static const char letters[] = "SWCswcDUu89a";

static const struct kind *kind_of(char letter)
{
	return &kinds[strchr(letters, letter) - letters];
}

static void make_inputs(void)
{
	linked_begin();
	for (int i = 0; i < COUNT(kinds); i++) {
		char object[16];
		snprintf(object, sizeof(object), "%c.o", kinds[i].letter);
		linked_assemble(object, kinds[i].text);
		if (strstr(kinds[i].file, ".a"))
			linked_run("ar rc %s %s", kinds[i].file, object);
	}
	linked_assemble("main.o", " .globl _start\n .text\n_start: ret" TAIL);
	linked_assemble("S2.o", DEFINES("globl", "S2", "10"));
	linked_assemble("W2.o", DEFINES("weak", "W2", "11"));
	linked_assemble("C2.o", " .comm x, 40, 64" TAIL);
	linked_assemble("s2.o", DEFINES("globl", "s2", "12"));
	linked_run("ar rc s2.a s2.o");
}

static struct linkfs_linker *linker_with_library(unsigned threads)
{
	struct linkfs_linker *l = linked_linker(threads);
	struct linkfs_image *lib = linked_try(l, "-shared -soname d.so -o d.so D.o", NULL);
	struct diag *d = diag_new(0);
	ck_assert_int_eq(linkfs_image_write_outputs(lib, AT_FDCWD, d), 0);
	diag_free(d);
	linkfs_image_unref(lib);
	return l;
}

/* --- What came of x ---------------------------------------------------------------------------------------------- */

static const Elf64_Sym *symbol(const uint8_t *file, const char *name)
{
	size_t sz, at = linked_section(file, ".symtab", &sz, NULL);
	const char *str = (const char *)file + linked_section(file, ".strtab", NULL, NULL);
	const Elf64_Sym *syms = (const void *)(file + at);
	for (size_t i = 1; i < sz / sizeof(*syms); i++)
		if (!strcmp(str + syms[i].st_name, name))
			return &syms[i];
	return NULL;
}

static void provider_of(const uint8_t *file, const char *of, char *ret, size_t sz)
{
	const Elf64_Sym *x = symbol(file, "x");
	const Elf64_Ehdr *e = (const void *)file;
	const Elf64_Shdr *sh = (const void *)(file + e->e_shoff);
	if (!x || x->st_shndx == SHN_UNDEF) {
		snprintf(ret, sz, "%s", !x ? "-" : strchr(of, 'D') ? "D" : "0");
		return;
	}
	ck_assert_uint_lt(x->st_shndx, e->e_shnum);
	sh += x->st_shndx;
	if (sh->sh_type == SHT_NOBITS)
		snprintf(ret, sz, "C%d", (int)x->st_size);
	else
		snprintf(ret, sz, "%c", letters[file[sh->sh_offset + x->st_value - sh->sh_addr] - 1]);
}

/* Links the files and says what came of x. */
static void outcome_of(struct linkfs_linker *l, const char *files, const char *of, char *ret, size_t sz)
{
	char args[256], *errors = NULL, name[8];
	size_t file_sz;
	snprintf(args, sizeof(args), "-no-pie --dynamic-linker=/ld.so -o out main.o %s", files);
	struct linkfs_image *img = linked_try(l, args, &errors);
	if (!img) {
		snprintf(ret, sz, "%s", strstr(errors, "duplicate symbol: x") ? "!dup"
					 : strstr(errors, "undefined symbol: x") ? "!undef" : errors);
		free(errors);
		return;
	}
	uint8_t *file = linked_bytes(img, &file_sz);
	provider_of(file, of, ret, sz);
	size_t len = strlen(ret);
	for (const char *k = "swc"; *k; k++) {
		snprintf(name, sizeof(name), "mark_%c", *k);
		if (symbol(file, name))
			len += (size_t)snprintf(ret + len, sz - len, "%s%c", strchr(ret, '/') ? "" : "/", *k);
	}
	free(file);
	free(errors);
	linkfs_image_unref(img);
}

/* The next permutation of the letters in lexical order of their bytes; false: that was the last. */
static bool permute(char *s, int n)
{
	int i = n - 2, j = n - 1;
	while (i >= 0 && s[i] >= s[i + 1])
		i--;
	if (i < 0)
		return false;
	while (s[j] <= s[i])
		j--;
	char c = s[i];
	s[i] = s[j];
	s[j] = c;
	for (int a = i + 1, b = n - 1; a < b; a++, b--) {
		c = s[a];
		s[a] = s[b];
		s[b] = c;
	}
	return true;
}

static int by_letter(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

START_TEST(provider_in_every_order)
{
	struct linkfs_linker *l = linker_with_library(1);
	int orders = 0;
	for (const struct row *r = rows; r < rows + COUNT(rows); r++) {
		char order[8], files[64], got[512];
		int n = (int)strlen(r->kinds);
		strcpy(order, r->kinds);
		qsort(order, (size_t)n, 1, by_letter);
		do {
			size_t first = strcspn(order, "swcD");
			if (r->first && order[first] != r->first)
				continue;
			files[0] = 0;
			for (int i = 0; i < n; i++)
				sprintf(files + strlen(files), "%s ", kind_of(order[i])->file);
			outcome_of(l, files, order, got, sizeof(got));
			ck_assert_msg(!strcmp(got, r->outcome), "%s: got %s, expected %s (%s)", order, got, r->outcome,
				      r->peers ? r->peers : "GNU ld and lld agree");
			orders++;
		} while (permute(order, n));
	}
	ck_assert_int_eq(orders, 9 + 36 * 2 + 84 * 6); /* no set of kinds is missing */
	linkfs_linker_free(l);
}
END_TEST

/* Of equals the first on the command line; of common symbols the largest size. */
START_TEST(first_of_equals)
{
	static const struct {
		const char *files, *outcome;
	} equals[] = {
		{ "S.o S2.o", "!dup" },
		{ "S2.o S.o", "!dup" },
		{ "S.o S2.o -z muldefs", "S" },
		{ "S2.o S.o -z muldefs", "8" },
		{ "W.o W2.o", "W" },
		{ "W2.o W.o", "9" },
		{ "C.o C2.o", "C40" },
		{ "C2.o C.o", "C40" },
		{ "U.o s.a s2.a", "s/s" },
		{ "U.o s2.a s.a", "a" },
		{ "s.a s2.a U.o", "s/s" },
		{ "s2.a s.a U.o", "a" },
		{ "U.o --start-group s2.a s.a --end-group", "a" },
		{ "U.o --start-lib s2.o s.o --end-lib", "a" },
		{ "--whole-archive s.a --no-whole-archive", "s/s" },
		{ "--whole-archive s.a s2.a", "!dup" },
		{ "-u x s.a", "s/s" },
		{ "--defsym=y=x s.a", "s/s" },
		{ "u.o -u x s.a", "s/s" },
	};
	struct linkfs_linker *l = linker_with_library(1);
	char got[512];
	for (int i = 0; i < COUNT(equals); i++) {
		outcome_of(l, equals[i].files, "", got, sizeof(got));
		ck_assert_msg(!strcmp(got, equals[i].outcome), "%s: got %s, expected %s", equals[i].files, got,
			      equals[i].outcome);
	}
	linkfs_linker_free(l);
}
END_TEST

/* --- Purity ------------------------------------------------------------------------------------------------------ */

struct made {
	uint8_t *bytes;
	size_t sz;
	char *map;
	size_t map_sz;
};

static struct made make(struct linkfs_linker *l, const char *args)
{
	struct made m;
	struct linkfs_image *img = linked_try(l, args, NULL);
	m.bytes = linked_bytes(img, &m.sz);
	m.map = linkfs_image_map(img, &m.map_sz);
	ck_assert_ptr_nonnull(m.map);
	linkfs_image_unref(img);
	return m;
}

static void made_free(struct made *m)
{
	free(m->bytes);
	free(m->map);
}

static void assert_same(const struct made *a, const struct made *b, const char *what)
{
	ck_assert_msg(a->sz == b->sz, "%s: %zu and %zu bytes", what, a->sz, b->sz);
	for (size_t i = 0; i < a->sz; i++)
		ck_assert_msg(a->bytes[i] == b->bytes[i], "%s: byte %#zx is %#x, was %#x", what, i, b->bytes[i],
			      a->bytes[i]);
	ck_assert_msg(a->map_sz == b->map_sz && !memcmp(a->map, b->map, a->map_sz), "%s: the map differs", what);
}

/* An object that mentions many names, from the last to the first where IS_REVERSE: the names' numbers follow. */
static void make_object(const char *name, char part, bool is_reverse)
{
	char *text = NULL;
	size_t sz;
	FILE *f = open_memstream(&text, &sz);
	ck_assert_ptr_nonnull(f);
	fprintf(f, " .globl _start%s\n .text\n_start%s:\n", part == 'a' ? "" : "_b", part == 'a' ? "" : "_b");
	for (int k = 0; k < CNT; k++) {
		int i = is_reverse ? CNT - 1 - k : k;
		fprintf(f,
			" call import_%d@PLT\n movq data_%d@GOTPCREL(%%rip), %%rax\n pushq import_%d@GOTPCREL(%%rip)\n",
			i, i, i);
		fprintf(f, " leaq __start_set_%d(%%rip), %%rax\n pushq __stop_set_%d@GOTPCREL(%%rip)\n", i % 7, i % 7);
		fprintf(f, " .weak nobody_%d\n movq nobody_%d@GOTPCREL(%%rip), %%rax\n", i, i);
		fprintf(f, " pushq tls_%d@gottpoff(%%rip)\n .comm common_%d, %d, 8\n", i, i, 8 + i % 5 * 8);
	}
	for (int k = 0; k < CNT; k++) {
		int i = is_reverse ? CNT - 1 - k : k;
		fprintf(f,
			" .section .text.once_%d, \"axG\", @progbits, once_%d, comdat\n .weak once_%d\nonce_%d: ret\n",
			i, i, i, i);
		fprintf(f, " .section set_%d, \"aw\"\n .quad once_%d, common_%d\n", i % 7, i, i);
		fprintf(f, " .section .rodata.str1.1, \"aMS\", @progbits, 1\n .string \"text %d\"\n", i % 40);
		if ((part == 'a') == (i % 2 == 0))
			fprintf(f,
				" .data\n .globl data_%d\ndata_%d: .quad data_%d, import_%d\n .section .tdata, "
				"\"awT\"\n"
				" .globl tls_%d\ntls_%d: .quad %d\n",
				i, i, i, i, i, i, i);
	}
	fprintf(f, "%s", TAIL);
	fclose(f);
	linked_assemble(name, text);
	free(text);
}

static void make_library(void)
{
	char *text = NULL;
	size_t sz;
	FILE *f = open_memstream(&text, &sz);
	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < CNT; i++)
		fprintf(f, " .globl import_%d\n .type import_%d, @function\nimport_%d: ret\n", i, i, i);
	fprintf(f, "%s", TAIL);
	fclose(f);
	linked_assemble("imports.o", text);
	free(text);
}

static const char *const outputs[] = {
	"-static --unresolved-symbols=ignore-all -o out a.o b.o",
	"-no-pie --dynamic-linker=/ld.so -E --hash-style=both --build-id -o out a.o b.o imports.so",
	"-pie --dynamic-linker=/ld.so --gc-sections -o out a.o b.o imports.so",
	"-shared -soname o.so --hash-style=gnu -o out a.o b.o imports.so",
	"-shared -soname o.so -z now -s -o out b.o imports.so a.o",
};

/* The same command line gives the same bytes and map: whatever was linked before, with whatever number of threads. */
START_TEST(links_remember_nothing)
{
	static const char *const before[] = { "", "-shared -o x history.o", "-shared -o x b.o",
					     "-shared -o x imports.o history.o b.o" };
	char name[200], args[256];
	make_object("a.o", 'a', false);
	make_object("b.o", 'b', false);
	make_object("history.o", 'a', true);
	make_library();
	struct linkfs_linker *fresh = linked_linker(1);
	struct linkfs_image *lib = linked_try(fresh, "-shared -soname imports.so -o imports.so imports.o", NULL);
	struct diag *d = diag_new(0);
	ck_assert_int_eq(linkfs_image_write_outputs(lib, AT_FDCWD, d), 0);
	diag_free(d);
	linkfs_image_unref(lib);
	linkfs_linker_free(fresh);
	for (int o = 0; o < COUNT(outputs); o++) {
		fresh = linked_linker(1);
		struct made reference = make(fresh, outputs[o]);
		linkfs_linker_free(fresh);
		for (int b = 0; b < COUNT(before); b++) {
			for (unsigned threads = 1; threads <= 4; threads += 3) {
				struct linkfs_linker *l = linked_linker(threads);
				struct linkfs_image *old = *before[b] ? linked_try(l, before[b], NULL) : NULL;
				for (int again = 0; again < 2; again++) {
					snprintf(name, sizeof(name), "%s\n  after '%s', %u threads, time %d",
						 outputs[o], before[b], threads, again);
					snprintf(args, sizeof(args), "%s --threads=%u", outputs[o], threads);
					struct made m = make(l, again ? args : outputs[o]);
					assert_same(&reference, &m, name);
					made_free(&m);
					old = linkfs_image_unref(old);
				}
				linkfs_linker_free(l);
			}
		}
		made_free(&reference);
	}
}
END_TEST

/* A finished image is not changed by links after it. */
START_TEST(images_live_on)
{
	make_object("a.o", 'a', false);
	make_object("b.o", 'b', false);
	make_object("history.o", 'a', true);
	struct linkfs_linker *l = linked_linker(2);
	struct linkfs_image *img = linked_try(l, outputs[0], NULL);
	size_t sz, again_sz;
	uint8_t *bytes = linked_bytes(img, &sz);
	struct linkfs_image *other = linked_try(l, "-shared -o x history.o", NULL);
	uint8_t *again = linked_bytes(img, &again_sz);
	ck_assert_uint_eq(sz, again_sz);
	ck_assert_int_eq(memcmp(bytes, again, sz), 0);
	free(again);
	linkfs_image_unref(other);
	again = linked_bytes(img, &again_sz);
	ck_assert_int_eq(memcmp(bytes, again, sz), 0);
	free(again);
	free(bytes);
	linkfs_image_unref(img);
	linkfs_linker_free(l);
}
END_TEST

int main(void)
{
	linked_need_as();
	Suite *suite = suite_create("resolve");
	TCase *tc = tcase_create("resolve");
	tcase_set_timeout(tc, TIMEOUT_SEC);
	tcase_add_unchecked_fixture(tc, make_inputs, linked_end);
	tcase_add_test(tc, provider_in_every_order);
	tcase_add_test(tc, first_of_equals);
	tcase_add_test(tc, links_remember_nothing);
	tcase_add_test(tc, images_live_on);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
