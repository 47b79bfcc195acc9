/* option_set.c - what each option does: the table of options.def with a function for every row that needs one.
 *
 * Where an option may be given several times the last one wins, as in GNU ld (-shared -pie makes a PIE), except those
 * that collect. Options of other linkers that are not implemented are errors: none is dropped silently. Options that
 * depend on others (-static, the defaults for undefined symbols, the sysroot in -L) are only noted here and settled at
 * the end of the command line by options.c.
 */
#include "option_parse.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_number(struct parse *p, const char *s, int base, uint64_t max, uint64_t *ret_value)
{
	char *end;

	errno = 0;
	unsigned long long v = strtoull(s, &end, base);
	if (*s < '0' || (*s > '9' && (base != 16 || !strchr("abcdefABCDEF", *s))) || *end || errno || v > max) {
		complain(p, "bad number: got '%s', expected %s number up to %#llx", s,
			 base == 16 ? "a hexadecimal" : "a", (unsigned long long)max);
		return false;
	}
	*ret_value = v;
	return true;
}

/* Operands. */

static void add_operand(struct parse *p, enum operand_kind kind, const char *name)
{
	struct options *o = p->o;

	if (!option_grow(p, &o->operands, o->operand_cnt, sizeof(*o->operands)))
		return;
	o->operands[o->operand_cnt++] = (struct operand){
		.kind = kind,
		.name = name,
		.is_static = p->mode.is_static,
		.whole_archive = p->mode.whole_archive,
		.as_needed = p->mode.as_needed,
		.is_lib = p->in_lib,
	};
}

void option_add_file(struct parse *p, const char *name)
{
	add_operand(p, OPERAND_FILE, name);
}

static void add_library(struct parse *p, int value, const char *arg)
{
	(void)value;
	if (!*arg || !strcmp(arg, ":"))
		complain(p, "empty library name");
	else
		add_operand(p, OPERAND_LIBRARY, arg);
}

static void add_script(struct parse *p, int value, const char *arg)
{
	(void)value;
	add_operand(p, OPERAND_SCRIPT, arg);
}

static void add_just_symbols(struct parse *p, int value, const char *arg)
{
	(void)value;
	size_t before = p->o->operand_cnt;
	add_operand(p, OPERAND_FILE, arg);
	if (p->o->operand_cnt > before)
		p->o->operands[before].just_symbols = true;
}

static void mark_group(struct parse *p, int kind, const char *arg)
{
	(void)arg;
	bool start = kind == OPERAND_START_GROUP;
	if (start && p->in_group)
		complain(p, "groups can't be nested: expected --end-group first");
	else if (!start && !p->in_group)
		complain(p, "no group is open: expected --start-group before");
	p->in_group = start;
	add_operand(p, (enum operand_kind)kind, NULL);
}

static void mark_lib(struct parse *p, int kind, const char *arg)
{
	(void)arg;
	bool start = kind == OPERAND_START_LIB;
	if (start && p->in_lib)
		complain(p, "--start-lib can't be nested: expected --end-lib first");
	else if (!start && !p->in_lib)
		complain(p, "no --start-lib is open");
	p->in_lib = false;
	add_operand(p, (enum operand_kind)kind, NULL);
	p->in_lib = start;
}

static void set_whole_archive(struct parse *p, int on, const char *arg)
{
	(void)arg;
	p->mode.whole_archive = on;
}

static void set_as_needed(struct parse *p, int on, const char *arg)
{
	(void)arg;
	p->mode.as_needed = on;
}

static void set_static_search(struct parse *p, int on, const char *arg)
{
	(void)arg;
	p->mode.is_static = on;
}

static void set_static(struct parse *p, int value, const char *arg)
{
	(void)value, (void)arg;
	p->mode.is_static = true;
	p->static_seen = true;
}

static void push_state(struct parse *p, int value, const char *arg)
{
	(void)value, (void)arg;
	if (option_grow(p, &p->stack, p->stack_cnt, sizeof(*p->stack)))
		p->stack[p->stack_cnt++] = p->mode;
}

static void pop_state(struct parse *p, int value, const char *arg)
{
	(void)value, (void)arg;
	if (p->stack_cnt)
		p->mode = p->stack[--p->stack_cnt];
	else
		complain(p, "nothing to go back to: expected --push-state before");
}

/* What to make. */

static void set_kind(struct parse *p, int kind, const char *arg)
{
	(void)arg;
	bool was_r = p->o->kind == OUTPUT_RELOCATABLE;
	bool was_pic = p->o->kind == OUTPUT_SHARED || p->o->kind == OUTPUT_PIE;
	if ((was_r && (kind == OUTPUT_SHARED || kind == OUTPUT_PIE)) || (kind == OUTPUT_RELOCATABLE && was_pic))
		complain(p, "-r and %s can't be used together",
			 kind == OUTPUT_SHARED || p->o->kind == OUTPUT_SHARED ? "-shared" : "-pie");
	if (!was_r)
		p->o->kind = (enum output_kind)kind;
}

static void set_emulation(struct parse *p, int value, const char *arg)
{
	(void)value;
	p->o->emulation = arg;
	if (option_is_emulation(arg))
		return;
	char *known = option_emulations();
	refuse(p, "unknown emulation: got '%s', expected one of: %s", arg, known ? known : "?");
	free(known);
}

static void check_format(struct parse *p, int value, const char *arg)
{
	(void)value;
	if (!strcmp(arg, "elf") || !strcmp(arg, "default") || option_is_format(arg))
		return;
	char *known = option_formats();
	refuse(p, "this format is not supported: got '%s', expected one of: elf %s", arg, known ? known : "?");
	free(known);
}

static void set_byte_order(struct parse *p, int order, const char *arg)
{
	(void)arg;
	p->o->byte_order = order;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 0xHEX: pairs of digits, with '-' and ':' between pairs as in GNU ld. */
static void set_build_id_hex(struct parse *p, const char *arg)
{
	struct options *o = p->o;
	size_t sz = 0;

	for (const char *s = arg + 2; *s; s++) {
		if (*s == '-' || *s == ':')
			continue;
		int high = hex_digit(s[0]), low = high < 0 ? -1 : hex_digit(s[1]);
		if (low < 0) {
			complain(p, "bad build-id: got '%s', expected pairs of hexadecimal digits", arg);
			return;
		}
		if (sz == sizeof(o->build_id_hex)) {
			complain(p, "build-id too long: got '%s', expected at most %zu bytes", arg,
				 sizeof(o->build_id_hex));
			return;
		}
		o->build_id_hex[sz++] = (uint8_t)(high << 4 | low);
		s++;
	}
	if (!sz)
		complain(p, "bad build-id: got '%s', expected pairs of hexadecimal digits", arg);
	o->build_id = BUILD_ID_HEX;
	o->build_id_hex_sz = sz;
}

static const struct word {
	const char *word;
	int value;
} build_ids[] = {
	{ "none", BUILD_ID_NONE }, { "fast", BUILD_ID_FAST }, { "md5", BUILD_ID_MD5 },
	{ "sha1", BUILD_ID_SHA1 }, { "tree", BUILD_ID_SHA1 }, { "uuid", BUILD_ID_UUID }, { NULL, 0 },
}, hash_styles[] = {
	{ "sysv", HASH_SYSV }, { "gnu", HASH_GNU }, { "both", HASH_BOTH }, { NULL, 0 },
}, sort_keys[] = {
	{ "name", SORT_SECTION_NAME }, { "alignment", SORT_SECTION_ALIGNMENT }, { "none", SORT_SECTION_NONE },
	{ NULL, 0 },
}, visibilities[] = {
	{ "default", STV_DEFAULT }, { "protected", STV_PROTECTED }, { "hidden", STV_HIDDEN },
	{ "internal", STV_INTERNAL }, { NULL, 0 },
}, methods[] = {
	{ "report-all", 0 }, { "ignore-in-object-files", 1 }, { "ignore-in-shared-libs", 2 }, { "ignore-all", 3 },
	{ NULL, 0 }, /* bits: 1 objects, 2 shared libraries */
}, packs[] = {
	{ "none", false }, { "relr", true }, { NULL, 0 },
}, linkfs_modes[] = {
	{ "auto", 0 }, { "mount", 1 }, { "file", 2 }, { NULL, 0 },
}, orders[] = {
	{ "ascending", 0 }, { "descending", 1 }, { NULL, 0 },
}, no_compression[] = {
	{ "none", 0 }, { NULL, 0 },
}, compressions[] = {
	{ "zlib", 0 }, { "zlib-gnu", 1 }, { "zlib-gabi", 2 }, { "zstd", 3 }, { NULL, 0 },
};

static const struct word *find_word(const struct word *words, const char *arg)
{
	for (; words->word; words++)
		if (!strcmp(words->word, arg))
			return words;
	return NULL;
}

/* The value of one of WORDS into *ret_value, or an error that lists them. */
static bool parse_word(struct parse *p, const struct word *words, const char *arg, int *ret_value)
{
	char list[128] = "";
	const struct word *w = find_word(words, arg);

	if (w) {
		*ret_value = w->value;
		return true;
	}
	for (w = words; w->word; w++) {
		strncat(list, w == words ? "" : w[1].word ? ", " : " or ", sizeof(list) - strlen(list) - 1);
		strncat(list, w->word, sizeof(list) - strlen(list) - 1);
	}
	refuse(p, "got '%s', expected %s", arg, list);
	return false;
}

static void set_build_id(struct parse *p, int on, const char *arg)
{
	int v = on ? BUILD_ID_SHA1 : BUILD_ID_NONE;

	if (arg && arg[0] == '0' && (arg[1] == 'x' || arg[1] == 'X'))
		set_build_id_hex(p, arg);
	else if (!arg || parse_word(p, build_ids, arg, &v))
		p->o->build_id = (enum build_id)v;
}

static void set_package_metadata(struct parse *p, int value, const char *arg)
{
	(void)value;
	p->o->package_metadata = arg && *arg ? arg : NULL;
}

static void set_optimize(struct parse *p, int value, const char *arg)
{
	(void)value;
	uint64_t v;
	if (parse_number(p, arg, 0, INT32_MAX, &v))
		p->o->optimize = (int)v;
}

/* Symbols. */

static void require_defined(struct parse *p, int value, const char *arg)
{
	(void)value;
	option_push(p, &p->o->undefined, &p->o->undefined_cnt, arg);
	option_push(p, &p->o->require_defined, &p->o->require_defined_cnt, arg);
}

static bool is_symbol_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("_.$@", c)) ||
	       (unsigned char)c >= 0x80;
}

static const char *skip_blanks(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

/* [-](number | symbol) [(+|-) (number | symbol)]... : its form only; the values are known later. */
static bool is_sum(const char *s)
{
	s = skip_blanks(s);
	if (*s == '-')
		s = skip_blanks(s + 1);
	for (;;) {
		const char *term = s;
		while (is_symbol_char(*s))
			s++;
		if (s == term || (s == term + 1 && *term == '.'))
			return false;
		if (*term >= '0' && *term <= '9') {
			char *end;
			errno = 0;
			strtoull(term, &end, 0);
			if (end != s || errno)
				return false;
		}
		s = skip_blanks(s);
		if (!*s)
			return true;
		if (*s != '+' && *s != '-')
			return false;
		s = skip_blanks(s + 1);
	}
}

static void add_defsym(struct parse *p, int value, const char *arg)
{
	(void)value;
	struct options *o = p->o;
	const char *eq = strchr(arg, '=');
	const char *end = eq ? eq : arg;

	while (end > arg && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (end == arg)
		complain(p, "got '%s', expected SYMBOL=EXPRESSION", arg);
	else if (!is_sum(eq + 1))
		refuse(p, "this expression is not supported: got '%s', expected a sum of symbols and numbers",
			 eq + 1);
	else if (option_grow(p, &o->defsyms, o->defsym_cnt, sizeof(*o->defsyms)))
		o->defsyms[o->defsym_cnt++] = (struct defsym){ option_keep(p, arg, (size_t)(end - arg)), eq + 1 };
}

/* Each part of ARG between SEPARATORS, empty ones left out. */
static void push_parts(struct parse *p, const char ***array, size_t *cnt, const char *arg, const char *separators)
{
	while (*arg) {
		size_t n = strcspn(arg, separators);
		if (n)
			option_push(p, array, cnt, option_keep(p, arg, n));
		arg += n + (arg[n] != '\0');
	}
}

static void exclude_libs(struct parse *p, int value, const char *arg)
{
	(void)value;
	push_parts(p, &p->o->exclude_libs, &p->o->exclude_lib_cnt, arg, ",:");
}

static void set_defs(struct parse *p, int on, const char *arg)
{
	(void)arg;
	p->object = on ? SAID_REPORT : SAID_IGNORE;
	p->o->no_undefined = p->o->z_defs = on;
}

static void allow_shlib_undefined(struct parse *p, int on, const char *arg)
{
	(void)arg;
	p->shlib = on ? SAID_IGNORE : SAID_REPORT;
}

static void set_unresolved(struct parse *p, int value, const char *arg)
{
	if (!parse_word(p, methods, arg, &value))
		return;
	p->object = value & 1 ? SAID_IGNORE : SAID_REPORT;
	p->shlib = value & 2 ? SAID_IGNORE : SAID_REPORT;
	p->o->no_undefined = p->o->z_defs = p->object == SAID_REPORT;
}

/* Layout. */

/* 1: -n, 2: -N, negative: undone. Going back leaves -Bstatic as it is, as GNU ld does. */
static void set_magic(struct parse *p, int magic, const char *arg)
{
	(void)arg;
	if (magic > 0)
		p->mode.is_static = true;
	if (magic == 1 || magic == -1)
		p->o->nmagic = magic > 0;
	else
		p->o->omagic = magic > 0;
}

static void set_image_base(struct parse *p, int base, const char *arg)
{
	p->o->has_image_base |= parse_number(p, arg, base, UINT64_MAX, &p->o->image_base);
}

static void set_sort_section(struct parse *p, int value, const char *arg)
{
	if (parse_word(p, sort_keys, arg, &value))
		p->o->sort_section = (enum sort_section)value;
}

static void set_sort_common(struct parse *p, int value, const char *arg)
{
	if (!arg || parse_word(p, orders, arg, &value))
		p->o->sort_common = true;
}

static void set_page_size(struct parse *p, int is_max, const char *arg)
{
	uint64_t v;

	if (!parse_number(p, arg, 0, UINT64_C(1) << 40, &v))
		return;
	if (!v || v & (v - 1))
		complain(p, "bad page size: got '%s', expected a power of two", arg);
	else if (is_max)
		p->o->max_page_size = v;
	else
		p->o->common_page_size = v;
}

static void set_stack_size(struct parse *p, int value, const char *arg)
{
	(void)value;
	parse_number(p, arg, 0, UINT64_MAX, &p->o->z_stack_size);
}

static void set_start_stop_visibility(struct parse *p, int value, const char *arg)
{
	if (parse_word(p, visibilities, arg, &value))
		p->o->start_stop_visibility = (unsigned)value;
}

/* Dynamic linking. */

static void add_rpath(struct parse *p, int value, const char *arg)
{
	(void)value;
	option_push(p, &p->rpaths.items, &p->rpaths.cnt, arg);
}

static void add_rpath_link(struct parse *p, int value, const char *arg)
{
	(void)value;
	push_parts(p, &p->o->rpath_links, &p->o->rpath_link_cnt, arg, ":");
}

static void set_hash_style(struct parse *p, int value, const char *arg)
{
	if (parse_word(p, hash_styles, arg, &value))
		p->o->hash_style = (enum hash_style)value;
}

static void set_pack(struct parse *p, int value, const char *arg)
{
	if (parse_word(p, packs, arg, &value))
		p->o->z_pack_relative_relocs = value;
}

static void set_compress_debug(struct parse *p, int value, const char *arg)
{
	if (find_word(compressions, arg))
		refuse(p, "compressing debug sections is not supported: got '%s', expected none", arg);
	else if (parse_word(p, no_compression, arg, &value))
		p->o->compress_debug = arg;
}

/* Talk. */

static void print_map(struct parse *p, int value, const char *arg)
{
	(void)value, (void)arg;
	p->o->print_map = true;
	p->o->map_file = "-";
}

static void set_text(struct parse *p, char *text)
{
	if (!text)
		p->oom = true;
	p->text = text;
}

static void print_help(struct parse *p, int value, const char *arg)
{
	(void)value, (void)arg;
	set_text(p, option_help());
}

static void print_version(struct parse *p, int value, const char *arg)
{
	(void)value, (void)arg;
	set_text(p, option_version(false));
}

/* 0: the sysroot as far as it is known; 1: the format. One line. */
static void print_about(struct parse *p, int what, const char *arg)
{
	(void)arg;
	char *formats = what ? option_formats() : NULL;
	const char *s = what ? formats : p->o->sysroot;
	size_t n = s ? strcspn(s, " ") : 0;
	char *text = malloc(n + 2);

	if (text) {
		memcpy(text, s ? s : "", n);
		memcpy(text + n, "\n", 2);
	}
	free(formats);
	set_text(p, text);
}

static void set_version_level(struct parse *p, int level, const char *arg)
{
	(void)arg;
	if (level > p->version_level)
		p->version_level = level;
	p->o->verbose |= level == 3;
}

static void set_demangle(struct parse *p, int value, const char *arg)
{
	(void)value, (void)arg; /* the mangling says which style it is */
	p->o->demangle = true;
}

static void set_error_limit(struct parse *p, int value, const char *arg)
{
	(void)value;
	uint64_t v;
	if (parse_number(p, arg, 0, UINT32_MAX, &v))
		p->o->error_limit = (unsigned)v;
}

static void set_threads(struct parse *p, int one, const char *arg)
{
	uint64_t v = (uint64_t)one;
	if (!arg || parse_number(p, arg, 0, 4096, &v))
		p->o->threads = (unsigned)v;
}

static void set_linkfs_mode(struct parse *p, int value, const char *arg)
{
	if (parse_word(p, linkfs_modes, arg, &value))
		p->o->linkfs_mode = arg;
}

/* The table. */

enum action { DO_FLAG, DO_ENUM, DO_TEXT, DO_LIST, DO_CALL, DO_NOTHING, DO_REFUSE };

#define FIELD(f) offsetof(struct options, f)

static void set_keyword(struct parse *p, int value, const char *arg);

_Static_assert(sizeof(enum strip_kind) == sizeof(int) && sizeof(enum bsymbolic) == sizeof(int) &&
		       sizeof(enum discard_kind) == sizeof(int), "DO_ENUM stores an int");

static const struct option_row options[] = {
#define FLAG(group, names, f, v, help) { names, FORM_FLAG, DO_FLAG, .field = FIELD(f), .value = v },
#define ENUM(group, names, f, v, help) { names, FORM_FLAG, DO_ENUM, .field = FIELD(f), .value = (int)(v) },
#define TEXT(group, names, f, meta_, help) { names, FORM_VALUE, DO_TEXT, .field = FIELD(f), .meta = meta_ },
#define LIST(group, names, array, cnt, meta_, help) \
	{ names, FORM_VALUE, DO_LIST, .field = FIELD(array), .field2 = FIELD(cnt), .meta = meta_ },
#define CALL(group, names, form_, handler, v, meta_, help) \
	{ names, form_, DO_CALL, .value = (int)(v), .call = handler, .meta = meta_ },
#define NOOP(names, form_, meta_) { names, form_, DO_NOTHING, .meta = meta_ },
#define REFUSE(names, form_, meta_) { names, form_, DO_REFUSE, .meta = meta_ },
#include "options.def"
};

static const struct option_row keywords[] = {
#define Z_ON(keyword, on, off, help) { keyword, FORM_FLAG, DO_FLAG, FIELD(on), FIELD(off), true, NULL, NULL },
#define Z_OFF(keyword, f, help) { keyword, FORM_FLAG, DO_FLAG, FIELD(f), FIELD(f), false, NULL, NULL },
#define Z_CALL(keyword, handler, v, meta_, help) \
	{ keyword, (meta_) ? FORM_VALUE : FORM_FLAG, DO_CALL, .value = (int)(v), .call = handler, .meta = meta_ },
#define Z_NOOP(keyword) { keyword, FORM_FLAG, DO_NOTHING, .value = 0 },
#define Z_REFUSE(keyword) { keyword, FORM_FLAG, DO_REFUSE, .value = 0 },
#include "options.def"
};

void option_apply(struct parse *p, const struct option_row *row, const char *arg)
{
	char *field = (char *)p->o + row->field, *field2 = (char *)p->o + row->field2;

	switch (row->action) {
	case DO_FLAG:
		if (row->field2)
			*(bool *)field2 = false;
		*(bool *)field = row->value;
		break;
	case DO_ENUM:
		memcpy(field, &row->value, sizeof(row->value));
		break;
	case DO_TEXT:
		memcpy(field, &arg, sizeof(arg));
		break;
	case DO_LIST:
		option_push(p, (const char ***)field, (size_t *)field2, arg);
		break;
	case DO_CALL:
		row->call(p, row->value, arg);
		break;
	case DO_NOTHING:
		break;
	case DO_REFUSE:
		refuse(p, "this option is not supported by linkfs");
		break;
	}
}

/* Finding a row. */

/* The length of the first of NAMES, with its dashes. */
static size_t name_sz(const char *names)
{
	return (size_t)(strchrnul(names, '|') - names);
}

/* Does NAME, SZ long with its dashes, stand for BODY, an argument without them? *ret_value: what follows '=' or NULL. */
static bool is_named(const char *name, size_t sz, const char *body, unsigned dashes, const char **ret_value)
{
	while (*name == '-')
		name++, sz--;
	if (*name != *body || sz < 2 || (dashes == 1 && *name == 'o'))
		return false;
	if (name[sz - 1] == '*') {
		*ret_value = NULL;
		return !strncmp(name, body, sz - 1);
	}
	if (strncmp(name, body, sz) || (body[sz] && body[sz] != '='))
		return false;
	*ret_value = body[sz] ? body + sz + 1 : NULL;
	return true;
}

/* Long names first, so that -soname is not -s; then one letter with what is joined to it. */
const struct option_row *option_find(const char *arg, const char **ret_value)
{
	unsigned dashes = arg[1] == '-' ? 2 : 1;
	const char *body = arg + dashes;
	const size_t cnt = sizeof(options) / sizeof(*options);

	for (size_t i = 0; i < cnt; i++) {
		size_t sz;
		for (const char *name = options[i].names; *name; name += sz, name += *name == '|') {
			sz = name_sz(name);
			if (is_named(name, sz, body, dashes, ret_value))
				return &options[i];
		}
	}
	for (size_t i = 0; dashes == 1 && i < cnt; i++) {
		size_t sz;
		for (const char *name = options[i].names; *name; name += sz, name += *name == '|') {
			sz = name_sz(name);
			if (name[1] == *body && sz == 2 && (!body[1] || options[i].form == FORM_VALUE)) {
				*ret_value = body[1] ? body + 1 : NULL;
				return &options[i];
			}
		}
	}
	return NULL;
}

static bool is_keyword(const struct option_row *row, const char *arg)
{
	if (*row->names != *arg)
		return false;
	size_t sz = strlen(row->names);
	if (row->names[sz - 1] == '*')
		return !strncmp(row->names, arg, sz - 1);
	return !strncmp(row->names, arg, sz) && (!arg[sz] || (row->form == FORM_VALUE && arg[sz] == '='));
}

/* -z KEYWORD[=VALUE]. An unknown keyword is a warning, as in GNU ld: many mean something to one system only. */
static void set_keyword(struct parse *p, int value, const char *arg)
{
	const char *equals = strchr(arg, '='), *name = p->name;
	const struct option_row *row = NULL;
	char shown[64];

	(void)value;
	for (size_t i = 0; !row && i < sizeof(keywords) / sizeof(*keywords); i++)
		if (is_keyword(&keywords[i], arg))
			row = &keywords[i];
	snprintf(shown, sizeof(shown), "-z %s", arg);
	p->name = shown;
	if (!row) {
		if (option_grow(p, &p->unknowns, p->unknown_cnt, sizeof(*p->unknowns)))
			p->unknowns[p->unknown_cnt++] = (struct unknown){ arg, p->i };
	} else if (row->form == FORM_VALUE && !equals) {
		complain(p, "missing argument: expected -z %s=%s", row->names, row->meta);
	} else {
		option_apply(p, row, row->form == FORM_VALUE ? equals + 1 : NULL);
	}
	p->name = name;
}
