/* merge.c - SHF_MERGE sections as pieces: equal pieces of one kind appear once in the output.
 *
 * Each section is split and hashed once. Entries are kept in shards by hash; a shard is filled by one thread, which walks
 * the sections in command-line order, so the first section that has a piece owns it, whatever the number of threads or
 * shards. Offsets follow from prefix sums over what each section owns. With -O0 sections stay whole.
 * Source: gABI ch. 4, SHF_MERGE and SHF_STRINGS.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sections_priv.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SHARDS MERGE_SHARD_MAX

struct merge_job {
	struct sections *s;
	atomic_bool no_memory;
};

static const struct isec *sec_of(const struct sections *s, const struct merge_sec *m)
{
	return &s->in->files[m->file].obj->secs[m->shndx];
}

static uint64_t piece_start(const struct sections *s, const struct merge_sec *m, uint32_t p)
{
	return m->start ? m->start[p] : (uint64_t)p * sec_of(s, m)->entsize;
}

const uint8_t *merge_piece(const struct sections *s, const struct merge_sec *m, uint32_t p, uint32_t *ret_sz)
{
	uint64_t at = piece_start(s, m, p);
	*ret_sz = (uint32_t)(piece_start(s, m, p + 1) - at);
	return isec_bytes(s->in->files[m->file].obj, sec_of(s, m)) + at;
}

static struct merge_shard *shard_of(const struct sections *s, const struct merge_sec *m, uint32_t p, uint32_t *ret_idx)
{
	uint32_t e = m->entry[p];
	*ret_idx = e & ((UINT32_C(1) << MERGE_SHARD_SHIFT) - 1);
	return &s->merge_sets[m->set].shards[e >> MERGE_SHARD_SHIFT];
}

bool merge_offset(const struct sections *s, const struct merge_sec *m, uint64_t off, uint64_t *ret_off)
{
	const struct isec *is = sec_of(s, m);
	uint32_t p, idx;
	if (off > is->sz || !m->piece_cnt)
		return false;
	if (m->start) {
		uint32_t lo = 0, hi = m->piece_cnt; /* the last piece that starts at or before OFF */
		while (hi - lo > 1) {
			uint32_t mid = lo + (hi - lo) / 2;
			if (m->start[mid] <= off)
				lo = mid;
			else
				hi = mid;
		}
		p = lo;
	} else {
		p = (uint32_t)(off / is->entsize);
		if (p >= m->piece_cnt)
			p = m->piece_cnt - 1;
	}
	struct merge_shard *sh = shard_of(s, m, p, &idx);
	*ret_off = sh->off[idx] + (off - piece_start(s, m, p));
	return true;
}

/* ---- finding the sections ---- */

static uint32_t set_of(struct sections *s, uint32_t *cap, uint16_t out, const struct isec *is, uint32_t gs)
{
	bool strings = is->flags & SHF_STRINGS;
	for (uint32_t i = 0; i < s->merge_set_cnt; i++) {
		struct merge_set *t = &s->merge_sets[i];
		if (t->outsec == out && t->entsize == is->entsize && t->is_strings == strings && t->p2align == is->p2align)
			return i;
	}
	if (s->merge_set_cnt == *cap) {
		uint32_t n = *cap ? *cap * 2 : 16;
		struct merge_set *p = realloc(s->merge_sets, n * sizeof(*p));
		if (!p)
			return UINT32_MAX;
		s->merge_sets = p;
		*cap = n;
	}
	s->merge_sets[s->merge_set_cnt] = (struct merge_set){
		.outsec = out, .is_strings = strings, .entsize = is->entsize, .p2align = is->p2align, .first = gs
	};
	return s->merge_set_cnt++;
}

static uint32_t count_sections(const struct sections *s)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < s->st->obj_cnt; k++) {
		const struct object *o = s->in->files[s->st->objs[k]].obj;
		for (uint32_t i = 1; i < o->sec_cnt; i++)
			n += o->secs[i].kind == ISEC_MERGE;
	}
	return n;
}

static int list_sections(struct sections *s)
{
	uint32_t cap = 0, n = count_sections(s);
	s->merge_secs = calloc((size_t)n + 1, sizeof(*s->merge_secs));
	s->merge_of = arena_alloc_array(s->arena, s->st->sec_cnt, sizeof(*s->merge_of), 64);
	if (!s->merge_secs || !s->merge_of)
		return -ENOMEM;
	for (uint32_t k = 0; k < s->st->obj_cnt; k++) {
		uint32_t file = s->st->objs[k];
		const struct object *o = s->in->files[file].obj;
		for (uint32_t i = 1; i < o->sec_cnt; i++) {
			const struct isec *is = &o->secs[i];
			uint32_t gs = gsec(s->st, file, i);
			if (is->kind != ISEC_MERGE || !sec_is(s->st, gs, SEC_LIVE) || !is->sz || is->sz > UINT32_MAX)
				continue;
			struct merge_sec *m = &s->merge_secs[s->merge_sec_cnt];
			*m = (struct merge_sec){ .file = file, .shndx = i };
			m->set = set_of(s, &cap, s->out_of[gs], is, gs);
			if (m->set == UINT32_MAX)
				return -ENOMEM;
			s->merge_of[gs] = ++s->merge_sec_cnt;
		}
	}
	return 0;
}

static int list_by_set(struct sections *s)
{
	for (uint32_t i = 0; i < s->merge_sec_cnt; i++)
		s->merge_sets[s->merge_secs[i].set].sec_cnt++;
	for (uint32_t t = 0; t < s->merge_set_cnt; t++) {
		struct merge_set *set = &s->merge_sets[t];
		set->shard_cnt = SHARDS;
		set->secs = arena_alloc_array(s->arena, set->sec_cnt, sizeof(*set->secs), 8);
		set->sec_off = arena_alloc_array(s->arena, (size_t)set->sec_cnt + 1, sizeof(*set->sec_off), 8);
		set->shards = arena_alloc_array(s->arena, SHARDS, sizeof(*set->shards), 64);
		if (!set->secs || !set->sec_off || !set->shards)
			return -ENOMEM;
		set->sec_cnt = 0;
	}
	for (uint32_t i = 0; i < s->merge_sec_cnt; i++) {
		struct merge_set *set = &s->merge_sets[s->merge_secs[i].set];
		set->secs[set->sec_cnt++] = i;
	}
	return 0;
}

/* ---- splitting ---- */

static uint32_t piece_hash(const uint8_t *data, size_t sz)
{
	return (uint32_t)(XXH3_64bits(data, sz) >> 32);
}

/* The end of the string at AT, its terminator included. The section is known to end in one. */
static uint64_t string_end(const uint8_t *data, uint64_t at, uint64_t sz, uint32_t entsize)
{
	if (entsize == 1) {
		const uint8_t *nul = memchr(data + at, 0, sz - at);
		return nul ? (uint64_t)(nul - data) + 1 : sz;
	}
	for (; at < sz; at += entsize) {
		uint32_t i = 0;
		while (i < entsize && !data[at + i])
			i++;
		if (i == entsize)
			return at + entsize;
	}
	return sz;
}

static bool split_strings(const uint8_t *data, const struct isec *is, struct merge_sec *m)
{
	uint32_t cap = 0;
	for (uint64_t at = 0; at < is->sz;) {
		uint64_t end = string_end(data, at, is->sz, is->entsize);
		if (m->piece_cnt + 1 >= cap) {
			cap = cap ? cap * 2 : (uint32_t)(is->sz / 24 + 16);
			uint32_t *start = realloc(m->start, cap * sizeof(*start));
			m->start = start ? start : m->start;
			uint32_t *entry = start ? realloc(m->entry, cap * sizeof(*entry)) : NULL;
			m->entry = entry ? entry : m->entry;
			if (!entry)
				return false;
		}
		m->start[m->piece_cnt] = (uint32_t)at;
		m->entry[m->piece_cnt++] = piece_hash(data + at, end - at);
		at = end;
	}
	m->start[m->piece_cnt] = (uint32_t)is->sz;
	return true;
}

static bool split_constants(const uint8_t *data, const struct isec *is, struct merge_sec *m)
{
	m->piece_cnt = (uint32_t)(is->sz / is->entsize);
	m->entry = malloc(((size_t)m->piece_cnt + 1) * sizeof(*m->entry));
	for (uint32_t i = 0; m->entry && i < m->piece_cnt; i++)
		m->entry[i] = piece_hash(data + (uint64_t)i * is->entsize, is->entsize);
	return m->entry;
}

static void split_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct merge_job *job = ctx;
	(void)worker;
	for (size_t i = begin; i < end; i++) {
		struct merge_sec *m = &job->s->merge_secs[i];
		const struct isec *is = sec_of(job->s, m);
		const uint8_t *data = isec_bytes(job->s->in->files[m->file].obj, is);
		bool ok = is->flags & SHF_STRINGS ? split_strings(data, is, m) : split_constants(data, is, m);
		if (!ok)
			atomic_store(&job->no_memory, true);
	}
}

/* ---- one entry per distinct piece ---- */

struct shard_table {
	uint32_t *slot; /* entry + 1 */
	uint32_t *hash; /* by entry */
	size_t mask;
	uint32_t cap;   /* of entries */
};

static bool shard_grow(struct merge_shard *sh, struct shard_table *t)
{
	size_t slots = t->slot ? (t->mask + 1) * 2 : 1024;
	uint32_t cap = (uint32_t)(slots / 2);
	uint32_t *slot = calloc(slots, sizeof(*slot));
	uint32_t *hash = realloc(t->hash, cap * sizeof(*hash));
	t->hash = hash ? hash : t->hash;
	uint32_t *os = realloc(sh->owner_sec, cap * sizeof(*os));
	sh->owner_sec = os ? os : sh->owner_sec;
	uint32_t *op = realloc(sh->owner_piece, cap * sizeof(*op));
	sh->owner_piece = op ? op : sh->owner_piece;
	if (!slot || !hash || !os || !op || cap > UINT32_C(1) << MERGE_SHARD_SHIFT) {
		free(slot);
		return false;
	}
	for (uint32_t e = 0; e < sh->cnt; e++) {
		size_t k = t->hash[e] & (slots - 1);
		while (slot[k])
			k = (k + 1) & (slots - 1);
		slot[k] = e + 1;
	}
	free(t->slot);
	t->slot = slot;
	t->mask = slots - 1;
	t->cap = cap;
	return true;
}

static bool shard_insert(const struct sections *s, struct merge_shard *sh, struct shard_table *t, uint32_t sec, uint32_t p,
			 uint32_t *ret_entry)
{
	const struct merge_sec *m = &s->merge_secs[sec];
	uint32_t sz, hash = m->entry[p], other_sz;
	const uint8_t *data = merge_piece(s, m, p, &sz);
	if (sh->cnt == t->cap && !shard_grow(sh, t))
		return false;
	for (size_t k = hash & t->mask;; k = (k + 1) & t->mask) {
		uint32_t e = t->slot[k];
		if (!e) {
			e = sh->cnt++;
			t->slot[k] = e + 1;
			t->hash[e] = hash;
			sh->owner_sec[e] = sec;
			sh->owner_piece[e] = p;
			*ret_entry = e;
			return true;
		}
		e--;
		if (t->hash[e] != hash)
			continue;
		const uint8_t *other = merge_piece(s, &s->merge_secs[sh->owner_sec[e]], sh->owner_piece[e], &other_sz);
		if (other_sz == sz && !memcmp(other, data, sz)) {
			*ret_entry = e;
			return true;
		}
	}
}

/* Which shard a hash belongs to: its top bits; the table's slots use the low ones. */
static uint32_t hash_shard(uint32_t hash)
{
	return hash >> 28;
}

/* Fills one shard of one set. A piece's hash is replaced by its entry only in `done`, since other shards still read. */
static bool fill_shard(struct sections *s, uint32_t set_idx, uint32_t shard, uint32_t **entries)
{
	struct merge_set *set = &s->merge_sets[set_idx];
	struct merge_shard *sh = &set->shards[shard];
	struct shard_table t = { 0 };
	bool ok = true;
	for (uint32_t i = 0; i < set->sec_cnt && ok; i++) {
		const struct merge_sec *m = &s->merge_secs[set->secs[i]];
		for (uint32_t p = 0; p < m->piece_cnt && ok; p++) {
			uint32_t e;
			if (hash_shard(m->entry[p]) != shard)
				continue;
			ok = shard_insert(s, sh, &t, set->secs[i], p, &e);
			if (ok)
				entries[set->secs[i]][p] = e | shard << MERGE_SHARD_SHIFT;
		}
	}
	free(t.slot);
	free(t.hash);
	sh->off = malloc(((size_t)sh->cnt + 1) * sizeof(*sh->off));
	return ok && sh->off;
}

struct fill_job {
	struct merge_job *job;
	uint32_t **entries; /* by merge_sec */
};

static void fill_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct fill_job *f = ctx;
	(void)worker;
	for (size_t i = begin; i < end; i++)
		if (!fill_shard(f->job->s, (uint32_t)(i / SHARDS), i % SHARDS, f->entries))
			atomic_store(&f->job->no_memory, true);
}

static int fill_sets(struct merge_job *job)
{
	struct sections *s = job->s;
	struct fill_job f = { job, calloc((size_t)s->merge_sec_cnt + 1, sizeof(*f.entries)) };
	int rc = f.entries ? 0 : -ENOMEM;
	for (uint32_t i = 0; i < s->merge_sec_cnt && !rc; i++) {
		f.entries[i] = malloc(((size_t)s->merge_secs[i].piece_cnt + 1) * sizeof(**f.entries));
		rc = f.entries[i] ? 0 : -ENOMEM;
	}
	if (!rc)
		pool_for(s->in->pool, (size_t)s->merge_set_cnt * SHARDS, 1, fill_range, &f);
	for (uint32_t i = 0; i < s->merge_sec_cnt && !rc; i++) {
		free(s->merge_secs[i].entry);
		s->merge_secs[i].entry = f.entries[i];
	}
	for (uint32_t i = 0; i < s->merge_sec_cnt && rc && f.entries; i++)
		free(f.entries[i]);
	free(f.entries);
	return rc ? rc : atomic_load(&job->no_memory) ? -ENOMEM : 0;
}

/* ---- offsets ---- */

static uint64_t walk_owned(struct sections *s, uint32_t sec, uint64_t at, bool assign)
{
	const struct merge_sec *m = &s->merge_secs[sec];
	uint64_t align = UINT64_C(1) << s->merge_sets[m->set].p2align;
	for (uint32_t p = 0; p < m->piece_cnt; p++) {
		uint32_t idx, sz;
		struct merge_shard *sh = shard_of(s, m, p, &idx);
		if (sh->owner_sec[idx] != sec || sh->owner_piece[idx] != p)
			continue;
		merge_piece(s, m, p, &sz);
		at = (at + align - 1) & ~(align - 1);
		if (assign)
			sh->off[idx] = at;
		at += sz;
	}
	return (at + align - 1) & ~(align - 1);
}

static void measure_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct sections *s = ((struct merge_job *)ctx)->s;
	(void)worker;
	for (size_t t = begin; t < end; t++) {
		struct merge_set *set = &s->merge_sets[t];
		uint64_t at = 0;
		for (uint32_t i = 0; i < set->sec_cnt; i++) {
			set->sec_off[i] = at;
			at = walk_owned(s, set->secs[i], at, true);
		}
		set->sec_off[set->sec_cnt] = set->sz = at;
	}
}

int merge_pieces(struct sections *s)
{
	struct merge_job job = { .s = s };
	if (s->in->opt->optimize == 0) {
		s->merge_of = arena_alloc_array(s->arena, s->st->sec_cnt, sizeof(*s->merge_of), 64);
		return s->merge_of ? 0 : -ENOMEM;
	}
	int rc = list_sections(s);
	if (!rc)
		rc = list_by_set(s);
	if (rc)
		return rc;
	pool_for(s->in->pool, s->merge_sec_cnt, 8, split_range, &job);
	if (atomic_load(&job.no_memory))
		return -ENOMEM;
	rc = fill_sets(&job);
	if (!rc)
		pool_for(s->in->pool, s->merge_set_cnt, 1, measure_range, &job);
	return rc;
}
