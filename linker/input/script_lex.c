/* script_lex.c - the lexer of linker scripts and version scripts.
 *
 * GNU ld's lexer changes its mind about characters by context; here a word is everything up to white space, a comment,
 * parenthesis, brace, semicolon, comma or quote, which covers the commands that may stand in an input script. In version
 * scripts "::" belongs to a word (C++ patterns) and a single ":" does not ("global:").
 * Source: GNU ld manual, "Script Format", "VERSION Command".
 */
#include "script_lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int report(struct lexer *l, enum diag_level level, size_t at, const char *fmt, va_list args)
{
	char text[512];
	unsigned line = 1, column = 1;
	if (l->error)
		return l->error;
	for (size_t i = 0; i < at && i < l->sz; i++) {
		column++;
		if (l->text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	vsnprintf(text, sizeof(text), fmt, args);
	diag_add(l->d, level, l->place, "%s:%u:%u: %s", l->path, line, column, text);
	l->next = (struct token){ .kind = TOKEN_END, .word = "", .at = at };
	return l->error = -EINVAL;
}

int lexer_fail(struct lexer *l, size_t at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int r = report(l, DIAG_ERROR, at, fmt, args);
	va_end(args);
	return r;
}

int lexer_refuse(struct lexer *l, size_t at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int r = report(l, DIAG_REFUSAL, at, fmt, args);
	va_end(args);
	return r;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* White space and comments. */
static void skip_blank(struct lexer *l)
{
	while (l->at < l->sz) {
		if (is_space(l->text[l->at])) {
			l->at++;
		} else if (l->is_version && l->text[l->at] == '#') {
			while (l->at < l->sz && l->text[l->at] != '\n')
				l->at++;
		} else if (l->sz - l->at >= 2 && l->text[l->at] == '/' && l->text[l->at + 1] == '*') {
			size_t start = l->at;
			for (l->at += 2; l->sz - l->at >= 2 && memcmp(l->text + l->at, "*/", 2);)
				l->at++;
			if (l->sz - l->at < 2) {
				lexer_fail(l, start, "the comment does not end");
				return;
			}
			l->at += 2;
		} else {
			return;
		}
	}
}

/* How many characters of a word stand at the cursor: 0, 1, or 2 for "::". */
static size_t word_step(const struct lexer *l)
{
	if (l->at == l->sz)
		return 0;
	char c = l->text[l->at];
	if (!c || is_space(c) || strchr("(){};,\"", c))
		return 0;
	if (c == '/' && l->sz - l->at >= 2 && l->text[l->at + 1] == '*')
		return 0; /* a comment */
	if (l->is_version && c == ':')
		return l->sz - l->at >= 2 && l->text[l->at + 1] == ':' ? 2 : 0;
	return 1;
}

/* Fits: a word of n characters is followed by something else or the end of the text, a quoted one has its quotes. */
static const char *copy_word(struct lexer *l, const char *str, size_t len)
{
	char *word = l->words + l->words_used;
	memcpy(word, str, len);
	word[len] = 0;
	l->words_used += len + 1;
	return word;
}

static void read_quoted(struct lexer *l)
{
	const char *start = l->text + l->at + 1;
	const char *end = memchr(start, '"', l->sz - l->at - 1);
	if (!end || memchr(start, '\n', (size_t)(end - start)) || memchr(start, 0, (size_t)(end - start))) {
		lexer_fail(l, l->at, "the quoted name does not end");
		return;
	}
	l->next.kind = TOKEN_QUOTED;
	l->next.word = copy_word(l, start, (size_t)(end - start));
	l->at = (size_t)(end - l->text) + 1;
}

static void advance(struct lexer *l)
{
	l->next = (struct token){ .kind = TOKEN_END, .word = "" };
	skip_blank(l);
	l->next.at = l->at;
	if (l->error || l->at == l->sz)
		return;
	size_t start = l->at, step;
	if (l->text[start] == '"') {
		read_quoted(l);
		return;
	}
	while ((step = word_step(l)))
		l->at += step;
	if (l->at > start) {
		l->next.kind = TOKEN_WORD;
		l->next.word = copy_word(l, l->text + start, l->at - start);
		return;
	}
	if (!l->text[start]) {
		lexer_fail(l, start, "a NUL character: not a text");
		return;
	}
	l->next.kind = TOKEN_PUNCT;
	l->next.punct = l->text[l->at++];
}

int lexer_init(struct lexer *l)
{
	l->words = malloc(l->sz + 1);
	if (!l->words)
		return -ENOMEM;
	advance(l);
	return l->error;
}

struct token lexer_take(struct lexer *l)
{
	struct token t = l->next;
	if (!l->error)
		advance(l);
	return t;
}

bool lexer_at(const struct lexer *l, char punct)
{
	return l->next.kind == TOKEN_PUNCT && l->next.punct == punct;
}

bool lexer_at_word(const struct lexer *l, const char *word)
{
	return l->next.kind == TOKEN_WORD && !strcmp(l->next.word, word);
}

bool lexer_skip(struct lexer *l, char punct)
{
	if (!lexer_at(l, punct))
		return false;
	lexer_take(l);
	return !l->error;
}

const char *lexer_describe(const struct token *t, char buf[static 4])
{
	if (t->kind == TOKEN_END)
		return "the end";
	if (t->kind != TOKEN_PUNCT)
		return t->word;
	memcpy(buf, (char[]){ '\'', t->punct, '\'', 0 }, 4);
	return buf;
}

int lexer_expect(struct lexer *l, char punct)
{
	char buf[4];
	if (lexer_at(l, punct)) {
		lexer_take(l);
		return l->error;
	}
	return lexer_fail(l, l->next.at, "expected '%c', got %s", punct, lexer_describe(&l->next, buf));
}

int lexer_word(struct lexer *l, const char *what, const char **ret_word)
{
	char buf[4];
	struct token t = l->next;
	if (t.kind != TOKEN_WORD && t.kind != TOKEN_QUOTED)
		return lexer_fail(l, t.at, "expected %s, got %s", what, lexer_describe(&t, buf));
	if (!*t.word)
		return lexer_fail(l, t.at, "expected %s, got an empty name", what);
	lexer_take(l);
	*ret_word = t.word;
	return l->error;
}

int lexer_push(void *vec, size_t *cnt, const void *elem, size_t sz)
{
	char *data;
	memcpy(&data, vec, sizeof(data));
	if (!(*cnt & (*cnt - 1))) { /* full: 0, 1, 2, 4, 8 and so on */
		data = reallocarray(data, *cnt ? 2 * *cnt : 1, sz);
		if (!data)
			return -ENOMEM;
		memcpy(vec, &data, sizeof(data));
	}
	memcpy(data + *cnt * sz, elem, sz);
	++*cnt;
	return 0;
}
