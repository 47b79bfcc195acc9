/* ring.c - two bounded queues in shared memory: slots with a sequence each, a bounded look-out, then sleep.
 *
 * A slot's sequence says whose turn it is: POS, free for the message number POS; POS + 1, that message is in it; POS +
 * RING_SLOTS, taken, free for the next round. So neither side needs the other's count, and many may write or take at
 * once: the linker process's threads share theirs in the mapping (`turn`), the mount process keeps its own outside.
 *
 * Who writes a message must wake somebody, but waking a thread on another CPU takes longer than the request itself. So a
 * side may *watch*: look for some microseconds, by one thread at a time, during which it needs no waking. It works because
 * both do two things in turn, in the one order of sequentially consistent operations: the writer publishes, then looks
 * whether somebody watches or sleeps; the watcher says that it stops, then looks once more (likewise who goes to sleep).
 * Who watches gives up its watch before it works, and wakes a sleeper if more is there, who does the same.
 *
 * Watching costs a CPU, so it is done only with two or more, whoever else wants the CPU goes first (it may be the one who
 * makes what we look out for), and it is done less the more often it was in vain: each time halves the next one's length,
 * down to none; then now and then one is tried again.
 */
#include "ring.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "util.h"

#define WATCH_NS 40000	  /* how long at most */
#define WATCH_MIN_NS 2500 /* what would be shorter is not tried, */
#define WATCH_REST 64	  /* but for one time of so many */
#define FULL_NAP_NS 50000
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

_Static_assert((RING_SLOTS & (RING_SLOTS - 1)) == 0, "positions are masked");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "shared between processes");

struct slot {
	alignas(64) _Atomic uint64_t seq;
	struct msg msg;
};

/* One direction. Nothing in it steers the mount process but seq, and which calls to the kernel it makes. */
struct lane {
	alignas(64) _Atomic uint64_t turn; /* of the linker process's threads: next to take, or to write */
	alignas(64) _Atomic uint32_t watchers;
	_Atomic uint32_t sleepers; /* requests: threads in the futex; answers: 1, the bell is wanted */
	_Atomic uint32_t bell;	   /* requests: the futex */
	struct slot slot[RING_SLOTS];
};

struct shared {
	struct lane requests, answers;
	char text[RING_SLOTS][MSG_TEXT_MAX]; /* of answers: rarely any, so apart, where its pages stay untouched */
	alignas(4096) unsigned char stage[STAGE_CNT][STAGE_SZ];
};

/* How watching went. */
struct patience {
	_Atomic uint32_t ns;
	_Atomic uint32_t rest;
};

struct ring {
	struct shared *at;
	unsigned ref;
	bool is_many; /* CPUs: watching makes sense */
	struct patience patience;
	uint64_t asked, answered; /* mount process: messages so far */
	bool is_watched;	  /* mount process, by a thread that looks out */
	uint64_t watch_pos;	  /* for this answer, */
	int64_t watch_ns;	  /* so long */
};

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return timespec_ns(&ts);
}

unsigned char *ring_stage(const struct ring *r, unsigned i)
{
	return r->at->stage[i];
}

/* --- making --- */

static bool has_many_cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) < 0 || CPU_COUNT(&set) > 1;
}

static int ring_map(int fd, struct ring **ret)
{
	struct ring *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->at = mmap(NULL, sizeof(*r->at), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (r->at == MAP_FAILED) {
		int err = -errno;
		free(r);
		return err;
	}
	r->ref = 1;
	r->is_many = has_many_cpus();
	r->patience.ns = WATCH_NS;
	*ret = r;
	return 0;
}

int ring_new(struct ring **ret, int *ret_fd)
{
	CLEAN_FD int fd = memfd_create("linkfs-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	/* Sealed so that nobody can shrink it under the other's mapping. */
	if (fd < 0 || ftruncate(fd, sizeof(struct shared)) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	int err = ring_map(fd, ret);
	if (err)
		return err;
	struct shared *s = (*ret)->at;
	for (uint64_t i = 0; i < RING_SLOTS; i++) {
		atomic_init(&s->requests.slot[i].seq, i);
		atomic_init(&s->answers.slot[i].seq, i);
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

int ring_open(int fd, struct ring **ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size != (off_t)sizeof(struct shared) || (fcntl(fd, F_GET_SEALS) & SEALS) != SEALS)
		return -EPROTO;
	return ring_map(fd, ret);
}

struct ring *ring_ref(struct ring *r)
{
	if (r)
		r->ref++;
	return r;
}

struct ring *ring_unref(struct ring *r)
{
	if (!r || --r->ref)
		return NULL;
	munmap(r->at, sizeof(*r->at));
	free(r);
	return NULL;
}

/* --- slots --- */

static struct slot *slot_of(struct lane *l, uint64_t pos)
{
	return &l->slot[pos & (RING_SLOTS - 1)];
}

/* What message POS's slot says, relative to POS: 0 free, 1 written, 1 - RING_SLOTS the last round's is in it still.
 * Anything else is a turn that others have had meanwhile, or rubbish. */
static int64_t slot_look(struct lane *l, uint64_t pos)
{
	return (int64_t)(atomic_load(&slot_of(l, pos)->seq) - pos);
}

static void slot_write(struct shared *s, struct lane *l, uint64_t pos, struct msg *m, const char *text)
{
	struct slot *at = slot_of(l, pos);
	size_t text_sz = text ? strnlen(text, MSG_TEXT_MAX) : 0;

	m->magic = MSG_MAGIC;
	m->version = MSG_VERSION;
	m->text_sz = (uint32_t)text_sz;
	if (text_sz)
		memcpy(s->text[pos & (RING_SLOTS - 1)], text, text_sz);
	at->msg = *m;
	atomic_store(&at->seq, pos + 1);
}

/* Copies message POS out and gives its slot back; what was copied is checked after that, so nothing is read twice. */
static int slot_read(struct shared *s, struct lane *l, uint64_t pos, struct packet *ret)
{
	struct slot *at = slot_of(l, pos);

	memcpy(&ret->msg, &at->msg, sizeof(ret->msg));
	atomic_signal_fence(memory_order_seq_cst);
	uint32_t text_sz = ret->msg.text_sz;
	bool is_sane = ret->msg.magic == MSG_MAGIC && ret->msg.version == MSG_VERSION &&
		       text_sz <= (l == &s->answers ? MSG_TEXT_MAX : 0);
	if (is_sane && text_sz)
		memcpy(ret->text, s->text[pos & (RING_SLOTS - 1)], text_sz);
	atomic_store(&at->seq, pos + RING_SLOTS);
	ret->text[is_sane ? text_sz : 0] = 0;
	ret->fd_cnt = 0;
	return is_sane ? 1 : -EPROTO;
}

/* --- watching --- */

/* How long the next watch may be; 0: not at all. */
static int64_t watch_length(struct ring *r)
{
	uint32_t ns = atomic_load_explicit(&r->patience.ns, memory_order_relaxed);

	if (!r->is_many)
		return 0;
	if (ns >= WATCH_MIN_NS)
		return ns;
	uint32_t rest = atomic_fetch_add_explicit(&r->patience.rest, 1, memory_order_relaxed);
	return rest % WATCH_REST ? 0 : WATCH_NS;
}

static void watch_learn(struct ring *r, bool was_seen)
{
	uint32_t ns = atomic_load_explicit(&r->patience.ns, memory_order_relaxed);

	atomic_store_explicit(&r->patience.ns, was_seen ? WATCH_NS : ns / 2, memory_order_relaxed);
}

/* --- mount process --- */

static void wake_sleeper(struct lane *l)
{
	atomic_fetch_add(&l->bell, 1);
	syscall(SYS_futex, &l->bell, FUTEX_WAKE, 1, NULL, NULL, 0);
}

int ring_ask(struct ring *r, struct msg *m)
{
	struct lane *l = &r->at->requests;
	int64_t turn = slot_look(l, r->asked);

	if (turn)
		return turn == 1 - (int64_t)RING_SLOTS ? -EAGAIN : -EPROTO;
	slot_write(r->at, l, r->asked++, m, NULL);
	if (!atomic_load(&l->watchers) && atomic_load(&l->sleepers))
		wake_sleeper(l);
	return 0;
}

int ring_answer(struct ring *r, struct packet *ret)
{
	struct lane *l = &r->at->answers;
	int64_t turn = slot_look(l, r->answered);

	if (turn != 1)
		return turn ? -EPROTO : 0;
	return slot_read(r->at, l, r->answered++, ret);
}

bool ring_has_answer(const struct ring *r)
{
	return slot_look(&r->at->answers, r->answered) != 0; /* rubbish, too: it is to be looked at */
}

bool ring_sleep(struct ring *r)
{
	atomic_store(&r->at->answers.sleepers, 1);
	return !ring_has_answer(r);
}

void ring_awake(struct ring *r)
{
	atomic_store(&r->at->answers.sleepers, 0);
}

bool ring_watch_begin(struct ring *r)
{
	int64_t length = r->is_watched ? 0 : watch_length(r);
	if (!length)
		return false;
	r->watch_ns = length; /* not while another thread watches by it */
	r->is_watched = true;
	r->watch_pos = r->answered;
	atomic_store(&r->at->answers.watchers, 1);
	return true;
}

bool ring_watch(struct ring *r)
{
	int64_t until = now_ns() + r->watch_ns;

	while (!slot_look(&r->at->answers, r->watch_pos)) {
		if (now_ns() >= until)
			return false;
		sched_yield();
	}
	return true;
}

bool ring_watch_end(struct ring *r, bool was_seen)
{
	r->is_watched = false;
	atomic_store(&r->at->answers.watchers, 0);
	watch_learn(r, was_seen);
	return ring_has_answer(r);
}

/* --- linker process --- */

int ring_try_take(struct ring *r, struct packet *ret)
{
	struct lane *l = &r->at->requests;
	uint64_t pos = atomic_load(&l->turn);

	for (;;) {
		int64_t turn = slot_look(l, pos);
		if (turn == 1 && atomic_compare_exchange_weak(&l->turn, &pos, pos + 1))
			return slot_read(r->at, l, pos, ret);
		uint64_t now = atomic_load(&l->turn);
		if (turn != 1 && now == pos)
			return turn <= 0 ? -EAGAIN : -EPROTO;
		pos = now;
	}
}

static bool has_request(struct lane *l)
{
	return slot_look(l, atomic_load(&l->turn)) == 1;
}

/* Looks out for requests, if nobody else does. True: there is one, or was. */
static bool watch_requests(struct ring *r)
{
	struct lane *l = &r->at->requests;
	bool is_there = false;

	if (atomic_load(&l->watchers))
		return false;
	int64_t ns = watch_length(r);
	if (!ns || atomic_exchange(&l->watchers, 1))
		return false;
	for (int64_t until = now_ns() + ns; !is_there && now_ns() < until; is_there = has_request(l))
		sched_yield();
	atomic_store(&l->watchers, 0);
	is_there = is_there || has_request(l);
	watch_learn(r, is_there);
	return is_there;
}

int ring_take(struct ring *r, struct packet *ret)
{
	struct lane *l = &r->at->requests;
	bool was_idle = false;

	for (;;) {
		int got = ring_try_take(r, ret);
		if (got != -EAGAIN) {
			/* While somebody watched, nobody was woken: who begins to work wakes the next for what is left. */
			if (was_idle && has_request(l) && atomic_load(&l->sleepers))
				wake_sleeper(l);
			return got;
		}
		was_idle = true;
		if (watch_requests(r))
			continue;
		uint32_t bell = atomic_load(&l->bell);
		atomic_fetch_add(&l->sleepers, 1);
		if (!has_request(l))
			syscall(SYS_futex, &l->bell, FUTEX_WAIT, bell, NULL, NULL, 0);
		atomic_fetch_sub(&l->sleepers, 1);
	}
}

bool ring_reply(struct ring *r, struct msg *m, const char *text)
{
	struct lane *l = &r->at->answers;
	uint64_t pos = atomic_load(&l->turn);

	for (;;) {
		int64_t turn = slot_look(l, pos);
		if (turn == 0 && atomic_compare_exchange_weak(&l->turn, &pos, pos + 1))
			break;
		uint64_t now = atomic_load(&l->turn);
		if (turn != 0 && now == pos) /* full: the mount process is awake, and about to make room */
			nanosleep(&(struct timespec){ .tv_nsec = FULL_NAP_NS }, NULL);
		pos = now;
	}
	slot_write(r->at, l, pos, m, text);
	return !atomic_load(&l->watchers) && atomic_exchange(&l->sleepers, 0);
}
