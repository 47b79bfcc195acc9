/* cmd_install.c - linkfs before-install PROGRAM ARGV...: what liblinkfs-run.so starts below linkfs run where a program is to
 * be started that would install symbolic links to the mount: CMake, CPack, Meson. The build tree becomes plain files first.
 */
#include <limits.h>
#include <sys/stat.h>

#include "commands.h"
#include "fallback.h"
#include "util.h"

/* The directory that an installer's arguments name; NULL: the current one. */
static const char *find_named(char **argv)
{
	const char *dir = NULL;

	for (int i = 1; argv[i] && argv[i + 1]; i++)
		if (!strcmp(argv[i], "--install") || !strcmp(argv[i], "-C") || !strcmp(argv[i], "-P") ||
		    !strcmp(argv[i], "--config"))
			dir = argv[i + 1];
	return dir;
}

static bool has_file(const char *dir, const char *name)
{
	CLEAN_MEM char *path = NULL;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		path = NULL;
	return path && access(path, F_OK) == 0;
}

/* The build tree: of what is named, or of what is above. The caller frees; NULL: none is known. */
static char *find_tree(char **argv)
{
	const char *named = find_named(argv);
	char *dir = realpath(named ? named : ".", NULL);
	struct stat st;

	if (dir && stat(dir, &st) == 0 && !S_ISDIR(st.st_mode))
		*strrchr(dir, '/') = 0;
	for (char *at = dir ? strdup(dir) : NULL; at;) {
		char *slash = strrchr(at, '/');
		if (has_file(at, "CMakeCache.txt") || has_file(at, "meson-private")) {
			free(dir);
			return at;
		}
		if (!slash || slash == at) {
			free(at);
			break;
		}
		*slash = 0;
	}
	return dir;
}

int cmd_before_install(int argc, char **argv)
{
	if (argc < 3)
		return fail(2, "before-install: expected a program and its arguments");
	CLEAN_MEM char *tree = find_tree(argv + 2);
	char *words[] = { argv[0], tree, NULL };
	if (tree && cmd_materialize(2, words))
		return 1;
	int r = fallback_exec(argv[1], argv + 2);
	return fail(r == -ENOENT ? 127 : 126, "%s: %s", argv[1], strerror(-r));
}
