/* plain.h - the short way for targets with nothing special about them, which nearly all relocations have.
 *
 * A plain target is defined in this output, at a fixed place in a section that is copied whole or in a piece of a merged one:
 * no import, no IFUNC, not thread-local, not absolute, nothing where the addend chooses the piece, no value outside of its
 * section. For those judge.h's rule needs no facts, and a PC-relative or a branch relocation is S + A - P. Whatever is not
 * plain goes the long way (evaluate.c), which gives the same bytes.
 */
#ifndef LINKFS_PLAIN_H
#define LINKFS_PLAIN_H

#include "judge.h"
#include "layout.h"
#include "pointers.h"

/* The tables of pointers of an object, where names in them are the ones that its symbols mean; NULL: it has none such. */
static inline const struct pointers *pointers_usable(const struct layout *l, const struct object *o)
{
	return l->st->is_pic && l->in->arch->is_rela && !l->st->wrap_cnt ? pointers_of(o) : NULL;
}

static inline bool is_plain_name(const struct layout *l, name_id id)
{
	return l->plain[id / 64] >> id % 64 & 1;
}

/* What becomes of relocation I of a table of O, which is usable, with the row P: enum act. */
static inline uint8_t pointer_act(const struct layout *l, const struct object *o, const struct pointer_table *t, uint32_t i,
				  const struct pointer *p)
{
	struct rel r;
	struct target to = { 0 };
	enum pointer_kind kind = pointer_kind(p);
	if (kind == POINTER_SECTION || kind == POINTER_PIECE ||
	    (kind == POINTER_NAME && is_plain_name(l, pointer_index(p))))
		return ACT_RELATIVE; /* judge_abs: a word, defined here, writable */
	if (kind == POINTER_NAME) {
		to.flags = sym_flags(l->st, pointer_index(p));
	} else {
		rel_get(o, &o->secs[t->sec], i, &r);
		target_get(l->st, o, r.sym, &to);
	}
	return judge(l->s, arch_row(l->in->arch, t->type), to.flags, POINTER_FLAGS, RELAX_NO).act;
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
		return is_plain_name(l, id);
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
static inline uint64_t plain_plt(const struct layout *l, name_id id)
{
	const struct aux *a = sym_flags(l->st, id) & (SYM_PREEMPT | SYM_IFUNC) ? aux_global(l->s, id) : NULL;
	return a ? aux_plt_va(l, a) : 0;
}

#endif
