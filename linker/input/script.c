/* script.c - linker scripts that stand for input files, like glibc's libc.so.
 *
 * A script is a sequence of commands; each has a row in a table. What would change the layout, define symbols or read
 * other scripts is refused by name, never skipped. version_script.c has the version scripts, script_lex.c the lexer.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

#include "script_lex.h"

/* A script with the memory its words lie in. */
struct script_mem {
	struct script s; /* first: a script is cast back */
	char *words;
};

struct list_mode {
	bool is_group, as_needed;
};

static int read_inputs(struct lexer *l, struct script *s, struct list_mode mode)
{
	int rc = lexer_expect(l, '(');
	while (!rc && !lexer_at(l, ')')) {
		if (lexer_at_word(l, "AS_NEEDED")) {
			struct token t = lexer_take(l);
			if (mode.as_needed)
				return lexer_fail(l, t.at, "AS_NEEDED inside AS_NEEDED");
			rc = read_inputs(l, s, (struct list_mode){ mode.is_group, true });
		} else {
			struct script_input in = { .as_needed = mode.as_needed, .is_group = mode.is_group };
			rc = lexer_word(l, "a file name", &in.name);
			if (!rc)
				rc = lexer_push(&s->inputs, &s->input_cnt, &in, sizeof(in));
		}
		if (!rc)
			lexer_skip(l, ',');
	}
	return rc ? rc : lexer_expect(l, ')');
}

static int read_input(struct lexer *l, struct script *s)
{
	return read_inputs(l, s, (struct list_mode){ false, false });
}

static int read_group(struct lexer *l, struct script *s)
{
	return read_inputs(l, s, (struct list_mode){ true, false });
}

static int read_as_needed(struct lexer *l, struct script *s)
{
	return read_inputs(l, s, (struct list_mode){ false, true });
}

/* "(a, b c)": at least LEAST and at most MOST words, appended to *LIST. */
static int read_words(struct lexer *l, size_t least, size_t most, const char ***list, size_t *cnt)
{
	size_t got = 0;
	int rc = lexer_expect(l, '(');
	while (!rc && (got < least || !lexer_at(l, ')'))) {
		const char *word;
		if (got == most)
			return lexer_expect(l, ')');
		rc = lexer_word(l, "a name", &word);
		if (!rc)
			rc = lexer_push(list, cnt, &word, sizeof(word));
		got++;
		if (!rc)
			lexer_skip(l, ',');
	}
	return rc ? rc : lexer_expect(l, ')');
}

/* "(a)" into *RET_WORD; the last command counts. */
static int read_word(struct lexer *l, const char **ret_word)
{
	const char *word;
	int rc = lexer_expect(l, '(');
	if (!rc)
		rc = lexer_word(l, "a name", &word);
	if (!rc)
		rc = lexer_expect(l, ')');
	if (!rc)
		*ret_word = word;
	return rc;
}

static int read_format(struct lexer *l, struct script *s)
{
	return read_words(l, 1, 3, &s->formats, &s->format_cnt);
}

static int read_search_dir(struct lexer *l, struct script *s)
{
	return read_words(l, 1, 1, &s->search_dirs, &s->search_dir_cnt);
}

static int read_extern(struct lexer *l, struct script *s)
{
	return read_words(l, 1, SIZE_MAX, &s->externs, &s->extern_cnt);
}

static int read_entry(struct lexer *l, struct script *s)
{
	return read_word(l, &s->entry);
}

static int read_output(struct lexer *l, struct script *s)
{
	return read_word(l, &s->output);
}

static int read_arch(struct lexer *l, struct script *s)
{
	return read_word(l, &s->arch);
}

/* The format of the inputs that follow: they are recognised by their bytes, so only its syntax matters. */
static int read_target(struct lexer *l, struct script *s)
{
	const char *target;
	(void)s;
	return read_word(l, &target);
}

static const struct command {
	const char *name;
	int (*read)(struct lexer *l, struct script *s); /* NULL: refused */
} commands[] = {
	{ "INPUT", read_input },
	{ "GROUP", read_group },
	{ "AS_NEEDED", read_as_needed },
	{ "OUTPUT_FORMAT", read_format },
	{ "OUTPUT_ARCH", read_arch },
	{ "SEARCH_DIR", read_search_dir },
	{ "TARGET", read_target },
	{ "ENTRY", read_entry },
	{ "OUTPUT", read_output },
	{ "EXTERN", read_extern },
	{ "SECTIONS", NULL },
	{ "MEMORY", NULL },
	{ "PHDRS", NULL },
	{ "VERSION", NULL },
	{ "INCLUDE", NULL },
	{ "INSERT", NULL },
	{ "STARTUP", NULL },
	{ "PROVIDE", NULL },
	{ "PROVIDE_HIDDEN", NULL },
	{ "HIDDEN", NULL },
	{ "ASSERT", NULL },
	{ "NOCROSSREFS", NULL },
	{ "NOCROSSREFS_TO", NULL },
	{ "REGION_ALIAS", NULL },
	{ "LD_FEATURE", NULL },
	{ "FORCE_COMMON_ALLOCATION", NULL },
	{ "INHIBIT_COMMON_ALLOCATION", NULL },
	{ "FORCE_GROUP_ALLOCATION", NULL },
};

static int read_command(struct lexer *l, struct script *s)
{
	char buf[4];
	struct token t = lexer_take(l);
	if (l->error)
		return l->error;
	if (t.kind != TOKEN_WORD)
		return lexer_fail(l, t.at, "expected a linker script command, got %s", lexer_describe(&t, buf));
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(commands[i].name, t.word))
			continue;
		if (commands[i].read)
			return commands[i].read(l, s);
		return lexer_refuse(l, t.at, "%s: this linker script command is not supported", t.word);
	}
	if (l->next.kind == TOKEN_WORD && l->next.word[0] && strchr("=+-*/&|<>", l->next.word[0]))
		return lexer_refuse(l, t.at, "%s: assignments are not supported in an input script: use --defsym", t.word);
	return lexer_fail(l, t.at, "%s: neither an object, archive or shared library, nor a linker script command",
			  t.word);
}

int script_parse(const char *text, size_t sz, const char *path, struct diag *d, uint64_t place,
		 struct script **ret_script)
{
	struct lexer l = { .text = text, .sz = sz, .path = path, .d = d, .place = place };
	struct script_mem *mem = calloc(1, sizeof(*mem));
	int rc = mem ? lexer_init(&l) : -ENOMEM;
	while (!rc && l.next.kind != TOKEN_END)
		rc = lexer_skip(&l, ';') ? 0 : l.error ? l.error : read_command(&l, &mem->s);
	if (!rc)
		rc = l.error;
	if (rc == -ENOMEM)
		diag_error(d, place, "%s: out of memory", path);
	if (mem)
		mem->words = l.words;
	if (rc) {
		script_free(mem ? &mem->s : NULL);
		return rc;
	}
	*ret_script = &mem->s;
	return 0;
}

struct script *script_free(struct script *s)
{
	struct script_mem *mem = (struct script_mem *)s;
	if (!s)
		return NULL;
	free(s->inputs);
	free(s->formats);
	free(s->search_dirs);
	free(s->externs);
	free(mem->words);
	free(mem);
	return NULL;
}
