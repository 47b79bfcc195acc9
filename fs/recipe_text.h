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
