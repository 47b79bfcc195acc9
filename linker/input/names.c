/* names.c - the table of names behind names.h.
 *
 * Open addressing over 64-bit slots (high half of the hash, then the id), filled by compare-and-swap, so that many
 * threads intern without a lock; a probe looks at a name only when 32 bits of its hash agree. Entries lie in chunks that
 * never move, found through a directory that never moves either: fills of older links read names while a new link adds
 * some. Only names_reserve changes the table's size, and it runs alone among those that search the table, hence nothing
 * here needs hazard pointers.
 *
 * An interning that loses a race for a slot keeps the id it has drawn for its next try; if the winner was the same name
 * the id is wasted: it reads as the empty name. So each call draws at most one id, which is what names_reserve counts.
 *
 * Bytes lie in blocks that threads share: who wants some adds to the block's count, and the one for whom it is too
 * little makes the next block, by lock.
 *
 * Cost: 16 bytes per name, its bytes, and 8 / (7/16 .. 7/8) bytes of table.
 */
#include "names.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
	CHUNK_SHIFT = 16,
	CHUNK_CNT = 1 << CHUNK_SHIFT, /* names per chunk: 1 MiB */
	DIR_CNT = 1 << (32 - CHUNK_SHIFT),
	MIN_SLOTS = 1 << 12,
	BATCH = 32,
	BLOCK_SZ = (1 << 20) - 64,
	BLOCK_ALONE = BLOCK_SZ / 16, /* a name as long as that has one of its own */
};

struct block {
	struct block *next;
	atomic_size_t used; /* may be past the end: then it is full */
	char bytes[];
};

struct names {
	_Atomic(uint64_t) *slots; /* 0: empty */
	uint64_t mask;            /* slot count - 1 */
	struct name **chunks;     /* directory: DIR_CNT of them, so it never moves under who reads names meanwhile */
	uint32_t chunk_cnt;
	uint32_t limit;           /* ids below it have an entry and room in the table */
	pthread_mutex_t lock;     /* of what follows */
	struct block *blocks;     /* all of them */
	struct block *_Atomic block; /* that is being filled; read without the lock */
	_Alignas(64) atomic_uint next; /* the next id; on its own line: every thread writes it */
};

static struct name *entry(const struct names *n, name_id id)
{
	return &n->chunks[id >> CHUNK_SHIFT][id & (CHUNK_CNT - 1)];
}

static uint64_t hash_of(const char *str, size_t len)
{
	return XXH3_64bits(str, len);
}

static uint64_t tag_of(uint64_t hash)
{
	return hash & UINT64_C(0xffffffff00000000);
}

static bool is_name(const struct name *e, const char *str, size_t len)
{
	return e->len == len && (e->str == str || !memcmp(e->str, str, len));
}

int names_new(struct names **ret_names)
{
	struct names *n = aligned_alloc(_Alignof(struct names), sizeof(*n));
	if (!n)
		return -ENOMEM;
	memset(n, 0, sizeof(*n));
	pthread_mutex_init(&n->lock, NULL);
	atomic_init(&n->next, 1);
	n->chunks = calloc(DIR_CNT, sizeof(*n->chunks)); /* pages of it are touched only where used */
	int r = n->chunks ? names_reserve(n, 1) : -ENOMEM;
	if (r) {
		names_free(n);
		return r;
	}
	*entry(n, 0) = (struct name){ .str = "" };
	*ret_names = n;
	return 0;
}

struct names *names_free(struct names *n)
{
	if (!n)
		return NULL;
	for (struct block *b = n->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	for (uint32_t i = 0; i < n->chunk_cnt; i++)
		free(n->chunks[i]);
	free(n->chunks);
	free((void *)n->slots);
	pthread_mutex_destroy(&n->lock);
	free(n);
	return NULL;
}

static int grow_chunks(struct names *n, uint64_t id_cnt)
{
	uint32_t need = (uint32_t)((id_cnt + CHUNK_CNT - 1) >> CHUNK_SHIFT);
	if (need <= n->chunk_cnt)
		return 0;
	while (n->chunk_cnt < need) {
		struct name *c = malloc(sizeof(*c) << CHUNK_SHIFT);
		if (!c)
			return -ENOMEM;
		n->chunks[n->chunk_cnt++] = c;
	}
	return 0;
}

static int grow_slots(struct names *n, uint64_t id_cnt)
{
	uint64_t cnt = n->slots ? n->mask + 1 : MIN_SLOTS;
	while (cnt - cnt / 8 < id_cnt)
		cnt *= 2;
	if (n->slots && cnt == n->mask + 1)
		return 0;
	if (cnt > SIZE_MAX / sizeof(*n->slots))
		return -ENOMEM;
	_Atomic(uint64_t) *slots = calloc(cnt, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (uint64_t i = 0; n->slots && i <= n->mask; i++) {
		uint64_t slot = atomic_load_explicit(&n->slots[i], memory_order_relaxed);
		if (!slot)
			continue;
		uint64_t at = entry(n, (name_id)slot)->hash & (cnt - 1);
		while (atomic_load_explicit(&slots[at], memory_order_relaxed))
			at = (at + 1) & (cnt - 1);
		atomic_store_explicit(&slots[at], slot, memory_order_relaxed);
	}
	free((void *)n->slots);
	n->slots = slots;
	n->mask = cnt - 1;
	return 0;
}

int names_reserve(struct names *n, size_t more)
{
	uint64_t id_cnt = names_cnt(n);
	if (more > UINT32_MAX - id_cnt)
		return -EOVERFLOW;
	id_cnt += more;
	if (id_cnt <= n->limit)
		return 0;
	int r = grow_chunks(n, id_cnt);
	if (!r)
		r = grow_slots(n, id_cnt);
	if (r)
		return r;
	n->limit = (uint32_t)id_cnt;
	return 0;
}

/* (by lock) A block for SZ bytes, of which LEN are taken. */
static struct block *add_block(struct names *n, size_t sz, size_t len)
{
	struct block *b = malloc(sizeof(*b) + sz);
	if (!b)
		return NULL;
	b->next = n->blocks;
	atomic_init(&b->used, len);
	n->blocks = b;
	return b;
}

/* LEN bytes that live as long as N; NULL without memory. */
static char *copy_bytes(struct names *n, const char *str, size_t len)
{
	for (;;) {
		struct block *b = atomic_load_explicit(&n->block, memory_order_acquire);
		size_t at = b && len < BLOCK_ALONE ? atomic_fetch_add_explicit(&b->used, len, memory_order_relaxed) : SIZE_MAX;
		if (at <= BLOCK_SZ - len && len < BLOCK_ALONE)
			return memcpy(b->bytes + at, str, len);
		pthread_mutex_lock(&n->lock);
		struct block *own = NULL;
		bool is_mine = len >= BLOCK_ALONE || b == atomic_load_explicit(&n->block, memory_order_relaxed);
		if (is_mine)
			own = add_block(n, len < BLOCK_ALONE ? BLOCK_SZ : len, len);
		if (own && len < BLOCK_ALONE)
			atomic_store_explicit(&n->block, own, memory_order_release);
		pthread_mutex_unlock(&n->lock);
		if (is_mine)
			return own ? memcpy(own->bytes, str, len) : NULL;
	}
}

/* Draws an id and writes its entry; 0 where the room reserved is used up, or there is no memory. */
static name_id draw(struct names *n, const char *str, size_t len, uint64_t hash)
{
	const char *copy = copy_bytes(n, str, len);
	name_id id = atomic_load_explicit(&n->next, memory_order_relaxed);
	do {
		if (id >= n->limit || !copy)
			return 0;
	} while (!atomic_compare_exchange_weak_explicit(&n->next, &id, id + 1, memory_order_relaxed,
							memory_order_relaxed));
	*entry(n, id) = (struct name){ .str = copy, .len = (uint32_t)len, .hash = (uint32_t)hash };
	return id;
}

static name_id intern(struct names *n, const char *str, size_t len, uint64_t hash)
{
	name_id own = 0;
	for (uint64_t at = (uint32_t)hash & n->mask;; at = (at + 1) & n->mask) {
		uint64_t slot = atomic_load_explicit(&n->slots[at], memory_order_acquire);
		if (!slot) {
			if (!own)
				own = draw(n, str, len, hash);
			if (!own)
				return 0;
			if (atomic_compare_exchange_strong_explicit(&n->slots[at], &slot, tag_of(hash) | own,
								    memory_order_release, memory_order_acquire))
				return own;
		}
		if (tag_of(slot) != tag_of(hash) || !is_name(entry(n, (name_id)slot), str, len))
			continue;
		if (own) /* lost the race against the same name */
			*entry(n, own) = (struct name){ .str = "" };
		return (name_id)slot;
	}
}

name_id names_intern(struct names *n, const char *str, size_t len)
{
	if (!len || len > UINT32_MAX)
		return 0;
	return intern(n, str, len, hash_of(str, len));
}

/* The slots, the entries and the first bytes of names are three dependent cache misses each; looking up a batch in
 * three rounds of prefetches lets the misses of its names overlap. */
static void intern_batch(struct names *n, const struct name_ref *refs, size_t cnt, name_id *ret_ids)
{
	uint64_t hashes[BATCH];
	for (size_t i = 0; i < cnt; i++) {
		hashes[i] = hash_of(refs[i].str, refs[i].len);
		__builtin_prefetch((const void *)&n->slots[(uint32_t)hashes[i] & n->mask]);
	}
	for (size_t i = 0; i < cnt; i++) {
		uint64_t slot = atomic_load_explicit(&n->slots[(uint32_t)hashes[i] & n->mask], memory_order_acquire);
		ret_ids[i] = slot && tag_of(slot) == tag_of(hashes[i]) ? (name_id)slot : 0;
		if (ret_ids[i])
			__builtin_prefetch(entry(n, ret_ids[i]));
	}
	for (size_t i = 0; i < cnt; i++)
		if (ret_ids[i])
			__builtin_prefetch(entry(n, ret_ids[i])->str);
	for (size_t i = 0; i < cnt; i++) {
		if (!refs[i].len || refs[i].len > UINT32_MAX)
			ret_ids[i] = 0;
		else if (!ret_ids[i] || !is_name(entry(n, ret_ids[i]), refs[i].str, refs[i].len))
			ret_ids[i] = intern(n, refs[i].str, refs[i].len, hashes[i]);
	}
}

void names_intern_many(struct names *n, const struct name_ref *refs, size_t cnt, name_id *ret_ids)
{
	for (size_t done = 0; done < cnt; done += BATCH)
		intern_batch(n, refs + done, cnt - done < BATCH ? cnt - done : BATCH, ret_ids + done);
}

name_id names_find(const struct names *n, const char *str, size_t len)
{
	if (!len || len > UINT32_MAX)
		return 0;
	uint64_t hash = hash_of(str, len);
	for (uint64_t at = (uint32_t)hash & n->mask;; at = (at + 1) & n->mask) {
		uint64_t slot = atomic_load_explicit(&n->slots[at], memory_order_acquire);
		if (!slot)
			return 0;
		if (tag_of(slot) == tag_of(hash) && is_name(entry(n, (name_id)slot), str, len))
			return (name_id)slot;
	}
}

name_id names_intern_one(struct names *n, const char *str, size_t len)
{
	name_id id = names_find(n, str, len);

	return id || names_reserve(n, 1) ? id : names_intern(n, str, len);
}

uint32_t names_cnt(const struct names *n)
{
	return atomic_load_explicit(&n->next, memory_order_relaxed);
}

const struct name *names_get(const struct names *n, name_id id)
{
	return entry(n, id);
}

int names_compare(const struct names *n, name_id a, name_id b)
{
	const struct name *x = names_get(n, a), *y = names_get(n, b);
	int c = memcmp(x->str, y->str, x->len < y->len ? x->len : y->len);
	return c ? c : x->len < y->len ? -1 : x->len > y->len;
}
