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

/* Where a set's pieces are, while a worker lays it out. */
struct table {
	uint32_t *set;   /* by piece id: 1 + the set that OFF is of */
	uint64_t *off;   /* in the set's chunk */
};

struct merge_job {
	struct sections *s;
	struct table *tables; /* by worker, made when first needed */
	uint32_t id_cnt;
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

bool merge_offset_near(const struct sections *s, const struct merge_sec *m, uint64_t off, uint32_t *at, uint64_t *ret_off)
{
	const struct isec *is = sec_of(s, m);
	const struct pieces *pc = m->pieces;
	uint32_t p = *at < pc->cnt ? *at : 0;
	if (off > is->sz || !pc->cnt)
		return false;
	if (!pc->start) {
		p = (uint32_t)(off / is->entsize);
		if (p >= pc->cnt)
			p = pc->cnt - 1;
	} else {
		uint32_t hi = pc->cnt; /* the last piece that starts at or before OFF: this one, the next, or further away */
		if (pc->start[p] > off) {
			hi = p;
			p = 0;
		} else if (p + 1 < hi && pc->start[p + 1] > off) {
			hi = p + 1;
		} else if (p + 2 < hi && pc->start[p + 2] > off) {
			hi = p + 2;
			p++;
		}
		while (hi - p > 1) {
			uint32_t mid = p + (hi - p) / 2;
			if (pc->start[mid] <= off)
				p = mid;
			else
				hi = mid;
		}
	}
	*at = p;
	*ret_off = merge_piece_off(m, p) + (off - piece_start(s, m, p));
	return true;
}

bool merge_offset(const struct sections *s, const struct merge_sec *m, uint64_t off, uint64_t *ret_off)
{
	uint32_t at = 0;
	return merge_offset_near(s, m, off, &at, ret_off);
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

static int split_sections(struct merge_job *job)
{
	struct sections *s = job->s;
	size_t cnt = 0, fresh = 0;
	pool_for(s->in->pool, s->merge_sec_cnt, 8, split_range, job);
	if (atomic_load(&job->no_memory))
		return -ENOMEM;
	for (uint32_t i = 0; i < s->merge_sec_cnt; i++) {
		const struct pieces *p = s->merge_secs[i].pieces;
		cnt += p->cnt;
		fresh += atomic_load_explicit(&p->is_interned, memory_order_relaxed) ? 0 : p->cnt;
	}
	int rc = names_reserve(s->in->strings, fresh);
	if (rc)
		return rc;
	if (fresh)
		pool_for(s->in->pool, s->merge_sec_cnt, 8, intern_range, job);
	if (atomic_load(&job->no_memory))
		return -ENOMEM;
	uint32_t *off = arena_alloc_array(s->arena, cnt, sizeof(*off), 64);
	for (uint32_t i = 0; off && i < s->merge_sec_cnt; i++) {
		s->merge_secs[i].off = off;
		off += s->merge_secs[i].pieces->cnt;
	}
	return off ? 0 : -ENOMEM;
}

/* ---- offsets ---- */

static struct table *table_of(struct merge_job *job, unsigned worker)
{
	struct table *t = &job->tables[worker];
	if (!t->set)
		t->set = calloc((size_t)job->id_cnt + 1, sizeof(*t->set));
	if (!t->off)
		t->off = malloc(((size_t)job->id_cnt + 1) * sizeof(*t->off));
	return t->set && t->off ? t : NULL;
}

/* Can offsets exceed 32 bits? */
static bool is_far(const struct sections *s, const struct merge_set *set)
{
	uint64_t most = 0;
	for (uint32_t i = 0; i < set->sec_cnt; i++) {
		const struct merge_sec *m = &s->merge_secs[set->secs[i]];
		most += sec_of(s, m)->sz + (((uint64_t)m->pieces->cnt + 1) << set->p2align);
	}
	return most > UINT32_MAX;
}

/* Places the pieces of a section that none before it has. */
static uint64_t place_pieces(const struct sections *s, const struct table *t, struct merge_sec *m, uint64_t at)
{
	const struct pieces *pc = m->pieces;
	uint64_t align = UINT64_C(1) << s->merge_sets[m->set].p2align, entsize = sec_of(s, m)->entsize;
	for (uint32_t p = 0; p < pc->cnt; p++) {
		name_id id = pc->id[p];
		if (t->set[id] != m->set + 1) {
			t->set[id] = m->set + 1;
			t->off[id] = at = (at + align - 1) & ~(align - 1);
			at += pc->start ? pc->start[p + 1] - pc->start[p] : entsize;
		}
		if (m->far_off)
			m->far_off[p] = t->off[id];
		else
			m->off[p] = (uint32_t)t->off[id];
	}
	return (at + align - 1) & ~(align - 1);
}

static bool place_set(struct merge_job *job, uint32_t idx, const struct table *t)
{
	struct sections *s = job->s;
	struct merge_set *set = &s->merge_sets[idx];
	bool far = is_far(s, set);
	uint64_t at = 0;
	for (uint32_t i = 0; i < set->sec_cnt; i++) {
		struct merge_sec *m = &s->merge_secs[set->secs[i]];
		if (far && !(m->far_off = arena_alloc_array(s->arena, (size_t)m->pieces->cnt + 1, sizeof(*m->far_off), 8)))
			return false;
		set->sec_off[i] = at;
		at = place_pieces(s, t, m, at);
	}
	set->sec_off[set->sec_cnt] = set->sz = at;
	return true;
}

static void place_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct merge_job *job = ctx;
	const struct table *t = table_of(job, worker);
	for (size_t i = begin; i < end; i++)
		if (!t || !place_set(job, (uint32_t)i, t))
			atomic_store(&job->no_memory, true);
}

static int place_sets(struct merge_job *job)
{
	struct sections *s = job->s;
	unsigned workers = pool_threads(s->in->pool);
	job->id_cnt = names_cnt(s->in->strings);
	job->tables = calloc(workers, sizeof(*job->tables));
	if (!job->tables)
		return -ENOMEM;
	pool_for(s->in->pool, s->merge_set_cnt, 1, place_range, job);
	for (unsigned w = 0; w < workers; w++) {
		free(job->tables[w].set);
		free(job->tables[w].off);
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
	int rc = list_sections(s);
	if (!rc)
		rc = list_by_set(s);
	if (!rc)
		rc = split_sections(&job);
	if (!rc)
		rc = place_sets(&job);
	return rc;
}
