/* syn_reldyn.c - .rela.dyn (RELATIVE, then by symbol, then IRELATIVE) and .rela.plt.
 *
 * RELATIVE rows are not stored: which section the n-th belongs to follows from prefix sums in layout order, and its
 * place and addend from walking that section's relocations. IRELATIVE come last, since resolvers may use what the others
 * set. A static executable has only IRELATIVE, in .rela.plt, between __rela_iplt_start and __rela_iplt_end.
 * Source: gABI ch. 5; psABI; glibc's static start-up for the last.
 */
#include "judge.h"
#include "plain.h"
#include "render.h"

static uint64_t row_sz(const struct layout *l)
{
	bool rela = l->in->arch->is_rela;
	return word_sz(l) == 8 ? (rela ? sizeof(Elf64_Rela) : sizeof(Elf64_Rel))
			       : (rela ? sizeof(Elf32_Rela) : sizeof(Elf32_Rel));
}

static void put_row(const struct layout *l, uint8_t *p, uint64_t va, uint32_t sym, uint32_t type, int64_t addend)
{
	unsigned w = word_sz(l);
	put_word(l, p, va);
	put_word(l, p + w, w == 8 ? (uint64_t)sym << 32 | type : (uint64_t)sym << 8 | (type & 0xff));
	if (l->in->arch->is_rela)
		put_word(l, p + 2 * w, (uint64_t)addend);
}

struct window {
	const struct layout *l;
	uint64_t off, sz;
	uint8_t *dst;
};

static void emit(const struct window *w, uint64_t i, uint64_t va, uint32_t sym, uint32_t type, int64_t addend)
{
	uint8_t row[24];
	uint64_t each = row_sz(w->l);
	if (i * each >= w->off + w->sz || (i + 1) * each <= w->off)
		return;
	put_row(w->l, row, va, sym, type, addend);
	put_piece(w->off, w->sz, w->dst, i * each, row, each);
}

/* ---- RELATIVE ---- */

static void walk_chunk(const struct window *w, const struct relative_run *run)
{
	const struct layout *l = w->l;
	const struct out *out = &l->outs[run->out];
	uint32_t file = out->chunk_file[run->chunk], gs = out->chunk[run->chunk];
	const struct object *o = l->in->files[file].obj;
	const struct isec *is = &o->secs[gs - l->st->sec_base[file]];
	uint64_t n = run->before, each = row_sz(l), va = section_start(l, gs);
	bool short_way = l->st->is_pic && (is->flags & SHF_WRITE) && !is->is_rel;
	for (uint32_t i = 0; i < is->rel_cnt && n * each < w->off + w->sz; i++) {
		struct rel r;
		struct target t;
		uint64_t plain;
		rel_get(o, is, i, &r);
		const struct rel_row *row = arch_row(l->in->arch, r.type);
		if (short_way && row && row->kind == REL_ABS && row->bits == 8 * word_sz(l) &&
		    plain_target(l, o, file, &r, &plain)) { /* judge_abs */
			emit(w, n++, va + r.off, 0, l->in->arch->dyn.relative, (int64_t)(plain + (uint64_t)r.addend));
			continue;
		}
		if (!row || row->kind != REL_ABS || !target_get(l->st, o, r.sym, &t) ||
		    judge(l->s, row, t.flags, is->flags, RELAX_NO).act != ACT_RELATIVE)
			continue;
		if ((n + 1) * each > w->off) {
			int64_t A = r.addend;
			uint64_t S = target_va(l, o, file, &r, &A);
			emit(w, n, va + r.off, 0, l->in->arch->dyn.relative, (int64_t)(S + (uint64_t)A));
		}
		n++;
	}
}

static void emit_relatives(const struct window *w)
{
	const struct layout *l = w->l;
	uint64_t first = w->off / row_sz(l);
	uint32_t lo = 0, hi = l->relative_cnt;
	while (hi - lo > 1) { /* the last run that starts at or before FIRST */
		uint32_t mid = lo + (hi - lo) / 2;
		if (l->relatives[mid].before <= first)
			lo = mid;
		else
			hi = mid;
	}
	for (; lo < l->relative_cnt && l->relatives[lo].before * row_sz(l) < w->off + w->sz; lo++)
		walk_chunk(w, &l->relatives[lo]);
}

/* ---- GOT slots ---- */

static uint64_t slot_target(const struct layout *l, const struct got_slot *g)
{
	const struct aux *a = &l->s->aux[g->aux];
	uint32_t file = (uint32_t)(a->key >> 32);
	struct rel r = { .sym = (uint32_t)a->key };
	struct esym e;
	int64_t A = 0;
	if (g->kind == GOT_IFUNC) { /* the resolver itself, even where the name means its PLT entry */
		esym_get(l->in->files[file].obj, (uint32_t)a->key, &e);
		return e.shndx < UINT32_C(0xffff0000) ? section_va(l, file, e.shndx, e.value) : e.value;
	}
	return a->name ? l->va[a->name] : target_va(l, l->in->files[file].obj, file, &r, &A) + (uint64_t)A;
}

static void emit_got(const struct window *w, enum got_rel want, uint64_t at, uint32_t type)
{
	const struct layout *l = w->l;
	uint64_t cnt = want == GOT_REL_RELATIVE ? l->s->got_relative : l->s->got_irelative, each = row_sz(l);
	uint32_t t;
	bool by_name;
	if (at * each >= w->off + w->sz || (at + cnt) * each <= w->off)
		return;
	for (uint32_t i = 0; i < l->s->got_cnt; i++)
		if (got_relocation(l->s, &l->s->got[i], &t, &by_name) == want)
			emit(w, at++, got_slot_va(l, i), 0, type, (int64_t)slot_target(l, &l->s->got[i]));
}

/* ---- the sections ---- */

static uint64_t symbolic_cnt(const struct layout *l)
{
	return (uint64_t)l->s->dynrel_cnt + l->s->got_symbolic + l->s->copy_cnt;
}

static uint64_t rela_dyn_size(const struct layout *l)
{
	if (!l->st->is_dynamic)
		return 0;
	return (l->relative_total + l->s->got_relative + symbolic_cnt(l) + l->s->got_irelative) * row_sz(l);
}

static int rela_dyn_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	struct window w = { l, off, sz, dst };
	uint64_t at = l->relative_total;
	(void)f;
	emit_relatives(&w);
	emit_got(&w, GOT_REL_RELATIVE, at, l->in->arch->dyn.relative);
	at += l->s->got_relative;
	for (uint64_t i = off / row_sz(l) > at ? off / row_sz(l) - at : 0;
	     i < l->dyn_row_cnt && (at + i) * row_sz(l) < off + sz; i++) {
		const struct dyn_row *d = &l->dyn_rows[i];
		emit(&w, at + i, d->va, d->dynsym, d->type, d->addend);
	}
	emit_got(&w, GOT_REL_IRELATIVE, at + l->dyn_row_cnt, l->in->arch->dyn.irelative);
	return 0;
}

static void dyn_links(const struct layout *l, uint32_t *ret_link, uint32_t *ret_info)
{
	*ret_link = l->syn_out[SYN_DYNSYM];
	*ret_info = 0;
}

const struct synthetic syn_rela_dyn = {
	.name = ".rela.dyn", .type = SHT_RELA, .flags = SHF_ALLOC, .entsize = sizeof(Elf64_Rela), .size = rela_dyn_size,
	.align = syn_word_align, .links = dyn_links, .render = rela_dyn_render
};

static uint64_t rela_plt_size(const struct layout *l)
{
	return (l->st->is_dynamic ? l->s->plt_cnt : l->s->got_irelative) * row_sz(l);
}

static int rela_plt_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	struct window w = { l, off, sz, dst };
	uint64_t slots = syn_va(l, SYN_GOTPLT) + (uint64_t)l->in->arch->gotplt_reserved * word_sz(l), each = row_sz(l);
	(void)f;
	if (!l->st->is_dynamic) {
		emit_got(&w, GOT_REL_IRELATIVE, 0, l->in->arch->dyn.irelative);
		return 0;
	}
	for (uint64_t i = off / each; i < l->s->plt_cnt && i * each < off + sz; i++)
		emit(&w, i, slots + i * word_sz(l), l->s->aux[l->s->plt[i]].dynsym,
		     l->in->arch->dyn.jump_slot, 0);
	return 0;
}

static void plt_links(const struct layout *l, uint32_t *ret_link, uint32_t *ret_info)
{
	*ret_link = l->st->is_dynamic ? l->syn_out[SYN_DYNSYM] : l->syn_out[SYN_SYMTAB];
	*ret_info = l->st->is_dynamic ? l->syn_out[SYN_GOTPLT] : l->syn_out[SYN_GOT];
}

const struct synthetic syn_rela_plt = {
	.name = ".rela.plt", .type = SHT_RELA, .flags = SHF_ALLOC | SHF_INFO_LINK, .entsize = sizeof(Elf64_Rela),
	.size = rela_plt_size, .align = syn_word_align, .links = plt_links, .render = rela_plt_render
};
