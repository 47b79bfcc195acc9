/* fuzz_options.c - the command line: cuts the input up like a response file and parses it.
 *
 * What follows a NUL byte is the text of every response file, so that @x nests. Beyond not crashing: an error has a
 * message and no options, and options that come out are complete.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

struct file {
	const uint8_t *data;
	size_t sz;
};

static int read_file(void *ctx, const char *path, char **ret_text, size_t *ret_sz)
{
	const struct file *f = ctx;
	char *text = malloc(f->sz + 1);

	if (!text || path[0] == '?') {
		free(text);
		return path[0] == '?' ? -ENOENT : -ENOMEM;
	}
	memcpy(text, f->data, f->sz);
	*ret_text = text;
	*ret_sz = f->sz;
	return 0;
}

static void check(int rc, const struct options *o, const char *text, const struct diag *d)
{
	if ((rc == 0) != (o != NULL) || (rc == -ECANCELED && !text))
		abort();
	if ((rc == 0 || rc == -ECANCELED) == (diag_errors(d) != 0))
		abort();
	if (o && (strlen(o->semantic) != o->semantic_sz || !o->operand_cnt))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t sz);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t sz)
{
	const uint8_t *nul = sz ? memchr(data, 0, sz) : NULL;
	size_t line_sz = nul ? (size_t)(nul - data) : sz;
	struct file file = { nul ? nul + 1 : data, nul ? sz - line_sz - 1 : 0 };
	const struct options_reader reader = { read_file, &file };
	struct options *o = NULL;
	char **argv, *text = NULL;
	int argc;

	if (linkfs_split_args((const char *)data, line_sz, &argc, &argv) < 0)
		return 0;
	struct diag *d = diag_new(5);
	if (d) {
		int rc = options_parse(argc, (const char *const *)argv, &reader, d, &o, &text);
		check(rc, o, text, d);
		free(diag_text(d));
	}
	free(argv);
	options_free(o);
	free(text);
	diag_free(d);
	return 0;
}
