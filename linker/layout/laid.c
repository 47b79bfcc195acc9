/* laid.c - makes and keeps the chunks of an object (laid.h): the same placing as chunks.c has for what it walks. */
#include "laid.h"

#include <stdlib.h>
#include <string.h>

#include "defs.h"
#include "layout_priv.h"
#include "pointers.h"

#define LAID_SZ_MAX (UINT64_C(1) << 40) /* of a bin: larger ones are walked, where overflow is looked for */

/* While it is made: a row that is a chunk, and its bin. */
struct pick {
	uint32_t row, bin;
};
struct making {
	const struct layout *l;
	const struct object *o;
	const struct content *x;
	const struct defs *d;
	uint32_t file, base;
	struct pick *picks;
	uint32_t cnt, framed, relative;
	struct laid_bin *bins; /* with FIRST as the output section until chunks are placed */
	uint32_t bin_cnt, bin_cap, last;
	uint32_t table; /* where the object's tables of pointers were looked at */
	bool no_memory;
};

static struct laid *laid_of(const struct object *o)
{
	return (struct laid *)(void *)atomic_load_explicit(&o->laid, memory_order_acquire); /* its first member */
}

static uint8_t state_of(const struct making *m, uint32_t sec)
{
	return atomic_load_explicit(&m->l->st->sec_state[m->base + sec], memory_order_relaxed);
}

static uint32_t merged_cnt(const struct sections *s, uint32_t file)
{
	return s->merge_of[file].end - s->merge_of[file].first;
}

/* Does a merged section of FILE stand for its set? */
static bool leads_set(const struct sections *s, uint32_t file)
{
	for (uint32_t i = s->merge_of[file].first; i < s->merge_of[file].end; i++)
		if (s->merge_sets[s->merge_secs[i].set].secs[0] == i)
			return true;
	return false;
}

static uint32_t bin_of(struct making *m, uint32_t out, outsec_rank rank)
{
	if (m->bin_cnt && m->bins[m->last].first == out && m->bins[m->last].rank == rank)
		return m->last;
	for (m->last = 0; m->last < m->bin_cnt; m->last++)
		if (m->bins[m->last].first == out && m->bins[m->last].rank == rank)
			return m->last;
	if (m->bin_cnt == m->bin_cap) {
		uint32_t cap = m->bin_cap ? m->bin_cap * 2 : 16;
		struct laid_bin *p = realloc(m->bins, cap * sizeof(*p));
		m->no_memory |= !p;
		m->last = 0;
		if (!p)
			return 0;
		m->bins = p;
		m->bin_cap = cap;
	}
	m->bins[m->bin_cnt] = (struct laid_bin){ .rank = rank, .first = out };
	return m->last = m->bin_cnt++;
}

/* The rows that are chunks, and what their bins have. */
static void pick_rows(struct making *m)
{
	for (uint32_t i = 0; i < m->x->cnt && !m->no_memory; i++) {
		const struct content_row *row = &m->x->rows[i];
		uint8_t state = state_of(m, row->sec);
		if (!(state & SEC_LIVE) || row->kind == ISEC_EH_FRAME ||
		    (row->kind == ISEC_MERGE && merge_find(m->l->s, m->file, row->sec)))
			continue;
		uint32_t out = atomic_load_explicit(&m->l->s->out_of[m->base + row->sec], memory_order_relaxed);
		uint32_t b = bin_of(m, out, rank_listed(row->rank));
		if (m->no_memory)
			return;
		m->picks[m->cnt++] = (struct pick){ i, b };
		m->bins[b].cnt++;
		m->bins[b].p2align = row->p2align > m->bins[b].p2align ? row->p2align : m->bins[b].p2align;
		m->bins[b].framed += (state & SEC_FRAMES) != 0;
		m->bins[b].relative += (state & SEC_RELATIVE) != 0;
		m->framed += (state & SEC_FRAMES) != 0;
		m->relative += (state & SEC_RELATIVE) != 0;
	}
}

static uint32_t fde_cnt(const struct making *m, uint32_t row)
{
	if (m->d->fde_cnt[row] < DEFS_MANY)
		return m->d->fde_cnt[row];
	struct eh_range r = ehframe_of(m->l->s, m->file, m->x->rows[row].sec);
	return r.end - r.begin;
}

/* laid_relative.blank of a section. */
static uint32_t blank_cnt(struct making *m, uint32_t sec)
{
	const struct pointers *p = m->l->in->arch->is_rela ? pointers_of(m->o) : NULL;
	const struct pointer_table *t = p ? pointers_find(p, sec, &m->table) : NULL;
	return t && t->is_blank ? t->cnt : 0;
}

/* The next chunk of B: AT[0] chunks, AT[1] with frames and AT[2] with relocations are there. */
static void place(struct making *m, struct laid_bin *b, uint32_t at[3], uint32_t row, struct laid_chunk *chunks,
		  struct laid_frames *frames, struct laid_relative *relatives)
{
	const struct content_row *x = &m->x->rows[row];
	uint8_t state = state_of(m, x->sec);
	uint64_t off = 0;
	if (b->head == at[0] && x->p2align < b->p2align) {
		b->head++;
	} else {
		off = align_up(b->sz, UINT64_C(1) << x->p2align);
		b->sz = off + x->sz;
	}
	if (state & SEC_FRAMES) {
		frames[b->framed_first + at[1]++] = (struct laid_frames){ at[0], b->fdes };
		b->fdes += fde_cnt(m, row);
	}
	if (state & SEC_RELATIVE)
		relatives[b->relative_first + at[2]++] = (struct laid_relative){ at[0], blank_cnt(m, x->sec) };
	chunks[b->first + at[0]++] = (struct laid_chunk){ x->sec, row, off };
}

static struct laid *lay_out(struct making *m)
{
	uint32_t sec_cnt = m->o->sec_cnt, chunk = 0, framed = 0, relative = 0;
	size_t sz = sizeof(struct laid) + m->cnt * sizeof(struct laid_chunk) + m->bin_cnt * sizeof(struct laid_bin) +
		    m->framed * sizeof(struct laid_frames) + m->relative * sizeof(struct laid_relative) + sec_cnt;
	struct laid *a = malloc(sz);
	uint32_t(*at)[3] = calloc((size_t)m->bin_cnt + 1, sizeof(*at));
	if (!a || !at) {
		free(at);
		free(a);
		return NULL;
	}
	struct laid_chunk *chunks = (struct laid_chunk *)(void *)(a + 1);
	struct laid_bin *bins = (struct laid_bin *)(void *)(chunks + m->cnt);
	struct laid_frames *frames = (struct laid_frames *)(void *)(bins + m->bin_cnt);
	struct laid_relative *relatives = (struct laid_relative *)(void *)(frames + m->framed);
	*a = (struct laid){ .product.sz = sz, .sec_cnt = sec_cnt, .frames_sec = m->d->frames_sec,
			    .merged_cnt = merged_cnt(m->l->s, m->file),
			    .states = (uint8_t *)(relatives + m->relative), .bin_cnt = m->bin_cnt, .bins = bins,
			    .chunks = chunks, .frames = frames, .relatives = relatives };
	memcpy((uint8_t *)(relatives + m->relative), (const void *)(m->l->st->sec_state + m->base), sec_cnt);
	for (uint32_t b = 0; b < m->bin_cnt; b++) {
		bins[b] = m->bins[b];
		bins[b].first = chunk;
		bins[b].framed_first = framed;
		bins[b].relative_first = relative;
		chunk += bins[b].cnt;
		framed += bins[b].framed;
		relative += bins[b].relative;
	}
	bool is_large = false;
	for (uint32_t i = 0; i < m->cnt && !is_large; i++) {
		struct laid_bin *b = &bins[m->picks[i].bin];
		const struct content_row *row = &m->x->rows[m->picks[i].row];
		is_large = row->p2align > CHUNK_P2ALIGN_MAX || row->sz > LAID_SZ_MAX || b->sz > LAID_SZ_MAX;
		if (!is_large)
			place(m, b, at[m->picks[i].bin], m->picks[i].row, chunks, frames, relatives);
	}
	free(at);
	if (!is_large)
		return a;
	free(a);
	return NULL;
}

const struct laid *laid_get(const struct layout *l, uint32_t file, struct object_product **retired)
{
	struct object *o = l->in->files[file].obj;
	uint32_t frames_sec = l->s->eh[file].frames->sec;
	struct laid *a = laid_of(o);
	const uint32_t base = l->st->sec_base[file];
	if (!l->in->kept || leads_set(l->s, file))
		return NULL;
	if (a && a->frames_sec == frames_sec && a->merged_cnt == merged_cnt(l->s, file) &&
	    !memcmp(a->states, (const void *)(l->st->sec_state + base), a->sec_cnt))
		return a;
	struct making m = { .l = l, .o = o, .x = content_of(o), .d = defs_get(l, file), .file = file, .base = base };
	if (!m.d || m.d->frames_sec != frames_sec)
		return NULL;
	m.picks = malloc(((size_t)m.x->cnt + 1) * sizeof(*m.picks));
	m.no_memory = !m.picks;
	pick_rows(&m);
	a = m.no_memory ? NULL : lay_out(&m);
	free(m.picks);
	free(m.bins);
	if (!a)
		return NULL;
	object_products_retire(atomic_exchange(&o->laid, &a->product), retired);
	return a;
}
