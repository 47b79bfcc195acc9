/* cmd_common.c - what the subcommands share: which mount they are about, and how they fail. */
#include "commands.h"
#include "mountinfo.h"
#include "util.h"

int fail(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("linkfs: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	return status;
}

char *must_mountpoint(const char *dir)
{
	CLEAN_MEM char *standard = NULL;
	char *path;

	if (!dir)
		dir = getenv("LINKFS_MOUNT");
	if (!dir || !*dir)
		dir = standard = mountinfo_default_dir("/mnt");
	if (!dir) {
		fail(1, "no home directory is known: name the mount point");
		return NULL;
	}
	int r = mountinfo_resolve(dir, &path);
	if (!r)
		return path;
	if (standard && r == -ENOENT)
		fail(1, "no linkfs is mounted at %s: start one with linkfs mount, or say --mount=DIR", dir);
	else
		fail(1, "%s: %s", dir, strerror(-r));
	return NULL;
}

char *must_mounted(const char *dir)
{
	struct mount_entry at;
	CLEAN_MEM char *path = must_mountpoint(dir);

	if (!path)
		return NULL;
	if (mountinfo_find(path, &at) || strncmp(at.type, MOUNT_TYPE, strlen(MOUNT_TYPE))) {
		fail(1, "%s: no linkfs is mounted here: start one with linkfs mount, or say --mount=DIR", path);
		return NULL;
	}
	int r = mountinfo_probe(path, 5000);
	if (r == -EACCES) {
		fail(1, "%s: it is the mount of user %u, and without -o allow_other nobody else may look inside", path,
		     (unsigned)at.uid);
		return NULL;
	}
	if (r) {
		fail(1, "%s: the mount does not answer: %s: linkfs mount replaces it if its process has died", path,
		     strerror(-r));
		return NULL;
	}
	char *ret = path;
	path = NULL;
	return ret;
}

const char *take_mount_option(int *argc, char **argv)
{
	const char *dir = NULL;
	int to = 1;

	for (int i = 1; i < *argc; i++) {
		if (!strcmp(argv[i], "--")) {
			while (i < *argc)
				argv[to++] = argv[i++];
		} else if (!strncmp(argv[i], "--mount=", 8)) {
			dir = argv[i] + 8;
		} else {
			argv[to++] = argv[i];
		}
	}
	*argc = to;
	return dir;
}
