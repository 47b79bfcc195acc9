/* mountinfo.h - what is mounted where, read from /proc/self/mountinfo: never by touching the mount itself.
 */
#ifndef FS_MOUNTINFO_H
#define FS_MOUNTINFO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MOUNT_TYPE "fuse.linkfs"
#define MTAB "/etc/mtab" /* fusermount3 can't unmount without it */

struct mount_entry {
	int id; /* as in /proc/PID/fdinfo */
	unsigned major, minor;
	char type[64];
	uid_t uid; /* whose it is, of a FUSE mount; else 0 */
	gid_t gid;
};

/* The mount on top at exactly this path (absolute, no symbolic links, no trailing slash). 0, -ENOENT or -errno. */
int mountinfo_find(const char *path, struct mount_entry *ret);
static inline uint64_t mount_dev(const struct mount_entry *m)
{
	return (uint64_t)m->major << 32 | m->minor;
}

/* Is FD on a file system known to honour leases and to tell of every change by inotify? Others, FUSE among them, grant both
 * and do neither. */
bool mountinfo_is_believed(int fd);

/* All mounts, as they were last read. Zeros: none. */
struct mount_table {
	struct mount_line *lines; /* in order of their hashes */
	unsigned cnt;
};
/* Reads FD, of /proc/self/mountinfo, and calls with the mount point of each mount that may not have been there as it is, or is
 * not any more. Numbers of mounts and devices are used again at once: a line that stays may be of another mount. Of a whole
 * file system it is of the same one, or the old one came to its end; but of a part of one it may be another part, and so
 * these are always among those called with. 0; -errno: they can't be told. */
int mount_table_update(struct mount_table *t, int fd, void (*call)(void *ctx, const char *mountpoint), void *ctx);
void mount_table_done(struct mount_table *t);

/* Turns PATH into what the kernel shows: absolute, symbolic links of its parents resolved. The last component is not
 * looked at, so that a dead mount there does no harm. The caller frees. */
int mountinfo_resolve(const char *path, char **ret);

/* Is the mount there answering? Asks in a child, so that a hanging server costs TIMEOUT_MS and no more.
 * 0: alive; -ENOTCONN: its process is gone; -EACCES: it is another user's, who lets nobody in; -ETIMEDOUT; other -errno
 * of stat. */
int mountinfo_probe(const char *path, int timeout_ms);

/* Detaches: umount2 for root, fusermount3 for others. LAZY: even where busy. -EBUSY: in use. */
int mountinfo_detach(const char *path, bool lazy);

/* Ends the connection of the mount with this device (major << 32 | minor) through the fuse control file system: every
 * request fails with ENOTCONN, waiting ones too. 0 or -errno. */
int mountinfo_abort(uint64_t dev);

/* ${XDG_CACHE_HOME:-~/.cache}/linkfs with SUFFIX behind; the caller frees; NULL: no home directory is known. */
char *mountinfo_default_dir(const char *suffix);
/* The same of ${XDG_CONFIG_HOME:-~/.config}/linkfs. */
char *mountinfo_config_dir(const char *suffix);

#endif
