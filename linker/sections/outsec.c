/* outsec.c - which output section each input section goes to, its rank there, and that it lives if nothing collects it.
 *
 * What a section's name means is content.c's; here the classes of each object meet the output sections of the link. Addresses
 * and the order of output sections come later (layout/order.c). Parallel by object; an output section's own facts are ORs
 * and minima, so no order matters.
 *
 * In a process that links again, what an object's sections become is kept with it: which class each is of, and its state before
 * and after, all of which follows from the object's bytes, the states before and two options. Where these are as they were,
 * a link copies the states and translates classes to its own output sections.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sections_priv.h"

/* What becomes of a class of the object at hand. */
struct class_use {
	uint16_t out;
	bool is_kept;  /* part of the output at all, before garbage collection */
	bool is_live;  /* and not to be collected */
	bool is_alloc;
};

/* What became of an object's sections, for a link that finds the same. */
#define NO_CLASS UINT8_MAX
struct assigned {
	struct object_product product; /* the object keeps one */
	bool with_debug, with_gc; /* options: key, as is `before` */
	uint64_t bound;         /* what it adds to alloc_bound */
	uint32_t sec_cnt;
	uint32_t *first;        /* by class: its first section in the output; 0: none */
	uint8_t *before, *after; /* by section: states */
	uint8_t class[];        /* by section; NO_CLASS: not in the output. Behind it the three above */
};

#define GUESSES 64u
struct assign_worker {
	uint16_t guesses[GUESSES]; /* by hash of a name: the output section that was last found so */
	struct class_use *uses; /* by class */
	uint32_t cap;
	uint64_t bound;         /* its share of alloc_bound */
	struct object_product *retired;
	bool no_memory;
};

struct assign_job {
	struct sections *s;
	struct assign_worker *workers;
};

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

static bool is_for(const struct outsec *o, const struct content_class *c)
{
	return o->hash == c->hash && !((o->flags ^ c->flags) & SHF_ALLOC) &&
	       (o->name == c->out || !strcmp(o->name, c->out)); /* most names are content.c's own */
}

static uint16_t find(struct sections *s, const struct content_class *c, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++)
		if (is_for(&s->outs[i], c))
			return (uint16_t)i;
	return OUT_NONE;
}

/* The output section for a class whose first section is FIRST, made when new; OUT_NONE: too many (reported). */
static uint16_t outsec_get(struct sections *s, const struct content_class *c, uint32_t first, struct assign_worker *w)
{
	uint16_t *guess = &w->guesses[c->hash % GUESSES];
	uint32_t keep = c->flags & (SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR | SHF_TLS | SHF_GNU_RETAIN |
				    SHF_LINK_ORDER | SHF_MASKPROC);
	uint32_t cnt = atomic_load_explicit(&s->out_cnt, memory_order_acquire);
	uint16_t i = *guess < cnt && is_for(&s->outs[*guess], c) ? *guess : find(s, c, cnt);
	if (i == OUT_NONE) {
		pthread_mutex_lock(&s->priv->lock);
		cnt = atomic_load(&s->out_cnt);
		i = find(s, c, cnt);
		if (i == OUT_NONE && cnt < OUTSEC_MAX) {
			i = (uint16_t)cnt;
			s->outs[i] = (struct outsec){ .name = c->out, .hash = c->hash };
			atomic_init(&s->outs[i].flags, keep);
			atomic_init(&s->outs[i].type, c->type);
			atomic_init(&s->outs[i].first, first);
			atomic_store_explicit(&s->out_cnt, cnt + 1, memory_order_release);
		}
		pthread_mutex_unlock(&s->priv->lock);
	}
	if (i == OUT_NONE)
		diag_error(s->in->diag, 0, "too many output sections: more than %u different names", OUTSEC_MAX);
	else
		join(&s->outs[i], keep, c->type, first);
	*guess = i;
	return i;
}

static bool is_kept(const struct sections *s, const struct content_class *c)
{
	return (c->flags & SHF_ALLOC) || s->in->opt->strip == STRIP_NONE || !c->is_debug;
}

static struct class_use *uses_of(const struct sections *s, struct assign_worker *w, const struct content *x)
{
	if (x->class_cnt >= w->cap) {
		uint32_t cap = 2 * (x->class_cnt + 16);
		struct class_use *p = realloc(w->uses, cap * sizeof(*p));
		if (!p)
			return NULL;
		w->uses = p;
		w->cap = cap;
	}
	for (uint32_t i = 0; i < x->class_cnt; i++) {
		bool is_alloc = x->classes[i].flags & SHF_ALLOC;
		w->uses[i] = (struct class_use){ OUT_NONE, is_kept(s, &x->classes[i]),
						 !is_alloc || !s->in->opt->gc_sections, is_alloc };
	}
	return w->uses;
}

/* ---- what is kept ---- */

static struct assigned *assigned_of(const struct object *o)
{
	return (struct assigned *)(void *)atomic_load_explicit(&o->assigned, memory_order_acquire); /* its first member */
}

static bool assigned_fits(const struct sections *s, const struct assigned *a, const struct object *o,
			  const _Atomic uint8_t *state)
{
	return a && a->with_debug == (s->in->opt->strip == STRIP_NONE) && a->with_gc == s->in->opt->gc_sections &&
	       !memcmp((const void *)state, a->before, o->sec_cnt);
}

/* With the states as they are before; NULL where none is to be kept. */
static struct assigned *assigned_new(const struct sections *s, const struct object *o, const struct content *x,
				     const _Atomic uint8_t *state)
{
	size_t firsts = (sizeof(struct assigned) + o->sec_cnt + 3) & ~(size_t)3;
	size_t sz = firsts + x->class_cnt * sizeof(uint32_t) + 2 * (size_t)o->sec_cnt;
	struct assigned *a = s->in->kept && x->class_cnt < NO_CLASS ? malloc(sz) : NULL;
	if (!a)
		return NULL;
	*a = (struct assigned){ .product.sz = sz, .with_debug = s->in->opt->strip == STRIP_NONE,
				.with_gc = s->in->opt->gc_sections, .sec_cnt = o->sec_cnt };
	a->first = (uint32_t *)(void *)((char *)a + firsts);
	a->before = (uint8_t *)(a->first + x->class_cnt);
	a->after = a->before + o->sec_cnt;
	memset(a->class, NO_CLASS, o->sec_cnt);
	memset(a->first, 0, x->class_cnt * sizeof(*a->first));
	memcpy(a->before, (const void *)state, o->sec_cnt);
	return a;
}

/* What A says, for a link that has its own output sections. */
static void assign_again(struct sections *s, uint32_t file, const struct content *x, const struct assigned *a,
			 struct assign_worker *w)
{
	uint32_t base = s->st->sec_base[file];
	uint16_t *out_of = (uint16_t *)(s->out_of + base), outs[NO_CLASS + 1];
	memset(outs, 0xff, sizeof(outs)); /* OUT_NONE */
	for (uint32_t i = 0; i < x->class_cnt; i++)
		if (a->first[i])
			outs[i] = outsec_get(s, &x->classes[i], base + a->first[i], w);
	memcpy((void *)(s->st->sec_state + base), a->after, a->sec_cnt);
	for (uint32_t i = 0; i < a->sec_cnt; i++)
		out_of[i] = outs[a->class[i]];
}

/* ---- the pass ---- */

/* Nobody else is at an object's part of the arrays. What is found goes to A as well, unless it is NULL. The bytes it adds to
 * alloc_bound. */
static uint64_t assign_rows(struct sections *s, uint32_t file, const struct content *x, struct class_use *uses,
			    struct assigned *a, struct assign_worker *w)
{
	uint32_t base = s->st->sec_base[file];
	_Atomic uint16_t *out_of = s->out_of + base;
	_Atomic uint8_t *state = s->st->sec_state + base;
	uint64_t bound = 0;
	memset((void *)out_of, 0xff, s->in->files[file].obj->sec_cnt * sizeof(*out_of)); /* OUT_NONE */
	for (const struct content_row *row = x->rows; row < x->rows + x->cnt; row++) {
		struct class_use *u = &uses[row->class];
		if (!u->is_kept || (atomic_load_explicit(&state[row->sec], memory_order_relaxed) & SEC_DEAD_COMDAT))
			continue;
		bool is_first = u->out == OUT_NONE; /* rows ascend: it is the class's first */
		if (is_first)
			u->out = outsec_get(s, &x->classes[row->class], base + row->sec, w);
		if (is_first && a)
			a->first[row->class] = row->sec;
		if (a)
			a->class[row->sec] = (uint8_t)row->class;
		atomic_store_explicit(&out_of[row->sec], u->out, memory_order_relaxed);
		if (!u->is_live || u->out == OUT_NONE)
			continue;
		atomic_store_explicit(&state[row->sec], SEC_LIVE, memory_order_relaxed);
		bound += u->is_alloc ? section_bound(row->sz, row->p2align) : 0;
	}
	return bound;
}

static void assign_object(struct sections *s, uint32_t file, struct assign_worker *w)
{
	struct object *o = s->in->files[file].obj;
	const struct content *x = content_get(o);
	_Atomic uint8_t *state = s->st->sec_state + s->st->sec_base[file];
	struct assigned *a = assigned_of(o);
	if (x && assigned_fits(s, a, o, state)) {
		assign_again(s, file, x, a, w);
		w->bound += a->bound;
		return;
	}
	struct class_use *uses = x ? uses_of(s, w, x) : NULL;
	if (!uses) {
		w->no_memory = true;
		return;
	}
	a = assigned_new(s, o, x, state);
	uint64_t bound = assign_rows(s, file, x, uses, a, w);
	w->bound += bound;
	if (!a)
		return;
	if (diag_errors(s->in->diag)) { /* maybe too many output sections, which is not this object's own */
		free(a);
		return;
	}
	a->bound = bound;
	memcpy(a->after, (const void *)state, o->sec_cnt);
	object_products_retire(atomic_exchange(&o->assigned, &a->product), &w->retired);
}

/* Objects lie far apart in memory: the loop asks for what it reads next. */
static void look_ahead(const struct sections *s, size_t k, size_t end)
{
	const struct ifile *files = s->in->files;
	const uint32_t *objs = s->st->objs;
	if (k + 3 < end)
		__builtin_prefetch(&files[objs[k + 3]].obj->assigned);
	if (k + 2 < end)
		__builtin_prefetch(assigned_of(files[objs[k + 2]].obj));
	const struct assigned *a = k + 1 < end ? assigned_of(files[objs[k + 1]].obj) : NULL;
	if (!a)
		return;
	__builtin_prefetch(a->first);
	__builtin_prefetch(a->before);
	__builtin_prefetch(a->after);
	__builtin_prefetch((const void *)&s->st->sec_state[s->st->sec_base[objs[k + 1]]]);
	const struct content *x = content_of(files[objs[k + 1]].obj);
	if (x)
		__builtin_prefetch(x->classes);
}

static void assign_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct assign_job *j = ctx;
	for (size_t k = begin; k < end; k++) {
		look_ahead(j->s, k, end);
		assign_object(j->s, j->s->st->objs[k], &j->workers[worker]);
	}
}

int outsec_assign(struct sections *s)
{
	s->outs = arena_alloc_raw_array(s->arena, OUTSEC_MAX + 1, sizeof(*s->outs), 64);
	s->out_of = arena_alloc_raw_array(s->arena, s->st->sec_cnt, sizeof(*s->out_of), 64);
	if (!s->outs || !s->out_of)
		return -ENOMEM;
	atomic_init(&s->out_of[0], OUT_NONE); /* nobody's section */
	struct assign_job job = { s, calloc(pool_threads(s->in->pool), sizeof(*job.workers)) };
	if (!job.workers)
		return -ENOMEM;
	pool_for(s->in->pool, s->st->obj_cnt, 16, assign_range, &job);
	bool no_memory = false;
	for (unsigned w = 0; w < pool_threads(s->in->pool); w++) {
		no_memory |= job.workers[w].no_memory;
		s->alloc_bound += job.workers[w].bound;
		free(job.workers[w].uses);
		object_products_free(job.workers[w].retired);
	}
	free(job.workers);
	if (no_memory)
		return -ENOMEM;
	return diag_errors(s->in->diag) ? -EINVAL : 0;
}
