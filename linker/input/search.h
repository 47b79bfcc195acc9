/* search.h - where a name on the command line or in a script is looked for. */
#ifndef LINKFS_SEARCH_H
#define LINKFS_SEARCH_H

#include <stddef.h>

#include "inputs_priv.h"

/* A linker script that names the file: its own folder and SEARCH_DIRs count, and the sysroot if it lies below it. */
struct search_from {
	const char *path;
	const char *const *dirs;
	size_t dir_cnt;
};

/* One search, resumed where the last candidate was not acceptable. Zero but for the first three. */
struct search_state {
	struct inputs *in;
	const struct operand *op;
	const struct search_from *from; /* NULL: the command line */
	size_t step;
};

/* Opens the next candidate: a descriptor, and *ret_path (caller frees). -ENOENT: there is none; an error was reported. */
int search_next(struct search_state *st, char **ret_path);
/* The path of NAME relative to the folder of FILE. Caller frees. */
char *search_beside(const char *file, const char *name);

#endif
