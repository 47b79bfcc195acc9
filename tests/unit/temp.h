/* temp.h - files and folders of a test: below TMPDIR, where check.sh looks for what is left behind.
 */
#ifndef LINKFS_TEST_TEMP_H
#define LINKFS_TEST_TEMP_H

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void temp_pattern(char path[static PATH_MAX])
{
	const char *top = getenv("TMPDIR");

	snprintf(path, PATH_MAX, "%s/linkfs-check.XXXXXX", top && *top ? top : "/tmp");
}

/* A new folder. 0, or -1 and errno. */
static inline int temp_dir_make(char ret_path[static PATH_MAX])
{
	temp_pattern(ret_path);
	return mkdtemp(ret_path) ? 0 : -1;
}

/* With all that is in it. 0 when it is gone. */
static inline int temp_dir_remove(const char *path)
{
	char command[PATH_MAX + 16];

	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	return system(command);
}

/* A file that has no name. Its descriptor, or -1 and errno. */
static inline int temp_file(void)
{
	char path[PATH_MAX];

	temp_pattern(path);
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

#endif
