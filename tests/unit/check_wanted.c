/* check_wanted.c - fs/cache_wanted against a model of the kernel's read-around (mm/filemap.c, mm/readahead.c): do versions of a
 * program that start alike come to be given what they touch, and little more?
 */
#include <stdlib.h>

#include "cache_priv.h"
#include "must.h"

#define PAGES	 4096u
#define WINDOW	 (READAHEAD_SZ / PAGE_SZ)
#define CODE	 1000u /* from here on, up to */
#define CODE_END 3000u
#define WORDS	 (PAGES / 64 + 1)

/* One open file of one start. */
struct kernel {
	bool code_begins; /* Linux 6.17 and later */
	bool cached[PAGES + 2 * WINDOW], marked[PAGES + 2 * WINDOW];
	uint32_t start, size, async; /* struct file_ra_state */
	struct start_reads reads;
};

static void read_window(struct kernel *k, uint32_t first, uint32_t cnt, uint32_t mark)
{
	struct start_reads *r = &k->reads;
	bool goes_on = false;

	for (uint32_t i = first; i < first + cnt && i < PAGES; i++) {
		if (!k->cached[i] && goes_on)
			r->range[r->cnt - 1].end++;
		else if (!k->cached[i])
			r->range[r->cnt++] = (struct page_range){ i, i + 1 };
		goes_on = !k->cached[i];
		k->cached[i] = true;
	}
	if (mark < cnt)
		k->marked[first + mark] = true;
}

static void touch(struct kernel *k, uint32_t page)
{
	if (!k->cached[page]) {
		bool begins = k->code_begins && page >= CODE && page < CODE_END;
		k->start = begins ? page : page > WINDOW / 2 ? page - WINDOW / 2 : 0;
		k->size = WINDOW;
		k->async = begins ? 0 : WINDOW / 4;
		read_window(k, k->start, k->size, k->size - k->async);
	} else if (k->marked[page]) {
		uint32_t hole = page + 1;
		k->marked[page] = false;
		while (k->cached[hole] && hole - page <= WINDOW)
			hole++;
		if (page != k->start + k->size - k->async && hole - page > WINDOW)
			return;
		k->start = page == k->start + k->size - k->async ? k->start + k->size : hole;
		k->size = k->async = WINDOW;
		read_window(k, k->start, k->size, 0);
	}
}

struct program {
	uint32_t order[PAGES], cnt;
	bool is_touched[PAGES];
};

static void program_touch(struct program *p, uint32_t page)
{
	if (!p->is_touched[page])
		p->order[p->cnt++] = page;
	p->is_touched[page] = true;
}

/* A table read from end to end, code and data here and there: where one page is touched the next one often is. */
static void program_make(struct program *p, unsigned seed)
{
	srand(seed);
	*p = (struct program){ 0 };
	for (uint32_t i = 0; i < 400; i++)
		program_touch(p, i);
	for (unsigned i = 0; i < 250; i++) {
		uint32_t page = CODE + (uint32_t)rand() % (PAGES - CODE - 4);
		for (unsigned k = 0; k < 1 + (unsigned)rand() % 3; k++)
			program_touch(p, page + k);
	}
}

/* A start of P, of which the kernel was GIVEN pages. The reads are in K. */
static void start(struct kernel *k, const struct program *p, bool code_begins, const uint64_t *given)
{
	static struct page_range range[2 * PAGES];

	*k = (struct kernel){ .code_begins = code_begins, .reads.range = range };
	for (uint32_t i = 0; i < PAGES; i++)
		k->cached[i] = page_is(given, i);
	for (uint32_t i = 0; i < p->cnt; i++)
		touch(k, p->order[i]);
}

/* What the next version is given: that, and what this start's reads tell. */
static uint32_t learn(const struct kernel *k, uint64_t *given, enum read_around *rule)
{
	static uint32_t page[PAGES];
	uint64_t has[WORDS] = { 0 };
	struct pages pages = { .page = page, .room = PAGES, .page_cnt = PAGES, .has = has };

	must_be(wanted_pages(&k->reads, &(struct page_range){CODE, CODE_END}, given, rule, &pages), 0);
	for (uint32_t i = 0; i < pages.cnt; i++) {
		must(page_is(has, page[i]));
		given[page[i] / 64] |= UINT64_C(1) << page[i] % 64;
	}
	return pages.cnt;
}

static uint32_t count(const uint64_t *bits)
{
	uint32_t cnt = 0;

	for (uint32_t i = 0; i < PAGES; i++)
		cnt += page_is(bits, i);
	return cnt;
}

START_TEST(test_starts_come_to_be_given_what_they_touch)
{
	bool code_begins = _i % 2;
	enum read_around rule = AROUND_UNKNOWN;
	uint64_t given[WORDS] = { 0 };
	struct program p;
	struct kernel k;
	uint32_t first = 0;

	program_make(&p, (unsigned)_i);
	for (unsigned version = 0; version < 12; version++) {
		start(&k, &p, code_begins, given);
		if (!version)
			for (uint32_t i = 0; i < k.reads.cnt; i++)
				first += k.reads.range[i].end - k.reads.range[i].first;
		learn(&k, given, &rule);
	}
	must_be(rule, code_begins ? AROUND_BEGINS : AROUND_CENTRES);
	must(k.reads.cnt <= 3); /* all is known */
	must(count(given) < p.cnt + (first - p.cnt) / 3);
}
END_TEST

/* Where nothing tells where in its window the kernel's fault lies, all of the window is wanted: but for data, where it is
 * known. */
START_TEST(test_code_is_wanted_whole_until_the_kernel_is_known)
{
	enum read_around rule = AROUND_UNKNOWN;
	uint64_t given[WORDS] = { 0 };
	struct program p = { 0 };
	struct kernel k;

	program_touch(&p, CODE + 100);
	program_touch(&p, CODE_END + 100);
	start(&k, &p, true, given);
	must_be(learn(&k, given, &rule), WINDOW + 1);
	must_be(rule, AROUND_UNKNOWN);
	for (uint32_t i = 0; i < WINDOW; i++)
		must(page_is(given, CODE + 100 + i));
	must(page_is(given, CODE_END + 100));
}
END_TEST

/* A window may come in fragments: between them lies what the kernel had. */
START_TEST(test_fragments_are_one_window)
{
	enum read_around rule = AROUND_CENTRES;
	uint64_t given[WORDS] = { 0 };
	struct page_range range[] = {{100, 102}, {103, 104}, {105, 108}};
	struct kernel k = { .reads = { .range = range, .cnt = 3 } };

	given[102 / 64] |= UINT64_C(1) << 102 % 64;
	given[104 / 64] |= UINT64_C(1) << 104 % 64;
	/* Eight pages, so the fault was at 104: but that one is there. Nothing fits. */
	must_be(learn(&k, given, &rule), 6);
	memset(given, 0, sizeof(given));
	given[102 / 64] |= UINT64_C(1) << 102 % 64;
	range[1].end = 108;
	k.reads.cnt = 2;
	must_be(learn(&k, given, &rule), 1);
	must(page_is(given, 104));
}
END_TEST

/* Reads of a file that was longer, or that fit no rule, are no trouble. */
START_TEST(test_any_reads)
{
	for (unsigned seed = 0; seed < 200; seed++) {
		struct page_range range[40];
		struct kernel k = { .reads = { .range = range } };
		enum read_around rule = seed % 3;
		uint64_t given[WORDS] = { 0 };
		srand(seed);
		for (unsigned i = 0; i < 40; i++) {
			uint32_t first = (uint32_t)rand() % (PAGES + 20);
			if (i && rand() % 2)
				first = range[i - 1].end + (uint32_t)rand() % 3;
			range[k.reads.cnt++] = (struct page_range){ first, first + 1 + (uint32_t)rand() % 12 };
			given[(uint32_t)rand() % WORDS] |= UINT64_C(1) << rand() % 64;
		}
		given[WORDS - 1] = 0;
		learn(&k, given, &rule);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wanted");
	TCase *tc = tcase_create("wanted");

	tcase_add_loop_test(tc, test_starts_come_to_be_given_what_they_touch, 0, 20);
	tcase_add_test(tc, test_code_is_wanted_whole_until_the_kernel_is_known);
	tcase_add_test(tc, test_fragments_are_one_window);
	tcase_add_test(tc, test_any_reads);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
