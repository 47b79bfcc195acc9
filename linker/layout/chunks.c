/* chunks.c - which input sections an output section consists of, in command-line order by rank, and where each starts.
 *
 * Objects come in slabs, which threads take as they like. What one slab adds to one output section at one rank is a run: its
 * chunks follow each other in the output. A first walk over the rows of all objects counts the runs, so a second can put
 * each chunk where it belongs. It also places them within their run: after the first chunk of the run's strictest alignment,
 * which starts at a multiple of it, distances no longer depend on what lies before. Joining the runs is a short serial
 * walk, and a third walk adds their starts once addresses are known (chunks_settle).
 *
 * What the walks find of an object is kept with it (laid.h); where it is as it was, only sums and copies are left of them.
 *
 * Sections with an order of their own (arrays by priority, SHF_LINK_ORDER, --sort-section) are only listed here, with size
 * and alignment in their slots; members.c sorts and places them chunk by chunk.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "defs.h"
#include "laid.h"
#include "layout_priv.h"

#define SLABS 64u
#define TALLIES (UINT32_C(1) << 20)
enum { BATCH = 256 };

/* What a slab adds to an output section at a rank. */
struct tally {
	uint32_t cnt;
	uint32_t framed;       /* with FDEs */
	uint32_t relative;     /* with RELATIVE relocations */
	uint32_t p2align;      /* the strictest */
};

/* The same once it has a place. */
struct run {
	uint32_t first, cnt;   /* of the output section's chunks */
	uint32_t added;
	uint32_t head;         /* so many come before the first of the strictest alignment */
	uint8_t p2align;
	bool is_too_large;
	uint64_t sz;           /* bytes from that one on */
	uint64_t start;        /* where it is in the output section */
	uint32_t relative, relative_end; /* of layout->relatives */
	uint64_t relatives;    /* relocations */
	uint32_t framed;       /* chunks with FDEs so far */
	uint32_t fde_run, fde_run_end; /* of layout->fde_runs */
	uint32_t fdes;
};

/* The runs of an output section at one rank. */
struct bin {
	uint16_t outsec;
	uint32_t out;
	uint32_t *chunk, *chunk_file;
	bool by_chunk, is_alloc;
};

/* All of it is scratch: gone when the link is made. */
struct chunks {
	struct layout *l;
	uint32_t slab_cnt, outsec_cnt;
	struct tally *tallies; /* by slab, sections->outs index and rank */
	uint32_t *bin_of;      /* by sections->outs index and rank: index in bins; UINT32_MAX: nothing is there */
	struct bin *bins;      /* ascending */
	uint32_t bin_cnt;
	uint32_t *first_bin;   /* by sections->outs index, one more than there are */
	struct run *runs;      /* by slab and bin */
	uint32_t *merge_run;   /* by merge set: 1 + index of its run, and a bit: it is of the head; 0: no run */
	const struct laid **laid; /* by index in st->objs, while chunks are counted and listed; NULL: to be walked */
	struct object_product **retired; /* by worker: until chunks_done */
	bool has_frames;       /* .eh_frame_hdr has a table */
	_Atomic uint64_t pc_max; /* the highest offset of FDEs' code in its section, or more */
	atomic_bool no_memory;
};

static uint32_t slab_object(const struct chunks *c, uint64_t slab)
{
	return (uint32_t)(slab * c->l->st->obj_cnt / c->slab_cnt);
}

static uint32_t rank_bin(uint16_t outsec, outsec_rank rank)
{
	return outsec * RANKS + rank_listed(rank);
}

/* One row of an object that is a chunk. */
struct member {
	uint32_t gs;
	uint8_t state;         /* without what is not true of merged ones */
	uint8_t p2align;
	bool is_set;           /* SET stands for it, and for all the sections merged with it */
	uint32_t set;
	uint64_t sz;
	uint32_t bin;          /* before they were packed */
};

static uint8_t state_of(const struct layout *l, uint32_t gs)
{
	return atomic_load_explicit(&l->st->sec_state[gs], memory_order_relaxed);
}

/* ROW is live. false: it is no chunk of its own. */
static inline bool member_get(const struct layout *l, uint32_t file, const struct content_row *row, struct member *ret)
{
	const struct sections *s = l->s;
	uint32_t gs = l->st->sec_base[file] + row->sec;
	uint16_t outsec = atomic_load_explicit(&s->out_of[gs], memory_order_relaxed);
	*ret = (struct member){ .gs = gs, .state = state_of(l, gs), .sz = row->sz, .p2align = row->p2align,
				.bin = rank_bin(outsec, row->rank) };
	if (row->kind == ISEC_REGULAR)
		return true;
	if (row->kind == ISEC_EH_FRAME)
		return false; /* SYN_EH_FRAME stands for all of them */
	const struct merge_sec *m = row->kind == ISEC_MERGE ? merge_find(s, file, row->sec) : NULL;
	if (!m)
		return true;
	const struct merge_set *t = &s->merge_sets[m->set];
	*ret = (struct member){ .gs = gs, .state = SEC_LIVE, .is_set = true, .set = m->set, .sz = t->sz,
				.p2align = t->p2align, .bin = rank_bin(outsec, 0) };
	return &s->merge_secs[t->secs[0]] == m;
}

/* ---- counting ---- */

static inline void tally_add(struct tally *t, uint8_t state, uint32_t p2align)
{
	t->cnt++;
	t->framed += (state & SEC_FRAMES) != 0;
	t->relative += (state & SEC_RELATIVE) != 0;
	t->p2align = p2align > t->p2align ? p2align : t->p2align;
}

/* Tallies of one slab: those of the bins, and one for what is dead. Which is which cannot be predicted: no branches. */
static size_t slab_tallies(const struct chunks *c)
{
	return (size_t)c->outsec_cnt * RANKS + 1;
}

static void count_object(const struct chunks *c, uint32_t file, struct tally *tallies)
{
	const struct layout *l = c->l;
	const struct content *x = content_of(l->in->files[file].obj);
	uint32_t base = l->st->sec_base[file], dead = c->outsec_cnt * RANKS;
	const _Atomic uint8_t *states = l->st->sec_state + base;
	const _Atomic uint16_t *outs = l->s->out_of + base;
	for (const struct content_row *row = x->rows, *end = row + x->cnt; row < end; row++) {
		uint8_t state = atomic_load_explicit(&states[row->sec], memory_order_relaxed);
		uint32_t bin = rank_bin(atomic_load_explicit(&outs[row->sec], memory_order_relaxed), row->rank);
		struct member m;
		if (row->kind == ISEC_REGULAR)
			tally_add(&tallies[state & SEC_LIVE ? bin : dead], state, row->p2align);
		else if ((state & SEC_LIVE) && member_get(l, file, row, &m))
			tally_add(&tallies[m.bin], m.state, m.p2align);
	}
}

/* The bin, before they were packed, of what A has in B. */
static uint32_t laid_bin_of(const struct layout *l, uint32_t file, const struct laid *a, const struct laid_bin *b)
{
	uint32_t gs = l->st->sec_base[file] + a->chunks[b->first].sec;
	return rank_bin(atomic_load_explicit(&l->s->out_of[gs], memory_order_relaxed), b->rank);
}

static void count_laid(const struct chunks *c, uint32_t file, const struct laid *a, struct tally *tallies)
{
	for (const struct laid_bin *b = a->bins; b < a->bins + a->bin_cnt; b++) {
		struct tally *t = &tallies[laid_bin_of(c->l, file, a, b)];
		t->cnt += b->cnt;
		t->framed += b->framed;
		t->relative += b->relative;
		t->p2align = b->p2align > t->p2align ? b->p2align : t->p2align;
	}
}

static void count_slabs(void *ctx, size_t begin, size_t end, unsigned worker)
{
	const struct chunks *c = ctx;
	for (size_t i = begin; i < end; i++) {
		if (!i) { /* beside them, since one thread has to */
			members_number_live(c->l);
			continue;
		}
		size_t slab = i - 1;
		for (uint32_t k = slab_object(c, slab); k < slab_object(c, slab + 1); k++) {
			uint32_t file = c->l->st->objs[k];
			defs_prefetch(c->l, k, slab_object(c, slab + 1));
			c->laid[k] = laid_get(c->l, file, &c->retired[worker]);
			if (c->laid[k])
				count_laid(c, file, c->laid[k], c->tallies + slab * slab_tallies(c));
			else
				count_object(c, file, c->tallies + slab * slab_tallies(c));
		}
	}
}

int chunks_count(struct layout *l)
{
	struct chunks *c = arena_alloc(l->s->scratch, sizeof(*c), 0);
	if (!c)
		return -ENOMEM;
	c->l = l;
	c->outsec_cnt = l->s->out_cnt;
	uint32_t fit = TALLIES / (c->outsec_cnt * RANKS + 1);
	uint32_t want = pool_threads(l->in->pool) * 16 < SLABS ? pool_threads(l->in->pool) * 16 : SLABS;
	c->slab_cnt = fit > want ? want : fit < 4 ? 4 : fit;
	c->tallies = arena_alloc_array(l->s->scratch, c->slab_cnt * slab_tallies(c), sizeof(*c->tallies), 64);
	c->laid = arena_alloc_array(l->s->scratch, (size_t)l->st->obj_cnt + 1, sizeof(*c->laid), 8);
	c->retired = arena_alloc_array(l->s->scratch, pool_threads(l->in->pool), sizeof(*c->retired), 8);
	if (!c->tallies || !c->laid || !c->retired)
		return -ENOMEM;
	l->chunks = c;
	pool_for(l->in->pool, (size_t)c->slab_cnt + 1, 1, count_slabs, c);
	if (!l->live || !l->live_va)
		return -ENOMEM;
	for (uint32_t slab = 0; slab < c->slab_cnt; slab++)
		for (uint32_t b = 0; b < c->outsec_cnt * RANKS; b++)
			l->outs[l->out_index[b / RANKS]].chunk_cnt += c->tallies[slab * slab_tallies(c) + b].cnt;
	l->outs[0].chunk_cnt = 0; /* of .eh_frame, which has no place here */
	return 0;
}

/* ---- listing ---- */

/* Numbers the pairs of output section and rank that have chunks. */
static int pack_bins(struct chunks *c)
{
	size_t per = (size_t)c->outsec_cnt * RANKS;
	struct arena *a = c->l->s->scratch;
	c->bin_of = arena_alloc_array(a, per + 1, sizeof(*c->bin_of), 64);
	c->first_bin = arena_alloc_array(a, (size_t)c->outsec_cnt + 1, sizeof(*c->first_bin), 64);
	if (!c->bin_of || !c->first_bin)
		return -ENOMEM;
	for (size_t b = 0; b < per; b++) {
		bool is_used = false;
		for (uint32_t slab = 0; slab < c->slab_cnt && !is_used; slab++)
			is_used = c->tallies[slab * slab_tallies(c) + b].cnt;
		if (b % RANKS == 0)
			c->first_bin[b / RANKS] = c->bin_cnt;
		c->bin_of[b] = is_used && c->l->out_index[b / RANKS] ? c->bin_cnt++ : UINT32_MAX;
	}
	c->first_bin[c->outsec_cnt] = c->bin_cnt;
	c->bins = arena_alloc_array(a, (size_t)c->bin_cnt + 1, sizeof(*c->bins), 64);
	c->runs = arena_alloc_array(a, (size_t)c->slab_cnt * c->bin_cnt + 1, sizeof(*c->runs), 64);
	c->merge_run = arena_alloc_array(a, (size_t)c->l->s->merge_set_cnt + 1, sizeof(*c->merge_run), 64);
	return c->bins && c->runs && c->merge_run ? 0 : -ENOMEM;
}

/* How many are noted of so many chunks that follow each other. */
static uint32_t fde_run_cnt(const struct chunks *c, uint32_t framed)
{
	return c->has_frames ? framed / FDE_STEP + (framed % FDE_STEP > 0) : 0;
}

/* The runs of output section I follow what it has already; *RELATIVE and *FDE_RUN go on behind theirs. */
static void assign_runs(struct chunks *c, uint32_t i, uint32_t *relative, uint32_t *fde_run)
{
	struct out *o = &c->l->outs[i];
	if (o->outsec == OUT_NONE)
		return;
	uint32_t framed = 0;
	for (uint32_t b = o->outsec * RANKS; b < (o->outsec + 1) * RANKS; b++) {
		if (c->bin_of[b] == UINT32_MAX)
			continue;
		struct bin *bin = &c->bins[c->bin_of[b]];
		*bin = (struct bin){ o->outsec, i, o->chunk, o->chunk_file, o->by_chunk, o->flags & SHF_ALLOC };
		for (uint32_t slab = 0; slab < c->slab_cnt; slab++) {
			const struct tally *t = &c->tallies[slab * slab_tallies(c) + b];
			struct run *r = &c->runs[(size_t)slab * c->bin_cnt + c->bin_of[b]];
			r->first = o->chunk_cnt;
			r->cnt = t->cnt;
			r->p2align = (uint8_t)t->p2align;
			r->is_too_large = t->p2align > CHUNK_P2ALIGN_MAX;
			r->relative = r->relative_end = *relative;
			r->fde_run = r->fde_run_end = *fde_run;
			o->chunk_cnt += t->cnt;
			*relative += bin->is_alloc ? t->relative : 0;
			*fde_run += o->by_chunk ? 0 : fde_run_cnt(c, t->framed);
			framed += t->framed;
		}
	}
	*fde_run += o->by_chunk ? fde_run_cnt(c, framed) : 0;
}

/* Is the order of its chunks, or something else about it, more than runs can express? */
static bool is_by_chunk(const struct chunks *c, const struct out *o)
{
	if (c->l->in->opt->sort_section != SORT_SECTION_NONE || (o->flags & SHF_LINK_ORDER))
		return true;
	if (o->type == SHT_INIT_ARRAY || o->type == SHT_FINI_ARRAY || o->type == SHT_PREINIT_ARRAY)
		return true;
	return o->outsec != OUT_NONE && c->bin_of[o->outsec * RANKS + RANKS - 1] != UINT32_MAX;
}

static void raise_pc_max(struct chunks *c, uint64_t pc)
{
	uint64_t old = atomic_load_explicit(&c->pc_max, memory_order_relaxed);
	while (pc > old && !atomic_compare_exchange_weak(&c->pc_max, &old, pc))
		;
}

/* The FDEs of a section, where its object's counts do not tell. */
static uint32_t count_fdes(struct chunks *c, uint32_t file, uint32_t sec)
{
	struct eh_range r = ehframe_of(c->l->s, file, sec);
	for (uint32_t i = r.begin; i < r.end; i++)
		raise_pc_max(c, r.eh->frames->fdes[r.eh->frames->by_sec[i]].pc);
	return r.end - r.begin;
}

/* Places a chunk within its run, or leaves its size and alignment to who places it. */
static inline void place_member(struct chunks *c, struct run *r, const struct bin *bin, const struct member *m)
{
	uint64_t *at = m->is_set ? &c->l->merge_va[m->set] : section_slot(c->l, m->gs);
	bool is_head = r->head == r->added && m->p2align < r->p2align;
	if (m->is_set && !bin->by_chunk)
		c->merge_run[m->set] = (uint32_t)(r - c->runs + 1) << 1 | is_head;
	if (bin->by_chunk || is_head) {
		*at = chunk_pack(m->sz, m->p2align);
		r->head++;
		return;
	}
	r->is_too_large |= r->sz > CHUNK_SZ_MAX || m->sz > CHUNK_SZ_MAX;
	if (r->is_too_large)
		return;
	*at = align_up(r->sz, UINT64_C(1) << m->p2align);
	r->sz = *at + m->sz;
}

/* Notes what is counted along the chunks: M is chunk I, with FDES. */
static inline void note_member(struct chunks *c, struct run *r, const struct bin *bin, uint32_t i, const struct member *m,
			       uint32_t fdes)
{
	struct layout *l = c->l;
	if ((m->state & SEC_RELATIVE) && bin->is_alloc) {
		l->relatives[r->relative_end++] = (struct relative_run){ bin->out, false, i, r->relatives };
		r->relatives += l->s->rel_relative[m->gs];
	}
	if (!c->has_frames || !(m->state & SEC_FRAMES))
		return;
	if (r->framed++ % FDE_STEP == 0)
		l->fde_runs[r->fde_run_end++] = (struct fde_run){ bin->out, i, r->fdes };
	r->fdes += fdes < DEFS_MANY ? fdes : count_fdes(c, bin->chunk_file[i], m->gs - l->st->sec_base[bin->chunk_file[i]]);
}

static inline void list_member(struct chunks *c, struct run *runs, uint32_t file, const struct member *m, uint32_t fdes)
{
	uint32_t b = c->bin_of[m->bin];
	if (b == UINT32_MAX)
		return;
	const struct bin *bin = &c->bins[b];
	struct run *r = &runs[b];
	uint32_t i = r->first + r->added;
	bin->chunk[i] = m->is_set ? CHUNK_MERGE | m->set : m->gs;
	bin->chunk_file[i] = m->is_set ? 0 : file;
	place_member(c, r, bin, m);
	r->added++;
	if (!bin->by_chunk)
		note_member(c, r, bin, i, m, fdes);
}

/* The live rows of X from *AT on, as indices; dead ones are mixed with them beyond prediction. */
static uint32_t live_rows(const struct layout *l, uint32_t base, const struct content *x, uint32_t *at, uint32_t rows[BATCH])
{
	uint32_t n = 0, end = x->cnt - *at < BATCH ? x->cnt : *at + BATCH;
	for (uint32_t k = *at; k < end; k++) {
		rows[n] = k;
		n += state_of(l, base + x->rows[k].sec) & SEC_LIVE;
	}
	*at = end;
	return n;
}

static void list_object(struct chunks *c, struct run *runs, uint32_t file)
{
	struct layout *l = c->l;
	const struct content *x = content_of(l->in->files[file].obj);
	const struct defs *d = defs_get(l, file);
	bool is_counted = d && d->frames_sec == l->s->eh[file].frames->sec;
	uint32_t rows[BATCH];
	struct member m;
	if (!d)
		atomic_store(&c->no_memory, true);
	if (c->has_frames && is_counted)
		raise_pc_max(c, d->pc_max);
	for (uint32_t at = 0; at < x->cnt;)
		for (uint32_t n = live_rows(l, l->st->sec_base[file], x, &at, rows), i = 0; i < n; i++)
			if (member_get(l, file, &x->rows[rows[i]], &m))
				list_member(c, runs, file, &m, is_counted ? d->fde_cnt[rows[i]] : DEFS_MANY);
}

/* ---- the same of what is laid ---- */

/* Places chunks [BEGIN, END) of B, the next ones of R, one by one. */
static void place_each(struct chunks *c, struct run *r, const struct bin *bin, uint32_t file, const struct laid *a,
		       const struct laid_bin *b, uint32_t begin, uint32_t end)
{
	const struct content_row *rows = content_of(c->l->in->files[file].obj)->rows;
	for (uint32_t i = begin; i < end; i++) {
		const struct laid_chunk *x = &a->chunks[b->first + i];
		place_member(c, r, bin, &(struct member){ .gs = c->l->st->sec_base[file] + x->sec, .sz = rows[x->row].sz,
							  .p2align = rows[x->row].p2align });
		r->added++;
	}
}

/* Places all of B behind what R has: together from the first of B's strictest alignment on, unless that is one of the head. */
static void place_laid(struct chunks *c, struct run *r, const struct bin *bin, uint32_t file, const struct laid *a,
		       const struct laid_bin *b)
{
	if (bin->by_chunk || (r->head == r->added && b->p2align < r->p2align)) {
		place_each(c, r, bin, file, a, b, 0, b->cnt);
		return;
	}
	place_each(c, r, bin, file, a, b, 0, b->head);
	r->added += b->cnt - b->head;
	r->is_too_large |= r->sz > CHUNK_SZ_MAX;
	if (r->is_too_large)
		return;
	uint32_t base = c->l->st->sec_base[file];
	uint64_t start = align_up(r->sz, UINT64_C(1) << b->p2align);
	for (const struct laid_chunk *x = a->chunks + b->first + b->head; x < a->chunks + b->first + b->cnt; x++)
		*section_slot(c->l, base + x->sec) = start + x->off;
	r->sz = start + b->sz;
}

/* As note_member, for all of B: chunk AT is its first. */
static void note_laid(struct chunks *c, struct run *r, const struct bin *bin, const struct laid *a,
		      const struct laid_bin *b, uint32_t at)
{
	struct layout *l = c->l;
	const struct laid_relative *relatives = a->relatives + b->relative_first;
	const struct laid_frames *frames = a->frames + b->framed_first;
	for (uint32_t i = 0; i < b->relative && bin->is_alloc; i++) {
		uint32_t chunk = at + relatives[i].at, cnt = l->s->rel_relative[bin->chunk[chunk]];
		bool is_blank = cnt && cnt == relatives[i].blank;
		l->relatives[r->relative_end++] = (struct relative_run){ bin->out, is_blank, chunk, r->relatives };
		r->relatives += cnt;
	}
	if (!c->has_frames)
		return;
	for (uint32_t i = (FDE_STEP - r->framed % FDE_STEP) % FDE_STEP; i < b->framed; i += FDE_STEP)
		l->fde_runs[r->fde_run_end++] = (struct fde_run){ bin->out, at + frames[i].at, r->fdes + frames[i].before };
	r->framed += b->framed;
	r->fdes += b->fdes;
}

static void list_laid(struct chunks *c, struct run *runs, uint32_t file, const struct laid *a)
{
	uint32_t base = c->l->st->sec_base[file];
	if (c->has_frames)
		raise_pc_max(c, defs_of(c->l->in->files[file].obj)->pc_max); /* making A needed it */
	for (const struct laid_bin *b = a->bins; b < a->bins + a->bin_cnt; b++) {
		uint32_t n = c->bin_of[laid_bin_of(c->l, file, a, b)];
		if (n == UINT32_MAX)
			continue;
		struct run *r = &runs[n];
		const struct bin *bin = &c->bins[n];
		uint32_t at = r->first + r->added;
		for (uint32_t i = 0; i < b->cnt; i++)
			bin->chunk[at + i] = base + a->chunks[b->first + i].sec;
		for (uint32_t i = 0; i < b->cnt; i++)
			bin->chunk_file[at + i] = file;
		place_laid(c, r, bin, file, a, b);
		if (!bin->by_chunk)
			note_laid(c, r, bin, a, b, at);
	}
}

static void list_slabs(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct chunks *c = ctx;
	(void)worker;
	for (size_t slab = begin; slab < end; slab++)
		for (uint32_t k = slab_object(c, slab); k < slab_object(c, slab + 1); k++) {
			defs_prefetch(c->l, k, slab_object(c, slab + 1));
			if (c->laid[k])
				list_laid(c, c->runs + slab * c->bin_cnt, c->l->st->objs[k], c->laid[k]);
			else
				list_object(c, c->runs + slab * c->bin_cnt, c->l->st->objs[k]);
		}
}

int chunks_list(struct layout *l)
{
	struct chunks *c = l->chunks;
	uint32_t relative = 0, fde_run = 0;
	if (pack_bins(c))
		return -ENOMEM;
	c->has_frames = l->syn_out[SYN_EH_FRAME_HDR] && !l->s->eh_has_unknown;
	for (uint32_t i = 1; i < l->out_cnt; i++) {
		l->outs[i].by_chunk = is_by_chunk(c, &l->outs[i]);
		assign_runs(c, i, &relative, &fde_run);
	}
	l->relative_cnt = relative;
	l->fde_run_cnt = fde_run;
	l->relatives = arena_alloc_array(l->arena, (size_t)relative + 1, sizeof(*l->relatives), 8);
	l->fde_runs = arena_alloc_array(l->arena, (size_t)fde_run + 1, sizeof(*l->fde_runs), 8);
	if (!l->relatives || !l->fde_runs)
		return -ENOMEM;
	pool_for(l->in->pool, c->slab_cnt, 1, list_slabs, c);
	return atomic_load(&c->no_memory) ? -ENOMEM : 0;
}

void chunks_done(struct layout *l)
{
	struct chunks *c = l->chunks;
	for (unsigned w = 0; c && c->retired && w < pool_threads(l->in->pool); w++) {
		object_products_free(c->retired[w]);
		c->retired[w] = NULL;
	}
}

/* ---- joining ---- */

/* The runs of O, in the order of its chunks, from bin and slab *AT on; NULL behind the last. */
struct run_at {
	uint32_t bin, slab;
};
static struct run *next_run(const struct chunks *c, const struct out *o, struct run_at *at)
{
	for (; at->bin < c->first_bin[o->outsec + 1]; at->bin++, at->slab = 0)
		if (at->slab < c->slab_cnt)
			return &c->runs[(size_t)at->slab++ * c->bin_cnt + at->bin];
	return NULL;
}

int chunks_join(struct layout *l, struct out *o, uint64_t *at)
{
	struct chunks *c = l->chunks;
	struct run_at pos = { o->outsec == OUT_NONE ? 0 : c->first_bin[o->outsec], 0 };
	struct run *r;
	while (o->outsec != OUT_NONE && (r = next_run(c, o, &pos))) {
		if (!r->cnt)
			continue;
		int rc = members_place(l, o, r->first, r->first + r->head, at);
		if (rc)
			return rc;
		if (r->is_too_large || *at > CHUNK_SZ_MAX)
			return members_too_large(l, o);
		r->start = align_up(*at, UINT64_C(1) << r->p2align);
		*at = r->start + r->sz;
		if (*at > CHUNK_SZ_MAX)
			return members_too_large(l, o);
		o->p2align = r->p2align > o->p2align ? r->p2align : o->p2align;
	}
	return 0;
}

/* What is counted along the chunks, in layout order. */
struct tour {
	uint64_t relatives;
	uint32_t relative, fdes, fde_run;
};

static void number_run(struct chunks *c, const struct run *r, struct tour *t)
{
	struct layout *l = c->l;
	for (uint32_t i = r->relative; i < r->relative_end; i++)
		l->relatives[i].before += t->relatives;
	for (uint32_t i = r->fde_run; i < r->fde_run_end; i++)
		l->fde_runs[i].before += t->fdes;
	t->relatives += r->relatives;
	t->fdes += r->fdes;
	t->relative = r->relative_end;
	t->fde_run = r->fde_run_end;
}

/* The same for a section that was placed chunk by chunk. */
static void number_chunks(struct chunks *c, uint32_t out, struct tour *t)
{
	struct layout *l = c->l;
	const struct out *o = &l->outs[out];
	uint32_t framed = 0;
	for (uint32_t i = 0; i < o->chunk_cnt; i++) {
		uint32_t gs = o->chunk[i], file = o->chunk_file[i];
		if (gs & (CHUNK_SYN | CHUNK_MERGE))
			continue;
		if ((o->flags & SHF_ALLOC) && sec_is(l->st, gs, SEC_RELATIVE) && l->s->rel_relative[gs]) {
			l->relatives[t->relative++] = (struct relative_run){ out, false, i, t->relatives };
			t->relatives += l->s->rel_relative[gs];
		}
		if (!c->has_frames || !sec_is(l->st, gs, SEC_FRAMES))
			continue;
		if (framed++ % FDE_STEP == 0)
			l->fde_runs[t->fde_run++] = (struct fde_run){ out, i, t->fdes };
		t->fdes += count_fdes(c, file, gs - l->st->sec_base[file]);
	}
}

void chunks_number(struct layout *l)
{
	struct chunks *c = l->chunks;
	struct tour t = { 0 };
	for (uint32_t i = 1; i < l->out_cnt; i++) {
		const struct out *o = &l->outs[i];
		struct run_at at = { o->outsec == OUT_NONE ? 0 : c->first_bin[o->outsec], 0 };
		const struct run *r;
		if (o->by_chunk)
			number_chunks(c, i, &t);
		else
			while (o->outsec != OUT_NONE && (r = next_run(c, o, &at)))
				number_run(c, r, &t);
	}
}

bool chunks_frames_fit(const struct layout *l)
{
	const uint64_t limit = UINT64_C(1) << 31;
	uint64_t span = l->image_end - l->image_base, pc_max = atomic_load(&l->chunks->pc_max);
	return span < limit && pc_max < limit && span + pc_max < limit;
}

/* ---- addresses ---- */

/* Merge sets first: objects of all slabs have symbols in them. */
void chunks_settle_shared(struct layout *l)
{
	const struct chunks *c = l->chunks;
	for (uint32_t i = 1; i < l->out_cnt; i++) {
		const struct out *o = &l->outs[i];
		for (uint32_t k = 0; k < o->chunk_cnt && o->by_chunk; k++) {
			if (o->chunk[k] & CHUNK_MERGE)
				l->merge_va[o->chunk[k] & CHUNK_INDEX] += o->va;
			else if (!(o->chunk[k] & CHUNK_SYN))
				*section_slot(l, o->chunk[k]) += o->va;
		}
	}
	for (uint32_t i = 0; i < l->s->merge_set_cnt; i++) {
		uint32_t at = c->merge_run[i] >> 1;
		if (!at)
			continue;
		bool is_head = c->merge_run[i] & 1;
		l->merge_va[i] += l->outs[c->bins[(at - 1) % c->bin_cnt].out].va + (is_head ? 0 : c->runs[at - 1].start);
	}
}

uint32_t chunks_slabs(const struct layout *l)
{
	return l->chunks->slab_cnt;
}

void chunks_settle(struct layout *l, uint32_t slab, uint32_t *ret_first, uint32_t *ret_end)
{
	const struct chunks *c = l->chunks;
	for (uint32_t b = 0; b < c->bin_cnt; b++) {
		const struct bin *bin = &c->bins[b];
		const struct run *r = &c->runs[(size_t)slab * c->bin_cnt + b];
		uint64_t va = l->outs[bin->out].va;
		for (uint32_t i = 0; i < r->cnt && !bin->by_chunk; i++) {
			uint32_t chunk = bin->chunk[r->first + i];
			if (!(chunk & CHUNK_MERGE))
				*section_slot(l, chunk) += i < r->head ? va : va + r->start;
		}
	}
	*ret_first = slab_object(c, slab);
	*ret_end = slab_object(c, slab + 1);
}
