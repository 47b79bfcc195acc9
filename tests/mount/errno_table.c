/* errno_table.c - makes the calls of a table (errno.table) and compares each errno with the one written there.
 *
 *     errno_table TABLE WHO MOUNT OUTSIDE
 *
 * Runs the rows of the section `as WHO`, in order; paths are below MOUNT. A row is CALL ERRNO PATH..., where ERRNO may
 * be `ok` or alternatives (EPERM|EACCES); a PATH of two names, A>B, is for calls that take two. "." is the mount itself,
 * {out} the directory OUTSIDE, {long} a name too long for any file system. Calls on a descriptor open the path first,
 * for reading, or as their name says; then the errno of open counts. What differs is told, and the status is 1.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

static int result(long r)
{
	return r < 0 ? errno : 0;
}

static int open_as(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0600);

	if (fd < 0)
		return errno;
	return close(fd) < 0 ? errno : 0;
}

#define OPEN(name, flags)                                 \
	static int name(const char *path, const char *to) \
	{                                                 \
		(void)to;                                 \
		return open_as(path, flags);              \
	}
OPEN(do_open_r, O_RDONLY)
OPEN(do_open_w, O_WRONLY)
OPEN(do_open_rw, O_RDWR)
OPEN(do_open_trunc, O_WRONLY | O_TRUNC)
OPEN(do_open_append, O_WRONLY | O_APPEND)
OPEN(do_open_creat, O_WRONLY | O_CREAT)
OPEN(do_open_creat_r, O_RDONLY | O_CREAT)
OPEN(do_open_excl, O_WRONLY | O_CREAT | O_EXCL)
OPEN(do_open_tmpfile, O_WRONLY | O_TMPFILE)
OPEN(do_open_directory, O_RDONLY | O_DIRECTORY)
OPEN(do_open_path, O_PATH)
OPEN(do_creat, O_WRONLY | O_CREAT | O_TRUNC)

/* Calls on paths. */
#define CALL(name, expression)                            \
	static int name(const char *path, const char *to) \
	{                                                 \
		(void)to;                                 \
		return result(expression);                \
	}
static struct stat st;
static struct statvfs vfs;
static char some[8192] __attribute__((aligned(4096)));
static const unsigned char no_caps[20] = {0, 0, 0, 2}; /* version 2, none */
static const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
CALL(do_stat, lstat(path, &st))
CALL(do_statfs, statvfs(path, &vfs))
CALL(do_access_r, access(path, R_OK))
CALL(do_access_w, access(path, W_OK))
CALL(do_access_x, access(path, X_OK))
CALL(do_mkdir, mkdir(path, 0700))
CALL(do_rmdir, rmdir(path))
CALL(do_unlink, unlink(path))
CALL(do_mknod, mknod(path, S_IFREG | 0600, 0))
CALL(do_mkfifo, mkfifo(path, 0600))
CALL(do_symlink, symlink("target", path))
CALL(do_link, link(path, to))
CALL(do_rename, rename(path, to))
CALL(do_rename_noreplace, renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_NOREPLACE))
CALL(do_rename_exchange, renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_EXCHANGE))
CALL(do_chmod, chmod(path, 0640))
CALL(do_chmod_same, lstat(path, &st) < 0 ? -1 : chmod(path, st.st_mode & 07777))
CALL(do_chown, chown(path, 12345, 12345))
CALL(do_chown_same, lstat(path, &st) < 0 ? -1 : chown(path, st.st_uid, st.st_gid))
CALL(do_utimensat, utimensat(AT_FDCWD, path, times, 0))
CALL(do_utimensat_now, utimensat(AT_FDCWD, path, NULL, 0))
CALL(do_truncate, truncate(path, 0))
CALL(do_truncate_more, truncate(path, 1 << 20))
CALL(do_setxattr, setxattr(path, "user.a", "b", 1, 0))
CALL(do_setxattr_caps, setxattr(path, "security.capability", no_caps, sizeof(no_caps), 0))
CALL(do_removexattr, removexattr(path, "user.a"))
CALL(do_getxattr, getxattr(path, "user.a", some, sizeof(some)))
CALL(do_listxattr, listxattr(path, some, sizeof(some)))

/* Calls on a descriptor. */
#define FD_CALL(name, flags, expression)                               \
	static int name(const char *path, const char *to)              \
	{                                                              \
		int fd = open(path, (flags) | O_CLOEXEC | O_NONBLOCK); \
		if (fd < 0)                                            \
			return errno;                                  \
		(void)to;                                              \
		int r = result(expression);                            \
		close(fd);                                             \
		return r;                                              \
	}
FD_CALL(do_read, O_RDONLY, read(fd, some, sizeof(some)))
FD_CALL(do_read_direct, O_RDONLY | O_DIRECT, pread(fd, some, sizeof(some), 0))
FD_CALL(do_write_r, O_RDONLY, write(fd, "x", 1))
FD_CALL(do_ftruncate, O_RDONLY, ftruncate(fd, 0))
FD_CALL(do_ftruncate_w, O_WRONLY, ftruncate(fd, 0))
FD_CALL(do_fchmod, O_RDONLY, fchmod(fd, 0640))
FD_CALL(do_fchown, O_RDONLY, fchown(fd, 12345, 12345))
FD_CALL(do_futimens, O_RDONLY, futimens(fd, times))
FD_CALL(do_fallocate, O_RDONLY, fallocate(fd, 0, 0, 4096))
FD_CALL(do_fallocate_w, O_RDWR, fallocate(fd, 0, 0, 4096))
FD_CALL(do_punch_w, O_RDWR, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096))
FD_CALL(do_fsync, O_RDONLY, fsync(fd))
FD_CALL(do_fdatasync, O_RDONLY, fdatasync(fd))
FD_CALL(do_syncfs, O_RDONLY, syncfs(fd))
FD_CALL(do_fsetxattr, O_RDONLY, fsetxattr(fd, "user.a", "b", 1, 0))
FD_CALL(do_ioctl, O_RDONLY, ioctl(fd, FS_IOC_GETFLAGS, some))
FD_CALL(do_flock, O_RDONLY, flock(fd, LOCK_EX | LOCK_NB))
FD_CALL(do_lock_r, O_RDONLY, fcntl(fd, F_SETLK, &(struct flock){.l_type = F_RDLCK}))
FD_CALL(do_lock_w, O_RDONLY, fcntl(fd, F_SETLK, &(struct flock){.l_type = F_WRLCK}))
FD_CALL(do_seek_data, O_RDONLY, lseek(fd, 0, SEEK_DATA))
FD_CALL(do_seek_hole, O_RDONLY, lseek(fd, 0, SEEK_HOLE) == (fstat(fd, &st), st.st_size) ? 0 : (errno = ESPIPE, -1))
FD_CALL(do_seek_beyond, O_RDONLY, lseek(fd, (fstat(fd, &st), st.st_size), SEEK_DATA))

static int map(const char *path, int flags, int access, int how)
{
	int fd = open(path, flags | O_CLOEXEC), r = 0;

	if (fd < 0)
		return errno;
	void *p = mmap(NULL, 4096, access, how, fd, 0);
	if (p == MAP_FAILED)
		r = errno;
	else
		munmap(p, 4096);
	close(fd);
	return r;
}

#define MAP(name, flags, access, how)                     \
	static int name(const char *path, const char *to) \
	{                                                 \
		(void)to;                                 \
		return map(path, flags, access, how);     \
	}
MAP(do_mmap_shared_w, O_RDONLY, PROT_READ | PROT_WRITE, MAP_SHARED)
MAP(do_mmap_shared_rw, O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED)
MAP(do_mmap_shared_r, O_RDONLY, PROT_READ, MAP_SHARED)
MAP(do_mmap_private_w, O_RDONLY, PROT_READ | PROT_WRITE, MAP_PRIVATE)
MAP(do_mmap_private_x, O_RDONLY, PROT_READ | PROT_EXEC, MAP_PRIVATE)

/* From PATH, whose open may fail, to TO. */
static int do_copy_file_range(const char *path, const char *to)
{
	int in = open(path, O_RDONLY | O_CLOEXEC), out = in < 0 ? -1 : open(to, O_WRONLY | O_CLOEXEC), r = 0;

	if (in < 0 || out < 0 || copy_file_range(in, NULL, out, NULL, 1 << 20, 0) < 0)
		r = errno;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return r;
}

static const struct {
	const char *name;
	int (*fn)(const char *path, const char *to);
} calls[] = {
	{"open-r", do_open_r},
	{"open-w", do_open_w},
	{"open-rw", do_open_rw},
	{"open-trunc", do_open_trunc},
	{"open-append", do_open_append},
	{"open-creat", do_open_creat},
	{"open-creat-r", do_open_creat_r},
	{"open-excl", do_open_excl},
	{"open-tmpfile", do_open_tmpfile},
	{"open-directory", do_open_directory},
	{"open-path", do_open_path},
	{"creat", do_creat},
	{"stat", do_stat},
	{"statfs", do_statfs},
	{"access-r", do_access_r},
	{"access-w", do_access_w},
	{"access-x", do_access_x},
	{"mkdir", do_mkdir},
	{"rmdir", do_rmdir},
	{"unlink", do_unlink},
	{"mknod", do_mknod},
	{"mkfifo", do_mkfifo},
	{"symlink", do_symlink},
	{"link", do_link},
	{"rename", do_rename},
	{"rename-noreplace", do_rename_noreplace},
	{"rename-exchange", do_rename_exchange},
	{"chmod", do_chmod},
	{"chmod-same", do_chmod_same},
	{"chown", do_chown},
	{"chown-same", do_chown_same},
	{"utimensat", do_utimensat},
	{"utimensat-now", do_utimensat_now},
	{"truncate", do_truncate},
	{"truncate-more", do_truncate_more},
	{"setxattr", do_setxattr},
	{"setxattr-caps", do_setxattr_caps},
	{"removexattr", do_removexattr},
	{"getxattr", do_getxattr},
	{"listxattr", do_listxattr},
	{"read", do_read},
	{"read-direct", do_read_direct},
	{"write-r", do_write_r},
	{"ftruncate", do_ftruncate},
	{"ftruncate-w", do_ftruncate_w},
	{"fchmod", do_fchmod},
	{"fchown", do_fchown},
	{"futimens", do_futimens},
	{"fallocate", do_fallocate},
	{"fallocate-w", do_fallocate_w},
	{"punch-w", do_punch_w},
	{"fsync", do_fsync},
	{"fdatasync", do_fdatasync},
	{"syncfs", do_syncfs},
	{"fsetxattr", do_fsetxattr},
	{"ioctl", do_ioctl},
	{"flock", do_flock},
	{"lock-r", do_lock_r},
	{"lock-w", do_lock_w},
	{"seek-data", do_seek_data},
	{"seek-hole", do_seek_hole},
	{"seek-beyond", do_seek_beyond},
	{"mmap-shared-w", do_mmap_shared_w},
	{"mmap-shared-rw", do_mmap_shared_rw},
	{"mmap-shared-r", do_mmap_shared_r},
	{"mmap-private-w", do_mmap_private_w},
	{"mmap-private-x", do_mmap_private_x},
	{"copy_file_range", do_copy_file_range},
};

static const char *mount_dir, *out_dir;

static const char *name_of(int error)
{
	const char *name = error ? strerrorname_np(error) : "ok";

	return !name ? "?" : error == EOPNOTSUPP ? "EOPNOTSUPP" : name;
}

/* NAME as a path; static, one per SLOT. */
static const char *path_of(const char *name, int slot)
{
	static char path[2][8192];
	const char *special = strchr(name, '{');
	size_t n = special ? (size_t)(special - name) : strlen(name);
	char *p = path[slot];

	if (!strcmp(name, "."))
		return mount_dir;
	if (special && !strncmp(special, "{out}", 5)) {
		snprintf(p, sizeof(path[0]), "%s%s", out_dir, special + 5);
	} else if (special && !strcmp(special, "{long}")) {
		n = (size_t)snprintf(p, sizeof(path[0]), "%s/%.*s", mount_dir, (int)n, name);
		memset(p + n, 'n', 256);
		p[n + 256] = 0;
	} else {
		snprintf(p, sizeof(path[0]), "%s/%s", mount_dir, name);
	}
	return p;
}

static bool is_expected(const char *want, int got)
{
	size_t n = strlen(name_of(got));

	for (; want; want = strchr(want, '|')) {
		want += *want == '|';
		if (!strncmp(want, name_of(got), n) && (!want[n] || want[n] == '|'))
			return true;
	}
	return false;
}

/* One row, its words still in SAVE. How many of its calls went otherwise. */
static int do_row(int line, const char *call, char *save)
{
	const char *want = strtok_r(NULL, " \t\n", &save);
	int bad = 0, paths = 0;
	size_t c = 0;
	char *name;

	while (c < sizeof(calls) / sizeof(calls[0]) && strcmp(calls[c].name, call))
		c++;
	if (c == sizeof(calls) / sizeof(calls[0]) || !want)
		errx(2, "line %d: %s: no such call, or no errno", line, call);
	for (; (name = strtok_r(NULL, " \t\n", &save)); paths++) {
		char *to = strchr(name, '>');
		if (to)
			*to++ = 0;
		int got = calls[c].fn(path_of(name, 0), to ? path_of(to, 1) : NULL);
		if (is_expected(want, got))
			continue;
		printf("line %d: %s %s%s%s: got %s, expected %s\n", line, call, name, to ? " to " : "", to ? to : "",
		       name_of(got), want);
		bad++;
	}
	if (!paths)
		errx(2, "line %d: no path", line);
	return bad;
}

int main(int argc, char **argv)
{
	char text[1024], *save;
	bool is_ours = false;
	int bad = 0, rows = 0;

	if (argc != 5)
		errx(2, "usage: errno_table TABLE WHO MOUNT OUTSIDE");
	mount_dir = argv[3];
	out_dir = argv[4];
	FILE *f = fopen(argv[1], "re");
	if (!f)
		err(2, "%s", argv[1]);
	for (int line = 1; fgets(text, sizeof(text), f); line++) {
		text[strcspn(text, "#")] = 0;
		const char *call = strtok_r(text, " \t\n", &save);
		if (!call)
			continue;
		if (!strcmp(call, "as")) {
			const char *who = strtok_r(NULL, " \t\n", &save);
			is_ours = who && !strcmp(who, argv[2]);
		} else if (is_ours) {
			bad += do_row(line, call, save);
			rows++;
		}
	}
	fclose(f);
	if (!rows)
		errx(2, "no rows as %s", argv[2]);
	printf("as %s: %d rows, %d bad\n", argv[2], rows, bad);
	return bad != 0;
}
