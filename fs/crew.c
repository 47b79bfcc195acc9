/* crew.c - see crew.h. Threads are detached: one that is held up when the mount ends stays behind, and neither it nor what
 * it refers to is touched again.
 */
#include "crew.h"

#define STOP_PATIENCE_S 1

struct crew {
	struct fs *fs;
	const struct crew_kind *kind;
	pthread_cond_t some, idle; /* with fs.lock */
	TAILQ_HEAD(crew_list, crew_task) tasks, doing;
	unsigned threads; /* that are not held up: kind->threads, fewer while there is no memory for more, or one more for
			     each that was held up and is about to end */
	unsigned held;
	bool is_stopping;
};

/* What becomes of a thread after a task. Alone: nothing of the crew is its own any more. */
enum fate { GOES_ON, ENDS, ALONE };

/* (lock held; not while it works) */
static enum fate do_task(struct crew *c, struct crew_task *t)
{
	struct fs *fs = c->fs;
	struct replies out;

	t->deadline = INT64_MAX;
	TAILQ_INSERT_TAIL(&c->doing, t, on);
	c->kind->work(fs, t);
	bool was_held = t->is_held;
	if (was_held && c->is_stopping)
		return ALONE; /* nobody waits for us, and what we refer to stays as it is */
	TAILQ_REMOVE(&c->doing, t, on);
	if (was_held) { /* crew_stop waits until it has told what it found */
		c->held--;
		c->threads++;
	}
	replies_init(&out);
	c->kind->done(fs, t, &out);
	fs_unlock(fs);
	replies_send(fs, &out);
	if (c->kind->over)
		c->kind->over(t);
	fs_lock(fs);
	return was_held ? ENDS : GOES_ON;
}

static void *run(void *arg)
{
	struct crew *c = arg;
	struct fs *fs = c->fs;
	enum fate fate = GOES_ON;

	fs_lock(fs);
	while (fate == GOES_ON && !c->is_stopping) {
		struct crew_task *t = TAILQ_FIRST(&c->tasks);
		if (t) {
			TAILQ_REMOVE(&c->tasks, t, on);
			fate = do_task(c, t);
		} else {
			pthread_cond_wait(&c->some, &fs->lock);
		}
	}
	if (fate != ALONE && --c->threads == 0)
		pthread_cond_signal(&c->idle);
	fs_unlock(fs);
	return NULL;
}

static int start_threads(struct crew *c)
{
	pthread_attr_t detached;
	int r = 0;

	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	while (!r && c->threads < c->kind->threads) {
		pthread_t t;
		r = pthread_create(&t, &detached, run, c);
		c->threads += !r;
	}
	pthread_attr_destroy(&detached);
	return c->threads ? 0 : -r;
}

int crew_start(struct fs *fs, const struct crew_kind *kind, struct crew **at)
{
	struct crew *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->fs = fs;
	c->kind = kind;
	TAILQ_INIT(&c->tasks);
	TAILQ_INIT(&c->doing);
	pthread_cond_init(&c->some, NULL);
	pthread_cond_init(&c->idle, NULL);
	fs_lock(fs);
	*at = c;
	int r = start_threads(c);
	fs_unlock(fs);
	return r;
}

static void hold(struct crew *c, struct crew_task *t, struct replies *out)
{
	t->is_held = true;
	c->held++;
	c->threads--;
	c->kind->held(c->fs, t, out);
}

void crew_sweep(struct fs *fs, struct crew *c, struct replies *out)
{
	int64_t now = now_ms();
	struct crew_task *t;

	(void)fs;
	if (!c)
		return;
	TAILQ_FOREACH (t, &c->doing, on)
		if (!t->is_held && now > t->deadline)
			hold(c, t, out);
	if (!c->is_stopping)
		start_threads(c); /* without memory: at the next tick */
}

bool crew_stop(struct fs *fs, struct crew **at)
{
	struct crew *c = *at;
	struct timespec until;
	struct replies out;
	struct crew_task *t;

	if (!c)
		return true;
	replies_init(&out);
	fs_lock(fs);
	c->is_stopping = true;
	pthread_cond_broadcast(&c->some);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_PATIENCE_S;
	while (c->threads && pthread_cond_timedwait(&c->idle, &fs->lock, &until) == 0)
		;
	TAILQ_FOREACH (t, &c->doing, on)
		if (!t->is_held)
			hold(c, t, &out);
	while (c->threads) /* in no file system: they tell what they found, and refer to C */
		pthread_cond_wait(&c->idle, &fs->lock);
	bool is_over = !c->held;
	if (is_over)
		*at = NULL;
	while ((t = TAILQ_FIRST(&c->tasks))) {
		TAILQ_REMOVE(&c->tasks, t, on);
		c->kind->drop(fs, t, &out);
	}
	fs_unlock(fs);
	replies_send(fs, &out);
	if (is_over) {
		pthread_cond_destroy(&c->some);
		pthread_cond_destroy(&c->idle);
		free(c);
	}
	return is_over;
}

bool crew_submit(struct crew *c, struct crew_task *t)
{
	if (!c || c->is_stopping)
		return false;
	t->deadline = INT64_MAX;
	TAILQ_INSERT_TAIL(&c->tasks, t, on);
	pthread_cond_signal(&c->some);
	return true;
}

bool crew_is_stopping(const struct crew *c)
{
	return !c || c->is_stopping;
}
