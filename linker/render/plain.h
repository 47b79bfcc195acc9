/* plain.h - the short way for targets with nothing special about them, which nearly all relocations have.
 *
 * A plain target is defined in this output, at a fixed place in a section that is copied whole or in a piece of a merged one:
 * no import, no IFUNC, not thread-local, not absolute, nothing where the addend chooses the piece. For those judge.h's rule
 * needs no facts, and a PC-relative or a branch relocation is S + A - P. Whatever is not plain goes the long way
 * (evaluate.c), which gives the same bytes.
 */
#ifndef LINKFS_PLAIN_H
#define LINKFS_PLAIN_H

#include "layout.h"

/* Are all relocations of IS, of which run R counts those that are RELATIVE, such, with their addends in the rows? It is a
 * table of addresses then: words that the loader writes and that are zero in the file. */
static inline bool relative_only(const struct layout *l, uint32_t r, const struct isec *is)
{
	return l->in->arch->is_rela && !is->is_rel && relative_cnt(l, r) == is->rel_cnt;
}

/* S of relocation R of OBJECT, which is FILE; false: not plain. */
static inline bool plain_target(const struct layout *l, const struct object *o, uint32_t file, const struct rel *r,
				uint64_t *ret_s)
{
	const struct symtab *st = l->st;
	struct esym s;
	if (r->sym >= o->sym_cnt || st->wrap_cnt)
		return false;
	if (r->sym >= o->first_global) {
		name_id id = o->names[r->sym - o->first_global];
		*ret_s = l->va[id];
		return l->plain[id / 64] >> id % 64 & 1;
	}
	esym_get(o, r->sym, &s);
	if (!s.shndx || s.shndx >= o->sec_cnt || s.type == STT_TLS || s.type == STT_GNU_IFUNC)
		return false;
	const uint64_t *start = section_slot(l, gsec(st, file, s.shndx));
	if (!start)
		return false;
	*ret_s = *start + s.value;
	if (o->secs[s.shndx].kind == ISEC_REGULAR)
		return true;
	const struct merge_sec *m =
		o->secs[s.shndx].kind == ISEC_MERGE && s.type != STT_SECTION ? merge_find(l->s, file, s.shndx) : NULL;
	uint64_t in_set;
	if (!m || !merge_offset(l->s, m, s.value, &in_set))
		return false;
	*ret_s = l->merge_va[m->set] + in_set;
	return true;
}

/* L of a branch to a name that is called through the PLT; 0: it is not. */
static inline uint64_t plain_plt(const struct layout *l, const struct object *o, const struct rel *r)
{
	if (r->sym < o->first_global || r->sym >= o->sym_cnt || l->st->wrap_cnt)
		return 0;
	name_id id = o->names[r->sym - o->first_global];
	const struct aux *a = sym_flags(l->st, id) & (SYM_PREEMPT | SYM_IFUNC) ? aux_global(l->s, id) : NULL;
	return a ? aux_plt_va(l, a) : 0;
}

#endif
