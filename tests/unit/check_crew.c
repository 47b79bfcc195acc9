/* check_crew.c - fs/crew: tasks are done, held up, and dropped; who stops a crew frees nothing that one of its threads
 * refers to.
 */
#include <check.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "crew.h"

enum { TIMEOUT_SEC = 100, NEVER_MS = 3600000, PATIENCE_MS = 1000 /* crew.c's */ };

struct task {
	struct crew_task task;
	bool is_held_up; /* in a file system, says its work */
	sem_t *work_goes_on, *done_goes_on; /* NULL: at once */
	atomic_bool is_working, is_telling;
	atomic_int done, held, dropped;
};

static struct fs fs;
static struct crew *crew;
static atomic_bool is_stopped, was_over;

/* Waits for SEM, like for a file system. */
static void wait_unlocked(sem_t *sem)
{
	fs_unlock(&fs);
	while (sem && sem_wait(sem) < 0)
		ck_assert_int_eq(errno, EINTR);
	fs_lock(&fs);
}

static void work(struct fs *f, struct crew_task *t)
{
	struct task *k = (struct task *)t;

	ck_assert_ptr_eq(f, &fs);
	t->deadline = now_ms() + (k->is_held_up ? 0 : NEVER_MS);
	k->is_working = true;
	wait_unlocked(k->work_goes_on);
}

static void done(struct fs *f, struct crew_task *t, struct replies *out)
{
	struct task *k = (struct task *)t;

	(void)f;
	(void)out;
	k->done++;
	k->is_telling = true;
	wait_unlocked(k->done_goes_on);
}

static void held(struct fs *f, struct crew_task *t, struct replies *out)
{
	(void)f;
	(void)out;
	((struct task *)t)->held++;
}

static void drop(struct fs *f, struct crew_task *t, struct replies *out)
{
	(void)f;
	(void)out;
	((struct task *)t)->dropped++;
}

static const struct crew_kind kind = { .threads = 1, .work = work, .done = done, .held = held, .drop = drop };

static void start(void)
{
	fs = (struct fs){ 0 };
	pthread_mutex_init(&fs.lock, NULL);
	ck_assert_int_eq(crew_start(&fs, &kind, &crew), 0);
}

static void submit(struct task *k)
{
	fs_lock(&fs);
	ck_assert(crew_submit(crew, &k->task));
	fs_unlock(&fs);
}

static void sweep(void)
{
	struct replies out;

	replies_init(&out);
	fs_lock(&fs);
	crew_sweep(&fs, crew, &out);
	fs_unlock(&fs);
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

static void wait_for(const atomic_bool *is)
{
	while (!*is)
		pause_ms(1);
}

static void *stop(void *arg)
{
	(void)arg;
	was_over = crew_stop(&fs, &crew);
	is_stopped = true;
	return NULL;
}

START_TEST(test_tasks_are_done_in_turn)
{
	struct task a = { 0 }, b = { 0 };

	start();
	submit(&a);
	submit(&b);
	wait_for(&b.is_telling);
	ck_assert_int_eq(a.done, 1);
	ck_assert(crew_stop(&fs, &crew));
	ck_assert_ptr_null(crew);
	ck_assert_int_eq(b.done, 1);
	ck_assert_int_eq(a.held + b.held + a.dropped + b.dropped, 0);
}
END_TEST

START_TEST(test_another_thread_goes_on)
{
	sem_t go;
	struct task stuck = { .is_held_up = true, .work_goes_on = &go }, next = { 0 };

	sem_init(&go, 0, 0);
	start();
	submit(&stuck);
	submit(&next);
	wait_for(&stuck.is_working);
	while (!stuck.held) {
		pause_ms(1);
		sweep();
	}
	wait_for(&next.is_telling);
	ck_assert_int_eq(stuck.done, 0);
	sem_post(&go); /* it comes back */
	wait_for(&stuck.is_telling);
	ck_assert(crew_stop(&fs, &crew));
	ck_assert_int_eq(stuck.done, 1);
}
END_TEST

/* _i: 0: a thread like any other; 1: one that was held up and came back. */
START_TEST(test_who_tells_is_waited_for)
{
	sem_t go, told;
	struct task slow = { .is_held_up = _i, .work_goes_on = &go, .done_goes_on = &told }, never = { 0 };
	pthread_t stopper;

	sem_init(&go, 0, 0);
	sem_init(&told, 0, 0);
	start();
	submit(&slow);
	wait_for(&slow.is_working);
	while (_i && !slow.held) {
		pause_ms(1);
		sweep();
	}
	sem_post(&go);
	wait_for(&slow.is_telling);
	ck_assert_int_eq(pthread_create(&stopper, NULL, stop, NULL), 0);
	pause_ms(PATIENCE_MS + 100);
	ck_assert_msg(!is_stopped, "the crew was freed while a thread of it was at work");
	sem_post(&told);
	pthread_join(stopper, NULL);
	ck_assert(was_over);
	ck_assert_ptr_null(crew);
	ck_assert_int_eq(slow.done, 1);
	fs_lock(&fs);
	ck_assert(!crew_submit(crew, &never.task));
	fs_unlock(&fs);
}
END_TEST

START_TEST(test_one_that_hangs_is_left_behind)
{
	sem_t go;
	struct task stuck = { .work_goes_on = &go }, waits = { 0 };

	sem_init(&go, 0, 0);
	start();
	submit(&stuck);
	submit(&waits);
	wait_for(&stuck.is_working);
	ck_assert(!crew_stop(&fs, &crew));
	ck_assert_int_eq(stuck.held, 1);
	ck_assert_int_eq(waits.dropped, 1);
	sem_post(&go);
	pause_ms(100); /* it comes back, and touches nothing */
	ck_assert_int_eq(stuck.done, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("crew");
	TCase *tc = tcase_create("crew");

	tcase_set_timeout(tc, TIMEOUT_SEC);
	tcase_add_test(tc, test_tasks_are_done_in_turn);
	tcase_add_test(tc, test_another_thread_goes_on);
	tcase_add_loop_test(tc, test_who_tells_is_waited_for, 0, 2);
	tcase_add_test(tc, test_one_that_hangs_is_left_behind);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
