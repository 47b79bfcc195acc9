/* check_shelf.c - linker/mem/shelf: what is put there is handed out again, within its bounds, and to one taker. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "shelf.h"

enum { TIMEOUT_SEC = 60, THREADS = 4, ROUNDS = 200 };

#define MIB ((size_t)1 << 20)

static const char one[] = "test one", two[] = "test two";

static struct arena *take(struct shelf *s, const char *purpose)
{
	struct arena *a = NULL;

	ck_assert_int_eq(shelf_take(s, purpose, &a), 0);
	ck_assert_ptr_nonnull(a);
	return a;
}

/* Is A new? One that came back has prepared pages. */
static bool is_new(struct arena *a)
{
	struct arena_stats st;

	arena_stats(a, &st);
	ck_assert_uint_eq(st.ready, 0);
	return !st.prepared;
}

static void use(struct arena *a, size_t sz)
{
	char *p = arena_alloc(a, sz, 1);

	ck_assert_ptr_nonnull(p);
	memset(p, 0x5a, sz);
}

START_TEST(test_comes_back_for_its_purpose)
{
	struct shelf *s;
	struct arena *a, *b;
	size_t dirty = 0;

	ck_assert_int_eq(shelf_new(&s), 0);
	a = take(s, one);
	ck_assert(is_new(a));
	use(a, MIB);
	ck_assert_ptr_null(shelf_give(s, one, a));
	b = take(s, two);
	ck_assert(is_new(b));
	shelf_give(s, two, b);
	b = take(s, one);
	ck_assert_ptr_eq(b, a);
	ck_assert(!is_new(b));
	for (const char *p = arena_alloc(b, MIB, 1), *end = p + MIB; p < end; p++)
		dirty += *p != 0;
	ck_assert_uint_eq(dirty, 0);
	a = take(s, one); /* there is no second one */
	ck_assert(is_new(a));
	shelf_give(s, one, a);
	shelf_give(s, one, b);
	ck_assert_ptr_null(shelf_free(s));
}
END_TEST

/* One for each purpose, the last one given; the oldest goes where there are too many purposes, or too many bytes. */
START_TEST(test_bounds)
{
	static const char purposes[][2] = { "a", "b", "c", "d", "e" };
	struct arena *all[SHELF_MAX_CNT + 1];
	const size_t half = SHELF_MAX_BYTES / 2;
	struct shelf *s;

	ck_assert_int_eq(shelf_new(&s), 0);
	for (size_t i = 0; i <= SHELF_MAX_CNT; i++)
		use(all[i] = take(s, one), 1);
	for (size_t i = 0; i <= SHELF_MAX_CNT; i++)
		shelf_give(s, purposes[i], all[i]);
	for (size_t i = 0; i <= SHELF_MAX_CNT; i++) {
		all[i] = take(s, purposes[i]);
		ck_assert_int_eq(is_new(all[i]), i == 0);
	}
	shelf_give(s, one, all[0]);
	shelf_give(s, one, all[1]);
	ck_assert_ptr_eq(all[1], take(s, one));
	ck_assert(is_new(all[0] = take(s, one)));
	for (size_t i = 0; i < 3; i++)
		use(all[i], half + 1);
	shelf_give(s, one, all[0]);
	shelf_give(s, two, all[1]);
	ck_assert(is_new(all[0] = take(s, one)));
	ck_assert(!is_new(all[1] = take(s, two)));
	use(all[2], half);
	shelf_give(s, one, all[2]);
	ck_assert(is_new(all[2] = take(s, one)));
	for (size_t i = 0; i <= SHELF_MAX_CNT; i++)
		shelf_give(s, one, all[i]);
	shelf_free(s);
}
END_TEST

START_TEST(test_no_shelf)
{
	struct arena *a = take(NULL, one);

	use(a, MIB);
	ck_assert_ptr_null(shelf_give(NULL, one, a));
	ck_assert_ptr_null(shelf_give(NULL, one, NULL));
	ck_assert(is_new(a = take(NULL, one)));
	shelf_give(NULL, one, a);
}
END_TEST

struct taker {
	struct shelf *shelf;
	unsigned number;
	unsigned wrong;
};

static void *take_and_give(void *arg)
{
	struct taker *t = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		const char *purpose = i & 1 ? one : two;
		struct arena *a;

		if (shelf_take(t->shelf, purpose, &a))
			return t->wrong++, NULL;
		unsigned *p = arena_alloc_array(a, 1000, sizeof(*p), 0);
		for (size_t k = 0; p && k < 1000; k++) {
			t->wrong += p[k] != 0;
			p[k] = t->number;
		}
		for (size_t k = 0; p && k < 1000; k++)
			t->wrong += p[k] != t->number;
		t->wrong += !p;
		shelf_give(t->shelf, purpose, a);
	}
	return NULL;
}

START_TEST(test_threads)
{
	struct taker takers[THREADS];
	pthread_t threads[THREADS];
	struct shelf *s;

	ck_assert_int_eq(shelf_new(&s), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		takers[i] = (struct taker){ s, i + 1, 0 };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, take_and_give, &takers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_uint_eq(takers[i].wrong, 0);
	}
	shelf_free(s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shelf");
	TCase *tc = tcase_create("shelf");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, TIMEOUT_SEC);
	tcase_add_test(tc, test_comes_back_for_its_purpose);
	tcase_add_test(tc, test_bounds);
	tcase_add_test(tc, test_no_shelf);
	tcase_add_test(tc, test_threads);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
