/* cmd_enable.c - linkfs enable and disable: directories below which ld.linkfs puts its outputs on the mount unasked. */
#include <limits.h>
#include <sys/stat.h>

#include "commands.h"
#include "enabled.h"
#include "mountinfo.h"
#include "util.h"

static int list(void)
{
	char why[PATH_MAX + 256];
	struct enabled e;

	if (enabled_load(&e, why, sizeof(why)))
		return fail(1, "enable: %s", why);
	for (size_t i = 0; i < e.cnt; i++)
		printf("%s%s%s\n", e.entries[i].dir, e.entries[i].mount ? " on " : "",
		       e.entries[i].mount ? e.entries[i].mount : "");
	enabled_done(&e);
	return fflush(stdout) ? fail(1, "standard output: %s", strerror(errno)) : 0;
}

/* As ld.linkfs will see it; a directory that is gone is disabled by the name it had. */
static char *must_dir(const char *what, const char *given, bool on)
{
	struct stat st;
	char *dir = realpath(given, NULL);

	if (!dir && !on && errno == ENOENT && given[0] == '/')
		dir = strdup(given);
	if (!dir) {
		fail(1, "%s: %s: %s", what, given, strerror(errno));
	} else if (on && (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))) {
		fail(1, "%s: %s: not a directory", what, given);
	} else if (strpbrk(dir, "\n\t")) {
		fail(1, "%s: %s: a name with a tab or a newline can't be kept", what, given);
	} else {
		return dir;
	}
	free(dir);
	return NULL;
}

static int change(const char *what, const char *given, bool on, const char *mount)
{
	char why[PATH_MAX + 256];
	CLEAN_MEM char *dir = must_dir(what, given, on);

	int r = dir ? enabled_change(dir, on, mount, why, sizeof(why)) : -EINVAL;
	if (dir && r < 0)
		return fail(1, "%s: %s", what, why);
	if (r == 0 && !on)
		return fail(1, "disable: %s: is not enabled: linkfs enable lists what is", given);
	return r < 0;
}

/* What was enabled has no effect yet without a mount. */
static void warn_of_no_mount(const char *mount)
{
	CLEAN_MEM char *standard = mount ? NULL : mountinfo_default_dir("/mnt");
	struct mount_entry at;

	mount = mount ? mount : standard;
	if (mount && (mountinfo_find(mount, &at) || strncmp(at.type, MOUNT_TYPE, strlen(MOUNT_TYPE))))
		fprintf(stderr, "linkfs: enable: nothing is mounted at %s yet: start it with linkfs mount\n", mount);
}

int cmd_enable(int argc, char **argv)
{
	const char *given = take_mount_option(&argc, argv);
	CLEAN_MEM char *mount = given ? must_mountpoint(given) : NULL;

	if (given && !mount)
		return 1;
	if (mount && strpbrk(mount, "\n\t"))
		return fail(1, "enable: %s: a name with a tab or a newline can't be kept", mount);
	if (argc == 1)
		return given ? fail(2, "enable: expected a directory") : list();
	for (int i = 1; i < argc; i++)
		if (change("enable", argv[i], true, mount))
			return 1;
	warn_of_no_mount(mount);
	return 0;
}

int cmd_disable(int argc, char **argv)
{
	if (argc < 2)
		return fail(2, "disable: expected directories");
	for (int i = 1; i < argc; i++)
		if (change("disable", argv[i], false, NULL))
			return 1;
	return 0;
}
