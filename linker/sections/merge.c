/* merge.c - SHF_MERGE sections as pieces: equal pieces of one kind appear once in the output.
 *
 * Each section is split and its pieces interned once per object (input/object_pieces.c). A set is laid out by one thread,
 * which walks its sections in command-line order: the first that has a piece owns it. No bytes are read, unless an object
 * is new. With -O0 sections stay whole.
 * Source: gABI ch. 4, SHF_MERGE and SHF_STRINGS.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sections_priv.h"

/* Where pieces are, while a worker lays out one set after the other. */
struct spot {
	uint32_t turn;         /* whose this is: a number for each set */
	uint32_t off;          /* in the set's chunk, where that is not larger than 4 GiB */
};
struct table {
	struct spot *spots;    /* by piece id */
	uint64_t *far;         /* in place of spot.off where it is */
	uint32_t turn;         /* the last one used */
};

/* The table of the largest set of a link is left for the next one: fresh pages cost more than all that is stored in them. */
struct merge_table {
	uint32_t cnt, turn;
	struct spot spots[];
};

/* A section while sets are made: what tells sets apart, and what sizes things. */
struct listed {
	struct set_key {
		uint32_t entsize;
		uint16_t outsec;
		uint8_t p2align;
		bool is_strings;
	} key;
	uint32_t piece_cnt;
	uint64_t most;         /* bytes it can add to the chunk */
};

struct merge_job {
	struct sections *s;
	uint32_t *first;       /* by index in objs: its sections, then the first of them in merge_secs */
	struct listed *listed; /* by position, as merge_secs */
	uint64_t *most;        /* by set */
	struct table *tables;  /* by worker, made when first needed; behind them the largest set's */
	uint32_t largest;      /* set */
	uint32_t id_cnt;
	_Atomic size_t fresh;  /* pieces that are not interned */
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

static bool is_merged(const struct sections *s, uint32_t file, uint32_t shndx)
{
	const struct isec *is = &s->in->files[file].obj->secs[shndx];
	return sec_is(s->st, gsec(s->st, file, shndx), SEC_LIVE) && is->sz && is->sz <= UINT32_MAX;
}

static void count_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct merge_job *job = ctx;
	const struct sections *s = job->s;
	(void)worker;
	for (size_t k = begin; k < end; k++) {
		const struct object *o = s->in->files[s->st->objs[k]].obj;
		job->first[k] = 0;
		for (uint32_t j = 0; j < o->merge_cnt; j++)
			job->first[k] += is_merged(s, s->st->objs[k], o->merges[j].sec);
	}
}

static struct listed list_section(struct merge_job *job, struct merge_sec *m)
{
	const struct sections *s = job->s;
	struct object *o = s->in->files[m->file].obj;
	const struct isec *is = &o->secs[m->shndx];
	m->pieces = object_pieces(o, m->shndx);
	if (!m->pieces) {
		atomic_store(&job->no_memory, true);
		return (struct listed){ 0 };
	}
	return (struct listed){
		.key = { is->entsize, s->out_of[gsec(s->st, m->file, m->shndx)], is->p2align, is->flags & SHF_STRINGS },
		.piece_cnt = m->pieces->cnt,
		.most = is->sz + (((uint64_t)m->pieces->cnt + 1) << is->p2align),
	};
}

static void list_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct merge_job *job = ctx;
	const struct sections *s = job->s;
	size_t fresh = 0;
	(void)worker;
	for (size_t k = begin; k < end; k++) {
		uint32_t file = s->st->objs[k], at = job->first[k];
		const struct object *o = s->in->files[file].obj;
		s->merge_of[file].first = at;
		for (uint32_t j = 0; j < o->merge_cnt; j++) {
			if (!is_merged(s, file, o->merges[j].sec))
				continue;
			struct merge_sec *m = &s->merge_secs[at];
			*m = (struct merge_sec){ .file = file, .shndx = o->merges[j].sec };
			job->listed[at++] = list_section(job, m);
			if (m->pieces && !atomic_load_explicit(&m->pieces->is_interned, memory_order_relaxed))
				fresh += m->pieces->cnt;
		}
		s->merge_of[file].end = at;
	}
	atomic_fetch_add_explicit(&job->fresh, fresh, memory_order_relaxed);
}

static int list_sections(struct merge_job *job)
{
	struct sections *s = job->s;
	job->first = malloc(((size_t)s->st->obj_cnt + 1) * sizeof(*job->first));
	if (!job->first)
		return -ENOMEM;
	pool_for(s->in->pool, s->st->obj_cnt, 32, count_range, job);
	for (uint32_t k = 0; k < s->st->obj_cnt; k++) {
		uint32_t cnt = job->first[k];
		job->first[k] = s->merge_sec_cnt;
		s->merge_sec_cnt += cnt;
	}
	s->merge_secs = arena_alloc_array(s->arena, (size_t)s->merge_sec_cnt + 1, sizeof(*s->merge_secs), 64);
	job->listed = malloc(((size_t)s->merge_sec_cnt + 1) * sizeof(*job->listed));
	if (!s->merge_secs || !job->listed)
		return -ENOMEM;
	pool_for(s->in->pool, s->st->obj_cnt, 32, list_range, job);
	return atomic_load(&job->no_memory) ? -ENOMEM : 0;
}

/* ---- sets ---- */

static bool is_set(const struct merge_set *t, const struct set_key *key)
{
	return t->outsec == key->outsec && t->entsize == key->entsize && t->is_strings == key->is_strings &&
	       t->p2align == key->p2align;
}

/* The set of section I, made when new; sets are in order of their first sections. */
static uint32_t set_of(struct merge_job *job, uint32_t *cap, uint32_t i)
{
	struct sections *s = job->s;
	const struct set_key *key = &job->listed[i].key;
	uint32_t t = 0;
	while (t < s->merge_set_cnt && !is_set(&s->merge_sets[t], key))
		t++;
	if (t == *cap) {
		uint32_t n = *cap ? *cap * 2 : 16;
		struct merge_set *p = realloc(s->merge_sets, n * sizeof(*p));
		s->merge_sets = p ? p : s->merge_sets;
		uint64_t *most = p ? realloc(job->most, n * sizeof(*most)) : NULL;
		if (!most)
			return UINT32_MAX;
		job->most = most;
		*cap = n;
	}
	if (t == s->merge_set_cnt) {
		s->merge_sets[s->merge_set_cnt++] = (struct merge_set){
			.outsec = key->outsec, .is_strings = key->is_strings, .entsize = key->entsize, .p2align = key->p2align,
			.first = gsec(s->st, s->merge_secs[i].file, s->merge_secs[i].shndx),
		};
		job->most[t] = 0;
	}
	s->merge_sets[t].sec_cnt++;
	job->most[t] += job->listed[i].most;
	return t;
}

static int make_sets(struct merge_job *job)
{
	struct sections *s = job->s;
	uint32_t cap = 0;
	for (uint32_t i = 0; i < s->merge_sec_cnt; i++)
		if ((s->merge_secs[i].set = set_of(job, &cap, i)) == UINT32_MAX)
			return -ENOMEM;
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

/* ---- pieces ---- */

static void intern_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct merge_job *job = ctx;
	struct sections *s = job->s;
	(void)worker;
	for (size_t i = begin; i < end; i++) {
		const struct merge_sec *m = &s->merge_secs[i];
		if (object_intern_pieces(s->in->files[m->file].obj, m->shndx, m->pieces, s->in->strings))
			atomic_store(&job->no_memory, true);
	}
}

static int intern_pieces(struct merge_job *job)
{
	struct sections *s = job->s;
	size_t cnt = 0, fresh = atomic_load(&job->fresh);
	int rc = names_reserve(s->in->strings, fresh);
	if (rc)
		return rc;
	if (fresh)
		pool_for(s->in->pool, s->merge_sec_cnt, 8, intern_range, job);
	if (atomic_load(&job->no_memory))
		return -ENOMEM;
	for (uint32_t i = 0; i < s->merge_sec_cnt; i++)
		cnt += job->listed[i].piece_cnt;
	uint32_t *off = arena_alloc_raw_array(s->arena, cnt, sizeof(*off), 64);
	for (uint32_t i = 0; off && i < s->merge_sec_cnt; i++) {
		s->merge_secs[i].off = off;
		off += job->listed[i].piece_cnt;
	}
	return off ? 0 : -ENOMEM;
}

/* ---- offsets ---- */

static bool has_room(struct merge_job *job, struct table *t, bool far)
{
	if (!t->spots)
		t->spots = calloc((size_t)job->id_cnt + 1, sizeof(*t->spots));
	if (!t->far && far)
		t->far = malloc(((size_t)job->id_cnt + 1) * sizeof(*t->far));
	return t->spots && (t->far || !far);
}

/* Places the pieces of a section that none before it has, AT and on. */
static uint64_t place_near(const struct table *t, const struct merge_set *set, const struct merge_sec *m, uint64_t at)
{
	const struct pieces *pc = m->pieces;
	uint64_t mask = (UINT64_C(1) << set->p2align) - 1;
	for (uint32_t p = 0; p < pc->cnt; p++) {
		struct spot *spot = &t->spots[pc->id[p]];
		if (spot->turn != t->turn) {
			at = (at + mask) & ~mask;
			*spot = (struct spot){ t->turn, (uint32_t)at };
			at += pc->start ? pc->start[p + 1] - pc->start[p] : set->entsize;
		}
		m->off[p] = spot->off;
	}
	return (at + mask) & ~mask;
}

static uint64_t place_far(const struct table *t, const struct merge_set *set, const struct merge_sec *m, uint64_t at)
{
	const struct pieces *pc = m->pieces;
	uint64_t mask = (UINT64_C(1) << set->p2align) - 1;
	for (uint32_t p = 0; p < pc->cnt; p++) {
		name_id id = pc->id[p];
		if (t->spots[id].turn != t->turn) {
			t->spots[id].turn = t->turn;
			t->far[id] = at = (at + mask) & ~mask;
			at += pc->start ? pc->start[p + 1] - pc->start[p] : set->entsize;
		}
		m->far_off[p] = t->far[id];
	}
	return (at + mask) & ~mask;
}

static bool place_set(struct merge_job *job, uint32_t idx, struct table *t)
{
	struct sections *s = job->s;
	struct merge_set *set = &s->merge_sets[idx];
	bool far = job->most[idx] > UINT32_MAX; /* can offsets exceed 32 bits? */
	uint64_t at = 0;
	if (!has_room(job, t, far))
		return false;
	t->turn++;
	for (uint32_t i = 0; i < set->sec_cnt; i++) {
		struct merge_sec *m = &s->merge_secs[set->secs[i]];
		if (far && !(m->far_off = arena_alloc_array(s->arena, (size_t)m->pieces->cnt + 1, sizeof(*m->far_off), 8)))
			return false;
		set->sec_off[i] = at;
		at = far ? place_far(t, set, m, at) : place_near(t, set, m, at);
	}
	set->sec_off[set->sec_cnt] = set->sz = at;
	return true;
}

static void place_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct merge_job *job = ctx;
	unsigned last = pool_threads(job->s->in->pool);
	for (size_t i = begin; i < end; i++)
		if (!place_set(job, (uint32_t)i, &job->tables[i == job->largest ? last : worker]))
			atomic_store(&job->no_memory, true);
}

/* The table that the link before left, with room for this one's pieces. Without memory: NULL. */
static struct merge_table *take_kept(const struct merge_job *job)
{
	struct merge_table **place = job->s->in->merge_table, *k = place ? *place : NULL;
	uint32_t known = k && k->turn < UINT32_MAX ? k->cnt : 0;
	if (!place || known >= job->id_cnt)
		return k;
	if (!known) { /* none, or all numbers were given out */
		free(k);
		*place = k = calloc(1, sizeof(*k) + (size_t)job->id_cnt * sizeof(*k->spots));
	} else {
		k = realloc(k, sizeof(*k) + (size_t)job->id_cnt * sizeof(*k->spots));
		if (!k)
			return NULL;
		*place = k;
		memset(k->spots + known, 0, (job->id_cnt - known) * sizeof(*k->spots));
	}
	if (k)
		k->cnt = job->id_cnt;
	return k;
}

static int place_sets(struct merge_job *job)
{
	struct sections *s = job->s;
	unsigned workers = pool_threads(s->in->pool);
	job->id_cnt = names_cnt(s->in->strings);
	job->tables = calloc((size_t)workers + 1, sizeof(*job->tables));
	if (!job->tables)
		return -ENOMEM;
	for (uint32_t i = 1; i < s->merge_set_cnt; i++)
		job->largest = job->most[i] > job->most[job->largest] ? i : job->largest;
	struct merge_table *kept = s->merge_set_cnt ? take_kept(job) : NULL;
	struct table *own = &job->tables[workers];
	if (kept)
		*own = (struct table){ .spots = kept->spots, .turn = kept->turn };
	pool_for(s->in->pool, s->merge_set_cnt, 1, place_range, job);
	if (kept) {
		kept->turn = own->turn;
		own->spots = NULL;
	}
	for (unsigned w = 0; w <= workers; w++) {
		free(job->tables[w].spots);
		free(job->tables[w].far);
	}
	free(job->tables);
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
	int rc = list_sections(&job);
	if (!rc)
		rc = make_sets(&job);
	if (!rc)
		rc = intern_pieces(&job);
	if (!rc)
		rc = place_sets(&job);
	free(job.first);
	free(job.listed);
	free(job.most);
	return rc;
}
