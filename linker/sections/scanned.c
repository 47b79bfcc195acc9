/* scanned.c - keeps what scanning an object found (scanned.h).
 *
 * Two products are kept for each object, so that two programs over the same archives do not take turns in scanning.
 */
#include "scanned.h"

#include <stdlib.h>
#include <string.h>

#define XXH_STATIC_LINKING_ONLY /* the state lives on the stack */
#include <xxhash.h>

/* What scan.c and judge.h ask of a name. NEED bits are set while others scan. */
#define FACTS (SYM_DEF | SYM_SHARED | SYM_ABS | SYM_IFUNC | SYM_TLS | SYM_FUNC | SYM_PREEMPT | SYM_UNDEF_WEAK | \
	       SYM_UNDEF | SYM_OUTSIDE)
#define STATES (SEC_LIVE | SEC_DEAD_COMDAT)

enum { BATCH = 512 };

void *list_push(struct list *l, size_t elem, bool *no_memory)
{
	if (l->cnt == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		void *p = realloc(l->data, cap * elem);
		if (!p) {
			*no_memory = true;
			return NULL;
		}
		l->data = p;
		l->cap = cap;
	}
	return (char *)l->data + elem * l->cnt++;
}

void scanned_key(const struct sections *s, const struct scan_facts *facts, uint32_t file, uint64_t key[2])
{
	const struct symtab *st = s->st;
	const struct object *o = s->in->files[file].obj;
	uint32_t base = st->sec_base[file], global_cnt = o->sym_cnt - o->first_global;
	XXH3_state_t h;
	uint32_t fl[BATCH];
	uint8_t state[BATCH];
	XXH3_128bits_reset(&h);
	XXH3_128bits_update(&h, facts, sizeof(*facts));
	for (uint32_t i = 0, n; i < global_cnt; i += n) {
		n = global_cnt - i < BATCH ? global_cnt - i : BATCH;
		for (uint32_t k = 0; k < n; k++)
			fl[k] = sym_flags(st, o->names[i + k]) & FACTS;
		XXH3_128bits_update(&h, fl, n * sizeof(*fl));
	}
	for (uint32_t i = 0, n; i < o->sec_cnt; i += n) {
		n = o->sec_cnt - i < BATCH ? o->sec_cnt - i : BATCH;
		for (uint32_t k = 0; k < n; k++)
			state[k] = atomic_load_explicit(&st->sec_state[base + i + k], memory_order_relaxed) & STATES;
		XXH3_128bits_update(&h, state, n);
	}
	XXH128_hash_t d = XXH3_128bits_digest(&h);
	key[0] = d.low64;
	key[1] = d.high64;
}

static struct scanned *of(struct object_product *p)
{
	return (struct scanned *)(void *)p; /* its first member */
}

const struct scanned *scanned_find(const struct object *o, const uint64_t key[2])
{
	struct scanned *x = of(atomic_load_explicit(&o->scanned, memory_order_acquire));
	while (x && (x->key[0] != key[0] || x->key[1] != key[1]))
		x = of(atomic_load_explicit(&x->older.next, memory_order_acquire));
	return x;
}

static int by_first(const void *va, const void *vb)
{
	const struct pair *a = va, *b = vb;
	return a->a < b->a ? -1 : a->a > b->a;
}

/* One row for all of a symbol's needs. */
static void join(struct list *l)
{
	struct pair *row = l->data;
	size_t n = 0;
	if (!l->cnt)
		return;
	qsort(row, l->cnt, sizeof(*row), by_first);
	for (size_t i = 0; i < l->cnt; i++) {
		if (n && row[n - 1].a == row[i].a)
			row[n - 1].b |= row[i].b;
		else
			row[n++] = row[i];
	}
	l->cnt = n;
}

static void retire(struct scanned *x, struct scanned **retired)
{
	for (; x; x = of(atomic_load(&x->older.next))) {
		x->retired = *retired;
		*retired = x;
	}
}

void scanned_keep(struct object *o, const uint64_t key[2], const struct scanned_head *head,
		  struct list lists[SCANNED_CNT], struct scanned **retired)
{
	size_t cnt = 0;
	join(&lists[SCANNED_LOCALS]);
	join(&lists[SCANNED_GLOBALS]);
	for (int i = 0; i < SCANNED_CNT; i++)
		cnt += lists[i].cnt;
	struct scanned *x = malloc(sizeof(*x) + cnt * sizeof(*x->rows));
	if (!x)
		return;
	x->older.sz = sizeof(*x) + cnt * sizeof(*x->rows);
	x->key[0] = key[0];
	x->key[1] = key[1];
	x->head = *head;
	struct pair *to = x->rows;
	for (int i = 0; i < SCANNED_CNT; i++) {
		x->cnt[i] = (uint32_t)lists[i].cnt;
		if (lists[i].cnt)
			memcpy(to, lists[i].data, lists[i].cnt * sizeof(*to));
		to += lists[i].cnt;
	}
	/* The object may stand on the command line twice, and others be reading what is replaced. */
	struct scanned *old = of(atomic_exchange(&o->scanned, NULL));
	struct scanned *older = old ? of(atomic_exchange(&old->older.next, NULL)) : NULL;
	atomic_init(&x->older.next, old ? &old->older : NULL);
	struct scanned *other = of(atomic_exchange(&o->scanned, &x->older));
	retire(older, retired);
	retire(other, retired);
}

void scanned_retire(struct scanned *retired)
{
	for (struct scanned *next; retired; retired = next) {
		next = retired->retired;
		free(retired);
	}
}
