/* cmd_umount.c - linkfs umount: settle, detach, say who is in the way, wait for the mount process to end. */
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "ask.h"
#include "commands.h"
#include "mountinfo.h"
#include "users.h"
#include "util.h"

#define END_TIMEOUT_MS 10000

/* Even root may look inside a user's mount only as that user. */
static int become(const struct mount_entry *at)
{
	if (geteuid() || !at->uid)
		return 0;
	return setgroups(0, NULL) || setresgid(at->gid, at->gid, at->gid) || setresuid(at->uid, at->uid, at->uid);
}

/* The mount process's id, from the mount's own statistics; read in a child that can be given up. 0: not known. */
static pid_t find_process(const char *mountpoint, const struct mount_entry *at)
{
	CLEAN_MEM char *path = NULL;
	int p[2];
	pid_t found = 0;

	if (asprintf(&path, "%s/.linkfs/stats", mountpoint) < 0 || pipe(p) < 0)
		return 0;
	pid_t child = fork();
	if (child == 0) {
		char line[256];
		int pid = 0;
		FILE *f = become(at) ? NULL : fopen(path, "re");
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "mount_pid: %d", &pid) == 1)
				break;
		ssize_t n = write(p[1], &pid, sizeof(pid));
		_exit(n != sizeof(pid));
	}
	close(p[1]);
	struct pollfd pf = { .fd = p[0], .events = POLLIN };
	if (child > 0 && poll(&pf, 1, 3000) > 0 && read(p[0], &found, sizeof(found)) != sizeof(found))
		found = 0;
	close(p[0]);
	if (child > 0 && !found)
		kill(child, SIGKILL);
	if (child > 0)
		waitpid(child, NULL, found ? 0 : WNOHANG);
	return found;
}

/* Plain files of all outputs first, so that nothing dangles. */
static int settle_all(const char *mountpoint)
{
	struct msg m = { .type = MSG_CLIENT_SETTLE };
	char why[512];
	struct packet p;
	struct ask a;

	if (ask_open(mountpoint, &a, why, sizeof(why)))
		return fail(1, "umount: %s: say --no-settle to end it all the same", why);
	int r = ask_send(&a, &m, NULL, NULL, 0, why, sizeof(why));
	if (!r)
		r = ask_wait(&a, MSG_CLIENT_SETTLE, &p, why, sizeof(why));
	ask_close(&a);
	if (r)
		return fail(1, "umount: %s: say --no-settle to end it all the same", why);
	packet_done(&p);
	if (!p.msg.error)
		return 0;
	fail(1, "umount: %s: these outputs can't be made plain files:", mountpoint);
	char *save = NULL;
	for (char *s = strtok_r(p.text, "\n", &save); s; s = strtok_r(NULL, "\n", &save))
		fprintf(stderr, "linkfs:   %s\n", s);
	return fail(1, "umount: make room, or say --no-settle: then those that are not restart_safe must be linked again");
}

/* As its owner: the mount listens to nobody else. */
static int settle_as_owner(const char *mountpoint, const struct mount_entry *at)
{
	int status = 1;

	if (geteuid() || !at->uid)
		return settle_all(mountpoint);
	fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		_exit(become(at) || settle_all(mountpoint));
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return child < 0 || status;
}

static void show_user(int pid, const char *name, const char *what)
{
	fprintf(stderr, "linkfs:   process %d (%s) %s\n", pid, name, what);
}

/* A desktop's indexer may look in for a moment: what nobody can be named for is tried again. */
static int detach(const char *mountpoint, const struct mount_entry *at, bool lazy)
{
	if (geteuid() && access(MTAB, R_OK) < 0)
		return fail(1, "umount: " MTAB ": %s, which fusermount3 wants to read: as root: ln -s /proc/self/mounts " MTAB,
			    strerror(errno));
	int r = mountinfo_detach(mountpoint, lazy);

	for (int i = 0; r == -EBUSY && i < 10; i++) {
		static const struct timespec pause = { .tv_nsec = 50000000 };
		nanosleep(&pause, NULL);
		r = mountinfo_detach(mountpoint, lazy);
	}
	if (r == -EBUSY) {
		fail(1, "umount: %s: it is in use:", mountpoint);
		if (!users_list(mountpoint, at, show_user))
			fprintf(stderr, "linkfs:   by processes of other users, or by another mount\n");
		return fail(1, "umount: end them, or say --lazy: then they are served until they are done");
	}
	return r ? fail(1, "umount: %s: %s", mountpoint, strerror(-r)) : 0;
}

static int wait_for_end(const char *mountpoint, pid_t pid)
{
	int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (fd < 0)
		return 0; /* gone already, or never known */
	struct pollfd pf = { .fd = fd, .events = POLLIN };
	int n = poll(&pf, 1, END_TIMEOUT_MS);
	close(fd);
	return n > 0 ? 0
		     : fail(1,
			    "umount: %s: unmounted, but process %d has not ended: another mount namespace may hold it",
			    mountpoint, (int)pid);
}

int cmd_umount(int argc, char **argv)
{
	struct mount_entry at;
	bool lazy = false, settles = true;
	const char *dir = NULL;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--lazy"))
			lazy = true;
		else if (!strcmp(argv[i], "--no-settle"))
			settles = false;
		else if (argv[i][0] == '-' || dir)
			return fail(2, "umount: %s: expected at most --lazy, --no-settle and a mount point", argv[i]);
		else
			dir = argv[i];
	}
	CLEAN_MEM char *mountpoint = must_mountpoint(dir);
	if (!mountpoint)
		return 1;
	if (chdir("/") < 0) /* or this process would be among its users */
		return fail(1, "umount: /: %s", strerror(errno));
	if (mountinfo_find(mountpoint, &at))
		return fail(1, "umount: %s: nothing is mounted here", mountpoint);
	if (strncmp(at.type, MOUNT_TYPE, strlen(MOUNT_TYPE)))
		return fail(1, "umount: %s: what is mounted here (%s) is not a linkfs", mountpoint, at.type);
	if (geteuid() && at.uid != geteuid())
		return fail(1, "umount: %s: it is the mount of user %u, who can end it, as can root", mountpoint,
			    (unsigned)at.uid);
	int alive = mountinfo_probe(mountpoint, 3000);
	if (alive == -ETIMEDOUT && !lazy)
		return fail(1, "umount: %s: it does not answer: say --lazy to detach it", mountpoint);
	bool answers = alive == 0 || alive == -EACCES; /* to its owner */
	if (answers && settles && settle_as_owner(mountpoint, &at))
		return 1;
	pid_t pid = answers ? find_process(mountpoint, &at) : 0;
	int r = detach(mountpoint, &at, lazy || alive == -ENOTCONN);
	return r || lazy ? r : wait_for_end(mountpoint, pid);
}
