/* option_text.c - what is said about the command line: --help, --version, a guess for a misspelt name, and the
 * canonical text of a link's options.
 *
 * The names and help texts come from options.def, as does what option_set.c does: they can't drift apart. --help is
 * written so that configure, libtool and meson find what they grep for: names in full, ": supported targets: elf...".
 */
#include "option_text.h"

#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch.h"
#include "option_rows.h"
#include "options.h"

enum { HELP_COLUMN = 34, LINE_SZ = 100 };

/* "-o FILE, --output=FILE": the names of a row as they are typed. */
static int print_names(FILE *f, const struct option_row *row)
{
	int column = fprintf(f, row->group == KEYWORDS ? "  -z " : "  ");

	for (const char *name = row->names; *name;) {
		int sz = (int)strcspn(name, "|");
		column += fprintf(f, "%.*s", sz, name);
		if (row->meta) {
			bool joined = row->group == KEYWORDS || (sz > 2 && name[1] == '-');
			column += fprintf(f, row->form == FORM_OPTIONAL ? "[=%s]" : joined ? "=%s" : " %s", row->meta);
		}
		name += sz;
		if (*name == '|') {
			column += fprintf(f, ", ");
			name++;
		}
	}
	return column;
}

/* Groups without help texts: names only, as many on a line as fit. */
static void print_bare_group(FILE *f, enum option_group group)
{
	int column = fprintf(f, " ");

	for (size_t i = 0; i < OPTION_ROW_CNT; i++) {
		if (option_rows[i].group != group)
			continue;
		for (const char *name = option_rows[i].names; *name; name += strcspn(name, "|"), name += *name == '|') {
			int sz = (int)strcspn(name, "|");
			if (column + 1 + sz > LINE_SZ)
				column = fprintf(f, "\n ") - 1;
			fputc(' ', f);
			fwrite(name, 1, (size_t)sz, f);
			column += 1 + sz;
		}
	}
	fputc('\n', f);
}

static void print_group(FILE *f, enum option_group group)
{
	fprintf(f, "\n%s:\n", option_titles[group]);
	if (group == IGNORED || group == REFUSED) {
		print_bare_group(f, group);
		return;
	}
	for (size_t i = 0; i < OPTION_ROW_CNT; i++) {
		if (option_rows[i].group != group)
			continue;
		int column = print_names(f, &option_rows[i]);
		if (column >= HELP_COLUMN)
			fputc('\n', f), column = 0;
		fprintf(f, "%*s%s\n", HELP_COLUMN - column, "", option_rows[i].help);
	}
}

static void print_words(FILE *f, bool emulations, const char *before)
{
	for (const struct arch *const *a = arch_table; *a; a++) {
		const char *const *words = emulations ? (*a)->emulations : (*a)->bfd_names;
		for (; words && *words; words++)
			fprintf(f, "%s%s", before, *words);
	}
}

/* Ends what open_memstream began: the text, or NULL where some of it could not be kept. */
static char *close_text(FILE *f, char **text)
{
	bool bad = ferror(f);

	bad |= fclose(f) != 0;
	if (bad) {
		free(*text);
		return NULL;
	}
	return *text;
}

char *option_help(void)
{
	char *text = NULL;
	size_t sz;
	FILE *f = open_memstream(&text, &sz);

	if (!f)
		return NULL;
	fprintf(f, "Usage: ld.linkfs [options] file...\n"
		   "Long options take one dash or two, those that begin with o take two. "
		   "@FILE stands for what is in FILE.\n");
	for (int group = 0; group < GROUP_CNT; group++)
		print_group(f, (enum option_group)group);
	fprintf(f, "\nld.linkfs: supported targets:");
	print_words(f, false, " ");
	fprintf(f, "\nld.linkfs: supported emulations:");
	print_words(f, true, " ");
	fprintf(f, "\n");
	return close_text(f, &text);
}

char *option_version(bool with_emulations)
{
	char *text = NULL;
	size_t sz;
	FILE *f = open_memstream(&text, &sz);

	if (!f)
		return NULL;
	fprintf(f, "linkfs %s (compatible with GNU ld)\n", LINKFS_VERSION);
	if (with_emulations) {
		fprintf(f, "  Supported emulations:");
		print_words(f, true, "\n   ");
		fprintf(f, "\n");
	}
	return close_text(f, &text);
}

static char *words_text(bool emulations)
{
	char *text = NULL;
	size_t sz;
	FILE *f = open_memstream(&text, &sz);

	if (!f)
		return NULL;
	print_words(f, emulations, " ");
	if (!close_text(f, &text))
		return NULL;
	return memmove(text, text + (sz > 0), sz + (sz == 0));
}

char *option_emulations(void)
{
	return words_text(true);
}

char *option_formats(void)
{
	return words_text(false);
}

static bool is_word(bool emulation, const char *name)
{
	for (const struct arch *const *a = arch_table; *a; a++) {
		const char *const *words = emulation ? (*a)->emulations : (*a)->bfd_names;
		for (; words && *words; words++)
			if (!strcmp(*words, name))
				return true;
	}
	return false;
}

bool option_is_emulation(const char *name)
{
	return is_word(true, name);
}

bool option_is_format(const char *name)
{
	return is_word(false, name);
}

/* Guesses. */

enum { MAX_NAME = 48 };

/* How many letters must be changed, left out, put in or swapped with the next to turn A into B. */
static unsigned distance(const char *a, size_t a_sz, const char *b, size_t b_sz)
{
	unsigned rows3[3][MAX_NAME + 1], *before = rows3[0], *above = rows3[1], *row = rows3[2];

	for (unsigned j = 0; j <= b_sz; j++)
		above[j] = j;
	for (unsigned i = 1; i <= a_sz; i++) {
		row[0] = i;
		for (unsigned j = 1; j <= b_sz; j++) {
			unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);
			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
		unsigned *next = before;
		before = above;
		above = row;
		row = next;
	}
	return above[b_sz];
}

bool option_closest(const char *arg, char *ret_name, size_t ret_sz)
{
	arg += strspn(arg, "-");
	size_t sz = strcspn(arg, "="), best_sz = 0;
	const char *best = NULL;
	unsigned best_distance = sz < 6 ? 2 : (unsigned)sz / 3 + 1; /* and more is no guess */

	if (sz < 3 || sz > MAX_NAME)
		return false;
	for (size_t i = 0; i < OPTION_ROW_CNT; i++) {
		if (option_rows[i].group == KEYWORDS || option_rows[i].group == REFUSED || option_rows[i].group == IGNORED)
			continue;
		for (const char *name = option_rows[i].names; *name; name += strcspn(name, "|"), name += *name == '|') {
			size_t dashes = strspn(name, "-"), name_sz = strcspn(name, "|");
			if (name_sz - dashes < 2 || name_sz - dashes > MAX_NAME)
				continue;
			if (name_sz - dashes >= sz + best_distance || sz >= name_sz - dashes + best_distance)
				continue; /* the lengths alone are that far apart */
			unsigned d = distance(arg, sz, name + dashes, name_sz - dashes);
			if (d < best_distance) {
				best_distance = d;
				best = name;
				best_sz = name_sz;
			}
		}
	}
	if (best)
		snprintf(ret_name, ret_sz, "%.*s", (int)best_sz, best);
	return best != NULL;
}

/* The canonical text. */

#define BIT(field) { #field, offsetof(struct options, field) }

/* What changes the bytes by being true. Their defaults are part of the version, not of the text. */
static const struct {
	const char *name;
	size_t field;
} bits[] = {
	BIT(is_static), BIT(no_dynamic_linker), BIT(new_dtags), BIT(export_dynamic), BIT(gnu_unique),
	BIT(allow_multiple_definition), BIT(gc_sections), BIT(gc_keep_exported), BIT(eh_frame_hdr), BIT(relax),
	BIT(omagic), BIT(nmagic), BIT(z_now), BIT(z_relro), BIT(z_execstack), BIT(z_noexecstack), BIT(z_text),
	BIT(z_notext), BIT(z_nodelete), BIT(z_nodlopen), BIT(z_origin), BIT(z_initfirst), BIT(z_interpose),
	BIT(z_nodump), BIT(z_separate_code), BIT(z_noseparate_code), BIT(z_keep_text_section_prefix), BIT(z_global),
	BIT(z_combreloc), BIT(z_nocopyreloc), BIT(z_nodefaultlib), BIT(z_ibt), BIT(z_shstk), BIT(z_ibtplt),
	BIT(z_force_ibt), BIT(z_start_stop_gc), BIT(z_pack_relative_relocs), BIT(z_dynamic_undefined_weak),
	BIT(z_nodynamic_undefined_weak), BIT(z_unique_symbol), BIT(sort_common),
};

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One line for each string of a list whose order means nothing, sorted, each once. */
static bool print_set(FILE *f, const char *name, const char **items, size_t cnt)
{
	if (!cnt)
		return true;
	const char **sorted = malloc(cnt * sizeof(*sorted));
	if (!sorted)
		return false;
	memcpy(sorted, items, cnt * sizeof(*sorted));
	qsort(sorted, cnt, sizeof(*sorted), compare_strings);
	for (size_t i = 0; i < cnt; i++)
		if (!i || strcmp(sorted[i - 1], sorted[i]))
			fprintf(f, "%s=%s\n", name, sorted[i]);
	free(sorted);
	return true;
}

static void print_string(FILE *f, const char *name, const char *value)
{
	if (value)
		fprintf(f, "%s=%s\n", name, value);
}

static void print_number(FILE *f, const char *name, uint64_t value)
{
	if (value)
		fprintf(f, "%s=%llu\n", name, (unsigned long long)value);
}

/* The modes of the inputs in their order, without their names: those that change what is made of them. */
static void print_modes(FILE *f, const struct options *o)
{
	fprintf(f, "inputs=");
	for (size_t i = 0; i < o->operand_cnt; i++) {
		const struct operand *x = &o->operands[i];
		if (x->kind != OPERAND_FILE && x->kind != OPERAND_LIBRARY && x->kind != OPERAND_SCRIPT)
			continue;
		fprintf(f, "%s%s%s%s%s,", x->kind == OPERAND_SCRIPT ? "T" : "", x->whole_archive ? "w" : "",
			x->as_needed ? "n" : "", x->just_symbols ? "R" : "", x->is_lib ? "l" : "");
	}
	fprintf(f, "\n");
}

static bool print_semantic(FILE *f, const struct options *o)
{
	fprintf(f, "kind=%d\n", (int)o->kind);
	for (size_t i = 0; i < sizeof(bits) / sizeof(*bits); i++)
		if (*(const bool *)((const char *)o + bits[i].field))
			fprintf(f, "%s\n", bits[i].name);
	print_string(f, "entry", o->entry);
	print_string(f, "dynamic_linker", o->dynamic_linker);
	print_string(f, "soname", o->soname);
	print_string(f, "rpath", o->rpath);
	print_string(f, "init", o->init);
	print_string(f, "fini", o->fini);
	print_string(f, "package_metadata", o->package_metadata);
	if (o->has_image_base)
		fprintf(f, "image_base=%llu\n", (unsigned long long)o->image_base);
	print_number(f, "max_page_size", o->max_page_size);
	print_number(f, "common_page_size", o->common_page_size);
	print_number(f, "stack_size", o->z_stack_size);
	print_number(f, "start_stop_visibility", o->start_stop_visibility);
	print_number(f, "bsymbolic", o->bsymbolic);
	print_number(f, "sort_section", o->sort_section);
	print_number(f, "hash_style", o->hash_style);
	print_number(f, "build_id", o->build_id);
	print_number(f, "optimize", (uint64_t)o->optimize);
	print_number(f, "strip", o->strip);
	print_number(f, "discard", o->discard);
	print_number(f, "ignore_unresolved", o->unresolved_object == UNRESOLVED_IGNORE);
	print_modes(f, o);
	for (size_t i = 0; i < o->defsym_cnt; i++) /* in order: one may redefine another */
		fprintf(f, "defsym=%s=%s\n", o->defsyms[i].name, o->defsyms[i].expr);
	return print_set(f, "undefined", o->undefined, o->undefined_cnt) &&
	       print_set(f, "wrap", o->wraps, o->wrap_cnt) &&
	       print_set(f, "export", o->export_symbols, o->export_symbol_cnt) &&
	       print_set(f, "exclude_lib", o->exclude_libs, o->exclude_lib_cnt);
}

char *option_semantic(const struct options *o, size_t *ret_sz)
{
	char *text = NULL;
	size_t sz;
	FILE *f = open_memstream(&text, &sz);

	if (!f)
		return NULL;
	bool ok = print_semantic(f, o);
	if (!close_text(f, &text))
		return NULL;
	if (!ok) {
		free(text);
		return NULL;
	}
	*ret_sz = sz;
	return text;
}
