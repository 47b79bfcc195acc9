/* cache_priv.h - what cache.c (reads and fills), cache_room.c (blocks and eviction), cache_start.c, cache_wanted.c (what a
 * start reads) and cache_check.c share.
 *
 * The lock of the cache is held in all of them, but for what is marked (no lock).
 */
#ifndef FS_CACHE_PRIV_H
#define FS_CACHE_PRIV_H

#include <assert.h>
#include <stddef.h>

#include "cache.h"

enum chunk_state {
	CHUNK_RESERVED,
	CHUNK_PREPARING,
	CHUNK_PREPARED,
	CHUNK_FILLING,
	CHUNK_READY,
	CHUNK_EVICTING,
	CHUNK_STATES,
};

struct chunk {
	TAILQ_ENTRY(chunk) cold; /* cache.cold, when is_cold */
	uint32_t pins;		 /* reads that wait for it or copy from it */
	uint8_t state;
	uint8_t place; /* in its block */
	bool is_cold : 1;  /* may be evicted */
	bool is_ahead : 1; /* on its way, and nobody had asked for it then */
	bool is_read : 1;  /* by a program */
};

/* Chunks are tracked from the first read of their neighbourhood on. */
#define BLOCK_CHUNKS 64
struct chunk_block {
	struct cache_file *file;
	uint64_t first; /* chunk */
	struct chunk chunk[BLOCK_CHUNKS];
};

struct run {
	uint64_t first, end; /* chunks */
	bool needs_blocks;
	bool is_ahead;
};

static inline struct chunk *chunk_at(const struct cache_file *f, uint64_t idx)
{
	return &f->block[idx / BLOCK_CHUNKS]->chunk[idx % BLOCK_CHUNKS];
}

static inline struct chunk_block *chunk_home(struct chunk *ch)
{
	return (struct chunk_block *)(void *)((char *)(ch - ch->place) - offsetof(struct chunk_block, chunk));
}

static inline uint64_t chunk_bytes(const struct cache_file *f, uint64_t idx)
{
	uint64_t off = idx * CHUNK_SZ;

	return f->size - off < CHUNK_SZ ? f->size - off : CHUNK_SZ;
}

/* Of a byte range that begins in chunk off / CHUNK_SZ: the chunk behind its last one. */
static inline uint64_t chunk_end(uint64_t off, uint64_t sz)
{
	return sz ? (off + sz + CHUNK_SZ - 1) / CHUNK_SZ : off / CHUNK_SZ;
}

static inline uint64_t run_off(const struct run *r)
{
	return r->first * CHUNK_SZ;
}

static inline uint64_t run_sz(const struct cache_file *f, const struct run *r)
{
	uint64_t end = r->end * CHUNK_SZ < f->size ? r->end * CHUNK_SZ : f->size;

	return end - run_off(r);
}

static inline bool is_over(const struct cache *c)
{
	return c->bytes - c->evicting > c->limit;
}

/* --- cache.c --- */
/* (drops) Makes [IDX, END), or what of it is missing, ahead. False: no more of that. */
bool cache_make_ahead(struct cache *c, struct cache_file *f, uint64_t idx, uint64_t end, struct replies *out);

/* From now on the chunks of [OFF, OFF + SZ) are tracked. 0 or -ENOMEM. */
int chunks_cover(struct cache_file *f, uint64_t off, uint64_t sz);

/* --- cache_start.c --- */
/* A program reads [OFF, OFF + SZ). */
void start_note_read(struct cache_file *f, uint64_t off, uint64_t sz);
struct profile *profile_free(struct profile *p);

/* --- cache_wanted.c --- */
/* Where a fault lies in what the kernel reads for it. */
enum read_around { AROUND_UNKNOWN, AROUND_BEGINS, AROUND_CENTRES };
/* Pages in order, each once. */
struct pages {
	uint32_t *page;
	uint32_t cnt, room;
	uint32_t page_cnt; /* of the file */
	uint64_t *has;	   /* a bit each, and a spare one */
};
bool page_is(const uint64_t *bits, uint32_t page);
/* Nothing happens to one that is there, or behind the file, or for which there is no room. */
void pages_add(struct pages *p, uint32_t page);
/* Adds to RET what READS tell of the pages that were wanted, beside those GIVEN to the kernel before (a bit each). CODE is
 * mapped executable. *RULE is what is known of the kernel, and afterwards, maybe, better known. 0 or -ENOMEM. */
int wanted_pages(const struct start_reads *reads, const struct page_range *code, const uint64_t *given,
		 enum read_around *rule, struct pages *ret);

/* --- cache_room.c --- */
/* Every change of state goes through here: the edge is checked, the sums and the order of coldness follow. */
void chunk_set(struct cache *c, struct cache_file *f, uint64_t idx, enum chunk_state to);
void chunk_pin(struct cache *c, struct cache_file *f, uint64_t idx);
void chunk_unpin(struct cache *c, struct cache_file *f, uint64_t idx);
/* Is CH where the order of coldness wants it? After what it depends on changed. */
void chunk_reorder(struct cache *c, const struct cache_file *f, struct chunk *ch);
/* (drops) Evicts the coldest until the limit is kept or nothing may be evicted. */
void room_make(struct cache *c);
/* (no lock) Blocks for a claimed run, or none of it has any. 0 or -errno. */
int room_prepare(const struct cache_file *f, const struct run *r);
/* A file of SIZE without blocks, or -errno. */
int room_backing(int dir_fd, uint64_t size);
void tend_wake(struct cache *c);
/* A thread that gave up the lock while at F has it again. False: F was freed meanwhile, and may be gone now. */
bool file_io_end(struct cache *c, struct cache_file *f);
void file_bury(struct cache *c, struct cache_file *f);
void file_needs(struct cache *c, struct cache_file *f);

/* --- cache_check.c --- */
/* Debug builds: now and then, so that tests do not wait for it. */
void check_sometimes(struct cache *c);

#endif
