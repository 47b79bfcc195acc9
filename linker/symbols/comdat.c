/* comdat.c - numbers the sections of the link and decides each COMDAT group for the earliest file.
 *
 * After this: no new sections. The winner of a signature is the minimum of the file positions, whatever thread looks
 * first; sections of other copies are SEC_DEAD_COMDAT. Two groups of one signature within one file: the first stays.
 * Source: gABI ch. 4 "Section Groups" (GRP_COMDAT).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symtab_priv.h"

struct choice {
	struct symtab *st;
	_Atomic uint64_t *owner; /* by signature: file << 32 | group */
};

static void claim_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct choice *c = ctx;
	(void)worker;
	for (size_t k = begin; k < end; k++) {
		uint32_t file = c->st->objs[k];
		const struct object *o = c->st->in->files[file].obj;
		for (uint32_t g = 0; g < o->group_cnt; g++) {
			uint64_t mine = (uint64_t)file << 32 | g;
			if (!o->groups[g].is_comdat)
				continue;
			_Atomic uint64_t *slot = &c->owner[o->groups[g].signature];
			uint64_t old = atomic_load_explicit(slot, memory_order_relaxed);
			while (mine < old && !atomic_compare_exchange_weak_explicit(
						     slot, &old, mine, memory_order_relaxed, memory_order_relaxed))
				;
		}
	}
}

static void bury_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct choice *c = ctx;
	(void)worker;
	for (size_t k = begin; k < end; k++) {
		uint32_t file = c->st->objs[k];
		const struct object *o = c->st->in->files[file].obj;
		for (uint32_t g = 0; g < o->group_cnt; g++) {
			const struct group *gr = &o->groups[g];
			if (!gr->is_comdat || c->owner[gr->signature] == ((uint64_t)file << 32 | g))
				continue;
			for (uint32_t m = 0; m < gr->member_cnt; m++)
				atomic_store_explicit(&c->st->sec_state[gsec(c->st, file, gr->members[m])],
						      SEC_DEAD_COMDAT, memory_order_relaxed);
		}
	}
}

int comdat_choose(struct symtab *st)
{
	const struct inputs *in = st->in;
	uint64_t total = 1; /* global section 0 is nobody's */
	st->sec_base = calloc((size_t)in->file_cnt + 1, sizeof(*st->sec_base));
	if (!st->sec_base)
		return -ENOMEM;
	for (uint32_t k = 0; k < st->obj_cnt; k++) {
		st->sec_base[st->objs[k]] = (uint32_t)total;
		total += in->files[st->objs[k]].obj->sec_cnt;
	}
	if (total > UINT32_MAX) {
		diag_error(in->diag, 0, "too many sections: %llu in all inputs, at most 4294967295 are possible",
			   (unsigned long long)total);
		return -EOVERFLOW;
	}
	st->sec_cnt = (uint32_t)total;
	st->sec_state = calloc(total, sizeof(*st->sec_state));
	struct choice c = { st, malloc((size_t)names_cnt(in->names) * sizeof(*c.owner)) };
	if (!st->sec_state || !c.owner) {
		free(c.owner);
		return -ENOMEM;
	}
	memset((void *)c.owner, 0xff, (size_t)names_cnt(in->names) * sizeof(*c.owner));
	/* Groups that were intermediate code's: what was compiled of it may have them, and nobody behind it. */
	for (uint32_t i = 0; i < in->taken_cnt; i++)
		c.owner[in->taken[i]] = ((uint64_t)in->compiled_end << 32) - 1;
	pool_for(in->pool, st->obj_cnt, 8, claim_range, &c);
	pool_for(in->pool, st->obj_cnt, 8, bury_range, &c);
	free(c.owner);
	return 0;
}
