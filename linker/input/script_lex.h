/* script_lex.h - words of linker scripts and version scripts, shared by script.c and version_script.c alone.
 *
 * A lexer looks one token ahead. Words are copied, NUL-terminated, into one buffer that is as long as the text and lives
 * as long as the product it is handed to.
 */
#ifndef LINKFS_SCRIPT_LEX_H
#define LINKFS_SCRIPT_LEX_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag.h"

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_QUOTED, TOKEN_PUNCT };

struct token {
	enum token_kind kind;
	char punct;       /* of TOKEN_PUNCT */
	const char *word; /* else; "" at the end */
	size_t at;        /* offset in the text */
};

struct lexer {
	const char *text;
	size_t sz, at;
	bool is_version;  /* comments from # to the line's end too; a single colon is punctuation */
	const char *path;
	struct diag *d;
	uint64_t place;
	char *words;      /* sz + 1 bytes */
	size_t words_used;
	struct token next;
	int error;        /* sticky; the tokens after an error are TOKEN_END */
};

/* Looks at the first token. The caller frees L->words, also after an error: 0, -EINVAL (reported) or -ENOMEM. */
int lexer_init(struct lexer *l);
/* Consumes and returns the next token. */
struct token lexer_take(struct lexer *l);
/* Is the next token this punctuation mark, this word? */
bool lexer_at(const struct lexer *l, char punct);
bool lexer_at_word(const struct lexer *l, const char *word);
/* Consumes it if it is there. */
bool lexer_skip(struct lexer *l, char punct);
/* Consumes it, or reports an error naming what is there instead. */
int lexer_expect(struct lexer *l, char punct);
/* Consumes a word, quoted or not, into *ret_word. WHAT names it in the error. */
int lexer_word(struct lexer *l, const char *what, const char **ret_word);
/* Reports an error at offset AT of the text and returns it; where one was reported before, just that. */
int lexer_fail(struct lexer *l, size_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same for what another linker may understand. */
int lexer_refuse(struct lexer *l, size_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* How a token reads in a message. */
const char *lexer_describe(const struct token *t, char buf[static 4]);

/* Appends the SZ bytes at ELEM to the malloc'd array *VEC of *CNT elements, which grows by doubling. 0 or -ENOMEM. */
int lexer_push(void *vec, size_t *cnt, const void *elem, size_t sz);

#endif
