/* outsec.c - which output section each input section goes to, and its rank there.
 *
 * What a section's name means is content.c's; here the classes of each object meet the output sections of the link. Addresses
 * and the order of output sections come later (layout/order.c). Parallel by object; an output section's own facts are ORs
 * and minima, so no order matters.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sections_priv.h"

struct assign_worker {
	uint16_t *outs; /* by class of the object at hand */
	uint32_t cap;
	bool no_memory;
};

struct assign_job {
	struct sections *s;
	struct assign_worker *workers;
};

static uint16_t *outs_of(struct assign_worker *w, uint32_t cnt)
{
	if (cnt >= w->cap) {
		uint16_t *p = realloc(w->outs, 2 * ((size_t)cnt + 16) * sizeof(*p));
		if (!p)
			return NULL;
		w->outs = p;
		w->cap = 2 * (cnt + 16);
	}
	return w->outs;
}

static bool is_bits(uint32_t type)
{
	return type == SHT_PROGBITS || type == SHT_NOBITS;
}

/* The type of an output section whose members differ: a special one wins over PROGBITS, PROGBITS over NOBITS. */
static void merge_type(struct outsec *o, uint32_t type)
{
	uint32_t old = atomic_load_explicit(&o->type, memory_order_relaxed);
	for (;;) {
		uint32_t want = old;
		if (old == SHT_NOBITS && type != SHT_NOBITS)
			want = type;
		else if (is_bits(old) && !is_bits(type))
			want = type;
		else if (!is_bits(old) && !is_bits(type) && type > old)
			want = type;
		if (want == old || atomic_compare_exchange_weak(&o->type, &old, want))
			return;
	}
}

static void join(struct outsec *o, uint32_t flags, uint32_t type, uint32_t first)
{
	uint32_t old = atomic_load_explicit(&o->first, memory_order_relaxed);
	if ((atomic_load_explicit(&o->flags, memory_order_relaxed) & flags) != flags)
		atomic_fetch_or(&o->flags, flags);
	merge_type(o, type);
	while (first < old && !atomic_compare_exchange_weak(&o->first, &old, first))
		;
}

static uint16_t find(struct sections *s, const char *name, bool is_alloc, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++)
		if (!strcmp(s->outs[i].name, name) && !!(s->outs[i].flags & SHF_ALLOC) == is_alloc)
			return (uint16_t)i;
	return OUT_NONE;
}

uint16_t outsec_get(struct sections *s, const char *name, uint32_t flags, uint32_t type, uint32_t first)
{
	uint32_t keep = flags & (SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR | SHF_TLS | SHF_GNU_RETAIN |
				 SHF_LINK_ORDER | SHF_MASKPROC);
	uint32_t cnt = atomic_load_explicit(&s->out_cnt, memory_order_acquire);
	uint16_t i = find(s, name, flags & SHF_ALLOC, cnt);
	if (i == OUT_NONE) {
		pthread_mutex_lock(&s->priv->lock);
		cnt = atomic_load(&s->out_cnt);
		i = find(s, name, flags & SHF_ALLOC, cnt);
		if (i == OUT_NONE && cnt < OUTSEC_MAX) {
			i = (uint16_t)cnt;
			s->outs[i] = (struct outsec){ .name = name };
			atomic_init(&s->outs[i].flags, keep);
			atomic_init(&s->outs[i].type, type);
			atomic_init(&s->outs[i].first, first);
			atomic_store_explicit(&s->out_cnt, cnt + 1, memory_order_release);
		}
		pthread_mutex_unlock(&s->priv->lock);
	}
	if (i == OUT_NONE)
		diag_error(s->in->diag, 0, "too many output sections: more than %u different names", OUTSEC_MAX);
	else
		join(&s->outs[i], keep, type, first);
	return i;
}

/* Is the section part of the output at all, before garbage collection? */
static bool is_kept(const struct sections *s, const struct content_class *c)
{
	return (c->flags & SHF_ALLOC) || s->in->opt->strip == STRIP_NONE || !c->is_debug;
}

static void assign_object(struct sections *s, uint32_t file, struct assign_worker *w)
{
	const struct content *x = content_get(s->in->files[file].obj);
	uint32_t base = s->st->sec_base[file];
	uint16_t *outs = x ? outs_of(w, x->class_cnt) : NULL;
	if (!outs) {
		w->no_memory = true;
		return;
	}
	for (uint32_t i = 0; i < x->class_cnt; i++)
		outs[i] = OUT_NONE;
	for (const struct content_row *row = x->rows; row < x->rows + x->cnt; row++) {
		uint32_t gs = base + row->sec;
		const struct content_class *c = &x->classes[row->class];
		if (!is_kept(s, c) || sec_is(s->st, gs, SEC_DEAD_COMDAT))
			continue;
		if (outs[row->class] == OUT_NONE) /* rows ascend: it is the class's first */
			outs[row->class] = outsec_get(s, c->out, c->flags, c->type, gs);
		s->out_of[gs] = outs[row->class];
		s->rank_of[gs] = row->rank;
	}
}

static void assign_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct assign_job *j = ctx;
	for (size_t k = begin; k < end; k++)
		assign_object(j->s, j->s->st->objs[k], &j->workers[worker]);
}

int outsec_assign(struct sections *s)
{
	s->outs = arena_alloc_array(s->arena, OUTSEC_MAX + 1, sizeof(*s->outs), 64);
	s->out_of = arena_alloc_array(s->arena, s->st->sec_cnt, sizeof(*s->out_of), 64);
	s->rank_of = arena_alloc_array(s->scratch, s->st->sec_cnt, sizeof(*s->rank_of), 64);
	if (!s->outs || !s->out_of || !s->rank_of)
		return -ENOMEM;
	memset((void *)s->out_of, 0xff, (size_t)s->st->sec_cnt * sizeof(*s->out_of)); /* OUT_NONE */
	struct assign_job job = { s, calloc(pool_threads(s->in->pool), sizeof(*job.workers)) };
	if (!job.workers)
		return -ENOMEM;
	pool_for(s->in->pool, s->st->obj_cnt, 8, assign_range, &job);
	bool no_memory = false;
	for (unsigned w = 0; w < pool_threads(s->in->pool); w++) {
		no_memory |= job.workers[w].no_memory;
		free(job.workers[w].outs);
	}
	free(job.workers);
	if (no_memory)
		return -ENOMEM;
	return diag_errors(s->in->diag) ? -EINVAL : 0;
}
