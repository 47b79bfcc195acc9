/* digest.c - a digest per object and shared library, kept with it: the build-id is a hash of these, so a relink hashes only
 * what is new. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "elfbytes.h"
#include "object.h"
#include "shlib.h"

/* Is it kept? The high half first: once it is seen, so is the low one, which was stored before it. */
static bool find(const _Atomic uint64_t kept[2], uint64_t *ret_low, uint64_t *ret_high)
{
	*ret_high = atomic_load_explicit(&kept[1], memory_order_acquire);
	*ret_low = atomic_load_explicit(&kept[0], memory_order_relaxed);
	return *ret_high;
}

/* Two threads may both make one: they agree. */
static void keep(_Atomic uint64_t kept[2], XXH128_hash_t h, uint64_t *ret_low, uint64_t *ret_high)
{
	*ret_low = h.low64;
	*ret_high = h.high64 | 1; /* never 0 */
	atomic_store_explicit(&kept[0], *ret_low, memory_order_relaxed);
	atomic_store_explicit(&kept[1], *ret_high, memory_order_release);
}

void object_digest(struct object *o, uint64_t *ret_low, uint64_t *ret_high)
{
	if (!find(o->digest, ret_low, ret_high))
		keep(o->digest, XXH3_128bits(o->data, o->sz), ret_low, ret_high);
}

static XXH128_hash_t hash_library(const struct shlib *s, const struct names *names)
{
	XXH3_state_t h;
	XXH3_INITSTATE(&h);
	XXH3_128bits_reset(&h);
	for (uint32_t i = 0; i < s->sym_cnt; i++) {
		const struct shlib_sym *sym = &s->syms[i];
		const struct name *name = names_get(names, sym->name);
		uint8_t b[32] = { sym->type, sym->bind, sym->vis, sym->is_undef, sym->is_readonly, (uint8_t)sym->align_shift };
		store64(b + 8, sym->value, false);
		store64(b + 16, sym->size, false);
		store64(b + 24, (uint64_t)sym->version << 32 | name->len, false);
		XXH3_128bits_update(&h, b, sizeof(b));
		XXH3_128bits_update(&h, name->str, name->len);
	}
	for (uint32_t i = 0; i < s->version_cnt; i++) {
		const char *version = s->versions[i] ? s->versions[i] : "";
		XXH3_128bits_update(&h, version, strlen(version) + 1);
	}
	for (uint32_t i = 0; i < s->needed_cnt; i++)
		XXH3_128bits_update(&h, s->needed[i], strlen(s->needed[i]) + 1);
	return XXH3_128bits_digest(&h);
}

void shlib_whole_digest(struct shlib *s, const struct names *names, uint64_t *ret_low, uint64_t *ret_high)
{
	if (!find(s->whole, ret_low, ret_high))
		keep(s->whole, hash_library(s, names), ret_low, ret_high);
}
