/* option_rows.h - options.def as rows of text, in groups with titles: for --help (option_text.c) and ld.linkfs(1)
 * (mnt-scripts/man/options_page.c). Who includes it has the rows as data of its own.
 */
#ifndef LINKFS_OPTION_ROWS_H
#define LINKFS_OPTION_ROWS_H

#include "option_text.h"

/* A row of a group that is not here does not compile. */
enum option_group { OUTPUT, INPUTS, SYMBOLS, LAYOUT, DYNAMIC, TABLES, TALK, OWN, KEYWORDS, IGNORED, REFUSED, GROUP_CNT };

static const char *const option_titles[GROUP_CNT] = {
	[OUTPUT] = "What to make",
	[INPUTS] = "Inputs",
	[SYMBOLS] = "Symbols",
	[LAYOUT] = "Sections and layout",
	[DYNAMIC] = "Dynamic linking",
	[TABLES] = "Symbol table, debug information, map",
	[TALK] = "Messages and threads",
	[OWN] = "linkfs itself, link-time optimisation",
	[KEYWORDS] = "Keywords of -z",
	[IGNORED] = "Accepted, without effect here",
	[REFUSED] = "Not supported: an error",
};

struct option_row {
	enum option_group group;
	const char *names;	/* as in options.def */
	enum option_form form;
	const char *meta;	/* what stands for the argument; NULL: it takes none */
	const char *help;	/* NULL: IGNORED and REFUSED, of which names alone are told */
};

#define FLAG(group, names, field, value, help) { group, names, FORM_FLAG, NULL, help },
#define ENUM(group, names, field, value, help) { group, names, FORM_FLAG, NULL, help },
#define TEXT(group, names, field, meta, help) { group, names, FORM_VALUE, meta, help },
#define LIST(group, names, array, count, meta, help) { group, names, FORM_VALUE, meta, help },
#define CALL(group, names, form, handler, value, meta, help) { group, names, form, meta, help },
#define NOOP(names, form, meta) { IGNORED, names, form, meta, NULL },
#define REFUSE(names, form, meta) { REFUSED, names, form, meta, NULL },
#define Z_ON(keyword, on, off, help) { KEYWORDS, keyword, FORM_FLAG, NULL, help },
#define Z_OFF(keyword, field, help) { KEYWORDS, keyword, FORM_FLAG, NULL, help },
#define Z_CALL(keyword, handler, value, meta, help) { KEYWORDS, keyword, FORM_VALUE, meta, help },
#define Z_NOOP(keyword) { IGNORED, "-z " keyword, FORM_FLAG, NULL, NULL },
#define Z_REFUSE(keyword) { REFUSED, "-z " keyword, FORM_FLAG, NULL, NULL },
static const struct option_row option_rows[] = {
#include "options.def"
};
enum { OPTION_ROW_CNT = sizeof(option_rows) / sizeof(*option_rows) };

#endif
