/* check_os.c - linker/mem/os: every call counted, failures handed on, big tables zeroed and given back.
 *
 * Defect of the seeds that must not come back: D6 (64-bit offsets narrowed).
 */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>

#include "fake_os.h"
#include "os.h"
#include "temp.h"

enum { TIMEOUT_SEC = 60 };

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* --- counters --- */

static int call_one(struct os *os, enum os_call call, uint64_t sz)
{
	char *at = (char *)0x100000;
	void *got;

	switch (call) {
	case OS_MMAP:
		return os_map(os, at, sz, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, &got);
	case OS_MUNMAP:
		return os_unmap(os, at, sz);
	case OS_MPROTECT:
		return os_protect(os, at, sz, PROT_READ);
	case OS_MREMAP:
		return os_remap(os, at, 4096, sz, 0, &got);
	case OS_MADVISE:
		return os_advise(os, at, sz, MADV_DONTNEED);
	case OS_FALLOCATE:
		return os_fallocate(os, 3, 0, 0, sz);
	case OS_FTRUNCATE:
		return os_truncate(os, 3, sz);
	case OS_NAME:
		return os_name(os, at, sz, "x");
	default:
		return -EINVAL;
	}
}

static const char *const names[OS_CALL_CNT] = {
	"mmap", "munmap", "mprotect", "mremap", "madvise", "fallocate", "ftruncate", "prctl",
};

START_TEST(test_each_call_is_counted)
{
	enum os_call call = (enum os_call)_i;
	struct fake_os *f = fake_new(true, 4096);
	bool works = call != OS_MREMAP; /* pretended memory does not move */

	ck_assert_str_eq(os_call_name(call), names[call]);
	ck_assert_int_eq(call_one(&f->os, call, 8192), works ? 0 : -ENOMEM);
	f->fail_call = call;
	f->fail_errno = EPERM;
	f->fail_at = 1;
	f->seen = 0;
	ck_assert_int_eq(call_one(&f->os, call, 4096), -EPERM);
	ck_assert_int_eq(call_one(&f->os, call, 100), works ? 0 : -ENOMEM);
	for (enum os_call c = 0; c < OS_CALL_CNT; c++) {
		ck_assert_uint_eq(f->os.counts[c].calls, c == call ? 3 : 0);
		ck_assert_uint_eq(f->os.counts[c].failures, c == call ? (works ? 1 : 3) : 0);
		ck_assert_uint_eq(f->os.counts[c].bytes, c == call && works ? 8292 : 0);
	}
	fake_free(f);
}
END_TEST

START_TEST(test_names_out_of_range)
{
	ck_assert_str_eq(os_call_name(OS_CALL_CNT), "?");
	ck_assert_str_eq(os_call_name((enum os_call)-1), "?");
}
END_TEST

enum { THREADS = 4, CALLS = 5000 };

static void *counting_thread(void *ctx)
{
	for (unsigned i = 0; i < CALLS; i++)
		os_advise(ctx, (void *)0x1000, 10, MADV_DONTNEED);
	return NULL;
}

static int advise_nothing(void *ctx, void *addr, size_t sz, int advice)
{
	(void)ctx;
	(void)addr;
	(void)sz;
	(void)advice;
	return 0;
}

START_TEST(test_counters_are_exact_across_threads)
{
	const struct os_ops ops = { .advise = advise_nothing };
	pthread_t threads[THREADS];
	struct os os;

	os_init(&os, &ops, NULL, 4096);
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, counting_thread, &os), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(os.counts[OS_MADVISE].calls, THREADS * CALLS);
	ck_assert_uint_eq(os.counts[OS_MADVISE].bytes, THREADS * CALLS * 10);
}
END_TEST

START_TEST(test_page_sizes)
{
	struct os os;

	ck_assert_uint_eq(os_page_sz(NULL), (size_t)sysconf(_SC_PAGESIZE));
	ck_assert_uint_eq(os_page_sz(os_default()), (size_t)sysconf(_SC_PAGESIZE));
	os_init(&os, os_kernel_ops(), NULL, 65536);
	ck_assert_uint_eq(os_page_sz(&os), 65536);
	os_init(&os, os_kernel_ops(), NULL, 0);
	ck_assert_uint_eq(os_page_sz(&os), (size_t)sysconf(_SC_PAGESIZE));
}
END_TEST

/* --- the kernel's slots --- */

START_TEST(test_outputs_untouched_on_failure)
{
	void *got = (void *)7;

	ck_assert_int_eq(os_map(NULL, NULL, 0, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, &got), -EINVAL);
	ck_assert_int_eq(os_map(NULL, NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0, &got), -EBADF);
	ck_assert_int_lt(os_remap(NULL, (void *)4096, 4096, 8192, 0, &got), 0);
	ck_assert_ptr_eq(got, (void *)7);
	ck_assert_int_eq(os_unmap(NULL, (void *)1, 4096), -EINVAL);
	ck_assert_int_eq(os_protect(NULL, (void *)1, 4096, PROT_READ), -EINVAL);
	ck_assert_int_eq(os_advise(NULL, (void *)1, 4096, MADV_DONTNEED), -EINVAL);
	ck_assert_int_eq(os_fallocate(NULL, -1, 0, 0, 10), -EBADF);
	ck_assert_int_lt(os_truncate(NULL, -1, 0), 0);
}
END_TEST

START_TEST(test_d6_wide_offsets)
{
	void *got = NULL;

	ck_assert_int_eq(os_map(NULL, NULL, 4096, PROT_READ, MAP_SHARED, 0, UINT64_MAX - 4095, &got), -EOVERFLOW);
	ck_assert_int_eq(os_fallocate(NULL, 0, 0, UINT64_MAX, 1), -EFBIG);
	ck_assert_int_eq(os_fallocate(NULL, 0, 0, 1, UINT64_MAX), -EFBIG);
	ck_assert_int_eq(os_truncate(NULL, 0, (uint64_t)1 << 63), -EFBIG);
}
END_TEST

START_TEST(test_files)
{
	int fd = temp_file();
	char *p, byte = 0;
	void *got;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(os_fallocate_new(NULL, fd, 0, 10000), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), 10000);
	ck_assert_int_eq(os_truncate(NULL, fd, 5000), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), 5000);
	ck_assert_int_eq(os_map(NULL, NULL, 5000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0, &got), 0);
	p = got;
	p[4999] = 'x';
	ck_assert_int_eq(pread(fd, &byte, 1, 4999), 1);
	ck_assert_int_eq(byte, 'x');
	ck_assert_int_eq(os_unmap(NULL, p, 5000), 0);
	close(fd);
}
END_TEST

/* --- interrupted calls --- */

START_TEST(test_repeats_where_interrupted)
{
	struct fake_os *f = fake_new(true, 4096);

	f->fail_errno = EINTR;
	f->fail_at = 1;
	f->fail_cnt = 3;
	ck_assert_int_eq(os_fallocate_new(&f->os, 3, 4096, 8192), 0);
	ck_assert_uint_eq(f->log_cnt, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert(f->log[i].addr == 4096 && f->log[i].sz == 8192 && f->log[i].arg == 0);
	f->seen = 0;
	ck_assert_int_eq(os_truncate(&f->os, 3, 100), 0);
	ck_assert_uint_eq(f->log_cnt, 8);
	f->seen = 0;
	/* Perhaps over written bytes: the caller's to judge. */
	ck_assert_int_eq(os_fallocate(&f->os, 3, 1, 0, 1), -EINTR);
	ck_assert_uint_eq(f->log_cnt, 9);
	f->seen = 0;
	f->fail_errno = ENOSPC;
	ck_assert_int_eq(os_fallocate_new(&f->os, 3, 0, 1), -ENOSPC);
	ck_assert_int_eq(os_fallocate_new(&f->os, 3, 0, 0), 0);
	ck_assert_uint_eq(f->log_cnt, 10);
	fake_free(f);
}
END_TEST

/* --- guards --- */

static const struct guard_row {
	const char *name;
	enum os_call fail_call;
	bool want;
	unsigned probes; /* mappings made by asking twice */
} guard_rows[] = {
	{ "has them", OS_CALL_CNT, true, 1 },
	{ "has none", OS_MADVISE, false, 1 },
	{ "no page to try on", OS_MMAP, false, 2 },
};

START_TEST(test_guard_probe)
{
	const struct guard_row *row = &guard_rows[_i];
	struct fake_os *f = fake_new(true, 16384);

	f->fail_call = row->fail_call;
	f->fail_at = row->fail_call == OS_CALL_CNT ? 0 : 1;
	f->fail_cnt = 100;
	ck_assert_msg(os_has_guards(&f->os) == row->want, "%s", row->name);
	ck_assert_msg(os_has_guards(&f->os) == row->want, "%s, asked again", row->name);
	ck_assert_uint_eq(f->os.counts[OS_MMAP].calls, row->probes);
	ck_assert_uint_eq(ranges_total(&f->mapped), 0);
	f->fail_at = 0;
	/* What was learnt stays, what was not is asked again. */
	ck_assert_int_eq(os_has_guards(&f->os), row->fail_call != OS_MADVISE);
	fake_free(f);
}
END_TEST

/* --- tables --- */

static bool is_zero(const void *p, size_t from, size_t to)
{
	const unsigned char *b = p;

	for (size_t i = from; i < to; i++)
		if (b[i])
			return false;
	return true;
}

static uint64_t held(void)
{
	return os_default()->heap_sz + os_default()->zmap_sz;
}

static const size_t table_sizes[] = {
	0, 1, 4095, 4096, 4097, OS_ZALLOC_MAP - 1, OS_ZALLOC_MAP, OS_ZALLOC_MAP + 1, 100000, 1 * MIB, 1 * MIB + 1,
};

START_TEST(test_zalloc)
{
	size_t sz = table_sizes[_i], page = os_page_sz(NULL);
	uint64_t before = held(), maps = os_default()->counts[OS_MMAP].calls;
	unsigned char *p = os_zalloc(sz);

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq((uintptr_t)p % 16, 0);
	ck_assert(is_zero(p, 0, sz));
	memset(p, 0xff, sz);
	ck_assert_uint_eq(os_default()->counts[OS_MMAP].calls - maps, sz >= OS_ZALLOC_MAP);
	ck_assert_uint_eq(held() - before, sz >= OS_ZALLOC_MAP ? (sz + page - 1) / page * page : sz);
	os_zfree(p, sz);
	ck_assert_uint_eq(held(), before);
}
END_TEST

/* From every size to every other: the bytes stay, the new ones are zero, also those once given up. */
START_TEST(test_zresize)
{
	size_t from = table_sizes[_i];
	uint64_t before = held();

	for (size_t i = 0; i < ARRAY_CNT(table_sizes); i++) {
		size_t to = table_sizes[i], kept = from < to ? from : to;
		unsigned char *p = os_zalloc(from);
		unsigned wrong = 0;

		ck_assert_ptr_nonnull(p);
		memset(p, 0xa5, from);
		p = os_zresize(p, from, to);
		ck_assert_ptr_nonnull(p);
		for (size_t k = 0; k < kept; k++)
			wrong += p[k] != 0xa5;
		ck_assert_msg(!wrong && is_zero(p, kept, to), "from %zu to %zu", from, to);
		p = os_zresize(p, to, to + 9000);
		ck_assert_ptr_nonnull(p);
		ck_assert_msg(is_zero(p, kept, to + 9000), "from %zu to %zu and up", from, to);
		os_zfree(p, to + 9000);
	}
	ck_assert_uint_eq(held(), before);
}
END_TEST

START_TEST(test_zalloc_overflow)
{
	unsigned char *p = os_zresize(NULL, 0, 10);

	ck_assert_ptr_null(os_zalloc(SIZE_MAX));
	ck_assert_ptr_null(os_zalloc(SIZE_MAX - os_page_sz(NULL) + 2));
	ck_assert_ptr_null(os_zalloc_array(SIZE_MAX / 2, 3));
	ck_assert_ptr_null(os_zalloc_array((size_t)1 << 40, (size_t)1 << 40));
	ck_assert_ptr_nonnull(p);
	memset(p, 1, 10);
	ck_assert_ptr_null(os_zresize(p, 10, SIZE_MAX));
	ck_assert_int_eq(p[9], 1);
	os_zfree(p, 10);
	p = os_zalloc_array(100, 1000);
	ck_assert_ptr_nonnull(p);
	p[99999] = 1;
	ck_assert_ptr_null(os_zresize(p, 100000, SIZE_MAX));
	ck_assert_ptr_null(os_zresize(p, 100000, SIZE_MAX / 2));
	ck_assert_int_eq(p[99999], 1);
	os_zfree(p, 100000);
	os_zfree(NULL, 5);
}
END_TEST

static int starved_child(void *ctx)
{
	uint64_t before;
	char *p = os_zalloc(MIB), *q;

	(void)ctx;
	before = held();
	if (!p || limit_above_now(RLIMIT_AS, "VmSize:", 8 * MIB))
		return 1;
	p[MIB - 1] = 1;
	if (os_zalloc(64 * MIB) || os_zresize(p, MIB, 64 * MIB) || p[MIB - 1] != 1 || held() != before)
		return 2;
	q = os_zalloc(2 * MIB);
	if (!q)
		return 3;
	os_zfree(q, 2 * MIB);
	os_zfree(p, MIB);
	return held() < before ? 0 : 4;
}

START_TEST(test_zalloc_under_a_limit)
{
	if (HAS_SANITIZER)
		SKIP("sanitizers need address space of their own");
	ck_assert(child_ok(child_run(starved_child, NULL)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("os");
	TCase *tc = tcase_create("os");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, TIMEOUT_SEC);
	tcase_add_loop_test(tc, test_each_call_is_counted, 0, OS_CALL_CNT);
	tcase_add_test(tc, test_names_out_of_range);
	tcase_add_test(tc, test_counters_are_exact_across_threads);
	tcase_add_test(tc, test_page_sizes);
	tcase_add_test(tc, test_outputs_untouched_on_failure);
	tcase_add_test(tc, test_d6_wide_offsets);
	tcase_add_test(tc, test_files);
	tcase_add_test(tc, test_repeats_where_interrupted);
	tcase_add_loop_test(tc, test_guard_probe, 0, (int)ARRAY_CNT(guard_rows));
	tcase_add_loop_test(tc, test_zalloc, 0, (int)ARRAY_CNT(table_sizes));
	tcase_add_loop_test(tc, test_zresize, 0, (int)ARRAY_CNT(table_sizes));
	tcase_add_test(tc, test_zalloc_overflow);
	tcase_add_test(tc, test_zalloc_under_a_limit);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
