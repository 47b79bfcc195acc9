/* check_ring.c - fs/ring: every message arrives once and whole, round after round, from and to many threads; a full ring
 * says so; nobody sleeps on a message; and whatever is written into the shared memory, the mount process's side ends
 * with -EPROTO or goes on, and touches nothing else.
 */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "ring.h"
#include "util.h"

enum { TIMEOUT_SEC = 100, REQUESTS = 20000, TAKERS_MAX = 8, QUIT = MSG_DROP };

static struct ring *new_ring(int *ret_fd)
{
	struct ring *r;

	ck_assert_int_eq(ring_new(&r, ret_fd), 0);
	return r;
}

/* --- one thread --- */

START_TEST(test_wraps_and_keeps_order)
{
	int fd;
	struct ring *ours = new_ring(&fd), *its;
	struct packet p;
	uint64_t sent = 0, taken = 0, answered = 0;

	ck_assert_int_eq(ring_open(fd, &its), 0);
	for (unsigned batch = 1; batch <= RING_SLOTS; batch++) {
		for (unsigned i = 0; i < batch; i++) {
			struct msg m = { .type = MSG_FILL, .id = sent, .u.range = { .off = ~sent, .sz = 7 } };
			sent++;
			ck_assert_int_eq(ring_ask(ours, &m), 0);
		}
		ck_assert(!ring_has_answer(ours));
		for (unsigned i = 0; i < batch; i++) {
			ck_assert_int_eq(ring_take(its, &p), 1);
			ck_assert_uint_eq(p.msg.id, taken++);
			ck_assert_uint_eq(p.msg.u.range.off, ~p.msg.id);
			ck_assert_str_eq(p.text, "");
			ring_reply(its, &p.msg, p.msg.id % 3 ? NULL : "why not");
		}
		ck_assert_int_eq(ring_try_take(its, &p), -EAGAIN);
		ck_assert(ring_has_answer(ours));
		for (unsigned i = 0; i < batch; i++) {
			ck_assert_int_eq(ring_answer(ours, &p), 1);
			ck_assert_uint_eq(p.msg.id, answered++);
			ck_assert_str_eq(p.text, p.msg.id % 3 ? "" : "why not");
			ck_assert_int_eq(p.fd_cnt, 0);
		}
		ck_assert_int_eq(ring_answer(ours, &p), 0);
	}
	close(fd);
	ring_unref(its);
	ck_assert_ptr_null(ring_unref(ours));
}
END_TEST

START_TEST(test_full_is_told)
{
	int fd;
	struct ring *r = new_ring(&fd);
	struct msg m = { .type = MSG_FILL };
	struct packet p;

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < RING_SLOTS; i++)
			ck_assert_int_eq(ring_ask(r, &m), 0);
		ck_assert_int_eq(ring_ask(r, &m), -EAGAIN);
		ck_assert_int_eq(ring_try_take(r, &p), 1);
		ck_assert_int_eq(ring_ask(r, &m), 0);
		ck_assert_int_eq(ring_ask(r, &m), -EAGAIN);
		for (unsigned i = 0; i < RING_SLOTS; i++)
			ck_assert_int_eq(ring_try_take(r, &p), 1);
		ck_assert_int_eq(ring_try_take(r, &p), -EAGAIN);
	}
	close(fd);
	ring_unref(r);
}
END_TEST

START_TEST(test_longest_text)
{
	int fd;
	struct ring *r = new_ring(&fd);
	struct msg m = { .type = MSG_FILL | MSG_REPLY };
	char text[MSG_TEXT_MAX + 100];
	struct packet p;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = 0;
	ring_reply(r, &m, text);
	ck_assert_int_eq(ring_answer(r, &p), 1);
	ck_assert_uint_eq(strlen(p.text), MSG_TEXT_MAX);
	close(fd);
	ring_unref(r);
}
END_TEST

START_TEST(test_who_is_woken)
{
	int fd;
	struct ring *r = new_ring(&fd);
	struct msg m = { .type = MSG_FILL | MSG_REPLY };
	struct packet p;

	ck_assert(!ring_reply(r, &m, NULL)); /* awake */
	ck_assert(!ring_sleep(r));	     /* it is there already */
	ring_awake(r);
	ck_assert_int_eq(ring_answer(r, &p), 1);
	ck_assert(ring_sleep(r));
	ck_assert(ring_reply(r, &m, NULL)); /* one bell for each sleep */
	ck_assert(!ring_reply(r, &m, NULL));
	ring_awake(r);
	ck_assert_int_eq(ring_answer(r, &p), 1);
	ck_assert_int_eq(ring_answer(r, &p), 1);
	ck_assert(ring_sleep(r));
	if (ring_watch_begin(r)) { /* more than one CPU */
		ck_assert(!ring_watch_begin(r));
		ck_assert(!ring_watch(r));
		ck_assert(!ring_reply(r, &m, NULL)); /* somebody looks */
		ck_assert(ring_watch(r));
		ck_assert(ring_watch_end(r, true));
		ck_assert(ring_reply(r, &m, NULL)); /* and no more */
	}
	close(fd);
	ring_unref(r);
}
END_TEST

START_TEST(test_watching_in_vain_ends)
{
	int fd;
	struct ring *r = new_ring(&fd);
	unsigned watched = 0;

	for (unsigned i = 0; i < 640; i++) {
		if (!ring_watch_begin(r))
			continue;
		watched++;
		ring_watch(r);
		ck_assert(!ring_watch_end(r, false));
	}
	ck_assert_uint_lt(watched, 40);
	close(fd);
	ring_unref(r);
}
END_TEST

START_TEST(test_only_a_sealed_ring_is_opened)
{
	int fd;
	struct ring *r = new_ring(&fd), *other;
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_lt(ftruncate(fd, 0), 0);
	ck_assert_int_lt(ftruncate(fd, st.st_size * 2), 0);
	ring_unref(r);
	close(fd);
	fd = memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ck_assert_int_eq(ftruncate(fd, st.st_size), 0);
	ck_assert_int_eq(ring_open(fd, &other), -EPROTO); /* it can be shrunk */
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
	ck_assert_int_eq(ring_open(fd, &other), 0);
	ring_unref(other);
	close(fd);
	fd = memfd_create("short", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
	ck_assert_int_eq(ring_open(fd, &other), -EPROTO);
	close(fd);
}
END_TEST

/* --- many threads: one asks, some take and answer, one or two collect --- */

struct crowd {
	struct ring *r;
	pthread_mutex_t lock; /* as fs.lock */
	pthread_mutex_t bell_lock;
	pthread_cond_t bell;
	unsigned bells;
	atomic_uint outstanding;
	unsigned got, lost; /* by lock */
	unsigned char seen[REQUESTS];
	bool pauses;
};

static void ring_bell(struct crowd *c)
{
	pthread_mutex_lock(&c->bell_lock);
	c->bells++;
	pthread_cond_signal(&c->bell);
	pthread_mutex_unlock(&c->bell_lock);
}

static void *taker(void *arg)
{
	struct crowd *c = arg;
	struct packet p;

	while (ring_take(c->r, &p) == 1 && p.msg.type != QUIT) {
		char text[32];
		snprintf(text, sizeof(text), "%llu", (unsigned long long)p.msg.id);
		if (c->pauses && p.msg.id % 64 == 0)
			nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
		p.msg.type |= MSG_REPLY;
		if (ring_reply(c->r, &p.msg, text))
			ring_bell(c);
	}
	return NULL;
}

static void collect(struct crowd *c)
{
	struct packet p;
	int got;

	while ((got = ring_answer(c->r, &p))) {
		ck_assert_int_eq(got, 1);
		ck_assert_uint_lt(p.msg.id, REQUESTS);
		ck_assert_uint_eq(strtoull(p.text, NULL, 10), p.msg.id);
		ck_assert_uint_eq(p.msg.u.range.off, p.msg.id * 3);
		ck_assert_uint_eq(c->seen[p.msg.id]++, 0);
		c->got++;
		atomic_fetch_sub(&c->outstanding, 1);
	}
}

/* As the dispatcher: sleeps until the bell, and may not sleep on an answer. */
static void *dispatch(void *arg)
{
	struct crowd *c = arg;

	for (bool is_over = false; !is_over;) {
		pthread_mutex_lock(&c->lock);
		collect(c);
		is_over = c->got == REQUESTS;
		bool may_sleep = ring_sleep(c->r);
		pthread_mutex_unlock(&c->lock);
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 20;
		pthread_mutex_lock(&c->bell_lock);
		while (may_sleep && !is_over && !c->bells &&
		       !pthread_cond_timedwait(&c->bell, &c->bell_lock, &until))
			;
		bool is_lost = may_sleep && !is_over && !c->bells;
		c->bells = 0;
		pthread_mutex_unlock(&c->bell_lock);
		pthread_mutex_lock(&c->lock);
		ring_awake(c->r);
		c->lost += is_lost && ring_has_answer(c->r);
		is_over = c->got == REQUESTS;
		pthread_mutex_unlock(&c->lock);
	}
	return NULL;
}

/* As a FUSE thread: asks, then looks out. */
static void *ask(void *arg)
{
	struct crowd *c = arg;

	for (uint64_t id = 0; id < REQUESTS;) {
		struct msg m = { .type = MSG_FILL, .id = id, .u.range.off = id * 3 };
		pthread_mutex_lock(&c->lock);
		int err = ring_ask(c->r, &m);
		ck_assert(!err || err == -EAGAIN);
		id += !err;
		atomic_fetch_add(&c->outstanding, !err);
		bool may_watch = (id % 5 == 0 || err) && ring_watch_begin(c->r);
		pthread_mutex_unlock(&c->lock);
		if (may_watch) {
			bool was_seen = ring_watch(c->r);
			pthread_mutex_lock(&c->lock);
			if (ring_watch_end(c->r, was_seen))
				collect(c);
			pthread_mutex_unlock(&c->lock);
		}
		while (c->pauses && id % 97 == 0 && atomic_load(&c->outstanding))
			nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
	}
	ring_bell(c); /* it may have collected the last answer itself */
	return NULL;
}

static const struct {
	unsigned takers;
	bool pauses;
} crowds[] = { { 1, false }, { 2, true }, { TAKERS_MAX, false }, { TAKERS_MAX, true } };

START_TEST(test_many_threads)
{
	static struct crowd c = { .lock = PTHREAD_MUTEX_INITIALIZER,
				  .bell_lock = PTHREAD_MUTEX_INITIALIZER,
				  .bell = PTHREAD_COND_INITIALIZER };
	pthread_t t[TAKERS_MAX], asker, dispatcher;
	unsigned cnt = crowds[_i].takers;
	int fd;

	c.r = new_ring(&fd);
	c.pauses = crowds[_i].pauses;
	for (unsigned i = 0; i < cnt; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, taker, &c), 0);
	ck_assert_int_eq(pthread_create(&dispatcher, NULL, dispatch, &c), 0);
	ck_assert_int_eq(pthread_create(&asker, NULL, ask, &c), 0);
	pthread_join(asker, NULL);
	pthread_join(dispatcher, NULL);
	for (unsigned i = 0; i < cnt; i++) {
		struct msg quit = { .type = QUIT };
		ck_assert_int_eq(ring_ask(c.r, &quit), 0);
	}
	for (unsigned i = 0; i < cnt; i++)
		pthread_join(t[i], NULL);
	ck_assert_uint_eq(c.got, REQUESTS);
	ck_assert_uint_eq(c.lost, 0);
	close(fd);
	ring_unref(c.r);
}
END_TEST

/* --- a linker process gone mad --- */

static uint64_t next(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* After any change of any word: a defined result, and no access outside (ASan, the guards). */
START_TEST(test_rubbish_is_survived)
{
	uint64_t seed = 0xbadc0de + (uint64_t)_i, protos = 0;
	struct stat st;
	int fd;

	for (unsigned round = 0; round < 100; round++) {
		struct ring *r = new_ring(&fd);
		ck_assert_int_eq(fstat(fd, &st), 0);
		uint64_t *word = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		ck_assert_ptr_ne(word, MAP_FAILED);
		size_t behind = RING_SLOTS * MSG_TEXT_MAX + 4096 + STAGE_CNT * STAGE_SZ; /* which steers nothing */
		size_t words = ((size_t)st.st_size - behind) / 8;
		bool is_dead = false;
		for (unsigned i = 0; i < 200 && !is_dead; i++) {
			struct packet p = { 0 };
			struct msg m = { .type = MSG_FILL, .id = i };
			unsigned how = (unsigned)(next(&seed) % 4);
			for (unsigned k = 0; k < (_i ? 2 : 200); k++)
				word[next(&seed) % words] = how == 0   ? next(&seed)
							    : how == 1 ? ~0ull
							    : how == 2 ? next(&seed) % (RING_SLOTS * 2)
								       : (uint64_t)MSG_MAGIC | next(&seed) << 32;
			int asked = ring_ask(r, &m), got = ring_answer(r, &p);
			ck_assert(asked == 0 || asked == -EAGAIN || asked == -EPROTO);
			ck_assert(got == 0 || got == 1 || got == -EPROTO);
			if (got == 1)
				ck_assert_uint_le(strlen(p.text), MSG_TEXT_MAX);
			ring_sleep(r);
			ring_awake(r);
			if (ring_watch_begin(r))
				ring_watch_end(r, ring_watch(r));
			is_dead = asked == -EPROTO || got == -EPROTO;
			protos += is_dead;
		}
		munmap(word, (size_t)st.st_size);
		close(fd);
		ring_unref(r);
	}
	ck_assert_uint_gt(protos, 20);
}
END_TEST

struct row {
	const char *name;
	struct msg m;
	int want;
};

/* Answers whose slot is in order and whose contents are not. */
static const struct row rows[] = {
	{ "good", { .magic = MSG_MAGIC, .version = MSG_VERSION, .text_sz = MSG_TEXT_MAX }, 1 },
	{ "magic", { .magic = MSG_MAGIC + 1, .version = MSG_VERSION }, -EPROTO },
	{ "version", { .magic = MSG_MAGIC, .version = MSG_VERSION + 1 }, -EPROTO },
	{ "text", { .magic = MSG_MAGIC, .version = MSG_VERSION, .text_sz = MSG_TEXT_MAX + 1 }, -EPROTO },
	{ "long text", { .magic = MSG_MAGIC, .version = MSG_VERSION, .text_sz = UINT32_MAX }, -EPROTO },
};

START_TEST(test_contents_are_checked)
{
	const struct row *row = &rows[_i];
	struct msg marked = { .type = MSG_FILL | MSG_REPLY, .id = 0x1122334455667788 };
	struct packet p;
	struct stat st;
	int fd;
	struct ring *r = new_ring(&fd);

	ck_assert_int_eq(fstat(fd, &st), 0);
	unsigned char *at = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(at, MAP_FAILED);
	ring_reply(r, &marked, NULL);
	unsigned char *id = memmem(at, (size_t)st.st_size, &marked.id, sizeof(marked.id));
	ck_assert_ptr_nonnull(id);
	memcpy(id - offsetof(struct msg, id), &row->m, sizeof(row->m));
	ck_assert_msg(ring_answer(r, &p) == row->want, "%s", row->name);
	munmap(at, (size_t)st.st_size);
	close(fd);
	ring_unref(r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ring");
	TCase *t = tcase_create("ring");

	tcase_set_timeout(t, TIMEOUT_SEC);
	tcase_add_test(t, test_wraps_and_keeps_order);
	tcase_add_test(t, test_full_is_told);
	tcase_add_test(t, test_longest_text);
	tcase_add_test(t, test_who_is_woken);
	tcase_add_test(t, test_watching_in_vain_ends);
	tcase_add_test(t, test_only_a_sealed_ring_is_opened);
	tcase_add_loop_test(t, test_many_threads, 0, sizeof(crowds) / sizeof(crowds[0]));
	tcase_add_loop_test(t, test_rubbish_is_survived, 0, 2);
	tcase_add_loop_test(t, test_contents_are_checked, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(s, t);
	SRunner *run = srunner_create(s);
	srunner_run_all(run, CK_NORMAL);
	int failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed != 0;
}
