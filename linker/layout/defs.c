/* defs.c - makes an object's dense rows for laying out (defs.h). */
#include "defs.h"

#include <stdlib.h>

static void count_frames(struct defs *d, const struct content *x, const struct frames *fr)
{
	uint32_t at = 0;
	d->frames_sec = fr->sec;
	for (uint32_t i = 0; i < x->cnt; i++) {
		uint32_t cnt = 0;
		for (; at < fr->fde_cnt && fr->fdes[fr->by_sec[at]].sec <= x->rows[i].sec; at++) {
			const struct fde *f = &fr->fdes[fr->by_sec[at]];
			if (f->sec < x->rows[i].sec)
				continue;
			cnt++;
			d->pc_max = f->pc > d->pc_max ? f->pc : d->pc_max;
		}
		d->fde_cnt[i] = cnt < DEFS_MANY ? (uint8_t)cnt : DEFS_MANY;
	}
}

static struct defs *make(const struct layout *l, const struct object *o, const struct frames *fr)
{
	const struct content *x = content_of(o);
	struct esym e;
	size_t cnt = 0, rows = (sizeof(struct defs) + x->cnt + 7) & ~(size_t)7; /* where they start */
	for (uint32_t i = o->first_global; i < o->sym_cnt; i++) {
		esym_get(o, i, &e);
		cnt += e.shndx != SHN_UNDEF;
	}
	struct defs *d = malloc(rows + cnt * sizeof(struct def));
	if (!d)
		return NULL;
	struct def *to = (struct def *)(void *)((char *)d + rows);
	*d = (struct defs){ .cnt = (uint32_t)cnt, .rows = to };
	d->product.sz = rows + cnt * sizeof(*to);
	for (uint32_t i = o->first_global; i < o->sym_cnt; i++) {
		esym_get(o, i, &e);
		if (e.shndx == SHN_UNDEF)
			continue;
		name_id id = o->names[i - o->first_global];
		*to++ = (struct def){ e.value, id, i, e.shndx, names_get(l->in->names, id)->len };
	}
	count_frames(d, x, fr);
	return d;
}

const struct defs *defs_get(const struct layout *l, uint32_t file)
{
	struct object *o = l->in->files[file].obj;
	struct object_product *none = NULL;
	if (defs_of(o))
		return defs_of(o);
	struct defs *d = make(l, o, l->s->eh[file].frames);
	/* The first to publish wins: the same object may stand on the command line twice. */
	if (!d || atomic_compare_exchange_strong(&o->defs, &none, &d->product))
		return d;
	free(d);
	return defs_of(o);
}
