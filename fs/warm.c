/* warm.c - gives the kernel what a program's start will read before it asks: FUSE_NOTIFY_STORE.
 *
 * What a start reads is known from the version before (cache_start.c). The first OPEN to execute a generation waits, at
 * most WARM_MS, while this thread has all of it made and stores it in the kernel's page cache, piece by piece, in the order
 * in which it was read then. A READ costs some 40 us; of what a start reads of a program of 170 MB (60 MB) there are 1900.
 * Where a generation is opened otherwise, its first READ has the same made ahead, and nothing is stored.
 *
 * A store waits in the kernel for pages that a READ on its way has locked, and no signal ends that: who killed this process
 * then would leave it there, with all its clients, since only its own answer would free it. So pages are stored only while
 * nobody has the file open: every OPEN waits until that is over (W1), and it does not begin where somebody has (W2).
 *
 * Only a generation's own pages are stored, whose bytes never change, and which nobody can write: it makes no difference
 * when the kernel gets them, or whether it drops them again.
 */
#include <stdlib.h>

#include "fs.h"

#define OPENED_TO_EXECUTE 0x20 /* the kernel's __FMODE_EXEC, among the flags of an OPEN */

struct warm_job {
	STAILQ_ENTRY(warm_job) on;
	struct generation *gen; /* referenced; its .warming is this */
	bool may_store;
	atomic_bool is_over; /* the time for it */
	struct park_queue held; /* PARK_WARM */
};

struct warmer {
	pthread_t thread;
	pthread_cond_t some; /* with fs.lock */
	STAILQ_HEAD(job_list, warm_job) jobs;
	bool is_stopping;
};

/* (no lock) [OFF, OFF + SZ) is made and pinned. 0 or -errno: ENOENT: the kernel has forgotten the file. */
static int store(struct fs *fs, const struct generation *g, uint64_t off, uint64_t sz)
{
	CLEAN_MEM char *buf = malloc(sz);
	struct fuse_bufvec bytes = FUSE_BUFVEC_INIT(sz);

	if (!buf)
		return -ENOMEM;
	for (uint64_t got = 0; got < sz;) {
		ssize_t n = pread(g->file->fd, buf + got, sz - got, (off_t)(off + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		got += (uint64_t)n;
	}
	bytes.buf[0].mem = buf;
	return fuse_lowlevel_notify_store(fs->se, g->node.id, (off_t)off, &bytes, 0);
}

/* (lock held; given up for a while) */
static void warm(struct fs *fs, struct warm_job *j)
{
	struct generation *g = j->gen;
	struct profile_at at = { 0 };
	struct replies out;
	uint64_t off, sz;
	int r = 0;

	replies_init(&out);
	cache_make_expected(&fs->cache, g->file, &out);
	fs_unlock(fs);
	replies_send(fs, &out);
	fs_lock(fs);
	while (!r && j->may_store && !j->is_over && !g->is_lost && g->node.nlookup &&
	       cache_next_expected(g->file, &at, &off, &sz)) {
		fs_unlock(fs);
		r = bytes_acquire(fs, g, off, sz, READER_WARMER, &j->is_over);
		if (!r) {
			r = store(fs, g, off, sz);
			bytes_release(fs, g, off, sz);
		}
		fs_lock(fs);
		fs->count.stored_bytes += r ? 0 : sz;
	}
}

/* (lock held) Those who wait may go on. */
static void job_end(struct fs *fs, struct warm_job *j, struct replies *out)
{
	struct parked *p;

	STAILQ_REMOVE(&fs->warmer->jobs, j, warm_job, on);
	j->gen->warming = NULL;
	j->gen->is_warmed = true;
	while ((p = TAILQ_FIRST(&j->held))) {
		j->gen->opens++;
		park_answer(fs, p, OUT_PROVEN, 0, out);
	}
	generation_unref(fs, j->gen);
	free(j);
}

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct warmer *w = fs->warmer;
	struct replies out;

	fs_lock(fs);
	while (!w->is_stopping) {
		struct warm_job *j = STAILQ_FIRST(&w->jobs);
		if (!j) {
			pthread_cond_wait(&w->some, &fs->lock);
			continue;
		}
		replies_init(&out);
		warm(fs, j);
		job_end(fs, j, &out);
		fs_unlock(fs);
		replies_send(fs, &out);
		fs_lock(fs);
	}
	fs_unlock(fs);
	return NULL;
}

static struct warm_job *job_new(struct fs *fs, struct generation *g, bool may_store)
{
	struct warmer *w = fs->warmer;
	struct warm_job *j = w && !w->is_stopping && !g->is_warmed && g->file->profile ? calloc(1, sizeof(*j)) : NULL;

	if (!j)
		return NULL; /* then it is read */
	TAILQ_INIT(&j->held);
	j->gen = generation_ref(g);
	j->may_store = may_store && cache_may_give(g->file);
	g->warming = j;
	STAILQ_INSERT_TAIL(&w->jobs, j, on);
	pthread_cond_signal(&w->some);
	return j;
}

void warmer_make(struct fs *fs, struct generation *g)
{
	if (!g->warming)
		job_new(fs, g, false);
}

bool warmer_holds(struct fs *fs, fuse_req_t req, struct generation *g, const struct fuse_file_info *fi, int *ret_err)
{
	if (!g->warming && !g->opens && fi->flags & OPENED_TO_EXECUTE) /* W2 */
		job_new(fs, g, true);
	if (!g->warming || !g->warming->may_store)
		return false;
	struct parked *p = parked_new(req, PARK_WARM, NULL, g, fi); /* W1 */
	if (p)
		park_on(fs, &g->warming->held, p);
	else
		*ret_err = ENOMEM;
	return true;
}

void warmer_hurry(const struct generation *g)
{
	if (g->warming)
		g->warming->is_over = true;
}

int warmer_start(struct fs *fs)
{
	struct warmer *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	STAILQ_INIT(&w->jobs);
	pthread_cond_init(&w->some, NULL);
	fs->warmer = w;
	int r = pthread_create(&w->thread, NULL, run, fs);
	if (r) {
		fs->warmer = NULL;
		pthread_cond_destroy(&w->some);
		free(w);
	}
	return -r;
}

void warmer_stop(struct fs *fs)
{
	struct warmer *w = fs->warmer;
	struct replies out;
	struct warm_job *j;

	if (!w)
		return;
	fs_lock(fs);
	w->is_stopping = true;
	STAILQ_FOREACH(j, &w->jobs, on)
	j->is_over = true;
	pthread_cond_signal(&w->some);
	fs_unlock(fs);
	pthread_join(w->thread, NULL);
	replies_init(&out);
	fs_lock(fs);
	while ((j = STAILQ_FIRST(&w->jobs)))
		job_end(fs, j, &out);
	fs->warmer = NULL;
	fs_unlock(fs);
	replies_send(fs, &out);
	pthread_cond_destroy(&w->some);
	free(w);
}
