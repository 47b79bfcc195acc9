/* warm.c - gives the kernel what a program's start will read before it asks: FUSE_NOTIFY_STORE.
 *
 * What a start reads is known from the version before (cache_start.c). The first OPEN to execute a generation waits, at
 * most WARM_MS, while all of it is made and stored in the kernel's page cache, piece by piece: asked for in the order in which
 * it was read then, and stored as it is made, since pieces of code take much longer than tables. A READ costs some 40 us; of
 * what a start reads of a program of 170 MB (60 MB) there are 1900. One thread has the jobs, others help it to store: one
 * alone, which shares its CPU with a thread that makes pieces, would have the others wait for buffers.
 * Where a generation is opened otherwise, its first READ has the same made ahead, and nothing is stored.
 *
 * What the kernel is given need not be in the backing file as well: the linker process makes it in a buffer of the ring, and
 * from there it is stored. Should the kernel drop it, it will be read, and made, as anything else. (The blocks, the page
 * faults and the copies that this saves were half of the whole.) What is made already comes from the file.
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
#include "ring.h"
#include "worker_link.h"

#define OPENED_TO_EXECUTE 0x20 /* the kernel's __FMODE_EXEC, among the flags of an OPEN */
#define HELPERS_MAX	  3u   /* pieces take twice as long to make as to store, and are made by a thread on each CPU */

struct warm_job {
	STAILQ_ENTRY(warm_job) on;
	struct generation *gen; /* referenced; its .warming is this */
	bool may_store;
	bool has_failed;     /* a piece of it */
	atomic_bool is_over; /* the time for it */
	struct park_queue held; /* PARK_WARM */
};

/* One of the ring's buffers. */
struct stage {
	enum { STAGE_FREE, STAGE_ASKED, STAGE_MADE, STAGE_TAKEN } state; /* TAKEN: a thread stores it */
	struct ring *ring; /* MADE, TAKEN: where it is; referenced */
	bool is_orphan;    /* ASKED: nobody waits for it any more; its answer frees it */
	struct linkfs_range piece[MSG_PIECES];
	unsigned cnt;
};

struct warmer {
	pthread_t thread, helper[HELPERS_MAX];
	unsigned helpers;
	pthread_cond_t some; /* with fs.lock: a job, an answer, a buffer that is stored, or the end */
	STAILQ_HEAD(job_list, warm_job) jobs;
	struct warm_job *at; /* the job whose pieces are in the buffers that are no orphans */
	struct stage stage[STAGE_CNT];
	unsigned next; /* the stage that is looked at first: none waits long */
	bool is_stopping;
};

/* (no lock) 0 or -errno: ENOENT: the kernel has forgotten the file. */
static int store(struct fs *fs, const struct generation *g, uint64_t off, uint64_t sz, void *mem)
{
	struct fuse_bufvec bytes = FUSE_BUFVEC_INIT(sz);

	bytes.buf[0].mem = mem;
	return fuse_lowlevel_notify_store(fs->se, g->node.id, (off_t)off, &bytes, 0);
}

/* (no lock) The same of what is made. */
static int store_made(struct fs *fs, struct generation *g, uint64_t off, uint64_t sz, const atomic_bool *cancel)
{
	CLEAN_MEM char *buf = malloc(sz);
	int r = buf ? bytes_acquire(fs, g, off, sz, READER_WARMER, cancel) : -ENOMEM;

	if (r)
		return r;
	for (uint64_t got = 0; !r && got < sz;) {
		ssize_t n = pread(g->file->fd, buf + got, sz - got, (off_t)(off + got));
		if (n < 0 && errno == EINTR)
			continue;
		r = n > 0 ? 0 : n < 0 ? -errno : -EIO;
		got += n > 0 ? (uint64_t)n : 0;
	}
	if (!r)
		r = store(fs, g, off, sz, buf);
	bytes_release(fs, g, off, sz);
	return r;
}

static void stage_free(struct stage *s)
{
	s->ring = ring_unref(s->ring);
	s->state = STAGE_FREE;
}

static struct stage *stage_find(struct warmer *w)
{
	for (unsigned i = 0; i < STAGE_CNT; i++)
		if (w->stage[i].state == STAGE_FREE)
			return &w->stage[i];
	return NULL;
}

void warmer_staged(struct fs *fs, unsigned stage, struct ring *ring, int error)
{
	struct warmer *w = fs->warmer;
	struct stage *s = w ? &w->stage[stage] : NULL;

	if (s && !s->is_orphan && !error) {
		s->state = STAGE_MADE;
		s->ring = ring;
	} else {
		ring_unref(ring);
		if (s && !s->is_orphan)
			w->at->has_failed = true;
		if (s)
			s->state = STAGE_FREE;
	}
	if (w)
		pthread_cond_broadcast(&w->some);
}

static bool may_go_on(const struct warm_job *j)
{
	return j->may_store && !j->has_failed && !j->is_over && !j->gen->is_lost && j->gen->node.nlookup;
}

/* As many of the next pieces as a buffer has room for. What is made already is stored at once (the lock is given up).
 * *RET_MORE: there are pieces left. 0 or -errno. */
static int collect_pieces(struct fs *fs, struct warm_job *j, struct profile_at *at, struct stage *s, bool *ret_more)
{
	uint64_t room = STAGE_SZ;

	while (s->cnt < MSG_PIECES && may_go_on(j)) {
		struct linkfs_range *p = &s->piece[s->cnt];
		struct profile_at here = *at;
		bool is_made;
		*ret_more = cache_next_expected(j->gen->file, at, &p->off, &p->sz, &is_made);
		if (!*ret_more)
			return 0;
		if (!is_made && p->sz > room) {
			*at = here;
			return 0;
		}
		if (!is_made) {
			room -= p->sz;
			s->cnt++;
			continue;
		}
		fs_unlock(fs);
		int r = store_made(fs, j->gen, p->off, p->sz, &j->is_over);
		fs_lock(fs);
		if (r)
			return r;
		fs->count.stored_bytes += p->sz;
		cache_given(&fs->cache, j->gen->file, p->off, p->sz, true);
	}
	return 0;
}

/* Has the next pieces made, as many as there are buffers for. As above. */
static int ask_pieces(struct fs *fs, struct warm_job *j, struct profile_at *at, bool *ret_more)
{
	struct warmer *w = fs->warmer;
	struct stage *s;
	int r = 0;

	while (!r && *ret_more && may_go_on(j) && (s = stage_find(w))) {
		unsigned i = (unsigned)(s - w->stage);
		s->cnt = 0;
		r = collect_pieces(fs, j, at, s, ret_more);
		if (!r && s->cnt)
			r = worker_link_stage(fs, j->gen, i, s->piece, s->cnt);
		if (r || !s->cnt)
			break;
		s->state = STAGE_ASKED;
		s->is_orphan = false;
	}
	return r;
}

/* (no lock) 0 or -errno. */
static int store_pieces(struct fs *fs, const struct generation *g, const struct stage *s)
{
	unsigned char *mem = ring_stage(s->ring, (unsigned)(s - fs->warmer->stage));
	int r = 0;

	for (unsigned i = 0; !r && i < s->cnt; mem += s->piece[i++].sz)
		r = store(fs, g, s->piece[i].off, s->piece[i].sz, mem);
	return r;
}

/* (lock held; given up for a while) Stores the pieces of J that are in S. */
static void store_stage(struct fs *fs, struct warm_job *j, struct stage *s)
{
	struct warmer *w = fs->warmer;

	s->state = STAGE_TAKEN;
	w->next = (unsigned)(s - w->stage + 1) % STAGE_CNT;
	fs_unlock(fs);
	int r = store_pieces(fs, j->gen, s);
	fs_lock(fs);
	j->has_failed |= r != 0;
	for (unsigned i = 0; !r && i < s->cnt; i++) {
		fs->count.stored_bytes += s->piece[i].sz;
		cache_given(&fs->cache, j->gen->file, s->piece[i].off, s->piece[i].sz, false);
	}
	stage_free(s);
	pthread_cond_broadcast(&w->some);
}

/* One that is made for the job at work; NULL: none is. What a job before it asked for and left is an orphan. */
static struct stage *stage_made(struct warmer *w)
{
	for (unsigned n = 0; w->at && may_go_on(w->at) && n < STAGE_CNT; n++) {
		struct stage *s = &w->stage[(w->next + n) % STAGE_CNT];
		if (s->state == STAGE_MADE)
			return s;
	}
	return NULL;
}

static void *help(void *arg)
{
	struct fs *fs = arg;
	struct warmer *w = fs->warmer;
	struct stage *s;

	fs_lock(fs);
	while (!w->is_stopping)
		if ((s = stage_made(w)))
			store_stage(fs, w->at, s);
		else
			pthread_cond_wait(&w->some, &fs->lock);
	fs_unlock(fs);
	return NULL;
}

/* Does the job at work wait for any? */
static bool is_waiting(const struct warmer *w)
{
	for (unsigned i = 0; i < STAGE_CNT; i++)
		if (w->stage[i].state != STAGE_FREE && !w->stage[i].is_orphan)
			return true;
	return false;
}

/* Its pieces are not wanted any more, or all stored; who stores one now still does. */
static void leave_stages(struct fs *fs)
{
	struct warmer *w = fs->warmer;

	for (unsigned i = 0; i < STAGE_CNT; i++) {
		struct stage *s = &w->stage[i];
		if (s->state == STAGE_ASKED)
			s->is_orphan = true;
		else if (s->state == STAGE_MADE)
			stage_free(s);
	}
	w->at = NULL;
	while (is_waiting(w))
		pthread_cond_wait(&w->some, &fs->lock);
}

/* (lock held; given up for a while) */
static void give(struct fs *fs, struct warm_job *j)
{
	struct warmer *w = fs->warmer;
	struct profile_at at = { 0 };
	bool has_more = true;
	struct stage *s;

	w->at = j;
	while (may_go_on(j) && (has_more || is_waiting(w))) {
		j->has_failed |= ask_pieces(fs, j, &at, &has_more) != 0;
		if (!may_go_on(j))
			break; /* the lock was given up: who said so has found nobody waiting */
		if ((s = stage_made(w)))
			store_stage(fs, j, s);
		else if (is_waiting(w))
			pthread_cond_wait(&w->some, &fs->lock);
		else if (has_more)
			break; /* all buffers wait for the answers of a job before this one */
	}
	leave_stages(fs);
}

/* (lock held; given up for a while) */
static void warm(struct fs *fs, struct warm_job *j)
{
	struct replies out;

	if (j->may_store) {
		give(fs, j);
		return;
	}
	replies_init(&out);
	cache_make_expected(&fs->cache, j->gen->file, &out);
	fs_unlock(fs);
	replies_send(fs, &out);
	fs_lock(fs);
}

/* (lock held) Those who wait may go on. */
static void job_end(struct fs *fs, struct warm_job *j, struct replies *out)
{
	struct parked *p;

	STAILQ_REMOVE(&fs->warmer->jobs, j, warm_job, on);
	j->gen->warming = NULL;
	j->gen->is_warmed = true;
	cache_file_opened(j->gen->file); /* it starts now */
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
	pthread_cond_broadcast(&w->some);
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

void warmer_hurry(struct fs *fs, const struct generation *g)
{
	if (!g->warming)
		return;
	g->warming->is_over = true;
	pthread_cond_broadcast(&fs->warmer->some);
}

/* One to each two CPUs; none where there can be no more threads. */
static void start_helpers(struct fs *fs)
{
	struct warmer *w = fs->warmer;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned cnt = cpus / 2 < HELPERS_MAX ? (unsigned)(cpus / 2) : HELPERS_MAX;

	while (w->helpers < cnt && !pthread_create(&w->helper[w->helpers], NULL, help, fs))
		w->helpers++;
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
		return -r;
	}
	start_helpers(fs);
	return 0;
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
	STAILQ_FOREACH (j, &w->jobs, on)
		j->is_over = true;
	pthread_cond_broadcast(&w->some);
	fs_unlock(fs);
	pthread_join(w->thread, NULL);
	while (w->helpers)
		pthread_join(w->helper[--w->helpers], NULL);
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
