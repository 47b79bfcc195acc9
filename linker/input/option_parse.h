/* option_parse.h - what options.c and option_set.c share: the state of one reading of a command line.
 *
 * Private to the two. options.c cuts the command line into options and their arguments and ends the reading;
 * option_set.c holds the table and does what each option says. One thread, one struct parse per call.
 */
#ifndef LINKFS_OPTION_PARSE_H
#define LINKFS_OPTION_PARSE_H

#include "option_text.h"
#include "options.h"

/* What --push-state remembers. */
struct mode {
	bool is_static;
	bool whole_archive;
	bool as_needed;
};

enum said { SAID_NOTHING, SAID_REPORT, SAID_IGNORE };

struct list {
	const char **items;
	size_t cnt;
};

/* An unknown -z keyword: warned about when it is known what warnings mean. */
struct unknown {
	const char *keyword;
	size_t place;
};

struct parse {
	struct options *o;
	struct diag *d;
	const struct options_reader *reader;
	struct list args;            /* response files expanded; the strings are in o's blocks */
	size_t response_cnt;         /* response files read so far */
	size_t nested_cnt;           /* arguments, before expansion, of those included by others */
	size_t guess_cnt;            /* unknown options so far */
	size_t i;                    /* the argument being read: the place of its messages */
	const char *name;            /* the option being read, as given, for messages */
	struct mode mode;            /* in force for the next operand */
	struct mode *stack;          /* --push-state */
	size_t stack_cnt;
	bool in_group, in_lib;
	bool static_seen;            /* -static */
	enum said object, shlib;     /* what to do about undefined symbols of objects, of shared libraries */
	struct list rpaths;          /* -rpath, before they are joined */
	struct unknown *unknowns;
	size_t unknown_cnt;
	int version_level;           /* 1: -v, 2: -V, 3: --verbose */
	char *text;                  /* set: nothing but this text was asked for */
	bool failed;                 /* an error is in d */
	bool oom;                    /* some allocation failed: the rest is only read to its end */
};

/* Reports a mistake of the option being read; the reading goes on. */
#define complain(p, fmt, ...) complain_as(p, DIAG_ERROR, fmt, ##__VA_ARGS__)
/* The same, where another linker may know what this one does not. */
#define refuse(p, fmt, ...) complain_as(p, DIAG_REFUSAL, fmt, ##__VA_ARGS__)
#define complain_as(p, level, fmt, ...) \
	((p)->failed = true, diag_add((p)->d, level, (p)->i, "%s: " fmt, (p)->name, ##__VA_ARGS__))

struct option_row {
	const char *names;           /* as in options.def */
	enum option_form form;
	int action;                  /* what option_apply does: private to option_set.c */
	size_t field, field2;        /* offsets in struct options */
	int value;
	void (*call)(struct parse *p, int value, const char *arg);
	const char *meta;            /* what the argument is called, NULL: it takes none */
};

/* The row an argument names and, where it was given in the same word, the option's own argument (else NULL). NULL: no
 * row. ARG begins with a dash and is longer than that. */
const struct option_row *option_find(const char *arg, const char **ret_value);
/* Does what ROW says with its argument (NULL where it has none). */
void option_apply(struct parse *p, const struct option_row *row, const char *arg);

/* A file named on the command line, with the modes in force. */
void option_add_file(struct parse *p, const char *name);

/* Copies SZ bytes of S and a NUL into the options' own memory; "" without memory, which p->oom tells. */
const char *option_keep(struct parse *p, const char *s, size_t sz);
/* Makes room in *RET_ARRAY (ELEM_SZ bytes each) for one more behind CNT; false without memory, which p->oom tells. */
bool option_grow(struct parse *p, void *ret_array, size_t cnt, size_t elem_sz);
/* Appends S itself; it must be in the options' own memory. */
void option_push(struct parse *p, const char ***array, size_t *cnt, const char *s);

#endif
