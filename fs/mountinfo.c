/* mountinfo.c - finding, probing and detaching mounts without entering them.
 *
 * A mount whose process died answers every call with ENOTCONN; one whose process hangs answers never. So the table in
 * /proc says what is there, and anything that must touch the mount does so in a child that can be given up.
 */
#include "mountinfo.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "util.h"

/* The kernel writes blanks, tabs, newlines and backslashes as \ooo. */
static void unescape(char *s)
{
	char *o = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
		    s[3] <= '7') {
			*o++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*o++ = *s;
		}
	}
	*o = 0;
}

/* The number behind KEY in comma-separated options; 0: there is none. */
static unsigned long number_of(const char *options, const char *key)
{
	for (const char *s = options; s; s = strchr(s, ',')) {
		s += *s == ',';
		if (!strncmp(s, key, strlen(key)))
			return strtoul(s + strlen(key), NULL, 10);
	}
	return 0;
}

static bool parse_line(char *line, const char *path, struct mount_entry *ret)
{
	char *save = NULL, *field[6];

	for (int i = 0; i < 6; i++)
		if (!(field[i] = strtok_r(i ? NULL : line, " \n", &save)))
			return false;
	unescape(field[4]);
	if (strcmp(field[4], path))
		return false;
	char *word;
	while ((word = strtok_r(NULL, " \n", &save)) && strcmp(word, "-"))
		;
	char *type = word ? strtok_r(NULL, " \n", &save) : NULL;
	if (!type || sscanf(field[2], "%u:%u", &ret->major, &ret->minor) != 2)
		return false;
	strtok_r(NULL, " \n", &save); /* what is mounted */
	const char *options = strtok_r(NULL, " \n", &save);
	ret->uid = (uid_t)number_of(options, "user_id=");
	ret->gid = (gid_t)number_of(options, "group_id=");
	ret->id = atoi(field[0]);
	snprintf(ret->type, sizeof(ret->type), "%s", type);
	return true;
}

int mountinfo_find(const char *path, struct mount_entry *ret)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	CLEAN_MEM char *line = NULL;
	size_t cap = 0;
	int r = -ENOENT;

	if (!f)
		return -errno;
	while (getline(&line, &cap, f) > 0)
		if (parse_line(line, path, ret))
			r = 0; /* the last one is on top */
	fclose(f);
	return r;
}

/* --- what was mounted meanwhile --- */

struct mount_line {
	uint64_t hash; /* of all of it */
	bool is_part;  /* of a file system: a bind mount, a subvolume */
	char *path;
};

static int by_hash(const void *a, const void *b)
{
	uint64_t x = ((const struct mount_line *)a)->hash, y = ((const struct mount_line *)b)->hash;

	return x < y ? -1 : x > y;
}

static struct mount_line line_of(char *line)
{
	struct mount_line l = { .hash = 14695981039346656037ull };
	char *save = NULL, *path = NULL;

	for (const char *s = line; *s; s++)
		l.hash = (l.hash ^ (unsigned char)*s) * 1099511628211ull;
	for (int i = 0; i < 5; i++) {
		path = strtok_r(i ? NULL : line, " ", &save);
		l.is_part |= i == 3 && (!path || strcmp(path, "/"));
	}
	if (path)
		unescape(path);
	l.path = strdup(path ? path : "/");
	return l;
}

static int read_all(int fd, struct text *t)
{
	char buf[4096];
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		text_append(t, buf, (size_t)n);
	return n < 0 ? -errno : t->failed ? -ENOMEM : 0;
}

static int table_read(struct mount_table *t, int fd)
{
	CLEAN_TEXT struct text all = { 0 };
	char *save = NULL;
	unsigned cap = 0;

	int r = read_all(fd, &all);
	for (char *s = r ? NULL : strtok_r(all.s, "\n", &save); s && !r; s = strtok_r(NULL, "\n", &save)) {
		if (t->cnt == cap) {
			cap = cap ? cap * 2 : 64;
			struct mount_line *more = realloc(t->lines, cap * sizeof(*more));
			if (!more)
				return -ENOMEM;
			t->lines = more;
		}
		t->lines[t->cnt] = line_of(s);
		r = t->lines[t->cnt++].path ? 0 : -ENOMEM;
	}
	if (!r && t->cnt)
		qsort(t->lines, t->cnt, sizeof(*t->lines), by_hash);
	return r;
}

void mount_table_done(struct mount_table *t)
{
	while (t->cnt)
		free(t->lines[--t->cnt].path);
	free(t->lines);
	*t = (struct mount_table){ 0 };
}

int mount_table_update(struct mount_table *t, int fd, void (*call)(void *ctx, const char *mountpoint), void *ctx)
{
	struct mount_table now = { 0 };
	unsigned old = 0, new = 0;

	int r = table_read(&now, fd);
	if (r) {
		mount_table_done(&now);
		return r;
	}
	while (old < t->cnt || new < now.cnt) {
		int order = old == t->cnt ? 1 : new == now.cnt ? -1 : by_hash(&t->lines[old], &now.lines[new]);
		if (order || now.lines[new].is_part)
			call(ctx, order < 0 ? t->lines[old].path : now.lines[new].path);
		old += order <= 0;
		new += order >= 0;
	}
	mount_table_done(t);
	*t = now;
	return 0;
}

bool mountinfo_is_believed(int fd)
{
	static const uint32_t types[] = {
		0xef53,	    /* ext4 (ext2 and ext3 call themselves so, too) */
		0x58465342, /* xfs */
		0x9123683e, /* btrfs */
		0x01021994, /* tmpfs */
		0xf2f52010, /* f2fs */
		0x794c7630, /* overlayfs, as long as nobody changes its layers below it, which it does not allow */
	};
	struct statfs sf;

	if (fstatfs(fd, &sf) < 0)
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if ((uint32_t)sf.f_type == types[i])
			return true;
	return false;
}

int mountinfo_resolve(const char *path, char **ret)
{
	CLEAN_MEM char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	size_t n = strlen(copy);
	while (n > 1 && copy[n - 1] == '/')
		copy[--n] = 0;
	char *slash = strrchr(copy, '/');
	const char *base = slash ? slash + 1 : copy;
	if (!*base || !strcmp(base, ".") || !strcmp(base, "..")) {
		char *whole = realpath(copy, NULL);
		if (!whole)
			return -errno;
		*ret = whole;
		return 0;
	}
	CLEAN_MEM char *dir = NULL;
	if (slash && slash != copy) {
		*slash = 0;
		dir = realpath(copy, NULL);
	} else {
		dir = realpath(slash ? "/" : ".", NULL);
	}
	if (!dir)
		return -errno;
	if (asprintf(ret, "%s/%s", strcmp(dir, "/") ? dir : "", base) < 0)
		return -ENOMEM;
	return 0;
}

int mountinfo_probe(const char *path, int timeout_ms)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid == 0) {
		struct statx sx; /* synced: the kernel remembers the root's attributes beyond the process's death */
		int r = statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &sx) < 0 ? -errno : 0;
		ssize_t n = write(p[1], &r, sizeof(r));
		_exit(n == sizeof(r) ? 0 : 1);
	}
	int r = pid < 0 ? -errno : 0;
	close(p[1]);
	if (!r) {
		struct pollfd pf = { .fd = p[0], .events = POLLIN };
		if (poll(&pf, 1, timeout_ms) <= 0 || read(p[0], &r, sizeof(r)) != sizeof(r)) {
			r = -ETIMEDOUT;
			kill(pid, SIGKILL);
		}
		waitpid(pid, NULL, r == -ETIMEDOUT ? WNOHANG : 0);
	}
	close(p[0]);
	return r;
}

extern char **environ;

int mountinfo_detach(const char *path, bool lazy)
{
	if (geteuid() == 0)
		return umount2(path, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) < 0 ? -errno : 0;

	const char *argv[] = { "fusermount3",	   "-u", "-q", lazy ? "-z" : "--", lazy ? "--" : path,
			       lazy ? path : NULL, NULL };
	pid_t pid;
	int r = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ);
	if (r)
		return -r;
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBUSY;
}

int mountinfo_abort(uint64_t dev)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%u/abort", (unsigned)dev);
	CLEAN_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, "1", 1) < 0 ? -errno : 0;
}

static char *home_dir(const char *variable, const char *standard, const char *suffix)
{
	const char *xdg = getenv(variable), *home = getenv("HOME");
	char *dir = NULL;
	int n = -1;

	if (!home || home[0] != '/') {
		const struct passwd *pw = getpwuid(geteuid());
		home = pw ? pw->pw_dir : NULL;
	}
	if (xdg && xdg[0] == '/')
		n = asprintf(&dir, "%s/linkfs%s", xdg, suffix);
	else if (home)
		n = asprintf(&dir, "%s/%s/linkfs%s", home, standard, suffix);
	return n < 0 ? NULL : dir;
}

char *mountinfo_default_dir(const char *suffix)
{
	return home_dir("XDG_CACHE_HOME", ".cache", suffix);
}

char *mountinfo_config_dir(const char *suffix)
{
	return home_dir("XDG_CONFIG_HOME", ".config", suffix);
}
