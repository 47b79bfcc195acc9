/* syn_reldyn.c - .rela.dyn (RELATIVE, then by symbol, then IRELATIVE) and .rela.plt.
 *
 * RELATIVE rows are not stored: which section the n-th belongs to follows from prefix sums in layout order, and its place
 * and addend from that section's table of pointers, or its relocations where it has none. IRELATIVE come last, since
 * resolvers may use what the others set. A static executable has only IRELATIVE, in .rela.plt, between __rela_iplt_start
 * and __rela_iplt_end.
 * Source: gABI ch. 5; psABI; glibc's static start-up for the last.
 */
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

/* The relocations of one section after the other, as addresses to be put in rows. */
struct reader {
	const struct layout *l;
	uint32_t file;
	const struct object *o;
	const struct pointers *pointers; /* of the object; NULL: none that can be used */
	uint32_t at;                     /* which of its tables was the last */
	const struct pointer_piece *pieces;
	const struct isec *is;           /* the section, and its address */
	uint64_t va;
	/* What was pointed into last: a section, and a merged one. 0: none yet, in this object. */
	uint32_t sec, merged;
	uint64_t start, merged_va;
	const struct merge_sec *m;
};

static void reader_open(struct reader *t, const struct relative_run *run)
{
	const struct layout *l = t->l;
	const struct out *out = &l->outs[run->out];
	uint32_t file = out->chunk_file[run->chunk], gs = out->chunk[run->chunk];
	if (t->file != file) {
		const struct object *o = l->in->files[file].obj;
		*t = (struct reader){ .l = l, .file = file, .o = o, .pointers = pointers_usable(l, o) };
		t->pieces = t->pointers ? pointers_pieces(t->pointers) : NULL;
	}
	t->is = &t->o->secs[gs - l->st->sec_base[file]];
	t->va = section_start(l, gs);
}

static bool find_section(struct reader *t, uint32_t sec)
{
	const uint64_t *slot = section_slot(t->l, gsec(t->l->st, t->file, sec));
	t->sec = slot ? sec : 0;
	t->start = slot ? *slot : 0;
	return slot;
}

static bool find_merged(struct reader *t, uint32_t sec)
{
	t->m = merge_find(t->l->s, t->file, sec);
	t->merged = t->m ? sec : 0;
	t->merged_va = t->m ? t->l->merge_va[t->m->set] : 0;
	return t->m;
}

/* S + A of relocation I, which is known to be RELATIVE. */
static uint64_t value_of_any(const struct reader *t, uint32_t i)
{
	struct rel r;
	rel_get(t->o, t->is, i, &r);
	int64_t A = r.addend;
	uint64_t S = target_va(t->l, t->o, t->file, &r, &A);
	return S + (uint64_t)A;
}

/* The same, which has the row P. */
static inline uint64_t value_of(struct reader *t, const struct pointer *p, uint32_t i)
{
	uint32_t index = pointer_index(p);
	uint64_t A = (uint64_t)(int64_t)p->addend;
	switch (pointer_kind(p)) {
	case POINTER_NAME:
		return t->l->va[index] + A;
	case POINTER_SECTION:
		if (index == t->sec || find_section(t, index))
			return t->start + A;
		break;
	case POINTER_PIECE:
		if (t->pieces[index].sec != t->merged && !find_merged(t, t->pieces[index].sec))
			break;
		if (t->pieces[index].piece < t->m->pieces->cnt)
			return t->merged_va + merge_piece_off(t->m, t->pieces[index].piece) + A;
		break;
	case POINTER_OTHER:
		break;
	}
	return value_of_any(t, i);
}

/* emit, in one piece where the row is of the common format and not cut. */
static inline void emit_relative(const struct window *w, bool is_common, uint64_t i, uint64_t va, uint64_t value)
{
	uint64_t at = i * sizeof(Elf64_Rela);
	if (!is_common || at < w->off || at + sizeof(Elf64_Rela) > w->off + w->sz) {
		emit(w, i, va, 0, w->l->in->arch->dyn.relative, (int64_t)value);
		return;
	}
	uint8_t *p = w->dst + (at - w->off);
	store64(p, va, false);
	store64(p + 8, w->l->in->arch->dyn.relative, false);
	store64(p + 16, value, false);
}

/* All relocations are rows: where a row's lies is known. */
static void walk_table(const struct window *w, uint64_t before, struct reader *t, const struct pointer_table *table)
{
	uint64_t each = row_sz(w->l), first = w->off / each, last = (w->off + w->sz + each - 1) / each;
	uint64_t i = first > before ? first - before : 0, end = last - before < table->cnt ? last - before : table->cnt;
	const struct pointer *rows = pointers_rows(t->pointers) + table->first;
	bool is_common = t->o->elf_class == ELFCLASS64 && !t->o->is_be;
	for (; i < end; i++)
		emit_relative(w, is_common, before + i, t->va + rows[i].off, value_of(t, &rows[i], (uint32_t)i));
}

/* Some are something else: one counts. */
static void walk_mixed(const struct window *w, uint64_t n, struct reader *t, const struct pointer_table *table)
{
	uint64_t each = row_sz(w->l);
	const struct pointer *rows = pointers_rows(t->pointers) + table->first;
	bool is_common = t->o->elf_class == ELFCLASS64 && !t->o->is_be;
	for (uint32_t i = 0; i < table->cnt && n * each < w->off + w->sz; i++) {
		if (pointer_act(w->l, t->o, table, i, &rows[i]) != ACT_RELATIVE)
			continue;
		if ((n + 1) * each > w->off)
			emit_relative(w, is_common, n, t->va + rows[i].off, value_of(t, &rows[i], i));
		n++;
	}
}

/* The same without a table. */
static void walk_any(const struct window *w, uint64_t n, struct reader *t)
{
	const struct layout *l = w->l;
	uint64_t each = row_sz(l);
	for (uint32_t i = 0; i < t->is->rel_cnt && n * each < w->off + w->sz; i++) {
		struct rel r;
		struct target to;
		rel_get(t->o, t->is, i, &r);
		const struct rel_row *row = arch_row(l->in->arch, r.type);
		if (!row || row->kind != REL_ABS || !target_get(l->st, t->o, r.sym, &to) ||
		    judge(l->s, row, to.flags, t->is->flags, RELAX_NO).act != ACT_RELATIVE)
			continue;
		emit(w, n++, t->va + r.off, 0, l->in->arch->dyn.relative, (int64_t)value_of_any(t, i));
	}
}

static void emit_relatives(const struct window *w)
{
	const struct layout *l = w->l;
	uint64_t first = w->off / row_sz(l);
	uint32_t lo = 0, hi = l->relative_cnt;
	struct reader t = { .l = l };
	while (hi - lo > 1) { /* the last run that starts at or before FIRST */
		uint32_t mid = lo + (hi - lo) / 2;
		if (l->relatives[mid].before <= first)
			lo = mid;
		else
			hi = mid;
	}
	for (; lo < l->relative_cnt && l->relatives[lo].before * row_sz(l) < w->off + w->sz; lo++) {
		uint64_t before = l->relatives[lo].before;
		reader_open(&t, &l->relatives[lo]);
		const struct pointer_table *table =
			t.pointers ? pointers_find(t.pointers, (uint32_t)(t.is - t.o->secs), &t.at) : NULL;
		if (!table)
			walk_any(w, before, &t);
		else if (relative_cnt(l, lo) == table->cnt)
			walk_table(w, before, &t, table);
		else
			walk_mixed(w, before, &t, table);
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
