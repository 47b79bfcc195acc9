/* check_ranges.c - linker/mem/ranges: the tables, permutations and the model of SEEDS.md section 4.4, and the shared
 * form.
 *
 * Defects of the seeds that must not come back: D14 (growing past 16 loses or overruns), D15 (asking an empty tracker).
 */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "fake_os.h"
#include "ranges.h"

enum { TIMEOUT_SEC = 120 };

#define CHUNK ((uint64_t)4 << 20)
#define CHUNK_BASE ((uint64_t)0xc000)

static void assert_ranges(const struct ranges *t, const struct range *want, size_t cnt, const char *what)
{
	ck_assert_msg(ranges_is_sound(t), "%s: not sound", what);
	ck_assert_msg(ranges_cnt(t) == cnt, "%s: %zu ranges, expected %zu", what, ranges_cnt(t), cnt);
	for (size_t i = 0; i < cnt; i++) {
		struct range r = ranges_get(t, i);

		ck_assert_msg(r.base == want[i].base && r.limit == want[i].limit,
			      "%s: range %zu is %#llx-%#llx, expected %#llx-%#llx", what, i, (unsigned long long)r.base,
			      (unsigned long long)r.limit, (unsigned long long)want[i].base,
			      (unsigned long long)want[i].limit);
	}
}

/* --- adding chunks, in every order --- */

static const struct chunk_row {
	const char *name;
	size_t chunk_cnt;
	uint64_t chunks[5]; /* from CHUNK_BASE on */
	size_t want_cnt;
	struct range want[5];
} chunk_rows[] = {
	{ "One", 1, { 0 }, 1, { { 0, 1 } } },
	{ "Contiguous2", 2, { 0, 1 }, 1, { { 0, 2 } } },
	{ "Contiguous5", 5, { 0, 1, 2, 3, 4 }, 1, { { 0, 5 } } },
	{ "Discontiguous", 3, { 0, 2, 4 }, 3, { { 0, 1 }, { 2, 3 }, { 4, 5 } } },
	{ "Mixed", 4, { 0, 1, 2, 4 }, 2, { { 0, 3 }, { 4, 5 } } },
	{ "WildlyDiscontiguous", 4, { 0, 1, 0x10, 0x21 }, 3, { { 0, 2 }, { 0x10, 0x11 }, { 0x21, 0x22 } } },
	{ "ExtremelyDiscontiguous", 2, { 0, 0x100000 }, 2, { { 0, 1 }, { 0x100000, 0x100001 } } },
};

static struct range chunk(uint64_t first, uint64_t end)
{
	return (struct range){ (CHUNK_BASE + first) * CHUNK, (CHUNK_BASE + end) * CHUNK };
}

static void add_in_order(const struct chunk_row *row, const size_t *order)
{
	struct range want[5];
	struct ranges t;

	ranges_init(&t, NULL);
	for (size_t i = 0; i < row->chunk_cnt; i++) {
		uint64_t c = row->chunks[order[i]];

		ck_assert_int_eq(ranges_add(&t, chunk(c, c + 1)), 0);
		ck_assert(ranges_is_sound(&t));
	}
	for (size_t i = 0; i < row->want_cnt; i++)
		want[i] = chunk(row->want[i].base, row->want[i].limit);
	assert_ranges(&t, want, row->want_cnt, row->name);
	ck_assert_uint_eq(ranges_total(&t), row->chunk_cnt * CHUNK);
	ranges_done(&t);
}

static unsigned permute(const struct chunk_row *row, size_t *order, size_t fixed)
{
	unsigned orders = 0;

	if (fixed == row->chunk_cnt) {
		add_in_order(row, order);
		return 1;
	}
	for (size_t i = fixed; i < row->chunk_cnt; i++) {
		size_t first = order[fixed];

		order[fixed] = order[i];
		order[i] = first;
		orders += permute(row, order, fixed + 1);
		order[i] = order[fixed];
		order[fixed] = first;
	}
	return orders;
}

START_TEST(test_chunks_in_every_order)
{
	const struct chunk_row *row = &chunk_rows[_i];
	size_t order[5] = { 0, 1, 2, 3, 4 };
	unsigned factorial = 1;

	for (unsigned i = 2; i <= row->chunk_cnt; i++)
		factorial *= i;
	ck_assert_uint_eq(permute(row, order, 0), factorial);
}
END_TEST

/* 33 lone chunks: the array grows twice. */
START_TEST(test_many_discontiguous)
{
	struct range want[33];
	struct ranges t;

	ranges_init(&t, NULL);
	for (uint64_t k = 0; k < 33; k++) {
		want[k] = chunk(2 * k, 2 * k + 1);
		ck_assert_int_eq(ranges_add(&t, want[k]), 0);
		assert_ranges(&t, want, k + 1, "ManyDiscontiguous");
	}
	ck_assert_uint_eq(t.cap, 64);
	ranges_done(&t);
}
END_TEST

/* D14: the entry that makes the array grow must neither get lost nor push another out, wherever it goes. */
static const struct grow_row {
	const char *where;
	size_t fill;
} grow_rows[] = {
	{ "front", 16 }, { "front", 17 }, { "front", 32 }, { "front", 33 }, { "middle", 16 }, { "middle", 17 },
	{ "middle", 32 }, { "middle", 33 }, { "back", 16 }, { "back", 17 }, { "back", 32 }, { "back", 33 },
};

START_TEST(test_d14_growing_keeps_every_range)
{
	const struct grow_row *row = &grow_rows[_i];
	struct range want[40], late;
	struct ranges t;
	size_t late_idx = row->where[0] == 'f' ? 0 : row->where[0] == 'm' ? row->fill / 2 : row->fill;

	ranges_init(&t, NULL);
	for (size_t i = 0; i <= row->fill; i++)
		want[i] = (struct range){ 100 + 10 * i, 105 + 10 * i };
	late = want[late_idx];
	for (size_t i = 0; i <= row->fill; i++)
		if (i != late_idx)
			ck_assert_int_eq(ranges_add(&t, want[i]), 0);
	ck_assert_uint_eq(ranges_cnt(&t), row->fill);
	ck_assert_int_eq(ranges_add(&t, late), 0);
	assert_ranges(&t, want, row->fill + 1, row->where);
	ranges_done(&t);
}
END_TEST

START_TEST(test_add_sequence)
{
	static const struct row {
		struct range add;
		size_t want_cnt;
		struct range want[2];
	} rows[] = {
		{ { 512, 1024 }, 1, { { 512, 1024 } } },
		{ { 1024, 2048 }, 1, { { 512, 2048 } } },
		{ { 4096, 8192 }, 2, { { 512, 2048 }, { 4096, 8192 } } },
		{ { 3776, 4096 }, 2, { { 512, 2048 }, { 3776, 8192 } } },
		{ { 2048, 3776 }, 1, { { 512, 8192 } } },
	};
	struct range want[128];
	struct ranges t;

	ranges_init(&t, NULL);
	for (size_t i = 0; i < ARRAY_CNT(rows); i++) {
		ck_assert_int_eq(ranges_add(&t, rows[i].add), 0);
		assert_ranges(&t, rows[i].want, rows[i].want_cnt, "sequence");
	}
	want[0] = (struct range){ 512, 8192 };
	for (uint64_t k = 1; k <= 64; k++) {
		want[k] = (struct range){ 8192 + 2048 * k, 8192 + 2048 * k + 10 };
		ck_assert_int_eq(ranges_add(&t, want[k]), 0);
		assert_ranges(&t, want, k + 1, "after 512-8192");
	}
	for (uint64_t i = 0; i <= 62; i++) {
		memmove(want + i + 1, want + i, (65 * sizeof(want[0])));
		want[i] = (struct range){ 8 + 8 * i, 12 + 8 * i };
		ck_assert_int_eq(ranges_add(&t, want[i]), 0);
		assert_ranges(&t, want, 65 + i + 1, "before 512-8192");
	}
	ck_assert_uint_eq(ranges_cnt(&t), 128);
	ranges_done(&t);
}
END_TEST

/* --- finding --- */

#define TOP UINT64_MAX

static const struct succ_row {
	const char *name;
	size_t cnt;
	struct range ranges[3];
	size_t query_cnt;
	struct {
		uint64_t a;
		size_t want;
	} queries[6];
} succ_rows[] = {
	{ "empty", 0, { { 0, 0 } }, 1, { { 12, 0 } } },
	{ "one", 1, { { 14, 16 } }, 4, { { 12, 0 }, { 14, 1 }, { 16, 1 }, { 17, 1 } } },
	{ "three", 3, { { 6, 10 }, { 12, 16 }, { 19, 22 } }, 4, { { 3, 0 }, { 24, 3 }, { 11, 1 }, { 9, 1 } } },
	{ "from zero", 1, { { 0, 10 } }, 1, { { 0, 1 } } },
	{ "to the top", 1, { { TOP - 5, TOP } }, 1, { { TOP, 1 } } },
};

static void fill_hundred(struct ranges *t)
{
	ranges_init(t, NULL);
	for (uint64_t i = 0; i < 100; i++)
		ck_assert_int_eq(ranges_add(t, (struct range){ 5 + 5 * i, 8 + 5 * i }), 0);
}

START_TEST(test_find_succ)
{
	const struct succ_row *row = &succ_rows[_i];
	struct ranges t;

	ranges_init(&t, NULL);
	for (size_t i = 0; i < row->cnt; i++)
		ck_assert_int_eq(ranges_add(&t, row->ranges[i]), 0);
	for (size_t i = 0; i < row->query_cnt; i++)
		ck_assert_msg(ranges_find_succ(&t, row->queries[i].a) == row->queries[i].want, "%s: query %zu",
			      row->name, i);
	ranges_done(&t);
}
END_TEST

START_TEST(test_find_succ_in_hundred)
{
	static const struct row {
		uint64_t a;
		size_t want;
	} rows[] = { { 2, 0 }, { 535, 100 }, { 14, 2 }, { 249, 49 }, { 25, 5 }, { 396, 79 }, { 250, 50 } };
	struct ranges t;

	fill_hundred(&t);
	for (size_t i = 0; i < ARRAY_CNT(rows); i++)
		ck_assert_uint_eq(ranges_find_succ(&t, rows[i].a), rows[i].want);
	ranges_done(&t);
}
END_TEST

/* R22: a million ranges in at most 25 looks. */
START_TEST(test_find_succ_cost)
{
	enum { CNT = 1000000 };
	struct ranges t;
	unsigned most = 0, wrong = 0;
	uint64_t random = 1;

	ranges_init(&t, NULL);
	ck_assert_int_eq(ranges_reserve(&t, CNT), 0);
	for (; t.cnt < CNT; t.cnt++, t.total += 4)
		t.r[t.cnt] = (struct range){ 8 * t.cnt, 8 * t.cnt + 4 };
	ck_assert(ranges_is_sound(&t));
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t a = next_random(&random) % (8 * CNT + 8);
		unsigned probes = 0;
		size_t want = a / 8 + 1;

		wrong += ranges_find_succ_counted(&t, a, &probes) != (want < CNT ? want : CNT);
		most = probes > most ? probes : most;
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_le(most, 25);
	ck_assert_uint_ge(most, 17); /* it counts */
	ranges_done(&t);
}
END_TEST

START_TEST(test_d15_empty_tracker)
{
	struct range got = { 7, 7 };
	uint64_t member = 7;
	struct ranges t;

	ranges_init(&t, NULL);
	ck_assert(!ranges_next_ge(&t, 0, &member));
	ck_assert(!ranges_next_ge(&t, TOP, &member));
	ck_assert(!ranges_contains(&t, 0));
	ck_assert(!ranges_contains_range(&t, (struct range){ 0, 1 }));
	ck_assert(!ranges_remove_last(&t, 5, &got));
	ck_assert(!ranges_next_run(&t, (struct range){ 0, TOP }, &got));
	ck_assert_uint_eq(ranges_remove_ge(&t, 0), 0);
	ranges_clear(&t);
	ck_assert_uint_eq(member, 7);
	ck_assert_uint_eq(got.base, 7);
	ck_assert(ranges_next_gap(&t, (struct range){ 3, 9 }, &got));
	ck_assert(got.base == 3 && got.limit == 9);
	ck_assert_uint_eq(ranges_generation(&t), 0);
	ck_assert(ranges_is_sound(&t));
	ranges_done(&t);
}
END_TEST

START_TEST(test_next_ge)
{
	static const struct row {
		uint64_t a;
		bool found;
		uint64_t want;
	} rows[] = {
		{ 0, true, 10 },  { 9, true, 10 },  { 10, true, 10 }, { 19, true, 19 },
		{ 20, true, 30 }, { 29, true, 30 }, { 39, true, 39 }, { 40, true, TOP - 9 },
		{ TOP - 1, true, TOP - 1 }, { TOP, false, 0 },
	};
	struct ranges t;

	ranges_init(&t, NULL);
	ck_assert_int_eq(ranges_add(&t, (struct range){ 10, 20 }), 0);
	ck_assert_int_eq(ranges_add(&t, (struct range){ 30, 40 }), 0);
	ck_assert_int_eq(ranges_add(&t, (struct range){ TOP - 9, TOP }), 0);
	for (size_t i = 0; i < ARRAY_CNT(rows); i++) {
		uint64_t got = 0;

		ck_assert_msg(ranges_next_ge(&t, rows[i].a, &got) == rows[i].found && got == rows[i].want, "row %zu",
			      i);
	}
	ranges_done(&t);
}
END_TEST

/* --- what is refused --- */

START_TEST(test_refused)
{
	static const struct row {
		const char *name;
		struct range r;
		int add, merge, remove;
	} rows[] = {
		{ "empty", { 5, 5 }, -EINVAL, -EINVAL, -EINVAL },
		{ "backwards", { 6, 5 }, -EINVAL, -EINVAL, -EINVAL },
		{ "wraps", { TOP, 3 }, -EINVAL, -EINVAL, -EINVAL },
		{ "empty at the top", { TOP, TOP }, -EINVAL, -EINVAL, -EINVAL },
		{ "same", { 100, 200 }, -EEXIST, 0, 0 },
		{ "overlaps below", { 50, 101 }, -EEXIST, 0, 0 },
		{ "overlaps above", { 199, 250 }, -EEXIST, 0, 0 },
		{ "inside", { 120, 130 }, -EEXIST, 0, 0 },
		{ "around", { 1, 1000 }, -EEXIST, 0, 0 },
		{ "touches below", { 50, 100 }, 0, 0, 0 },
		{ "touches above", { 200, 250 }, 0, 0, 0 },
		{ "last that fits", { TOP - 1, TOP }, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_CNT(rows); i++) {
		const struct range had = { 100, 200 };
		struct ranges t;
		uint64_t gen;

		ranges_init(&t, NULL);
		ck_assert_int_eq(ranges_add(&t, had), 0);
		gen = ranges_generation(&t);
		ck_assert_msg(ranges_add(&t, rows[i].r) == rows[i].add, "%s: add", rows[i].name);
		if (rows[i].add < 0) {
			assert_ranges(&t, &had, 1, rows[i].name);
			ck_assert_uint_eq(ranges_generation(&t), gen);
		}
		ck_assert_msg(ranges_add_merge(&t, rows[i].r, NULL) == rows[i].merge, "%s: merge", rows[i].name);
		ck_assert_msg(ranges_remove(&t, rows[i].r, NULL) == rows[i].remove, "%s: remove", rows[i].name);
		ck_assert(ranges_is_sound(&t));
		ranges_done(&t);
	}
}
END_TEST

/* --- single operations --- */

START_TEST(test_remove_splits)
{
	static const struct row {
		const char *name;
		struct range gone;
		uint64_t bytes;
		size_t cnt;
		struct range want[4];
	} rows[] = {
		{ "middle", { 120, 130 }, 10, 3, { { 100, 120 }, { 130, 200 }, { 300, 400 } } },
		{ "front", { 50, 130 }, 30, 2, { { 130, 200 }, { 300, 400 } } },
		{ "back", { 180, 250 }, 20, 2, { { 100, 180 }, { 300, 400 } } },
		{ "whole", { 100, 200 }, 100, 1, { { 300, 400 } } },
		{ "gap", { 200, 300 }, 0, 2, { { 100, 200 }, { 300, 400 } } },
		{ "across", { 150, 350 }, 100, 2, { { 100, 150 }, { 350, 400 } } },
		{ "all", { 0, TOP }, 200, 0, { { 0, 0 } } },
		{ "above", { 400, TOP }, 0, 2, { { 100, 200 }, { 300, 400 } } },
	};

	for (size_t i = 0; i < ARRAY_CNT(rows); i++) {
		uint64_t bytes = 99, gen;
		struct ranges t;

		ranges_init(&t, NULL);
		ck_assert_int_eq(ranges_add(&t, (struct range){ 100, 200 }), 0);
		ck_assert_int_eq(ranges_add(&t, (struct range){ 300, 400 }), 0);
		gen = ranges_generation(&t);
		ck_assert_int_eq(ranges_remove(&t, rows[i].gone, &bytes), 0);
		ck_assert_msg(bytes == rows[i].bytes, "%s: %llu bytes", rows[i].name, (unsigned long long)bytes);
		ck_assert_msg((ranges_generation(&t) != gen) == (bytes != 0), "%s: generation", rows[i].name);
		assert_ranges(&t, rows[i].want, rows[i].cnt, rows[i].name);
		ranges_done(&t);
	}
}
END_TEST

START_TEST(test_remove_last)
{
	static const struct row {
		uint64_t n;
		bool found;
		struct range gone;
		size_t left;
	} rows[] = {
		{ 0, false, { 0, 0 }, 2 },
		{ 1, true, { 399, 400 }, 2 },
		{ 99, true, { 300, 399 }, 1 },
		{ 5, true, { 195, 200 }, 1 },
		{ TOP, true, { 100, 195 }, 0 },
		{ 1, false, { 0, 0 }, 0 },
	};
	struct ranges t;

	ranges_init(&t, NULL);
	ck_assert_int_eq(ranges_add(&t, (struct range){ 100, 200 }), 0);
	ck_assert_int_eq(ranges_add(&t, (struct range){ 300, 400 }), 0);
	for (size_t i = 0; i < ARRAY_CNT(rows); i++) {
		struct range gone = { 0, 0 };

		ck_assert_msg(ranges_remove_last(&t, rows[i].n, &gone) == rows[i].found, "row %zu", i);
		ck_assert_msg(gone.base == rows[i].gone.base && gone.limit == rows[i].gone.limit, "row %zu", i);
		ck_assert_uint_eq(ranges_cnt(&t), rows[i].left);
		ck_assert(ranges_is_sound(&t));
	}
	ranges_done(&t);
}
END_TEST

START_TEST(test_clone_is_independent)
{
	struct ranges a, b;
	uint64_t gen;

	fill_hundred(&a);
	ranges_init(&b, NULL);
	ck_assert_int_eq(ranges_add(&b, (struct range){ 1, 3 }), 0);
	gen = ranges_generation(&b);
	ck_assert_int_eq(ranges_clone_into(&a, &b), 0);
	ck_assert_uint_ne(ranges_generation(&b), gen);
	assert_ranges(&b, a.r, a.cnt, "clone");
	ranges_clear(&a);
	ck_assert_uint_eq(ranges_cnt(&a), 0);
	ck_assert_uint_eq(ranges_cnt(&b), 100);
	ck_assert_uint_eq(ranges_total(&b), 300);
	ck_assert_int_eq(ranges_clone_into(&a, &b), 0); /* onto a larger one, and an empty source */
	ck_assert_uint_eq(ranges_cnt(&b), 0);
	ck_assert_int_eq(ranges_clone_into(&b, &b), 0);
	ranges_done(&a);
	ranges_done(&b);
}
END_TEST

START_TEST(test_disjoint_adds_commute)
{
	uint64_t random = 42;
	struct ranges first;

	fill_hundred(&first);
	for (unsigned round = 0; round < 50; round++) {
		uint64_t order[100];
		struct ranges t;

		ranges_init(&t, NULL);
		for (size_t i = 0; i < 100; i++)
			order[i] = i;
		for (size_t i = 99; i; i--) {
			size_t k = next_random(&random) % (i + 1);
			uint64_t o = order[i];

			order[i] = order[k];
			order[k] = o;
		}
		for (size_t i = 0; i < 100; i++)
			ck_assert_int_eq(ranges_add(&t, (struct range){ 5 + 5 * order[i], 8 + 5 * order[i] }), 0);
		assert_ranges(&t, first.r, first.cnt, "shuffled");
		ranges_done(&t);
	}
	ranges_done(&first);
}
END_TEST

/* --- memory --- */

struct mem_probe {
	size_t held;     /* bytes */
	unsigned calls;
	unsigned fail_at; /* the k-th call, from 1; 0: none */
	unsigned wrong;  /* old sizes that are not what was given out */
};

static void *probe_resize(void *ctx, void *old, size_t old_sz, size_t new_sz)
{
	struct mem_probe *m = ctx;

	m->wrong += !old != !old_sz;
	if (!new_sz) {
		m->held -= old_sz;
		free(old);
		return NULL;
	}
	if (++m->calls == m->fail_at)
		return NULL;
	m->held += new_sz - old_sz;
	return realloc(old, new_sz);
}

/* R21: old arrays go back; nothing is held at the end. */
START_TEST(test_no_leak)
{
	struct mem_probe m = { 0 };
	struct ranges t;

	ranges_init(&t, &(struct ranges_mem){ probe_resize, &m });
	for (uint64_t i = 0; i < 1000; i++)
		ck_assert_int_eq(ranges_add(&t, (struct range){ 2 * i, 2 * i + 1 }), 0);
	ck_assert_uint_eq(m.calls, 7); /* 16, 32, ... 1024 */
	ck_assert_uint_eq(m.held, 1024 * sizeof(struct range));
	ranges_done(&t);
	ck_assert_uint_eq(m.held, 0);
	ck_assert_uint_eq(m.wrong, 0);
	ck_assert_uint_eq(ranges_cnt(&t), 0);
}
END_TEST

/* Fills to SIZE lone ranges with the k-th allocation failing, and tries every operation that may need memory. */
static void fail_at_full(size_t size, int operation)
{
	struct mem_probe m = { 0 };
	struct range want[64], at_end = { 10 * size + 1000, 10 * size + 1001 };
	struct ranges t, big;
	uint64_t gen;
	int r;

	ranges_init(&t, &(struct ranges_mem){ probe_resize, &m });
	for (size_t i = 0; i < size; i++) {
		want[i] = (struct range){ 10 * i, 10 * i + 5 };
		ck_assert_int_eq(ranges_add(&t, want[i]), 0);
	}
	fill_hundred(&big);
	gen = ranges_generation(&t);
	m.fail_at = m.calls + 1;
	switch (operation) {
	case 0:
		r = ranges_add(&t, at_end);
		break;
	case 1:
		r = ranges_add_merge(&t, at_end, NULL);
		break;
	case 2:
		r = ranges_remove(&t, (struct range){ 11, 12 }, NULL);
		break;
	case 3:
		r = ranges_clone_into(&big, &t);
		break;
	default:
		r = ranges_reserve(&t, 1);
		break;
	}
	ck_assert_int_eq(r, -ENOMEM);
	ck_assert_uint_eq(ranges_generation(&t), gen);
	assert_ranges(&t, want, size, "after a failure");
	ck_assert_int_eq(ranges_add(&t, at_end), 0); /* goes on once there is memory */
	ranges_done(&t);
	ranges_done(&big);
	ck_assert_uint_eq(m.held, 0);
}

START_TEST(test_failed_allocation_changes_nothing)
{
	for (int operation = 0; operation < 5; operation++) {
		fail_at_full(16, operation);
		fail_at_full(32, operation);
	}
}
END_TEST

START_TEST(test_reserve_overflow)
{
	struct ranges t;

	ranges_init(&t, NULL);
	ck_assert_int_eq(ranges_add(&t, (struct range){ 1, 2 }), 0);
	ck_assert_int_eq(ranges_reserve(&t, SIZE_MAX), -ENOMEM);
	ck_assert_int_eq(ranges_reserve(&t, SIZE_MAX - 1), -ENOMEM);
	ck_assert_int_eq(ranges_reserve(&t, SIZE_MAX / 16), -ENOMEM);
	ck_assert_uint_eq(t.cap, 16);
	ranges_done(&t);
}
END_TEST

/* --- the model: one bit per unit --- */

enum { UNITS = 4096, WORDS = UNITS / 64, MODEL_OPS = 60000 };

enum model_kind { DO_ADD, DO_MERGE, DO_REMOVE, DO_LAST, DO_GE, DO_LOOK, DO_CLONE, DO_INVERSE, DO_KIND_CNT };

struct model_op {
	enum model_kind kind;
	unsigned first, end; /* units, first < end <= UNITS */
};

struct model {
	uint64_t bits[WORDS];
};

static bool bit_get(const struct model *m, unsigned u)
{
	return m->bits[u / 64] >> (u % 64) & 1;
}

/* Sets [first, end) to ON; returns how many changed. */
static unsigned bits_set(struct model *m, unsigned first, unsigned end, bool on)
{
	unsigned changed = 0;

	for (unsigned u = first; u < end; u++) {
		changed += bit_get(m, u) != on;
		m->bits[u / 64] = (m->bits[u / 64] & ~((uint64_t)1 << (u % 64))) | (uint64_t)on << (u % 64);
	}
	return changed;
}

/* The first unit from U on that is ON; UNITS where there is none. */
static unsigned bit_next(const struct model *m, unsigned u, bool on)
{
	while (u < UNITS) {
		uint64_t word = (on ? m->bits[u / 64] : ~m->bits[u / 64]) >> (u % 64);

		if (word)
			return u + (unsigned)__builtin_ctzll(word);
		u = (u / 64 + 1) * 64;
	}
	return UNITS;
}

static const char *model_same(const struct model *m, const struct ranges *t, uint64_t base)
{
	unsigned u = bit_next(m, 0, true);
	uint64_t ones = 0;
	size_t i;

	for (unsigned w = 0; w < WORDS; w++)
		ones += (uint64_t)__builtin_popcountll(m->bits[w]);
	if (ones != ranges_total(t))
		return "total is not the number of ones";
	if (!ranges_is_sound(t))
		return "not sound";
	for (i = 0; i < ranges_cnt(t) && u < UNITS; i++) {
		unsigned end = bit_next(m, u, false);

		if (ranges_get(t, i).base != base + u || ranges_get(t, i).limit != base + end)
			return "a range is not a run of ones";
		u = bit_next(m, end, true);
	}
	return u < UNITS || i < ranges_cnt(t) ? "not as many ranges as runs" : NULL;
}

static const char *model_look(const struct model *m, const struct ranges *t, uint64_t base, struct model_op op)
{
	struct range r = { base + op.first, base + op.end }, got;
	unsigned zero = bit_next(m, op.first, false), one = bit_next(m, op.first, true);
	unsigned gap_end, run_end;
	uint64_t member = 0;

	if (ranges_contains(t, r.base) != bit_get(m, op.first))
		return "contains";
	if (ranges_contains_range(t, r) != (zero >= op.end))
		return "contains_range";
	if (ranges_intersects(t, r) != (one < op.end))
		return "intersects";
	if (ranges_next_ge(t, r.base, &member) != (one < UNITS) || (one < UNITS && member != base + one))
		return "next_ge";
	gap_end = bit_next(m, zero, true);
	gap_end = gap_end < op.end ? gap_end : op.end;
	if (ranges_next_gap(t, r, &got) != (zero < op.end) ||
	    (zero < op.end && (got.base != base + zero || got.limit != base + gap_end)))
		return "next_gap";
	run_end = bit_next(m, one, false);
	run_end = run_end < op.end ? run_end : op.end;
	if (ranges_next_run(t, r, &got) != (one < op.end) ||
	    (one < op.end && (got.base != base + one || got.limit != base + run_end)))
		return "next_run";
	return NULL;
}

static const char *model_last(struct model *m, struct ranges *t, uint64_t base, struct model_op op)
{
	unsigned end = UNITS, first, n = op.end - op.first;
	struct range gone = { 0, 0 };
	bool found = ranges_remove_last(t, n, &gone);

	while (end && !bit_get(m, end - 1))
		end--;
	for (first = end; first && bit_get(m, first - 1) && end - first < n;)
		first--;
	bits_set(m, first, end, false);
	if (found != (end > 0) || (found && (gone.base != base + first || gone.limit != base + end)))
		return "remove_last";
	return NULL;
}

/* Adding what is not there and taking it out again is no change. */
static const char *model_inverse(const struct model *m, struct ranges *t, uint64_t base, struct model_op op)
{
	struct range r = { base + op.first, base + op.end };

	if (bit_next(m, op.first, true) < op.end)
		return NULL;
	return ranges_add(t, r) || ranges_remove(t, r, NULL) ? "inverse" : NULL;
}

static const char *model_clone(const struct model *m, const struct ranges *t, uint64_t base)
{
	struct ranges copy;
	const char *bad = NULL;

	ranges_init(&copy, NULL);
	if (ranges_clone_into(t, &copy) || model_same(m, &copy, base))
		bad = "clone";
	ranges_clear(&copy);
	ranges_done(&copy);
	return bad;
}

static const char *model_step(struct model *m, struct ranges *t, uint64_t base, struct model_op op)
{
	struct range r = { base + op.first, base + op.end };
	bool overlaps = bit_next(m, op.first, true) < op.end;
	uint64_t bytes = 0, gen = ranges_generation(t);
	unsigned changed = 0;

	switch (op.kind) {
	case DO_ADD:
		if (ranges_add(t, r) != (overlaps ? -EEXIST : 0))
			return "add";
		changed = overlaps ? 0 : bits_set(m, op.first, op.end, true);
		break;
	case DO_MERGE:
		changed = bits_set(m, op.first, op.end, true);
		if (ranges_add_merge(t, r, &bytes) || bytes != changed)
			return "add_merge";
		break;
	case DO_REMOVE:
		changed = bits_set(m, op.first, op.end, false);
		if (ranges_remove(t, r, &bytes) || bytes != changed)
			return "remove";
		break;
	case DO_GE:
		changed = bits_set(m, op.first, UNITS, false);
		if (ranges_remove_ge(t, r.base) != changed)
			return "remove_ge";
		break;
	case DO_LAST:
		return model_last(m, t, base, op);
	case DO_LOOK:
		return model_look(m, t, base, op);
	case DO_CLONE:
		return model_clone(m, t, base);
	default:
		return model_inverse(m, t, base, op);
	}
	return (ranges_generation(t) != gen) == (changed != 0) ? NULL : "generation";
}

/* The index of the operation after which set and model differ; CNT where none does. */
static size_t model_run(const struct model_op *ops, size_t cnt, uint64_t base, const char **ret_what)
{
	struct model m = { 0 };
	struct ranges t;
	size_t i;

	ranges_init(&t, NULL);
	for (i = 0; i < cnt; i++) {
		*ret_what = model_step(&m, &t, base, ops[i]);
		if (!*ret_what)
			*ret_what = model_same(&m, &t, base);
		if (*ret_what)
			break;
	}
	ranges_done(&t);
	return i;
}

/* Leaves out whatever is not needed for a failure; returns how many operations are left. */
static size_t model_shrink(struct model_op *ops, size_t cnt, uint64_t base)
{
	struct model_op *fewer = calloc(cnt, sizeof(*fewer));
	const char *what;

	for (size_t piece = cnt / 2; fewer && piece; piece /= 2) {
		for (size_t from = 0; from + piece <= cnt;) {
			size_t left = cnt - piece, fails;

			memcpy(fewer, ops, from * sizeof(*ops));
			memcpy(fewer + from, ops + from + piece, (left - from) * sizeof(*ops));
			fails = model_run(fewer, left, base, &what);
			if (fails < left) {
				memcpy(ops, fewer, left * sizeof(*ops));
				cnt = fails + 1;
			} else {
				from += piece;
			}
		}
	}
	free(fewer);
	return cnt;
}

static struct model_op model_random_op(uint64_t *random)
{
	uint64_t a = next_random(random), b = next_random(random);
	unsigned first = (unsigned)(a % UNITS), len = 1 + (unsigned)(b >> 32) % (b & 15 ? 40 : UNITS);
	struct model_op op = { .first = first, .end = len < UNITS - first ? first + len : UNITS };

	/* Rarely what empties the set, or few ranges are ever seen. */
	op.kind = (enum model_kind)(a >> 32) % DO_KIND_CNT;
	if ((op.kind == DO_GE || op.kind == DO_LAST) && (b >> 8 & 63))
		op.kind = DO_MERGE;
	if (op.kind == DO_MERGE && b >> 16 & 1)
		op.kind = DO_REMOVE;
	if (op.kind == DO_CLONE && (b >> 8 & 15))
		op.kind = DO_LOOK;
	return op;
}

static const uint64_t model_bases[] = {
	0,
	((uint64_t)1 << 63) - ((uint64_t)1 << 20),
	(uint64_t)0 - ((uint64_t)1 << 20),
	UINT64_MAX - UNITS,
};

START_TEST(test_model)
{
	uint64_t base = model_bases[_i], random = 1000 + (uint64_t)_i;
	struct model_op *ops = calloc(MODEL_OPS, sizeof(*ops));
	const char *what = NULL;
	char text[1024] = "";
	size_t cnt;

	ck_assert_ptr_nonnull(ops);
	for (size_t i = 0; i < MODEL_OPS; i++)
		ops[i] = model_random_op(&random);
	cnt = model_run(ops, MODEL_OPS, base, &what);
	if (cnt < MODEL_OPS) {
		cnt = model_shrink(ops, cnt + 1, base);
		for (size_t i = 0, at = 0; i < cnt && at < sizeof(text) - 32; i++)
			at += (size_t)snprintf(text + at, sizeof(text) - at, " %d:%u-%u", (int)ops[i].kind,
					       ops[i].first, ops[i].end);
		model_run(ops, cnt, base, &what);
		ck_abort_msg("base %#llx: %s, after%s", (unsigned long long)base, what, text);
	}
	free(ops);
}
END_TEST

/* --- typed front ends --- */

_Static_assert(!__builtin_types_compatible_p(struct off_range, struct va_range), "kinds of numbers must not mix");
_Static_assert(!__builtin_types_compatible_p(struct off_ranges, struct va_ranges), "kinds of sets must not mix");
_Static_assert(!__builtin_types_compatible_p(struct off_ranges_shared, struct va_ranges_shared), "nor shared ones");

START_TEST(test_typed)
{
	struct off_range gap = { 0, 0 }, run = { 0, 0 }, gone = { 0, 0 };
	struct off_ranges t, copy;
	uint64_t n = 0;

	off_ranges_init(&t, NULL);
	off_ranges_init(&copy, NULL);
	ck_assert_int_eq(off_ranges_reserve(&t, 4), 0);
	ck_assert_int_eq(off_ranges_add(&t, (struct off_range){ 10, 20 }), 0);
	ck_assert_int_eq(off_ranges_add_merge(&t, (struct off_range){ 15, 30 }, &n), 0);
	ck_assert_uint_eq(n, 10);
	ck_assert_int_eq(off_ranges_remove(&t, (struct off_range){ 12, 14 }, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert(off_ranges_next_gap(&t, (struct off_range){ 10, 40 }, &gap) && gap.base == 12 && gap.limit == 14);
	ck_assert(off_ranges_next_run(&t, (struct off_range){ 13, 40 }, &run) && run.base == 14 && run.limit == 30);
	ck_assert(off_ranges_contains(&t, 11) && !off_ranges_contains(&t, 12));
	ck_assert(off_ranges_contains_range(&t, (struct off_range){ 14, 30 }));
	ck_assert(off_ranges_intersects(&t, (struct off_range){ 0, 11 }));
	ck_assert_uint_eq(off_ranges_find_succ(&t, 10), 1);
	ck_assert(off_ranges_next_ge(&t, 12, &n) && n == 14);
	ck_assert_int_eq(off_ranges_clone_into(&t, &copy), 0);
	ck_assert(off_ranges_remove_last(&t, 1, &gone) && gone.base == 29);
	ck_assert_uint_eq(off_ranges_remove_ge(&t, 14), 15);
	ck_assert_uint_eq(off_ranges_cnt(&t), 1);
	ck_assert_uint_eq(off_ranges_total(&t), 2);
	ck_assert_uint_eq(off_ranges_get(&copy, 1).limit, 30);
	off_ranges_clear(&t);
	ck_assert_uint_eq(off_ranges_total(&t), 0);
	off_ranges_done(&t);
	off_ranges_done(&copy);
}
END_TEST

/* --- the shared form --- */

/* A set that reads and writes through threads: [0, 100) always there, [1000, 2000) there or not, but never in part, and
 * single numbers from 5000 on that make the arrays grow and move. */
struct shared_test {
	struct ranges_shared s;
	atomic_bool stop;
	atomic_uint wrong;
	_Atomic uint64_t looks;
};

static bool shared_looks_right(struct shared_test *t)
{
	const struct range pair = { 1000, 2000 };
	struct range gap;

	if (!ranges_shared_contains(&t->s, 50) || ranges_shared_contains(&t->s, 500) ||
	    !ranges_shared_contains_range(&t->s, (struct range){ 0, 100 }))
		return false;
	return !ranges_shared_next_gap(&t->s, pair, &gap) || (gap.base == 1000 && gap.limit == 2000);
}

static void *shared_reader(void *ctx)
{
	struct shared_test *t = ctx;

	while (!atomic_load(&t->stop)) {
		if (!shared_looks_right(t))
			atomic_fetch_add(&t->wrong, 1);
		if (atomic_fetch_add(&t->looks, 1) % 16 == 0)
			sched_yield();
	}
	return NULL;
}

static unsigned shared_write(struct shared_test *t, unsigned rounds)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < rounds; i++) {
		uint64_t at = 5000 + 2 * (uint64_t)(i % 700), bytes = 0;

		wrong += ranges_shared_add_merge(&t->s, (struct range){ 1000, 2000 }, &bytes) || bytes != 1000;
		wrong += i / 700 % 2 ? ranges_shared_remove(&t->s, (struct range){ at, at + 1 }, NULL) :
				       ranges_shared_add(&t->s, (struct range){ at, at + 1 });
		wrong += ranges_shared_remove(&t->s, (struct range){ 1000, 2000 }, &bytes) || bytes != 1000;
		if (i % 64 == 0)
			sched_yield();
	}
	return wrong;
}

START_TEST(test_shared_readers_beside_a_writer)
{
	struct shared_test t = { .wrong = 0 };
	pthread_t readers[2];
	struct ranges copy;

	ck_assert_int_eq(ranges_shared_init(&t.s, NULL), 0);
	ck_assert_int_eq(ranges_shared_add(&t.s, (struct range){ 0, 100 }), 0);
	for (size_t i = 0; i < ARRAY_CNT(readers); i++)
		ck_assert_int_eq(pthread_create(&readers[i], NULL, shared_reader, &t), 0);
	ck_assert_uint_eq(shared_write(&t, 2100), 0);
	while (atomic_load(&t.looks) < 100)
		sched_yield();
	atomic_store(&t.stop, true);
	for (size_t i = 0; i < ARRAY_CNT(readers); i++)
		pthread_join(readers[i], NULL);
	ck_assert_uint_eq(t.wrong, 0);
	ck_assert_uint_eq(ranges_shared_total(&t.s), 100 + 700);
	ranges_init(&copy, NULL);
	ck_assert_int_eq(ranges_shared_clone_into(&t.s, &copy), 0);
	ck_assert_uint_eq(ranges_cnt(&copy), 701);
	assert_ranges(&t.s.side[0], t.s.side[1].r, t.s.side[1].cnt, "the two sides");
	ranges_done(&copy);
	ranges_shared_done(&t.s);
}
END_TEST

static void *shared_writer(void *ctx)
{
	struct shared_test *t = ctx;
	uint64_t base = 10000 + 10000 * (atomic_fetch_add(&t->looks, 1) + 1);

	for (uint64_t i = 0; i < 500; i++)
		if (ranges_shared_add(&t->s, (struct range){ base + 2 * i, base + 2 * i + 1 }))
			atomic_fetch_add(&t->wrong, 1);
	return NULL;
}

START_TEST(test_shared_writers_take_turns)
{
	struct shared_test t = { .wrong = 0 };
	pthread_t writers[3];

	ck_assert_int_eq(ranges_shared_init(&t.s, NULL), 0);
	for (size_t i = 0; i < ARRAY_CNT(writers); i++)
		ck_assert_int_eq(pthread_create(&writers[i], NULL, shared_writer, &t), 0);
	for (size_t i = 0; i < ARRAY_CNT(writers); i++)
		pthread_join(writers[i], NULL);
	ck_assert_uint_eq(t.wrong, 0);
	ck_assert_uint_eq(ranges_shared_total(&t.s), 1500);
	ck_assert_uint_eq(ranges_shared_generation(&t.s), 1500);
	assert_ranges(&t.s.side[0], t.s.side[1].r, t.s.side[1].cnt, "the two sides");
	ranges_shared_done(&t.s);
}
END_TEST

static void *one_change(void *ctx)
{
	struct shared_test *t = ctx;

	ranges_shared_add(&t->s, (struct range){ 500, 600 });
	atomic_store(&t->stop, true);
	return NULL;
}

/* A reader that sleeps inside, having come in at either turn, keeps its side from being written; others go on. */
START_TEST(test_shared_writer_waits_for_a_sleeping_reader)
{
	const struct timespec a_while = { 0, 100 * 1000 * 1000 };
	struct shared_test t = { .wrong = 0 };
	unsigned shown = 0, turn = (unsigned)_i;
	pthread_t writer;

	ck_assert_int_eq(ranges_shared_init(&t.s, NULL), 0);
	ck_assert_int_eq(ranges_shared_add(&t.s, (struct range){ 0, 100 }), 0);
	atomic_fetch_add(&t.s.readers[turn], 1);
	shown = atomic_load(&t.s.shown);
	ck_assert_int_eq(pthread_create(&writer, NULL, one_change, &t), 0);
	nanosleep(&a_while, NULL);
	ck_assert(!atomic_load(&t.stop));
	ck_assert_uint_eq(t.s.side[shown].cnt, 1);
	ck_assert(ranges_shared_contains(&t.s, 50));
	atomic_fetch_sub(&t.s.readers[turn], 1);
	pthread_join(writer, NULL);
	ck_assert_uint_eq(t.s.side[shown].cnt, 2);
	ranges_shared_done(&t.s);
}
END_TEST

static struct shared_test *handler_test;

static void on_timer(int sig)
{
	(void)sig;
	if (!shared_looks_right(handler_test))
		atomic_fetch_add(&handler_test->wrong, 1);
	atomic_fetch_add(&handler_test->looks, 1);
}

/* B11: a handler that interrupts the writer itself, anywhere, gets an answer and a right one. */
START_TEST(test_shared_asked_from_a_signal_handler)
{
	static struct shared_test t;
	struct sigaction on_alarm = { .sa_handler = on_timer, .sa_flags = SA_RESTART };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec often = { { 0, 20000 }, { 0, 20000 } }, never = { { 0, 0 }, { 0, 0 } };
	time_t until = time(NULL) + 3;
	unsigned wrong = 0;
	timer_t timer;

	ck_assert_int_eq(ranges_shared_init(&t.s, NULL), 0);
	ck_assert_int_eq(ranges_shared_add(&t.s, (struct range){ 0, 100 }), 0);
	handler_test = &t;
	ck_assert_int_eq(sigaction(SIGUSR1, &on_alarm, NULL), 0);
	ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	ck_assert_int_eq(timer_settime(timer, 0, &often, NULL), 0);
	for (unsigned i = 0; !i || (atomic_load(&t.looks) < 300 && time(NULL) < until); i++)
		wrong += shared_write(&t, 1400);
	timer_settime(timer, 0, &never, NULL);
	timer_delete(timer);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(t.wrong, 0);
	ck_assert_uint_gt(t.looks, 0);
	ranges_shared_done(&t.s);
}
END_TEST

/* Every allocation of either side failing in turn: the set is unchanged, on both sides, and good for more. */
START_TEST(test_shared_failed_allocation_changes_nothing)
{
	for (unsigned k = 1; k <= 6; k++) {
		struct mem_probe m = { .fail_at = k };
		struct ranges_shared s;
		unsigned failed = 0;

		ck_assert_int_eq(ranges_shared_init(&s, &(struct ranges_mem){ probe_resize, &m }), 0);
		for (uint64_t i = 0; i < 40; i++) {
			struct range r = { 10 * i, 10 * i + 1 };
			uint64_t gen = ranges_shared_generation(&s), total = ranges_shared_total(&s);

			if (!ranges_shared_add(&s, r))
				continue;
			failed++;
			ck_assert_uint_eq(ranges_shared_total(&s), total);
			ck_assert_uint_eq(ranges_shared_generation(&s), gen);
			assert_ranges(&s.side[0], s.side[1].r, s.side[1].cnt, "after a failure");
			ck_assert_int_eq(ranges_shared_add(&s, r), 0);
		}
		ck_assert_uint_eq(failed, 1);
		ck_assert_int_eq(ranges_shared_add(&s, (struct range){ 0, 5 }), -EEXIST);
		ck_assert_uint_eq(ranges_shared_total(&s), 40);
		assert_ranges(&s.side[0], s.side[1].r, s.side[1].cnt, "the two sides");
		ranges_shared_done(&s);
		ck_assert_uint_eq(m.held, 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ranges");
	TCase *tc = tcase_create("ranges");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, TIMEOUT_SEC);
	tcase_add_loop_test(tc, test_chunks_in_every_order, 0, (int)ARRAY_CNT(chunk_rows));
	tcase_add_test(tc, test_many_discontiguous);
	tcase_add_loop_test(tc, test_d14_growing_keeps_every_range, 0, (int)ARRAY_CNT(grow_rows));
	tcase_add_test(tc, test_add_sequence);
	tcase_add_loop_test(tc, test_find_succ, 0, (int)ARRAY_CNT(succ_rows));
	tcase_add_test(tc, test_find_succ_in_hundred);
	tcase_add_test(tc, test_find_succ_cost);
	tcase_add_test(tc, test_d15_empty_tracker);
	tcase_add_test(tc, test_next_ge);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_remove_splits);
	tcase_add_test(tc, test_remove_last);
	tcase_add_test(tc, test_clone_is_independent);
	tcase_add_test(tc, test_disjoint_adds_commute);
	tcase_add_test(tc, test_no_leak);
	tcase_add_test(tc, test_failed_allocation_changes_nothing);
	tcase_add_test(tc, test_reserve_overflow);
	tcase_add_loop_test(tc, test_model, 0, (int)ARRAY_CNT(model_bases));
	tcase_add_test(tc, test_typed);
	tcase_add_test(tc, test_shared_readers_beside_a_writer);
	tcase_add_test(tc, test_shared_writers_take_turns);
	tcase_add_loop_test(tc, test_shared_writer_waits_for_a_sleeping_reader, 0, 2);
	tcase_add_test(tc, test_shared_asked_from_a_signal_handler);
	tcase_add_test(tc, test_shared_failed_allocation_changes_nothing);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
