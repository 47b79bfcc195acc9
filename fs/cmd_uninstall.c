/* cmd_uninstall.c - linkfs uninstall: the script of that name, which is installed beside. */
#include <limits.h>

#include "commands.h"
#include "util.h"

int cmd_uninstall(int argc, char **argv)
{
	static const char name[] = "/libexec/linkfs/uninstall";
	char path[PATH_MAX];

	(void)argc;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(name));
	path[n > 0 ? n : 0] = 0;
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(path, '/');
		if (slash)
			*slash = 0;
	}
	strcat(path, name);
	argv[0] = path;
	execv(path, argv);
	return fail(1, "uninstall: %s: %s: linkfs is not installed completely", path, strerror(errno));
}
