/* pool.c - threads that wait until a loop is given out, then take chunks of it from an atomic counter.
 *
 * A loop is a `struct loop` in the frame of pool_for. Workers may look at it only between "join" (under the lock,
 * while it is posted) and "leave" (under the lock); the caller takes it down first and then waits for those that
 * joined. A worker which wakes up too late finds nothing posted and sleeps again: nobody waits for slow starters.
 * Before it sleeps it looks out for the next loop for some microseconds, once, as does the caller for the last to leave;
 * but only where each thread can have a CPU. What they see so is looked at again under the lock. See also keep_apart.
 *
 * Chunks are numbered and the counter counts chunks, not indexes, so that it cannot wrap near SIZE_MAX.
 */
#include "pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	POOL_MAX = 1024,        /* more threads than this are never asked for in earnest */
	CHUNKS_PER_THREAD = 16, /* of an automatic grain: enough to even out uneven chunks */
	WATCH_NS = 50 * 1000,   /* see watch() */
	APART_MAX = 16,         /* CPUs; see keep_apart() */
};

struct loop {
	void (*fn)(void *ctx, size_t begin, size_t end, unsigned worker);
	void *ctx;
	size_t cnt;         /* indexes */
	size_t grain;       /* indexes per chunk, the last may have fewer */
	size_t chunk_cnt;
	atomic_size_t next; /* first chunk nobody took */
};

struct worker {
	struct pool *pool;
	unsigned number; /* 1 and up; the caller of pool_for is 0 */
	pthread_t thread;
};

struct pool {
	pthread_mutex_t turn; /* held by the thread whose loop it is; taken before `lock` */
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t posted_or_stop;
	pthread_cond_t all_left;
	struct loop *loop;    /* posted, or NULL */
	/* Changed under the lock, but watched without it. */
	_Atomic uint64_t posts;  /* so that a worker joins each loop once */
	_Atomic uint64_t joined; /* workers inside *loop */
	bool stop;
	bool is_watching;     /* watching makes sense; constant after pool_new, as are: */
	bool is_kept_apart;
	unsigned worker_cnt;  /* started threads */
	int caller_cpu;       /* guarded by turn: the one that the workers keep off, or -1 */
	struct worker workers[];
};

/* Which loop body this thread is in: set while FN runs, saved around nested pools. */
static _Thread_local const struct pool *inside;
static _Thread_local unsigned inside_as;

static void loop_run(const struct pool *p, struct loop *l, unsigned number)
{
	const struct pool *outer = inside;
	unsigned outer_as = inside_as;

	inside = p;
	inside_as = number;
	for (;;) {
		size_t chunk = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed);
		size_t begin, end;

		if (chunk >= l->chunk_cnt)
			break;
		begin = chunk * l->grain;
		end = l->cnt - begin > l->grain ? begin + l->grain : l->cnt;
		l->fn(l->ctx, begin, end, number);
	}
	inside = outer;
	inside_as = outer_as;
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Until *AT is VALUE (or, not IS_WANTED, is something else), but not for long, and giving way to whoever wants the CPU.
 * The passes of a link are some sixty loops, most of them shorter than a millisecond and soon after each other: with no looking
 * out before sleeping a relink of a program of 165 MB takes 28.6 ms on two CPUs, with 20 us 26.7, 50 us 25.9, 100 us 26.2,
 * 300 us 26.4 (medians in turns; a pause instruction in place of the yield: 26.7). */
static void watch(const _Atomic uint64_t *at, uint64_t value, bool is_wanted)
{
	int64_t until = now_ns() + WATCH_NS;

	while ((atomic_load_explicit(at, memory_order_relaxed) == value) != is_wanted && now_ns() < until)
		sched_yield();
}

static void *worker_main(void *arg)
{
	const struct worker *w = arg;
	struct pool *p = w->pool;
	uint64_t seen = 0;
	bool has_watched = false;

	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct loop *l = p->loop;

		if (!l || seen == p->posts) {
			seen = p->posts; /* of a loop that is down nothing is left */
			if (has_watched || !p->is_watching) {
				pthread_cond_wait(&p->posted_or_stop, &p->lock);
				continue;
			}
			has_watched = true;
			pthread_mutex_unlock(&p->lock);
			watch(&p->posts, seen, false);
			pthread_mutex_lock(&p->lock);
			continue;
		}
		seen = p->posts;
		has_watched = false;
		p->joined++;
		pthread_mutex_unlock(&p->lock);
		loop_run(p, l, w->number);
		pthread_mutex_lock(&p->lock);
		if (!--p->joined)
			pthread_cond_signal(&p->all_left);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static unsigned cpus_usable(void)
{
	cpu_set_t set;

	/* Fails on machines with more CPUs than the set has bits: then the pool's maximum is as good a guess. */
	if (sched_getaffinity(0, sizeof(set), &set))
		return errno == EINVAL ? POOL_MAX : 1;
	return (unsigned)CPU_COUNT(&set);
}

/* Starts what can be started. Signals are for the threads of the program that owns them, not for ours; those a fault
 * raises come to the thread that faults, and it needs them. */
static void workers_start(struct pool *p, unsigned wanted)
{
	sigset_t block, before;

	sigfillset(&block);
	sigdelset(&block, SIGBUS);
	sigdelset(&block, SIGSEGV);
	sigdelset(&block, SIGILL);
	sigdelset(&block, SIGFPE);
	sigdelset(&block, SIGTRAP);
	sigdelset(&block, SIGABRT);
	sigdelset(&block, SIGSYS);
	if (pthread_sigmask(SIG_SETMASK, &block, &before))
		return;
	while (p->worker_cnt < wanted) {
		struct worker *w = &p->workers[p->worker_cnt];
		char name[16];

		*w = (struct worker){ .pool = p, .number = p->worker_cnt + 1 };
		if (pthread_create(&w->thread, NULL, worker_main, w))
			break;
		snprintf(name, sizeof(name), "linkfs/%u", w->number);
		pthread_setname_np(w->thread, name); /* a name is a convenience */
		p->worker_cnt++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int pool_new(unsigned threads, struct pool **ret_pool)
{
	struct pool *p;
	unsigned cpus = cpus_usable(), wanted = threads ? threads : cpus;

	if (wanted > POOL_MAX)
		wanted = POOL_MAX;
	p = calloc(1, sizeof(*p) + (wanted - 1) * sizeof(p->workers[0]));
	if (!p)
		return -ENOMEM;
	pthread_mutex_init(&p->turn, NULL);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->posted_or_stop, NULL);
	pthread_cond_init(&p->all_left, NULL);
	p->is_watching = cpus > 1 && wanted <= cpus;
	p->is_kept_apart = p->is_watching && cpus <= APART_MAX;
	p->caller_cpu = -1;
	workers_start(p, wanted - 1);
	*ret_pool = p;
	return 0;
}

struct pool *pool_free(struct pool *p)
{
	if (!p)
		return NULL;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->posted_or_stop);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->worker_cnt; i++)
		pthread_join(p->workers[i].thread, NULL);
	pthread_cond_destroy(&p->all_left);
	pthread_cond_destroy(&p->posted_or_stop);
	pthread_mutex_destroy(&p->lock);
	pthread_mutex_destroy(&p->turn);
	free(p);
	return NULL;
}

unsigned pool_threads(const struct pool *p)
{
	return p->worker_cnt + 1;
}

static size_t grain_for(const struct pool *p, size_t cnt)
{
	size_t grain = cnt / ((size_t)pool_threads(p) * CHUNKS_PER_THREAD);

	return grain ? grain : 1;
}

/* The workers keep off the CPU that the caller is on. The kernel likes to wake a thread where the one that wakes it runs; there
 * it waits for a slice of some milliseconds, longer than most loops take, while another CPU is idle: in a relink of a program
 * of 165 MB whose data no cache has any more the second thread of two did a fifth of the work, and it took 26.1 ms; so 16.6.
 * Where there are many CPUs the kernel finds an idle one. */
static void keep_apart(struct pool *p)
{
	int cpu = p->is_kept_apart ? sched_getcpu() : -1;
	cpu_set_t others;

	if (cpu < 0 || cpu == p->caller_cpu || sched_getaffinity(0, sizeof(others), &others))
		return;
	p->caller_cpu = cpu;
	CPU_CLR(cpu, &others);
	if (!CPU_COUNT(&others))
		return;
	for (unsigned i = 0; i < p->worker_cnt; i++) /* where that is refused it is as it was */
		pthread_setaffinity_np(p->workers[i].thread, sizeof(others), &others);
}

static void loop_post(struct pool *p, struct loop *l)
{
	pthread_mutex_lock(&p->lock);
	p->loop = l;
	p->posts++;
	/* The caller takes one chunk itself. */
	if (l->chunk_cnt > p->worker_cnt) {
		pthread_cond_broadcast(&p->posted_or_stop);
	} else {
		for (size_t i = 1; i < l->chunk_cnt; i++)
			pthread_cond_signal(&p->posted_or_stop);
	}
	pthread_mutex_unlock(&p->lock);
}

static void loop_take_down(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->loop = NULL;
	if (p->joined && p->is_watching) {
		pthread_mutex_unlock(&p->lock);
		watch(&p->joined, 0, true);
		pthread_mutex_lock(&p->lock);
	}
	while (p->joined)
		pthread_cond_wait(&p->all_left, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

void pool_for(struct pool *p, size_t cnt, size_t grain,
	      void (*fn)(void *ctx, size_t begin, size_t end, unsigned worker), void *ctx)
{
	struct loop l = { .fn = fn, .ctx = ctx, .cnt = cnt };

	if (!cnt)
		return;
	l.grain = grain ? grain : grain_for(p, cnt);
	l.chunk_cnt = (cnt - 1) / l.grain + 1;
	if (inside == p) {
		loop_run(p, &l, inside_as);
		return;
	}
	pthread_mutex_lock(&p->turn);
	if (p->worker_cnt && l.chunk_cnt > 1) {
		keep_apart(p);
		loop_post(p, &l);
		loop_run(p, &l, 0);
		loop_take_down(p);
	} else {
		loop_run(p, &l, 0);
	}
	pthread_mutex_unlock(&p->turn);
}
