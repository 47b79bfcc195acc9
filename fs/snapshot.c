/* snapshot.c - copies of inputs, made fast: a writer may be waiting.
 *
 * A reflink where cache_dir is on the input's file system and that can do it; otherwise the kernel copies, from one page
 * cache to the other. All bytes are there before the copy counts, so that a full disk is known now and not at a fill. Small
 * copies stay in memory, which saves the file system an inode, up to a bound; so do larger ones that cache_dir refuses.
 */
#include "custody.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#define SMALL_SZ ((uint64_t)64 << 10)
#define MEMORY_MAX ((uint64_t)64 << 20) /* of all copies in memory */
#define STEP_SZ ((size_t)64 << 20)	/* of one call */

bool snapshot_may_use_memory(const struct fs *fs, uint64_t sz)
{
	return sz <= MEMORY_MAX && fs->inputs.copy_memory_bytes <= MEMORY_MAX - sz;
}

static int open_memory(void)
{
	int fd = memfd_create("linkfs-input", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd < 0 ? -errno : fd;
}

/* A file of cache_dir without a name. */
static int open_file(const struct fs *fs)
{
	char name[64];
	struct timespec now;
	int fd = openat(fs->cache_dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd < 0 ? -errno : fd;
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(name, sizeof(name), ".snapshot-%d-%lld", (int)gettid(), (long long)timespec_ns(&now));
	fd = openat(fs->cache_dir_fd, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	unlinkat(fs->cache_dir_fd, name, 0);
	return fd;
}

/* One step of a copy: how many bytes, 0 at the end of the file, or -errno. *USES_SENDFILE: the better call does not work
 * between these two. */
static ssize_t copy_step(int from, int to, off_t off, size_t sz, bool *uses_sendfile)
{
	off_t in = off, out = off;

	if (!*uses_sendfile) {
		ssize_t n = copy_file_range(from, &in, to, &out, sz, 0);
		/* Some file systems claim to be at the end. */
		if (n > 0)
			return n;
		if (n < 0 && (errno == EINTR || errno == ENOSPC || errno == EIO || errno == EDQUOT))
			return -errno;
		*uses_sendfile = true;
	}
	if (lseek(to, off, SEEK_SET) < 0)
		return -errno;
	ssize_t n = sendfile(to, from, &in, sz);
	return n < 0 ? -errno : n;
}

static int copy_bytes(int from, int to, uint64_t sz)
{
	bool uses_sendfile = false;

	for (uint64_t done = 0; done < sz;) {
		ssize_t n = copy_step(from, to, (off_t)done, sz - done < STEP_SZ ? sz - done : STEP_SZ, &uses_sendfile);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n ? (int)n : -ESTALE;
		done += (uint64_t)n;
	}
	return 0;
}

static int clone_file(int from, int to, uint64_t sz)
{
	struct stat st;

	if (ioctl(to, FICLONE, from) < 0)
		return -errno;
	if (fstat(to, &st) < 0)
		return -errno;
	return (uint64_t)st.st_size == sz ? 0 : -ESTALE;
}

/* Nobody that it is given to can write to it. */
static int open_again_read_only(int fd)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int r = open(path, O_RDONLY | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

static int copy_to_memory(int from, uint64_t sz)
{
	CLEAN_FD int fd = open_memory();

	if (fd < 0)
		return take_fd(&fd);
	int r = copy_bytes(from, fd, sz);
	if (!r && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		r = -errno;
	return r ? r : open_again_read_only(fd);
}

static int copy_to_file(const struct fs *fs, int from, uint64_t sz)
{
	CLEAN_FD int fd = open_file(fs);

	if (fd < 0)
		return take_fd(&fd);
	int r = clone_file(from, fd, sz);
	if (r && r != -ESTALE)
		r = copy_bytes(from, fd, sz);
	return r ? r : open_again_read_only(fd);
}

int snapshot_new(struct fs *fs, int fd, uint64_t sz, bool may_use_memory, bool *ret_is_memory)
{
	bool is_memory = may_use_memory && sz <= SMALL_SZ;
	int r = is_memory ? copy_to_memory(fd, sz) : copy_to_file(fs, fd, sz);

	if (r < 0 && r != -ESTALE && may_use_memory && !is_memory) {
		is_memory = true;
		r = copy_to_memory(fd, sz);
	}
	if (r >= 0)
		*ret_is_memory = is_memory;
	return r;
}
