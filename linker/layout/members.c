/* members.c - the output sections there are, and the chunks of each: input sections in command-line order (by rank first),
 * merge sets where their first section stood, synthetic sections at the front of an output section they share.
 *
 * Listing and placing the many is chunks.c's; here are the synthetic ones, and sections whose chunks have an order of their
 * own: sorted, then placed one by one. Offsets within the section follow from sizes and alignments; addresses come later.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "layout_priv.h"

static const struct isec *isec_of(const struct layout *l, uint32_t file, uint32_t gs)
{
	return &l->in->files[file].obj->secs[gs - l->st->sec_base[file]];
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

/* Its row is there: it is in the output. */
static outsec_rank rank_of(const struct layout *l, uint32_t file, uint32_t gs)
{
	const struct content *x = content_of(l->in->files[file].obj);
	uint32_t sec = gs - l->st->sec_base[file], lo = 0, hi = x->cnt;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (x->rows[mid].sec < sec)
			lo = mid + 1;
		else
			hi = mid;
	}
	return x->rows[lo].rank;
}

/* Orders the chunks of O from LEAD on by their RANKs. */
static void order_by_rank(struct layout *l, struct out *o, uint32_t lead, const outsec_rank *rank)
{
	uint32_t *count = calloc(UINT16_MAX + 2, sizeof(*count));
	uint32_t *chunk = malloc(o->chunk_cnt * sizeof(*chunk));
	uint32_t *file = malloc(o->chunk_cnt * sizeof(*file));
	if (count && chunk && file) {
		for (uint32_t i = lead; i < o->chunk_cnt; i++)
			count[rank[i] + 1]++;
		for (uint32_t r = 1; r <= UINT16_MAX; r++)
			count[r] += count[r - 1];
		for (uint32_t i = lead; i < o->chunk_cnt; i++) {
			uint32_t at = lead + count[rank[i]]++;
			chunk[at] = o->chunk[i];
			file[at] = o->chunk_file[i];
		}
		memcpy(o->chunk + lead, chunk + lead, (o->chunk_cnt - lead) * sizeof(*chunk));
		memcpy(o->chunk_file + lead, file + lead, (o->chunk_cnt - lead) * sizeof(*file));
	} else {
		diag_error(l->in->diag, 0, "out of memory for the order of %s", o->name);
	}
	free(count);
	free(chunk);
	free(file);
}

/* Where no two neighbours among input sections differ, all stay; else what is not one has rank 0. */
static void sort_by_rank(struct layout *l, struct out *o)
{
	outsec_rank *rank = calloc((size_t)o->chunk_cnt + 1, sizeof(*rank));
	uint32_t lead = 0, last = UINT32_MAX;
	bool differ = false;
	if (!rank) {
		diag_error(l->in->diag, 0, "out of memory for the order of %s", o->name);
		return;
	}
	while (lead < o->chunk_cnt && (o->chunk[lead] & CHUNK_SYN))
		lead++;
	for (uint32_t i = lead; i < o->chunk_cnt; i++) {
		if (o->chunk[i] & (CHUNK_SYN | CHUNK_MERGE)) {
			last = UINT32_MAX;
			continue;
		}
		rank[i] = rank_of(l, o->chunk_file[i], o->chunk[i]);
		differ |= last != UINT32_MAX && last != rank[i];
		last = rank[i];
	}
	if (differ)
		order_by_rank(l, o, lead, rank);
	free(rank);
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
	int c = rank_of(l, a->file, a->chunk) - rank_of(l, b->file, b->chunk);
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

int members_too_large(struct layout *l, const struct out *o)
{
	diag_error(l->in->diag, 0, "%s: the output section is too large", o->name);
	return -EFBIG;
}

int members_place(struct layout *l, struct out *o, uint32_t begin, uint32_t end, uint64_t *at)
{
	for (uint32_t i = begin; i < end; i++) {
		uint8_t p2align;
		uint32_t c = o->chunk[i];
		uint64_t sz = chunk_sz(l, c, &p2align);
		if (p2align > CHUNK_P2ALIGN_MAX || sz > CHUNK_SZ_MAX || *at > CHUNK_SZ_MAX)
			return members_too_large(l, o);
		*at = align_up(*at, UINT64_C(1) << p2align);
		o->p2align = p2align > o->p2align ? p2align : o->p2align;
		if (c & CHUNK_SYN)
			l->syn_off[c & CHUNK_INDEX] = *at;
		else if (c & CHUNK_MERGE)
			l->merge_va[c & CHUNK_INDEX] = *at;
		else
			*section_slot(l, c) = *at;
		*at += sz;
	}
	return 0;
}

/* Arrays of pointers have the entry size that all their members have. */
static void set_entsize(struct layout *l, struct out *o)
{
	uint32_t entsize = UINT32_MAX;
	if (o->type != SHT_INIT_ARRAY && o->type != SHT_FINI_ARRAY && o->type != SHT_PREINIT_ARRAY)
		return;
	for (uint32_t i = 0; i < o->chunk_cnt; i++) {
		if (o->chunk[i] & (CHUNK_SYN | CHUNK_MERGE))
			continue;
		uint32_t e = isec_of(l, o->chunk_file[i], o->chunk[i])->entsize;
		entsize = entsize == UINT32_MAX || entsize == e ? e : 0;
	}
	if (o->outsec != OUT_NONE)
		o->entsize = entsize == UINT32_MAX ? 0 : entsize;
}

/* Everything of O: synthetic chunks are at the front, and behind the others. */
static int place_section(struct layout *l, struct out *o)
{
	uint64_t at = 0;
	uint32_t lead = 0, trail = o->chunk_cnt;
	int rc;
	while (!o->by_chunk && lead < o->chunk_cnt && (o->chunk[lead] & CHUNK_SYN))
		lead++;
	while (!o->by_chunk && trail > lead && (o->chunk[trail - 1] & CHUNK_SYN))
		trail--;
	if ((rc = members_place(l, o, 0, lead, &at)) || (!o->by_chunk && (rc = chunks_join(l, o, &at))) ||
	    (rc = members_place(l, o, o->by_chunk ? 0 : trail, o->chunk_cnt, &at)))
		return rc;
	o->sz = at;
	set_entsize(l, o);
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

/* Places the chunks of every section, those tied to others after them; these may be tied to each other: in order. */
static int place_all(struct layout *l)
{
	for (int tied = 0; tied < 2; tied++) {
		for (uint32_t i = 1; i < l->out_cnt; i++) {
			struct out *o = &l->outs[i];
			if (!!(o->flags & SHF_LINK_ORDER) != tied)
				continue;
			int rc = tied ? order_tied(l, o) : 0;
			if (!rc)
				rc = place_section(l, o);
			if (rc)
				return rc;
		}
	}
	/* After this: the order of all chunks is final. */
	chunks_number(l);
	return 0;
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

/* One bit of each of eight states of sections, the first section's lowest. */
static uint32_t live_bits(const _Atomic uint8_t *state)
{
	uint64_t v;
	memcpy(&v, (const uint8_t *)state, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	_Static_assert(SEC_LIVE == 1, "the lowest bit of a state");
	return (uint32_t)((v & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080) >> 56);
}

void members_number_live(struct layout *l)
{
	uint32_t cnt = 0, all = l->st->sec_cnt;
	l->live = arena_alloc_array(l->arena, (size_t)all / LIVE_STEP + 1, sizeof(*l->live), 64);
	for (uint32_t gs = 0; l->live && gs < all; gs += LIVE_STEP) {
		uint32_t bits = 0;
		if (all - gs >= LIVE_STEP)
			for (uint32_t i = 0; i < LIVE_STEP; i += 8)
				bits |= live_bits(&l->st->sec_state[gs + i]) << i;
		else
			for (uint32_t i = 0; i < all - gs; i++)
				bits |= (uint32_t)sec_is(l->st, gs + i, SEC_LIVE) << i;
		l->live[gs / LIVE_STEP] = (struct live_word){ bits, cnt };
		cnt += count_bits(bits);
	}
	l->live_va = arena_alloc_array(l->arena, (size_t)cnt + 1, sizeof(*l->live_va), 64);
}

static int alloc_chunks(struct layout *l)
{
	for (uint32_t i = 1; i < l->out_cnt; i++) {
		struct out *o = &l->outs[i];
		o->chunk = arena_alloc_raw_array(l->arena, o->chunk_cnt, sizeof(*o->chunk), 8);
		o->chunk_file = arena_alloc_raw_array(l->arena, o->chunk_cnt, sizeof(*o->chunk_file), 8);
		if (!o->chunk || !o->chunk_file)
			return -ENOMEM;
		o->chunk_cnt = 0;
	}
	return 0;
}

static int list_chunks(struct layout *l)
{
	int rc = chunks_count(l);
	if (!rc) {
		add_syn_outs(l);
		rc = drop_empty(l);
	}
	if (!rc)
		rc = order_sections(l);
	/* After this: no new output sections, and their order is fixed. */
	if (!rc)
		rc = alloc_chunks(l);
	for (int i = 0; i < SYN_CNT && !rc; i++)
		if (syn_present(l, i) && i != SYN_COMMENT && i != SYN_COMMON)
			add_chunk(l, l->syn_out[i], CHUNK_SYN | (uint32_t)i);
	if (!rc)
		rc = chunks_list(l);
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
	if (!l->outs || !l->out_index || !l->merge_va)
		return -ENOMEM;
	l->out_cnt = 1;
	add_input_outs(l);
	if ((rc = list_chunks(l)))
		return rc;
	for (uint32_t i = 1; i < l->out_cnt; i++) {
		if (l->outs[i].by_chunk)
			sort_by_rank(l, &l->outs[i]);
		if (l->in->opt->sort_section != SORT_SECTION_NONE && sort_by_option(l, &l->outs[i]))
			return -ENOMEM;
	}
	if ((rc = place_all(l)))
		return rc;
	for (uint32_t i = 1; i < l->out_cnt; i++)
		keep_merge_flags(l, &l->outs[i]);
	return diag_errors(l->in->diag) ? -EINVAL : 0;
}
