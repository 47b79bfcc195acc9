/* option_args.c - the text of a response file or a recipe, cut into arguments.
 *
 * The rules are those of GNU @file: white space separates; '...' and "..." join what is between them; a backslash takes
 * the next character as it is, within quotes too. "" is an empty argument. A backslash at the very end stands for
 * nothing. An open quote and a NUL byte are errors: GNU closes the one and stops at the other, and both mean a damaged
 * file. Expanding @FILE among the arguments is options.c's.
 */
#include <errno.h>
#include <stdlib.h>

#include "linkfs.h"

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* One pass over the text: counts the arguments and the bytes they need and, where ARGV is not NULL, stores them. */
static int split(const char *text, size_t sz, char **argv, char *bytes, size_t *ret_cnt, size_t *ret_bytes)
{
	size_t cnt = 0, used = 0, i = 0;

	for (;;) {
		char quote = 0;

		while (i < sz && is_space(text[i]))
			i++;
		if (i == sz)
			break;
		if (argv)
			argv[cnt] = bytes + used;
		for (; i < sz && (quote || !is_space(text[i])); i++) {
			char c = text[i];
			if (quote && c == quote) {
				quote = 0;
				continue;
			}
			if (!quote && (c == '\'' || c == '"')) {
				quote = c;
				continue;
			}
			if (c == '\\') {
				if (++i == sz)
					break;
				c = text[i];
			}
			if (!c)
				return -EINVAL;
			if (argv)
				bytes[used] = c;
			used++;
		}
		if (quote)
			return -EINVAL;
		if (argv)
			bytes[used] = '\0';
		used++;
		cnt++;
	}
	*ret_cnt = cnt;
	*ret_bytes = used;
	return 0;
}

int linkfs_split_args(const char *text, size_t sz, int *ret_argc, char ***ret_argv)
{
	size_t cnt, bytes;

	int rc = split(text, sz, NULL, NULL, &cnt, &bytes);
	if (rc < 0)
		return rc;
	if (cnt >= INT32_MAX)
		return -E2BIG;

	char **argv = malloc((cnt + 1) * sizeof(*argv) + bytes);
	if (!argv)
		return -ENOMEM;
	split(text, sz, argv, (char *)(argv + cnt + 1), &cnt, &bytes);
	argv[cnt] = NULL;
	*ret_argc = (int)cnt;
	*ret_argv = argv;
	return 0;
}
