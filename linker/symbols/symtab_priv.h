/* symtab_priv.h - the passes of the symbols stage, one file each. */
#ifndef LINKFS_SYMTAB_PRIV_H
#define LINKFS_SYMTAB_PRIV_H

#include <pthread.h>

#include "symtab.h"

struct symtab_private {
	struct inputs *in; /* the stage may parse members and set is_live */
	pthread_mutex_t lock; /* of commons while objects are judged */
};

int extract_members(struct symtab *st);    /* extract.c: the least fixed point of references to top providers */
int comdat_choose(struct symtab *st);      /* comdat.c: section numbers, groups */
int resolve_providers(struct symtab *st);  /* resolve.c: who defines what, duplicates, commons */
int linkdefs_add(struct symtab *st);       /* linkdefs.c: linker-defined names, --defsym, f@V aliases */
int versions_assign(struct symtab *st);    /* versions.c: symbol versions, what scripts and lists say of names */
int facts_compute(struct symtab *st);      /* facts.c: imports, exports, preemption */

/* Would a definition with the facts FL, but for SYM_EXPORT, be exported? */
bool facts_is_exported(const struct symtab *st, uint32_t fl);
/* Does the value lie beyond the section, or the section not in the output? */
static inline bool value_is_outside(const struct isec *is, uint64_t value)
{
	return value > is->sz || !(is->flags & SHF_ALLOC) || is->kind == ISEC_NONE || is->kind == ISEC_PROPERTY ||
	       is->kind == ISEC_DISCARD;
}
/* Frees what only the passes use; what the passes have made, none of which is shared. */
void symtab_end_passes(struct symtab *st);
void symtab_clear(struct symtab *st);
/* From now on references to FROM mean TO. 0 or -ENOMEM. */
int symtab_alias(struct symtab *st, name_id from, name_id to);

/* For each object of the link, in parallel: FN(st, file). */
void symtab_each_object(struct symtab *st, void (*fn)(struct symtab *st, uint32_t file));
/* Lowers the provider of ID to P if P is before it. */
static inline void provider_claim(struct symtab *st, name_id id, uint64_t p)
{
	uint64_t old = ~sym_win(st, id);
	while (p < ~old && !atomic_compare_exchange_weak_explicit(&st->win[id], &old, ~p, memory_order_relaxed,
								  memory_order_relaxed))
		;
}

#endif
