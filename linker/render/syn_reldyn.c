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

/* Row I of a table, if it lies in the window. */
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

/* The relocations of one section, as addresses to be put in rows. */
struct table {
	const struct layout *l;
	const struct object *o;
	const struct isec *is;
	uint32_t file;
	uint64_t va;           /* of the section */
	/* The piece of a merged section that was pointed into last: [from, to) of section `merged` lie DELTA further. */
	uint32_t merged, piece;
	uint64_t from, to, delta;
};

static struct table table_of(const struct layout *l, const struct relative_run *run)
{
	const struct out *out = &l->outs[run->out];
	uint32_t file = out->chunk_file[run->chunk], gs = out->chunk[run->chunk];
	const struct object *o = l->in->files[file].obj;
	return (struct table){ .l = l, .o = o, .is = &o->secs[gs - l->st->sec_base[file]], .file = file,
			       .va = section_start(l, gs) };
}

/* Finds the piece that has byte OFF of section SHNDX. */
static bool find_piece(struct table *t, uint32_t shndx, uint64_t off)
{
	const struct layout *l = t->l;
	const struct merge_sec *m = merge_find(l->s, t->file, shndx);
	uint64_t in_set;
	t->piece = t->merged == shndx ? t->piece : 0;
	t->merged = 0;
	if (!m || !m->pieces->start || !merge_offset_near(l->s, m, off, &t->piece, &in_set))
		return false;
	t->merged = shndx;
	t->from = m->pieces->start[t->piece];
	t->to = m->pieces->start[t->piece + 1];
	t->delta = l->merge_va[m->set] + in_set - off;
	return off < t->to; /* else it points behind the last one */
}

/* S + A of a relocation that is known to be RELATIVE. What is nothing special about is found here, as target_va would. */
static inline uint64_t relative_value(struct table *t, const struct rel *r, uint8_t class, bool is_be)
{
	const struct layout *l = t->l;
	const struct object *o = t->o;
	uint64_t A = (uint64_t)r->addend;
	int64_t rest = r->addend;
	struct esym s;
	if (r->sym >= o->first_global && r->sym < o->sym_cnt && !l->st->wrap_cnt)
		return l->va[o->names[r->sym - o->first_global]] + A;
	if (r->sym < o->first_global && r->sym < o->sym_cnt) {
		esym_get_as(o, r->sym, class, is_be, &s);
		uint64_t off = s.value + A;
		if (s.shndx && s.shndx == t->merged && s.type == STT_SECTION && off >= t->from && off < t->to)
			return off + t->delta;
		bool is_placed = s.shndx && s.shndx < o->sec_cnt && s.type != STT_GNU_IFUNC;
		const uint64_t *start = is_placed ? section_slot(l, gsec(l->st, t->file, s.shndx)) : NULL;
		if (start && o->secs[s.shndx].kind == ISEC_REGULAR)
			return *start + off;
		if (start && o->secs[s.shndx].kind == ISEC_MERGE && s.type == STT_SECTION && find_piece(t, s.shndx, off))
			return off + t->delta;
	}
	uint64_t S = target_va(l, o, t->file, r, &rest);
	return S + (uint64_t)rest;
}

/* Whole rows, from relocation I to LAST, of the common format. */
static void put_rows(struct table *t, uint32_t i, uint32_t last, uint64_t type, uint8_t *p)
{
	for (; i < last; i++, p += sizeof(Elf64_Rela)) {
		struct rel r;
		rel_get_as(t->o, t->is, i, ELFCLASS64, false, false, &r);
		store64(p, t->va + r.off, false);
		store64(p + 8, type, false);
		store64(p + 16, relative_value(t, &r, ELFCLASS64, false), false);
	}
}

static void put_any_rows(const struct window *w, uint64_t before, struct table *t, uint32_t i, uint32_t last)
{
	for (; i < last; i++) {
		struct rel r;
		rel_get(t->o, t->is, i, &r);
		emit(w, before + i, t->va + r.off, 0, w->l->in->arch->dyn.relative,
		     (int64_t)relative_value(t, &r, t->o->elf_class, t->o->is_be));
	}
}

/* All relocations are rows: where a row's lies is known. */
static void walk_table(const struct window *w, uint64_t before, struct table *t)
{
	uint64_t each = row_sz(w->l), end = w->off + w->sz;
	uint64_t first = w->off / each, last = (end + each - 1) / each;       /* rows of the window, */
	uint64_t whole = (w->off + each - 1) / each, whole_last = end / each; /* and those not cut */
	uint64_t lo = first > before ? first - before : 0, hi = last - before < t->is->rel_cnt ? last - before : t->is->rel_cnt;
	uint64_t a = whole > before ? whole - before : 0, b = whole_last > before ? whole_last - before : 0;
	if (t->o->elf_class != ELFCLASS64 || t->o->is_be || a >= b || lo >= hi) {
		put_any_rows(w, before, t, (uint32_t)lo, (uint32_t)hi);
		return;
	}
	a = a < hi ? a : hi;
	b = b < hi ? b : hi;
	put_any_rows(w, before, t, (uint32_t)lo, (uint32_t)a);
	put_rows(t, (uint32_t)a, (uint32_t)b, w->l->in->arch->dyn.relative, w->dst + ((before + a) * each - w->off));
	put_any_rows(w, before, t, (uint32_t)b, (uint32_t)hi);
}

/* Some are something else: one counts. */
static void walk_mixed(const struct window *w, uint64_t n, struct table *t)
{
	const struct layout *l = w->l;
	uint64_t each = row_sz(l);
	bool short_way = l->st->is_pic && (t->is->flags & SHF_WRITE) && !t->is->is_rel;
	for (uint32_t i = 0; i < t->is->rel_cnt && n * each < w->off + w->sz; i++) {
		struct rel r;
		struct target to;
		uint64_t plain;
		rel_get(t->o, t->is, i, &r);
		const struct rel_row *row = arch_row(l->in->arch, r.type);
		if (short_way && row && row->kind == REL_ABS && row->bits == 8 * word_sz(l) &&
		    plain_target(l, t->o, t->file, &r, &plain)) { /* judge_abs */
			emit(w, n++, t->va + r.off, 0, l->in->arch->dyn.relative, (int64_t)(plain + (uint64_t)r.addend));
			continue;
		}
		if (!row || row->kind != REL_ABS || !target_get(l->st, t->o, r.sym, &to) ||
		    judge(l->s, row, to.flags, t->is->flags, RELAX_NO).act != ACT_RELATIVE)
			continue;
		if ((n + 1) * each > w->off)
			emit(w, n, t->va + r.off, 0, l->in->arch->dyn.relative,
			     (int64_t)relative_value(t, &r, t->o->elf_class, t->o->is_be));
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
	for (; lo < l->relative_cnt && l->relatives[lo].before * row_sz(l) < w->off + w->sz; lo++) {
		struct table t = table_of(l, &l->relatives[lo]);
		if (relative_only(l, lo, t.is))
			walk_table(w, l->relatives[lo].before, &t);
		else
			walk_mixed(w, l->relatives[lo].before, &t);
	}
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
	.align = syn_word_align, .links = dyn_links, .render = rela_dyn_render, .is_dense = true
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
