/* notify.c - has the kernel forget names that are gone, and with them what it keeps open.
 *
 * Names whose meaning may end are asked for anew each time (entry_timeout in ops.c), so the kernel need only be made to
 * look: the linker process does, at one name after the other, and finds nothing. Telling the kernel
 * (FUSE_NOTIFY_INVAL_ENTRY) would wait there for requests on their way in the same directory, where no signal gets
 * through: a mount process that is killed then waits for answers that only it could give, and so do all its clients.
 *
 * Lock: fs.lock.
 */
#include "outputs.h"
#include "worker_link.h"

#define NOTICES_MAX 4096 /* the kernel finds out about more at its next look */
#define STOP_MS	    2000

struct notice {
	STAILQ_ENTRY(notice) on;
	char path[]; /* below the mount point */
};

struct notifier {
	pthread_cond_t idle;
	STAILQ_HEAD(notice_list, notice) notices;
	unsigned cnt;
	uint64_t asked; /* the linker process that looks at one now, if it still is there; 0: none does */
};

int notifier_start(struct fs *fs)
{
	struct notifier *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	STAILQ_INIT(&s->notices);
	pthread_cond_init(&s->idle, NULL);
	fs->notifier = s;
	return 0;
}

static bool is_looking(const struct fs *fs)
{
	return fs->notifier->asked && worker_link_is(fs, fs->notifier->asked);
}

void notifier_pump(struct fs *fs)
{
	struct notifier *s = fs->notifier;
	struct notice *k;

	while (s && !is_looking(fs) && (k = STAILQ_FIRST(&s->notices))) {
		bool is_anew = tree_link(fs, k->path); /* a live link, which is not to be linked for this */
		if (!is_anew && !(s->asked = worker_link_look(fs, k->path)))
			return; /* when there is a linker process again */
		STAILQ_REMOVE_HEAD(&s->notices, on);
		s->cnt--;
		free(k);
	}
}

bool notifier_answered(struct fs *fs)
{
	struct notifier *s = fs->notifier;

	if (!s)
		return true; /* too late */
	if (!is_looking(fs))
		return false;
	s->asked = 0;
	pthread_cond_signal(&s->idle);
	notifier_pump(fs);
	return true;
}

void notifier_stop(struct fs *fs)
{
	struct notifier *s = fs->notifier;
	int64_t until = now_ms() + STOP_MS;
	struct notice *k;

	if (!s)
		return;
	fs_lock(fs);
	while ((k = STAILQ_FIRST(&s->notices))) {
		STAILQ_REMOVE_HEAD(&s->notices, on);
		free(k);
	}
	while (is_looking(fs) && now_ms() < until) {
		struct timespec soon;
		clock_gettime(CLOCK_REALTIME, &soon);
		soon = timespec_of_ns(timespec_ns(&soon) + 50000000);
		pthread_cond_timedwait(&s->idle, &fs->lock, &soon);
	}
	fs->notifier = NULL;
	fs_unlock(fs);
	pthread_cond_destroy(&s->idle);
	free(s);
}

void notifier_forget(struct fs *fs, const char *path)
{
	struct notifier *s = fs->notifier;
	size_t sz = strlen(path) + 1;
	bool has_room = s && s->cnt < NOTICES_MAX && strlen(fs->cfg.mountpoint) + 1 + sz <= MSG_TEXT_MAX;
	struct notice *k = has_room ? malloc(sizeof(*k) + sz) : NULL;

	if (!k)
		return;
	memcpy(k->path, path, sz);
	STAILQ_INSERT_TAIL(&s->notices, k, on);
	s->cnt++;
	notifier_pump(fs);
}
