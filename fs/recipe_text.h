/* recipe_text.h - command lines as recipes: response-file syntax, so that any argument comes out as it went in. */
#ifndef FS_RECIPE_TEXT_H
#define FS_RECIPE_TEXT_H

#include "util.h"

static inline void recipe_add(struct text *t, const char *arg)
{
	text_append(t, "\"", 1);
	for (; *arg; arg++) {
		if (*arg == '"' || *arg == '\\')
			text_append(t, "\\", 1);
		text_append(t, arg, 1);
	}
	text_append(t, "\"\n", 2);
}

/* Before each word of a plan (linkfs_ir.h) in a recipe. */
#define RECIPE_LTO "--linkfs-lto="

/* Takes apart what recipe_add made: *RET_ARGV (NULL-terminated, one allocation, which the caller frees) points into TEXT,
 * which is changed. False: it is something else, or there is no memory. */
static inline bool recipe_args(char *text, char ***ret_argv)
{
	char **argv = calloc(strlen(text) / 3 + 1, sizeof(*argv)), *s = text, *to;
	size_t n = 0;

	for (; argv && *s == '"'; s += *s == '\n') {
		argv[n++] = to = ++s;
		for (; *s && *s != '"'; s++) {
			s += *s == '\\' && s[1];
			*to++ = *s;
		}
		if (!*s++)
			break;
		*to = 0;
	}
	if (!argv || *s || !n || s[-1] != '\n') {
		free(argv);
		return false;
	}
	*ret_argv = argv;
	return true;
}

/* ARGV without the program's name, to be run in the directory CWD (absolute). */
static inline void recipe_of_args(struct text *t, const char *cwd, int argc, char **argv)
{
	CLEAN_TEXT struct text dir = { 0 };

	text_printf(&dir, "--chdir=%s", cwd);
	t->failed |= dir.failed;
	if (dir.s)
		recipe_add(t, dir.s);
	for (int i = 0; i < argc; i++)
		recipe_add(t, argv[i]);
}

#endif
