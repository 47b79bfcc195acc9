/* arena.c - bump allocation in spaces of reserved addresses, prepared step by step.
 *
 * A space is one reservation, or several that happened to be contiguous. Its pages, from the bottom up:
 *
 *	base .. sealed   Sealed    handed out, read-only since arena_freeze
 *	     .. next     Ready     handed out (up to the end of next's page)
 *	     .. prep     Prepared
 *	     .. limit    Reserved
 *
 * or, once arena_fault was there, Faulted up to prep. When an allocation does not fit a space, a new space is made,
 * and the rest of the old stays open for what fits; it is prepared when used, not at once, so that it is not charged
 * for nothing.
 *
 * All arithmetic on addresses is checked; nothing here makes the sum of an address and a size without asking whether it
 * fits. No madvise happens under the lock: it can take milliseconds in the kernel. System calls and their order are in
 * prot.c, the addresses owned in a tracker that a signal handler may ask.
 */
#include "arena.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "clear.h"
#include "os.h"
#include "prot.h"
#include "ranges.h"

enum {
	OPEN_MAX_SPACES = 8, /* spaces with room that an allocation looks at */
	ALIGN_DEFAULT = 16,
	NAME_MAX_LEN = 79,
};

#define RESERVE_DEFAULT ((size_t)64 << 20)
#define GROW_DEFAULT ((size_t)4 << 20)

struct space {
	uintptr_t base;   /* a multiple of grow_sz, like limit */
	uintptr_t sealed;
	uintptr_t next;   /* first free byte */
	uintptr_t prep;
	uintptr_t limit;
	uintptr_t dirty;  /* bytes below it may hold what was there before a reset */
	bool is_faulted;
};

struct arena {
	pthread_mutex_t lock; /* guards all that follows, but for os, prot and the constants */
	struct os *os;
	struct prot prot;
	size_t page_sz;       /* constants: page size, steps, name */
	size_t reserve_sz;
	size_t grow_sz;
	char name[NAME_MAX_LEN + 1];
	struct space *spaces; /* owned, oldest first */
	size_t space_cnt;
	size_t space_cap;
	size_t open[OPEN_MAX_SPACES]; /* indexes of spaces that may have room, oldest first */
	size_t open_cnt;
	struct arena_stats st;
	struct va_ranges_shared held; /* all addresses from reserve to free */
	bool is_faulted;
};

/* The next multiple of the power of two STEP, from P itself on; false where that is beyond the top. */
static bool round_up(uintptr_t p, uintptr_t step, uintptr_t *ret_up)
{
	if (p > UINTPTR_MAX - (step - 1))
		return false;
	*ret_up = (p + (step - 1)) & ~(step - 1);
	return true;
}

/* For P within a space, whose limit is on a page boundary. */
static uintptr_t page_up(const struct arena *a, uintptr_t p)
{
	return (p + (a->page_sz - 1)) & ~(a->page_sz - 1);
}

static struct va_range span(uintptr_t base, uintptr_t limit)
{
	return (struct va_range){ base, limit };
}

static bool sums_hold(const struct arena *a)
{
	const struct arena_stats *st = &a->st;

	return st->reserved == st->unprepared + st->prepared + st->faulted && /* I1 */
	       st->prepared == st->ready + st->released &&                     /* I2 */
	       va_ranges_shared_total(&a->held) == st->reserved;              /* I3 */
}

int arena_new(const struct arena_config *cfg, struct arena **ret_arena)
{
	const struct arena_config defaults = { 0 };
	uintptr_t grow_sz = 0, reserve_sz;
	struct arena *a;
	int r;

	if (!cfg)
		cfg = &defaults;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->os = cfg->os ? cfg->os : os_default();
	a->page_sz = os_page_sz(a->os);
	prot_init(&a->prot, &(struct prot_config){ .os = a->os });
	snprintf(a->name, sizeof(a->name), "%s", cfg->name ? cfg->name : "linkfs arena");
	r = -EINVAL;
	for (grow_sz = a->page_sz; grow_sz < (cfg->grow_sz ? cfg->grow_sz : GROW_DEFAULT); grow_sz *= 2)
		if (grow_sz > SIZE_MAX / 4)
			goto out_free;
	if (!round_up(cfg->reserve_sz ? cfg->reserve_sz : RESERVE_DEFAULT, grow_sz, &reserve_sz))
		goto out_free;
	a->grow_sz = grow_sz;
	a->reserve_sz = reserve_sz;
	r = va_ranges_shared_init(&a->held, NULL);
	if (r < 0)
		goto out_free;
	r = -pthread_mutex_init(&a->lock, NULL);
	if (r < 0)
		goto out_held;
	*ret_arena = a;
	return 0;

out_held:
	va_ranges_shared_done(&a->held);
out_free:
	free(a);
	return r;
}

/* One call per contiguous run of addresses. What the kernel will not unmap (it may need a mapping more to split one) is
 * lost, and shows in the counters of the os. */
struct arena *arena_free(struct arena *a)
{
	struct va_ranges held;

	if (!a)
		return NULL;
	va_ranges_init(&held, NULL);
	if (va_ranges_shared_clone_into(&a->held, &held) >= 0) {
		for (size_t i = 0; i < va_ranges_cnt(&held); i++) {
			struct va_range r = va_ranges_get(&held, i);

			os_unmap(a->os, (void *)(uintptr_t)r.base, (size_t)(r.limit - r.base));
		}
	} else {
		for (size_t i = 0; i < a->space_cnt; i++)
			os_unmap(a->os, (void *)a->spaces[i].base, a->spaces[i].limit - a->spaces[i].base);
	}
	va_ranges_done(&held);
	va_ranges_shared_done(&a->held);
	free(a->spaces);
	pthread_mutex_destroy(&a->lock);
	free(a);
	return NULL;
}

/* --- reserving --- */

static bool is_usable(const struct arena *a, void *addr, size_t sz)
{
	uintptr_t base = (uintptr_t)addr;

	return base && base <= UINTPTR_MAX - sz && !(base & (a->grow_sz - 1));
}

static int map_none(struct arena *a, uintptr_t hint, size_t sz, void **ret_addr)
{
	return os_map(a->os, (void *)hint, sz, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, ret_addr);
}

/* SZ bytes at a multiple of the growth step, out of a larger mapping cut to size. */
static int reserve_cut(struct arena *a, size_t sz, uintptr_t *ret_base)
{
	uintptr_t low, base, high;
	size_t big_sz;
	void *addr;
	int r;

	if (__builtin_add_overflow(sz, a->grow_sz - a->page_sz, &big_sz))
		return -ENOMEM;
	r = map_none(a, 0, big_sz, &addr);
	if (r < 0)
		return r;
	low = (uintptr_t)addr;
	/* At the very top of the address space neither the end nor the rounded start may exist. */
	if (low > UINTPTR_MAX - big_sz || !round_up(low, a->grow_sz, &base)) {
		r = -ENOMEM;
		goto out_unmap;
	}
	high = low + big_sz;
	if (base > low) {
		r = os_unmap(a->os, addr, base - low);
		if (r < 0)
			goto out_unmap;
		addr = (void *)base;
	}
	if (base + sz < high) {
		r = os_unmap(a->os, (void *)(base + sz), high - (base + sz));
		if (r < 0) {
			big_sz = high - base;
			goto out_unmap;
		}
	}
	*ret_base = base;
	return 0;

out_unmap:
	os_unmap(a->os, addr, big_sz);
	return r;
}

/* SZ bytes of address space, if possible from HINT on. A hint is not a promise: what came back is looked at. */
static int reserve_addresses(struct arena *a, uintptr_t hint, size_t sz, uintptr_t *ret_base)
{
	void *addr;
	int r = map_none(a, hint, sz, &addr);

	if (r < 0)
		return r;
	if (is_usable(a, addr, sz)) {
		*ret_base = (uintptr_t)addr;
		return 0;
	}
	r = os_unmap(a->os, addr, sz);
	return r < 0 ? r : reserve_cut(a, sz, ret_base);
}

static int spaces_make_room(struct arena *a)
{
	size_t cap = a->space_cap ? a->space_cap * 2 : 8;
	struct space *grown;

	if (a->space_cnt < a->space_cap)
		return 0;
	grown = reallocarray(a->spaces, cap, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	a->spaces = grown;
	a->space_cap = cap;
	return 0;
}

static size_t room_in(const struct space *s)
{
	return s->limit - s->next;
}

static void open_space(struct arena *a, size_t idx)
{
	size_t least = 0;

	if (a->open_cnt == OPEN_MAX_SPACES) {
		for (size_t i = 1; i < a->open_cnt; i++)
			if (room_in(&a->spaces[a->open[i]]) < room_in(&a->spaces[a->open[least]]))
				least = i;
		memmove(a->open + least, a->open + least + 1, (a->open_cnt - least - 1) * sizeof(a->open[0]));
		a->open_cnt--;
	}
	a->open[a->open_cnt++] = idx;
}

static void add_space(struct arena *a, uintptr_t base, size_t sz)
{
	struct space *last = a->space_cnt ? &a->spaces[a->space_cnt - 1] : NULL;

	a->st.reserved += sz;
	a->st.unprepared += sz;
	a->st.reserves++;
	if (last && last->limit == base) {
		last->limit = base + sz;
		a->st.extends++;
		return;
	}
	a->spaces[a->space_cnt] = (struct space){
		.base = base, .sealed = base, .next = base, .prep = base, .limit = base + sz, .dirty = base,
	};
	open_space(a, a->space_cnt++);
}

/* Address space for ASK more bytes: the usual step, or all of a larger ask, or under a tight limit only the ask. */
static int reserve(struct arena *a, size_t ask)
{
	uintptr_t hint = a->space_cnt ? a->spaces[a->space_cnt - 1].limit : 0, base = 0;
	size_t sz = ask > a->reserve_sz ? ask : a->reserve_sz;
	int r = spaces_make_room(a);

	if (r < 0)
		return r;
	r = reserve_addresses(a, hint, sz, &base);
	if (r == -ENOMEM && ask < sz) {
		sz = ask;
		r = reserve_addresses(a, hint, sz, &base);
	}
	if (r < 0)
		return r;
	r = va_ranges_shared_add(&a->held, span(base, base + sz));
	if (r < 0) {
		os_unmap(a->os, (void *)base, sz);
		return r;
	}
	os_name(a->os, (void *)base, sz, a->name); /* only for people reading /proc/PID/maps */
	add_space(a, base, sz);
	assert(sums_hold(a));
	return 0;
}

/* --- allocating --- */

static int prepare_to(struct arena *a, struct space *s, uintptr_t end)
{
	uintptr_t prep;
	int r;

	if (end <= s->prep)
		return 0;
	/* Fits: the limit is a multiple of the step. */
	if (!round_up(end, a->grow_sz, &prep))
		prep = s->limit;
	r = prot_change(&a->prot, span(s->prep, prep), MEM_RESERVED, MEM_PREPARED, PROT_FOR_USE);
	if (r < 0)
		return r;
	a->st.unprepared -= prep - s->prep;
	a->st.prepared += prep - s->prep;
	a->st.released += prep - s->prep;
	a->st.prepares++;
	s->prep = prep;
	return 0;
}

/* Moves next up to END, in prepared memory. */
static void take_to(struct arena *a, struct space *s, uintptr_t end)
{
	uintptr_t pages = page_up(a, end) - page_up(a, s->next);

	a->st.released -= pages;
	a->st.ready += pages;
	s->next = end;
}

/* -ENOSPC: does not fit here. */
static int alloc_in(struct arena *a, struct space *s, size_t sz, size_t align, uintptr_t *ret_p, uintptr_t *ret_dirty)
{
	uintptr_t p;
	int r;

	if (!round_up(s->next, align, &p) || p > s->limit || sz > s->limit - p)
		return -ENOSPC;
	r = prepare_to(a, s, p + sz);
	if (r < 0)
		return r;
	take_to(a, s, p + sz);
	*ret_p = p;
	*ret_dirty = s->dirty;
	return 0;
}

/* How much to reserve so that SZ bytes at ALIGN certainly fit. */
static int ask_for(const struct arena *a, size_t sz, size_t align, size_t *ret_ask)
{
	uintptr_t ask;

	if (align > a->grow_sz && __builtin_add_overflow(sz, align, &sz))
		return -ENOMEM;
	if (!round_up(sz, a->grow_sz, &ask))
		return -ENOMEM;
	*ret_ask = ask;
	return 0;
}

static int alloc_locked(struct arena *a, size_t sz, size_t align, uintptr_t *ret_p, uintptr_t *ret_dirty)
{
	int r = -ENOSPC;
	size_t ask;

	if (a->is_faulted)
		return -EFAULT;
	for (size_t i = 0; i < a->open_cnt && r == -ENOSPC; i++)
		r = alloc_in(a, &a->spaces[a->open[i]], sz, align, ret_p, ret_dirty);
	if (r != -ENOSPC)
		return r;
	r = ask_for(a, sz, align, &ask);
	if (!r)
		r = reserve(a, ask);
	return r < 0 ? r : alloc_in(a, &a->spaces[a->space_cnt - 1], sz, align, ret_p, ret_dirty);
}

/* *ret_dirty: bytes from its start on that are not zeros. */
static void *alloc_raw(struct arena *a, size_t sz, size_t align, size_t *ret_dirty)
{
	uintptr_t p = 0, dirty = 0;
	int r;

	if (!align)
		align = ALIGN_DEFAULT;
	if (align & (align - 1))
		return NULL;
	if (!sz)
		sz = 1;
	pthread_mutex_lock(&a->lock);
	r = alloc_locked(a, sz, align, &p, &dirty);
	if (r < 0) {
		a->st.failures++;
	} else {
		a->st.asked += sz;
		a->st.allocs++;
	}
	assert(sums_hold(a));
	pthread_mutex_unlock(&a->lock);
	if (r < 0)
		return NULL;
	*ret_dirty = p >= dirty ? 0 : sz < dirty - p ? sz : dirty - p;
	return (void *)p;
}

void *arena_alloc(struct arena *a, size_t sz, size_t align)
{
	size_t dirty;
	void *p = alloc_raw(a, sz, align, &dirty);

	if (p && dirty)
		mem_clear(a->os, p, dirty);
	return p;
}

void *arena_alloc_raw_array(struct arena *a, size_t cnt, size_t each, size_t align)
{
	size_t sz, dirty;
	void *p = __builtin_mul_overflow(cnt, each, &sz) ? NULL : alloc_raw(a, sz, align, &dirty);

#ifndef NDEBUG
	if (p)
		memset(p, 0xa5, sz);
#endif
	return p;
}

void *arena_alloc_array(struct arena *a, size_t cnt, size_t each, size_t align)
{
	size_t sz;

	return __builtin_mul_overflow(cnt, each, &sz) ? NULL : arena_alloc(a, sz, align);
}

char *arena_strndup(struct arena *a, const char *str, size_t len)
{
	char *copy = len < SIZE_MAX ? arena_alloc(a, len + 1, 1) : NULL;

	if (copy && len)
		memcpy(copy, str, len);
	return copy;
}

char *arena_strdup(struct arena *a, const char *str)
{
	return arena_strndup(a, str, strlen(str));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list args, again;
	char *text = NULL;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	if (len >= 0)
		text = arena_alloc(a, (size_t)len + 1, 1);
	if (text)
		vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(args);
	return text;
}

static void *bump_take(struct arena_bump *b, size_t sz, size_t align)
{
	uintptr_t p;

	if (!b->next || !round_up(b->next, align, &p) || p > b->end || sz > b->end - p)
		return NULL;
	b->next = p + sz;
	return (void *)p;
}

void *arena_bump_refill(struct arena_bump *b, size_t sz, size_t align)
{
	void *block, *p;

	if (!align)
		align = ALIGN_DEFAULT;
	if (!sz)
		sz = 1;
	if (align & (align - 1))
		return NULL;
	p = bump_take(b, sz, align);
	if (p)
		return p;
	/* A big one in a block of its own wastes nothing of the current block. */
	if (sz > ARENA_BUMP_BLOCK / 4 || align > ARENA_BUMP_BLOCK / 4)
		return arena_alloc(b->arena, sz, align);
	block = arena_alloc(b->arena, ARENA_BUMP_BLOCK, align);
	if (!block)
		return arena_alloc(b->arena, sz, align);
	b->next = (uintptr_t)block;
	b->end = b->next + ARENA_BUMP_BLOCK;
	return bump_take(b, sz, align);
}

/* --- the whole arena --- */

static void reopen_all(struct arena *a)
{
	a->open_cnt = 0;
	for (size_t i = 0; i < a->space_cnt; i++)
		open_space(a, i);
}

/* Back from sealed or faulted to memory that may be written. */
static int make_writable(struct arena *a, struct space *s)
{
	int r;

	if (s->is_faulted) {
		r = prot_change(&a->prot, span(s->base, s->prep), MEM_FAULTED, MEM_PREPARED, PROT_FOR_USE);
		if (r < 0)
			return r;
		a->st.faulted -= s->prep - s->base;
		a->st.prepared += s->prep - s->base;
		a->st.released += s->prep - s->base;
		s->is_faulted = false;
		s->sealed = s->next = s->dirty = s->base;
	} else if (s->sealed > s->base) {
		r = prot_change(&a->prot, span(s->base, s->sealed), MEM_SEALED, MEM_READY, PROT_FOR_USE);
		if (r < 0)
			return r;
		s->sealed = s->base;
	}
	return 0;
}

/* In debug builds: whoever still reads what it no longer has, or takes for zeros what is not, is found by its results. */
static void scribble(const struct arena *a, const struct space *s)
{
#ifndef NDEBUG
	mem_spoil(a->os, (void *)s->base, s->next - s->base);
#else
	(void)a;
	(void)s;
#endif
}

static int start_over(struct arena *a, bool keeps_pages)
{
	int r;

	for (size_t i = 0; i < a->space_cnt; i++) {
		struct space *s = &a->spaces[i];
		uintptr_t used;

		r = make_writable(a, s);
		if (r < 0)
			return r;
		used = page_up(a, s->next);
		if (used == s->base)
			continue;
		/* Advice that is not taken leaves the pages where they are, and they are cleared when handed out. */
		if (keeps_pages)
			scribble(a, s);
		else
			prot_change(&a->prot, span(s->base, used), MEM_READY, MEM_PREPARED, PROT_FOR_USE);
		a->st.ready -= used - s->base;
		a->st.released += used - s->base;
		s->dirty = used > s->dirty ? used : s->dirty;
		s->next = s->base;
	}
	a->is_faulted = false;
	a->st.asked = a->st.allocs = 0;
	reopen_all(a);
	assert(arena_is_sound(a));
	return 0;
}

int arena_reset(struct arena *a)
{
	return start_over(a, false);
}

int arena_rewind(struct arena *a)
{
	return start_over(a, true);
}

int arena_trim(struct arena *a)
{
	int first = 0;

	for (size_t i = 0; i < a->space_cnt; i++) {
		struct space *s = &a->spaces[i];
		uintptr_t used = page_up(a, s->next);
		int r;

		if (s->is_faulted || used == s->prep)
			continue;
		r = prot_change(&a->prot, span(used, s->prep), MEM_PREPARED, MEM_RESERVED, PROT_FOR_CHARGE);
		if (r < 0) {
			first = first ? first : r;
			continue;
		}
		os_name(a->os, (void *)used, s->prep - used, a->name);
		a->st.prepared -= s->prep - used;
		a->st.released -= s->prep - used;
		a->st.unprepared += s->prep - used;
		s->prep = used;
		s->dirty = used < s->dirty ? used : s->dirty;
	}
	assert(arena_is_sound(a));
	return first;
}

int arena_freeze(struct arena *a)
{
	for (size_t i = 0; i < a->space_cnt; i++) {
		struct space *s = &a->spaces[i];
		uintptr_t used = page_up(a, s->next);
		int r;

		if (s->is_faulted || used == s->sealed)
			continue;
		r = prot_change(&a->prot, span(s->sealed, used), MEM_READY, MEM_SEALED, PROT_FOR_USE);
		if (r < 0)
			return r;
		s->sealed = s->next = used;
	}
	assert(arena_is_sound(a));
	return 0;
}

/* What is sealed is unsealed first, so that one change takes the whole run. */
static int fault_space(struct arena *a, struct space *s)
{
	int r;

	if (s->sealed > s->base) {
		r = prot_change(&a->prot, span(s->base, s->sealed), MEM_SEALED, MEM_READY, PROT_FOR_RETIRE);
		if (r < 0)
			return r;
		s->sealed = s->base;
	}
	r = prot_change(&a->prot, span(s->base, s->prep), MEM_READY, MEM_FAULTED, PROT_FOR_RETIRE);
	if (r < 0)
		return r;
	a->st.ready -= page_up(a, s->next) - s->base;
	a->st.released -= s->prep - page_up(a, s->next);
	a->st.prepared -= s->prep - s->base;
	a->st.faulted += s->prep - s->base;
	s->is_faulted = true;
	return 0;
}

int arena_fault(struct arena *a)
{
	int first = 0;

	a->is_faulted = true;
	for (size_t i = 0; i < a->space_cnt; i++) {
		struct space *s = &a->spaces[i];
		int r = s->is_faulted || s->prep == s->base ? 0 : fault_space(a, s);

		first = first ? first : r;
	}
	assert(arena_is_sound(a));
	return first;
}

void arena_stats(struct arena *a, struct arena_stats *ret_stats)
{
	pthread_mutex_lock(&a->lock);
	*ret_stats = a->st;
	ret_stats->used = 0;
	for (size_t i = 0; i < a->space_cnt; i++) {
		const struct space *s = &a->spaces[i];
		uintptr_t next = page_up(a, s->next);

		ret_stats->used += (s->dirty > next ? s->dirty : next) - s->base;
	}
	pthread_mutex_unlock(&a->lock);
}

bool arena_contains(const struct arena *a, const void *addr)
{
	return va_ranges_shared_contains(&a->held, (uintptr_t)addr);
}

static bool space_is_sound(const struct arena *a, const struct space *s)
{
	return s->base <= s->sealed && s->sealed <= s->next && s->next <= s->prep && s->prep <= s->limit &&
	       s->dirty >= s->base && s->dirty <= s->prep && !((s->base | s->limit) & (a->grow_sz - 1)) &&
	       !((s->sealed | s->prep) & (a->page_sz - 1)) &&
	       va_ranges_shared_contains_range(&a->held, span(s->base, s->limit));
}

bool arena_is_sound(struct arena *a)
{
	uint64_t reserved = 0, prepared = 0, ready = 0, faulted = 0;
	bool ok = true;

	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->space_cnt; i++) {
		const struct space *s = &a->spaces[i];

		ok = ok && space_is_sound(a, s);
		reserved += s->limit - s->base;
		faulted += s->is_faulted ? s->prep - s->base : 0;
		prepared += s->is_faulted ? 0 : s->prep - s->base;
		ready += s->is_faulted ? 0 : page_up(a, s->next) - s->base;
	}
	ok = ok && sums_hold(a) && reserved == a->st.reserved && prepared == a->st.prepared && ready == a->st.ready &&
	     faulted == a->st.faulted;
	pthread_mutex_unlock(&a->lock);
	return ok;
}
