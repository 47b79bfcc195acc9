/* plain.c - which names have nothing special about them: nearly all that relocations mention.
 *
 * Their facts alone decide what becomes of a relocation, so rendering asks one bit of each instead: all bits of a large link
 * fit into a CPU's cache, its facts do not (render/plain.h uses them). So with the types of relocations.
 */
#include <errno.h>

#include "layout_priv.h"

static void mark_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	const uint32_t facts =
		SYM_DEF | SYM_ABS | SYM_IFUNC | SYM_TLS | SYM_PREEMPT | SYM_UNDEF_WEAK | SYM_UNDEF | SYM_OUTSIDE;
	struct layout *l = ctx;
	(void)worker;
	for (size_t w = begin; w < end; w++) {
		uint32_t id = (uint32_t)w * 64, last = l->st->cnt - id < 64 ? l->st->cnt : id + 64;
		uint64_t bits = 0;
		for (; id < last; id++)
			bits |= (uint64_t)((sym_flags(l->st, id) & facts) == SYM_DEF) << id % 64;
		l->plain[w] = bits;
	}
}

/* ONLY: a further condition, the kind that a type must be of; REL_UNKNOWN: none. */
static uint64_t plain_types(const struct arch *a, enum rel_kind only)
{
	uint64_t bits = 0;
	for (uint32_t type = 0; type < a->row_cnt && type < 64; type++) {
		const struct rel_row *row = &a->rows[type];
		const struct rel_field *field = &a->fields[row->field];
		bool is_pc = (row->kind == REL_PC || row->kind == REL_PLT_PC) && (!only || row->kind == only);
		if (is_pc && !(row->flags & (ROW_MAY_RELAX | ROW_CONSUMES_NEXT)) && !row->shift && !row->before &&
		    row->check == CHECK_SIGNED && row->bits == 32 && field->size == 4 && field->is_int && row->after <= 4)
			bits |= UINT64_C(1) << type;
	}
	return bits;
}

int plain_mark(struct layout *l)
{
	l->plain_types = plain_types(l->in->arch, REL_UNKNOWN);
	l->plain_branches = plain_types(l->in->arch, REL_PLT_PC);
	size_t words = ((size_t)l->st->cnt + 63) / 64;
	l->plain = arena_alloc_array(l->arena, words + 1, sizeof(*l->plain), 64);
	if (!l->plain)
		return -ENOMEM;
	pool_for(l->in->pool, words, 64, mark_range, l);
	return 0;
}
