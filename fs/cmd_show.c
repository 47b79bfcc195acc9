/* cmd_show.c - linkfs status, info, log: what the files under .linkfs say, on standard output. */
#include <dirent.h>

#include "commands.h"
#include "util.h"

/* Copies a file of the mount to standard output: 0 or -errno. */
static int show_file(const char *mountpoint, const char *folder, const char *name)
{
	char buf[65536];
	size_t n;
	CLEAN_MEM char *path = NULL;

	if (asprintf(&path, "%s/.linkfs/%s%s%s", mountpoint, folder, *name ? "/" : "", name) < 0)
		return -ENOMEM;
	FILE *f = fopen(path, "re");
	if (!f)
		return -errno;
	errno = 0;
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		fwrite(buf, 1, n, stdout);
	int r = ferror(f) ? -EIO : 0;
	fclose(f);
	return r;
}

static int show_of_link(const char *command, const char *folder, int argc, char **argv)
{
	const char *dir = take_mount_option(&argc, argv);

	if (argc != 2 || !*argv[1] || strchr(argv[1], '/'))
		return fail(2, "%s: expected [--mount=DIR] NAME", command);
	CLEAN_MEM char *mountpoint = must_mounted(dir);
	if (!mountpoint)
		return 1;
	int r = show_file(mountpoint, folder, argv[1]);
	if (r == -ENOENT)
		return fail(1, "%s: %s: there is no such link", command, argv[1]);
	return r ? fail(1, "%s: %s: %s", command, argv[1], strerror(-r)) : 0;
}

int cmd_info(int argc, char **argv)
{
	return show_of_link("info", "info", argc, argv);
}

int cmd_log(int argc, char **argv)
{
	return show_of_link("log", "log", argc, argv);
}

/* Names of links, one a line; links nothing. */
static int show_names(const char *mountpoint)
{
	const struct dirent *e;
	CLEAN_MEM char *path = NULL;

	if (asprintf(&path, "%s/.linkfs/links", mountpoint) < 0)
		return -ENOMEM;
	DIR *d = opendir(path);
	if (!d)
		return -errno;
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			printf("link: %s\n", e->d_name);
	closedir(d);
	return 0;
}

int cmd_status(int argc, char **argv)
{
	const char *dir = take_mount_option(&argc, argv);

	if (argc != 1)
		return fail(2, "status: expected [--mount=DIR]");
	CLEAN_MEM char *mountpoint = must_mounted(dir);
	if (!mountpoint)
		return 1;
	printf("mountpoint: %s\n", mountpoint);
	int r = show_file(mountpoint, "stats", "");
	if (!r)
		r = show_names(mountpoint);
	return r ? fail(1, "status: %s: %s", mountpoint, strerror(-r)) : 0;
}
