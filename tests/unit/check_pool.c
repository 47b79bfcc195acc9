/* check_pool.c - linker/mem/pool: every index once, workers apart, nesting, few or no threads. */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "fake_os.h"
#include "pool.h"

enum { TIMEOUT_SEC = 60 };

struct cover {
	atomic_uchar *seen; /* per index: how often */
	size_t cnt;
	size_t grain;       /* 0: any */
	unsigned threads;
	atomic_uint bad;    /* a chunk or worker number out of bounds */
	atomic_uint chunks;
	atomic_bool busy[64];
};

static void cover_body(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct cover *c = ctx;

	if (begin >= end || end > c->cnt || (c->grain && end - begin > c->grain) || worker >= c->threads) {
		atomic_fetch_add(&c->bad, 1);
		return;
	}
	if (atomic_exchange(&c->busy[worker], true))
		atomic_fetch_add(&c->bad, 1);
	atomic_fetch_add(&c->chunks, 1);
	for (size_t i = begin; i < end; i++)
		atomic_fetch_add(&c->seen[i], 1);
	atomic_store(&c->busy[worker], false);
}

/* The first index that was not seen TIMES times; the count where there is none. */
static size_t not_seen_times(const struct cover *c, unsigned times)
{
	for (size_t i = 0; i < c->cnt; i++)
		if (c->seen[i] != times)
			return i;
	return c->cnt;
}

static const struct cover_row {
	unsigned threads;
	size_t cnt, grain;
} cover_rows[] = {
	{ 1, 0, 1 },  { 1, 1, 1 },   { 1, 1000, 7 },  { 2, 0, 0 },     { 2, 1, 0 },     { 2, 2, 1 },      { 2, 3, 2 },
	{ 4, 1, 5 },  { 4, 3, 1 },   { 4, 4, 1 },     { 4, 5, 1 },
	{ 4, 1000, 1 }, { 4, 1000, 999 }, { 4, 1000, 1000 },
	{ 4, 999, 0 }, { 4, 999, 1001 }, { 8, 7, 0 }, { 8, 100000, 0 }, { 8, 100000, 64 }, { 3, 65537, 256 },
};

START_TEST(test_every_index_once)
{
	const struct cover_row *row = &cover_rows[_i];
	struct cover c = { .cnt = row->cnt, .grain = row->grain };
	struct pool *p;

	ck_assert_int_eq(pool_new(row->threads, &p), 0);
	c.threads = pool_threads(p);
	ck_assert_uint_ge(c.threads, 1);
	ck_assert_uint_le(c.threads, row->threads);
	c.seen = calloc(row->cnt + 1, sizeof(*c.seen));
	ck_assert_ptr_nonnull(c.seen);
	for (unsigned round = 1; round <= 3; round++) {
		atomic_store(&c.chunks, 0);
		pool_for(p, row->cnt, row->grain, cover_body, &c);
		ck_assert_uint_eq(not_seen_times(&c, round), row->cnt);
		if (row->grain)
			ck_assert_uint_eq(c.chunks, (row->cnt + row->grain - 1) / row->grain);
	}
	ck_assert_uint_eq(c.bad, 0);
	free(c.seen);
	ck_assert_ptr_null(pool_free(p));
}
END_TEST

START_TEST(test_free_null)
{
	ck_assert_ptr_null(pool_free(NULL));
}
END_TEST

START_TEST(test_default_is_cpus)
{
	cpu_set_t set;
	struct pool *p;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	ck_assert_int_eq(pool_new(0, &p), 0);
	ck_assert_uint_eq(pool_threads(p), (unsigned)CPU_COUNT(&set));
	pool_free(p);
}
END_TEST

struct self {
	pthread_t caller;
	unsigned wrong;
};

static void self_body(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct self *s = ctx;

	(void)begin;
	(void)end;
	s->wrong += worker != 0 || !pthread_equal(pthread_self(), s->caller);
}

/* One thread is a plain call, and so is a loop of one chunk: no atomics needed in the body. */
START_TEST(test_plain_calls)
{
	struct self s = { .caller = pthread_self() };
	struct pool *p;

	ck_assert_int_eq(pool_new(1, &p), 0);
	pool_for(p, 100, 1, self_body, &s);
	pool_free(p);
	ck_assert_int_eq(pool_new(4, &p), 0);
	pool_for(p, 100, 100, self_body, &s);
	pool_free(p);
	ck_assert_uint_eq(s.wrong, 0);
}
END_TEST

struct big {
	atomic_uint calls;
	_Atomic uint64_t sum;
};

static void big_body(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct big *b = ctx;

	(void)worker;
	atomic_fetch_add(&b->calls, 1);
	atomic_fetch_add(&b->sum, end - begin);
}

/* Counts near SIZE_MAX: begin + grain and the chunk counter must not wrap. */
START_TEST(test_counts_near_the_top)
{
	static const struct row {
		size_t cnt, grain;
		unsigned calls;
	} rows[] = {
		{ SIZE_MAX, SIZE_MAX, 1 },
		{ SIZE_MAX, SIZE_MAX - 1, 2 },
		{ SIZE_MAX - 1, SIZE_MAX / 2, 2 },
		{ SIZE_MAX, SIZE_MAX / 3, 3 },
		{ SIZE_MAX, SIZE_MAX / 3 - 1, 4 },
	};
	struct pool *p;

	ck_assert_int_eq(pool_new(3, &p), 0);
	for (size_t i = 0; i < ARRAY_CNT(rows); i++) {
		struct big b = { 0 };

		pool_for(p, rows[i].cnt, rows[i].grain, big_body, &b);
		ck_assert_uint_eq(b.calls, rows[i].calls);
		ck_assert_uint_eq(b.sum, rows[i].cnt);
	}
	pool_free(p);
}
END_TEST

struct meet {
	atomic_uint here;
	atomic_uint met;
};

/* Waits until four calls are here at once. */
static void meet_body(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct meet *m = ctx;
	time_t until = time(NULL) + 10;

	(void)begin;
	(void)end;
	(void)worker;
	atomic_fetch_add(&m->here, 1);
	while (atomic_load(&m->here) < 4 && time(NULL) < until)
		sched_yield();
	if (atomic_load(&m->here) >= 4)
		atomic_fetch_add(&m->met, 1);
}

struct nest {
	struct pool *pool;
	struct pool *outer; /* where the loop over loops runs; may be NULL */
	struct meet meet;   /* there, so that every worker takes part */
	unsigned threads;
	atomic_uint inner;
	atomic_uint wrong;
};

struct nest_inner {
	struct nest *nest;
	unsigned outer_worker;
	pthread_t outer_thread;
};

static void nest_inner_body(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct nest_inner *in = ctx;

	if (worker != in->outer_worker || !pthread_equal(pthread_self(), in->outer_thread))
		atomic_fetch_add(&in->nest->wrong, 1);
	atomic_fetch_add(&in->nest->inner, (unsigned)(end - begin));
}

static void nest_body(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct nest *n = ctx;

	for (size_t i = begin; i < end; i++) {
		struct nest_inner in = { n, worker, pthread_self() };

		pool_for(n->pool, 10, 3, nest_inner_body, &in);
	}
}

START_TEST(test_nested_runs_inline)
{
	struct nest n = { 0 };

	ck_assert_int_eq(pool_new(4, &n.pool), 0);
	pool_for(n.pool, 200, 1, nest_body, &n);
	ck_assert_uint_eq(n.inner, 2000);
	ck_assert_uint_eq(n.wrong, 0);
	pool_free(n.pool);
}
END_TEST

static void other_pool_body(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct nest *n = ctx;

	if (n->outer)
		meet_body(&n->meet, begin, end, worker);
	for (size_t i = begin; i < end; i++) {
		struct nest_inner in = { n, worker, pthread_self() };
		struct cover c = { .cnt = 64, .grain = 4, .threads = n->threads };
		atomic_uchar seen[64] = { 0 };

		c.seen = seen;
		pool_for(n->pool, 64, 4, cover_body, &c);
		if (c.bad || not_seen_times(&c, 1) < 64)
			atomic_fetch_add(&n->wrong, 1);
		if (n->outer)
			pool_for(n->outer, 5, 1, nest_inner_body, &in);
	}
}

/* A loop of another pool from within a loop: a real loop there, callers taking turns. Afterwards the thread is again the
 * worker it was. */
START_TEST(test_two_pools)
{
	struct nest n = { 0 };

	ck_assert_int_eq(pool_new(4, &n.outer), 0);
	ck_assert_int_eq(pool_new(2, &n.pool), 0);
	n.threads = pool_threads(n.pool);
	pool_for(n.outer, 100, 25, other_pool_body, &n);
	ck_assert_uint_eq(n.meet.met, 4);
	ck_assert_uint_eq(n.inner, 500);
	ck_assert_uint_eq(n.wrong, 0);
	pool_free(n.pool);
	pool_free(n.outer);
}
END_TEST

struct turns {
	struct nest nest;
	atomic_bool busy[8]; /* by worker, whoever the caller is */
};

static void turns_body(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct turns *t = ctx;

	(void)begin;
	(void)end;
	if (atomic_exchange(&t->busy[worker], true))
		atomic_fetch_add(&t->nest.wrong, 1);
	sched_yield();
	atomic_store(&t->busy[worker], false);
}

static void *caller_main(void *ctx)
{
	struct turns *t = ctx;

	other_pool_body(&t->nest, 0, 100, 0);
	for (unsigned i = 0; i < 100; i++)
		pool_for(t->nest.pool, 20, 1, turns_body, t);
	return NULL;
}

START_TEST(test_callers_take_turns)
{
	struct turns t = { .nest = { 0 } };
	pthread_t threads[3];

	ck_assert_int_eq(pool_new(3, &t.nest.pool), 0);
	t.nest.threads = pool_threads(t.nest.pool);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, caller_main, &t), 0);
	for (size_t i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(t.nest.wrong, 0);
	pool_free(t.nest.pool);
}
END_TEST

/* Four chunks that each wait for the other three: only four threads at once get through. */
START_TEST(test_runs_in_parallel)
{
	struct meet m = { 0 };
	struct pool *p;

	ck_assert_int_eq(pool_new(4, &p), 0);
	ck_assert_uint_eq(pool_threads(p), 4);
	pool_for(p, 4, 1, meet_body, &m);
	ck_assert_uint_eq(m.met, 4);
	pool_free(p);
}
END_TEST

struct plain {
	uint64_t in[4096];
	uint64_t out[4096];
	uint64_t by_worker[8];
};

static void plain_body(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct plain *p = ctx;

	for (size_t i = begin; i < end; i++) {
		p->out[i] = p->in[i] * 3;
		p->by_worker[worker] += p->in[i];
	}
}

/* Plain memory both ways, thousands of short loops: what TSan would complain about, and lost wake-ups. */
START_TEST(test_memory_is_handed_over)
{
	static struct plain d;
	uint64_t sum = 0, wrong = 0;
	struct pool *p;

	ck_assert_int_eq(pool_new(8, &p), 0);
	for (uint64_t round = 0; round < 2000; round++) {
		size_t cnt = 1 + round % 61;

		for (size_t i = 0; i < cnt; i++)
			d.in[i] = round + i;
		memset(d.by_worker, 0, sizeof(d.by_worker));
		pool_for(p, cnt, 1 + round % 5, plain_body, &d);
		for (size_t i = 0; i < cnt; i++) {
			wrong += d.out[i] != (round + i) * 3;
			sum += round + i;
		}
		for (size_t i = 0; i < 8; i++)
			sum -= d.by_worker[i];
		wrong += sum != 0;
	}
	ck_assert_uint_eq(wrong, 0);
	pool_free(p);
}
END_TEST

struct masks {
	struct meet meet; /* so that every worker gets a chunk */
	atomic_uint wrong;
};

static void mask_body(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct masks *m = ctx;
	sigset_t set;

	meet_body(&m->meet, begin, end, worker);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	if (worker && (!sigismember(&set, SIGTERM) || !sigismember(&set, SIGRTMIN) || sigismember(&set, SIGBUS) ||
		       sigismember(&set, SIGSEGV)))
		atomic_fetch_add(&m->wrong, 1);
	if (!worker && sigismember(&set, SIGTERM))
		atomic_fetch_add(&m->wrong, 1);
}

START_TEST(test_signals_blocked_in_threads)
{
	struct masks m = { .wrong = 0 };
	struct pool *p;

	ck_assert_int_eq(pool_new(4, &p), 0);
	pool_for(p, 4, 1, mask_body, &m);
	ck_assert_uint_eq(m.meet.met, 4);
	ck_assert_uint_eq(m.wrong, 0);
	pool_free(p);
}
END_TEST

struct apart {
	atomic_uint here; /* so that both workers get a chunk */
	cpu_set_t set;	  /* of the worker's CPUs */
	int caller;	  /* its CPU */
};

static void apart_body(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct apart *a = ctx;
	time_t until = time(NULL) + 10;

	(void)begin;
	(void)end;
	if (worker)
		sched_getaffinity(0, sizeof(a->set), &a->set);
	else
		a->caller = sched_getcpu();
	atomic_fetch_add(&a->here, 1);
	while (atomic_load(&a->here) < 2 && time(NULL) < until)
		sched_yield();
}

/* One loop is given out on CPU, unless the kernel moves us. Did the worker keep off it? */
static bool is_kept_off(struct pool *p, const cpu_set_t *usable, int cpu)
{
	struct apart a = { .caller = -1 };
	cpu_set_t others = *usable, one;

	CPU_CLR(cpu, &others);
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(*usable), usable), 0);
	pool_for(p, 2, 1, apart_body, &a);
	return a.caller == cpu && CPU_EQUAL(&a.set, &others);
}

START_TEST(test_workers_keep_off_the_callers_cpu)
{
	cpu_set_t usable;
	struct pool *p;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(usable), &usable), 0);
	if (CPU_COUNT(&usable) < 2 || CPU_COUNT(&usable) > 16)
		SKIP("wants 2 to 16 CPUs");
	ck_assert_int_eq(pool_new(2, &p), 0);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		bool is_kept = !CPU_ISSET(cpu, &usable);
		for (int i = 0; i < 100 && !is_kept; i++)
			is_kept = is_kept_off(p, &usable, cpu);
		ck_assert_msg(is_kept, "CPU %d", cpu);
	}
	pool_free(p);
}
END_TEST

/* Room for about two stacks: the pool is smaller, and works. */
static int starved_child(void *ctx)
{
	struct cover c = { .cnt = 1000, .grain = 3 };
	static atomic_uchar seen[1000];
	struct pool *p;
	unsigned threads;

	(void)ctx;
	c.seen = seen;
	if (limit_above_now(RLIMIT_AS, "VmSize:", (size_t)20 << 20))
		return 1;
	if (pool_new(64, &p))
		return 2;
	threads = c.threads = pool_threads(p);
	pool_for(p, c.cnt, c.grain, cover_body, &c);
	pool_free(p);
	if (not_seen_times(&c, 1) < c.cnt)
		return 3;
	return c.bad || threads < 1 || threads >= 64 ? 4 : 0;
}

START_TEST(test_threads_that_cannot_start)
{
	struct child_end end;

	if (HAS_SANITIZER)
		SKIP("sanitizers need address space of their own");
	end = child_run(starved_child, NULL);
	ck_assert_msg(child_ok(end), "child ended with %#x", (unsigned)end.status);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pool");
	TCase *tc = tcase_create("pool");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, TIMEOUT_SEC);
	tcase_add_loop_test(tc, test_every_index_once, 0, (int)ARRAY_CNT(cover_rows));
	tcase_add_test(tc, test_free_null);
	tcase_add_test(tc, test_default_is_cpus);
	tcase_add_test(tc, test_plain_calls);
	tcase_add_test(tc, test_counts_near_the_top);
	tcase_add_test(tc, test_nested_runs_inline);
	tcase_add_test(tc, test_two_pools);
	tcase_add_test(tc, test_callers_take_turns);
	tcase_add_test(tc, test_runs_in_parallel);
	tcase_add_test(tc, test_memory_is_handed_over);
	tcase_add_test(tc, test_signals_blocked_in_threads);
	tcase_add_test(tc, test_workers_keep_off_the_callers_cpu);
	tcase_add_test(tc, test_threads_that_cannot_start);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
