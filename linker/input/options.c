/* options.c - argv becomes one frozen struct options.
 *
 * Here the command line is cut into options and their arguments: response files are expanded first, then each word is
 * looked up in the table of option_set.c, which does what it says; at the end come the defaults and what depends on
 * several options. Everything wrong with a command line is reported, not only the first mistake. Unlike GNU ld's, long
 * names can't be abbreviated, so that a misspelt one is an error with a guess. LD_RUN_PATH and other environment
 * variables are not looked at: a link is a function of its command line. Texts (--help, guesses, the canonical form)
 * are option_text.c's, cutting up response files is option_args.c's.
 */
#include "options.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "option_parse.h"

enum {
	BLOCK_SZ = 16 << 10,
	MAX_RESPONSE_DEPTH = 32,
	MAX_RESPONSE_FILES = 2000, /* as GNU: files that include one another twice are 2^depth */
	MAX_NESTED_ARGS = 1 << 17, /* of all files included by others: a large one, included many times */
	MAX_GUESSES = 20,          /* each compares the option with all that are known */
};

/* The strings of struct options: blocks that only grow. */
struct option_block {
	struct option_block *next;
	size_t used;
	size_t sz;
	char bytes[];
};

static void *keep_space(struct parse *p, size_t sz)
{
	struct option_block *b = p->o->blocks;

	if (!b || b->sz - b->used < sz) {
		size_t block_sz = sz > BLOCK_SZ ? sz : BLOCK_SZ;
		b = malloc(sizeof(*b) + block_sz);
		if (!b) {
			p->oom = true;
			return NULL;
		}
		*b = (struct option_block){ .next = p->o->blocks, .sz = block_sz };
		p->o->blocks = b;
	}
	void *space = b->bytes + b->used;
	b->used += sz;
	return space;
}

const char *option_keep(struct parse *p, const char *s, size_t sz)
{
	char *copy = keep_space(p, sz + 1);

	if (!copy)
		return "";
	memcpy(copy, s, sz);
	copy[sz] = '\0';
	return copy;
}

/* Room is made in powers of two, so CNT alone tells when there is none left. */
bool option_grow(struct parse *p, void *ret_array, size_t cnt, size_t elem_sz)
{
	void *array;

	if (cnt && (cnt < 8 || cnt & (cnt - 1)))
		return true;
	memcpy(&array, ret_array, sizeof(array));
	array = reallocarray(array, cnt ? 2 * cnt : 8, elem_sz);
	if (!array) {
		p->oom = true;
		return false;
	}
	memcpy(ret_array, &array, sizeof(array));
	return true;
}

void option_push(struct parse *p, const char ***array, size_t *cnt, const char *s)
{
	if (option_grow(p, array, *cnt, sizeof(**array)))
		(*array)[(*cnt)++] = s;
}

/* Response files. */

/* The response files around the one being read, the innermost first. */
struct nest {
	const struct nest *outer;
	const char *path;
	unsigned depth;
};

static void expand(struct parse *p, const char *arg, size_t place, const struct nest *outer);

/* Has it been reported that response files go on without end? What they still hold is left out. */
static bool is_too_much(const struct parse *p)
{
	return p->response_cnt > MAX_RESPONSE_FILES || p->nested_cnt > MAX_NESTED_ARGS;
}

/* Reads @PATH and expands what is in it; false where there is no such file. */
static bool expand_file(struct parse *p, const char *path, size_t place, const struct nest *outer)
{
	struct nest nest = { outer, path, outer ? outer->depth + 1 : 1 };
	char *text = NULL, **argv;
	size_t sz;
	int argc;

	for (const struct nest *n = outer; n; n = n->outer)
		if (!strcmp(n->path, path)) {
			diag_error(p->d, place, "@%s: response file includes itself", path);
			p->failed = true;
			return true;
		}
	if (nest.depth > MAX_RESPONSE_DEPTH || ++p->response_cnt > MAX_RESPONSE_FILES) {
		diag_error(p->d, place, "@%s: too many nested response files", path);
		p->failed = true;
		return true;
	}
	int rc = p->reader && p->reader->read_file ? p->reader->read_file(p->reader->ctx, path, &text, &sz) : -ENOENT;
	if (rc == -ENOENT)
		return false;
	if (rc < 0) {
		diag_error(p->d, place, "@%s: can't read response file: %s", path, strerror(-rc));
		p->failed = true;
		return true;
	}
	rc = linkfs_split_args(text, sz, &argc, &argv);
	free(text);
	if (rc == -ENOMEM) {
		p->oom = true;
	} else if (rc < 0) {
		diag_error(p->d, place, "@%s: malformed response file: a quote is left open, or it is not text", path);
		p->failed = true;
	} else {
		if (outer && (p->nested_cnt += (size_t)argc) > MAX_NESTED_ARGS) {
			diag_error(p->d, place, "@%s: too many arguments in nested response files", path);
			p->failed = true;
		}
		for (int i = 0; i < argc && !is_too_much(p); i++)
			expand(p, argv[i], place, &nest);
		free(argv);
	}
	return true;
}

/* Appends ARG to p->args, or what is in the file it names. As with GNU, @FILE without a file stands for itself. */
static void expand(struct parse *p, const char *arg, size_t place, const struct nest *outer)
{
	if (arg[0] == '@' && arg[1] && expand_file(p, arg + 1, place, outer))
		return;
	option_push(p, &p->args.items, &p->args.cnt, option_keep(p, arg, strlen(arg)));
}

/* Options and operands. */

/* Reports ARG, with a guess if it is one of the first. */
static void report_unknown(struct parse *p, const char *arg)
{
	char guess[64];

	p->name = arg;
	if (p->guess_cnt++ < MAX_GUESSES && option_closest(arg, guess, sizeof(guess)))
		refuse(p, "unknown option: did you mean %s", guess);
	else
		refuse(p, "unknown option: see --help for those known");
}

/* The option at p->i with its argument, which may be the next word. */
static void read_option(struct parse *p, const char *arg)
{
	const char *value = NULL;
	const struct option_row *row = option_find(arg, &value);
	char name[64];

	if (!row) {
		report_unknown(p, arg);
		return;
	}
	size_t sz = value ? (size_t)(value - arg) : strlen(arg);
	if (value && value[-1] == '=' && sz > 2)
		sz--;
	if (sz >= sizeof(name))
		sz = sizeof(name) - 1;
	memcpy(name, arg, sz);
	name[sz] = '\0';
	p->name = name;

	if (row->form == FORM_FLAG && value) {
		complain(p, "this option takes no argument: got '%s'", value);
	} else if (row->form == FORM_VALUE && !value && p->i + 1 == p->args.cnt) {
		complain(p, "missing argument: expected %s", row->meta);
	} else {
		if (row->form == FORM_VALUE && !value)
			value = p->args.items[++p->i];
		option_apply(p, row, value);
	}
	p->name = NULL;
}

static void read_args(struct parse *p)
{
	bool only_files = false;

	for (p->i = 0; p->i < p->args.cnt && !p->text && !p->oom; p->i++) {
		const char *arg = p->args.items[p->i];
		if (only_files || arg[0] != '-' || !arg[1])
			option_add_file(p, arg);
		else if (!strcmp(arg, "--"))
			only_files = true;
		else
			read_option(p, arg);
	}
}

/* The end: what depends on the whole command line. */

/* A leading '=' or $SYSROOT in -L stands for the sysroot. */
static void place_lib_paths(struct parse *p)
{
	struct options *o = p->o;
	size_t root_sz = strlen(o->sysroot);

	for (size_t i = 0; i < o->lib_path_cnt; i++) {
		const char *path = o->lib_paths[i];
		size_t skip = path[0] == '=' ? 1 : !strncmp(path, "$SYSROOT", 8) ? 8 : 0;
		if (!skip)
			continue;
		size_t sz = strlen(path + skip);
		char *joined = malloc(root_sz + sz + 1);
		if (!joined) {
			p->oom = true;
			return;
		}
		memcpy(joined, o->sysroot, root_sz);
		memcpy(joined + root_sz, path + skip, sz + 1);
		o->lib_paths[i] = option_keep(p, joined, root_sz + sz);
		free(joined);
	}
}

static bool is_earlier(const struct list *l, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(l->items[j], l->items[i]))
			return true;
	return false;
}

/* One string with ':' between the directories, each once, as GNU ld does. */
static void join_rpaths(struct parse *p)
{
	size_t sz = 0;

	for (size_t i = 0; i < p->rpaths.cnt; i++)
		sz += strlen(p->rpaths.items[i]) + 1;
	if (!sz)
		return;
	char *joined = malloc(sz), *end = joined;
	if (!joined) {
		p->oom = true;
		return;
	}
	for (size_t i = 0; i < p->rpaths.cnt; i++) {
		if (is_earlier(&p->rpaths, i))
			continue;
		if (end != joined)
			*end++ = ':';
		end = stpcpy(end, p->rpaths.items[i]);
	}
	p->o->rpath = option_keep(p, joined, (size_t)(end - joined));
	free(joined);
}

static enum unresolved settle(const struct parse *p, enum said said)
{
	if (said == SAID_IGNORE || (said == SAID_NOTHING && p->o->kind == OUTPUT_SHARED))
		return UNRESOLVED_IGNORE;
	return p->o->warn_unresolved ? UNRESOLVED_WARN : UNRESOLVED_ERROR;
}

static void check_complete(struct parse *p)
{
	struct options *o = p->o;
	bool has_input = false;

	for (size_t i = 0; i < o->operand_cnt; i++)
		has_input |= o->operands[i].kind == OPERAND_FILE || o->operands[i].kind == OPERAND_LIBRARY ||
			     o->operands[i].kind == OPERAND_SCRIPT;
	if (p->in_group)
		p->name = "--start-group", complain(p, "the group is not closed: expected --end-group");
	if (p->in_lib)
		p->name = "--start-lib", complain(p, "not closed: expected --end-lib");
	if (o->max_page_size && o->common_page_size > o->max_page_size)
		p->name = "-z common-page-size", complain(p, "larger than max-page-size");
	if (has_input || p->failed)
		return;
	if (p->version_level) {
		p->text = option_version(p->version_level > 1);
		p->oom |= !p->text;
		return;
	}
	diag_error(p->d, p->i, "no input files");
	p->failed = true;
}

static void finish(struct parse *p)
{
	struct options *o = p->o;

	diag_fatal_warnings(p->d, o->fatal_warnings);
	diag_no_warnings(p->d, o->no_warnings);
	for (size_t i = 0; i < p->unknown_cnt; i++) {
		diag_warn(p->d, p->unknowns[i].place, "-z %s: unknown keyword is ignored", p->unknowns[i].keyword);
		p->failed |= o->fatal_warnings && !o->no_warnings;
	}
	o->is_static = o->kind == OUTPUT_EXEC ? p->static_seen : o->kind == OUTPUT_PIE && o->no_dynamic_linker;
	o->unresolved_object = settle(p, p->object);
	o->unresolved_shlib = settle(p, p->shlib);
	place_lib_paths(p);
	join_rpaths(p);
	check_complete(p);
}

static struct options *options_new(void)
{
	struct options *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->output = "a.out";
	o->init = "_init";
	o->fini = "_fini";
	o->sysroot = "";
	o->new_dtags = true;
	o->gnu_unique = true;
	o->relax = true;
	o->z_relro = true;
	o->z_combreloc = true;
	o->demangle = true;
	o->hash_style = HASH_BOTH;
	o->start_stop_visibility = STV_PROTECTED;
	o->optimize = 1;
	o->error_limit = 20;
	return o;
}

/* The canonical text and the version line: the last things made, for a command line that is right. */
static int conclude(struct parse *p, char **ret_text)
{
	char *semantic = option_semantic(p->o, &p->o->semantic_sz);

	if (semantic)
		p->o->semantic = option_keep(p, semantic, p->o->semantic_sz);
	free(semantic);
	char *version = p->version_level ? option_version(p->version_level > 1) : NULL;
	if (!semantic || p->oom || (p->version_level && !version)) {
		free(version);
		return -ENOMEM;
	}
	*ret_text = version;
	return 0;
}

int options_parse(int argc, const char *const *argv, const struct options_reader *reader, struct diag *d,
		  struct options **ret_options, char **ret_text)
{
	struct parse p = { .o = options_new(), .d = d, .reader = reader };
	char *text = NULL;
	int rc;

	if (!p.o) {
		diag_error(d, 0, "out of memory while reading the command line");
		return -ENOMEM;
	}
	for (int i = 1; i < argc && !p.oom; i++)
		expand(&p, argv[i], (size_t)i, NULL);
	read_args(&p);
	if (!p.oom && !p.text)
		finish(&p);

	if (p.oom)
		rc = -ENOMEM;
	else if (p.failed)
		rc = -EINVAL;
	else if (p.text)
		rc = -ECANCELED;
	else
		rc = conclude(&p, &text);
	if (rc == -ENOMEM)
		diag_error(d, 0, "out of memory while reading the command line");
	if (rc == -ECANCELED)
		*ret_text = p.text;
	else
		free(p.text);
	if (rc == 0) {
		*ret_text = text;
		*ret_options = p.o;
	} else {
		options_free(p.o);
	}
	free(p.args.items);
	free(p.rpaths.items);
	free(p.stack);
	free(p.unknowns);
	return rc;
}

struct options *options_free(struct options *o)
{
	if (!o)
		return NULL;
	const char **lists[] = {
		o->lib_paths, o->rpath_links, o->undefined, o->require_defined, o->wraps, o->export_symbols,
		o->exclude_libs, o->trace_symbols, o->version_scripts, o->dynamic_lists, o->plugin_opts,
	};
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		free(lists[i]);
	free(o->operands);
	free(o->defsyms);
	while (o->blocks) {
		struct option_block *b = o->blocks;
		o->blocks = b->next;
		free(b);
	}
	free(o);
	return NULL;
}
