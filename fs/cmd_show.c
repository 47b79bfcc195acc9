/* cmd_show.c - linkfs info and log: what the files under .linkfs say of a link, on standard output. */
#include "commands.h"
#include "keys.h"
#include "show.h"
#include "subject.h"

/* Copies a file of the mount to standard output: 0 or -errno. */
static int show_file(const char *path)
{
	char buf[65536];
	size_t n;

	FILE *f = fopen(path, "re");
	if (!f)
		return -errno;
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		fwrite(buf, 1, n, stdout);
	int r = ferror(f) ? -EIO : 0;
	fclose(f);
	return r;
}

static int show_of_link(const char *command, const char *folder, const char *dir, const char *arg)
{
	CLEAN_SUBJECT struct subject s = { 0 };
	int r = must_subject(command, dir, arg, &s);

	if (r)
		return r;
	CLEAN_MEM char *path = must_answer(&s) ? NULL : subject_file(&s, folder);
	if (!path)
		return 1;
	r = show_file(path);
	if (r == -ENOENT || r == -ENOTDIR || r == -EISDIR || r == -EIO)
		return fail(1, "%s: %s: the mount %s knows of no such link: linkfs status lists them", command, arg,
			    s.mountpoint);
	return r ? fail(1, "%s: %s: %s", command, arg, strerror(-r)) : 0;
}

int cmd_info(int argc, char **argv)
{
	const char *dir = take_mount_option(&argc, argv);

	if (argc != 2)
		return fail(2, "info: expected [--mount=DIR] NAME, or a file");
	return show_of_link("info", "info", dir, argv[1]);
}

/* Every log that is not empty, under its link's name. */
static int show_logs(const char *mountpoint)
{
	CLEAN_MEM char *table = NULL;
	CLEAN_KEYS struct keyfile f = { 0 };
	size_t shown = 0;

	if (asprintf(&table, "%s/.linkfs/outputs", mountpoint) < 0)
		return -ENOMEM;
	int r = keyfile_read(table, &f);
	for (size_t i = 0; i < f.cnt && !r; i++) {
		const char *name = keys_text(&f.par[i], "name");
		CLEAN_MEM char *path = NULL;
		CLEAN_TEXT struct text t = { 0 };
		if (!keys_number(&f.par[i], "log_bytes"))
			continue;
		show_name(&t, name);
		if (t.failed || asprintf(&path, "%s/.linkfs/log/%s", mountpoint, name + (*name == '/')) < 0)
			return -ENOMEM;
		printf("%s==> %s (%s)\n", shown++ ? "\n" : "", t.s, keys_text(&f.par[i], "state"));
		r = show_file(path);
		r = r == -ENOENT ? 0 : r; /* gone meanwhile */
	}
	if (!r && !shown)
		fprintf(stderr, "linkfs: log: %s: nothing to tell of any link\n", mountpoint);
	return r;
}

int cmd_log(int argc, char **argv)
{
	const char *dir = take_mount_option(&argc, argv);

	if (argc > 2)
		return fail(2, "log: expected [--mount=DIR] [NAME], or a file");
	if (argc == 2)
		return show_of_link("log", "log", dir, argv[1]);
	CLEAN_MEM char *mountpoint = must_mounted(dir);
	if (!mountpoint)
		return 1;
	int r = show_logs(mountpoint);
	return r ? fail(1, "log: %s: %s", mountpoint, strerror(-r)) : 0;
}
