/* pool.h - a pool of threads for data-parallel loops.
 *
 * The linker's passes are loops over objects, sections or byte ranges. pool_for hands such a loop out in chunks, from
 * an atomic counter, to the threads of the pool and to the caller itself. Which thread gets which chunk is not
 * determined, so a loop body writes only to places its own indexes own, or to per-worker state merged later in an
 * order that does not depend on the worker (P1).
 *
 * Where there are few CPUs, and one for each thread, the threads keep off the one that the caller of pool_for is on: they may
 * run on the others that it may run on. An affinity that is given to them from outside lasts until that CPU changes; what
 * a loop body starts inherits theirs.
 *
 * A pool does not survive fork: the child has no threads and must not use it.
 */
#ifndef LINKFS_POOL_H
#define LINKFS_POOL_H

#include <stddef.h>

struct pool;

/* A pool of THREADS workers, the caller of pool_for counted: 1 starts no thread at all; 0 means as many as this process
 * has CPUs. Threads that cannot be started are done without: the pool is smaller (see pool_threads), never refused for
 * that. The threads block all signals but those a fault raises. 0 or -ENOMEM. */
int pool_new(unsigned threads, struct pool **ret_pool);
/* Ends and joins the threads; no loop may be running. Takes NULL, returns NULL. */
struct pool *pool_free(struct pool *p);
/* How many workers there are, at least 1: every WORKER a loop body sees is below this. */
unsigned pool_threads(const struct pool *p);
/* Calls FN(ctx, begin, end, worker) for disjoint chunks that together are [0, cnt), each at most GRAIN long (0: chosen
 * for CNT), and returns when all have returned; what FN wrote is visible to the caller then. The caller takes part as
 * worker 0. No two calls of FN running at once have the same WORKER. A pool_for within FN, on the same pool, runs
 * inline as the worker it is called from. Calls from several threads take turns. Never fails. */
void pool_for(struct pool *p, size_t cnt, size_t grain,
	      void (*fn)(void *ctx, size_t begin, size_t end, unsigned worker), void *ctx);

#endif
