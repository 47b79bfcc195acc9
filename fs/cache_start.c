/* cache_start.c - what a program's start reads: remembered with one version of it, made ahead for the next (cache.h).
 *
 * The pages that a program seems to have wanted (cache_wanted.c) are the next version's profile: pieces in the order of the
 * first reads, each as long as what follows in the file was wanted, too: a loader that goes through two tables at once finds
 * the begin of both early. Where a page lies is what counts, not what is in it: an edit moves little, and what it moves is
 * asked for, and added.
 *
 * What was made ahead and given to the kernel is not asked for, so nobody knows whether it was wanted. So each version is
 * given the profile less a thousandth, another one each time, whose pages are in the next profile if they are asked for.
 */
#include <stdlib.h>

#include "cache_priv.h"

#define EXPECT_MAX  ((uint64_t)96 << 20) /* who read more did more than start */
#define FILE_MAX    ((uint64_t)64 << 30) /* a bit for each page */
#define START_MS    500 /* and who reads later: of a long run little is wanted by the next one at once */
#define EXPECT_STEP ((uint64_t)512 << 10) /* a read waits for one such piece at most */
#define SHARES_LOG2 10
#define BLOCK_PAGES 32 /* that go together: what is read in order is seen to be */

struct profile {
	unsigned turn; /* versions in a row before this one that gave it to the kernel */
	enum read_around rule;
	uint64_t *given; /* a bit for each page of the file: the kernel was given it */
	bool has_given;	 /* any */
	uint32_t cnt;
	struct page_range piece[];
};

static uint32_t page_cnt(const struct cache_file *f)
{
	return (uint32_t)((f->size + PAGE_SZ - 1) / PAGE_SZ);
}

void cache_file_opened(struct cache_file *f)
{
	f->reads.until = now_ms() + START_MS;
}

void start_note_read(struct cache_file *f, uint64_t off, uint64_t sz)
{
	struct start_reads *r = &f->reads;
	uint64_t first = off / PAGE_SZ, end = (off + sz + PAGE_SZ - 1) / PAGE_SZ;

	if (!r->until)
		cache_file_opened(f);
	if (r->is_over || first == end || now_ms() > r->until)
		return;
	r->pages += end - first;
	r->is_over = r->pages > EXPECT_MAX / PAGE_SZ || f->size > FILE_MAX;
	if (!r->is_over && r->cnt == r->room) {
		uint32_t room = r->room ? 2 * r->room : 64;
		void *more = realloc(r->range, room * sizeof(*r->range));
		r->is_over = !more; /* the next version will know less */
		r->range = more ? more : r->range;
		r->room = more ? room : r->room;
	}
	if (!r->is_over)
		r->range[r->cnt++] = (struct page_range){ (uint32_t)first, (uint32_t)end };
}

void cache_file_code(struct cache_file *f, uint64_t off, uint64_t sz)
{
	if (off > f->size || sz > f->size - off || f->size > FILE_MAX)
		return;
	f->code.first = (uint32_t)(off / PAGE_SZ);
	f->code.end = (uint32_t)((off + sz + PAGE_SZ - 1) / PAGE_SZ);
}

static struct profile *profile_new(const struct cache_file *f, uint32_t pieces_max)
{
	struct profile *p = calloc(1, sizeof(*p) + pieces_max * sizeof(p->piece[0]));

	if (!p)
		return NULL;
	p->given = calloc(page_cnt(f) / 64 + 1, sizeof(*p->given));
	return p->given ? p : profile_free(p);
}

struct profile *profile_free(struct profile *p)
{
	if (!p)
		return NULL;
	free(p->given);
	free(p);
	return NULL;
}

/* Nobody ran the version before: what was expected of it is what is expected of F. */
static struct profile *handed_on(const struct cache_file *f, const struct profile *old)
{
	struct profile *p = old ? profile_new(f, old->cnt) : NULL;

	if (!p)
		return NULL;
	p->turn = old->turn;
	p->rule = old->rule;
	for (uint32_t i = 0; i < old->cnt; i++) {
		struct page_range piece = old->piece[i];
		if (piece.end > page_cnt(f))
			piece.end = page_cnt(f);
		if (piece.first < piece.end)
			p->piece[p->cnt++] = piece;
	}
	return p;
}

/* One in 1 << SHARES_LOG2; neighbours have others (Fibonacci hashing). */
static uint32_t share_of(uint32_t page)
{
	return page / BLOCK_PAGES * UINT32_C(2654435769) >> (32 - SHARES_LOG2);
}

/* What OLD gave, less what has its turn. */
static void add_given(struct pages *pages, const struct profile *old, unsigned turn)
{
	for (uint32_t i = 0; i < old->cnt; i++)
		for (uint32_t page = old->piece[i].first; page < old->piece[i].end; page++)
			if (page_is(old->given, page) && share_of(page) != turn % (1u << SHARES_LOG2))
				pages_add(pages, page);
}

static bool take(uint64_t *bits, uint32_t idx)
{
	uint64_t bit = UINT64_C(1) << idx % 64;
	bool was_there = bits[idx / 64] & bit;

	bits[idx / 64] &= ~bit;
	return was_there;
}

static void list_pieces(struct profile *p, struct pages *pages)
{
	for (uint32_t i = 0; i < pages->cnt; i++) {
		struct page_range piece = {pages->page[i], pages->page[i]};
		while (piece.end - piece.first < EXPECT_STEP / PAGE_SZ && take(pages->has, piece.end))
			piece.end++;
		if (piece.end > piece.first)
			p->piece[p->cnt++] = piece;
	}
}

/* The profile of F, of which so many pages at most. 0 or -ENOMEM. */
static int list_wanted(const struct cache_file *f, const struct cache_file *last, struct pages *pages,
		       struct profile *p)
{
	const struct profile *old = last->profile && last->profile->has_given ? last->profile : NULL;
	size_t words = (page_cnt(f) > page_cnt(last) ? page_cnt(f) : page_cnt(last)) / 64 + 1;
	CLEAN_MEM uint64_t *given = calloc(words, sizeof(*given));

	if (!given)
		return -ENOMEM;
	p->rule = last->profile ? last->profile->rule : AROUND_UNKNOWN;
	if (old) {
		memcpy(given, old->given, (page_cnt(last) / 64 + 1) * sizeof(*given));
		p->turn = old->turn + 1;
		add_given(pages, old, p->turn);
	}
	int r = last->reads.is_over ? 0 : wanted_pages(&last->reads, &last->code, given, &p->rule, pages);
	if (!r)
		list_pieces(p, pages);
	return r;
}

void cache_file_expect(struct cache_file *f, const struct cache_file *last)
{
	bool was_given = last->profile && last->profile->has_given;
	uint32_t max = EXPECT_MAX / PAGE_SZ < page_cnt(f) ? EXPECT_MAX / PAGE_SZ : page_cnt(f);

	if (f->profile || f->size > FILE_MAX || last->size > FILE_MAX || (last->reads.is_over && !was_given))
		return;
	if (!last->reads.cnt && !was_given) {
		f->profile = handed_on(f, last->profile);
		return;
	}
	CLEAN_MEM uint32_t *page = malloc((max + 1) * sizeof(*page));
	CLEAN_MEM uint64_t *has = calloc(page_cnt(f) / 64 + 1, sizeof(*has));
	struct pages pages = { .page = page, .room = max, .page_cnt = page_cnt(f), .has = has };
	struct profile *p = page && has ? profile_new(f, max) : NULL;
	if (!p || list_wanted(f, last, &pages, p)) {
		profile_free(p);
		return; /* it will be read as if it were the first */
	}
	struct profile *small = realloc(p, sizeof(*p) + p->cnt * sizeof(p->piece[0]));
	f->profile = small ? small : p;
}

void cache_make_expected(struct cache *c, struct cache_file *f, struct replies *out)
{
	const struct profile *p = f->profile;

	for (uint32_t i = 0; p && i < p->cnt; i++) {
		uint64_t off = p->piece[i].first * PAGE_SZ, end = p->piece[i].end * PAGE_SZ;
		if (!cache_make_ahead(c, f, off / CHUNK_SZ, chunk_end(off, (end < f->size ? end : f->size) - off), out))
			return;
	}
}

bool cache_may_give(const struct cache_file *f)
{
	return f->profile && !f->is_never_ahead && !f->full_sz;
}

enum use { USE_READ, USE_LACKING, USE_MADE };

static enum use use_of(const struct cache_file *f, uint32_t page)
{
	uint64_t idx = page / (CHUNK_SZ / PAGE_SZ);
	const struct chunk *ch = f->block[idx / BLOCK_CHUNKS] ? chunk_at(f, idx) : NULL;

	return ch && ch->is_read ? USE_READ : ch && ch->state == CHUNK_READY ? USE_MADE : USE_LACKING;
}

bool cache_next_expected(const struct cache_file *f, struct profile_at *at, uint64_t *ret_off, uint64_t *ret_sz,
			 bool *ret_is_made)
{
	const struct profile *p = f->profile;

	for (; p && at->piece < p->cnt; at->piece++, at->page = 0) {
		const struct page_range *piece = &p->piece[at->piece];
		uint32_t first = at->page < piece->first ? piece->first : at->page;
		while (first < piece->end && use_of(f, first) == USE_READ)
			first++;
		uint32_t end = first;
		while (end < piece->end && use_of(f, end) == use_of(f, first))
			end++;
		at->page = end;
		if (first == end)
			continue;
		*ret_is_made = use_of(f, first) == USE_MADE;
		*ret_off = first * PAGE_SZ;
		*ret_sz = (end * PAGE_SZ < f->size ? end * PAGE_SZ : f->size) - *ret_off;
		return true;
	}
	return false;
}

void cache_given(struct cache *c, struct cache_file *f, uint64_t off, uint64_t sz, bool is_made)
{
	struct profile *p = f->profile;

	for (uint64_t i = off / PAGE_SZ; p && i < (off + sz + PAGE_SZ - 1) / PAGE_SZ; i++)
		p->given[i / 64] |= UINT64_C(1) << i % 64;
	if (p)
		p->has_given = true;
	if (is_made)
		return;
	c->count.fills++;
	c->count.filled_bytes += sz;
	f->filled_bytes += sz;
}
