/* cmd_run.c - linkfs run: a build with ld.linkfs for every linker it starts.
 *
 * Three ways lead there: a folder of linkers' names at the front of PATH, the same in COMPILER_PATH for gcc and clang, and
 * a preloaded library that looks at every exec (preload.c), for drivers that know their linker's path. The command takes
 * this process's place, so that its status, signals and terminal are its own.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "commands.h"
#include "fallback.h"
#include "keys.h"
#include "mountinfo.h"
#include "util.h"

/* As env(1) and timeout(1): what they say of themselves, not of the command. */
enum { RUN_FAILED = 125, RUN_CANNOT_EXEC = 126, RUN_NOT_FOUND = 127 };

struct run {
	const char *mount; /* --mount; NULL: the default */
	const char *mode;  /* --linkfs, or $LINKFS_MODE */
	char *options;	   /* those of -o, for a mount that is started; NULL: none. Owned */
	char **command;
	char prefix[PATH_MAX]; /* the folder above bin */
};

static void run_done(struct run *r)
{
	free(r->options);
}

/* Mount options, given once or in several words. */
static int add_options(struct run *r, const char *words)
{
	char *all;

	if (mount_check_options(words))
		return RUN_FAILED;
	if (asprintf(&all, "%s%s%s", r->options ? r->options : "", r->options ? "," : "", words) < 0)
		return fail(RUN_FAILED, "run: out of memory");
	free(r->options);
	r->options = all;
	return 0;
}

static int parse(int argc, char **argv, struct run *r)
{
	const char *mode = getenv("LINKFS_MODE"); /* also that of a run around this one */
	int i = 1;

	*r = (struct run){ .mode = mode && *mode ? mode : "auto" };
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		} else if (!strncmp(argv[i], "--mount=", 8) && argv[i][8]) {
			r->mount = argv[i] + 8;
		} else if (!strncmp(argv[i], "--linkfs=", 9)) {
			r->mode = argv[i] + 9;
		} else if (!strncmp(argv[i], "-o", 2)) {
			const char *words = argv[i][2] ? argv[i] + 2 : i + 1 < argc ? argv[++i] : "";
			if (!*words)
				return fail(RUN_FAILED, "run: -o: it wants mount options: see linkfs --help");
			if (add_options(r, words))
				return RUN_FAILED;
		} else {
			return fail(RUN_FAILED,
				    "run: %s: not an option: --mount=DIR, --linkfs=auto|mount|file and -o OPTION,... are",
				    argv[i]);
		}
	}
	if (strcmp(r->mode, "auto") && strcmp(r->mode, "mount") && strcmp(r->mode, "file"))
		return fail(RUN_FAILED, "run: --linkfs=%s: expected auto, mount or file", r->mode);
	if (r->options && !strcmp(r->mode, "file"))
		return fail(RUN_FAILED, "run: -o %s: file mode has no mount that it could be for", r->options);
	if (i >= argc)
		return fail(RUN_FAILED, "run: expected a command: linkfs run -- make");
	r->command = argv + i;
	return 0;
}

/* --- what is installed beside this program --- */

static int find_prefix(struct run *r)
{
	ssize_t n = readlink("/proc/self/exe", r->prefix, sizeof(r->prefix) - 1);

	if (n < 0)
		return fail(RUN_FAILED, "run: /proc/self/exe: %s", strerror(errno));
	r->prefix[n] = 0;
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(r->prefix, '/');
		if (slash)
			*slash = 0;
	}
	return 0;
}

/* PREFIX/NAME, which must be there; the caller frees. NULL: said why. */
static char *must_part(const struct run *r, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", r->prefix, name) < 0) {
		fail(RUN_FAILED, "run: out of memory");
		return NULL;
	}
	if (access(path, R_OK) == 0)
		return path;
	fail(RUN_FAILED, "run: %s: %s: linkfs is not installed completely", path, strerror(errno));
	free(path);
	return NULL;
}

/* --- the mount --- */

/* 1: a mount of this user's answers there, 0: none is there, -1: said what is wrong. */
static int look_for_mount(const char *mountpoint)
{
	struct mount_entry at;

	if (mountinfo_find(mountpoint, &at) || strncmp(at.type, MOUNT_TYPE, strlen(MOUNT_TYPE)))
		return 0;
	if (at.uid != geteuid()) {
		fail(RUN_FAILED, "run: %s: a linkfs of user %u is mounted here: name another place with --mount=DIR",
		     mountpoint, (unsigned)at.uid);
		return -1;
	}
	int alive = mountinfo_probe(mountpoint, 5000);
	if (alive == 0)
		return 1;
	if (alive == -ENOTCONN)
		return 0; /* linkfs mount replaces it */
	fail(RUN_FAILED, "run: %s: the mount does not answer: %s", mountpoint, strerror(-alive));
	return -1;
}

/* Was process PID started with these options of mount? */
static bool was_given(const char *pid, const char *options)
{
	char path[64], line[8192];

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	CLEAN_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	line[n > 0 ? n : 0] = 0;
	for (const char *s = line; s < line + n; s += strlen(s) + 1)
		if (!strcmp(s, options) || (!strncmp(s, "-o", 2) && !strcmp(s + 2, options)))
			return true;
	return false;
}

/* A mount that was there before keeps the options it was started with: said, where those are not the ones given now. */
static void compare_options(const struct run *r, const char *mountpoint)
{
	CLEAN_KEYS struct keyfile stats = { 0 };
	CLEAN_MEM char *path = NULL;

	if (asprintf(&path, "%s/.linkfs/stats", mountpoint) < 0)
		path = NULL;
	if (path && !keyfile_read(path, &stats) && stats.cnt &&
	    was_given(keys_text(&stats.par[0], "mount_pid"), r->options))
		return;
	fail(0, "run: -o %s: without effect on the mount at %s, which is there already: linkfs umount ends it", r->options,
	     mountpoint);
}

/* In the child: linkfs mount, with nothing of the build's that would outlive it there. */
_Noreturn static void start_mount(const struct run *r, const char *mountpoint, int said_fd)
{
	CLEAN_MEM char *options = NULL;
	const char *argv[] = { "linkfs", "mount", mountpoint, NULL, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	CLEAN_FD int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (r->options) {
		if (asprintf(&options, "-o%s", r->options) < 0)
			_exit(RUN_FAILED);
		argv[2] = options;
		argv[3] = mountpoint;
	}
	unsetenv("LD_PRELOAD");
	if (null < 0 || self < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(said_fd, STDERR_FILENO) < 0 || close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		_exit(RUN_FAILED);
	fexecve(self, (char *const *)(uintptr_t)argv, environ);
	_exit(RUN_FAILED);
}

/* What linkfs mount said, to standard error. */
static void repeat(int said_fd)
{
	char buf[4096];
	ssize_t n;

	lseek(said_fd, 0, SEEK_SET);
	while ((n = read(said_fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, stderr);
}

static int mount_it(const struct run *r, const char *mountpoint)
{
	CLEAN_FD int said_fd = memfd_create("linkfs-mount", MFD_CLOEXEC);
	int status = 0;

	fflush(NULL);
	pid_t pid = said_fd < 0 ? -1 : fork();
	if (pid < 0)
		return fail(RUN_FAILED, "run: can't start linkfs mount: %s", strerror(errno));
	if (pid == 0)
		start_mount(r, mountpoint, said_fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	repeat(said_fd);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return fail(RUN_FAILED, "run: there is no mount to build on: make it possible (see above), or build without one: "
				"linkfs run --linkfs=file -- COMMAND");
}

/* A mount is there, with *RET its place (the caller frees). Those who start one at the same time take turns. */
static int ensure_mount(const struct run *r, char **ret)
{
	const char *given = r->mount ? r->mount : getenv("LINKFS_MOUNT");

	if (!given || !*given)
		mount_make_default();
	CLEAN_MEM char *mountpoint = must_mountpoint(r->mount);
	if (!mountpoint)
		return RUN_FAILED;
	int is_there = look_for_mount(mountpoint);
	if (!is_there) {
		CLEAN_MEM char *above = strdup(mountpoint);
		char *slash = above ? strrchr(above, '/') : NULL;
		if (slash)
			slash[slash == above] = 0;
		CLEAN_FD int lock = slash ? open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
		if (lock >= 0)
			flock(lock, LOCK_EX); /* where there are no locks two of them may race, and one says so */
		is_there = look_for_mount(mountpoint);
		if (!is_there && mount_it(r, mountpoint))
			return RUN_FAILED;
	}
	if (is_there < 0)
		return RUN_FAILED;
	if (is_there && r->options)
		compare_options(r, mountpoint);
	*ret = mountpoint;
	mountpoint = NULL;
	return 0;
}

/* --- the environment --- */

/* NAME=LIST with WORD in it: in front, or (BEHIND) at the end. */
static int add_word(const char *name, const char *word, bool behind)
{
	const char *list = getenv(name);
	const size_t n = strlen(word);
	CLEAN_MEM char *new = NULL;

	for (const char *s = list; s && *s; s += strcspn(s, ":"), s += *s == ':')
		if (!strncmp(s, word, n) && (!s[n] || s[n] == ':') && (behind || s == list))
			return 0; /* a run within a run */
	bool has = list && *list;
	int r = behind ? asprintf(&new, "%s%s%s", has ? list : "", has ? ":" : "", word) :
			 asprintf(&new, "%s%s%s", word, has ? ":" : "", has ? list : "");
	if (r < 0) {
		new = NULL;
		return -1;
	}
	return setenv(name, new, 1);
}

static int set_environment(const struct run *r, const char *mountpoint)
{
	CLEAN_MEM char *ld = must_part(r, "bin/ld.linkfs");
	CLEAN_MEM char *names = ld ? must_part(r, RUN_DIR) : NULL;
	CLEAN_MEM char *library = names ? must_part(r, "lib/linkfs/run/liblinkfs-run.so") : NULL;

	if (!library)
		return RUN_FAILED;
	if (strpbrk(r->prefix, " \t\n:"))
		return fail(RUN_FAILED, "run: %s: LD_PRELOAD and PATH can't express its name: install linkfs where there is "
					"neither a blank nor a colon", r->prefix);
	if (!getenv("PATH") && setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1))
		return fail(RUN_FAILED, "run: out of memory");
	if ((mountpoint && setenv("LINKFS_MOUNT", mountpoint, 1)) || setenv("LINKFS_MODE", r->mode, 1) ||
	    setenv(RUN_LD, ld, 1) || unsetenv(RUN_FALLBACK) || add_word("PATH", names, false) ||
	    add_word("COMPILER_PATH", names, false) || add_word("LD_PRELOAD", library, true) ||
	    /* Programs with an address sanitizer of their own run in the build, too; what is preloaded does not disturb it. */
	    add_word("ASAN_OPTIONS", "verify_asan_link_order=0", false))
		return fail(RUN_FAILED, "run: out of memory");
	return 0;
}

int cmd_run(int argc, char **argv)
{
	CLEAN_MEM char *mountpoint = NULL;
	__attribute__((cleanup(run_done))) struct run r = { 0 };

	if (parse(argc, argv, &r) || find_prefix(&r))
		return RUN_FAILED;
	if (strcmp(r.mode, "file") && ensure_mount(&r, &mountpoint))
		return RUN_FAILED;
	if (set_environment(&r, mountpoint))
		return RUN_FAILED;
	fflush(NULL);
	/* Once more, with the library loaded: the command may be a linker itself. The two words before it are free. */
	r.command[-1] = (char *)"run-command";
	r.command[-2] = (char *)"linkfs";
	execv("/proc/self/exe", r.command - 2);
	return fail(RUN_FAILED, "run: /proc/self/exe: %s", strerror(errno));
}

int cmd_run_command(int argc, char **argv)
{
	if (argc < 2)
		return fail(RUN_FAILED, "run-command: expected a command");
	execvp(argv[1], argv + 1);
	int status = errno == ENOENT ? RUN_NOT_FOUND : RUN_CANNOT_EXEC;
	return fail(status, "run: %s: %s", argv[1], strerror(errno));
}
