/* show.h - text for people and programs: amounts in few columns, tables that fit a terminal, JSON.
 *
 * Renders into struct text and prints nothing. Names of files are whatever bytes they are: what would move a terminal's
 * cursor is shown as '?', and what is not UTF-8 becomes U+FFFD in JSON. Not for several threads at once.
 */
#ifndef FS_SHOW_H
#define FS_SHOW_H

#include "util.h"

#define AMOUNT_SZ 24

/* "812", "4.4G": bytes, in units of 1024. Each writes to BUF and returns it. */
const char *show_bytes(char buf[AMOUNT_SZ], uint64_t bytes);
/* "0.8ms", "512ms", "1.2s", "3m20s" */
const char *show_ms(char buf[AMOUNT_SZ], double ms);
/* "5s", "3m", "2h", "4d": how long ago */
const char *show_age(char buf[AMOUNT_SZ], int64_t seconds);
/* "0%", "37%", "100%"; what is not nothing is not 0%, what is not all is not 100% */
const char *show_share(char buf[AMOUNT_SZ], uint64_t part, uint64_t whole);

/* Appends S without control characters. */
void show_name(struct text *t, const char *s);
/* Appends S as a JSON string, with its quotes. */
void show_json(struct text *t, const char *s);

struct column {
	const char *title;
	unsigned drop;	 /* on a narrow terminal: the highest goes first; 0: it stays */
	bool is_right;	 /* aligned to the right */
	bool may_be_cut; /* shortened at its start, where paths differ least; at most one column */
};

#define TABLE_COLUMNS_MAX 10
struct table {
	const struct column *col;
	unsigned col_cnt;
	char **cell; /* row by row; owned */
	size_t row_cnt, row_cap;
	bool failed; /* out of memory */
};

/* A row of copies of CELL[0 .. col_cnt), made printable. */
void table_add(struct table *t, const char *const *cell);
/* Appends the title line and at most ROWS rows; lines end with END. WIDTH: of the terminal, 0: as wide as it wants. */
void table_show(const struct table *t, struct text *ret, unsigned width, size_t rows, const char *end);
void table_done(struct table *t);
#define CLEAN_TABLE __attribute__((cleanup(table_done)))

/* The terminal's size behind FD: 0 columns where it is none. $COLUMNS goes before what the terminal says. */
void show_terminal(int fd, unsigned *ret_columns, unsigned *ret_lines);

#endif
