/* digest.c - a digest per object, kept with it: the build-id is a hash of these, so a relink hashes only what is new. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "object.h"

void object_digest(struct object *o, uint64_t *ret_low, uint64_t *ret_high)
{
	/* The high half first: once it is seen, so is the low one, which was stored before it. */
	uint64_t high = atomic_load_explicit(&o->digest[1], memory_order_acquire);
	uint64_t low = atomic_load_explicit(&o->digest[0], memory_order_relaxed);
	if (!high) { /* two threads may both make it: they agree */
		XXH128_hash_t h = XXH3_128bits(o->data, o->sz);
		low = h.low64;
		high = h.high64 | 1; /* never 0 */
		atomic_store_explicit(&o->digest[0], low, memory_order_relaxed);
		atomic_store_explicit(&o->digest[1], high, memory_order_release);
	}
	*ret_low = low;
	*ret_high = high;
}
