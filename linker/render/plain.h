/* plain.h - the short way for targets with nothing special about them, which nearly all relocations have.
 *
 * A plain target is defined in this output, at a fixed place in a section that is copied whole: no import, no IFUNC, not
 * thread-local, not absolute, no piece of a merged section. For those judge.h's rule needs no facts, and a PC-relative or a
 * branch relocation is S + A - P. Whatever is not plain goes the long way (evaluate.c), which gives the same bytes.
 */
#ifndef LINKFS_PLAIN_H
#define LINKFS_PLAIN_H

#include "layout.h"

/* S of relocation R of OBJECT, which is FILE; false: not plain. */
static inline bool plain_target(const struct layout *l, const struct object *o, uint32_t file, const struct rel *r,
				uint64_t *ret_s)
{
	const uint32_t facts = SYM_DEF | SYM_ABS | SYM_IFUNC | SYM_TLS | SYM_PREEMPT | SYM_UNDEF_WEAK | SYM_UNDEF;
	const struct symtab *st = l->st;
	struct esym s;
	if (r->sym >= o->sym_cnt || st->wrap_cnt)
		return false;
	if (r->sym >= o->first_global) {
		name_id id = o->names[r->sym - o->first_global];
		*ret_s = l->va[id];
		return (sym_flags(st, id) & facts) == SYM_DEF;
	}
	esym_get(o, r->sym, &s);
	if (!s.shndx || s.shndx >= o->sec_cnt || s.type == STT_TLS || s.type == STT_GNU_IFUNC ||
	    o->secs[s.shndx].kind != ISEC_REGULAR)
		return false;
	const uint64_t *start = section_slot(l, gsec(st, file, s.shndx));
	*ret_s = start ? *start + s.value : 0;
	return start;
}

#endif
