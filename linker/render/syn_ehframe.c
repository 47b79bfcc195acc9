/* syn_ehframe.c - .eh_frame from the records that stayed, and .eh_frame_hdr, its table sorted by address.
 *
 * Records keep their bytes but for the pointer to their CIE and their relocations. The table is as sorted as the layout
 * is: chunks with FDEs come in address order, every so many with how many rows are before it, and FDEs of one chunk by
 * their offset in it.
 * Source: LSB Core "Exception Frames", ".eh_frame_hdr".
 */
#include <errno.h>

#include "render.h"

#define HDR_SZ 12u
#define ENC_PCREL_SDATA4 0x1b
#define ENC_UDATA4 0x03
#define ENC_DATAREL_SDATA4 0x3b
#define ENC_OMIT 0xff

static uint64_t eh_frame_size(const struct layout *l)
{
	return l->s->eh_sz;
}

/* One record at IN in the input's section, at OUT in the output's. CIE: what its pointer field holds. */
static int render_record(const struct spot *sp, uint32_t in, uint32_t sz, uint64_t out, uint32_t rel, uint32_t rel_cnt,
			 const uint32_t *cie, uint64_t off, uint64_t n, uint8_t *dst, struct fill *f)
{
	uint64_t base = syn_va(sp->l, SYN_EH_FRAME);
	if (out >= off + n || out + sz <= off)
		return 0;
	put_piece(off, n, dst, out, isec_bytes(sp->o, sp->is) + in, sz);
	if (cie) {
		uint8_t b[4];
		store32(b, *cie, sp->o->is_be);
		put_piece(off, n, dst, out + 4, b, 4);
	}
	for (uint32_t i = rel; i < rel + rel_cnt; i++) {
		struct rel r;
		uint8_t field[16];
		bool consumed;
		rel_get(sp->o, sp->is, i, &r);
		const struct rel_row *row = arch_row(sp->l->in->arch, r.type);
		uint8_t width = row ? sp->l->in->arch->fields[row->field].size : 0;
		if (!width || width > sizeof(field) || r.off < in || width > sz - (r.off - in))
			continue; /* no field of its own; out of its record: refused while scanning */
		uint64_t at = out + (r.off - in);
		if (at >= off + n || at + width <= off)
			continue;
		memcpy(field, isec_bytes(sp->o, sp->is) + r.off, width);
		int rc = relocation_apply(sp, i, &r, base + at, field, &consumed, f);
		if (rc)
			return rc;
		put_piece(off, n, dst, at, field, width);
	}
	return 0;
}

static int render_object(const struct layout *l, uint32_t file, uint64_t off, uint64_t n, uint8_t *dst, struct fill *f)
{
	const struct eh_object *eh = &l->s->eh[file];
	const struct frames *fr = eh->frames;
	struct spot sp;
	spot_init(&sp, l, file, fr->sec);
	for (uint32_t i = 0; i < fr->cie_cnt; i++) {
		const struct cie *c = &fr->cies[i];
		uint32_t out = eh->cies[i].out_off;
		int rc = out == UINT32_MAX ? 0 : render_record(&sp, c->off, c->sz, out, c->rel, c->rel_cnt, NULL, off,
							       n, dst, f);
		if (rc)
			return rc;
	}
	for (uint32_t i = 0; i < fr->fde_cnt; i++) {
		const struct fde *d = &fr->fdes[i];
		if (eh->fde_off[i] == UINT32_MAX || eh->fde_off[i] >= off + n || eh->fde_off[i] + (uint64_t)d->sz <= off)
			continue;
		const struct cie_use *c = &eh->cies[d->cie];
		uint32_t leader = l->s->eh[c->leader_file].cies[c->leader].out_off;
		uint32_t back = eh->fde_off[i] + 4 - leader;
		int rc = render_record(&sp, d->off, d->sz, eh->fde_off[i], d->rel, d->rel_cnt, &back, off, n, dst, f);
		if (rc)
			return rc;
	}
	return 0;
}

static int eh_frame_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	uint32_t lo = 0, hi = l->st->obj_cnt;
	while (hi - lo > 1) { /* the last object whose part starts at or before OFF */
		uint32_t mid = lo + (hi - lo) / 2;
		if (l->s->eh[l->st->objs[mid]].out_off <= off)
			lo = mid;
		else
			hi = mid;
	}
	/* Objects without records share their start with the one before; they come after it, so step back over them. */
	while (lo && !l->s->eh[l->st->objs[lo]].out_sz)
		lo--;
	uint8_t end[4] = { 0 };
	put_piece(off, sz, dst, l->s->eh_sz - 4, end, 4);
	for (; lo < l->st->obj_cnt; lo++) {
		const struct eh_object *eh = &l->s->eh[l->st->objs[lo]];
		if (eh->out_off >= off + sz)
			break;
		int rc = eh->out_sz ? render_object(l, l->st->objs[lo], off, sz, dst, f) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

const struct synthetic syn_eh_frame = {
	.name = ".eh_frame", .type = SHT_PROGBITS, .flags = SHF_ALLOC, .size = eh_frame_size, .align = syn_word_align,
	.render = eh_frame_render
};

/* ---- the search table ---- */

static bool has_table(const struct layout *l)
{
	return !l->s->eh_has_unknown;
}

static uint64_t hdr_size(const struct layout *l)
{
	if (!l->in->opt->eh_frame_hdr || !l->s->eh_sz)
		return 0;
	return has_table(l) ? HDR_SZ + (uint64_t)l->s->fde_cnt * 8 : 8;
}

struct table {
	const struct layout *l;
	uint64_t off, sz, hdr;
	uint8_t *dst;
};

/* The rows of one chunk's FDEs, *N and up; AT as for ehframe_next. */
static int put_rows(const struct table *t, const struct out *o, uint32_t c, struct eh_range *at, uint64_t *n)
{
	const struct layout *l = t->l;
	uint32_t gs = o->chunk[c], file = o->chunk_file[c];
	uint64_t frames = syn_va(l, SYN_EH_FRAME), va = section_start(l, gs);
	ehframe_next(l->s, file, gs - l->st->sec_base[file], at);
	for (uint32_t k = at->begin; k < at->end; k++, ++*n) {
		uint32_t i = at->eh->frames->by_sec[k];
		uint8_t b[8];
		int64_t pc = (int64_t)(va + at->eh->frames->fdes[i].pc - t->hdr);
		int64_t fde = (int64_t)(frames + at->eh->fde_off[i] - t->hdr);
		if (pc != (int32_t)pc || fde != (int32_t)fde)
			return -EIO;
		store32(b, (uint32_t)pc, l->in->arch->is_be);
		store32(b + 4, (uint32_t)fde, l->in->arch->is_be);
		put_piece(t->off, t->sz, t->dst, HDR_SZ + *n * 8, b, 8);
	}
	return 0;
}

/* The rows from RUN on, until the range ends. */
static int put_from(const struct table *t, const struct fde_run *run)
{
	const struct layout *l = t->l;
	uint64_t n = run->before;
	uint32_t c = run->chunk;
	struct eh_range at = { 0 };
	for (uint32_t i = run->out; i < l->out_cnt; i++, c = 0) {
		for (; c < l->outs[i].chunk_cnt; c++) {
			if (HDR_SZ + n * 8 >= t->off + t->sz)
				return 0;
			if (chunk_has_frames(l, &l->outs[i], c) && put_rows(t, &l->outs[i], c, &at, &n))
				return -EIO;
		}
	}
	return 0;
}

static int hdr_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	struct table t = { l, off, sz, syn_va(l, SYN_EH_FRAME_HDR), dst };
	bool table = has_table(l);
	uint8_t b[HDR_SZ] = { 1, ENC_PCREL_SDATA4, table ? ENC_UDATA4 : ENC_OMIT, table ? ENC_DATAREL_SDATA4 : ENC_OMIT };
	(void)f;
	store32(b + 4, (uint32_t)(syn_va(l, SYN_EH_FRAME) - (t.hdr + 4)), l->in->arch->is_be);
	store32(b + 8, l->s->fde_cnt, l->in->arch->is_be);
	put_piece(off, sz, dst, 0, b, table ? HDR_SZ : 8);
	if (!table || !l->fde_run_cnt)
		return 0;
	uint64_t first = off < HDR_SZ ? 0 : (off - HDR_SZ) / 8;
	uint32_t lo = 0, hi = l->fde_run_cnt;
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (l->fde_runs[mid].before <= first)
			lo = mid;
		else
			hi = mid;
	}
	return put_from(&t, &l->fde_runs[lo]);
}

const struct synthetic syn_eh_frame_hdr = {
	.name = ".eh_frame_hdr", .type = SHT_PROGBITS, .flags = SHF_ALLOC, .p2align = 2, .size = hdr_size,
	.render = hdr_render
};
