/* reldyn.c - the symbolic dynamic relocations as rows, grouped by symbol so that the loader looks each up once.
 *
 * RELATIVE ones are not listed: they are counted per chunk and rendered by walking (render/syn_reldyn.c). Also here: that
 * .eh_frame_hdr, which is rendered the same way, can reach what it names.
 * Source: gABI ch. 5 "Relocation"; psABI for the types; GNU ld's -z combreloc for the order.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "judge.h"
#include "layout_priv.h"

/* Rows are ordered by symbol, address and type: byte by byte, the least of the type first. */
#define KEY_BYTES (sizeof(uint32_t) + sizeof(uint64_t) + sizeof(uint32_t))

static uint8_t key_byte(const struct dyn_row *r, unsigned i)
{
	if (i < 4)
		return (uint8_t)(r->type >> 8 * i);
	return i < 12 ? (uint8_t)(r->va >> 8 * (i - 4)) : (uint8_t)(r->dynsym >> 8 * (i - 12));
}

/* Orders FROM by byte I of its keys into TO. */
static void sort_by_byte(const struct dyn_row *from, struct dyn_row *to, uint32_t cnt, unsigned i)
{
	uint32_t at[256] = { 0 }, sum = 0;
	for (uint32_t k = 0; k < cnt; k++)
		at[key_byte(&from[k], i)]++;
	for (unsigned b = 0; b < 256; b++) {
		uint32_t n = at[b];
		at[b] = sum;
		sum += n;
	}
	for (uint32_t k = 0; k < cnt; k++)
		to[at[key_byte(&from[k], i)]++] = from[k];
}

static int sort_rows(struct layout *l)
{
	uint32_t cnt = l->dyn_row_cnt;
	struct dyn_row *from = l->dyn_rows, *to = arena_alloc_array(l->s->scratch, (size_t)cnt + 1, sizeof(*to), 8);
	struct dyn_row differ = { 0 }; /* the bits in which some do */
	if (!to)
		return -ENOMEM;
	for (uint32_t k = 1; k < cnt; k++) {
		differ.dynsym |= from[k].dynsym ^ from[0].dynsym;
		differ.type |= from[k].type ^ from[0].type;
		differ.va |= from[k].va ^ from[0].va;
	}
	for (unsigned i = 0; i < KEY_BYTES; i++) {
		if (!key_byte(&differ, i))
			continue;
		sort_by_byte(from, to, cnt, i);
		struct dyn_row *sorted = to;
		to = from;
		from = sorted;
	}
	if (from != l->dyn_rows)
		memcpy(l->dyn_rows, from, cnt * sizeof(*from));
	return 0;
}

static void add(struct layout *l, uint32_t dynsym, uint32_t type, uint64_t va, int64_t addend)
{
	l->dyn_rows[l->dyn_row_cnt++] = (struct dyn_row){ dynsym, type, va, addend };
}

static void sections_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct layout *l = ctx;
	(void)worker;
	for (size_t i = begin; i < end; i++) {
		const struct dynrel *d = &l->s->dynrels[i];
		uint64_t va = section_start(l, d->gsec); /* 0: not copied whole, most likely */
		va = va ? va + d->off : section_va(l, d->file, d->gsec - l->st->sec_base[d->file], d->off);
		l->dyn_rows[i] = (struct dyn_row){ l->s->dynsym_of[d->name], l->in->arch->dyn.abs, va, d->addend };
	}
}

static void add_sections(struct layout *l)
{
	pool_for(l->in->pool, l->s->dynrel_cnt, 512, sections_range, l);
	l->dyn_row_cnt = l->s->dynrel_cnt;
}

static uint64_t aux_tls_va(const struct layout *l, const struct aux *a)
{
	struct esym e;
	if (a->name)
		return l->va[a->name];
	const struct object *o = l->in->files[a->key >> 32].obj;
	esym_get(o, (uint32_t)a->key, &e);
	return e.shndx && e.shndx < o->sec_cnt ? section_va(l, (uint32_t)(a->key >> 32), e.shndx, e.value) : e.value;
}

static void add_got(struct layout *l)
{
	for (uint32_t i = 0; i < l->s->got_cnt; i++) {
		const struct got_slot *g = &l->s->got[i];
		uint32_t type;
		bool by_name;
		if (got_relocation(l->s, g, &type, &by_name) != GOT_REL_SYMBOLIC)
			continue;
		if (by_name) {
			add(l, l->s->aux[g->aux].dynsym, type, got_slot_va(l, i), 0);
			continue;
		}
		int64_t addend = 0;
		if (g->kind == GOT_TPOFF || g->kind == GOT_DESC)
			addend = (int64_t)(aux_tls_va(l, &l->s->aux[g->aux]) - l->tls_va);
		add(l, 0, type, got_slot_va(l, i), addend);
	}
}

static void add_copies(struct layout *l)
{
	for (uint32_t i = 0; i < l->s->aux_cnt; i++) {
		const struct aux *a = &l->s->aux[i];
		if (a->copy_lead)
			add(l, a->dynsym, l->in->arch->dyn.copy, l->va[a->name], 0);
	}
}

/* The rows of .eh_frame_hdr are 32-bit distances. */
static bool fits_table(const struct layout *l, uint64_t va)
{
	int64_t far = (int64_t)(va - syn_va(l, SYN_EH_FRAME_HDR));
	return far == (int32_t)far;
}

struct frame_check {
	const struct layout *l;
	const struct out *o;
	atomic_int rc;
};

static void check_chunk(struct frame_check *j, uint32_t c)
{
	const struct layout *l = j->l;
	uint32_t gs = j->o->chunk[c], file = j->o->chunk_file[c];
	struct eh_range r = ehframe_of(l->s, file, gs - l->st->sec_base[file]);
	const struct frames *fr = r.eh->frames;
	for (uint32_t k = r.begin; k < r.end; k++) {
		const struct fde *f = &fr->fdes[fr->by_sec[k]];
		if (fits_table(l, section_start(l, gs) + f->pc))
			continue;
		diag_error(l->in->diag, (uint64_t)file << 32 | fr->sec,
			   "%s:(.eh_frame+0x%x): the code it describes is more than 2 GiB from .eh_frame_hdr",
			   l->in->files[file].obj->name, f->off);
		atomic_store(&j->rc, -ERANGE);
		return;
	}
}

static void check_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct frame_check *j = ctx;
	(void)worker;
	for (size_t c = begin; c < end; c++)
		if (chunk_has_frames(j->l, j->o, (uint32_t)c))
			check_chunk(j, (uint32_t)c);
}

/* Are the places that .eh_frame_hdr's table names in its reach? Most images are too small for a doubt. */
static int check_frames(struct layout *l)
{
	if (!l->syn_out[SYN_EH_FRAME_HDR] || l->s->eh_has_unknown || chunks_frames_fit(l))
		return 0;
	if (!fits_table(l, syn_va(l, SYN_EH_FRAME)) || !fits_table(l, syn_va(l, SYN_EH_FRAME) + l->s->eh_sz)) {
		diag_error(l->in->diag, 0, ".eh_frame_hdr: .eh_frame is more than 2 GiB away: link without --eh-frame-hdr");
		return -ERANGE;
	}
	struct frame_check j = { .l = l };
	for (uint32_t i = 1; i < l->out_cnt && !atomic_load(&j.rc); i++) {
		j.o = &l->outs[i];
		pool_for(l->in->pool, j.o->chunk_cnt, 1024, check_range, &j);
	}
	return atomic_load(&j.rc);
}

int reldyn_collect(struct layout *l)
{
	size_t cnt = (size_t)l->s->dynrel_cnt + l->s->got_symbolic + l->s->copy_cnt + 1;
	l->dyn_rows = arena_alloc_array(l->arena, cnt, sizeof(*l->dyn_rows), 8);
	if (!l->dyn_rows)
		return -ENOMEM;
	add_sections(l);
	add_got(l);
	add_copies(l);
	int rc = sort_rows(l);
	return rc ? rc : check_frames(l);
}
