/* pass.c - threads that look whether a name exists in a real directory, for names that pass through (dirs.c).
 *
 * A file system that does not answer holds up one of these threads, and the request until its deadline; when all are
 * held up, names do not pass through, and everything else goes on. Nothing on our own mount is ever looked at.
 */
#include "outputs.h"

#include <fcntl.h>

#include "pathwalk.h"

#define PASSERS 3
#define STOP_PATIENCE_S 1

struct ask {
	STAILQ_ENTRY(ask) on;
	uint64_t id; /* of the request: it may be answered, and gone, before we are done */
	char *real;
};

struct passer {
	pthread_cond_t some, idle; /* with fs.lock */
	STAILQ_HEAD(ask_list, ask) asks;
	struct park_queue waiting; /* their requests */
	uint64_t next_id;
	unsigned threads;
	bool is_stopping;
};

static bool exists(const char *real, uint64_t own_dev)
{
	/* The last component itself, not what it points to: the name is all that is asked for. */
	const char *slash = strrchr(real, '/');
	CLEAN_MEM char *dir = strndup(real, slash == real ? 1 : (size_t)(slash - real));
	struct walker *w = dir ? walker_new(AT_FDCWD, own_dev) : NULL;
	CLEAN_FD int fd = w ? walker_look(w, dir) : -ENOMEM;
	struct stat st;

	walker_free(w);
	return fd >= 0 && fstatat(fd, slash + 1, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0;
}

static void answer(struct fs *fs, uint64_t id, const char *real, bool found, struct replies *out)
{
	struct parked *p;

	TAILQ_FOREACH (p, &fs->passer->waiting, on)
		if (p->pass_id == id)
			break;
	if (!p)
		return; /* its deadline came first */
	struct node *n = found ? dirs_pass(fs, real) : NULL;
	if (n)
		park_answer_entry(fs, p, n, out);
	else
		park_answer(fs, p, OUT_ERROR, found ? ENOMEM : ENOENT, out);
}

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct passer *s = fs->passer;

	fs_lock(fs);
	while (!s->is_stopping) {
		struct ask *k = STAILQ_FIRST(&s->asks);
		struct replies out;
		if (!k) {
			pthread_cond_wait(&s->some, &fs->lock);
			continue;
		}
		STAILQ_REMOVE_HEAD(&s->asks, on);
		uint64_t own_dev = fs->own_dev;
		fs_unlock(fs);
		bool found = exists(k->real, own_dev);
		replies_init(&out);
		fs_lock(fs);
		if (!s->is_stopping)
			answer(fs, k->id, k->real, found, &out);
		fs_unlock(fs);
		free(k->real);
		free(k);
		replies_send(fs, &out);
		fs_lock(fs);
	}
	if (--s->threads == 0)
		pthread_cond_signal(&s->idle);
	fs_unlock(fs);
	return NULL;
}

int passer_start(struct fs *fs)
{
	struct passer *s = calloc(1, sizeof(*s));
	pthread_attr_t detached;

	if (!s)
		return -ENOMEM;
	pthread_cond_init(&s->some, NULL);
	pthread_cond_init(&s->idle, NULL);
	STAILQ_INIT(&s->asks);
	TAILQ_INIT(&s->waiting);
	fs->passer = s;
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	fs_lock(fs);
	int r = 0;
	while (!r && s->threads < PASSERS) {
		pthread_t t;
		r = pthread_create(&t, &detached, run, fs);
		s->threads += !r;
	}
	r = s->threads ? 0 : r;
	fs_unlock(fs);
	pthread_attr_destroy(&detached);
	return -r;
}

bool passer_stop(struct fs *fs)
{
	struct passer *s = fs->passer;
	struct replies out;
	struct parked *p;
	struct ask *k;
	struct timespec until;

	if (!s)
		return true;
	replies_init(&out);
	fs_lock(fs);
	s->is_stopping = true;
	pthread_cond_broadcast(&s->some);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_PATIENCE_S;
	while (s->threads && pthread_cond_timedwait(&s->idle, &fs->lock, &until) == 0)
		;
	while ((p = TAILQ_FIRST(&s->waiting)))
		park_answer(fs, p, OUT_ERROR, ENOENT, &out);
	while ((k = STAILQ_FIRST(&s->asks))) {
		STAILQ_REMOVE_HEAD(&s->asks, on);
		free(k->real);
		free(k);
	}
	bool is_over = !s->threads;
	fs_unlock(fs);
	replies_send(fs, &out);
	if (is_over) {
		fs->passer = NULL;
		pthread_cond_destroy(&s->some);
		pthread_cond_destroy(&s->idle);
		free(s);
	}
	return is_over;
}

void passer_submit(struct fs *fs, struct parked *p, char *real, struct replies *out)
{
	struct passer *s = fs->passer;
	struct ask *k = s && !s->is_stopping ? calloc(1, sizeof(*k)) : NULL;

	if (!k) {
		free(real);
		park_answer(fs, p, OUT_ERROR, ENOENT, out);
		return;
	}
	k->id = p->pass_id = ++s->next_id;
	k->real = real;
	STAILQ_INSERT_TAIL(&s->asks, k, on);
	park_on(fs, &s->waiting, p);
	pthread_cond_signal(&s->some);
}
