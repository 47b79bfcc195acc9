/* option_text.h - the texts that belong to the command line: --help, --version, guesses, and the canonical form.
 *
 * Split from options.c, which decides what an option does; here is only what is said. All strings returned are
 * malloc-ed and the caller's, NULL without memory. No state: any thread.
 */
#ifndef LINKFS_OPTION_TEXT_H
#define LINKFS_OPTION_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct options;

/* How an option takes its argument. */
enum option_form {
	FORM_FLAG,     /* not at all */
	FORM_VALUE,    /* always: after '=', joined (one letter), or as the next argument */
	FORM_OPTIONAL, /* only after '=' */
};

/* What --help prints. */
char *option_help(void);
/* One line; WITH_EMULATIONS: followed by those built in, as ld -V. */
char *option_version(bool with_emulations);
/* The name nearest to ARG (with its dashes, without "=VALUE"), as --help shows it; false where nothing is near. */
bool option_closest(const char *arg, char *ret_name, size_t ret_sz);
/* "name name ...": what -m takes, or OUTPUT_FORMAT. */
char *option_emulations(void);
char *option_formats(void);
/* Is NAME one of them? */
bool option_is_emulation(const char *name);
bool option_is_format(const char *name);

/* options.semantic: see there. */
char *option_semantic(const struct options *o, size_t *ret_sz);

#endif
