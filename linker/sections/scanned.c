/* scanned.c - keeps what scanning an object found (scanned.h).
 *
 * Two products are kept for each object, so that two programs over the same archives do not take turns in scanning.
 */
#include "scanned.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* What scan.c and judge.h ask of a name. NEED bits are set while others scan. */
#define FACTS (SYM_DEF | SYM_SHARED | SYM_ABS | SYM_IFUNC | SYM_TLS | SYM_FUNC | SYM_PREEMPT | SYM_UNDEF_WEAK | \
	       SYM_UNDEF | SYM_OUTSIDE)
enum { BATCH = 2040, BATCH_NAMES = 16384 };

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

static struct scanned_digest digest(const void *data, size_t sz)
{
	XXH128_hash_t d = XXH3_128bits(data, sz);
	return (struct scanned_digest){ d.low64, d.high64 };
}

static bool is_same(const struct scanned_digest *a, const struct scanned_digest *b)
{
	return a->low == b->low && a->high == b->high;
}

struct scanned_digest scanned_facts(const struct scan_facts *facts)
{
	return digest(facts, sizeof(*facts));
}

/* ---- names ---- */

/* The FACTS of a name in two bytes: the highest takes the place of a bit that is none of them. */
static uint16_t facts_of(const struct symtab *st, name_id id)
{
	uint32_t fl = sym_flags(st, id) & FACTS;
	_Static_assert(!(FACTS & 1) && !((FACTS & ~SYM_OUTSIDE) >> 16), "facts do not fit two bytes");
	return (uint16_t)(fl | (fl & SYM_OUTSIDE ? 1 : 0));
}

struct naming {
	const struct symtab *st;
	struct scanned_names *names;
	uint32_t first;
	atomic_bool differs;
};

static void compare_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct naming *j = ctx;
	uint16_t diff = 0;
	(void)worker;
	for (size_t id = begin; id < end; id++)
		diff |= j->names->facts[id] ^ facts_of(j->st, (name_id)id);
	if (diff)
		atomic_store(&j->differs, true);
}

static void fill_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct naming *j = ctx;
	(void)worker;
	for (size_t id = j->first + begin; id < j->first + end; id++)
		j->names->facts[id] = facts_of(j->st, (name_id)id);
}

int scanned_names_update(const struct sections *s, struct scanned_names **memo)
{
	struct naming j = { .st = s->st, .names = *memo };
	uint64_t serial = j.names ? j.names->serial : 0;
	uint32_t known = j.names && j.names->cnt <= s->st->cnt ? j.names->cnt : 0;
	pool_for(s->in->pool, known, BATCH_NAMES, compare_range, &j);
	if (atomic_load(&j.differs))
		known = 0;
	if (known && known == s->st->cnt)
		return 0;
	j.names = realloc(*memo, sizeof(*j.names) + (size_t)s->st->cnt * sizeof(*j.names->facts));
	if (!j.names)
		return -ENOMEM;
	j.names->serial = known ? serial : serial + 1;
	j.names->cnt = s->st->cnt;
	j.first = known;
	*memo = j.names;
	pool_for(s->in->pool, s->st->cnt - known, BATCH_NAMES, fill_range, &j);
	return 0;
}

static struct scanned_digest names_digest(const struct scanned_names *names, const struct object *o)
{
	uint32_t global_cnt = o->sym_cnt - o->first_global;
	struct {
		struct scanned_digest before; /* what was digested so far */
		uint16_t facts[BATCH];
	} b = { 0 };
	for (uint32_t i = 0, n; i < global_cnt; i += n) {
		n = global_cnt - i < BATCH ? global_cnt - i : BATCH;
		for (uint32_t k = 0; k < n; k++)
			b.facts[k] = names->facts[o->names[i + k]];
		b.before = digest(&b, offsetof(typeof(b), facts) + n * sizeof(*b.facts));
	}
	return b.before;
}

/* ---- products ---- */

static struct scanned *of(struct object_product *p)
{
	return (struct scanned *)(void *)p; /* its first member */
}

const struct scanned *scanned_find(const struct sections *s, const struct scan_around *around, uint32_t file,
				   struct scanned_key *ret_key)
{
	const struct object *o = s->in->files[file].obj;
	bool has_names = false;
	ret_key->facts = around->facts;
	/* By now a state is live, dead and with frames; the last follows from the first and the object's bytes. */
	ret_key->states = digest((const void *)(s->st->sec_state + s->st->sec_base[file]), o->sec_cnt);
	struct scanned *x = of(atomic_load_explicit(&o->scanned, memory_order_acquire));
	for (; x; x = of(atomic_load_explicit(&x->older.next, memory_order_acquire))) {
		if (!is_same(&x->key.facts, &ret_key->facts) || !is_same(&x->key.states, &ret_key->states))
			continue;
		if (around->serial && atomic_load_explicit(&x->serial, memory_order_relaxed) == around->serial)
			return x;
		if (!has_names)
			ret_key->names = names_digest(around->names, o);
		has_names = true;
		if (!is_same(&x->key.names, &ret_key->names))
			continue;
		atomic_store_explicit(&x->serial, around->serial, memory_order_relaxed);
		return x;
	}
	if (!has_names)
		ret_key->names = names_digest(around->names, o);
	return NULL;
}

static int compare(const void *va, const void *vb)
{
	const struct scanned_row *a = va, *b = vb;
	if (a->a != b->a)
		return a->a < b->a ? -1 : 1;
	return a->b < b->b ? -1 : a->b > b->b;
}

static void sort(struct list *l)
{
	const struct scanned_row *row = l->data;
	for (size_t i = 1; i < l->cnt; i++)
		if (compare(&row[i - 1], &row[i]) > 0) {
			qsort(l->data, l->cnt, sizeof(*row), compare);
			return;
		}
}

/* One row for all of a symbol's needs. */
static void join(struct list *l)
{
	struct scanned_row *row = l->data;
	size_t n = 0;
	for (size_t i = 0; i < l->cnt; i++) {
		if (n && row[n - 1].a == row[i].a)
			row[n - 1].b |= row[i].b;
		else
			row[n++] = row[i];
	}
	l->cnt = n;
}

struct scanned *scanned_make(const struct scanned_head *head, struct list lists[SCANNED_CNT])
{
	size_t cnt = 0;
	for (int i = 0; i < SCANNED_CNT; i++) {
		sort(&lists[i]);
		if (i == SCANNED_LOCALS || i == SCANNED_GLOBALS)
			join(&lists[i]);
		cnt += lists[i].cnt;
	}
	struct scanned *x = malloc(sizeof(*x) + cnt * sizeof(*x->rows));
	if (!x)
		return NULL;
	*x = (struct scanned){ .older.sz = sizeof(*x) + cnt * sizeof(*x->rows), .head = *head };
	struct scanned_row *to = x->rows;
	for (int i = 0; i < SCANNED_CNT; i++) {
		x->cnt[i] = (uint32_t)lists[i].cnt;
		if (lists[i].cnt)
			memcpy(to, lists[i].data, lists[i].cnt * sizeof(*to));
		to += lists[i].cnt;
	}
	return x;
}

void scanned_keep(struct object *o, const struct scanned_key *key, uint64_t serial, struct scanned *x,
		  struct object_product **retired)
{
	x->key = *key;
	atomic_init(&x->serial, serial);
	/* The object may stand on the command line twice, and others be reading what is replaced. */
	struct scanned *old = of(atomic_exchange(&o->scanned, NULL));
	struct object_product *older = old ? atomic_exchange(&old->older.next, NULL) : NULL;
	atomic_init(&x->older.next, old ? &old->older : NULL);
	object_products_retire(older, retired);
	object_products_retire(atomic_exchange(&o->scanned, &x->older), retired);
}
