/* cache.c - the page cache: reads, and the fills they lead to (cache.h). Blocks and eviction: cache_room.c. What a
 * program's start reads: cache_start.c.
 *
 * States of a chunk:
 *
 *               run_claim()             run_request()              cache_filled()
 *     Reserved -------------> Preparing --------------> Filling ------------------> Ready
 *      ^    ^                  |    ^                      |                          |
 *      |    |                  |    | run_claim()          | run_failed()             |
 *      |    '- run_unblocked() '    '------ Prepared <-----'                          |
 *      |                                        | take_victims()     take_victims()   |
 *      '------------ victim_gone() -------- Evicting <--------------------------------'
 *
 *     Reserved    no blocks                          Filling   the layer below was asked for its bytes
 *     Preparing   a thread writes zeros to it        Ready     finished bytes, never written again
 *     Prepared    blocks, but no bytes               Evicting  a thread gives its blocks back
 *
 * Which chunks are Ready is known here alone: never from holes in the file. That is B6: what a read finds Ready is served,
 * the rest is asked for in runs, and whoever wants what is on its way waits for it. Ready is set under the lock that a
 * reader takes before it looks: that publishes the bytes.
 *
 * I1  A chunk changes state along an arrow (is_edge).
 * I2  What is Preparing, Filling or Evicting has one thread or one request at it, and nobody else touches it (R12:
 *     ranges handed out for stores are disjoint).
 * I3  cache.cold holds exactly the chunks without pins that are Prepared, or Ready and not of a kept file.
 * I4  bytes (of a file, of all) are those of the chunks that are not Reserved; cache.evicting of those Evicting.
 * I5  A chunk's pins are the reads that wait for it, and those that were answered and copy from it (file.lent sums up the
 *     latter). So what a read waits for or copies from is not evicted.
 * I6  A read waits only while some chunk of it is not Ready; and of what it lacks each is on its way, or a thread is about
 *     to ask for it (askers), or the file is in cache.needy, whose readers somebody who may block will look after.
 * I7  Beyond the limit is only what may not be evicted, or a thread is making room, or one was told to (is_tend_wanted).
 * I8  What is Ready in a kept file stays: its bytes are all there is.
 * I9  is_ahead only what is Preparing or Filling.
 *
 * Who reads in order finds the bytes made: after AHEAD_MIN in one stream, runs of growing size are asked for ahead of
 * it. Where such a run can't be made, nobody is told: the read that wants a part of it asks again for that part alone.
 */
#include "cache_priv.h"

#define AHEAD_MIN ((uint64_t)1 << 20) /* read in order before anything is made ahead: a program's start does less */
#define AHEAD_MAX ((uint64_t)2 << 20)

/* --- chunks and runs of them --- */

/* From here on [off, off + sz) is tracked. */
int chunks_cover(struct cache_file *f, uint64_t off, uint64_t sz)
{
	for (uint64_t i = off / CHUNK_SZ / BLOCK_CHUNKS; i * BLOCK_CHUNKS < chunk_end(off, sz); i++) {
		if (f->block[i])
			continue;
		struct chunk_block *b = calloc(1, sizeof(*b));
		if (!b)
			return -ENOMEM;
		b->file = f;
		b->first = i * BLOCK_CHUNKS;
		for (unsigned k = 0; k < BLOCK_CHUNKS; k++)
			b->chunk[k].place = (uint8_t)k;
		f->block[i] = b;
	}
	return 0;
}

static bool is_missing(const struct chunk *ch)
{
	return ch->state == CHUNK_RESERVED || ch->state == CHUNK_PREPARED;
}

static bool is_ready(const struct cache_file *f, uint64_t off, uint64_t sz)
{
	for (uint64_t i = off / CHUNK_SZ; i < chunk_end(off, sz); i++)
		if (chunk_at(f, i)->state != CHUNK_READY)
			return false;
	return true;
}

static void unpin(struct cache *c, struct cache_file *f, uint64_t off, uint64_t sz)
{
	for (uint64_t i = off / CHUNK_SZ; i < chunk_end(off, sz); i++)
		chunk_unpin(c, f, i);
}

/* The next run, of a step at most, in [*IDX, END) that is missing and on nobody's way; claims it. ONLY_PREPARED: what has
 * no blocks is left alone. */
static bool run_claim(struct cache *c, struct cache_file *f, uint64_t *idx, uint64_t end, bool only_prepared,
		      struct run *ret)
{
	struct run r = { 0 };

	for (; *idx < end; ++*idx) {
		const struct chunk *ch = chunk_at(f, *idx);
		bool is_mine = is_missing(ch) && !(only_prepared && ch->state == CHUNK_RESERVED);
		if (!is_mine && !r.end)
			continue;
		if (!is_mine || (r.end && r.end - r.first == CACHE_STEP_SZ / CHUNK_SZ))
			break;
		r.first = r.end ? r.first : *idx;
		r.end = *idx + 1;
		r.needs_blocks |= ch->state == CHUNK_RESERVED;
		chunk_set(c, f, *idx, CHUNK_PREPARING);
	}
	*ret = r;
	return r.end;
}

static void run_set(struct cache *c, struct cache_file *f, const struct run *r, enum chunk_state to)
{
	for (uint64_t i = r->first; i < r->end; i++)
		chunk_set(c, f, i, to);
}

/* --- answers --- */

static void finish(struct cache *c, struct cache_read *r, int error, struct replies *out)
{
	struct cache_file *f = r->file;

	if (r->is_waiting)
		TAILQ_REMOVE(&f->readers, r, on);
	r->is_waiting = false;
	if (error)
		unpin(c, f, r->off, r->sz);
	else
		f->lent += chunk_end(r->off, r->sz) - r->off / CHUNK_SZ;
	r->done(r, error, out);
}

/* Whoever waits for a part of the run gets the error. */
static void fail_readers(struct cache *c, struct cache_file *f, const struct run *run, int error, struct replies *out)
{
	uint64_t off = run_off(run), end = off + run_sz(f, run);
	struct cache_read *r, *next;

	for (r = TAILQ_FIRST(&f->readers); r; r = next) {
		next = TAILQ_NEXT(r, on);
		if (r->off < end && off < r->off + r->sz)
			finish(c, r, error, out);
	}
}

/* The layer below won't make the bytes of a run that is Filling; what is_ahead is nobody's loss. */
static void run_failed(struct cache *c, struct cache_file *f, const struct run *run, int error, const char *why,
		       struct replies *out)
{
	run_set(c, f, run, CHUNK_PREPARED);
	if (run->is_ahead) {
		f->is_never_ahead = true;
		return;
	}
	c->count.fill_errors++;
	c->bottom->failed(c->ctx, f, run_off(run), run_sz(f, run), false, error, why);
	fail_readers(c, f, run, error, out);
}

/* There is no room for a run that is Preparing: an error for the reads that want it, now, and for no others (R8). */
static void run_unblocked(struct cache *c, struct cache_file *f, const struct run *run, int error, struct replies *out)
{
	bool was_told = f->full_sz;

	run_set(c, f, run, CHUNK_RESERVED);
	if (run->is_ahead) {
		file_needs(c, f); /* who came to wait for it asks for his part alone */
		return;
	}
	if (!was_told || f->full_sz > run_sz(f, run))
		f->full_sz = run_sz(f, run);
	c->count.fill_errors++;
	if (!was_told)
		c->bottom->failed(c->ctx, f, run_off(run), run_sz(f, run), true, error, "");
	fail_readers(c, f, run, error, out);
}

/* Asks the layer below for a run that is Preparing and has its blocks. */
static int run_request(struct cache *c, struct cache_file *f, const struct run *run, struct replies *out)
{
	run_set(c, f, run, CHUNK_FILLING);
	int err = c->bottom->fill(c->ctx, f, run_off(run), run_sz(f, run));
	if (err)
		run_failed(c, f, run, err, "", out);
	return err;
}

/* (drops) Blocks and then bytes for a claimed run. */
static int run_make(struct cache *c, struct cache_file *f, const struct run *run, struct replies *out)
{
	int err = 0;

	if (run->needs_blocks) {
		f->io++;
		room_make(c);
		pthread_mutex_unlock(c->lock);
		err = room_prepare(f, run);
		pthread_mutex_lock(c->lock);
		if (!file_io_end(c, f))
			return -ESTALE;
	}
	if (err) {
		run_unblocked(c, f, run, err, out);
		return err;
	}
	if (run->needs_blocks && run_sz(f, run) >= f->full_sz)
		f->full_sz = 0;
	err = run_request(c, f, run, out);
	if (err && run->is_ahead)
		file_needs(c, f);
	return err;
}

/* (drops) Has made what [off, off + sz) lacks, step by step, until one fails: who waits was told then. */
static void ask(struct cache *c, struct cache_file *f, uint64_t off, uint64_t sz, struct replies *out)
{
	uint64_t idx = off / CHUNK_SZ, end = chunk_end(off, sz);
	struct run run;
	int err = 0;

	f->io++;
	f->askers++;
	while (!err && !f->is_dead && run_claim(c, f, &idx, end, false, &run))
		err = run_make(c, f, &run, out);
	f->askers--;
	file_io_end(c, f);
}

static struct cache_read *reader_that_lacks(const struct cache_file *f)
{
	struct cache_read *r;

	TAILQ_FOREACH(r, &f->readers, on)
	for (uint64_t i = r->off / CHUNK_SZ; i < chunk_end(r->off, r->sz); i++)
		if (is_missing(chunk_at(f, i)))
			return r;
	return NULL;
}

/* (drops) Reads whose chunks stopped being on their way while they waited. Each round asks for all that one lacks, or
 * answers it. */
static void serve_needy(struct cache *c, struct replies *out)
{
	struct cache_file *f;
	const struct cache_read *r;

	while ((f = TAILQ_FIRST(&c->needy))) {
		f->io++;
		while (!f->is_dead && (r = reader_that_lacks(f)))
			ask(c, f, r->off, r->sz, out);
		if (f->is_needy)
			TAILQ_REMOVE(&c->needy, f, needy);
		f->is_needy = false;
		file_io_end(c, f);
	}
	check_sometimes(c);
}

/* --- streams --- */

/* The stream that a read of [off, off + sz) goes on with, or a new one. Reads may overtake each other by a little: what
 * was left open between two streams joins them. */
static struct stream *stream_of(struct cache_file *f, uint64_t off, uint64_t sz)
{
	struct stream *s = NULL;

	for (unsigned i = 0; i < STREAMS && !s; i++)
		if (f->stream[i].end == off && f->stream[i].begin < off)
			s = &f->stream[i];
	if (!s) {
		s = &f->stream[f->stream_next++ % STREAMS];
		*s = (struct stream){ .begin = off };
	}
	s->end = off + sz;
	for (unsigned i = 0; i < STREAMS; i++) {
		struct stream *t = &f->stream[i];
		if (t == s || t->begin != s->end || t->begin == t->end)
			continue;
		s->end = t->end;
		s->ahead = t->ahead > s->ahead ? t->ahead : s->ahead;
		*t = (struct stream){ 0 };
	}
	return s;
}

/* What the reader of S will want next: as much as it has read, at most AHEAD_MAX, in large steps. In chunks. */
static bool ahead_of(const struct cache *c, const struct cache_file *f, const struct stream *s, uint64_t *ret_first,
		     uint64_t *ret_end)
{
	uint64_t window = s->end - s->begin < AHEAD_MAX ? s->end - s->begin : AHEAD_MAX;

	if (window < AHEAD_MIN || f->is_never_ahead || f->is_kept || f->full_sz || s->ahead > s->end + window / 2)
		return false;
	*ret_first = (s->ahead > s->end ? s->ahead : s->end) / CHUNK_SZ;
	*ret_end = (s->end + window) / CHUNK_SZ + 1;
	if (*ret_end > f->chunk_cnt)
		*ret_end = f->chunk_cnt;
	/* Nothing is evicted for what nobody asked for. */
	return *ret_first < *ret_end && c->bytes + (*ret_end - *ret_first) * CHUNK_SZ <= c->limit;
}

bool cache_make_ahead(struct cache *c, struct cache_file *f, uint64_t idx, uint64_t end, struct replies *out)
{
	struct run run;

	if (f->is_dead || f->is_never_ahead || f->is_kept || f->full_sz ||
	    c->bytes + (end - idx) * CHUNK_SZ > c->limit || chunks_cover(f, idx * CHUNK_SZ, (end - idx) * CHUNK_SZ))
		return false;
	while (!f->is_dead && run_claim(c, f, &idx, end, false, &run)) {
		run.is_ahead = true;
		for (uint64_t i = run.first; i < run.end; i++)
			chunk_at(f, i)->is_ahead = true;
		if (run_make(c, f, &run, out))
			return false;
	}
	return true;
}

static void make_stream(struct cache *c, struct cache_file *f, struct replies *out)
{
	struct stream *s = &f->stream[f->stream_last];
	uint64_t idx, end;

	if (!ahead_of(c, f, s, &idx, &end))
		return;
	s->ahead = end * CHUNK_SZ;
	cache_make_ahead(c, f, idx, end, out);
}

void cache_ahead(struct cache *c, struct cache_file *f, struct replies *out)
{
	make_stream(c, f, out);
	serve_needy(c, out);
}

/* --- reads --- */

bool cache_read(struct cache *c, struct cache_file *f, struct cache_read *r, struct replies *out)
{
	uint64_t first, end;

	r->file = f;
	r->is_waiting = false;
	assert(r->off <= f->size && r->sz <= f->size - r->off);
	if (chunks_cover(f, r->off, r->sz)) {
		r->done(r, -ENOMEM, out);
		return false;
	}
	for (uint64_t i = r->off / CHUNK_SZ; i < chunk_end(r->off, r->sz); i++) {
		chunk_pin(c, f, i);
		if (r->who == READER_PROGRAM)
			chunk_at(f, i)->is_read = true;
	}
	if (r->who == READER_PROGRAM)
		start_note_read(f, r->off, r->sz);
	bool wants_ahead = false;
	if (r->who != READER_WARMER) {
		struct stream *s = stream_of(f, r->off, r->sz);
		f->stream_last = (unsigned)(s - f->stream);
		wants_ahead = ahead_of(c, f, s, &first, &end);
	}
	if (is_ready(f, r->off, r->sz)) {
		finish(c, r, 0, out);
	} else {
		uint64_t off = r->off, sz = r->sz; /* R may be answered as soon as it waits */
		r->is_waiting = true;
		TAILQ_INSERT_TAIL(&f->readers, r, on);
		ask(c, f, off, sz, out);
		serve_needy(c, out);
	}
	check_sometimes(c);
	return wants_ahead;
}

void cache_cancel(struct cache *c, struct cache_read *r)
{
	if (!r->is_waiting)
		return;
	TAILQ_REMOVE(&r->file->readers, r, on);
	r->is_waiting = false;
	unpin(c, r->file, r->off, r->sz);
	check_sometimes(c);
}

void cache_unpin(struct cache *c, struct cache_file *f, uint64_t off, uint64_t sz)
{
	f->lent -= chunk_end(off, sz) - off / CHUNK_SZ;
	unpin(c, f, off, sz);
	check_sometimes(c);
}

/* --- fills --- */

/* Reads that waited for what was to be made ahead and lack it now. Has blocks, so nothing here blocks; what has none is
 * the matter of a thread that is about to ask for it (I6). */
static void ask_again(struct cache *c, struct cache_file *f, struct replies *out)
{
	const struct cache_read *r;
	struct run run;

again:
	TAILQ_FOREACH(r, &f->readers, on)
	{
		uint64_t idx = r->off / CHUNK_SZ;
		if (run_claim(c, f, &idx, chunk_end(r->off, r->sz), true, &run)) {
			run_request(c, f, &run, out); /* may answer any reader */
			goto again;
		}
	}
}

static void retry_by_chunks(struct cache *c, struct cache_file *f, const struct run *run, struct replies *out)
{
	for (uint64_t i = run->first; i < run->end; i++) {
		struct run one = { .first = i, .end = i + 1 };
		int err = c->bottom->fill(c->ctx, f, run_off(&one), run_sz(f, &one));
		if (err)
			run_failed(c, f, &one, err, "", out);
	}
}

void cache_filled(struct cache *c, struct cache_file *f, uint64_t off, uint64_t sz, int error, const char *why,
		  struct replies *out)
{
	struct run run = { .first = off / CHUNK_SZ, .end = chunk_end(off, sz) };
	struct cache_read *r, *next;

	run.is_ahead = chunk_at(f, run.first)->is_ahead;
	if (error == -EIO && run.end - run.first > 1 && !run.is_ahead) {
		retry_by_chunks(c, f, &run, out);
	} else if (error) {
		run_failed(c, f, &run, error, why, out);
		ask_again(c, f, out);
	} else {
		c->count.fills++;
		c->count.filled_bytes += sz;
		f->filled_bytes += sz;
		run_set(c, f, &run, CHUNK_READY);
		for (r = TAILQ_FIRST(&f->readers); r; r = next) {
			next = TAILQ_NEXT(r, on);
			if (r->off < off + sz && off < r->off + r->sz && is_ready(f, r->off, r->sz))
				finish(c, r, 0, out);
		}
	}
	check_sometimes(c);
}

/* --- reads that block --- */

static void on_wait_done(struct cache_read *r, int error, struct replies *out)
{
	struct cache_waiter *w = (struct cache_waiter *)(void *)((char *)r - offsetof(struct cache_waiter, read));

	(void)out;
	w->is_done = true;
	w->error = error;
	pthread_cond_signal(&w->cond);
}

static void cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

bool cache_wait_begin(struct cache *c, struct cache_file *f, struct cache_waiter *w, uint64_t off, uint64_t sz,
		      enum cache_reader who, struct replies *out)
{
	*w = (struct cache_waiter){ .read = { .off = off, .sz = sz, .who = who, .done = on_wait_done } };
	cond_init(&w->cond);
	return cache_read(c, f, &w->read, out);
}

int cache_wait_end(struct cache *c, struct cache_waiter *w, const atomic_bool *cancel)
{
	while (!w->is_done && !(cancel && *cancel)) {
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += 100000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&w->cond, c->lock, &until);
	}
	if (!w->is_done) {
		cache_cancel(c, &w->read);
		w->error = -ECANCELED;
	}
	pthread_cond_destroy(&w->cond);
	return w->error;
}

/* --- files --- */

void cache_init(struct cache *c, pthread_mutex_t *lock, uint64_t limit, const struct cache_bottom *bottom, void *ctx)
{
	*c = (struct cache){ .lock = lock, .limit = limit, .bottom = bottom, .ctx = ctx };
	TAILQ_INIT(&c->files);
	TAILQ_INIT(&c->needy);
	TAILQ_INIT(&c->dead);
	TAILQ_INIT(&c->cold);
	cond_init(&c->tend);
}

static void file_destroy(struct cache_file *f)
{
	for (uint64_t i = 0; i * BLOCK_CHUNKS < f->chunk_cnt; i++)
		free(f->block[i]);
	free(f->block);
	free(f->reads.range);
	profile_free(f->profile);
	cleanup_fd(&f->fd);
	free(f);
}

int cache_file_new(struct cache *c, int dir_fd, uint64_t size, void *owner, struct cache_file **ret)
{
	if (size > (uint64_t)INT64_MAX - CACHE_STEP_SZ)
		return -EFBIG;
	uint64_t cnt = chunk_end(0, size), blocks = (cnt + BLOCK_CHUNKS - 1) / BLOCK_CHUNKS;
	struct cache_file *f = calloc(1, sizeof(*f));
	struct chunk_block **block = calloc(blocks ? blocks : 1, sizeof(struct chunk_block *));
	int fd = f && block ? room_backing(dir_fd, size) : -ENOMEM;
	if (fd < 0) {
		free(f);
		free(block);
		return fd;
	}
	*f = (struct cache_file){ .owner = owner, .size = size, .fd = fd, .chunk_cnt = cnt, .block = block };
	TAILQ_INIT(&f->readers);
	TAILQ_INSERT_TAIL(&c->files, f, all);
	*ret = f;
	return 0;
}

/* Chunks that are tracked, and whose place in the order changes with the file. */
static void reorder_all(struct cache *c, const struct cache_file *f)
{
	for (uint64_t i = 0; i * BLOCK_CHUNKS < f->chunk_cnt; i++)
		for (unsigned k = 0; f->block[i] && k < BLOCK_CHUNKS; k++)
			chunk_reorder(c, f, &f->block[i]->chunk[k]);
}

struct cache_file *cache_file_free(struct cache *c, struct cache_file *f)
{
	if (!f)
		return NULL;
	assert(TAILQ_EMPTY(&f->readers) && !f->lent);
	f->is_dead = true;
	reorder_all(c, f);
	TAILQ_REMOVE(&c->files, f, all);
	if (!f->io)
		file_bury(c, f);
	return NULL;
}

void cache_file_keep(struct cache *c, struct cache_file *f)
{
	f->is_kept = true;
	reorder_all(c, f);
	check_sometimes(c);
}

/* --- the thread that has time --- */

/* (drops) */
static void close_dead(struct cache *c)
{
	struct cache_files dead = TAILQ_HEAD_INITIALIZER(dead);
	struct cache_file *f;

	TAILQ_CONCAT(&dead, &c->dead, all);
	pthread_mutex_unlock(c->lock);
	while ((f = TAILQ_FIRST(&dead))) {
		TAILQ_REMOVE(&dead, f, all);
		file_destroy(f);
	}
	pthread_mutex_lock(c->lock);
}

bool cache_tend(struct cache *c, struct replies *out)
{
	while (!c->is_tend_wanted && !c->is_stopping)
		pthread_cond_wait(&c->tend, c->lock);
	if (c->is_stopping)
		return false;
	c->is_tend_wanted = false;
	room_make(c); /* before anything else gives up the lock: I7 */
	close_dead(c);
	serve_needy(c, out);
	return true;
}

void cache_stop(struct cache *c)
{
	c->is_stopping = true;
	pthread_cond_signal(&c->tend);
}

void cache_done(struct cache *c)
{
	close_dead(c);
	pthread_cond_destroy(&c->tend);
}
