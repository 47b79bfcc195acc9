/* check_cache.c - fs/cache: its states and invariants over a fake bottom layer, which counts what it is asked for,
 * answers when it is told to (or late, from threads of its own), fails, refuses, and stores garbage before it fails.
 *
 * What the fake demands of the cache: a range it is asked for has blocks, and no chunk of it is asked for twice at once.
 * What the tests demand: after a read was answered well its bytes are right, whatever was evicted or failed before.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "cache_priv.h"
#include "must.h"

enum { TIMEOUT_SEC = 100 };

#define ARRAY_CNT(a) (sizeof(a) / sizeof((a)[0]))
#define JOBS_MAX     512

/* --- the fake --- */

struct owner { /* of a file: counted, as generations are */
	unsigned ref;
	uint64_t seed;
	struct cache_file *file;
	uint8_t *in_flight; /* of each chunk */
};

struct fill {
	struct owner *owner;
	uint64_t off, sz;
};

struct fake {
	pthread_mutex_t lock;
	struct cache cache;
	struct fill job[JOBS_MAX]; /* to be answered */
	unsigned job_cnt;
	unsigned asked, asked_chunks, told, told_room;
	int refuse;		/* what the next .fill returns, once */
	unsigned refuse_one_in; /* 0: never */
	uint64_t random;
	pthread_cond_t cond; /* jobs, or is_over */
	bool is_over;
};

static uint64_t next_random(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static unsigned char byte_at(uint64_t seed, uint64_t off)
{
	return (unsigned char)(((off >> 3) * 0x9e3779b97f4a7c15ull + seed * 0x94d049bb133111ebull) >> (8 * (off & 7)) |
			       1);
}

static int fake_fill(void *ctx, struct cache_file *file, uint64_t off, uint64_t sz)
{
	struct fake *f = ctx;
	struct owner *o = file->owner;
	int refuse = f->refuse;

	f->refuse = 0;
	if (!refuse && f->refuse_one_in && next_random(&f->random) % f->refuse_one_in == 0)
		refuse = -ENOMEM;
	must(off % CHUNK_SZ == 0 && sz && off + sz <= file->size);
	must(off + sz == file->size || sz % CHUNK_SZ == 0);
	/* A store into a hole might be a SIGBUS. */
	must(lseek(file->fd, (off_t)off, SEEK_HOLE) >= (off_t)(off + sz));
	if (refuse)
		return refuse;
	must(f->job_cnt < JOBS_MAX);
	for (uint64_t i = off / CHUNK_SZ; i < chunk_end(off, sz); i++, f->asked_chunks++) {
		must(!o->in_flight[i]); /* nobody else is at it */
		o->in_flight[i] = 1;
	}
	o->ref++;
	f->asked++;
	f->job[f->job_cnt++] = (struct fill){o, off, sz};
	pthread_cond_signal(&f->cond);
	return 0;
}

static void fake_failed(void *ctx, struct cache_file *file, uint64_t off, uint64_t sz, bool is_room, int error,
			const char *why)
{
	struct fake *f = ctx;

	must(off + sz <= file->size && error < 0 && why);
	if (is_room)
		f->told_room++;
	else
		f->told++;
}

static const struct cache_bottom fake_bottom = { .fill = fake_fill, .failed = fake_failed };

static void assert_sound(const struct cache *c)
{
	struct text t = { 0 };

	if (!cache_check(c, &t))
		ck_abort_msg("%s", t.s);
	free(t.s);
}

static void fake_start(struct fake *f, uint64_t limit)
{
	*f = (struct fake){ .random = 1 };
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->cond, NULL);
	cache_init(&f->cache, &f->lock, limit, &fake_bottom, f);
	pthread_mutex_lock(&f->lock);
}

static void fake_end(struct fake *f)
{
	assert_sound(&f->cache);
	must_be(f->cache.bytes, 0);
	cache_done(&f->cache);
	pthread_mutex_unlock(&f->lock);
	pthread_mutex_destroy(&f->lock);
}

static struct owner *owner_new(struct fake *f, uint64_t size, uint64_t seed)
{
	struct owner *o = calloc(1, sizeof(*o));

	must(o);
	*o = (struct owner){ .ref = 1, .seed = seed, .in_flight = calloc(size / CHUNK_SZ + 1, 1) };
	must(o->in_flight);
	must_be(cache_file_new(&f->cache, -1, size, o, &o->file), 0); /* no such folder: a memfd */
	return o;
}

static void owner_unref(struct fake *f, struct owner *o)
{
	if (--o->ref)
		return;
	cache_file_free(&f->cache, o->file);
	free(o->in_flight);
	free(o);
}

/* Stores right bytes, or garbage where it will fail. */
static void store(const struct fill *j, bool is_right)
{
	unsigned char *buf = malloc(j->sz);

	must(buf);
	for (uint64_t i = 0; i < j->sz; i++)
		buf[i] = is_right ? byte_at(j->owner->seed, j->off + i) : (unsigned char)i;
	must_be(pwrite(j->owner->file->fd, buf, j->sz, (off_t)j->off), (ssize_t)j->sz);
	free(buf);
}

/* Takes job IDX. */
static struct fill take_job(struct fake *f, unsigned idx)
{
	struct fill j = f->job[idx];

	must(idx < f->job_cnt);
	memmove(&f->job[idx], &f->job[idx + 1], (--f->job_cnt - idx) * sizeof(j));
	return j;
}

static void answer_job(struct fake *f, struct fill j, int error)
{
	for (uint64_t i = j.off / CHUNK_SZ; i < chunk_end(j.off, j.sz); i++)
		j.owner->in_flight[i] = 0;
	cache_filled(&f->cache, j.owner->file, j.off, j.sz, error, "as told", NULL);
	owner_unref(f, j.owner);
}

/* The oldest job. */
static void answer(struct fake *f, int error)
{
	struct fill j = take_job(f, 0);

	store(&j, !error);
	answer_job(f, j, error);
}

/* The file system agrees about what FILES together hold. */
static void assert_blocks(const struct cache *c, struct owner *const owners[], unsigned cnt)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < cnt; i++) {
		struct stat st;
		must_be(fstat(owners[i]->file->fd, &st), 0);
		bytes += (uint64_t)st.st_blocks * 512;
	}
	must_be(bytes, c->bytes);
}

/* --- a reader --- */

struct reader {
	struct cache_read read;
	struct owner *owner;
	unsigned done;
	int error;
};

static void on_done(struct cache_read *r, int error, struct replies *out)
{
	struct reader *rd = (struct reader *)(void *)((char *)r - offsetof(struct reader, read));

	(void)out;
	rd->done++;
	rd->error = error;
}

/* True: cache_ahead is wanted. */
static bool ask_for(struct fake *f, struct reader *rd, struct owner *o, uint64_t off, uint64_t sz)
{
	*rd = (struct reader){ .read = { .off = off, .sz = sz, .done = on_done }, .owner = o };
	bool ahead = cache_read(&f->cache, o->file, &rd->read, NULL);
	assert_sound(&f->cache);
	return ahead;
}

static void assert_bytes(const struct owner *o, uint64_t off, uint64_t sz)
{
	unsigned char *buf = malloc(sz + 1);

	must(buf);
	must_be(pread(o->file->fd, buf, sz, (off_t)off), (ssize_t)sz);
	for (uint64_t i = 0; i < sz; i++)
		if (buf[i] != byte_at(o->seed, off + i))
			ck_abort_msg("wrong byte at %ju", (uintmax_t)(off + i));
	free(buf);
}

/* It was answered well; its bytes are right; what it pinned goes. */
static void assert_read(struct fake *f, struct reader *rd)
{
	must_be(rd->done, 1);
	must_be(rd->error, 0);
	assert_bytes(rd->owner, rd->read.off, rd->read.sz);
	cache_unpin(&f->cache, rd->owner->file, rd->read.off, rd->read.sz);
	assert_sound(&f->cache);
}

static void assert_failed(const struct reader *rd, int error)
{
	must_be(rd->done, 1);
	must_be(rd->error, error);
}

static enum chunk_state state_of(const struct owner *o, uint64_t idx)
{
	return o->file->block[idx / BLOCK_CHUNKS] ? chunk_at(o->file, idx)->state : CHUNK_RESERVED;
}

/* --- tests: one thread, the answers come when told --- */

START_TEST(test_one_fill_for_all)
{
	struct fake f;
	struct reader rd[8];

	fake_start(&f, 1 << 20);
	struct owner *o = owner_new(&f, 10 * CHUNK_SZ, 1);
	for (unsigned i = 0; i < ARRAY_CNT(rd); i++)
		ask_for(&f, &rd[i], o, i * 100, CHUNK_SZ + 5);
	must_be(f.asked, 1);
	must_be(rd[0].done, 0);
	answer(&f, 0);
	for (unsigned i = 0; i < ARRAY_CNT(rd); i++)
		assert_read(&f, &rd[i]);
	ask_for(&f, &rd[0], o, CHUNK_SZ, CHUNK_SZ);
	assert_read(&f, &rd[0]); /* at once */
	must_be(f.asked, 1);
	must_be(f.cache.count.fills, 1);
	must_be(o->file->filled_bytes, 2 * CHUNK_SZ);
	owner_unref(&f, o);
	fake_end(&f);
}
END_TEST

START_TEST(test_only_gaps_are_asked_for)
{
	struct fake f;
	struct reader a, b, all;

	fake_start(&f, 1 << 20);
	struct owner *o = owner_new(&f, 5 * CHUNK_SZ + 7, 2);
	ask_for(&f, &a, o, CHUNK_SZ, 1);
	answer(&f, 0);
	ask_for(&f, &b, o, 3 * CHUNK_SZ + 5, 1); /* on its way */
	ask_for(&f, &all, o, 0, 5 * CHUNK_SZ + 7);
	must_be(f.job_cnt, 4); /* chunks 3, 0, 2, 4 and the tail */
	must_be(f.job[3].off, 4 * CHUNK_SZ);
	must_be(f.job[3].sz, CHUNK_SZ + 7);
	while (f.job_cnt) {
		must_be(all.done, 0);
		answer(&f, 0);
	}
	assert_read(&f, &a);
	assert_read(&f, &b);
	assert_read(&f, &all);
	must_be(f.cache.bytes, 5 * CHUNK_SZ + 7);
	owner_unref(&f, o);
	fake_end(&f);
}
END_TEST

START_TEST(test_empty)
{
	struct fake f;
	struct reader rd;

	fake_start(&f, 1 << 20);
	struct owner *none = owner_new(&f, 0, 1), *some = owner_new(&f, CHUNK_SZ + 1, 1);
	ask_for(&f, &rd, none, 0, 0);
	assert_read(&f, &rd);
	ask_for(&f, &rd, some, CHUNK_SZ + 1, 0);
	assert_read(&f, &rd);
	must_be(f.asked, 0);
	owner_unref(&f, none);
	owner_unref(&f, some);
	fake_end(&f);
}
END_TEST

static const struct {
	int answer, refuse; /* one of them */
	bool is_full;
	int error;
} failure_rows[] = {
	{ .answer = -EIO, .error = -EIO },
	{ .answer = -ESTALE, .error = -ESTALE },
	{ .refuse = -ENOMEM, .error = -ENOMEM },
	{ .is_full = true, .error = -ENOSPC },
};

/* Writes to FILE find no room; returns its real descriptor. */
static int fill_disk(struct cache_file *file)
{
	int real = fcntl(file->fd, F_DUPFD_CLOEXEC, 0), full = open("/dev/full", O_RDWR | O_CLOEXEC);

	must(real >= 0 && full >= 0 && dup2(full, file->fd) == file->fd);
	close(full);
	return real;
}

static void empty_disk(struct cache_file *file, int real)
{
	must_be(dup2(real, file->fd), file->fd);
	close(real);
}

/* A range that can't be made is an error for those who wait for it and for nobody else, and the next read tries again. */
START_TEST(test_failure_then_retry)
{
	struct fake f;
	struct reader other, rd[2];

	fake_start(&f, 1 << 20);
	struct owner *o = owner_new(&f, 10 * CHUNK_SZ, 3);
	ask_for(&f, &other, o, 5 * CHUNK_SZ, 1);
	for (unsigned i = 0; i < 2; i++) {
		int real = failure_rows[_i].is_full ? fill_disk(o->file) : -1;
		f.refuse = failure_rows[_i].refuse;
		ask_for(&f, &rd[0], o, 100, 1);
		if (failure_rows[_i].answer) {
			ask_for(&f, &rd[1], o, 0, 1);
			struct fill j = take_job(&f, f.job_cnt - 1);
			store(&j, false);
			answer_job(&f, j, failure_rows[_i].answer);
			assert_failed(&rd[1], failure_rows[_i].error);
		}
		assert_failed(&rd[0], failure_rows[_i].error);
		assert_sound(&f.cache);
		if (real >= 0)
			empty_disk(o->file, real);
	}
	must_be(f.told, failure_rows[_i].is_full ? 0 : 2);
	must_be(f.told_room, failure_rows[_i].is_full); /* once, until there is room again */
	must_be(f.cache.count.fill_errors, 2);
	must_be(other.done, 0);
	ask_for(&f, &rd[0], o, 100, 1);
	answer(&f, 0);
	assert_read(&f, &other);
	answer(&f, 0);
	assert_read(&f, &rd[0]);
	if (failure_rows[_i].is_full) {
		int real = fill_disk(o->file);
		ask_for(&f, &rd[0], o, 7 * CHUNK_SZ, 1);
		assert_failed(&rd[0], -ENOSPC);
		must_be(f.told_room, 2);
		empty_disk(o->file, real);
	}
	owner_unref(&f, o);
	fake_end(&f);
}
END_TEST

/* An error of a long range stays in its chunk. */
START_TEST(test_error_stays_in_its_chunk)
{
	struct fake f;
	struct reader all, good, bad;

	fake_start(&f, 1 << 20);
	struct owner *o = owner_new(&f, 4 * CHUNK_SZ, 4);
	ask_for(&f, &all, o, 0, 4 * CHUNK_SZ);
	ask_for(&f, &good, o, 3 * CHUNK_SZ, 9);
	ask_for(&f, &bad, o, 2 * CHUNK_SZ, 9);
	answer(&f, -EIO);
	must_be(f.job_cnt, 4);
	must_be(all.done, 0);
	for (unsigned i = 0; i < 4; i++)
		answer(&f, i == 2 ? -EIO : 0);
	assert_failed(&all, -EIO);
	assert_failed(&bad, -EIO);
	assert_read(&f, &good);
	must_be(state_of(o, 2), CHUNK_PREPARED);
	must_be(f.told, 1);
	owner_unref(&f, o);
	fake_end(&f);
}
END_TEST

/* The chunk that was let go first goes first; what is pinned stays beyond the limit, until it is let go. */
START_TEST(test_coldest_goes_first)
{
	struct fake f;
	struct reader rd[4], again;

	fake_start(&f, 4 * CHUNK_SZ);
	struct owner *o = owner_new(&f, 100 * CHUNK_SZ, 5), *p = owner_new(&f, CHUNK_SZ, 6);
	for (uint64_t i = 0; i < 4; i++) {
		ask_for(&f, &rd[i], o, 20 * i * CHUNK_SZ, 1);
		answer(&f, 0);
		assert_read(&f, &rd[i]);
	}
	ask_for(&f, &again, o, 0, 1);
	assert_read(&f, &again);
	ask_for(&f, &again, p, 0, 1);
	answer(&f, 0);
	must_be(state_of(o, 0), CHUNK_READY);
	must_be(state_of(o, 20), CHUNK_RESERVED);
	must_be(state_of(o, 40), CHUNK_READY);
	must_be(f.cache.count.evictions, 1);
	assert_blocks(&f.cache, (struct owner *[]){o, p}, 2);
	for (uint64_t i = 0; i < 4; i++) {
		ask_for(&f, &rd[i], o, 20 * i * CHUNK_SZ + 3, 2);
		while (f.job_cnt)
			answer(&f, 0);
	}
	must_be(f.cache.bytes, 5 * CHUNK_SZ); /* all pinned */
	assert_read(&f, &again);
	must(f.cache.is_tend_wanted);
	must(cache_tend(&f.cache, NULL));
	must_be(f.cache.bytes, 4 * CHUNK_SZ);
	assert_blocks(&f.cache, (struct owner *[]){o, p}, 2);
	must_be(state_of(p, 0), CHUNK_RESERVED);
	for (unsigned i = 0; i < 4; i++)
		assert_read(&f, &rd[i]); /* among them one that came back */
	owner_unref(&f, o);
	owner_unref(&f, p);
	fake_end(&f);
}
END_TEST

/* What can't be made again is not evicted, however cold; what failed there and holds nothing is. */
START_TEST(test_kept_is_never_evicted)
{
	struct fake f;
	struct reader rd;

	fake_start(&f, 4 * CHUNK_SZ);
	struct owner *lost = owner_new(&f, 3 * CHUNK_SZ, 7), *o = owner_new(&f, 50 * CHUNK_SZ, 8);
	for (uint64_t i = 0; i < 3; i++) {
		ask_for(&f, &rd, lost, i * CHUNK_SZ, 1);
		answer(&f, i == 1 ? -EIO : 0);
		if (i != 1)
			assert_read(&f, &rd);
	}
	cache_file_keep(&f.cache, lost->file);
	for (uint64_t i = 0; i < 50; i++) {
		ask_for(&f, &rd, o, i * CHUNK_SZ, 1);
		answer(&f, 0);
		assert_read(&f, &rd);
	}
	must_be(state_of(lost, 0), CHUNK_READY);
	must_be(state_of(lost, 1), CHUNK_RESERVED);
	must_be(state_of(lost, 2), CHUNK_READY);
	must_be(f.cache.bytes, 4 * CHUNK_SZ);
	ask_for(&f, &rd, lost, 2 * CHUNK_SZ, 5);
	assert_read(&f, &rd);
	owner_unref(&f, lost);
	owner_unref(&f, o);
	fake_end(&f);
}
END_TEST

/* Reads in order: what comes next is on its way before it is asked for; when that fails, whoever came for it asks for
 * his part, and nothing is told. */
START_TEST(test_ahead)
{
	struct fake f;
	struct reader rd;
	uint64_t off = 0, step = 8 * CHUNK_SZ;
	bool ahead = false;

	fake_start(&f, 64 << 20);
	struct owner *o = owner_new(&f, 16 << 20, 9);
	for (; !ahead; off += step) {
		ahead = ask_for(&f, &rd, o, off, step);
		answer(&f, 0);
		assert_read(&f, &rd);
	}
	must_be(off, 1 << 20);
	cache_ahead(&f.cache, o->file, NULL);
	assert_sound(&f.cache);
	must_be(f.job_cnt, 1);
	must_be(f.job[0].off, off);
	must(f.job[0].sz >= 1 << 20);
	ask_for(&f, &rd, o, off, step);
	must_be(f.job_cnt, 1);
	if (_i == 0) {
		answer(&f, 0);
	} else {
		answer(&f, -EIO);
		must_be(f.job_cnt, 1);
		must_be(f.job[0].sz, step);
		answer(&f, 0);
		must(!ask_for(&f, &(struct reader){ 0 }, o, 0, 0));
	}
	assert_read(&f, &rd);
	must_be(f.told, 0);
	owner_unref(&f, o);
	fake_end(&f);
}
END_TEST

START_TEST(test_cancel)
{
	struct fake f;
	struct reader a, b;

	fake_start(&f, 1 << 20);
	struct owner *o = owner_new(&f, 10 * CHUNK_SZ, 10);
	ask_for(&f, &a, o, 0, 1);
	ask_for(&f, &b, o, 1, 1);
	cache_cancel(&f.cache, &a.read);
	answer(&f, 0);
	must_be(a.done, 0);
	assert_read(&f, &b);
	cache_cancel(&f.cache, &b.read); /* too late: nothing */
	assert_sound(&f.cache);
	owner_unref(&f, o);
	fake_end(&f);
}
END_TEST

/* A long range is asked for in steps, so that its first part is made while the next gets its blocks. */
START_TEST(test_steps)
{
	struct fake f;
	struct reader rd;

	fake_start(&f, 100 << 20);
	struct owner *o = owner_new(&f, 9 << 20, 11);
	ask_for(&f, &rd, o, 1, (9 << 20) - 1);
	must_be(f.job_cnt, 5);
	for (unsigned i = 0; i < 5; i++)
		must(f.job[i].sz <= CACHE_STEP_SZ);
	while (f.job_cnt)
		answer(&f, 0);
	assert_read(&f, &rd);
	owner_unref(&f, o);
	fake_end(&f);
}
END_TEST

/* --- every sequence of operations up to a length --- */

enum {
	OP_READ_0,
	OP_READ_01,
	OP_READ_12,
	OP_GOOD,
	OP_BAD,
	OP_LAST_GOOD,
	OP_REFUSE,
	OP_LET_GO,
	OP_CANCEL,
	OP_TEND,
	OPS
};
#if defined(__SANITIZE_THREAD__)
#define SEQUENCE_MAX 3 /* one thread: nothing to see for this sanitizer, and slow under it */
#else
#define SEQUENCE_MAX 4
#endif
#define READS_MAX 20

struct model {
	struct fake f;
	struct owner *o;
	struct reader rd[READS_MAX];
	unsigned rd_cnt;
};

static void step(struct model *m, unsigned op)
{
	static const struct {
		uint64_t off, sz;
	} range[] = {{5, 10}, {0, 2 * CHUNK_SZ}, {CHUNK_SZ + 1, CHUNK_SZ + 1}};
	struct fake *f = &m->f;

	switch (op) {
	case OP_READ_0:
	case OP_READ_01:
	case OP_READ_12:
		ask_for(f, &m->rd[m->rd_cnt++], m->o, range[op].off, range[op].sz);
		return;
	case OP_GOOD:
	case OP_BAD:
		if (f->job_cnt)
			answer(f, op == OP_GOOD ? 0 : -EIO);
		break;
	case OP_LAST_GOOD:
		if (f->job_cnt) {
			struct fill j = take_job(f, f->job_cnt - 1);
			store(&j, true);
			answer_job(f, j, 0);
		}
		break;
	case OP_REFUSE:
		f->refuse = -ENOMEM;
		return;
	case OP_LET_GO: /* the oldest that was answered */
		for (unsigned i = 0; i < m->rd_cnt; i++) {
			struct reader *rd = &m->rd[i];
			if (rd->done != 1 || rd->error)
				continue;
			assert_read(f, rd);
			rd->done = 2;
			return;
		}
		return;
	case OP_CANCEL: /* the youngest */
		if (m->rd_cnt)
			cache_cancel(&f->cache, &m->rd[m->rd_cnt - 1].read);
		break;
	case OP_TEND:
		if (f->cache.is_tend_wanted)
			cache_tend(&f->cache, NULL);
		break;
	}
	assert_sound(&f->cache);
}

/* Back to where nothing was read. Whoever still waits is answered on the way: nobody waits for ever. */
static void rewind_model(struct model *m)
{
	struct cache *c = &m->f.cache;
	uint64_t limit = c->limit;

	m->f.refuse = 0;
	while (m->f.job_cnt)
		step(m, OP_GOOD);
	for (unsigned i = 0; i < m->rd_cnt; i++) {
		struct reader *rd = &m->rd[i];
		must(rd->done || !rd->read.is_waiting);
		if (rd->done == 1 && !rd->error)
			assert_read(&m->f, rd);
	}
	m->rd_cnt = 0;
	c->limit = 0;
	room_make(c);
	c->limit = limit;
	assert_sound(c);
	for (uint64_t i = 0; i < 3; i++)
		must_be(state_of(m->o, i), CHUNK_RESERVED);
	must_be(c->bytes, 0);
}

START_TEST(test_every_sequence) /* of SEQUENCE_MAX; _i: the limit */
{
	struct model m = { .rd_cnt = 0 };
	unsigned total = 1;

	fake_start(&m.f, (uint64_t)(_i + 1) * CHUNK_SZ);
	m.o = owner_new(&m.f, 3 * CHUNK_SZ - 5, 12);
	for (unsigned i = 0; i < SEQUENCE_MAX; i++)
		total *= OPS;
	for (unsigned n = 0; n < total; n++) {
		for (unsigned i = 0, rest = n; i < SEQUENCE_MAX; i++, rest /= OPS)
			step(&m, rest % OPS);
		rewind_model(&m);
	}
	for (unsigned n = 0; n < 1000; n++) { /* and some long ones */
		for (unsigned i = 0; i < READS_MAX; i++)
			step(&m, (unsigned)(next_random(&m.f.random) % OPS));
		rewind_model(&m);
	}
	owner_unref(&m.f, m.o);
	fake_end(&m.f);
}
END_TEST

/* --- threads --- */

/* Answers late. */
static void *filler(void *arg)
{
	struct fake *f = arg;

	pthread_mutex_lock(&f->lock);
	for (;;) {
		while (!f->job_cnt && !f->is_over)
			pthread_cond_wait(&f->cond, &f->lock);
		if (!f->job_cnt)
			break;
		uint64_t dice = next_random(&f->random);
		struct fill j = take_job(f, (unsigned)(dice % f->job_cnt));
		int error = dice / 1024 % 40 ? 0 : dice / 65536 % 2 ? -EIO : -ESTALE;
		pthread_mutex_unlock(&f->lock);
		store(&j, !error);
		usleep((useconds_t)(dice / (1 << 20) % 100));
		pthread_mutex_lock(&f->lock);
		answer_job(f, j, error);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

static void *tender(void *arg)
{
	struct fake *f = arg;

	pthread_mutex_lock(&f->lock);
	while (cache_tend(&f->cache, NULL))
		;
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

#define SLOTS 3
struct world {
	struct fake f;
	struct owner *slot[SLOTS];
	unsigned good, bad, cancelled;
	bool is_over;
};

struct visitor {
	pthread_t thread;
	struct world *w;
	uint64_t random;
	atomic_bool cancel;
};

/* One read, or several in order. */
static void visit(struct visitor *v, struct owner *o)
{
	struct fake *f = &v->w->f;
	uint64_t dice = next_random(&v->random), size = o->file->size;
	uint64_t off = dice % size, sz = next_random(&v->random) % (6 * CHUNK_SZ) + 1;
	unsigned times = dice >> 32 & 15 ? 1 : 40;

	for (; times && off < size; times--, off += sz) {
		struct cache_waiter w;
		if (sz > size - off)
			sz = size - off;
		v->cancel = next_random(&v->random) % 20 == 0;
		if (cache_wait_begin(&f->cache, o->file, &w, off, sz, READER_COPY, NULL))
			cache_ahead(&f->cache, o->file, NULL);
		int err = cache_wait_end(&f->cache, &w, &v->cancel);
		v->w->good += !err;
		v->w->cancelled += err == -ECANCELED;
		v->w->bad += err && err != -ECANCELED;
		if (err)
			continue;
		pthread_mutex_unlock(&f->lock);
		assert_bytes(o, off, sz);
		pthread_mutex_lock(&f->lock);
		cache_unpin(&f->cache, o->file, off, sz);
	}
}

static void *visitor(void *arg)
{
	struct visitor *v = arg;
	struct fake *f = &v->w->f;

	pthread_mutex_lock(&f->lock);
	while (!v->w->is_over) {
		struct owner *o = v->w->slot[next_random(&v->random) % SLOTS];
		o->ref++;
		visit(v, o);
		owner_unref(f, o);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

static struct owner *random_owner(struct fake *f)
{
	static const uint64_t size[] = {1, CHUNK_SZ, 300000, 5 << 20, (7 << 20) + 123};
	uint64_t dice = next_random(&f->random);

	return owner_new(f, size[dice % ARRAY_CNT(size)], dice);
}

/* Readers that wait and change their minds, fills that are late and fail, a limit of a few reads, files that come and
 * go; for two seconds. Every byte that is handed out is right, and in the end nothing is left. */
START_TEST(test_torture)
{
	struct world w = { .good = 0 };
	struct fake *f = &w.f;
	struct visitor v[5];
	pthread_t fillers[3], tender_thread;

	fake_start(f, 1 << 20);
	f->refuse_one_in = 60;
	for (unsigned i = 0; i < SLOTS; i++)
		w.slot[i] = random_owner(f);
	for (unsigned i = 0; i < ARRAY_CNT(fillers); i++)
		must_be(pthread_create(&fillers[i], NULL, filler, f), 0);
	must_be(pthread_create(&tender_thread, NULL, tender, f), 0);
	for (unsigned i = 0; i < ARRAY_CNT(v); i++) {
		v[i] = (struct visitor){ .w = &w, .random = i };
		must_be(pthread_create(&v[i].thread, NULL, visitor, &v[i]), 0);
	}
	for (unsigned i = 0; i < 200; i++) { /* 10 ms each */
		pthread_mutex_unlock(&f->lock);
		usleep(10000);
		pthread_mutex_lock(&f->lock);
		assert_sound(&f->cache);
		if (i % 10)
			continue;
		struct owner *old = w.slot[i / 10 % SLOTS];
		w.slot[i / 10 % SLOTS] = random_owner(f);
		if (i % 20)
			cache_file_keep(&f->cache, old->file);
		owner_unref(f, old);
	}
	w.is_over = true;
	pthread_mutex_unlock(&f->lock);
	for (unsigned i = 0; i < ARRAY_CNT(v); i++)
		pthread_join(v[i].thread, NULL);
	pthread_mutex_lock(&f->lock);
	f->is_over = true;
	pthread_cond_broadcast(&f->cond);
	pthread_mutex_unlock(&f->lock);
	for (unsigned i = 0; i < ARRAY_CNT(fillers); i++)
		pthread_join(fillers[i], NULL);
	pthread_mutex_lock(&f->lock);
	assert_sound(&f->cache);
	for (unsigned i = 0; i < SLOTS; i++)
		owner_unref(f, w.slot[i]);
	cache_stop(&f->cache);
	pthread_mutex_unlock(&f->lock);
	pthread_join(tender_thread, NULL);
	pthread_mutex_lock(&f->lock);
	printf("torture: %u reads good, %u failed, %u cancelled; %u fills of %u chunks, %ju evictions\n", w.good, w.bad,
	       w.cancelled, f->asked, f->asked_chunks, (uintmax_t)f->cache.count.evictions);
	must(w.good && w.bad && w.cancelled && f->cache.count.evictions);
	must_be(f->cache.evicting, 0);
	fake_end(f);
}
END_TEST

/* A thread that waits obeys its flag while the layer below says nothing. */
struct patience {
	struct fake *f;
	struct owner *o;
	atomic_bool cancel;
	int error;
};

static void *wait_in_vain(void *arg)
{
	struct patience *p = arg;
	struct cache_waiter w;

	pthread_mutex_lock(&p->f->lock);
	cache_wait_begin(&p->f->cache, p->o->file, &w, 0, 1, READER_COPY, NULL);
	p->error = cache_wait_end(&p->f->cache, &w, &p->cancel);
	pthread_mutex_unlock(&p->f->lock);
	return NULL;
}

START_TEST(test_wait_is_cancelled)
{
	struct fake f;
	pthread_t thread;

	fake_start(&f, 1 << 20);
	struct patience p = { .f = &f, .o = owner_new(&f, 100, 13) };
	must_be(pthread_create(&thread, NULL, wait_in_vain, &p), 0);
	pthread_mutex_unlock(&f.lock);
	usleep(20000);
	p.cancel = true;
	pthread_join(thread, NULL);
	pthread_mutex_lock(&f.lock);
	must_be(p.error, -ECANCELED);
	assert_sound(&f.cache);
	answer(&f, 0); /* nobody waits for it any more */
	assert_sound(&f.cache);
	owner_unref(&f, p.o);
	fake_end(&f);
}
END_TEST

/* --- what a start reads --- */

static void read_as(struct fake *f, struct owner *o, uint64_t idx, uint64_t cnt, enum cache_reader who)
{
	struct reader rd = { .read = { .off = idx * CHUNK_SZ, .sz = cnt * CHUNK_SZ, .who = who, .done = on_done },
			     .owner = o };

	cache_read(&f->cache, o->file, &rd.read, NULL);
	while (f->job_cnt)
		answer(f, 0);
	assert_read(f, &rd);
}

static void assert_next(const struct owner *o, struct profile_at *at, uint64_t idx, uint64_t cnt, bool is_made)
{
	uint64_t off, sz;
	bool made;

	must(cache_next_expected(o->file, at, &off, &sz, &made));
	must_be(off, idx * CHUNK_SZ);
	must_be(sz, cnt * CHUNK_SZ);
	must_be(made, is_made);
}

static void assert_no_more(const struct owner *o, struct profile_at *at)
{
	uint64_t off, sz;
	bool made;

	must(!cache_next_expected(o->file, at, &off, &sz, &made));
}

START_TEST(test_next_version_is_read_in_the_order_of_this_one)
{
	struct profile_at at = { 0 };
	struct fake f;

	fake_start(&f, 64 << 20);
	struct owner *o = owner_new(&f, 400 * CHUNK_SZ, 1), *next = owner_new(&f, 300 * CHUNK_SZ, 2);
	read_as(&f, o, 200, 3, READER_PROGRAM); /* more than the kernel reads around a fault: wanted whole */
	read_as(&f, o, 50, 40, READER_PROGRAM); /* of one piece at most 512 KiB */
	read_as(&f, o, 100, 3, READER_COPY);
	read_as(&f, o, 110, 3, READER_WARMER);
	read_as(&f, o, 203, 3, READER_PROGRAM);
	read_as(&f, o, 350, 3, READER_PROGRAM); /* the next one is shorter */
	cache_file_expect(next->file, o->file);
	assert_next(next, &at, 200, 6, false);
	assert_next(next, &at, 50, 32, false);
	assert_next(next, &at, 82, 8, false);
	assert_no_more(next, &at);
	at = (struct profile_at){ 0 };
	cache_make_expected(&f.cache, next->file, NULL);
	must_be(f.job_cnt, 3);
	must_be(f.job[0].off, 200 * CHUNK_SZ);
	must_be(f.job[0].sz, 6 * CHUNK_SZ);
	must_be(f.job[1].off, 50 * CHUNK_SZ);
	must_be(f.job[1].sz, 32 * CHUNK_SZ);
	must_be(f.job[2].off, 82 * CHUNK_SZ);
	must_be(f.job[2].sz, 8 * CHUNK_SZ);
	assert_next(next, &at, 200, 6, false); /* on its way */
	at = (struct profile_at){ 0 };
	read_as(&f, next, 60, 2, READER_PROGRAM); /* needs no giving any more */
	read_as(&f, next, 300 - 1, 1, READER_PROGRAM);
	assert_next(next, &at, 200, 6, true);
	assert_next(next, &at, 50, 10, true);
	assert_next(next, &at, 62, 20, true);
	assert_next(next, &at, 82, 8, true);
	assert_no_more(next, &at);
	owner_unref(&f, o);
	owner_unref(&f, next);
	fake_end(&f);
}
END_TEST

/* Of what the kernel read around a fault the page that faulted is expected: a piece is made of pages. */
START_TEST(test_page_that_faulted_is_expected)
{
	struct profile_at at = { 0 };
	uint64_t off, sz;
	bool made;
	struct fake f;

	fake_start(&f, 64 << 20);
	struct owner *o = owner_new(&f, 100 * CHUNK_SZ + 5, 1), *next = owner_new(&f, 100 * CHUNK_SZ + 5, 2);
	read_as(&f, o, 10, READAHEAD_SZ / CHUNK_SZ, READER_PROGRAM);
	struct reader rd = { .read = { .off = 100 * CHUNK_SZ, .sz = 5, .who = READER_PROGRAM, .done = on_done }, .owner = o };
	cache_read(&f.cache, o->file, &rd.read, NULL);
	while (f.job_cnt)
		answer(&f, 0);
	assert_read(&f, &rd);
	cache_file_expect(next->file, o->file);
	must(cache_next_expected(next->file, &at, &off, &sz, &made));
	must_be(off, 10 * CHUNK_SZ + READAHEAD_SZ / 2);
	must_be(sz, PAGE_SZ);
	must(cache_next_expected(next->file, &at, &off, &sz, &made));
	must_be(off, 100 * CHUNK_SZ);
	must_be(sz, 5);
	assert_no_more(next, &at);
	owner_unref(&f, o);
	owner_unref(&f, next);
	fake_end(&f);
}
END_TEST

/* What came from elsewhere counts as made, and is not in the file: who reads it has it made. Only what a version was given is
 * handed to the next one. */
START_TEST(test_given_from_elsewhere)
{
	struct profile_at at = { 0 };
	struct fake f;

	fake_start(&f, 64 << 20);
	struct owner *o = owner_new(&f, 400 * CHUNK_SZ, 1), *given = owner_new(&f, 400 * CHUNK_SZ, 2),
		     *next = owner_new(&f, 400 * CHUNK_SZ, 3);
	read_as(&f, o, 70, 3, READER_PROGRAM);
	read_as(&f, o, 80, 3, READER_PROGRAM);
	cache_file_expect(given->file, o->file);
	cache_given(&f.cache, given->file, 70 * CHUNK_SZ, 2 * CHUNK_SZ, false);
	must_be(given->file->filled_bytes, 2 * CHUNK_SZ);
	must_be(given->file->bytes, 0);
	cache_given(&f.cache, given->file, 72 * CHUNK_SZ, CHUNK_SZ, true);
	must_be(given->file->filled_bytes, 2 * CHUNK_SZ);
	read_as(&f, given, 71, 1, READER_PROGRAM);
	must_be(given->file->bytes, CHUNK_SZ);
	cache_file_expect(next->file, given->file);
	assert_next(next, &at, 70, 3, false);
	assert_no_more(next, &at);
	owner_unref(&f, o);
	owner_unref(&f, given);
	owner_unref(&f, next);
	fake_end(&f);
}
END_TEST

/* Gives F all that is expected of it; returns whether IDX was. */
static bool give_all(struct fake *f, struct owner *o, uint64_t idx)
{
	struct profile_at at = { 0 };
	uint64_t off, sz;
	bool made, has = false;

	while (cache_next_expected(o->file, &at, &off, &sz, &made)) {
		cache_given(&f->cache, o->file, off, sz, made);
		has |= off <= idx * CHUNK_SZ && off + sz > idx * CHUNK_SZ;
	}
	return has;
}

/* What is given unasked is seen to be wanted now and then: one version in many goes without, and the next one has what that one
 * asked for. A version that nobody ran hands on what it was told. */
START_TEST(test_given_unasked_but_not_for_ever)
{
	unsigned lacking = 0, again = 0, turns = 3000;
	struct fake f;

	fake_start(&f, 64 << 20);
	struct owner *o = owner_new(&f, 40 * CHUNK_SZ, 1);
	must(!cache_may_give(o->file));
	read_as(&f, o, 7, 3, READER_PROGRAM);
	for (unsigned i = 0; i < turns; i++) {
		struct owner *unused = owner_new(&f, 40 * CHUNK_SZ, 1), *next = owner_new(&f, 40 * CHUNK_SZ, 1);
		cache_file_expect(unused->file, o->file);
		cache_file_expect(next->file, unused->file);
		bool has = give_all(&f, next, 7);
		lacking += !has;
		if (!has && lacking == 1) {
			must(i > 100);
			read_as(&f, next, 7, 3, READER_PROGRAM);
		}
		again += has && lacking == 1;
		owner_unref(&f, o);
		owner_unref(&f, unused);
		o = next;
	}
	must(again > turns / 10); /* it was asked for, and known again */
	must(lacking > turns / 10); /* nobody asked for it any more */
	owner_unref(&f, o);
	fake_end(&f);
}
END_TEST

/* A long run's later reads are not its start. */
START_TEST(test_late_reads_are_no_start)
{
	struct profile_at at = { 0 };
	struct fake f;

	fake_start(&f, 64 << 20);
	struct owner *o = owner_new(&f, 400 * CHUNK_SZ, 1), *next = owner_new(&f, 400 * CHUNK_SZ, 2);
	read_as(&f, o, 70, 3, READER_PROGRAM);
	o->file->reads.until = now_ms() - 1;
	read_as(&f, o, 80, 3, READER_PROGRAM);
	cache_file_opened(o->file);
	read_as(&f, o, 90, 3, READER_PROGRAM);
	cache_file_expect(next->file, o->file);
	assert_next(next, &at, 70, 3, false);
	assert_next(next, &at, 90, 3, false);
	assert_no_more(next, &at);
	owner_unref(&f, o);
	owner_unref(&f, next);
	fake_end(&f);
}
END_TEST

START_TEST(test_who_read_too_much_did_not_start)
{
	struct fake f;

	fake_start(&f, 64 << 20);
	struct owner *o = owner_new(&f, 100 << 20, 1), *next = owner_new(&f, 100 << 20, 2);
	read_as(&f, o, 1, 1, READER_PROGRAM);
	o->file->reads.pages = (96 << 20) / PAGE_SZ;
	read_as(&f, o, 5, 1, READER_PROGRAM);
	cache_file_expect(next->file, o->file);
	must(!next->file->profile);
	owner_unref(&f, o);
	owner_unref(&f, next);
	fake_end(&f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cache");
	TCase *tc = tcase_create("cache");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, TIMEOUT_SEC);
	tcase_add_test(tc, test_one_fill_for_all);
	tcase_add_test(tc, test_only_gaps_are_asked_for);
	tcase_add_test(tc, test_empty);
	tcase_add_loop_test(tc, test_failure_then_retry, 0, (int)ARRAY_CNT(failure_rows));
	tcase_add_test(tc, test_error_stays_in_its_chunk);
	tcase_add_test(tc, test_coldest_goes_first);
	tcase_add_test(tc, test_kept_is_never_evicted);
	tcase_add_loop_test(tc, test_ahead, 0, 2);
	tcase_add_test(tc, test_cancel);
	tcase_add_test(tc, test_steps);
	tcase_add_loop_test(tc, test_every_sequence, 0, 3);
	tcase_add_test(tc, test_wait_is_cancelled);
	tcase_add_test(tc, test_next_version_is_read_in_the_order_of_this_one);
	tcase_add_test(tc, test_page_that_faulted_is_expected);
	tcase_add_test(tc, test_given_from_elsewhere);
	tcase_add_test(tc, test_given_unasked_but_not_for_ever);
	tcase_add_test(tc, test_late_reads_are_no_start);
	tcase_add_test(tc, test_who_read_too_much_did_not_start);
	tcase_add_test(tc, test_torture);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
