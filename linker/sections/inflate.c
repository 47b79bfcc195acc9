/* inflate.c - the bytes of compressed input sections that live.
 *
 * They are made now, not when their pages are read: later passes read strings and relocated fields in them, a damaged
 * stream must fail the link, and fills allocate nothing. The object keeps them (input/object_packed.c), so a relink
 * finds those of unchanged objects. Sections that the link drops are never decompressed.
 */
#include <errno.h>
#include <stdlib.h>

#include "sections_priv.h"

struct inflate_item {
	uint32_t file, idx; /* in the object's `packed` */
};

struct inflate_job {
	struct sections *s;
	struct inflate_item *item;
	size_t cnt;
	_Atomic uint64_t made; /* bytes */
	atomic_bool no_memory;
};

static int list_object(struct inflate_job *job, uint32_t file)
{
	struct sections *s = job->s;
	const struct object *o = s->in->files[file].obj;
	if (!o->packed_cnt)
		return 0;
	struct inflate_item *p = reallocarray(job->item, job->cnt + o->packed_cnt, sizeof(*p));
	if (!p)
		return -ENOMEM;
	job->item = p;
	for (uint32_t i = 0; i < o->packed_cnt; i++)
		if (sec_is(s->st, gsec(s->st, file, o->packed[i].sec), SEC_LIVE))
			p[job->cnt++] = (struct inflate_item){ file, i };
	return 0;
}

static void inflate_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct inflate_job *job = ctx;
	const struct inputs *in = job->s->in;
	(void)worker;
	for (size_t i = begin; i < end; i++) {
		struct inflate_item it = job->item[i];
		struct object *o = in->files[it.file].obj;
		uint64_t made, place = (uint64_t)it.file << 32 | o->packed[it.idx].sec;
		if (object_unpack(o, it.idx, in->diag, place, &made) == -ENOMEM)
			atomic_store(&job->no_memory, true);
		atomic_fetch_add_explicit(&job->made, made, memory_order_relaxed);
	}
}

int inflate_sections(struct sections *s)
{
	struct inflate_job job = { .s = s };
	int rc = 0;
	for (uint32_t k = 0; k < s->st->obj_cnt && !rc; k++)
		rc = list_object(&job, s->st->objs[k]);
	if (!rc)
		pool_for(s->in->pool, job.cnt, 1, inflate_range, &job);
	free(job.item);
	s->inflated_sz = atomic_load(&job.made);
	if (rc || atomic_load(&job.no_memory))
		return -ENOMEM;
	return diag_errors(s->in->diag) ? -EINVAL : 0;
}
