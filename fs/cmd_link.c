/* cmd_link.c - linkfs add, linkfs rm: writing and removing recipes through the mount. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "commands.h"
#include "recipe_text.h"

static int check_name(const char *command, const char *name)
{
	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, ".linkfs") ||
	    strlen(name) > NAME_MAX)
		return fail(2, "%s: '%s': not a name for a link: expected a file name without '/'", command, name);
	return 0;
}

static int write_recipe(const char *path, const struct text *t)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	for (size_t put = 0; put < t->sz;) {
		ssize_t n = write(fd, t->s + put, t->sz - put);
		if (n < 0) {
			int err = -errno;
			close(fd);
			return err;
		}
		put += (size_t)n;
	}
	return close(fd) < 0 ? -errno : 0; /* the commit */
}

int cmd_add(int argc, char **argv)
{
	const char *dir = take_mount_option(&argc, argv);
	CLEAN_TEXT struct text t = { 0 };
	CLEAN_MEM char *path = NULL;

	if (argc < 4 || strcmp(argv[2], "--"))
		return fail(2, "add: expected [--mount=DIR] NAME -- LD-ARGS...");
	const char *name = argv[1];
	if (check_name("add", name))
		return 2;
	CLEAN_MEM char *cwd = getcwd(NULL, 0);
	if (!cwd)
		return fail(1, "add: the current directory: %s", strerror(errno));
	CLEAN_MEM char *mountpoint = must_mounted(dir);
	if (!mountpoint || asprintf(&path, "%s/.linkfs/links/%s", mountpoint, name) < 0)
		return 1;
	recipe_of_args(&t, cwd, argc - 3, argv + 3);
	if (t.failed)
		return fail(1, "add: out of memory");
	int r = write_recipe(path, &t);
	return r ? fail(1, "add: %s: %s", name, strerror(-r)) : 0;
}

int cmd_rm(int argc, char **argv)
{
	const char *dir = take_mount_option(&argc, argv);
	CLEAN_MEM char *path = NULL;

	if (argc != 2)
		return fail(2, "rm: expected [--mount=DIR] NAME");
	const char *name = argv[1];
	if (check_name("rm", name))
		return 2;
	CLEAN_MEM char *mountpoint = must_mounted(dir);
	if (!mountpoint || asprintf(&path, "%s/.linkfs/links/%s", mountpoint, name) < 0)
		return 1;
	if (unlink(path) < 0)
		return errno == ENOENT ? fail(1, "rm: %s: there is no such link", name)
				       : fail(1, "rm: %s: %s", name, strerror(errno));
	return 0;
}
