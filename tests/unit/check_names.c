/* check_names.c - linker/input/names: one id per name, whoever is first, wherever the bytes lie. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

#define ARRAY_CNT(a) (sizeof(a) / sizeof((a)[0]))

static struct names *make(void)
{
	struct names *n;
	ck_assert_int_eq(names_new(&n), 0);
	return n;
}

static const struct same_row {
	const char *name, *a, *b;
	size_t a_len, b_len;
	bool is_same;
} same_rows[] = {
	{ "equal", "main", "main", 4, 4, true },
	{ "prefix", "main", "main2", 4, 5, false },
	{ "length counts", "mainXYZ", "main", 4, 4, true },
	{ "case", "main", "Main", 4, 4, false },
	{ "version", "f", "f@V", 1, 3, false },
	{ "NUL inside", "a\0b", "a\0c", 3, 3, false },
	{ "long", "_ZN4llvm12DenseMapBaseINS_8DenseMapEE1", "_ZN4llvm12DenseMapBaseINS_8DenseMapEE2", 38, 38, false },
};

START_TEST(test_same)
{
	const struct same_row *row = &same_rows[_i];
	struct names *n = make();
	ck_assert_int_eq(names_reserve(n, 2), 0);
	char *copy = malloc(row->b_len);
	memcpy(copy, row->b, row->b_len);
	name_id a = names_intern(n, row->a, row->a_len);
	ck_assert_msg(a && names_find(n, copy, row->b_len) == (row->is_same ? a : 0), "%s: find", row->name);
	name_id b = names_intern(n, row->b, row->b_len);
	ck_assert_msg((a == b) == row->is_same, "%s: ids %u and %u", row->name, a, b);
	ck_assert_msg(names_find(n, row->b, row->b_len) == b, "%s: find afterwards", row->name);
	const struct name *name = names_get(n, b);
	ck_assert_msg(name->len == row->b_len && !memcmp(name->str, row->b, name->len), "%s: bytes", row->name);
	free(copy);
	names_free(n);
}
END_TEST

START_TEST(test_empty_is_no_name)
{
	struct names *n = make();
	ck_assert_int_eq(names_reserve(n, 1), 0);
	ck_assert_uint_eq(names_intern(n, "x", 0), 0);
	ck_assert_uint_eq(names_find(n, "x", 0), 0);
	ck_assert_uint_eq(names_get(n, 0)->len, 0);
	ck_assert_uint_eq(names_cnt(n), 1);
	names_free(n);
}
END_TEST

START_TEST(test_room)
{
	struct names *n = make();
	char text[64];
	ck_assert_int_eq(names_reserve(n, 3), 0);
	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "n%d", i);
		ck_assert_uint_ne(names_intern_one(n, text, strlen(text)), 0);
	}
	ck_assert_uint_eq(names_intern(n, "full", 4), 0);
	ck_assert_uint_ne(names_find(n, "n1", 2), 0);
	ck_assert_uint_eq(names_intern(n, "n1", 2), names_find(n, "n1", 2)); /* an old name needs no room */
	ck_assert_uint_ne(names_intern_one(n, "makes room", 10), 0);
	ck_assert_int_eq(names_reserve(n, UINT32_MAX), -EOVERFLOW);
	names_free(n);
}
END_TEST

/* Growing keeps ids, over several chunks and rehashes. */
START_TEST(test_growing)
{
	enum { CNT = 200000 };
	struct names *n = make();
	char *text = malloc(CNT * 8);
	name_id *ids = malloc(CNT * sizeof(*ids));
	for (int i = 0; i < CNT; i++) {
		snprintf(text + 8 * i, 8, "%07u", (unsigned)i % 10000000);
		if (i % 1000 == 0)
			ck_assert_int_eq(names_reserve(n, 1000), 0);
		ids[i] = names_intern(n, text + 8 * i, 7);
		ck_assert_uint_ne(ids[i], 0);
	}
	ck_assert_uint_eq(names_cnt(n), CNT + 1);
	for (int i = 0; i < CNT; i++) {
		ck_assert_uint_eq(names_find(n, text + 8 * i, 7), ids[i]);
	}
	free(text);
	free(ids);
	names_free(n);
}
END_TEST

START_TEST(test_many)
{
	enum { CNT = 1000 };
	struct names *n = make();
	static char text[CNT][8];
	struct name_ref refs[CNT];
	name_id ids[CNT];
	for (int i = 0; i < CNT; i++) {
		snprintf(text[i], 8, "%d", i % 300); /* repeats, within a batch too */
		refs[i] = (struct name_ref){ text[i], strlen(text[i]) };
	}
	refs[7].len = 0;
	ck_assert_int_eq(names_reserve(n, CNT), 0);
	names_intern_many(n, refs, CNT, ids);
	for (int i = 0; i < CNT; i++)
		ck_assert_msg(ids[i] == (i == 7 ? 0 : names_find(n, text[i], strlen(text[i]))), "name %d is %u", i, ids[i]);
	ck_assert_uint_eq(names_cnt(n), 301);
	names_free(n);
}
END_TEST

/* What was interned does not change with the memory that it was read from. Long names have blocks of their own. */
START_TEST(test_bytes_are_copied)
{
	enum { LONG = 3 << 20 };
	struct names *n = make();
	char *longest = malloc(LONG), a[] = "alpha beta";
	ck_assert_ptr_nonnull(longest);
	memset(longest, 'l', LONG);
	ck_assert_int_eq(names_reserve(n, 4), 0);
	name_id alpha = names_intern(n, a, 5), big = names_intern(n, longest, LONG), beta = names_intern(n, a + 6, 4);
	name_id half = names_intern(n, longest, LONG / 2);
	memset(a, 'x', sizeof(a));
	ck_assert_uint_eq(names_find(n, "alpha", 5), alpha);
	ck_assert_uint_eq(names_find(n, "beta", 4), beta);
	ck_assert_uint_eq(names_find(n, longest, LONG), big);
	ck_assert_uint_eq(names_find(n, longest, LONG / 2), half);
	memset(longest, 'x', LONG);
	ck_assert_uint_eq(names_find(n, longest, LONG), 0);
	ck_assert_uint_eq(names_get(n, big)->len, LONG);
	ck_assert_int_eq(names_get(n, big)->str[LONG - 1], 'l');
	free(longest);
	names_free(n);
}
END_TEST

enum { THREADS = 4, SHARED = 20000 };

struct racer {
	struct names *n;
	const char (*text)[8];
	unsigned seed;
	name_id ids[SHARED];
};

static void *race(void *arg)
{
	struct racer *r = arg;
	for (unsigned i = 0; i < SHARED; i++) {
		unsigned k = (i * 7919 + r->seed * 31) % SHARED;
		r->ids[k] = names_intern(r->n, r->text[k], 7);
	}
	return NULL;
}

/* All threads get the same ids, and lost races leave nothing behind that reads as a name. */
START_TEST(test_threads)
{
	static char text[SHARED][8];
	static struct racer racers[THREADS];
	pthread_t threads[THREADS];
	struct names *n = make();
	for (int i = 0; i < SHARED; i++)
		snprintf(text[i], 8, "%07u", (unsigned)i % 10000000);
	ck_assert_int_eq(names_reserve(n, THREADS * SHARED), 0);
	for (unsigned t = 0; t < THREADS; t++) {
		racers[t].n = n;
		racers[t].text = text;
		racers[t].seed = t / 2; /* pairs run side by side */
		ck_assert_int_eq(pthread_create(&threads[t], NULL, race, &racers[t]), 0);
	}
	for (unsigned t = 0; t < THREADS; t++)
		pthread_join(threads[t], NULL);
	for (int i = 0; i < SHARED; i++)
		for (unsigned t = 0; t < THREADS; t++)
			ck_assert_uint_eq(racers[t].ids[i], names_find(n, text[i], 7));
	unsigned used = 0;
	for (name_id id = 1; id < names_cnt(n); id++)
		used += names_get(n, id)->len != 0;
	ck_assert_uint_eq(used, SHARED);
	names_free(n);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("names");
	TCase *tc = tcase_create("names");
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_same, 0, (int)ARRAY_CNT(same_rows));
	tcase_add_test(tc, test_empty_is_no_name);
	tcase_add_test(tc, test_room);
	tcase_add_test(tc, test_growing);
	tcase_add_test(tc, test_many);
	tcase_add_test(tc, test_bytes_are_copied);
	tcase_add_test(tc, test_threads);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
