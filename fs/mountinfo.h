/* mountinfo.h - what is mounted where, read from /proc/self/mountinfo: never by touching the mount itself.
 */
#ifndef FS_MOUNTINFO_H
#define FS_MOUNTINFO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MOUNT_TYPE "fuse.linkfs"

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
