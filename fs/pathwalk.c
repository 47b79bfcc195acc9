/* pathwalk.c - see pathwalk.h. One loop over components; a small table of directories already walked.
 *
 * A file is opened through /proc/self/fd of the O_PATH descriptor that was checked, so that nobody can put our mount,
 * or a link to it, in between. Most lie in a directory walked before, on its mount, and are no links: then one call of
 * openat2 does, which refuses everything else (a relink opens hundreds).
 */
#include "pathwalk.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "util.h"

#define LINKS_MAX 40
#define DIRS_KEPT 64

struct kept_dir {
	char *name; /* NULL: free */
	int fd;	    /* O_PATH, or -errno */
	struct walk_place at;
	char *rest; /* -EDEADLK: walker.rest then */
	bool is_known;
};

struct walker {
	int start_fd;
	int proc_fd; /* /proc/self/fd; -1: not asked for yet */
	struct walk_place at; /* where the last walk came to; without a step function nothing is known of where one began */
	uint64_t forbidden_dev;
	unsigned next; /* the entry to give up next */
	struct kept_dir kept[DIRS_KEPT];
	char rest[2 * PATH_MAX]; /* of a path that led to the forbidden device */
	walker_step_fn *step;	 /* NULL: nobody wants to know */
	void *ctx;
	bool is_known; /* by .step, all of the last path */
	bool is_keeping; /* a directory is walked, to be kept */
};

struct walker *walker_new(int start_fd, uint64_t forbidden_dev)
{
	struct walker *w = calloc(1, sizeof(*w));

	if (w) {
		w->start_fd = start_fd;
		w->proc_fd = -1;
		w->forbidden_dev = forbidden_dev;
	}
	return w;
}

static void kept_drop(struct kept_dir *k)
{
	if (k->name && k->fd >= 0)
		close(k->fd);
	free(k->name);
	free(k->rest);
	k->name = k->rest = NULL;
}

struct walker *walker_free(struct walker *w)
{
	if (!w)
		return NULL;
	for (size_t i = 0; i < DIRS_KEPT; i++)
		kept_drop(&w->kept[i]);
	cleanup_fd(&w->proc_fd);
	free(w);
	return NULL;
}

void walker_on_step(struct walker *w, walker_step_fn *step, void *ctx)
{
	w->step = step;
	w->ctx = ctx;
}

bool walker_is_known(const struct walker *w)
{
	return w->step && w->is_known;
}

/* Is FD on the forbidden device, and is it a symbolic link? -EDEADLK, 0, 1 or -errno. */
static int check_step(const struct walker *w, int fd, struct walk_place *ret)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_INO, &sx) < 0)
		return -errno;
	*ret = (struct walk_place){ .fd = fd,
				    .dev = (uint64_t)sx.stx_dev_major << 32 | sx.stx_dev_minor,
				    .ino = sx.stx_ino,
				    .is_dir = S_ISDIR(sx.stx_mode),
				    .is_file = S_ISREG(sx.stx_mode) };
	if (w->forbidden_dev && ret->dev == w->forbidden_dev)
		return -EDEADLK;
	return S_ISLNK(sx.stx_mode) ? 1 : 0;
}

/* A file that is taken for a directory is what it is for as long as the name that led here leads here. */
static void tell_step(struct walker *w, const struct walk_place *at, const char *name)
{
	if (w->step && at->is_dir)
		w->is_known &= w->step(w->ctx, at, name, w->is_keeping);
}

/* FROM: NULL: the walker's start. */
static int open_start(const struct walker *w, const struct kept_dir *from, const char *path, struct walk_place *ret)
{
	int fd = path[0] == '/' ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) :
				  openat(from ? from->fd : w->start_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int r = w->step ? check_step(w, fd, ret) : 0; /* nobody else wants to know where that is */
	if (r >= 0)
		return fd;
	close(fd);
	return r;
}

/* Puts the target of the link FD before REST. */
static int splice_link(int fd, char rest[2 * PATH_MAX])
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fd, "", target, sizeof(target));
	size_t left = strlen(rest);

	if (n < 0)
		return -errno;
	if (n == 0 || (size_t)n >= sizeof(target) || (size_t)n + 1 + left >= 2 * PATH_MAX)
		return -ENAMETOOLONG;
	memmove(rest + n + (left ? 1 : 0), rest, left + 1);
	memcpy(rest, target, (size_t)n);
	if (left)
		rest[n] = '/';
	return 0;
}

/* REST begins at the root of the forbidden device, which is not entered: "." and ".." are taken out by their names
 * alone. Does it lead out again? Then it begins in the directory above. */
static bool leaves_again(char *rest)
{
	char *to = rest;

	for (char *s = rest + strspn(rest, "/"); *s;) {
		size_t n = strcspn(s, "/");
		char *next = s + n + strspn(s + n, "/");
		if (n == 2 && !memcmp(s, "..", 2) && to == rest) {
			memmove(rest, next, strlen(next) + 1);
			return true;
		}
		if (n == 2 && !memcmp(s, "..", 2)) {
			for (to--; to > rest && to[-1] != '/'; to--)
				;
		} else if (!(n == 1 && *s == '.')) {
			memmove(to, s, n);
			to += n;
			*to++ = '/';
		}
		s = next;
	}
	*(to > rest ? to - 1 : to) = 0;
	return false;
}

/* Walks PATH from the directory FROM (NULL: the walker's start). */
static int walk(struct walker *w, const struct kept_dir *from, const char *path)
{
	char rest[2 * PATH_MAX];
	struct walk_place at = { 0 }, next_at = { 0 };
	int links = 0;

	if (!*path)
		return -ENOENT;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(rest, path);
	CLEAN_FD int own = from && *rest != '/' ? -1 : open_start(w, from, rest, &at);
	int cur = own;
	if (from && *rest != '/') { /* which need not be opened again */
		cur = from->fd;
		at = from->at;
	}
	if (cur < 0)
		return cur;
	while (*rest) {
		char name[NAME_MAX + 1];
		size_t skip = strspn(rest, "/"), n = strcspn(rest + skip, "/");
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, rest + skip, n);
		name[n] = 0;
		memmove(rest, rest + skip + n, strlen(rest + skip + n) + 1);
		if (!n || !strcmp(name, "."))
			continue;
		tell_step(w, &at, name);
		int next = openat(cur, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		int kind = check_step(w, next, &next_at);
		if (kind == 1) {
			kind = ++links > LINKS_MAX ? -ELOOP : splice_link(next, rest);
			close(next);
			if (kind < 0)
				return kind;
			if (rest[0] == '/') {
				next = open_start(w, from, rest, &at);
				if (next < 0)
					return next;
				cleanup_fd(&own);
				cur = own = next;
			}
			continue;
		}
		if (kind == -EDEADLK && leaves_again(rest)) {
			close(next);
			continue;
		}
		cleanup_fd(&own);
		cur = own = next;
		at = next_at;
		if (kind == -EDEADLK)
			strcpy(w->rest, rest);
		if (kind < 0)
			return kind;
	}
	if (own < 0)
		own = open_start(w, from, rest, &at);
	w->at = at;
	return take_fd(&own);
}

/* The directory DIR (SZ bytes of name), walked once. NULL without memory. */
static const struct kept_dir *keep_dir(struct walker *w, const char *dir, size_t sz)
{
	for (size_t i = 0; i < DIRS_KEPT; i++)
		if (w->kept[i].name && !strncmp(w->kept[i].name, dir, sz) && !w->kept[i].name[sz]) {
			w->is_known = w->kept[i].is_known;
			return &w->kept[i];
		}
	char *name = strndup(dir, sz);
	if (!name)
		return NULL;
	struct kept_dir *k = &w->kept[w->next++ % DIRS_KEPT];
	kept_drop(k);
	k->name = name;
	w->is_keeping = true;
	k->fd = walk(w, NULL, name);
	w->is_keeping = false;
	k->rest = k->fd == -EDEADLK ? strdup(w->rest) : NULL;
	k->at = w->at;
	k->at.fd = k->fd;
	k->is_known = w->is_known;
	return k;
}

/* The directory K leads to the forbidden device: so does what is called NAME in it. */
static int deny(struct walker *w, const struct kept_dir *k, const char *name)
{
	if (!k->rest)
		return -ENOMEM;
	if (snprintf(w->rest, sizeof(w->rest), "%s%s%s", k->rest, *k->rest ? "/" : "", name) >= (int)sizeof(w->rest))
		return -ENAMETOOLONG;
	return -EDEADLK;
}

const char *walker_rest(const struct walker *w)
{
	return w->rest;
}

/* The name behind the last slash of a path with a directory to be kept; NULL: it has none, or is too long. */
static const char *name_in_dir(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash != path && slash[1] && strlen(path) < PATH_MAX ? slash + 1 : NULL;
}

int walker_look(struct walker *w, const char *path)
{
	const char *name = name_in_dir(path);

	w->is_known = true;
	if (!name)
		return walk(w, NULL, path);
	const struct kept_dir *dir = keep_dir(w, path, (size_t)(name - 1 - path));
	if (!dir)
		return -ENOMEM;
	if (dir->fd == -EDEADLK)
		return deny(w, dir, name);
	return dir->fd < 0 ? dir->fd : walk(w, dir, name);
}

/* walker_open in one call; -errno but -ENOENT: not so, walk. */
static int open_beside(struct walker *w, const char *path)
{
	static const struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, /* no pipe, no lease */
					     .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS };
	const char *name = w->step ? NULL : name_in_dir(path);

	if (!name || !strcmp(name, ".") || !strcmp(name, ".."))
		return -ENOTSUP;
	const struct kept_dir *dir = keep_dir(w, path, (size_t)(name - 1 - path));
	if (!dir || dir->fd < 0)
		return -ENOTSUP;
	int fd = (int)syscall(SYS_openat2, dir->fd, name, &how, sizeof(how));
	return fd < 0 ? -errno : fd;
}

int walker_open(struct walker *w, const char *path)
{
	int beside = open_beside(w, path);
	if (beside >= 0 || beside == -ENOENT)
		return beside;

	CLEAN_FD int fd = walker_look(w, path);
	char name[16];

	if (fd < 0)
		return take_fd(&fd);
	if (w->proc_fd < 0 && (w->proc_fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -errno;
	snprintf(name, sizeof(name), "%d", fd);
	int r = openat(w->proc_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | (w->at.is_file ? 0 : O_NONBLOCK));
	return r < 0 ? -errno : r;
}

int walker_stat(struct walker *w, const char *path, struct stat *ret_st)
{
	CLEAN_FD int fd = walker_look(w, path);

	if (fd < 0)
		return take_fd(&fd);
	return fstat(fd, ret_st) < 0 ? -errno : 0;
}

int stat_known(int fd, struct stat *ret)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &sx) < 0)
		return -errno;
	*ret = (struct stat){
		.st_dev = makedev(sx.stx_dev_major, sx.stx_dev_minor),
		.st_ino = sx.stx_ino,
		.st_mode = sx.stx_mode,
		.st_nlink = sx.stx_nlink,
		.st_size = (off_t)sx.stx_size,
		.st_mtim = { .tv_sec = sx.stx_mtime.tv_sec, .tv_nsec = sx.stx_mtime.tv_nsec },
		.st_ctim = { .tv_sec = sx.stx_ctime.tv_sec, .tv_nsec = sx.stx_ctime.tv_nsec },
	};
	return 0;
}

struct msg_identity identity_of(const struct stat *st)
{
	return (struct msg_identity){
		.dev = (uint64_t)major(st->st_dev) << 32 | minor(st->st_dev),
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime_ns = timespec_ns(&st->st_mtim),
		.ctime_ns = timespec_ns(&st->st_ctim),
	};
}

struct stat identity_stat(const struct msg_identity *id)
{
	return (struct stat){
		.st_mode = S_IFREG | 0444,
		.st_dev = makedev((unsigned)(id->dev >> 32), (unsigned)id->dev),
		.st_ino = id->ino,
		.st_size = (off_t)id->size,
		.st_mtim = timespec_of_ns(id->mtime_ns),
		.st_ctim = timespec_of_ns(id->ctime_ns),
	};
}

int identity_same_content(const struct msg_identity *a, const struct msg_identity *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

int identity_equal(const struct msg_identity *a, const struct msg_identity *b)
{
	return identity_same_content(a, b) && a->ctime_ns == b->ctime_ns;
}
