/* arena.h - memory of one link job: bump allocation out of big reservations, freed all at once (SEEDS.md 4.3).
 *
 * Address space is reserved in 64 MiB steps, which costs nothing, and made usable ("prepared", charged to the
 * process) in 4 MiB steps, so machines with strict overcommit and jobs under small limits are charged for what they
 * use. Every page is in one state; the arrows name the functions (prot.h has the system calls):
 *
 *	None -> Reserved       arena_alloc, when no space has room
 *	Reserved -> Prepared   arena_alloc, a step of growth
 *	Prepared -> Ready      arena_alloc
 *	Ready -> Sealed        arena_freeze
 *	Ready, Sealed -> Prepared             arena_reset, arena_rewind
 *	Prepared -> Reserved                  arena_trim
 *	Prepared, Ready, Sealed -> Faulted    arena_fault
 *	Faulted -> Prepared                   arena_reset, arena_rewind
 *	any -> None                           arena_free
 *
 * Invariants, in bytes, after every operation (arena_is_sound; asserted in debug builds):
 *	I1 reserved = unprepared + prepared + faulted
 *	I2 prepared = ready + released
 *	I3 the address tracker's total = reserved
 *
 * Threads: allocating, arena_stats, arena_contains and bumps (one thread each) may run in parallel. reset, rewind, trim,
 * freeze, fault and free want the arena alone.
 * Errors: allocation returns NULL without memory, the others -errno; a failed call changes nothing but where told.
 */
#ifndef LINKFS_ARENA_H
#define LINKFS_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct os;

/* All zero (or NULL for the whole) means the defaults. */
struct arena_config {
	struct os *os;     /* NULL: os_default() */
	const char *name;  /* shown in /proc/PID/maps as [anon:NAME]; NULL: "linkfs arena" */
	size_t reserve_sz; /* bytes of address space taken at a time; 0: 64 MiB. Rounded up to grow_sz */
	size_t grow_sz;    /* bytes prepared at a time; 0: 4 MiB. Rounded up to a power of two pages */
};

struct arena_stats {
	uint64_t reserved;   /* bytes of address space held */
	uint64_t unprepared; /* of these never made usable, or given back */
	uint64_t prepared;   /* usable, charged */
	uint64_t ready;      /* of these handed out, in whole pages */
	uint64_t released;   /* of the prepared ones not handed out */
	uint64_t faulted;    /* retired, fault on touch */
	uint64_t used;       /* handed out at some time and not given back since: at most so many bytes are resident */
	uint64_t asked;      /* bytes callers asked for since the start or the last reset */
	uint64_t allocs;     /* calls that gave them */
	uint64_t reserves;   /* reservations made so far */
	uint64_t extends;    /* of these, those that continued the one before */
	uint64_t prepares;   /* steps of growth so far */
	uint64_t failures;   /* allocations refused so far */
};

/* Reserves nothing yet. -ENOMEM, -EINVAL (sizes that do not fit the address space). */
int arena_new(const struct arena_config *cfg, struct arena **ret_arena);
/* Unmaps everything the arena ever gave out. Takes NULL, returns NULL. */
struct arena *arena_free(struct arena *a);

/* SZ zeroed bytes at a multiple of ALIGN (a power of two; 0: 16). SZ 0 gives a valid pointer to nothing. */
void *arena_alloc(struct arena *a, size_t sz, size_t align) __attribute__((malloc));
/* CNT * EACH bytes, overflow-checked. */
void *arena_alloc_array(struct arena *a, size_t cnt, size_t each, size_t align) __attribute__((malloc));
/* The same with any contents, for who writes all of it before reading: clearing what was used before takes time. Debug builds
 * fill it with rubbish. */
void *arena_alloc_raw_array(struct arena *a, size_t cnt, size_t each, size_t align) __attribute__((malloc));
char *arena_strdup(struct arena *a, const char *str);
/* LEN bytes and a NUL. */
char *arena_strndup(struct arena *a, const char *str, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Everything handed out becomes invalid and will be handed out again, zeroed. Keeps the charge. -ENOMEM where sealed or
 * faulted pages could not be made usable: then call it again, or free the arena. */
int arena_reset(struct arena *a);
/* As arena_reset, for who will soon use as much again: the pages stay resident (arena_stats, used), so that using them
 * again faults none in. Where arena_reset walks all the pages used, this makes no system call. */
int arena_rewind(struct arena *a);
/* Prepared pages that are not handed out become Reserved: the charge goes back to the system. */
int arena_trim(struct arena *a);
/* Pages handed out so far become read-only; later allocations come from other pages. Bumps must be initialised anew. */
int arena_freeze(struct arena *a);
/* Everything usable becomes Faulted: touching what a retired job left is SIGSEGV. Allocation fails until arena_reset.
 * On an error some of it may be Faulted and the rest not. */
int arena_fault(struct arena *a);

void arena_stats(struct arena *a, struct arena_stats *ret_stats);
/* Does ADDR lie in the arena's address space? Lock-free and async-signal-safe. */
bool arena_contains(const struct arena *a, const void *addr);
/* Do I1-I3 hold? For tests; walks the whole arena. */
bool arena_is_sound(struct arena *a);

/* A bump allocator for one thread on top of an arena: takes blocks, so that small allocations need no lock. */
#define ARENA_BUMP_BLOCK ((size_t)64 << 10)
struct arena_bump {
	struct arena *arena;
	uintptr_t next; /* first free byte of the block; 0: no block */
	uintptr_t end;  /* one past the block */
};

static inline void arena_bump_init(struct arena_bump *b, struct arena *a)
{
	*b = (struct arena_bump){ .arena = a };
}

/* For arena_bump_alloc: takes a new block, or asks the arena itself for what is big. */
void *arena_bump_refill(struct arena_bump *b, size_t sz, size_t align);

/* As arena_alloc. What is left of a block when the bump goes out of use is lost until the arena is reset. */
static inline void *arena_bump_alloc(struct arena_bump *b, size_t sz, size_t align)
{
	uintptr_t mask = (align ? align : 16) - 1;
	uintptr_t p = (b->next + mask) & ~mask;

	if (!b->next || !sz || p < b->next || p > b->end || sz > b->end - p)
		return arena_bump_refill(b, sz, align);
	b->next = p + sz;
	return (void *)p;
}

#endif
