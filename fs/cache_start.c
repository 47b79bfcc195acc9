/* cache_start.c - what a program's start reads: remembered with one version of it, made ahead for the next (cache.h).
 *
 * Chunks are numbered in the order in which they were read first. The next version's profile are pieces in that order, each
 * as long as what follows in the file was read, too: a loader that goes through two tables at once finds the begin of both
 * early. Where a chunk lies is what counts, not what is in it: an edit moves little, and what it moves is asked for.
 *
 * What was made ahead and given to the kernel is not asked for, so nobody knows whether it was wanted. A profile is
 * handed on by GIVEN_MAX versions in a row; the next one's reads are seen again.
 */
#include "cache_priv.h"

#define EXPECT_MAX  ((uint64_t)96 << 20)	/* who read more did more than start */
#define EXPECT_STEP ((uint64_t)512 << 10) /* a read waits for one such piece at most */
#define GIVEN_MAX   8

struct piece {
	uint32_t first, end; /* chunks */
};

struct profile {
	unsigned given; /* versions in a row before this one that gave it to the kernel */
	bool is_given;
	uint32_t cnt;
	struct piece piece[];
};

struct seen {
	uint32_t at, idx;
};

static int by_place(const void *x, const void *y)
{
	const struct seen *a = x, *b = y;

	return a->at < b->at ? -1 : a->at > b->at;
}

/* The chunks of LAST that were read and that F has, too, in order. RET has room for all of them. */
static uint32_t list_seen(const struct cache_file *f, const struct cache_file *last, struct seen *ret)
{
	uint32_t cnt = 0;

	for (uint64_t i = 0; i < last->chunk_cnt && i < f->chunk_cnt && cnt < last->read_cnt; i++) {
		if (!last->block[i / BLOCK_CHUNKS])
			i |= BLOCK_CHUNKS - 1;
		else if (chunk_at(last, i)->read_at)
			ret[cnt++] = (struct seen){ .at = chunk_at(last, i)->read_at, .idx = (uint32_t)i };
	}
	qsort(ret, cnt, sizeof(*ret), by_place);
	return cnt;
}

static bool take(uint64_t *bits, uint64_t idx)
{
	uint64_t bit = UINT64_C(1) << idx % 64;
	bool was_there = bits[idx / 64] & bit;

	bits[idx / 64] &= ~bit;
	return was_there;
}

/* Nobody ran the version before: what was expected of it is what is expected of F. */
static struct profile *handed_on(const struct cache_file *f, const struct profile *p)
{
	size_t sz = sizeof(*p) + (p ? p->cnt : 0) * sizeof(p->piece[0]);
	struct profile *copy = p ? malloc(sz) : NULL;

	if (!copy)
		return NULL;
	memcpy(copy, p, sz);
	copy->given += p->is_given;
	copy->is_given = false;
	copy->cnt = 0;
	for (uint32_t i = 0; i < p->cnt; i++) {
		struct piece piece = p->piece[i];
		if (piece.end > f->chunk_cnt)
			piece.end = (uint32_t)f->chunk_cnt;
		if (piece.first < piece.end)
			copy->piece[copy->cnt++] = piece;
	}
	return copy;
}

/* BITS, one for each chunk and a spare one: zeros, before and after. */
static void list_pieces(struct profile *p, const struct seen *seen, uint32_t cnt, uint64_t *bits)
{
	for (uint32_t i = 0; i < cnt; i++)
		bits[seen[i].idx / 64] |= UINT64_C(1) << seen[i].idx % 64;
	for (uint32_t i = 0; i < cnt; i++) {
		struct piece piece = { .first = seen[i].idx, .end = seen[i].idx };
		while (piece.end - piece.first < EXPECT_STEP / CHUNK_SZ && take(bits, piece.end))
			piece.end++;
		if (piece.end > piece.first)
			p->piece[p->cnt++] = piece;
	}
}

void cache_file_expect(struct cache_file *f, const struct cache_file *last)
{
	uint32_t max = last->read_cnt;

	if (max > EXPECT_MAX / CHUNK_SZ || f->profile || f->chunk_cnt > UINT32_MAX)
		return;
	if (!max) {
		f->profile = handed_on(f, last->profile);
		return;
	}
	CLEAN_MEM void *seen = malloc(max * sizeof(struct seen)), *bits = calloc(f->chunk_cnt / 64 + 1, sizeof(uint64_t));
	struct profile *p = calloc(1, sizeof(*p) + max * sizeof(p->piece[0]));
	if (!seen || !bits || !p) {
		free(p);
		return; /* it will be read as if it were the first */
	}
	p->given = last->profile && last->profile->is_given ? last->profile->given + 1 : 0;
	list_pieces(p, seen, list_seen(f, last, seen), bits);
	f->profile = p;
}

struct profile *profile_free(struct profile *p)
{
	free(p);
	return NULL;
}

void cache_make_expected(struct cache *c, struct cache_file *f, struct replies *out)
{
	const struct profile *p = f->profile;

	for (uint32_t i = 0; p && i < p->cnt; i++)
		if (!cache_make_ahead(c, f, p->piece[i].first, p->piece[i].end, out))
			return;
}

bool cache_may_give(struct cache_file *f)
{
	struct profile *p = f->profile;

	if (!p || f->is_never_ahead || f->full_sz)
		return false;
	p->is_given = p->given < GIVEN_MAX;
	return p->is_given;
}

enum use { USE_READ, USE_LACKING, USE_MADE };

static enum use use_of(const struct cache_file *f, uint32_t idx)
{
	const struct chunk *ch = f->block[idx / BLOCK_CHUNKS] ? chunk_at(f, idx) : NULL;

	return ch && ch->read_at ? USE_READ : ch && ch->state == CHUNK_READY ? USE_MADE : USE_LACKING;
}

bool cache_next_expected(const struct cache_file *f, struct profile_at *at, uint64_t *ret_off, uint64_t *ret_sz,
			 bool *ret_is_made)
{
	const struct profile *p = f->profile;

	for (; p && at->piece < p->cnt; at->piece++, at->chunk = 0) {
		const struct piece *piece = &p->piece[at->piece];
		uint32_t first = at->chunk < piece->first ? piece->first : at->chunk;
		while (first < piece->end && use_of(f, first) == USE_READ)
			first++;
		uint32_t end = first;
		while (end < piece->end && use_of(f, end) == use_of(f, first))
			end++;
		at->chunk = end;
		if (first == end)
			continue;
		struct run run = { .first = first, .end = end };
		*ret_is_made = use_of(f, first) == USE_MADE;
		*ret_off = run_off(&run);
		*ret_sz = run_sz(f, &run);
		return true;
	}
	return false;
}

void cache_given(struct cache *c, struct cache_file *f, uint64_t off, uint64_t sz)
{
	c->count.fills++;
	c->count.filled_bytes += sz;
	f->filled_bytes += sz;
	if (chunks_cover(f, off, sz))
		return; /* without memory: the next version will know less */
	for (uint64_t i = off / CHUNK_SZ; i < chunk_end(off, sz); i++)
		if (!chunk_at(f, i)->read_at)
			chunk_at(f, i)->read_at = ++f->read_cnt;
}
