/* syn_symtab.c - .symtab and .strtab: any range by walking the objects that own it.
 *
 * Both are laid out in the same order (layout/symcount.c): locals by object, local names without an object, globals by
 * object, names without one. A walk starts at the object whose part begins at or before the range.
 * Source: gABI ch. 4 "Symbol Table", "String Table".
 */
#include "render.h"
#include "symentry.h"

struct walk {
	const struct layout *l;
	uint64_t off, sz;
	uint8_t *dst;
	uint64_t str;  /* offset of the next name in .strtab */
	uint64_t idx;  /* index of the next symbol */
	uint32_t each; /* bytes of a symbol */
	bool strings;
};

static void visit(void *ctx, const struct out_sym *s)
{
	struct walk *w = ctx;
	uint64_t at = w->strings ? w->str : w->idx * w->each, len = w->strings ? s->len + 1 : w->each;
	if (at < w->off + w->sz && at + len > w->off) {
		if (w->strings) {
			put_piece(w->off, w->sz, w->dst, at, s->name, s->len);
			put_piece(w->off, w->sz, w->dst, at + s->len, "", 1);
		} else {
			uint8_t buf[sizeof(Elf64_Sym)];
			symentry_put(w->l, buf, (uint32_t)w->str, s->id, &s->e, s->file, false);
			put_piece(w->off, w->sz, w->dst, at, buf, w->each);
		}
	}
	w->str += (uint64_t)s->len + 1;
	w->idx++;
}

static uint64_t part_start(const struct walk *w, uint32_t k, bool locals)
{
	const struct symtab_part *p = &w->l->sym_parts[k];
	if (w->strings)
		return locals ? p->local_str : p->global_str;
	return (uint64_t)(locals ? p->locals : p->globals) * w->each;
}

static void walk_objects(struct walk *w, bool locals)
{
	const struct layout *l = w->l;
	uint32_t lo = 0, hi = l->st->obj_cnt;
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (part_start(w, mid, locals) <= w->off)
			lo = mid;
		else
			hi = mid;
	}
	for (; lo < l->st->obj_cnt && part_start(w, lo, locals) < w->off + w->sz; lo++) {
		const struct symtab_part *p = &l->sym_parts[lo];
		w->str = locals ? p->local_str : p->global_str;
		w->idx = locals ? p->locals : p->globals;
		symtab_walk(l, lo, locals, visit, w);
	}
}

static void walk_extra(struct walk *w, bool locals)
{
	const struct layout *l = w->l;
	const struct symtab_part *end = &l->sym_parts[l->st->obj_cnt];
	uint32_t first = locals ? 0 : l->sym_extra_locals, last = locals ? l->sym_extra_locals : l->sym_extra_cnt;
	w->idx = locals ? l->symtab_locals - l->sym_extra_locals : end->globals;
	w->str = end->global_str;
	if (locals) /* they come right before the first global's name */
		w->str = l->sym_extra_str;
	for (uint32_t i = first; i < last; i++) {
		const struct name *n = names_get(l->in->names, l->sym_extra[i]);
		struct out_sym s = { .name = n->str, .len = n->len, .id = l->sym_extra[i] };
		visit(w, &s);
	}
}

static int render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, bool strings)
{
	struct walk w = { .l = l, .off = off, .sz = sz, .dst = dst, .strings = strings,
			  .each = word_sz(l) == 8 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym) };
	uint8_t zero[sizeof(Elf64_Sym)] = { 0 };
	put_piece(off, sz, dst, 0, zero, strings ? 1 : w.each);
	walk_objects(&w, true);
	walk_extra(&w, true);
	walk_objects(&w, false);
	walk_extra(&w, false);
	return 0;
}

static uint64_t symtab_size(const struct layout *l)
{
	uint32_t each = word_sz(l) == 8 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	return l->in->opt->strip == STRIP_ALL ? 0 : (uint64_t)l->symtab_cnt * each;
}

static int symtab_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	(void)f;
	return render(l, off, sz, dst, false);
}

static void links(const struct layout *l, uint32_t *ret_link, uint32_t *ret_info)
{
	*ret_link = l->syn_out[SYN_STRTAB];
	*ret_info = l->symtab_locals;
}

const struct synthetic syn_symtab = {
	.name = ".symtab", .type = SHT_SYMTAB, .entsize = sizeof(Elf64_Sym), .size = symtab_size, .align = syn_word_align,
	.links = links, .render = symtab_render
};

static uint64_t strtab_size(const struct layout *l)
{
	return l->in->opt->strip == STRIP_ALL ? 0 : l->strtab_sz;
}

static int strtab_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	(void)f;
	return render(l, off, sz, dst, true);
}

const struct synthetic syn_strtab = {
	.name = ".strtab", .type = SHT_STRTAB, .size = strtab_size, .render = strtab_render
};
