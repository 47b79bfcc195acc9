/* notify.c - tells the kernel that a name is gone, from a thread of its own.
 *
 * The call waits for requests that are on their way in the same directory: made by a handler, or under a lock that a
 * handler needs, it would wait for itself. Names the kernel never heard of are no error.
 */
#include "outputs.h"

struct notice {
	STAILQ_ENTRY(notice) on;
	uint64_t parent;
	char name[];
};

struct notifier {
	pthread_t thread;
	pthread_cond_t some; /* with fs.lock */
	STAILQ_HEAD(notice_list, notice) notices;
	bool is_stopping;
};

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct notifier *s = fs->notifier;

	fs_lock(fs);
	for (;;) {
		struct notice *k = STAILQ_FIRST(&s->notices);
		if (s->is_stopping)
			break;
		if (!k) {
			pthread_cond_wait(&s->some, &fs->lock);
			continue;
		}
		STAILQ_REMOVE_HEAD(&s->notices, on);
		fs_unlock(fs);
		fuse_lowlevel_notify_inval_entry(fs->se, k->parent, k->name, strlen(k->name));
		free(k);
		fs_lock(fs);
	}
	fs_unlock(fs);
	return NULL;
}

int notifier_start(struct fs *fs)
{
	struct notifier *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	STAILQ_INIT(&s->notices);
	pthread_cond_init(&s->some, NULL);
	fs->notifier = s;
	int r = pthread_create(&s->thread, NULL, run, fs);
	if (r) {
		fs->notifier = NULL;
		pthread_cond_destroy(&s->some);
		free(s);
	}
	return -r;
}

void notifier_stop(struct fs *fs)
{
	struct notifier *s = fs->notifier;
	struct notice *k;

	if (!s)
		return;
	fs_lock(fs);
	s->is_stopping = true;
	pthread_cond_signal(&s->some);
	fs_unlock(fs);
	pthread_join(s->thread, NULL);
	fs_lock(fs);
	while ((k = STAILQ_FIRST(&s->notices))) {
		STAILQ_REMOVE_HEAD(&s->notices, on);
		free(k);
	}
	fs->notifier = NULL;
	fs_unlock(fs);
	pthread_cond_destroy(&s->some);
	free(s);
}

void notifier_forget(struct fs *fs, uint64_t parent, const char *name)
{
	struct notifier *s = fs->notifier;
	size_t sz = strlen(name) + 1;
	struct notice *k = s && !s->is_stopping ? malloc(sizeof(*k) + sz) : NULL;

	if (!k)
		return; /* the kernel finds out at its next look */
	k->parent = parent;
	memcpy(k->name, name, sz);
	STAILQ_INSERT_TAIL(&s->notices, k, on);
	pthread_cond_signal(&s->some);
}
