/* warm.c - gives the kernel what a program's start will read before it asks: FUSE_NOTIFY_STORE.
 *
 * What a start reads is known from the version before (cache_start.c). The first READ of a generation has all of it made
 * ahead, and this thread stores it in the kernel's page cache, piece by piece, in the order in which it was read then. What
 * the program itself reads meanwhile is passed over. A READ costs some 40 us; of what a start reads of a program of 170 MB
 * (60 MB) there are 1900.
 *
 * Only a generation's own pages are stored, whose bytes never change, and which nobody can write: so it makes no difference
 * when the kernel gets them, or whether it drops them again.
 *
 * The store waits in the kernel for pages that a READ on its way has locked. So no lock is held then, only what is made
 * already is stored, and the thread ends before the threads that answer (mount.c). (Who kills this process with SIGKILL in
 * that very moment leaves it waiting for its own answer, until the connection is aborted.)
 */
#include <stdlib.h>

#include "fs.h"

struct job {
	STAILQ_ENTRY(job) on;
	struct generation *gen; /* referenced */
};

struct warmer {
	pthread_t thread;
	pthread_cond_t some; /* with fs.lock */
	STAILQ_HEAD(job_list, job) jobs;
	atomic_bool is_stopping;
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

/* (lock held) Is it still worth it? */
static bool is_wanted(const struct fs *fs, const struct generation *g)
{
	return !fs->warmer->is_stopping && !g->is_lost && g->link->gen == g && g->node.nlookup;
}

/* (lock held; given up for a while) */
static void warm(struct fs *fs, struct generation *g)
{
	struct profile_at at = { 0 };
	struct replies out;
	uint64_t off, sz;
	int r = 0;

	replies_init(&out);
	cache_make_expected(&fs->cache, g->file, &out);
	bool may_give = cache_may_give(g->file);
	fs_unlock(fs);
	replies_send(fs, &out);
	fs_lock(fs);
	while (!r && may_give && is_wanted(fs, g) && cache_next_expected(g->file, &at, &off, &sz)) {
		fs_unlock(fs);
		r = bytes_acquire(fs, g, off, sz, READER_WARMER, &fs->warmer->is_stopping);
		if (!r) {
			r = store(fs, g, off, sz);
			bytes_release(fs, g, off, sz);
		}
		fs_lock(fs);
		fs->count.stored_bytes += r ? 0 : sz;
	}
}

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct warmer *w = fs->warmer;
	struct job *j;

	fs_lock(fs);
	while (!w->is_stopping) {
		j = STAILQ_FIRST(&w->jobs);
		if (!j) {
			pthread_cond_wait(&w->some, &fs->lock);
			continue;
		}
		warm(fs, j->gen);
		STAILQ_REMOVE_HEAD(&w->jobs, on);
		generation_unref(fs, j->gen);
		free(j);
	}
	fs_unlock(fs);
	return NULL;
}

void warmer_start_on(struct fs *fs, struct generation *g)
{
	struct warmer *w = fs->warmer;

	if (g->is_warmed || !g->file->profile || !w || w->is_stopping)
		return;
	struct job *j = malloc(sizeof(*j));
	if (!j)
		return; /* then it is read */
	g->is_warmed = true;
	j->gen = generation_ref(g);
	STAILQ_INSERT_TAIL(&w->jobs, j, on);
	pthread_cond_signal(&w->some);
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
	struct job *j;

	if (!w)
		return;
	fs_lock(fs);
	w->is_stopping = true;
	pthread_cond_signal(&w->some);
	fs_unlock(fs);
	pthread_join(w->thread, NULL);
	fs_lock(fs);
	while ((j = STAILQ_FIRST(&w->jobs))) {
		STAILQ_REMOVE_HEAD(&w->jobs, on);
		generation_unref(fs, j->gen);
		free(j);
	}
	fs->warmer = NULL;
	fs_unlock(fs);
	pthread_cond_destroy(&w->some);
	free(w);
}
