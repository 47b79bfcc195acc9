/* ranges.h - a set of half-open ranges [base, limit) of 64-bit numbers (SEEDS.md 4.4).
 *
 * Three users: which bytes of an output are made, which addresses belong to an arena or mapping, which ranges are in
 * flight or failed. The numbers of these must not be mixed, so users take the typed front ends at the end of this file:
 * off_ranges for file offsets and va_ranges for addresses; struct ranges is what both are made of.
 *
 * Invariants: sorted, none empty, none overlap or touch (neighbours are merged), total is the sum of the lengths. A
 * limit of 2^64 cannot be written down, so the number UINT64_MAX is never a member.
 *
 * Costs, with n ranges: finding is O(log n); changing is that plus moving at most n entries of 16 bytes.
 * Threads: struct ranges has none of its own: readers and writers exclude each other. struct ranges_shared lets any
 * number of readers run beside a writer, without locks, also from a signal handler that interrupts that writer.
 * Errors: 0 or -errno, or bytes changed; a failed call leaves the set as it was. -EINVAL: base >= limit; -EEXIST:
 * overlap where none may be; -ENOMEM.
 */
#ifndef LINKFS_RANGES_H
#define LINKFS_RANGES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
	uint64_t base;  /* first member */
	uint64_t limit; /* one past the last */
};

/* Where the array of entries comes from. Resizes OLD (NULL at first) of OLD_SZ bytes; NEW_SZ 0 frees it and returns
 * NULL; NULL on failure with OLD still good. */
struct ranges_mem {
	void *(*resize)(void *ctx, void *old, size_t old_sz, size_t new_sz);
	void *ctx;
};

struct ranges {
	struct range *r;  /* CNT entries; owned */
	size_t cnt;
	size_t cap;       /* entries there is room for: 0, then 16, doubling */
	uint64_t total;   /* sum of all lengths */
	uint64_t gen;     /* counts changes; equal generations mean an unchanged set */
	struct ranges_mem mem;
};

#define RANGES_FIRST_CAP 16

/* An empty set; MEM NULL: the heap. Allocates nothing. */
void ranges_init(struct ranges *t, const struct ranges_mem *mem);
void ranges_done(struct ranges *t);
/* Room for MORE further ranges: that many additions or splits cannot fail for want of memory. */
int ranges_reserve(struct ranges *t, size_t more);

/* Adds what must not overlap the set. */
int ranges_add(struct ranges *t, struct range r);
/* Adds what may overlap; *ret_new (may be NULL) is how many numbers are members that were not. */
int ranges_add_merge(struct ranges *t, struct range r, uint64_t *ret_new);
/* Takes R out, splitting ranges where needed; *ret_gone (may be NULL) is how many members there were in it. */
int ranges_remove(struct ranges *t, struct range r, uint64_t *ret_gone);
/* Takes the highest members: N of them, or the whole highest range where that has fewer. False on an empty set or N
 * 0. */
bool ranges_remove_last(struct ranges *t, uint64_t n, struct range *ret_gone);
/* Takes all members from A upwards; returns how many. */
uint64_t ranges_remove_ge(struct ranges *t, uint64_t a);
void ranges_clear(struct ranges *t);

bool ranges_contains(const struct ranges *t, uint64_t a);
/* Is all of R in the set? False where R is empty. */
bool ranges_contains_range(const struct ranges *t, struct range r);
bool ranges_intersects(const struct ranges *t, struct range r);
/* The index of the first range whose base is greater than A; the count where there is none. */
size_t ranges_find_succ(const struct ranges *t, uint64_t a);
/* The same, adding to *probes how many entries were looked at. */
size_t ranges_find_succ_counted(const struct ranges *t, uint64_t a, unsigned *probes);
/* The lowest member that is at least A. */
bool ranges_next_ge(const struct ranges *t, uint64_t a, uint64_t *ret_member);
/* The lowest gap that meets R, clipped to it. False where R is empty or all in the set. */
bool ranges_next_gap(const struct ranges *t, struct range r, struct range *ret_gap);
/* The lowest part of the set that meets R, clipped to it. */
bool ranges_next_run(const struct ranges *t, struct range r, struct range *ret_run);

/* Iteration: for (size_t i = 0; i < ranges_cnt(t); i++) ranges_get(t, i). */
static inline size_t ranges_cnt(const struct ranges *t) { return t->cnt; }
static inline struct range ranges_get(const struct ranges *t, size_t idx) { return t->r[idx]; }
static inline uint64_t ranges_total(const struct ranges *t) { return t->total; }
static inline uint64_t ranges_generation(const struct ranges *t) { return t->gen; }

/* Makes DST (initialised; keeps its own memory and counts one change) equal to SRC. */
int ranges_clone_into(const struct ranges *src, struct ranges *dst);
/* Do the invariants hold? For tests. */
bool ranges_is_sound(const struct ranges *t);

/* Two copies of the set: readers look at one while a writer changes the other, then they swap and the writer repeats
 * the change. A reader says that it is there by a counter, so a writer may wait for readers, never the other way
 * round; a writer must not run in a signal handler. */
struct ranges_shared {
	struct ranges side[2];
	atomic_uint shown;            /* the side readers look at */
	atomic_uint turn;             /* which of the two counters arriving readers use */
	atomic_uint readers[2];       /* readers inside, by turn */
	pthread_mutex_t writer;       /* one change at a time */
};

int ranges_shared_init(struct ranges_shared *s, const struct ranges_mem *mem);
void ranges_shared_done(struct ranges_shared *s);
/* As above. Changes take turns; readers are async-signal-safe and never wait. */
int ranges_shared_add(struct ranges_shared *s, struct range r);
int ranges_shared_add_merge(struct ranges_shared *s, struct range r, uint64_t *ret_new);
int ranges_shared_remove(struct ranges_shared *s, struct range r, uint64_t *ret_gone);
bool ranges_shared_contains(const struct ranges_shared *s, uint64_t a);
bool ranges_shared_contains_range(const struct ranges_shared *s, struct range r);
bool ranges_shared_next_gap(const struct ranges_shared *s, struct range r, struct range *ret_gap);
uint64_t ranges_shared_total(const struct ranges_shared *s);
uint64_t ranges_shared_generation(const struct ranges_shared *s);
/* DST becomes a copy of what is shown. Takes the writers' turn: not for signal handlers. */
int ranges_shared_clone_into(struct ranges_shared *s, struct ranges *dst);

/* A front end of its own type per kind of number: struct P_range, struct P_ranges, struct P_ranges_shared and
 * P_ranges_VERB for each function above. Passing one kind where another is wanted does not compile. */
#define RANGES_TYPED(P) \
	struct P##_range { \
		uint64_t base; \
		uint64_t limit; \
	}; \
	struct P##_ranges { \
		struct ranges t; \
	}; \
	struct P##_ranges_shared { \
		struct ranges_shared s; \
	}; \
	static inline struct range P##_range_plain(struct P##_range r) \
	{ \
		return (struct range){ r.base, r.limit }; \
	} \
	static inline bool P##_range_give(bool found, struct range r, struct P##_range *ret_range) \
	{ \
		if (found) \
			*ret_range = (struct P##_range){ r.base, r.limit }; \
		return found; \
	} \
	static inline void P##_ranges_init(struct P##_ranges *t, const struct ranges_mem *mem) \
	{ \
		ranges_init(&t->t, mem); \
	} \
	static inline void P##_ranges_done(struct P##_ranges *t) { ranges_done(&t->t); } \
	static inline int P##_ranges_reserve(struct P##_ranges *t, size_t more) \
	{ \
		return ranges_reserve(&t->t, more); \
	} \
	static inline int P##_ranges_add(struct P##_ranges *t, struct P##_range r) \
	{ \
		return ranges_add(&t->t, P##_range_plain(r)); \
	} \
	static inline int P##_ranges_add_merge(struct P##_ranges *t, struct P##_range r, uint64_t *ret_new) \
	{ \
		return ranges_add_merge(&t->t, P##_range_plain(r), ret_new); \
	} \
	static inline int P##_ranges_remove(struct P##_ranges *t, struct P##_range r, uint64_t *ret_gone) \
	{ \
		return ranges_remove(&t->t, P##_range_plain(r), ret_gone); \
	} \
	static inline bool P##_ranges_remove_last(struct P##_ranges *t, uint64_t n, struct P##_range *ret_gone) \
	{ \
		struct range gone = { 0, 0 }; \
		bool found = ranges_remove_last(&t->t, n, &gone); \
		return P##_range_give(found, gone, ret_gone); \
	} \
	static inline uint64_t P##_ranges_remove_ge(struct P##_ranges *t, uint64_t a) \
	{ \
		return ranges_remove_ge(&t->t, a); \
	} \
	static inline void P##_ranges_clear(struct P##_ranges *t) { ranges_clear(&t->t); } \
	static inline bool P##_ranges_contains(const struct P##_ranges *t, uint64_t a) \
	{ \
		return ranges_contains(&t->t, a); \
	} \
	static inline bool P##_ranges_contains_range(const struct P##_ranges *t, struct P##_range r) \
	{ \
		return ranges_contains_range(&t->t, P##_range_plain(r)); \
	} \
	static inline bool P##_ranges_intersects(const struct P##_ranges *t, struct P##_range r) \
	{ \
		return ranges_intersects(&t->t, P##_range_plain(r)); \
	} \
	static inline size_t P##_ranges_find_succ(const struct P##_ranges *t, uint64_t a) \
	{ \
		return ranges_find_succ(&t->t, a); \
	} \
	static inline bool P##_ranges_next_ge(const struct P##_ranges *t, uint64_t a, uint64_t *ret_member) \
	{ \
		return ranges_next_ge(&t->t, a, ret_member); \
	} \
	static inline bool P##_ranges_next_gap(const struct P##_ranges *t, struct P##_range r, \
					       struct P##_range *ret_gap) \
	{ \
		struct range gap = { 0, 0 }; \
		bool found = ranges_next_gap(&t->t, P##_range_plain(r), &gap); \
		return P##_range_give(found, gap, ret_gap); \
	} \
	static inline bool P##_ranges_next_run(const struct P##_ranges *t, struct P##_range r, \
					       struct P##_range *ret_run) \
	{ \
		struct range run = { 0, 0 }; \
		bool found = ranges_next_run(&t->t, P##_range_plain(r), &run); \
		return P##_range_give(found, run, ret_run); \
	} \
	static inline size_t P##_ranges_cnt(const struct P##_ranges *t) { return t->t.cnt; } \
	static inline struct P##_range P##_ranges_get(const struct P##_ranges *t, size_t idx) \
	{ \
		return (struct P##_range){ t->t.r[idx].base, t->t.r[idx].limit }; \
	} \
	static inline uint64_t P##_ranges_total(const struct P##_ranges *t) { return t->t.total; } \
	static inline uint64_t P##_ranges_generation(const struct P##_ranges *t) { return t->t.gen; } \
	static inline int P##_ranges_clone_into(const struct P##_ranges *src, struct P##_ranges *dst) \
	{ \
		return ranges_clone_into(&src->t, &dst->t); \
	} \
	static inline int P##_ranges_shared_init(struct P##_ranges_shared *s, const struct ranges_mem *mem) \
	{ \
		return ranges_shared_init(&s->s, mem); \
	} \
	static inline void P##_ranges_shared_done(struct P##_ranges_shared *s) { ranges_shared_done(&s->s); } \
	static inline int P##_ranges_shared_add(struct P##_ranges_shared *s, struct P##_range r) \
	{ \
		return ranges_shared_add(&s->s, P##_range_plain(r)); \
	} \
	static inline int P##_ranges_shared_add_merge(struct P##_ranges_shared *s, struct P##_range r, \
						      uint64_t *ret_new) \
	{ \
		return ranges_shared_add_merge(&s->s, P##_range_plain(r), ret_new); \
	} \
	static inline int P##_ranges_shared_remove(struct P##_ranges_shared *s, struct P##_range r, \
						   uint64_t *ret_gone) \
	{ \
		return ranges_shared_remove(&s->s, P##_range_plain(r), ret_gone); \
	} \
	static inline bool P##_ranges_shared_contains(const struct P##_ranges_shared *s, uint64_t a) \
	{ \
		return ranges_shared_contains(&s->s, a); \
	} \
	static inline bool P##_ranges_shared_contains_range(const struct P##_ranges_shared *s, struct P##_range r) \
	{ \
		return ranges_shared_contains_range(&s->s, P##_range_plain(r)); \
	} \
	static inline bool P##_ranges_shared_next_gap(const struct P##_ranges_shared *s, struct P##_range r, \
						      struct P##_range *ret_gap) \
	{ \
		struct range gap = { 0, 0 }; \
		bool found = ranges_shared_next_gap(&s->s, P##_range_plain(r), &gap); \
		return P##_range_give(found, gap, ret_gap); \
	} \
	static inline uint64_t P##_ranges_shared_total(const struct P##_ranges_shared *s) \
	{ \
		return ranges_shared_total(&s->s); \
	} \
	static inline uint64_t P##_ranges_shared_generation(const struct P##_ranges_shared *s) \
	{ \
		return ranges_shared_generation(&s->s); \
	} \
	static inline int P##_ranges_shared_clone_into(struct P##_ranges_shared *s, struct P##_ranges *dst) \
	{ \
		return ranges_shared_clone_into(&s->s, &dst->t); \
	}

RANGES_TYPED(off) /* file offsets: struct off_range, struct off_ranges, off_ranges_add, ... */
RANGES_TYPED(va)  /* addresses of this process: struct va_range, struct va_ranges, va_ranges_add, ... */

#endif
