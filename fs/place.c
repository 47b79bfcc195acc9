/* place.c - see place.h. */
#include "place.h"

#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "util.h"

#define TMP_SZ 48

static void name_new(char ret[TMP_SZ])
{
	static atomic_uint serial;
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(ret, TMP_SZ, PLACE_PREFIX "%d-%u-%lx", (int)getpid(), atomic_fetch_add(&serial, 1), (long)ts.tv_nsec);
}

int placing_begin(struct placing *p, int dir_fd)
{
	*p = (struct placing){ .dir_fd = dir_fd };
	p->fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (p->fd >= 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)
		return -errno;
	do {
		name_new(p->tmp);
		p->fd = openat(dir_fd, p->tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	} while (p->fd < 0 && errno == EEXIST);
	if (p->fd >= 0)
		return 0;
	p->tmp[0] = 0;
	return -errno;
}

static int copy_by_hand(int from, int to, uint64_t off, uint64_t sz)
{
	const size_t piece = (size_t)256 << 10;
	CLEAN_MEM char *buf = malloc(piece);

	while (buf && sz) {
		ssize_t n = pread(from, buf, sz < piece ? sz : piece, (off_t)off);
		if (n == 0)
			return -EIO; /* shorter than it was said to be */
		for (ssize_t put = 0; put < n;) {
			ssize_t m = pwrite(to, buf + put, (size_t)(n - put), (off_t)off + put);
			if (m < 0 && errno != EINTR)
				return -errno;
			put += m > 0 ? m : 0;
		}
		if (n < 0 && errno != EINTR)
			return -errno;
		off += n > 0 ? (uint64_t)n : 0;
		sz -= n > 0 ? (uint64_t)n : 0;
	}
	return buf ? 0 : -ENOMEM;
}

int placing_copy(struct placing *p, int src_fd, uint64_t off, uint64_t sz)
{
	while (sz) {
		off_t from = (off_t)off, to = (off_t)off;
		ssize_t n = copy_file_range(src_fd, &from, p->fd, &to, sz, 0);
		if (n <= 0)
			return copy_by_hand(src_fd, p->fd, off, sz);
		off += (uint64_t)n;
		sz -= (uint64_t)n;
	}
	return 0;
}

/* Gives the file its mode, its times and, beside its place, a name. */
static int finish(struct placing *p, mode_t mode, struct timespec mtime)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, mtime };
	char proc[64];

	if (fchmod(p->fd, mode) < 0 || futimens(p->fd, times) < 0)
		return -errno;
	if (p->tmp[0])
		return 0;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", p->fd);
	for (;;) {
		name_new(p->tmp);
		if (linkat(AT_FDCWD, proc, p->dir_fd, p->tmp, AT_SYMLINK_FOLLOW) == 0)
			return 0;
		if (errno != EEXIST) {
			p->tmp[0] = 0;
			return -errno;
		}
	}
}

int placing_end(struct placing *p, const char *name, mode_t mode, struct timespec mtime)
{
	int r = finish(p, mode, mtime);

	if (!r && renameat(p->dir_fd, p->tmp, p->dir_fd, name) < 0)
		r = -errno;
	if (!r)
		p->tmp[0] = 0;
	return r;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int place_read_link(int dir_fd, const char *name, char *ret)
{
	ssize_t n = readlinkat(dir_fd, name, ret, PATH_MAX - 1);

	if (n < 0)
		return -errno;
	ret[n] = 0;
	return 0;
}

int place_shows(int dir_fd, const char *name, const char *target)
{
	char now[PATH_MAX];
	int r = place_read_link(dir_fd, name, now);

	return r == -ENOENT || r == -EINVAL ? 0 : r ? r : !strcmp(now, target);
}

static bool is_link_to(int dir_fd, const char *name, const char *target)
{
	return place_shows(dir_fd, name, target) == 1;
}

/* The temporary name has what somebody put at NAME in between: it goes back. What comes to stand at NAME meanwhile is newer
 * still, and goes back in turn, until the temporary name has what was replaced. -ESTALE or -errno. */
static int put_back(struct placing *p, const char *name)
{
	struct stat older, newer, got; /* NAME has the older, the temporary name the newer */

	if (fstat(p->fd, &older) < 0 || fstatat(p->dir_fd, p->tmp, &newer, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	for (;;) {
		if (renameat2(p->dir_fd, p->tmp, p->dir_fd, name, RENAME_EXCHANGE) < 0)
			return errno == ENOENT ? -ESTALE : -errno; /* it was removed */
		if (fstatat(p->dir_fd, p->tmp, &got, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		if (is_same(&got, &older))
			return -ESTALE;
		older = newer;
		newer = got;
	}
}

int placing_end_over_link(struct placing *p, const char *name, const char *target, mode_t mode, struct timespec mtime)
{
	if (!is_link_to(p->dir_fd, name, target))
		return -ESTALE;
	int r = finish(p, mode, mtime);
	if (r)
		return r;
	/* Exchanged, so that what somebody put there in between can be put back. */
	if (renameat2(p->dir_fd, p->tmp, p->dir_fd, name, RENAME_EXCHANGE) < 0) {
		if (errno != EINVAL && errno != ENOSYS)
			return errno == ENOENT ? -ESTALE : -errno;
		/* A file system that can't: looked at once more, as late as can be. */
		if (!is_link_to(p->dir_fd, name, target))
			return -ESTALE;
		if (renameat(p->dir_fd, p->tmp, p->dir_fd, name) < 0)
			return -errno;
		p->tmp[0] = 0;
		return 0;
	}
	if (is_link_to(p->dir_fd, p->tmp, target))
		return 0; /* the old link has the temporary name, and goes with it */
	return put_back(p, name);
}

void placing_done(struct placing *p)
{
	if (p->tmp[0])
		unlinkat(p->dir_fd, p->tmp, 0);
	p->tmp[0] = 0;
	cleanup_fd(&p->fd);
	p->fd = -1;
}

int place_link_beside(int dir_fd, const char *target, char *ret_tmp, struct timespec *ret_time)
{
	struct stat st;
	int r;

	do {
		name_new(ret_tmp);
		r = symlinkat(target, dir_fd, ret_tmp) < 0 ? -errno : 0;
	} while (r == -EEXIST);
	if (!r && fstatat(dir_fd, ret_tmp, &st, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	if (r)
		return r;
	*ret_time = st.st_mtim;
	return 0;
}
