/* guard.c - the SIGBUS landing pad for mapped inputs (SEEDS.md B2, D3).
 *
 * A mapped file that another process truncates gives SIGBUS where its bytes were. Code that loads from mappings runs
 * under mapper_guard: the handler, finding that its thread is in a guard and the address in a mapped input, jumps back.
 * Any other SIGBUS goes to whoever had the signal before, so that a real defect still ends in a core file.
 *
 * A signal handler has no argument to find its data by, so this is the one file of the linker with global state: the
 * table of ranges, which only grows and whose free slots are taken by compare-and-swap (the handler may take no lock,
 * and mapping a file should not wait for one), the previous action, and a per-thread pointer to the innermost guard.
 */
#include "guard.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "mapper.h"

enum { BLOCK_CNT = 512 };

struct guard_range {
	_Atomic(uintptr_t) start; /* 0: free, CLAIMED: being filled in */
	_Atomic(size_t) sz;
};

struct block {
	_Atomic(struct block *) next;
	atomic_uint used; /* slots taken: a block that looks full is passed over */
	struct guard_range ranges[BLOCK_CNT];
};

struct landing {
	sigjmp_buf jump;
	struct landing *outer;
};

static const uintptr_t CLAIMED = 1;
static struct block first_block;
static struct sigaction previous;
static pthread_once_t init_once = PTHREAD_ONCE_INIT;
static int init_result;
/* Initial-exec: the handler must not allocate when it looks. */
static _Thread_local struct landing *innermost __attribute__((tls_model("initial-exec")));

static bool is_guarded(uintptr_t addr)
{
	for (struct block *b = &first_block; b; b = atomic_load(&b->next))
		for (unsigned i = 0; i < BLOCK_CNT; i++) {
			uintptr_t start = atomic_load(&b->ranges[i].start);
			if (start > CLAIMED && addr >= start && addr - start < atomic_load(&b->ranges[i].sz))
				return true;
		}
	return false;
}

static void pass_on(int sig, siginfo_t *info, void *context)
{
	if (previous.sa_flags & SA_SIGINFO) {
		previous.sa_sigaction(sig, info, context);
		return;
	}
	if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
		previous.sa_handler(sig);
		return;
	}
	/* Faulting again, or raised again, it ends the process as if no handler had been. */
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigaction(SIGBUS, &dfl, NULL);
	if (info->si_code <= 0)
		raise(sig);
}

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	struct landing *l = innermost;
	if (l && info->si_code > 0 && is_guarded((uintptr_t)info->si_addr))
		siglongjmp(l->jump, 1);
	pass_on(sig, info, context);
}

static void install(void)
{
	/* No signal is blocked while the handler runs, so that the jump has no mask to restore: a guard costs no call. */
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };
	sigemptyset(&action.sa_mask);
	init_result = sigaction(SIGBUS, &action, &previous) ? -errno : 0;
}

int guard_init(void)
{
	pthread_once(&init_once, install);
	return init_result;
}

/* The block after B, made where there is none. */
static struct block *next_block(struct block *b)
{
	struct block *next = atomic_load(&b->next), *fresh;
	if (next)
		return next;
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return NULL;
	if (atomic_compare_exchange_strong(&b->next, &next, fresh))
		return fresh;
	free(fresh);
	return next;
}

int guard_add(const void *addr, size_t sz, struct guard_range **ret_range)
{
	for (struct block *b = &first_block; b; b = next_block(b)) {
		if (atomic_load(&b->used) >= BLOCK_CNT)
			continue;
		for (unsigned i = 0; i < BLOCK_CNT; i++) {
			struct guard_range *g = &b->ranges[i];
			uintptr_t expected = 0;
			if (atomic_load(&g->start) || !atomic_compare_exchange_strong(&g->start, &expected, CLAIMED))
				continue;
			atomic_fetch_add(&b->used, 1);
			atomic_store(&g->sz, sz);
			atomic_store(&g->start, (uintptr_t)addr);
			*ret_range = g;
			return 0;
		}
	}
	return -ENOMEM;
}

void guard_remove(struct guard_range *range)
{
	for (struct block *b = &first_block; b; b = atomic_load(&b->next))
		if (range >= b->ranges && range < b->ranges + BLOCK_CNT) {
			atomic_store(&range->start, 0);
			atomic_fetch_sub(&b->used, 1);
			return;
		}
}

int mapper_guard(int (*fn)(void *ctx), void *ctx)
{
	struct landing l = { .outer = innermost };
	if (sigsetjmp(l.jump, 0)) {
		innermost = l.outer;
		return -ESTALE;
	}
	innermost = &l;
	int r = fn(ctx);
	innermost = l.outer;
	return r;
}
