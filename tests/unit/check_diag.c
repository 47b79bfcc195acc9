/* check_diag.c - the sink of messages: order, equal texts, limits, fatal and silenced warnings, many threads. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"

#define TOO_MANY "linkfs: error: too many errors emitted, stopping now (use --error-limit=0 to see all errors)\n"

static void assert_text(struct diag *d, const char *expected)
{
	char *text = diag_text(d);

	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(empty)
{
	struct diag *d = diag_new(0);

	assert_text(d, "");
	ck_assert_uint_eq(diag_errors(d), 0);
	ck_assert_ptr_null(diag_free(d));
	ck_assert_ptr_null(diag_free(NULL));
}
END_TEST

START_TEST(sorted_by_pass_then_place)
{
	struct diag *d = diag_new(0);

	diag_error(d, 7, "third %d", 3);
	diag_warn(d, 2, "first");
	diag_note(d, 5, "second");
	diag_pass(d);
	diag_error(d, 1, "fourth");
	assert_text(d, "linkfs: warning: first\nlinkfs: second\nlinkfs: error: third 3\nlinkfs: error: fourth\n");
	ck_assert_uint_eq(diag_errors(d), 2);
	diag_free(d);
}
END_TEST

START_TEST(same_place)
{
	struct diag *d = diag_new(0);

	diag_note(d, 1, "a note");
	diag_error(d, 1, "b");
	diag_error(d, 1, "a");
	assert_text(d, "linkfs: error: a\nlinkfs: error: b\nlinkfs: a note\n");
	diag_free(d);
}
END_TEST

START_TEST(equal_texts_once)
{
	struct diag *d = diag_new(0);

	diag_error(d, 9, "twice");
	diag_error(d, 5, "between");
	diag_error(d, 1, "twice");
	diag_warn(d, 6, "twice");
	assert_text(d, "linkfs: error: twice\nlinkfs: error: between\nlinkfs: warning: twice\n");
	ck_assert_uint_eq(diag_errors(d), 3);
	diag_free(d);
}
END_TEST

START_TEST(equal_texts_in_two_passes)
{
	struct diag *d = diag_new(0);

	diag_error(d, 9, "same");
	diag_pass(d);
	diag_error(d, 1, "same");
	diag_error(d, 0, "other");
	assert_text(d, "linkfs: error: same\nlinkfs: error: other\n");
	diag_free(d);
}
END_TEST

START_TEST(continuation_lines)
{
	struct diag *d = diag_new(0);

	diag_error(d, 1, "undefined symbol: f\n>>> referenced by a.o\nand b.o");
	assert_text(d, "linkfs: error: undefined symbol: f\n>>> referenced by a.o\n>>> and b.o\n");
	diag_free(d);
}
END_TEST

/* The smallest places are kept, whatever came first; warnings do not count. */
START_TEST(error_limit)
{
	struct diag *d = diag_new(2);

	for (unsigned i = 500; i > 0; i--)
		diag_error(d, i, "e%u", i);
	diag_warn(d, 600, "w");
	assert_text(d, "linkfs: error: e1\nlinkfs: error: e2\nlinkfs: warning: w\n" TOO_MANY);
	ck_assert_uint_eq(diag_errors(d), 500);
	assert_text(d, "linkfs: error: e1\nlinkfs: error: e2\nlinkfs: warning: w\n" TOO_MANY);
	diag_free(d);
}
END_TEST

START_TEST(error_limit_counts_texts)
{
	struct diag *d = diag_new(2);

	for (unsigned i = 0; i < 500; i++)
		diag_error(d, i, "e%u", i % 2);
	assert_text(d, "linkfs: error: e0\nlinkfs: error: e1\n");
	diag_error(d, 0, "a");
	assert_text(d, "linkfs: error: a\nlinkfs: error: e0\n" TOO_MANY);
	diag_free(d);
}
END_TEST

START_TEST(fatal_warnings)
{
	struct diag *d = diag_new(0);

	diag_warn(d, 1, "before");
	diag_fatal_warnings(d, true);
	diag_warn(d, 2, "within");
	diag_note(d, 3, "a note");
	diag_fatal_warnings(d, false);
	diag_warn(d, 4, "after");
	assert_text(d, "linkfs: warning: before\nlinkfs: error: within\nlinkfs: a note\nlinkfs: warning: after\n");
	ck_assert_uint_eq(diag_errors(d), 1);
	diag_free(d);
}
END_TEST

START_TEST(refusals)
{
	struct diag *d = diag_new(0);

	ck_assert(!diag_is_refusal(d));
	diag_warn(d, 0, "w");
	diag_refuse(d, 1, "-r");
	diag_refuse(d, 1, "-r");
	ck_assert(diag_is_refusal(d));
	assert_text(d, "linkfs: warning: w\nlinkfs: error: -r\n");
	ck_assert_uint_eq(diag_errors(d), 2);
	diag_error(d, 2, "e");
	ck_assert(!diag_is_refusal(d));
	diag_free(d);
}
END_TEST

START_TEST(no_warnings)
{
	struct diag *d = diag_new(0);

	diag_no_warnings(d, true);
	diag_fatal_warnings(d, true);
	diag_warn(d, 1, "dropped");
	diag_error(d, 2, "kept");
	diag_no_warnings(d, false);
	diag_fatal_warnings(d, false);
	diag_warn(d, 3, "kept too");
	assert_text(d, "linkfs: error: kept\nlinkfs: warning: kept too\n");
	ck_assert_uint_eq(diag_errors(d), 1);
	diag_free(d);
}
END_TEST

enum { THREADS = 4, MESSAGES = 2000 };

struct adder {
	struct diag *d;
	unsigned number;
};

/* Every thread adds the same messages, each in another order. */
static void *add_many(void *arg)
{
	static const unsigned steps[THREADS] = { 3, 7, 9, 11 }; /* none shares a factor with MESSAGES */
	const struct adder *a = arg;

	for (unsigned i = 0; i < MESSAGES; i++) {
		unsigned n = (i * steps[a->number] + a->number * 77) % MESSAGES;
		diag_add(a->d, n % 3 ? DIAG_ERROR : DIAG_WARNING, (n + a->number) / 8, "message %u", n);
	}
	return NULL;
}

/* The order of arrival leaves no trace: the same text as from one thread after the other. LIMIT from the loop test. */
START_TEST(threads_leave_no_trace)
{
	static const unsigned limits[] = { 0, 1, 20, 300 };
	char *texts[2];

	for (int parallel = 0; parallel < 2; parallel++) {
		struct diag *d = diag_new(limits[_i]);
		struct adder adders[THREADS];
		pthread_t threads[THREADS];
		for (unsigned t = 0; t < THREADS; t++) {
			adders[t] = (struct adder){ d, t };
			ck_assert_int_eq(pthread_create(&threads[t], NULL, add_many, &adders[t]), 0);
			if (!parallel)
				pthread_join(threads[t], NULL);
		}
		for (unsigned t = 0; parallel && t < THREADS; t++)
			pthread_join(threads[t], NULL);
		texts[parallel] = diag_text(d);
		ck_assert_uint_gt(diag_errors(d), 2 * MESSAGES);
		diag_free(d);
	}
	ck_assert_str_eq(texts[0], texts[1]);
	ck_assert_ptr_nonnull(strstr(texts[0], "warning: message 0\n"));
	ck_assert_int_eq(limits[_i] != 0, strstr(texts[0], TOO_MANY) != NULL);
	free(texts[0]);
	free(texts[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("diag");
	TCase *messages = tcase_create("messages"), *threads = tcase_create("threads");

	tcase_add_test(messages, empty);
	tcase_add_test(messages, sorted_by_pass_then_place);
	tcase_add_test(messages, same_place);
	tcase_add_test(messages, equal_texts_once);
	tcase_add_test(messages, equal_texts_in_two_passes);
	tcase_add_test(messages, continuation_lines);
	tcase_add_test(messages, error_limit);
	tcase_add_test(messages, error_limit_counts_texts);
	tcase_add_test(messages, fatal_warnings);
	tcase_add_test(messages, no_warnings);
	tcase_add_test(messages, refusals);
	suite_add_tcase(suite, messages);
	tcase_set_timeout(threads, 60);
	tcase_add_loop_test(threads, threads_leave_no_trace, 0, 4);
	suite_add_tcase(suite, threads);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed_cnt = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed_cnt ? EXIT_FAILURE : EXIT_SUCCESS;
}
