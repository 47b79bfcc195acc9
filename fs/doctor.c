/* doctor.c - see doctor.h. The checks of linkfs doctor, each of which looks at one thing and says one line.
 *
 * A mount that hangs holds up none of them: it is asked in a child first, and given up after a while.
 */
#include "doctor.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "ask.h"
#include "keys.h"
#include "linkfs.h"
#include "mountinfo.h"
#include "show.h"

#define ROOM_BAD    ((uint64_t)64 << 20)
#define ROOM_NOTE   ((uint64_t)1 << 30)
#define NOFILE_NOTE 4096
#define MAPS_NOTE   65530

int doctor_say(enum doctor_level level, const char *fmt, ...)
{
	static const char *const words[] = {"ok  ", "note", "bad "};
	CLEAN_TEXT struct text t = { 0 };
	char line[PATH_MAX + 512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	show_name(&t, line);
	printf("%s  %s\n", words[level], t.s ? t.s : "");
	return level == BAD;
}

static int check_device(void)
{
	CLEAN_FD int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return doctor_say(OK, "/dev/fuse can be opened");
	if (errno == ENOENT)
		return doctor_say(
			BAD,
			"there is no /dev/fuse: modprobe fuse; in a container, give it the device and CAP_SYS_ADMIN");
	return doctor_say(BAD, "/dev/fuse: %s: no mount can be made; file mode works all the same", strerror(errno));
}

int doctor_find(const char *name, const struct stat *not, char ret[PATH_MAX])
{
	const char *path = getenv("PATH");
	struct stat st;

	for (const char *s = path && *path ? path : "/usr/bin:/bin"; *s; s += *s == ':') {
		size_t n = strcspn(s, ":");
		if (n && snprintf(ret, PATH_MAX, "%.*s/%s", (int)n, s, name) < PATH_MAX && stat(ret, &st) == 0 &&
		    S_ISREG(st.st_mode) && access(ret, X_OK) == 0 &&
		    !(not && st.st_dev == not->st_dev && st.st_ino == not->st_ino))
			return 0;
		s += n;
	}
	return -ENOENT;
}

static int check_fusermount(void)
{
	char path[PATH_MAX];
	struct stat st;

	if (geteuid() == 0)
		return 0; /* mounts by itself */
	if (doctor_find("fusermount3", NULL, path))
		return doctor_say(BAD, "fusermount3 is not in $PATH: without it only root can mount (package fuse3)");
	if (stat(path, &st) < 0 || st.st_uid != 0 || !(st.st_mode & S_ISUID))
		return doctor_say(BAD, "%s is not set-user-ID root: only root can mount", path);
	if (access(MTAB, R_OK) < 0)
		return doctor_say(BAD,
				  MTAB ": %s, and without it fusermount3 can't unmount: as root: ln -s /proc/self/mounts " MTAB,
				  strerror(errno));
	return doctor_say(OK, "%s can mount", path);
}

/* What the mount says of itself. False: there is none to ask; *BAD counts. */
static bool read_stats(const char *mountpoint, struct keyfile *ret, int *bad)
{
	CLEAN_MEM char *path = NULL;
	struct mount_entry at;

	if (mountinfo_find(mountpoint, &at) || strncmp(at.type, MOUNT_TYPE, strlen(MOUNT_TYPE))) {
		*bad += doctor_say(
			NOTE, "no linkfs is mounted at %s: linkfs mount starts one; without it links are plain files",
			mountpoint);
		return false;
	}
	int r = mountinfo_probe(mountpoint, 5000);
	if (!r && asprintf(&path, "%s/.linkfs/stats", mountpoint) < 0) {
		path = NULL;
		r = -ENOMEM;
	}
	if (!r)
		r = keyfile_read(path, ret);
	if (!r && ret->cnt) {
		*bad += doctor_say(OK, "the mount at %s answers", mountpoint);
		return true;
	}
	if (r == -ENOTCONN)
		*bad += doctor_say(BAD, "the mount at %s is dead, its process has ended: linkfs mount replaces it",
				   mountpoint);
	else if (r == -EACCES)
		*bad += doctor_say(BAD, "the mount at %s is user %u's: mount one of your own", mountpoint,
				   (unsigned)at.uid);
	else
		*bad += doctor_say(BAD, "the mount at %s does not answer (%s): linkfs umount --lazy detaches it",
				   mountpoint, strerror(r ? -r : EPROTO));
	return false;
}

/* The mount process may be older than this program. */
static int check_version(const char *mountpoint, const struct keys *stats)
{
	const char *version = keys_text(stats, "version");
	char link[64], exe[PATH_MAX], why[PATH_MAX + 256];
	struct ask a;

	int r = ask_open(mountpoint, &a, why, sizeof(why));
	ask_close(&a);
	if (r)
		return doctor_say(BAD, "ld.linkfs can't talk to the mount process: %s", why);
	if (strcmp(version, LINKFS_VERSION))
		return doctor_say(
			NOTE,
			"the mount process is version %s, this program %s: mount it anew (linkfs umount, linkfs mount)",
			version, LINKFS_VERSION);
	snprintf(link, sizeof(link), "/proc/%s/exe", keys_text(stats, "mount_pid"));
	ssize_t n = readlink(link, exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = 0;
	const char *tail = n > 10 ? exe + n - 10 : "";
	if (!strcmp(tail, " (deleted)"))
		return doctor_say(NOTE,
				  "the mount process runs a program that was replaced meanwhile: mount it anew to have "
				  "the new one");
	return doctor_say(OK, "the mount process is of this version, %s", version);
}

/* STATS: NULL without a mount. */
static int check_cache_dir(const struct keys *stats)
{
	CLEAN_MEM char *standard = stats ? NULL : mountinfo_default_dir("");
	const char *dir = stats ? keys_text(stats, "cache_dir") : standard;
	char room[AMOUNT_SZ];
	struct statvfs sv;
	struct stat st;

	if (!dir)
		return doctor_say(BAD, "no home directory is known: say -o cache_dir=DIR at linkfs mount");
	if (stat(dir, &st) < 0 && errno == ENOENT && !stats)
		return doctor_say(OK, "cache_dir %s: the first linkfs mount makes it", dir);
	if (stat(dir, &st) < 0 || statvfs(dir, &sv) < 0)
		return doctor_say(BAD, "cache_dir %s: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return doctor_say(BAD, "cache_dir %s: not a directory", dir);
	if (geteuid() && st.st_uid != geteuid())
		return doctor_say(BAD, "cache_dir %s belongs to user %u: what is made of your programs would, too", dir,
				  (unsigned)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return doctor_say(BAD, "cache_dir %s can be written to by others: chmod go-w", dir);
	uint64_t free = (uint64_t)sv.f_bavail * sv.f_frsize;
	show_bytes(room, free);
	if (sv.f_flag & ST_RDONLY)
		return doctor_say(BAD, "cache_dir %s: its file system is read-only", dir);
	if (free < ROOM_BAD)
		return doctor_say(BAD, "cache_dir %s: only %s are free: reading what is not made yet will fail", dir,
				  room);
	return doctor_say(free < ROOM_NOTE ? NOTE : OK, "cache_dir %s: %s free", dir, room);
}

/* LINE of /proc/PID/limits that begins with NAME: the soft limit; RLIM_INFINITY too where it can't be read. */
static rlim_t limit_of(const char *pid, const char *name)
{
	char path[64], line[256];
	rlim_t value = RLIM_INFINITY;

	snprintf(path, sizeof(path), "/proc/%s/limits", pid);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		unsigned long long v;
		if (!strncmp(line, name, strlen(name)) && sscanf(line + strlen(name), "%llu", &v) == 1)
			value = v;
	}
	if (f)
		fclose(f);
	return value;
}

/* Of the mount process, or of this one, from which a mount would inherit them. */
static int check_limits(const struct keys *stats)
{
	const char *pid = stats ? keys_text(stats, "mount_pid") : "self";
	unsigned long long files = limit_of(pid, "Max open files"), maps = sysctl_number("/proc/sys/vm/max_map_count");
	int notes = 0;

	if (files < NOFILE_NOTE)
		notes += 1 +
			 doctor_say(
				 NOTE,
				 "RLIMIT_NOFILE is %llu: a link holds a descriptor per input, so large ones will fail",
				 files);
	if (limit_of(pid, "Max address space") != RLIM_INFINITY)
		notes += 1 + doctor_say(NOTE, "RLIMIT_AS is set: inputs are mapped, so large links will fail");
	if (limit_of(pid, "Max file size") != RLIM_INFINITY)
		notes += 1 + doctor_say(NOTE, "RLIMIT_FSIZE is set: larger outputs will fail");
	if (maps && maps < MAPS_NOTE)
		notes += 1 +
			 doctor_say(NOTE, "vm.max_map_count is %llu: with many inputs fewer of them stay mapped", maps);
	return notes ? 0 : doctor_say(OK, "limits: %llu open files, address space and file size unlimited", files);
}

int doctor_system(const char *mountpoint)
{
	CLEAN_KEYS struct keyfile stats = { 0 };
	int bad = check_device() + check_fusermount();
	bool is_there = read_stats(mountpoint, &stats, &bad);

	if (is_there)
		bad += check_version(mountpoint, &stats.par[0]);
	bad += check_cache_dir(is_there ? &stats.par[0] : NULL);
	return bad + check_limits(is_there ? &stats.par[0] : NULL);
}
