/* members.c - the chunks of each output section: input sections in command-line order (by rank first), merge sets where
 * their first section stood, synthetic sections at the front of an output section they share.
 *
 * A counting pass, a filling pass, and a stable sort only where ranks differ. Offsets within the section follow from
 * sizes and alignments; addresses come later.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "layout_priv.h"

static const struct isec *isec_of(const struct layout *l, uint32_t file, uint32_t gs)
{
	return &l->in->files[file].obj->secs[gs - l->st->sec_base[file]];
}

#define SLABS 64u

/* Chunks are listed in two parallel walks over slabs of objects: the first counts what each adds to each output section,
 * which says where the second puts it, so that they end up in command-line order. */
struct listing {
	struct layout *l;
	uint32_t outsec_cnt;
	uint32_t *at; /* by slab and sections->outs index: how many, then where */
	bool is_adding;
};

/* Size and alignment of a live section in one word, which stands in its slot until it is placed; no section has 2^58 bytes
 * (input/object.c). */
static uint64_t pack_size(uint64_t sz, uint8_t p2align)
{
	return sz << 6 | p2align;
}

static void list_object(const struct listing *w, uint32_t k, uint32_t *at)
{
	const struct layout *l = w->l;
	const struct sections *s = l->s;
	uint32_t file = l->st->objs[k], base = l->st->sec_base[file];
	const struct content *x = content_of(l->in->files[file].obj);
	for (const struct content_row *row = x->rows; row < x->rows + x->cnt; row++) {
		uint32_t gs = base + row->sec;
		if (!sec_is(l->st, gs, SEC_LIVE) || row->kind == ISEC_EH_FRAME)
			continue; /* SYN_EH_FRAME stands for all of the latter */
		const struct merge_sec *m = row->kind == ISEC_MERGE ? merge_find(s, file, row->sec) : NULL;
		if (m && &s->merge_secs[s->merge_sets[m->set].secs[0]] != m)
			continue;
		uint32_t i = at[s->out_of[gs]]++;
		if (!w->is_adding)
			continue;
		struct out *o = &l->outs[l->out_index[s->out_of[gs]]];
		if (!m)
			*section_slot(l, gs) = pack_size(row->sz, row->p2align);
		o->chunk[i] = m ? CHUNK_MERGE | m->set : gs;
		o->chunk_file[i] = m ? 0 : file;
	}
}

static void list_slabs(void *ctx, size_t begin, size_t end, unsigned worker)
{
	const struct listing *w = ctx;
	uint64_t objs = w->l->st->obj_cnt;
	(void)worker;
	for (size_t slab = begin; slab < end; slab++)
		for (uint64_t k = slab * objs / SLABS; k < (slab + 1) * objs / SLABS; k++)
			list_object(w, (uint32_t)k, w->at + slab * w->outsec_cnt);
}

static int count_chunks(struct listing *w)
{
	struct layout *l = w->l;
	w->outsec_cnt = l->s->out_cnt;
	w->at = calloc((size_t)SLABS * w->outsec_cnt + 1, sizeof(*w->at));
	if (!w->at)
		return -ENOMEM;
	pool_for(l->in->pool, SLABS, 1, list_slabs, w);
	for (uint32_t slab = 0; slab < SLABS; slab++)
		for (uint32_t i = 0; i < w->outsec_cnt; i++)
			l->outs[l->out_index[i]].chunk_cnt += w->at[(size_t)slab * w->outsec_cnt + i];
	l->outs[0].chunk_cnt = 0; /* of .eh_frame, which has no place here */
	return 0;
}

/* Behind what the output sections have already. */
static void add_chunks(struct listing *w)
{
	struct layout *l = w->l;
	for (uint32_t i = 0; i < w->outsec_cnt; i++) {
		struct out *o = &l->outs[l->out_index[i]];
		for (uint32_t slab = 0; slab < SLABS; slab++) {
			uint32_t *at = &w->at[(size_t)slab * w->outsec_cnt + i], cnt = *at;
			*at = o->chunk_cnt;
			o->chunk_cnt += cnt;
		}
	}
	w->is_adding = true;
	pool_for(l->in->pool, SLABS, 1, list_slabs, w);
}

static void add_chunk(struct layout *l, uint32_t out, uint32_t chunk)
{
	struct out *o = &l->outs[out];
	o->chunk[o->chunk_cnt] = chunk;
	o->chunk_file[o->chunk_cnt++] = 0;
}

static uint64_t chunk_sz(const struct layout *l, uint32_t chunk, uint8_t *ret_p2align)
{
	if (chunk & CHUNK_SYN) {
		const struct synthetic *y = l->syn[chunk & CHUNK_INDEX];
		*ret_p2align = y->align ? y->align(l) : y->p2align;
		return l->syn_sz[chunk & CHUNK_INDEX];
	}
	if (chunk & CHUNK_MERGE) {
		*ret_p2align = l->s->merge_sets[chunk & CHUNK_INDEX].p2align;
		return l->s->merge_sets[chunk & CHUNK_INDEX].sz;
	}
	uint64_t packed = *section_slot(l, chunk);
	*ret_p2align = packed & 63;
	return packed >> 6;
}

/* ---- output sections ---- */

static bool syn_present(const struct layout *l, int id)
{
	return l->syn_sz[id] > 0;
}

/* The synthetic section named like an output section, or -1. Chunks of shared ones are found the same way. */
static uint32_t find_out(const struct layout *l, const char *name, bool is_alloc)
{
	for (uint32_t i = 1; i < l->out_cnt; i++)
		if (!strcmp(l->outs[i].name, name) && !!(l->outs[i].flags & SHF_ALLOC) == is_alloc)
			return i;
	return 0;
}

static void add_input_outs(struct layout *l)
{
	const struct sections *s = l->s;
	for (uint32_t i = 0; i < s->out_cnt; i++) {
		const struct outsec *o = &s->outs[i];
		if (!strcmp(o->name, ".eh_frame") && (o->flags & SHF_ALLOC))
			continue;
		l->out_index[i] = (uint16_t)l->out_cnt;
		l->outs[l->out_cnt++] = (struct out){
			.name = o->name, .type = o->type, .outsec = (uint16_t)i, .first = o->first,
			.flags = o->flags & ~(uint32_t)SHF_GNU_RETAIN,
		};
	}
}

static void add_syn_outs(struct layout *l)
{
	for (int i = 0; i < SYN_CNT; i++) {
		const struct synthetic *y = l->syn[i];
		if (!syn_present(l, i))
			continue;
		/* The names' own size is known only later: nothing may follow them. */
		uint32_t out = i == SYN_SHSTRTAB ? 0 : find_out(l, y->name, y->flags & SHF_ALLOC);
		if (!out) {
			out = l->out_cnt++;
			l->outs[out] = (struct out){ .name = y->name, .type = y->type, .flags = y->flags,
						     .outsec = OUT_NONE, .first = UINT32_MAX,
						     .entsize = y->entsize };
		}
		l->outs[out].flags |= y->flags;
		if (l->outs[out].type == SHT_NOBITS && y->type != SHT_NOBITS)
			l->outs[out].type = y->type;
		l->syn_out[i] = out;
		l->outs[out].chunk_cnt++;
	}
}

/* Output sections all of whose input sections died are left out. */
static int drop_empty(struct layout *l)
{
	uint32_t n = 1;
	uint32_t *moved = calloc(l->out_cnt, sizeof(*moved));
	if (!moved)
		return -ENOMEM;
	for (uint32_t i = 1; i < l->out_cnt; i++) {
		if (!l->outs[i].chunk_cnt)
			continue;
		moved[i] = n;
		l->outs[n++] = l->outs[i];
	}
	for (uint32_t i = 0; i < l->s->out_cnt; i++)
		l->out_index[i] = (uint16_t)moved[l->out_index[i]];
	for (int i = 0; i < SYN_CNT; i++)
		l->syn_out[i] = moved[l->syn_out[i]];
	l->out_cnt = n;
	free(moved);
	return 0;
}

/* ---- order within a section ---- */

static void sort_by_rank(struct layout *l, struct out *o)
{
	const outsec_rank *rank = l->s->rank_of;
	uint32_t *count, *chunk, *file, lead = 0;
	bool differ = false;
	while (lead < o->chunk_cnt && (o->chunk[lead] & CHUNK_SYN))
		lead++;
	for (uint32_t i = lead + 1; i < o->chunk_cnt; i++) {
		uint32_t a = o->chunk[i - 1], b = o->chunk[i];
		if ((a | b) & (CHUNK_SYN | CHUNK_MERGE))
			continue;
		differ |= rank[a] != rank[b];
	}
	if (!differ)
		return;
	count = calloc(UINT16_MAX + 2, sizeof(*count));
	chunk = malloc(o->chunk_cnt * sizeof(*chunk));
	file = malloc(o->chunk_cnt * sizeof(*file));
	if (count && chunk && file) {
#define RANK(c) ((c) & (CHUNK_SYN | CHUNK_MERGE) ? 0u : rank[c])
		for (uint32_t i = lead; i < o->chunk_cnt; i++)
			count[RANK(o->chunk[i]) + 1]++;
		for (uint32_t r = 1; r <= UINT16_MAX; r++)
			count[r] += count[r - 1];
		for (uint32_t i = lead; i < o->chunk_cnt; i++) {
			uint32_t at = lead + count[RANK(o->chunk[i])]++;
			chunk[at] = o->chunk[i];
			file[at] = o->chunk_file[i];
		}
#undef RANK
		memcpy(o->chunk + lead, chunk + lead, (o->chunk_cnt - lead) * sizeof(*chunk));
		memcpy(o->chunk_file + lead, file + lead, (o->chunk_cnt - lead) * sizeof(*file));
	} else {
		diag_error(l->in->diag, 0, "out of memory for the order of %s", o->name);
	}
	free(count);
	free(chunk);
	free(file);
}

/* --sort-section: among sections of one rank, by name or by alignment (strictest first), then by position. */
struct keyed {
	const struct layout *l;
	uint32_t chunk, file, pos;
};

static int by_section_key(const void *x, const void *y)
{
	const struct keyed *a = x, *b = y;
	const struct layout *l = a->l;
	const struct isec *ia = isec_of(l, a->file, a->chunk), *ib = isec_of(l, b->file, b->chunk);
	int ra = l->s->rank_of[a->chunk], rb = l->s->rank_of[b->chunk], c = ra - rb;
	if (!c && l->in->opt->sort_section == SORT_SECTION_NAME)
		c = strcmp(isec_name(l->in->files[a->file].obj, ia), isec_name(l->in->files[b->file].obj, ib));
	else if (!c)
		c = ib->p2align - ia->p2align;
	return c ? c : a->pos < b->pos ? -1 : 1;
}

static int sort_by_option(struct layout *l, struct out *o)
{
	struct keyed *k = calloc((size_t)o->chunk_cnt + 1, sizeof(*k));
	uint32_t n = 0, at = 0;
	if (!k)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->chunk_cnt; i++)
		if (!(o->chunk[i] & (CHUNK_SYN | CHUNK_MERGE)))
			k[n++] = (struct keyed){ l, o->chunk[i], o->chunk_file[i], i };
	qsort(k, n, sizeof(*k), by_section_key);
	for (uint32_t i = 0; i < o->chunk_cnt; i++) { /* what has no key stays where it is */
		if (o->chunk[i] & (CHUNK_SYN | CHUNK_MERGE))
			continue;
		o->chunk[i] = k[at].chunk;
		o->chunk_file[i] = k[at++].file;
	}
	free(k);
	return 0;
}

/* ---- offsets within a section ---- */

static int place_chunks(struct layout *l, struct out *o)
{
	uint64_t at = 0;
	uint32_t entsize = UINT32_MAX;
	bool is_array = o->type == SHT_INIT_ARRAY || o->type == SHT_FINI_ARRAY || o->type == SHT_PREINIT_ARRAY;
	for (uint32_t i = 0; i < o->chunk_cnt; i++) {
		uint8_t p2align;
		uint32_t c = o->chunk[i];
		uint64_t sz = chunk_sz(l, c, &p2align);
		if (p2align > 40 || sz > UINT64_MAX / 4 || at > UINT64_MAX / 4) {
			diag_error(l->in->diag, 0, "%s: the output section is too large", o->name);
			return -EFBIG;
		}
		at = align_up(at, UINT64_C(1) << p2align);
		o->p2align = p2align > o->p2align ? p2align : o->p2align;
		if (c & CHUNK_SYN) {
			l->syn_off[c & CHUNK_INDEX] = at;
		} else if (c & CHUNK_MERGE) {
			l->merge_va[c & CHUNK_INDEX] = at;
		} else {
			uint32_t e = is_array ? isec_of(l, o->chunk_file[i], c)->entsize : 0;
			entsize = entsize == UINT32_MAX || entsize == e ? e : 0;
			*section_slot(l, c) = at;
		}
		at += sz;
	}
	o->sz = at;
	if (o->outsec != OUT_NONE && is_array)
		o->entsize = entsize == UINT32_MAX ? 0 : entsize;
	return 0;
}

/* ---- SHF_LINK_ORDER ---- */

struct tied {
	uint64_t key[2]; /* output section and offset of what the chunk goes with */
	uint32_t chunk, file;
};

static int by_tie(const void *x, const void *y)
{
	const struct tied *a = x, *b = y;
	for (int i = 0; i < 2; i++)
		if (a->key[i] != b->key[i])
			return a->key[i] < b->key[i] ? -1 : 1;
	return a->chunk < b->chunk ? -1 : a->chunk > b->chunk;
}

/* gABI: such sections follow the order of those they are linked to, which have their places by now. */
static int order_tied(struct layout *l, struct out *o)
{
	struct tied *t = calloc((size_t)o->chunk_cnt + 1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->chunk_cnt; i++) {
		uint32_t c = o->chunk[i], file = o->chunk_file[i];
		t[i].chunk = c;
		t[i].file = file;
		if (c & (CHUNK_SYN | CHUNK_MERGE))
			continue;
		const struct isec *is = isec_of(l, file, c);
		uint32_t to = (is->flags & SHF_LINK_ORDER) && is->link ? gsec(l->st, file, is->link) : 0;
		uint16_t out = to ? l->s->out_of[to] : OUT_NONE;
		const struct out *there = out == OUT_NONE ? NULL : &l->outs[l->out_index[out]];
		bool is_placed = there && (!(there->flags & SHF_LINK_ORDER) || there < o);
		t[i].key[0] = there ? (uint64_t)(there - l->outs) : 0;
		t[i].key[1] = is_placed ? section_start(l, to) : 0;
	}
	qsort(t, o->chunk_cnt, sizeof(*t), by_tie);
	for (uint32_t i = 0; i < o->chunk_cnt; i++) {
		o->chunk[i] = t[i].chunk;
		o->chunk_file[i] = t[i].file;
	}
	free(t);
	return 0;
}

struct placing {
	struct layout *l;
	bool tied; /* those that SHF_LINK_ORDER ties to others */
	atomic_int rc;
};

static void place_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct placing *p = ctx;
	struct layout *l = p->l;
	(void)worker;
	for (size_t i = begin + 1; i < end + 1; i++) {
		if (!!(l->outs[i].flags & SHF_LINK_ORDER) != p->tied)
			continue;
		int rc = p->tied ? order_tied(l, &l->outs[i]) : 0;
		if (!rc)
			rc = place_chunks(l, &l->outs[i]);
		if (rc)
			atomic_store(&p->rc, rc);
	}
}

/* The runs of RELATIVE relocations, in layout order. */
static void list_relatives(struct layout *l)
{
	uint64_t before = 0;
	for (uint32_t i = 1; i < l->out_cnt; i++) {
		const struct out *o = &l->outs[i];
		for (uint32_t c = 0; c < o->chunk_cnt && (o->flags & SHF_ALLOC); c++) {
			uint32_t cnt = o->chunk[c] & (CHUNK_SYN | CHUNK_MERGE) ? 0 : l->s->rel_relative[o->chunk[c]];
			if (!cnt)
				continue;
			l->relatives[l->relative_cnt++] = (struct relative_run){ i, c, before };
			before += cnt;
		}
	}
}

/* Places the chunks of every section, those tied to others after them. */
static int place_all(struct layout *l)
{
	struct placing p = { .l = l };
	pool_for(l->in->pool, l->out_cnt - 1, 1, place_range, &p);
	p.tied = true; /* they may be tied to each other: in order */
	if (!atomic_load(&p.rc))
		place_range(&p, 0, l->out_cnt - 1, 0);
	list_relatives(l);
	return atomic_load(&p.rc);
}

/* A section that holds one merge set alone keeps the flags that say so; .comment's own line is a string too. */
static void keep_merge_flags(struct layout *l, struct out *o)
{
	const struct merge_set *t = NULL;
	for (uint32_t i = 0; i < o->chunk_cnt; i++) {
		uint32_t c = o->chunk[i];
		if (c & CHUNK_MERGE && !t)
			t = &l->s->merge_sets[c & CHUNK_INDEX];
		else if (c != (CHUNK_SYN | SYN_COMMENT))
			return;
	}
	if (!t || (t->p2align > 0 && t->is_strings))
		return;
	o->flags |= SHF_MERGE | (t->is_strings ? SHF_STRINGS : 0);
	o->entsize = t->entsize;
}

/* Numbers the live sections. */
static int number_live(struct layout *l)
{
	uint32_t cnt = 0;
	l->live = arena_alloc_array(l->arena, (size_t)l->st->sec_cnt / LIVE_STEP + 1, sizeof(*l->live), 64);
	for (uint32_t gs = 0; l->live && gs < l->st->sec_cnt;) {
		struct live_word *w = &l->live[gs / LIVE_STEP];
		uint32_t end = l->st->sec_cnt - gs < LIVE_STEP ? l->st->sec_cnt : gs + LIVE_STEP, bits = 0;
		for (; gs < end; gs++)
			bits |= (uint32_t)sec_is(l->st, gs, SEC_LIVE) << gs % LIVE_STEP;
		*w = (struct live_word){ bits, cnt };
		cnt += count_bits(bits);
	}
	l->live_va = arena_alloc_array(l->arena, (size_t)cnt + 1, sizeof(*l->live_va), 64);
	return l->live && l->live_va ? 0 : -ENOMEM;
}

static int alloc_chunks(struct layout *l)
{
	for (uint32_t i = 1; i < l->out_cnt; i++) {
		struct out *o = &l->outs[i];
		o->chunk = arena_alloc_array(l->arena, o->chunk_cnt, sizeof(*o->chunk), 8);
		o->chunk_file = arena_alloc_array(l->arena, o->chunk_cnt, sizeof(*o->chunk_file), 8);
		if (!o->chunk || !o->chunk_file)
			return -ENOMEM;
		o->chunk_cnt = 0;
	}
	return 0;
}

static int list_chunks(struct layout *l)
{
	struct listing w = { .l = l };
	int rc = count_chunks(&w);
	if (!rc) {
		add_syn_outs(l);
		rc = drop_empty(l);
	}
	if (!rc)
		rc = alloc_chunks(l);
	for (int i = 0; i < SYN_CNT && !rc; i++)
		if (syn_present(l, i) && i != SYN_COMMENT && i != SYN_COMMON)
			add_chunk(l, l->syn_out[i], CHUNK_SYN | (uint32_t)i);
	if (!rc)
		add_chunks(&w);
	free(w.at);
	/* As ld's default script has it: *(COMMON) after *(.bss); the linker's own line last. */
	for (int i = SYN_COMMON; i <= SYN_COMMENT && !rc; i++)
		if (syn_present(l, i) && (i == SYN_COMMENT || i == SYN_COMMON))
			add_chunk(l, l->syn_out[i], CHUNK_SYN | (uint32_t)i);
	return rc;
}

int members_collect(struct layout *l)
{
	uint32_t cap = l->s->out_cnt + SYN_CNT + 2;
	int rc;
	l->outs = arena_alloc_array(l->arena, cap, sizeof(*l->outs), 8);
	l->out_index = arena_alloc_array(l->arena, (size_t)l->s->out_cnt + 1, sizeof(*l->out_index), 8);
	l->merge_va = arena_alloc_array(l->arena, (size_t)l->s->merge_set_cnt + 1, sizeof(*l->merge_va), 8);
	if (!l->outs || !l->out_index || !l->merge_va || number_live(l))
		return -ENOMEM;
	l->out_cnt = 1;
	add_input_outs(l);
	if ((rc = list_chunks(l)))
		return rc;
	l->relatives = arena_alloc_array(l->arena, (size_t)l->s->relative_sec_cnt + 1, sizeof(*l->relatives), 8);
	if (!l->relatives)
		return -ENOMEM;
	for (uint32_t i = 1; i < l->out_cnt; i++) {
		sort_by_rank(l, &l->outs[i]);
		if (l->in->opt->sort_section != SORT_SECTION_NONE && sort_by_option(l, &l->outs[i]))
			return -ENOMEM;
	}
	order_sections(l);
	/* After this: no new output sections, and their order is fixed. */
	if ((rc = place_all(l)))
		return rc;
	for (uint32_t i = 1; i < l->out_cnt; i++)
		keep_merge_flags(l, &l->outs[i]);
	return diag_errors(l->in->diag) ? -EINVAL : 0;
}
