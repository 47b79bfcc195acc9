/* prot.c - arrows between memory states as system calls, with their ways back.
 *
 * The kernel's mprotect works mapping by mapping and may fail in the middle, at the limit of mappings; then the whole
 * range is given its old protection again, which can only merge and so works at the limit. Making pages fault has
 * several ways (prot.h): the chosen one, then guards, then a fresh mapping, then failure, counted, for the caller to
 * bear.
 *
 * Which ranges to change, and what their bytes mean, is the business of arena.c and the caches.
 */
#include "prot.h"

#include <errno.h>
#include <sys/mman.h>

#include "os.h"

#define GUARD_MAX_DEFAULT ((size_t)64 << 10)

enum arrow {
	ARROW_NONE,
	ARROW_PREPARE, /* charge it */
	ARROW_TAKE,    /* no call at all */
	ARROW_RELEASE, /* contents may go */
	ARROW_SEAL,
	ARROW_UNSEAL,
	ARROW_FAULT,
	ARROW_UNFAULT,
	ARROW_GIVE_BACK, /* discharge it */
	ARROW_UNMAP,
};

/* ORDER mem_state */
static const unsigned char arrows[MEM_STATE_CNT][MEM_STATE_CNT] = {
	[MEM_RESERVED] = {
		[MEM_NONE] = ARROW_UNMAP,
		[MEM_PREPARED] = ARROW_PREPARE,
	},
	[MEM_PREPARED] = {
		[MEM_NONE] = ARROW_UNMAP,
		[MEM_RESERVED] = ARROW_GIVE_BACK,
		[MEM_READY] = ARROW_TAKE,
		[MEM_FAULTED] = ARROW_FAULT,
	},
	[MEM_READY] = {
		[MEM_NONE] = ARROW_UNMAP,
		[MEM_RESERVED] = ARROW_GIVE_BACK,
		[MEM_PREPARED] = ARROW_RELEASE,
		[MEM_SEALED] = ARROW_SEAL,
		[MEM_FAULTED] = ARROW_FAULT,
	},
	[MEM_SEALED] = {
		[MEM_NONE] = ARROW_UNMAP,
		[MEM_RESERVED] = ARROW_GIVE_BACK,
		[MEM_READY] = ARROW_UNSEAL,
		[MEM_FAULTED] = ARROW_FAULT,
	},
	[MEM_FAULTED] = {
		[MEM_NONE] = ARROW_UNMAP,
		[MEM_RESERVED] = ARROW_GIVE_BACK,
		[MEM_PREPARED] = ARROW_UNFAULT,
		[MEM_READY] = ARROW_UNFAULT,
	},
};

/* What a page in each state may be used for. */
static const int access_of[MEM_STATE_CNT] = {
	[MEM_RESERVED] = PROT_NONE,
	[MEM_PREPARED] = PROT_READ | PROT_WRITE,
	[MEM_READY] = PROT_READ | PROT_WRITE,
	[MEM_SEALED] = PROT_READ,
	[MEM_FAULTED] = PROT_NONE,
};

static void *addr_of(struct va_range r)
{
	return (void *)(uintptr_t)r.base;
}

static size_t size_of(struct va_range r)
{
	return (size_t)(r.limit - r.base);
}

static void count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void prot_init(struct prot *p, const struct prot_config *cfg)
{
	*p = (struct prot){ .cfg = cfg ? *cfg : (struct prot_config){ 0 } };
	if (!p->cfg.os)
		p->cfg.os = os_default();
	if (!p->cfg.guard_max_sz)
		p->cfg.guard_max_sz = GUARD_MAX_DEFAULT;
}

static enum arrow arrow_of(enum mem_state from, enum mem_state to)
{
	if ((unsigned)from >= MEM_STATE_CNT || (unsigned)to >= MEM_STATE_CNT)
		return ARROW_NONE;
	return (enum arrow)arrows[from][to];
}

bool prot_has_edge(enum mem_state from, enum mem_state to)
{
	return arrow_of(from, to) != ARROW_NONE;
}

/* mprotect all of R or, as far as the kernel lets us, none of it. */
static int protect_whole(struct prot *p, struct va_range r, int access, int access_before)
{
	int e = os_protect(p->cfg.os, addr_of(r), size_of(r), access);

	if (e < 0 && os_protect(p->cfg.os, addr_of(r), size_of(r), access_before) >= 0)
		count(&p->rollbacks);
	return e;
}

static int map_over(struct prot *p, struct va_range r, int access)
{
	void *got;

	return os_map(p->cfg.os, addr_of(r), size_of(r), access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0, &got);
}

static int drop_pages(struct prot *p, struct va_range r)
{
	return os_advise(p->cfg.os, addr_of(r), size_of(r), MADV_DONTNEED);
}

static int release(struct prot *p, struct va_range r)
{
	if (os_advise(p->cfg.os, addr_of(r), size_of(r), MADV_FREE) >= 0)
		return 0;
	count(&p->fallbacks);
	if (drop_pages(p, r) >= 0)
		return 0;
	count(&p->fallbacks);
	return map_over(p, r, PROT_READ | PROT_WRITE);
}

static int install_guards(struct prot *p, struct va_range r)
{
	int e;

	if (!os_has_guards(p->cfg.os))
		return -EOPNOTSUPP;
	e = os_advise(p->cfg.os, addr_of(r), size_of(r), MADV_GUARD_INSTALL);
	if (e < 0 && os_advise(p->cfg.os, addr_of(r), size_of(r), MADV_GUARD_REMOVE) >= 0)
		count(&p->rollbacks);
	return e;
}

/* Dropping the pages only saves memory here: unreachable they are, and unfault drops them for certain. */
static int protect_none(struct prot *p, struct va_range r, int access_before, bool drop)
{
	int e = protect_whole(p, r, PROT_NONE, access_before);

	if (e >= 0 && drop && drop_pages(p, r) < 0)
		count(&p->fallbacks);
	return e;
}

static int fault_by(struct prot *p, struct va_range r, enum prot_way way, int access_before, enum prot_reason why)
{
	int e;

	switch (way) {
	case PROT_WAY_MPROTECT_DONTNEED:
		return protect_none(p, r, access_before, true);
	case PROT_WAY_DONTNEED_MPROTECT:
		e = drop_pages(p, r);
		/* A late user may touch pages between the two calls. */
		return e < 0 ? e : protect_none(p, r, access_before, why == PROT_FOR_RETIRE);
	case PROT_WAY_MMAP_NONE:
		return map_over(p, r, PROT_NONE);
	case PROT_WAY_GUARD:
		return install_guards(p, r);
	default:
		return -EINVAL;
	}
}

static enum prot_way choose_way(struct prot *p, struct va_range r, enum prot_reason why)
{
	if (p->cfg.way != PROT_WAY_AUTO)
		return p->cfg.way;
	if (why == PROT_FOR_CHARGE)
		return PROT_WAY_MMAP_NONE;
	if ((why == PROT_FOR_GUARD || size_of(r) <= p->cfg.guard_max_sz) && os_has_guards(p->cfg.os))
		return PROT_WAY_GUARD;
	return PROT_WAY_DONTNEED_MPROTECT;
}

static int make_fault(struct prot *p, struct va_range r, int access_before, enum prot_reason why)
{
	const enum prot_way order[] = { choose_way(p, r, why), PROT_WAY_GUARD, PROT_WAY_MMAP_NONE };
	int e = -EINVAL;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (i && order[i] == order[0])
			continue;
		if (i)
			count(&p->fallbacks);
		e = fault_by(p, r, order[i], access_before, why);
		if (e >= 0) {
			count(&p->done[order[i]]);
			return 0;
		}
	}
	return e;
}

/* Zeros, whichever way it was made to fault. Guards are per page and survive all else, so they go first. */
static int unfault(struct prot *p, struct va_range r)
{
	int e = 0;

	if (atomic_load(&p->cfg.os->guards) > 0)
		e = os_advise(p->cfg.os, addr_of(r), size_of(r), MADV_GUARD_REMOVE);
	if (e >= 0)
		e = drop_pages(p, r);
	return e < 0 ? e : protect_whole(p, r, PROT_READ | PROT_WRITE, PROT_NONE);
}

static int follow(struct prot *p, struct va_range r, enum arrow arrow, int access_before, enum prot_reason why)
{
	switch (arrow) {
	case ARROW_PREPARE:
		return protect_whole(p, r, PROT_READ | PROT_WRITE, PROT_NONE);
	case ARROW_TAKE:
		return 0;
	case ARROW_RELEASE:
		return release(p, r);
	case ARROW_SEAL:
		return protect_whole(p, r, PROT_READ, PROT_READ | PROT_WRITE);
	case ARROW_UNSEAL:
		return protect_whole(p, r, PROT_READ | PROT_WRITE, PROT_READ);
	case ARROW_FAULT:
		return make_fault(p, r, access_before, why);
	case ARROW_UNFAULT:
		return unfault(p, r);
	case ARROW_GIVE_BACK:
		return map_over(p, r, PROT_NONE);
	case ARROW_UNMAP:
		return os_unmap(p->cfg.os, addr_of(r), size_of(r));
	case ARROW_NONE:
		break;
	}
	return -EINVAL;
}

int prot_change(struct prot *p, struct va_range r, enum mem_state from, enum mem_state to, enum prot_reason why)
{
	uint64_t in_page = os_page_sz(p->cfg.os) - 1;
	enum arrow arrow = arrow_of(from, to);
	int e;

	if (arrow == ARROW_NONE || r.base >= r.limit || (r.base | r.limit) & in_page || r.limit > UINTPTR_MAX)
		return -EINVAL;
	count(&p->changes);
	e = follow(p, r, arrow, access_of[from], why);
	if (e < 0)
		count(&p->failures);
	return e;
}

/* Best effort: what cannot be taken back stays changed, and is what *ret_done counts. */
static size_t take_back(struct prot *p, const struct va_ranges *t, size_t done, enum mem_state from, enum mem_state to,
			enum prot_reason why)
{
	size_t left = done;

	if (!prot_has_edge(to, from))
		return done;
	while (left && prot_change(p, va_ranges_get(t, left - 1), to, from, why) >= 0)
		left--;
	if (left < done)
		count(&p->rollbacks);
	return left;
}

int prot_change_all(struct prot *p, const struct va_ranges *t, enum mem_state from, enum mem_state to,
		    enum prot_reason why, size_t *ret_done)
{
	size_t done = 0;
	int e = 0;

	if (!prot_has_edge(from, to))
		return -EINVAL;
	while (done < va_ranges_cnt(t)) {
		e = prot_change(p, va_ranges_get(t, done), from, to, why);
		if (e < 0)
			break;
		done++;
	}
	if (e < 0)
		done = take_back(p, t, done, from, to, why);
	if (ret_done)
		*ret_done = done;
	return e;
}
