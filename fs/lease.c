/* lease.c - read leases on inputs: a writer waits until we have a copy.
 *
 * A lease belongs to an open file description, and ends only when all of its descriptors are closed. Those that go to
 * linker processes share theirs with them; so the lease is set on one opened anew, which this process alone has: if it
 * dies, writers go on at once. A break comes as a real-time signal with the descriptor's number, read from a signalfd; when
 * the queue of signals is full, as a plain SIGIO, and then every lease is looked at.
 *
 * Only file systems known to honour leases are believed: others grant them and let writers pass.
 *
 * Does the lease still hold when the copy is complete? The kernel does not tell (F_GETLEASE says F_UNLCK from the start of
 * the break). It ends by itself lease-break-time after the break began, which was later than the last time the queue of
 * signals was seen to be empty. So either that was not so long ago, or the file must look as it did before.
 */
#include "custody.h"
#include "mountinfo.h"
#include "pathwalk.h"
#include "watch.h"
#include "worker_link.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#define LEASE_SIGNAL (SIGRTMIN + 3)
#define LOOK_MS 2000 /* how often the queue is seen to be empty at least, while there are leases */
#define SIGNALS_MAX 64

struct leases {
	pthread_t thread;
	int signal_fd;
	int wake_fd;
	/* By fs.lock: */
	bool is_stopping;
	int64_t quiet_ms; /* no break that is not handled yet began before */
	int64_t sure_until_ms; /* nor can the kernel have ended one by itself until then */
};

void lease_add_signals(sigset_t *set)
{
	sigaddset(set, LEASE_SIGNAL);
	sigaddset(set, SIGIO);
}

static bool is_as_linked(int fd, const struct msg_identity *id)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	struct msg_identity now = identity_of(&st);
	return identity_same_content(&now, id);
}

static void wake(struct leases *l)
{
	uint64_t one = 1;
	ssize_t n = write(l->wake_fd, &one, sizeof(one));

	(void)n; /* full means it will wake anyway */
}

/* How long the kernel waits for us, ms. */
static int64_t break_time_ms(void)
{
	uint64_t s = sysctl_number("/proc/sys/fs/lease-break-time");

	return (int64_t)(s < 3600 ? s : 3600) * 1000;
}

/* (lock held) The queue of signals was empty at that time. */
static void note_quiet(struct leases *l, int64_t at_ms, int64_t break_ms)
{
	l->quiet_ms = at_ms;
	l->sure_until_ms = at_ms + break_ms - 1000;
}

bool lease_is_sure(const struct fs *fs)
{
	return fs->leases && now_ms() < fs->leases->sure_until_ms;
}

int lease_set(struct fs *fs, struct input *i)
{
	char path[40];
	int r = 0;

	if (!mountinfo_is_believed(i->fd))
		return -EOPNOTSUPP;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", i->fd);
	CLEAN_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	int64_t break_ms = break_time_ms();
	/* A break that comes at once must find the descriptor known: so with the lock. */
	fs_lock(fs);
	if (fcntl(fd, F_SETSIG, LEASE_SIGNAL) < 0 || fcntl(fd, F_SETOWN, getpid()) < 0 ||
	    fcntl(fd, F_SETLEASE, F_RDLCK) < 0) {
		r = -errno;
	} else if (!is_as_linked(fd, &i->id)) {
		r = -ESTALE;
	} else {
		i->lease_fd = take_fd(&fd);
		i->state = CUSTODY_LEASED;
		if (fs->inputs.leases++ == 0) { /* the thread sleeps without an end */
			note_quiet(fs->leases, now_ms(), break_ms);
			wake(fs->leases);
		}
	}
	fs_unlock(fs);
	return r;
}

/* --- breaks --- */

/* A lease that is being broken; FD: this one, if it is. NULL: none. (lock held) */
static struct input *find_broken(struct fs *fs, int fd)
{
	struct input *i;

	for (size_t b = 0; b < INPUT_BUCKETS; b++)
		LIST_FOREACH (i, &fs->inputs.bucket[b], hash)
			if (i->lease_fd >= 0 && (fd < 0 || i->lease_fd == fd) && fcntl(i->lease_fd, F_GETLEASE) != F_RDLCK)
				return i;
	return NULL;
}

/* The bytes of I are copied, the copy takes its place, its lease ends. (lock held; let go and taken again) */
static void on_break(struct fs *fs, struct input *i)
{
	int64_t trusted_until = fs->leases->quiet_ms + break_time_ms() - KEEP_DEADLINE_MS - 1000;
	bool is_memory = snapshot_may_use_memory(fs, i->id.size);
	const char *why = "an input changed";
	int lease_fd = i->lease_fd, original = -1;

	fs->count.lease_breaks++;
	i->is_breaking = true;
	watch_lease_broken(fs, i);
	i->ref++; /* whoever drops it, its descriptors stay */
	fs_unlock(fs);
	int copy = snapshot_new(fs, lease_fd, i->id.size, is_memory, &is_memory);
	bool is_right = copy >= 0 && (now_ms() < trusted_until || is_as_linked(lease_fd, &i->id));
	fs_lock(fs);
	if (copy < 0 && copy != -ESTALE)
		why = "an input is about to change, and there is no room for a copy";
	if (is_right) {
		i->why = "somebody opened it to write to it";
		original = input_set_copy(fs, i, copy, is_memory);
		worker_link_keep_copy(fs, i);
	} else {
		cleanup_fd(&copy);
		i->state = CUSTODY_LOST;
		i->why = why;
		worker_link_distrust(fs, i, why);
	}
	i->lease_fd = -1;
	fs->inputs.leases--;
	/* Gone by itself, and the file another: who knows what was read meanwhile. */
	if (is_right && fcntl(lease_fd, F_SETLEASE, F_UNLCK) < 0 && !is_as_linked(lease_fd, &i->id))
		worker_link_distrust(fs, i, why);
	fs_unlock(fs);
	close(lease_fd);
	cleanup_fd(&original); /* which may be the end of a large file */
	fs_lock(fs);
	input_unref(fs, i);
}

/* All signals that are there, handled. (no lock) */
static void drain(struct fs *fs)
{
	struct signalfd_siginfo si[SIGNALS_MAX];
	struct leases *l = fs->leases;
	struct input *i;

	for (;;) {
		int64_t before_ms = now_ms(), break_ms = break_time_ms();
		ssize_t n = read(l->signal_fd, si, sizeof(si));
		fs_lock(fs);
		if (n <= 0)
			note_quiet(l, before_ms, break_ms);
		for (size_t k = 0; n > 0 && k < (size_t)n / sizeof(si[0]); k++) {
			int fd = si[k].ssi_signo == SIGIO ? -1 : si[k].ssi_fd;
			while ((i = find_broken(fs, fd)))
				on_break(fs, i);
		}
		fs_unlock(fs);
		if (n <= 0)
			return;
	}
}

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct leases *l = fs->leases;

	for (;;) {
		struct pollfd pf[] = { { .fd = l->signal_fd, .events = POLLIN }, { .fd = l->wake_fd, .events = POLLIN } };
		uint64_t drop;

		fs_lock(fs);
		bool is_over = l->is_stopping;
		int timeout = fs->inputs.leases ? LOOK_MS : -1;
		fs_unlock(fs);
		if (is_over)
			return NULL;
		poll(pf, sizeof(pf) / sizeof(pf[0]), timeout);
		ssize_t n = read(l->wake_fd, &drop, sizeof(drop));
		(void)n; /* nothing there: it was something else */
		drain(fs);
	}
}

static struct leases *leases_free(struct leases *l)
{
	cleanup_fd(&l->signal_fd);
	cleanup_fd(&l->wake_fd);
	free(l);
	return NULL;
}

int lease_start(struct fs *fs)
{
	struct leases *l = calloc(1, sizeof(*l));
	sigset_t set;

	if (!l)
		return -ENOMEM;
	sigemptyset(&set);
	lease_add_signals(&set);
	l->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int r = l->signal_fd < 0 || l->wake_fd < 0 ? errno : 0;
	fs->leases = l;
	if (!r)
		r = pthread_create(&l->thread, NULL, run, fs);
	if (r)
		fs->leases = leases_free(l);
	return -r;
}

void lease_stop(struct fs *fs)
{
	struct leases *l = fs->leases;

	if (!l)
		return;
	fs_lock(fs);
	l->is_stopping = true;
	fs_unlock(fs);
	wake(l);
	pthread_join(l->thread, NULL);
	fs->leases = leases_free(l);
}
