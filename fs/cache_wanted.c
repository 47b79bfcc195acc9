/* cache_wanted.c - of the pages that a program's reads brought, which did it want? (cache_start.c)
 *
 * A fault in a file that is mapped reads around it: of some eight pages one is known to be wanted, if one knows which. The
 * kernel leaves out what its cache has, so a window may come in fragments, one after the other. Where the fault lies in its
 * window (mm/filemap.c, do_sync_mmap_readahead):
 *
 *     data    window / 2 from its begin
 *     code    the same; since Linux 6.17 at its begin (VM_EXEC)
 *
 * Which of the two, the windows tell that something cut short: what the cache has before them, or behind. Until enough of
 * them told, all pages of code count as wanted. A window that begins where one ended is the kernel's own guess (it reads
 * ahead of a fault on a page that it marked): one alone says nothing, two in a row that the program goes through all of it.
 * What fits no rule was wanted whole.
 *
 * Wrong guesses cost time only. What was wanted and is not known is asked for at the next start, and known then: for cc1
 * (-version), of 10,300 pages that are read at first, 7,500 are given from the fifth start on; 7,200 are touched.
 */
#include <stdlib.h>

#include "cache_priv.h"

#define WINDOW		  (READAHEAD_SZ / PAGE_SZ)
#define CHAINS		  8 /* streams of reads told apart */
#define DENSE		  2 /* guesses of the kernel in a row */
#define EVIDENCE_MIN	  4 /* windows before they are believed, */
#define EVIDENCE_MAJORITY 4 /* and so many for each that says otherwise */

/* One window: fragments [lo, hi) of which the pages in ABSENT, by their place from LO on, were read. */
struct window {
	uint32_t lo, hi;
	uint64_t absent;
	bool is_large; /* no window: all of it */
};

struct chain {
	uint32_t first, end;
	unsigned guesses;
};

struct learning {
	const struct page_range *read;
	uint32_t cnt;
	uint32_t page_cnt; /* of the file it is for: what lies behind is wanted by nobody */
	struct page_range code;
	enum read_around rule;
	const uint64_t *given;
	uint64_t *present; /* what the kernel's cache has by now */
	struct pages *ret;
	struct chain chain[CHAINS];
	unsigned chain_next;
	unsigned begins, centres; /* windows that say so */
};

static void set_all(uint64_t *bits, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++)
		bits[i / 64] |= UINT64_C(1) << i % 64;
}

bool page_is(const uint64_t *bits, uint32_t page)
{
	return bits[page / 64] >> page % 64 & 1;
}

void pages_add(struct pages *p, uint32_t page)
{
	if (p->cnt == p->room || page >= p->page_cnt || page_is(p->has, page))
		return;
	set_all(p->has, page, page + 1);
	p->page[p->cnt++] = page;
}

static bool is_absent(const struct window *w, uint32_t page)
{
	return page >= w->lo && page < w->hi && w->absent >> (page - w->lo) & 1;
}

/* The next window, of the reads from *IDX on. */
static struct window next_window(const struct learning *l, uint32_t *idx)
{
	const struct page_range *r = &l->read[(*idx)++];
	struct window w = { .lo = r->first, .hi = r->end };

	w.is_large = r->end - r->first > WINDOW;
	if (w.is_large)
		return w;
	w.absent = (UINT64_C(1) << (r->end - r->first)) - 1;
	for (; *idx < l->cnt; ++*idx) {
		const struct page_range *next = &l->read[*idx];
		uint32_t gap = w.hi;
		if (next->first <= w.hi || next->end > l->page_cnt || next->end - w.lo > WINDOW)
			break;
		while (gap < next->first && page_is(l->present, gap))
			gap++;
		if (gap < next->first)
			break;
		for (uint32_t i = next->first; i < next->end; i++)
			w.absent |= UINT64_C(1) << (i - w.lo);
		w.hi = next->end;
	}
	return w;
}

/* Can W be what a window from START on lacked? */
static bool is_all_of(const struct learning *l, const struct window *w, uint32_t start)
{
	for (uint32_t i = start; i < start + WINDOW && i < l->page_cnt; i++)
		if (!is_absent(w, i) && !page_is(l->present, i))
			return false;
	return start <= w->lo && start + WINDOW >= w->hi;
}

/* The pages in whose middle W can be, as its ABSENT. */
static uint64_t centres_of(const struct learning *l, const struct window *w)
{
	uint64_t pages = 0;

	for (uint32_t s = w->hi > WINDOW ? w->hi - WINDOW : 0; s <= w->lo; s++)
		if (is_absent(w, s + WINDOW / 2) && is_all_of(l, w, s))
			pages |= UINT64_C(1) << (s + WINDOW / 2 - w->lo);
	for (uint32_t i = 0; !w->lo && i < WINDOW / 2; i++) /* it does not begin before the file */
		pages |= w->absent & UINT64_C(1) << i;
	return pages;
}

static bool is_code(const struct learning *l, const struct window *w)
{
	return w->lo >= l->code.first && w->lo < l->code.end;
}

/* The chain that W goes on with, or a new one. */
static struct chain *chain_of(struct learning *l, const struct window *w)
{
	for (unsigned i = 0; i < CHAINS; i++) {
		struct chain *c = &l->chain[i];
		if (c->end && c->end == w->lo) {
			c->end = w->hi;
			c->guesses++;
			return c;
		}
	}
	struct chain *c = &l->chain[l->chain_next++ % CHAINS];
	*c = (struct chain){ .first = w->lo, .end = w->hi };
	return c;
}

/* Which rule does W tell of? */
static void weigh(struct learning *l, const struct window *w)
{
	if (chain_of(l, w)->guesses || !is_code(l, w) || w->is_large)
		return;
	bool begins = is_all_of(l, w, w->lo), centres = centres_of(l, w);
	l->begins += begins && !centres;
	l->centres += centres && !begins;
}

static void want_all(struct learning *l, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++)
		pages_add(l->ret, i);
}

static bool is_wanted(const struct learning *l, uint32_t page)
{
	return page < l->page_cnt && (page_is(l->given, page) || page_is(l->ret->has, page));
}

/* PAGE faulted. Who wanted the one before goes on, it seems. */
static void want(struct learning *l, uint32_t page)
{
	pages_add(l->ret, page);
	if (page && is_wanted(l, page - 1))
		pages_add(l->ret, page + 1);
}

static void learn(struct learning *l, const struct window *w)
{
	bool begins = is_code(l, w) && l->rule == AROUND_BEGINS;
	const struct chain *c = begins ? NULL : chain_of(l, w);
	uint64_t pages = begins ? is_all_of(l, w, w->lo) : centres_of(l, w);

	if (w->is_large || (is_code(l, w) && l->rule == AROUND_UNKNOWN)) {
		want_all(l, w->lo, w->hi);
	} else if (c && c->guesses >= DENSE) {
		want_all(l, c->guesses == DENSE ? c->first : w->lo, w->hi);
	} else if (!c || !c->guesses) {
		for (uint32_t i = 0; i < WINDOW; i++) {
			if (pages >> i & 1)
				want(l, w->lo + i);
			else if (!pages && w->absent >> i & 1)
				pages_add(l->ret, w->lo + i);
		}
	}
}

static void walk(struct learning *l, void (*each)(struct learning *l, const struct window *w))
{
	uint32_t idx = 0;

	memcpy(l->present, l->given, (l->page_cnt / 64 + 1) * sizeof(*l->present));
	memset(l->chain, 0, sizeof(l->chain));
	while (idx < l->cnt) {
		if (l->read[idx].end > l->page_cnt) {
			idx++;
			continue;
		}
		struct window w = next_window(l, &idx);
		each(l, &w);
		set_all(l->present, w.lo, w.hi);
	}
}

int wanted_pages(const struct start_reads *reads, const struct page_range *code, const uint64_t *given,
		 enum read_around *rule, struct pages *ret)
{
	CLEAN_MEM uint64_t *present = malloc((ret->page_cnt / 64 + 1) * sizeof(*present));
	struct learning l = { .read = reads->range, .cnt = reads->cnt, .page_cnt = ret->page_cnt, .code = *code,
			      .given = given, .present = present, .ret = ret };

	if (!present)
		return -ENOMEM;
	walk(&l, weigh);
	if (l.begins >= EVIDENCE_MIN && l.begins >= EVIDENCE_MAJORITY * l.centres)
		*rule = AROUND_BEGINS;
	else if (l.centres >= EVIDENCE_MIN && l.centres >= EVIDENCE_MAJORITY * l.begins)
		*rule = AROUND_CENTRES;
	l.rule = *rule;
	walk(&l, learn);
	return 0;
}
