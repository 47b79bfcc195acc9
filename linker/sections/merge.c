/* merge.c - SHF_MERGE sections as pieces: equal pieces of one kind appear once in the output.
 *
 * Each section is split and hashed once per object (input/object_pieces.c). Entries are kept in shards by hash; a shard
 * is filled by one thread, which walks the sections in command-line order, so the first section that has a piece owns
 * it, whatever the number of threads or shards. Offsets follow from prefix sums over what each section owns; they are
 * all that is kept of the entries. With -O0 sections stay whole.
 * Source: gABI ch. 4, SHF_MERGE and SHF_STRINGS.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sections_priv.h"

#define SHARDS 16u
#define SHARD_SHIFT 28 /* while entries are gathered, a piece's `off` is index | shard << SHARD_SHIFT */

/* Entries of one hash shard of a set, in order of first appearance. */
struct shard {
	uint32_t cnt;
	uint32_t *owner_sec;   /* merge_sec index: the earliest section that has the piece */
	uint32_t *owner_piece;
	uint64_t *off;         /* in the set's chunk */
};

struct merge_job {
	struct sections *s;
	struct shard *shards; /* SHARDS for each set */
	atomic_bool no_memory;
};

static const struct isec *sec_of(const struct sections *s, const struct merge_sec *m)
{
	return &s->in->files[m->file].obj->secs[m->shndx];
}

static uint64_t piece_start(const struct sections *s, const struct merge_sec *m, uint32_t p)
{
	return m->pieces->start ? m->pieces->start[p] : (uint64_t)p * sec_of(s, m)->entsize;
}

const uint8_t *merge_piece(const struct sections *s, const struct merge_sec *m, uint32_t p, uint32_t *ret_sz)
{
	uint64_t at = piece_start(s, m, p);
	*ret_sz = (uint32_t)(piece_start(s, m, p + 1) - at);
	return isec_bytes(s->in->files[m->file].obj, sec_of(s, m)) + at;
}

static struct shard *shard_of(const struct merge_job *job, const struct merge_sec *m, uint32_t p, uint32_t *ret_idx)
{
	*ret_idx = m->off[p] & ((UINT32_C(1) << SHARD_SHIFT) - 1);
	return &job->shards[m->set * SHARDS + (m->off[p] >> SHARD_SHIFT)];
}

const struct merge_sec *merge_find(const struct sections *s, uint32_t file, uint32_t shndx)
{
	uint32_t lo = s->merge_of[file].first, end = s->merge_of[file].end, hi = end;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (s->merge_secs[mid].shndx < shndx)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < end && s->merge_secs[lo].shndx == shndx ? &s->merge_secs[lo] : NULL;
}

bool merge_offset(const struct sections *s, const struct merge_sec *m, uint64_t off, uint64_t *ret_off)
{
	const struct isec *is = sec_of(s, m);
	const struct pieces *pc = m->pieces;
	uint32_t p;
	if (off > is->sz || !pc->cnt)
		return false;
	if (pc->start) {
		uint32_t lo = 0, hi = pc->cnt; /* the last piece that starts at or before OFF */
		while (hi - lo > 1) {
			uint32_t mid = lo + (hi - lo) / 2;
			if (pc->start[mid] <= off)
				lo = mid;
			else
				hi = mid;
		}
		p = lo;
	} else {
		p = (uint32_t)(off / is->entsize);
		if (p >= pc->cnt)
			p = pc->cnt - 1;
	}
	*ret_off = merge_piece_off(m, p) + (off - piece_start(s, m, p));
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
	for (uint32_t k = 0; k < s->st->obj_cnt; k++)
		n += s->in->files[s->st->objs[k]].obj->merge_cnt;
	return n;
}

static int list_sections(struct sections *s)
{
	uint32_t cap = 0, n = count_sections(s);
	s->merge_secs = arena_alloc_array(s->arena, (size_t)n + 1, sizeof(*s->merge_secs), 64);
	if (!s->merge_secs)
		return -ENOMEM;
	for (uint32_t k = 0; k < s->st->obj_cnt; k++) {
		uint32_t file = s->st->objs[k];
		const struct object *o = s->in->files[file].obj;
		s->merge_of[file].first = s->merge_sec_cnt;
		for (uint32_t j = 0; j < o->merge_cnt; j++) {
			uint32_t i = o->merges[j].sec, gs = gsec(s->st, file, i);
			const struct isec *is = &o->secs[i];
			if (!sec_is(s->st, gs, SEC_LIVE) || !is->sz || is->sz > UINT32_MAX)
				continue;
			struct merge_sec *m = &s->merge_secs[s->merge_sec_cnt];
			*m = (struct merge_sec){ .file = file, .shndx = i };
			m->set = set_of(s, &cap, s->out_of[gs], is, gs);
			if (m->set == UINT32_MAX)
				return -ENOMEM;
			s->merge_sec_cnt++;
		}
		s->merge_of[file].end = s->merge_sec_cnt;
	}
	return 0;
}

static int list_by_set(struct sections *s)
{
	for (uint32_t i = 0; i < s->merge_sec_cnt; i++)
		s->merge_sets[s->merge_secs[i].set].sec_cnt++;
	for (uint32_t t = 0; t < s->merge_set_cnt; t++) {
		struct merge_set *set = &s->merge_sets[t];
		set->secs = arena_alloc_array(s->arena, set->sec_cnt, sizeof(*set->secs), 8);
		set->sec_off = arena_alloc_array(s->arena, (size_t)set->sec_cnt + 1, sizeof(*set->sec_off), 8);
		if (!set->secs || !set->sec_off)
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

static void split_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct merge_job *job = ctx;
	(void)worker;
	for (size_t i = begin; i < end; i++) {
		struct merge_sec *m = &job->s->merge_secs[i];
		m->pieces = object_pieces(job->s->in->files[m->file].obj, m->shndx);
		if (!m->pieces)
			atomic_store(&job->no_memory, true);
	}
}

static int split_sections(struct merge_job *job)
{
	struct sections *s = job->s;
	size_t cnt = 0;
	pool_for(s->in->pool, s->merge_sec_cnt, 8, split_range, job);
	if (atomic_load(&job->no_memory))
		return -ENOMEM;
	for (uint32_t i = 0; i < s->merge_sec_cnt; i++)
		cnt += s->merge_secs[i].pieces->cnt;
	uint32_t *off = arena_alloc_array(s->arena, cnt, sizeof(*off), 64);
	for (uint32_t i = 0; off && i < s->merge_sec_cnt; i++) {
		s->merge_secs[i].off = off;
		off += s->merge_secs[i].pieces->cnt;
	}
	return off ? 0 : -ENOMEM;
}

/* ---- one entry per distinct piece ---- */

struct shard_table {
	uint32_t *slot; /* entry + 1 */
	uint32_t *hash; /* by entry */
	size_t mask;
	uint32_t cap;   /* of entries */
};

static bool shard_grow(struct shard *sh, struct shard_table *t)
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
	if (!slot || !hash || !os || !op || cap > UINT32_C(1) << SHARD_SHIFT) {
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

static bool shard_insert(const struct sections *s, struct shard *sh, struct shard_table *t, uint32_t sec, uint32_t p,
			 uint32_t *ret_entry)
{
	const struct merge_sec *m = &s->merge_secs[sec];
	uint32_t sz, hash = m->pieces->hash[p], other_sz;
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

/* Fills one shard of one set. */
static bool fill_shard(struct merge_job *job, uint32_t set_idx, uint32_t shard)
{
	struct sections *s = job->s;
	struct merge_set *set = &s->merge_sets[set_idx];
	struct shard *sh = &job->shards[set_idx * SHARDS + shard];
	struct shard_table t = { 0 };
	bool ok = true;
	for (uint32_t i = 0; i < set->sec_cnt && ok; i++) {
		const struct merge_sec *m = &s->merge_secs[set->secs[i]];
		for (uint32_t p = 0; p < m->pieces->cnt && ok; p++) {
			uint32_t e;
			if (hash_shard(m->pieces->hash[p]) != shard)
				continue;
			ok = shard_insert(s, sh, &t, set->secs[i], p, &e);
			if (ok)
				m->off[p] = e | shard << SHARD_SHIFT;
		}
	}
	free(t.slot);
	free(t.hash);
	sh->off = malloc(((size_t)sh->cnt + 1) * sizeof(*sh->off));
	return ok && sh->off;
}

static void fill_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct merge_job *job = ctx;
	(void)worker;
	for (size_t i = begin; i < end; i++)
		if (!fill_shard(job, (uint32_t)(i / SHARDS), i % SHARDS))
			atomic_store(&job->no_memory, true);
}

/* ---- offsets ---- */

static uint64_t place_owned(const struct merge_job *job, uint32_t sec, uint64_t at)
{
	const struct merge_sec *m = &job->s->merge_secs[sec];
	uint64_t align = UINT64_C(1) << job->s->merge_sets[m->set].p2align;
	for (uint32_t p = 0; p < m->pieces->cnt; p++) {
		uint32_t idx, sz;
		struct shard *sh = shard_of(job, m, p, &idx);
		if (sh->owner_sec[idx] != sec || sh->owner_piece[idx] != p)
			continue;
		merge_piece(job->s, m, p, &sz);
		at = (at + align - 1) & ~(align - 1);
		sh->off[idx] = at;
		at += sz;
	}
	return (at + align - 1) & ~(align - 1);
}

/* From entries to their offsets. */
static bool resolve_pieces(const struct merge_job *job, struct merge_sec *m)
{
	struct sections *s = job->s;
	bool is_far = s->merge_sets[m->set].sz > UINT32_MAX;
	uint64_t *far_off = is_far ? arena_alloc_array(s->arena, m->pieces->cnt, sizeof(*far_off), 8) : NULL;
	if (is_far && !far_off)
		return false;
	for (uint32_t p = 0; p < m->pieces->cnt; p++) {
		uint32_t idx;
		uint64_t off = shard_of(job, m, p, &idx)->off[idx];
		if (is_far)
			far_off[p] = off;
		else
			m->off[p] = (uint32_t)off;
	}
	m->far_off = far_off;
	return true;
}

static void measure_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct merge_job *job = ctx;
	(void)worker;
	for (size_t t = begin; t < end; t++) {
		struct merge_set *set = &job->s->merge_sets[t];
		uint64_t at = 0;
		for (uint32_t i = 0; i < set->sec_cnt; i++) {
			set->sec_off[i] = at;
			at = place_owned(job, set->secs[i], at);
		}
		set->sec_off[set->sec_cnt] = set->sz = at;
		for (uint32_t i = 0; i < set->sec_cnt; i++)
			if (!resolve_pieces(job, &job->s->merge_secs[set->secs[i]]))
				atomic_store(&job->no_memory, true);
	}
}

static void free_shards(struct merge_job *job)
{
	for (size_t i = 0; job->shards && i < (size_t)job->s->merge_set_cnt * SHARDS; i++) {
		free(job->shards[i].owner_sec);
		free(job->shards[i].owner_piece);
		free(job->shards[i].off);
	}
	free(job->shards);
}

static int merge_sets(struct merge_job *job)
{
	struct sections *s = job->s;
	job->shards = calloc((size_t)s->merge_set_cnt * SHARDS + 1, sizeof(*job->shards));
	if (!job->shards)
		return -ENOMEM;
	pool_for(s->in->pool, (size_t)s->merge_set_cnt * SHARDS, 1, fill_range, job);
	if (!atomic_load(&job->no_memory))
		pool_for(s->in->pool, s->merge_set_cnt, 1, measure_range, job);
	return atomic_load(&job->no_memory) ? -ENOMEM : 0;
}

int merge_pieces(struct sections *s)
{
	struct merge_job job = { .s = s };
	s->merge_of = arena_alloc_array(s->arena, (size_t)s->in->file_cnt + 1, sizeof(*s->merge_of), 64);
	if (!s->merge_of)
		return -ENOMEM;
	if (s->in->opt->optimize == 0)
		return 0;
	int rc = list_sections(s);
	if (!rc)
		rc = list_by_set(s);
	if (!rc)
		rc = split_sections(&job);
	if (!rc)
		rc = merge_sets(&job);
	free_shards(&job);
	return rc;
}
