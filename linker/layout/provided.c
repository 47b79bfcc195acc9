/* provided.c - makes and keeps what an object provides (provided.h). */
#include "provided.h"

#include <stdlib.h>
#include <string.h>

#include "defs.h"

static const uint8_t *states_of(const struct layout *l, uint32_t file)
{
	return (const uint8_t *)(l->st->sec_state + l->st->sec_base[file]);
}

static bool fits(const struct layout *l, uint32_t file, const struct provided *p)
{
	return p && p->serial == l->st->serial && p->file == file && p->with_frames == (l->s->eh_sz != 0) &&
	       !memcmp(p->states, states_of(l, file), p->sec_cnt);
}

static struct provided *make(const struct layout *l, uint32_t file, const struct defs *d, provided_counter count)
{
	uint32_t sec_cnt = l->in->files[file].obj->sec_cnt, cnt = 0, rows[DEFS_BATCH];
	struct provided_count sums = { 0 };
	uint32_t *all = malloc(((size_t)d->cnt + 1) * sizeof(*all));
	for (uint32_t at = 0; all && at < d->cnt;) {
		uint32_t n = defs_provided(l->st, file, d, &at, rows);
		count(l, file, d, rows, n, &sums);
		for (uint32_t i = 0; i < n; i++) {
			all[cnt] = rows[i];
			cnt += (sym_flags(l->st, d->rows[rows[i]].id) & SYM_DEF) != 0;
		}
	}
	size_t sz = sizeof(struct provided) + cnt * sizeof(*all) + sec_cnt;
	struct provided *p = all ? malloc(sz) : NULL;
	if (p) {
		*p = (struct provided){ .product.sz = sz, .serial = l->st->serial, .file = file,
					.with_frames = l->s->eh_sz != 0, .sec_cnt = sec_cnt,
					.states = (uint8_t *)(p->rows + cnt), .locals = sums.locals,
					.globals = sums.globals, .cnt = cnt };
		memcpy(p->rows, all, cnt * sizeof(*all));
		memcpy(p->rows + cnt, states_of(l, file), sec_cnt);
	}
	free(all);
	return p;
}

const struct provided *provided_get(const struct layout *l, uint32_t file, const struct defs *d, provided_counter count,
				    struct object_product **retired)
{
	struct object *o = l->in->files[file].obj;
	struct provided *p;
	if (!l->in->kept || !l->st->serial)
		return NULL;
	p = (struct provided *)(void *)atomic_load_explicit(&o->provided, memory_order_acquire); /* its first member */
	if (fits(l, file, p))
		return p;
	p = make(l, file, d, count);
	if (!p)
		return NULL;
	object_products_retire(atomic_exchange(&o->provided, &p->product), retired);
	return p;
}
