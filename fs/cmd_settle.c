/* cmd_settle.c - linkfs materialize and gc: plain files now, and room.
 *
 * materialize needs nothing of the mount but its files: it copies what the symbolic link shows and puts the copy in its
 * place. So it serves links that were copied or renamed, too.
 */
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>

#include "ask.h"
#include "commands.h"
#include "mountinfo.h"
#include "place.h"
#include "util.h"

static bool has_failed;

/* Does TARGET lie below the .o of a mounted linkfs? */
static bool is_output(const char *target)
{
	const char *at = strstr(target, "/.o/");
	struct mount_entry m;
	CLEAN_MEM char *mountpoint = at ? strndup(target, (size_t)(at - target)) : NULL;

	return mountpoint && mountinfo_find(mountpoint, &m) == 0 && !strncmp(m.type, MOUNT_TYPE, strlen(MOUNT_TYPE));
}

static int copy(const char *target, int dir_fd, const char *name)
{
	CLEAN_FD int src = open(target, O_RDONLY | O_CLOEXEC);
	struct placing p;
	struct stat st;

	if (src < 0 || fstat(src, &st) < 0)
		return -errno;
	int r = placing_begin(&p, dir_fd);
	if (r)
		return r;
	r = placing_copy(&p, src, 0, (uint64_t)st.st_size);
	if (!r)
		r = placing_end_over_link(&p, name, target, st.st_mode & 07777, st.st_mtim);
	placing_done(&p);
	return r == -ESTALE ? 0 : r; /* somebody was faster, or made another */
}

static int materialize(const char *path)
{
	char target[PATH_MAX];
	CLEAN_MEM char *dir = strdup(path);

	int r = place_read_link(AT_FDCWD, path, target);
	if (r)
		return r == -EINVAL ? 0 : r; /* a plain file already */
	if (!dir || !is_output(target))
		return dir ? 0 : -ENOMEM;
	char *slash = strrchr(dir, '/');
	const char *name = slash ? slash + 1 : path;
	if (slash)
		*slash = 0;
	CLEAN_FD int dir_fd = open(!slash ? "." : *dir ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -errno : copy(target, dir_fd, name);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)at;
	int r = type == FTW_SL ? materialize(path) : type == FTW_DNR || type == FTW_NS ? -EACCES : 0;
	if (r) {
		fail(1, "materialize: %s: %s", path, strerror(-r));
		has_failed = true;
	}
	return 0;
}

int cmd_materialize(int argc, char **argv)
{
	if (argc < 2)
		return fail(2, "materialize: expected files or directories");
	for (int i = 1; i < argc; i++) {
		if (nftw(argv[i], visit, 64, FTW_PHYS | FTW_MOUNT) < 0) {
			fail(1, "materialize: %s: %s", argv[i], strerror(errno));
			has_failed = true;
		}
	}
	return has_failed;
}

int cmd_gc(int argc, char **argv)
{
	struct msg m = { .type = MSG_CLIENT_GC };
	const char *dir = take_mount_option(&argc, argv);
	char why[512];
	struct packet p;
	struct ask a;

	if (argc != 1)
		return fail(2, "gc: expected at most --mount=DIR");
	CLEAN_MEM char *mountpoint = must_mounted(dir);
	if (!mountpoint)
		return 1;
	if (ask_open(mountpoint, &a, why, sizeof(why)))
		return fail(1, "gc: %s", why);
	int r = ask_send(&a, &m, NULL, NULL, 0, why, sizeof(why));
	if (!r)
		r = ask_wait(&a, MSG_CLIENT_GC, &p, why, sizeof(why));
	ask_close(&a);
	if (r)
		return fail(1, "gc: %s", why);
	packet_done(&p);
	printf("%" PRIu64 " outputs forgotten\n", p.msg.u.place.cnt);
	return 0;
}
