/* reldyn.c - the symbolic dynamic relocations as rows, grouped by symbol so that the loader looks each up once.
 *
 * RELATIVE ones are not listed: they are counted per chunk and rendered by walking (render/syn_reldyn.c). Also here, for
 * the same reason, the prefix sums of FDEs per chunk that .eh_frame_hdr is rendered by.
 * Source: gABI ch. 5 "Relocation"; psABI for the types; GNU ld's -z combreloc for the order.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "judge.h"
#include "layout_priv.h"

static int by_symbol(const void *x, const void *y)
{
	const struct dyn_row *a = x, *b = y;
	if (a->dynsym != b->dynsym)
		return a->dynsym < b->dynsym ? -1 : 1;
	if (a->va != b->va)
		return a->va < b->va ? -1 : 1;
	return a->type < b->type ? -1 : a->type > b->type;
}

static void add(struct layout *l, uint32_t dynsym, uint32_t type, uint64_t va, int64_t addend)
{
	l->dyn_rows[l->dyn_row_cnt++] = (struct dyn_row){ dynsym, type, va, addend };
}

static void add_sections(struct layout *l)
{
	for (uint32_t i = 0; i < l->s->dynrel_cnt; i++) {
		const struct dynrel *d = &l->s->dynrels[i];
		const struct object *o = l->in->files[d->file].obj;
		uint32_t shndx = d->gsec - l->st->sec_base[d->file];
		struct rel r;
		rel_get(o, &o->secs[shndx], d->rel, &r);
		add(l, l->s->dynsym_of[d->name], l->in->arch->dyn.abs, section_va(l, d->file, shndx, r.off), r.addend);
	}
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

/* FDEs by chunk of one output section; counted in parallel, summed up in order. */
struct fde_count {
	struct layout *l;
	const struct out *o;
	uint32_t *cnt; /* by chunk; UINT32_MAX: not one that has some */
	atomic_int rc;
};

/* The FDEs of a chunk; AT as for ehframe_next. */
static int count_chunk_fdes(const struct layout *l, const struct out *o, uint32_t c, struct eh_range *at)
{
	uint32_t gs = o->chunk[c], file = o->chunk_file[c];
	uint64_t va = section_start(l, gs);
	ehframe_next(l->s, file, gs - l->st->sec_base[file], at);
	const struct frames *fr = at->eh->frames;
	for (uint32_t k = at->begin; k < at->end; k++) {
		const struct fde *f = &fr->fdes[fr->by_sec[k]];
		if (fits_table(l, va + f->pc))
			continue;
		diag_error(l->in->diag, (uint64_t)file << 32 | fr->sec,
			   "%s:(.eh_frame+0x%x): the code it describes is more than 2 GiB from .eh_frame_hdr",
			   l->in->files[file].obj->name, f->off);
		return -ERANGE;
	}
	return 0;
}

static void count_fdes_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct fde_count *j = ctx;
	struct eh_range at = { 0 };
	(void)worker;
	for (size_t c = begin; c < end; c++) {
		bool has = chunk_has_frames(j->l, j->o, (uint32_t)c);
		if (has && count_chunk_fdes(j->l, j->o, (uint32_t)c, &at))
			atomic_store(&j->rc, -ERANGE);
		j->cnt[c] = has ? at.end - at.begin : UINT32_MAX;
	}
}

/* Goes on from *CHUNKS chunks with *BEFORE FDEs. */
static int count_section_fdes(struct layout *l, uint32_t i, uint32_t *chunks, uint32_t *before)
{
	struct fde_count j = { .l = l, .o = &l->outs[i] };
	j.cnt = malloc(((size_t)j.o->chunk_cnt + 1) * sizeof(*j.cnt));
	if (!j.cnt)
		return -ENOMEM;
	pool_for(l->in->pool, j.o->chunk_cnt, 1024, count_fdes_range, &j);
	for (uint32_t c = 0; c < j.o->chunk_cnt && !atomic_load(&j.rc); c++) {
		if (j.cnt[c] == UINT32_MAX)
			continue;
		if ((*chunks)++ % FDE_STEP == 0)
			l->fde_runs[l->fde_run_cnt++] = (struct fde_run){ i, c, *before };
		*before += j.cnt[c];
	}
	free(j.cnt);
	return atomic_load(&j.rc);
}

static int count_fdes(struct layout *l)
{
	uint32_t before = 0, chunks = 0;
	bool has_table = l->syn_out[SYN_EH_FRAME_HDR] && !l->s->eh_has_unknown;
	if (has_table && (!fits_table(l, syn_va(l, SYN_EH_FRAME)) || !fits_table(l, syn_va(l, SYN_EH_FRAME) + l->s->eh_sz))) {
		diag_error(l->in->diag, 0, ".eh_frame_hdr: .eh_frame is more than 2 GiB away: link without --eh-frame-hdr");
		return -ERANGE;
	}
	l->fde_runs = arena_alloc_array(l->arena, l->s->fde_cnt / FDE_STEP + 1, sizeof(*l->fde_runs), 8);
	if (!l->fde_runs)
		return -ENOMEM;
	int rc = 0;
	for (uint32_t i = 1; i < l->out_cnt && has_table && !rc; i++)
		rc = count_section_fdes(l, i, &chunks, &before);
	return rc;
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
	qsort(l->dyn_rows, l->dyn_row_cnt, sizeof(*l->dyn_rows), by_symbol);
	return count_fdes(l);
}
