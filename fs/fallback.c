/* fallback.c - see fallback.h.
 *
 * The exec is the system call itself: linkfs run's preloaded library would take it for a linker that is to be ld.linkfs.
 */
#include "fallback.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include "util.h"

extern char **environ;

/* Are the SZ bytes at DIR the name of such a folder, of whichever linkfs? */
static bool is_run_dir(const char *dir, size_t sz)
{
	const size_t n = strlen(RUN_DIR);

	while (sz && dir[sz - 1] == '/')
		sz--;
	return sz > n && dir[sz - n - 1] == '/' && !strncmp(dir + sz - n, RUN_DIR, n);
}

bool fallback_is_run(const char *argv0)
{
	const char *ld = getenv(RUN_LD), *asked = getenv(RUN_FALLBACK), *slash = strrchr(argv0, '/');

	if ((ld && *ld) || (asked && *asked))
		return true;
	/* A build that was configured under linkfs run has the folder's name in its files. */
	return slash && is_run_dir(argv0, (size_t)(slash - argv0));
}

static bool is_other_program(const char *path, const struct stat *self)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0 &&
	       (st.st_dev != self->st_dev || st.st_ino != self->st_ino);
}

char *fallback_find(const char *argv0)
{
	const char *named = getenv(RUN_FALLBACK), *slash = strrchr(argv0, '/'), *path = getenv("PATH");
	const char *name = slash ? slash + 1 : argv0;
	struct stat self;

	if (stat("/proc/self/exe", &self) < 0)
		return NULL;
	if (named && *named)
		return is_other_program(named, &self) ? strdup(named) : NULL;
	if (!strncmp(name, "ld.linkfs", 9))
		name = "ld";
	for (const char *s = path && *path ? path : "/usr/bin:/bin", *end; *s; s = *end ? end + 1 : end) {
		char *found = NULL;
		end = strchrnul(s, ':');
		if (*s != '/' || is_run_dir(s, (size_t)(end - s)))
			continue; /* nobody means a linker below the current directory; another linkfs would ask us in turn */
		if (asprintf(&found, "%.*s/%s", (int)(end - s), s, name) < 0)
			return NULL;
		if (is_other_program(found, &self))
			return found;
		free(found);
	}
	return NULL;
}

int fallback_exec(const char *path, char **argv)
{
	unsetenv(RUN_FALLBACK);
	syscall(SYS_execve, path, argv, environ);
	return -errno;
}
