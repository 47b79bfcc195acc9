/* version_script.c - version scripts and dynamic lists, as nodes of patterns.
 *
 *	NODE:    [NAME] { ITEM* } PARENT* ;
 *	ITEM:    global: | local: | PATTERN ; | extern "C++" { PATTERN ; ... } ;
 *
 * The last semicolon of a block may be missing. A quoted pattern is taken as it is, an unquoted one may have wildcards.
 * Nodes are checked as far as they can be without symbols: the anonymous node stands alone, names are given once, a
 * parent comes before its children. Source: GNU ld manual, "VERSION Command", "--dynamic-list".
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

#include "script_lex.h"

/* A version script with the memory its words lie in. */
struct version_mem {
	struct version_script s; /* first: cast back */
	char *words;
};

struct block_mode {
	bool is_local, is_cxx;
	bool may_local;   /* no: a dynamic list */
	bool is_extern;   /* inside extern "..." { } */
};

static int read_pattern(struct lexer *l, struct version_node *node, const struct block_mode *mode)
{
	struct version_pattern p = { .is_cxx = mode->is_cxx, .is_local = mode->is_local };
	bool is_quoted = l->next.kind == TOKEN_QUOTED;
	int rc = lexer_word(l, "a symbol pattern", &p.pattern);
	if (rc)
		return rc;
	p.is_exact = is_quoted || !strpbrk(p.pattern, "*?[\\");
	return lexer_push(&node->patterns, &node->pattern_cnt, &p, sizeof(p));
}

/* "global:" or "local:", the word having been taken. */
static int read_label(struct lexer *l, const struct token *word, struct block_mode *mode)
{
	bool is_local = !strcmp(word->word, "local");
	if (!is_local && strcmp(word->word, "global"))
		return lexer_fail(l, word->at, "expected global: or local:, got %s:", word->word);
	if (is_local && !mode->may_local)
		return lexer_fail(l, word->at, "local: has no meaning in a dynamic list");
	mode->is_local = is_local;
	return lexer_expect(l, ':');
}

static int read_block(struct lexer *l, struct version_node *node, struct block_mode mode);

static int read_extern(struct lexer *l, struct version_node *node, struct block_mode mode)
{
	size_t at = l->next.at;
	const char *language;
	int rc = lexer_word(l, "a language", &language);
	if (rc)
		return rc;
	if (strcmp(language, "C") && strcmp(language, "C++"))
		return lexer_fail(l, at, "extern \"%s\": expected \"C\" or \"C++\"", language);
	mode.is_cxx = !strcmp(language, "C++");
	mode.is_extern = true;
	return read_block(l, node, mode);
}

/* One item. A word is a label only before a colon, so that a symbol may be called "global". */
static int read_item(struct lexer *l, struct version_node *node, struct block_mode *mode)
{
	struct lexer before = *l;
	if (!mode->is_extern && l->next.kind == TOKEN_WORD) {
		struct token t = lexer_take(l);
		if (!strcmp(t.word, "extern") && l->next.kind == TOKEN_QUOTED)
			return read_extern(l, node, *mode);
		if (lexer_at(l, ':'))
			return read_label(l, &t, mode);
		if (l->error)
			return l->error;
		*l = before;
	}
	int rc = read_pattern(l, node, mode);
	return rc || lexer_at(l, '}') ? rc : lexer_expect(l, ';');
}

static int read_block(struct lexer *l, struct version_node *node, struct block_mode mode)
{
	int rc = lexer_expect(l, '{');
	while (!rc && !lexer_at(l, '}'))
		rc = lexer_skip(l, ';') ? l->error : read_item(l, node, &mode);
	return rc ? rc : lexer_expect(l, '}');
}

static bool has_node(const struct version_script *s, size_t cnt, const char *name)
{
	for (size_t i = 0; i < cnt; i++)
		if (!strcmp(s->nodes[i].name, name))
			return true;
	return false;
}

/* Checks the newest node's name, found at offset AT of the text, against those before. */
static int check_node(struct lexer *l, const struct version_script *s, size_t at)
{
	size_t before = s->node_cnt - 1;
	const char *name = s->nodes[before].name;
	if (before && (!*name || !*s->nodes[0].name))
		return lexer_fail(l, at, "an anonymous version cannot stand with others");
	if (has_node(s, before, name))
		return lexer_fail(l, at, "version %s is defined twice", name);
	return 0;
}

static int read_node(struct lexer *l, struct version_script *s)
{
	struct version_node empty = { .name = "" };
	size_t at = l->next.at;
	int rc = 0;
	if (!lexer_at(l, '{'))
		rc = lexer_word(l, "a version's name or '{'", &empty.name);
	if (!rc)
		rc = lexer_push(&s->nodes, &s->node_cnt, &empty, sizeof(empty));
	if (rc)
		return rc;
	struct version_node *node = &s->nodes[s->node_cnt - 1];
	rc = check_node(l, s, at);
	if (!rc)
		rc = read_block(l, node, (struct block_mode){ .may_local = true });
	while (!rc && !lexer_at(l, ';')) {
		const char *parent;
		at = l->next.at;
		rc = lexer_word(l, "the version's parent or ';'", &parent);
		if (!rc && !has_node(s, s->node_cnt - 1, parent))
			rc = lexer_fail(l, at, "%s: its parent %s is not defined before", node->name, parent);
		if (!rc)
			rc = lexer_push(&node->parents, &node->parent_cnt, &parent, sizeof(parent));
	}
	return rc ? rc : lexer_expect(l, ';');
}

static int read_nodes(struct lexer *l, struct version_script *s)
{
	int rc = 0;
	while (!rc && l->next.kind != TOKEN_END)
		rc = read_node(l, s);
	return rc;
}

static int read_lists(struct lexer *l, struct version_script *s)
{
	struct version_node node = { .name = "" };
	int rc = lexer_push(&s->nodes, &s->node_cnt, &node, sizeof(node));
	while (!rc && l->next.kind != TOKEN_END) {
		rc = read_block(l, &s->nodes[0], (struct block_mode){ 0 });
		if (!rc)
			rc = lexer_expect(l, ';');
	}
	return rc;
}

static int parse(struct lexer *l, int (*read)(struct lexer *l, struct version_script *s),
		 struct version_script **ret_script)
{
	struct version_mem *mem = calloc(1, sizeof(*mem));
	int rc = mem ? lexer_init(l) : -ENOMEM;
	if (!rc)
		rc = read(l, &mem->s);
	if (!rc)
		rc = l->error;
	if (rc == -ENOMEM)
		diag_error(l->d, l->place, "%s: out of memory", l->path);
	if (mem)
		mem->words = l->words;
	if (rc) {
		version_script_free(mem ? &mem->s : NULL);
		return rc;
	}
	*ret_script = &mem->s;
	return 0;
}

int version_script_parse(const char *text, size_t sz, const char *path, struct diag *d, uint64_t place,
			 struct version_script **ret_script)
{
	struct lexer l = { .text = text, .sz = sz, .is_version = true, .path = path, .d = d, .place = place };
	return parse(&l, read_nodes, ret_script);
}

int dynamic_list_parse(const char *text, size_t sz, const char *path, struct diag *d, uint64_t place,
		       struct version_script **ret_script)
{
	struct lexer l = { .text = text, .sz = sz, .is_version = true, .path = path, .d = d, .place = place };
	return parse(&l, read_lists, ret_script);
}

struct version_script *version_script_free(struct version_script *s)
{
	struct version_mem *mem = (struct version_mem *)s;
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->node_cnt; i++) {
		free(s->nodes[i].patterns);
		free(s->nodes[i].parents);
	}
	free(s->nodes);
	free(mem->words);
	free(mem);
	return NULL;
}
