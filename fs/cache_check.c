/* cache_check.c - are the invariants of cache.c kept? A walk over all that is tracked, for tests and debug builds.
 *
 * I1 and I2 are asserted where states change (chunk_set); the rest is looked at here, as it stands between two calls, or
 * while threads have given up the lock.
 */
#include "cache_priv.h"

#include <inttypes.h>

struct sums {
	uint64_t bytes, evicting, cold;
	uint64_t looks; /* what the walk cost */
};

static void broken(struct text *t, const char *which, const struct cache_file *f, uint64_t idx, const char *what)
{
	text_printf(t, "%s: file of %" PRIu64 " bytes, chunk %" PRIu64 ": %s\n", which, f->size, idx, what);
}

static void check_chunk(const struct cache_file *f, uint64_t idx, struct text *t)
{
	const struct chunk *ch = chunk_at(f, idx);
	bool is_spare = ch->state == CHUNK_PREPARED;
	bool may_go = !ch->pins && (is_spare || (ch->state == CHUNK_READY && !f->is_kept));
	bool is_on_its_way = ch->state == CHUNK_PREPARING || ch->state == CHUNK_FILLING;

	if (ch->state >= CHUNK_STATES)
		broken(t, "I1", f, idx, "no such state");
	if (ch->is_cold != may_go)
		broken(t, "I3", f, idx, may_go ? "might be evicted, but is not listed" : "is listed for eviction");
	if (ch->is_ahead && !is_on_its_way)
		broken(t, "I9", f, idx, "is ahead, but not on its way");
}

/* The sums over the chunks of F, added to SUM. */
static void check_chunks(const struct cache_file *f, struct sums *sum, struct text *t)
{
	uint64_t bytes = 0, pins = 0;

	for (uint64_t i = 0; i < f->chunk_cnt; i++) {
		sum->looks++;
		if (!f->block[i / BLOCK_CHUNKS]) {
			i |= BLOCK_CHUNKS - 1; /* none of its block */
			continue;
		}
		const struct chunk *ch = chunk_at(f, i);
		check_chunk(f, i, t);
		bytes += ch->state == CHUNK_RESERVED ? 0 : chunk_bytes(f, i);
		sum->evicting += ch->state == CHUNK_EVICTING ? chunk_bytes(f, i) : 0;
		sum->cold += ch->is_cold;
		pins += ch->pins;
	}
	if (bytes != f->bytes)
		broken(t, "I4", f, 0, "its bytes are not those of its chunks");
	sum->bytes += f->bytes;
	const struct cache_read *r;
	TAILQ_FOREACH(r, &f->readers, on)
	pins -= chunk_end(r->off, r->sz) - r->off / CHUNK_SZ;
	if (pins != f->lent)
		broken(t, "I5", f, 0, "its pins are not those of its reads");
}

static void check_reader(const struct cache_file *f, const struct cache_read *r, struct text *t)
{
	bool lacks = false;

	for (uint64_t i = r->off / CHUNK_SZ; i < chunk_end(r->off, r->sz); i++) {
		const struct chunk *ch = chunk_at(f, i);
		bool is_missing = ch->state == CHUNK_RESERVED || ch->state == CHUNK_PREPARED;
		lacks |= ch->state != CHUNK_READY;
		if (!ch->pins)
			broken(t, "I5", f, i, "a read waits for it, and it is not pinned");
		if (is_missing && !f->askers && !f->is_needy)
			broken(t, "I6", f, i, "a read waits for it, and nobody makes it");
	}
	if (!lacks)
		broken(t, "I6", f, r->off / CHUNK_SZ, "a read waits, and lacks nothing");
}

static bool walk(const struct cache *c, struct text *ret, uint64_t *ret_looks)
{
	const struct cache_file *f;
	const struct cache_read *r;
	struct sums sum = { 0 };
	size_t before = ret->sz;
	uint64_t cold = 0;
	struct chunk *ch;

	TAILQ_FOREACH(f, &c->files, all)
	{
		sum.looks++;
		check_chunks(f, &sum, ret);
		TAILQ_FOREACH(r, &f->readers, on)
		check_reader(f, r, ret);
	}
	TAILQ_FOREACH(ch, &c->cold, cold)
	{
		f = chunk_home(ch)->file;
		cold++;
		if (!ch->is_cold || f->is_dead)
			broken(ret, "I3", f, chunk_home(ch)->first + ch->place, "is listed for eviction");
	}
	if (cold != sum.cold)
		text_printf(ret, "I3: %" PRIu64 " chunks listed for eviction, %" PRIu64 " marked\n", cold, sum.cold);
	/* Files that were freed while a thread was at them count on until it is done. */
	if (sum.bytes > c->bytes || sum.evicting > c->evicting)
		text_printf(ret, "I4: %" PRIu64 " bytes are counted, %" PRIu64 " are there\n", c->bytes, sum.bytes);
	if (is_over(c) && cold && !c->makers && !c->is_tend_wanted)
		text_printf(ret, "I7: %" PRIu64 " bytes, limit %" PRIu64 ", and nobody makes room\n", c->bytes,
			    c->limit);
	*ret_looks = sum.looks;
	return ret->sz == before && !ret->failed;
}

bool cache_check(const struct cache *c, struct text *ret)
{
	uint64_t looks;

	return walk(c, ret, &looks);
}

void check_sometimes(struct cache *c)
{
#ifndef NDEBUG
	if (c->check_in) {
		c->check_in--;
		return;
	}
	struct text t = { 0 };
	bool is_well = walk(c, &t, &c->check_in) || t.failed; /* the next after as many calls as it took looks */
	if (!is_well)
		fprintf(stderr, "linkfs: the page cache is broken:\n%s", t.s);
	assert(is_well);
	free(t.s);
#else
	(void)c;
#endif
}
