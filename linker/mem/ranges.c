/* ranges.c - ranges in one sorted array.
 *
 * A flat array and memmove: filling 1 GiB in random order in 4 KiB pages peaks at some 65,000 entries and costs 1.7
 * us a change, and users work in 64 KiB units. All changes are one operation, `replace`: entries [from, to) become up
 * to two new ones; who calls it has worked out what to replace and that there is room.
 *
 * Growth happens before anything is changed, so a failed allocation changes nothing.
 */
#include "ranges.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static void *heap_resize(void *ctx, void *old, size_t old_sz, size_t new_sz)
{
	(void)ctx;
	(void)old_sz;
	if (!new_sz) {
		free(old);
		return NULL;
	}
	return realloc(old, new_sz);
}

void ranges_init(struct ranges *t, const struct ranges_mem *mem)
{
	*t = (struct ranges){ .mem = mem ? *mem : (struct ranges_mem){ .resize = heap_resize } };
}

void ranges_done(struct ranges *t)
{
	if (t->cap)
		t->mem.resize(t->mem.ctx, t->r, t->cap * sizeof(*t->r), 0);
	t->r = NULL;
	t->cnt = t->cap = 0;
	t->total = 0;
}

int ranges_reserve(struct ranges *t, size_t more)
{
	size_t need, cap = t->cap ? t->cap : RANGES_FIRST_CAP;
	void *r;

	if (__builtin_add_overflow(t->cnt, more, &need))
		return -ENOMEM;
	if (need <= t->cap)
		return 0;
	while (cap < need) {
		if (cap > SIZE_MAX / 2 / sizeof(*t->r))
			return -ENOMEM;
		cap *= 2;
	}
	r = t->mem.resize(t->mem.ctx, t->r, t->cap * sizeof(*t->r), cap * sizeof(*t->r));
	if (!r)
		return -ENOMEM;
	t->r = r;
	t->cap = cap;
	return 0;
}

size_t ranges_find_succ_counted(const struct ranges *t, uint64_t a, unsigned *probes)
{
	size_t lo = 0, hi = t->cnt; /* the answer is in [lo, hi] */

	while (hi - lo > 8) {
		size_t mid = lo + (hi - lo) / 2;

		++*probes;
		if (a < t->r[mid].base)
			hi = mid;
		else
			lo = mid + 1;
	}
	for (; lo < hi; lo++) {
		++*probes;
		if (a < t->r[lo].base)
			break;
	}
	return lo;
}

size_t ranges_find_succ(const struct ranges *t, uint64_t a)
{
	unsigned probes = 0;

	return ranges_find_succ_counted(t, a, &probes);
}

/* The first range with a member above A or at it: its limit is greater than A. */
static size_t find_limit_gt(const struct ranges *t, uint64_t a)
{
	size_t i = ranges_find_succ(t, a);

	return i && a < t->r[i - 1].limit ? i - 1 : i;
}

static bool is_empty(struct range r)
{
	return r.base >= r.limit;
}

/* Entries [from, to) become the CNT at WITH. There is room. */
static void replace(struct ranges *t, size_t from, size_t to, const struct range *with, size_t cnt)
{
	size_t left = t->cnt - (to - from);

	assert(left + cnt <= t->cap);
	if (cnt != to - from)
		memmove(t->r + from + cnt, t->r + to, (t->cnt - to) * sizeof(*t->r));
	for (size_t i = 0; i < cnt; i++)
		t->r[from + i] = with[i];
	t->cnt = left + cnt;
	t->gen++;
}

/* How much of R the entries from FROM to before TO cover. */
static uint64_t covered(const struct ranges *t, size_t from, size_t to, struct range r)
{
	uint64_t sum = 0;

	for (size_t i = from; i < to; i++) {
		uint64_t base = t->r[i].base > r.base ? t->r[i].base : r.base;
		uint64_t limit = t->r[i].limit < r.limit ? t->r[i].limit : r.limit;

		sum += limit > base ? limit - base : 0;
	}
	return sum;
}

int ranges_add(struct ranges *t, struct range r)
{
	if (is_empty(r))
		return -EINVAL;
	if (ranges_intersects(t, r))
		return -EEXIST;
	return ranges_add_merge(t, r, NULL);
}

int ranges_add_merge(struct ranges *t, struct range r, uint64_t *ret_new)
{
	size_t from, to;
	uint64_t had;
	struct range merged = r;

	if (is_empty(r))
		return -EINVAL;
	/* Entries [from, to) overlap R or touch it. The one before `from` ends below R's base. */
	from = ranges_find_succ(t, r.base);
	if (from && t->r[from - 1].limit >= r.base)
		from--;
	to = ranges_find_succ(t, r.limit);
	had = covered(t, from, to, r);
	if (had == r.limit - r.base) {
		if (ret_new)
			*ret_new = 0;
		return 0;
	}
	if (from < to) {
		if (t->r[from].base < merged.base)
			merged.base = t->r[from].base;
		if (t->r[to - 1].limit > merged.limit)
			merged.limit = t->r[to - 1].limit;
	} else if (ranges_reserve(t, 1) < 0) {
		return -ENOMEM;
	}
	replace(t, from, to, &merged, 1);
	t->total += r.limit - r.base - had;
	if (ret_new)
		*ret_new = r.limit - r.base - had;
	return 0;
}

int ranges_remove(struct ranges *t, struct range r, uint64_t *ret_gone)
{
	size_t from, to, keep_cnt = 0;
	struct range keep[2];
	uint64_t gone;

	if (is_empty(r))
		return -EINVAL;
	from = find_limit_gt(t, r.base);
	to = ranges_find_succ(t, r.limit - 1);
	gone = covered(t, from, to, r);
	if (gone) {
		if (t->r[from].base < r.base)
			keep[keep_cnt++] = (struct range){ t->r[from].base, r.base };
		if (t->r[to - 1].limit > r.limit)
			keep[keep_cnt++] = (struct range){ r.limit, t->r[to - 1].limit };
		if (keep_cnt > to - from && ranges_reserve(t, 1) < 0)
			return -ENOMEM;
		replace(t, from, to, keep, keep_cnt);
		t->total -= gone;
	}
	if (ret_gone)
		*ret_gone = gone;
	return 0;
}

bool ranges_remove_last(struct ranges *t, uint64_t n, struct range *ret_gone)
{
	struct range *last, gone;

	if (!t->cnt || !n)
		return false;
	last = &t->r[t->cnt - 1];
	gone = *last;
	if (n < gone.limit - gone.base) {
		gone.base = gone.limit - n;
		last->limit = gone.base;
	} else {
		t->cnt--;
	}
	t->total -= gone.limit - gone.base;
	t->gen++;
	*ret_gone = gone;
	return true;
}

uint64_t ranges_remove_ge(struct ranges *t, uint64_t a)
{
	size_t from = find_limit_gt(t, a);
	struct range keep;
	uint64_t gone;

	if (from == t->cnt)
		return 0;
	gone = covered(t, from, t->cnt, (struct range){ a, UINT64_MAX });
	keep = (struct range){ t->r[from].base, a };
	replace(t, from, t->cnt, &keep, !is_empty(keep));
	t->total -= gone;
	return gone;
}

void ranges_clear(struct ranges *t)
{
	ranges_remove_ge(t, 0);
}

bool ranges_contains(const struct ranges *t, uint64_t a)
{
	size_t i = ranges_find_succ(t, a);

	return i && a < t->r[i - 1].limit;
}

bool ranges_contains_range(const struct ranges *t, struct range r)
{
	size_t i;

	if (is_empty(r))
		return false;
	i = ranges_find_succ(t, r.base);
	return i && r.limit <= t->r[i - 1].limit;
}

bool ranges_intersects(const struct ranges *t, struct range r)
{
	struct range run;

	return ranges_next_run(t, r, &run);
}

bool ranges_next_ge(const struct ranges *t, uint64_t a, uint64_t *ret_member)
{
	size_t i = find_limit_gt(t, a);

	if (i == t->cnt)
		return false;
	*ret_member = t->r[i].base > a ? t->r[i].base : a;
	return true;
}

bool ranges_next_gap(const struct ranges *t, struct range r, struct range *ret_gap)
{
	size_t i = find_limit_gt(t, r.base);
	struct range gap = r;

	if (is_empty(r))
		return false;
	if (i < t->cnt && t->r[i].base <= r.base)
		gap.base = t->r[i++].limit;
	if (i < t->cnt && t->r[i].base < r.limit)
		gap.limit = t->r[i].base;
	if (is_empty(gap))
		return false;
	*ret_gap = gap;
	return true;
}

bool ranges_next_run(const struct ranges *t, struct range r, struct range *ret_run)
{
	size_t i = find_limit_gt(t, r.base);
	struct range run;

	if (is_empty(r) || i == t->cnt || t->r[i].base >= r.limit)
		return false;
	run = t->r[i];
	if (run.base < r.base)
		run.base = r.base;
	if (run.limit > r.limit)
		run.limit = r.limit;
	*ret_run = run;
	return true;
}

int ranges_clone_into(const struct ranges *src, struct ranges *dst)
{
	if (src == dst)
		return 0;
	if (src->cnt > dst->cnt && ranges_reserve(dst, src->cnt - dst->cnt) < 0)
		return -ENOMEM;
	if (src->cnt)
		memcpy(dst->r, src->r, src->cnt * sizeof(*src->r));
	dst->cnt = src->cnt;
	dst->total = src->total;
	dst->gen++;
	return 0;
}

bool ranges_is_sound(const struct ranges *t)
{
	uint64_t sum = 0;

	if (t->cnt > t->cap || (t->cap && !t->r))
		return false;
	for (size_t i = 0; i < t->cnt; i++) {
		if (is_empty(t->r[i]) || (i && t->r[i].base <= t->r[i - 1].limit))
			return false;
		sum += t->r[i].limit - t->r[i].base;
	}
	return sum == t->total;
}

/* --- the shared form ---
 *
 * Readers: note the turn, count yourself in, read the shown side, count yourself out. A writer changes the hidden side,
 * shows it, and must then be sure that nobody still reads the old one: readers that began before may have noted either
 * turn, so it waits for the other turn's counter to drain, flips the turn, and waits for this one. New readers always
 * find a side that nobody writes, hence they never wait. All orders are the sequentially consistent default; they
 * must be.
 */

int ranges_shared_init(struct ranges_shared *s, const struct ranges_mem *mem)
{
	int r;

	memset(s, 0, sizeof(*s));
	ranges_init(&s->side[0], mem);
	ranges_init(&s->side[1], mem);
	r = pthread_mutex_init(&s->writer, NULL);
	return r ? -r : 0;
}

void ranges_shared_done(struct ranges_shared *s)
{
	ranges_done(&s->side[0]);
	ranges_done(&s->side[1]);
	pthread_mutex_destroy(&s->writer);
}

/* The counters are the reader's mark on a set it does not change. */
static const struct ranges *reader_enter(const struct ranges_shared *s, unsigned *ret_turn)
{
	struct ranges_shared *marked = (struct ranges_shared *)s;
	unsigned turn = atomic_load(&marked->turn);

	atomic_fetch_add(&marked->readers[turn], 1);
	*ret_turn = turn;
	return &s->side[atomic_load(&marked->shown)];
}

static void reader_leave(const struct ranges_shared *s, unsigned turn)
{
	struct ranges_shared *marked = (struct ranges_shared *)s;

	atomic_fetch_sub(&marked->readers[turn], 1);
}

static void wait_drained(struct ranges_shared *s, unsigned turn)
{
	while (atomic_load(&s->readers[turn]))
		sched_yield();
}

/* Shows the hidden side, already changed; returns the other once no reader is left in it. */
static struct ranges *swap_sides(struct ranges_shared *s)
{
	unsigned was = atomic_load(&s->shown), turn = atomic_load(&s->turn);

	atomic_store(&s->shown, !was);
	wait_drained(s, !turn);
	atomic_store(&s->turn, !turn);
	wait_drained(s, turn);
	return &s->side[was];
}

typedef int change_fn(struct ranges *t, struct range r, uint64_t *ret_bytes);

static int add_only(struct ranges *t, struct range r, uint64_t *ret_bytes)
{
	(void)ret_bytes;
	return ranges_add(t, r);
}

/* Room for one range more on both sides, so that a change is made on both or on neither. The shown side must not move
 * under its readers: where it is full the sides, equal at this time, swap first. */
static int reserve_both(struct ranges_shared *s)
{
	unsigned shown = atomic_load(&s->shown);
	struct ranges *full = &s->side[shown];

	if (ranges_reserve(&s->side[!shown], 1) < 0)
		return -ENOMEM;
	if (full->cnt < full->cap)
		return 0;
	return ranges_reserve(swap_sides(s), 1);
}

static int change(struct ranges_shared *s, change_fn *fn, struct range r, uint64_t *ret_bytes)
{
	int e;

	pthread_mutex_lock(&s->writer);
	e = reserve_both(s);
	if (!e)
		e = fn(&s->side[!atomic_load(&s->shown)], r, ret_bytes);
	if (!e) {
		e = fn(swap_sides(s), r, NULL);
		assert(!e); /* the same set, the same change, and room for it */
	}
	pthread_mutex_unlock(&s->writer);
	return e;
}

int ranges_shared_add(struct ranges_shared *s, struct range r)
{
	return change(s, add_only, r, NULL);
}

int ranges_shared_add_merge(struct ranges_shared *s, struct range r, uint64_t *ret_new)
{
	return change(s, ranges_add_merge, r, ret_new);
}

int ranges_shared_remove(struct ranges_shared *s, struct range r, uint64_t *ret_gone)
{
	return change(s, ranges_remove, r, ret_gone);
}

bool ranges_shared_contains(const struct ranges_shared *s, uint64_t a)
{
	unsigned turn;
	bool found = ranges_contains(reader_enter(s, &turn), a);

	reader_leave(s, turn);
	return found;
}

bool ranges_shared_contains_range(const struct ranges_shared *s, struct range r)
{
	unsigned turn;
	bool found = ranges_contains_range(reader_enter(s, &turn), r);

	reader_leave(s, turn);
	return found;
}

bool ranges_shared_next_gap(const struct ranges_shared *s, struct range r, struct range *ret_gap)
{
	unsigned turn;
	bool found = ranges_next_gap(reader_enter(s, &turn), r, ret_gap);

	reader_leave(s, turn);
	return found;
}

uint64_t ranges_shared_total(const struct ranges_shared *s)
{
	unsigned turn;
	uint64_t total = reader_enter(s, &turn)->total;

	reader_leave(s, turn);
	return total;
}

uint64_t ranges_shared_generation(const struct ranges_shared *s)
{
	unsigned turn;
	uint64_t gen = reader_enter(s, &turn)->gen;

	reader_leave(s, turn);
	return gen;
}

int ranges_shared_clone_into(struct ranges_shared *s, struct ranges *dst)
{
	int e;

	pthread_mutex_lock(&s->writer);
	e = ranges_clone_into(&s->side[atomic_load(&s->shown)], dst);
	pthread_mutex_unlock(&s->writer);
	return e;
}
