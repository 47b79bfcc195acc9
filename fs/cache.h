/* cache.h - the page cache: what was made of each output, in a backing file without a name, within a budget.
 *
 * A cache_file is one immutable output: a size that is known from the start (R7) and chunks of CHUNK_SZ that are made
 * when somebody asks. What lies below (struct cache_bottom) stores the bytes of a range into the backing file; here it
 * is decided which range, that it has blocks before anybody stores into it, that it is asked for once however many
 * want it, and what is given back when the budget is exceeded. cache.c has the states and the invariants.
 *
 * A read is answered, never returned: cache_read parks what can't be served, and its .done is called exactly once,
 * unless it is cancelled. When it went well the range is pinned: its bytes are in the backing file and stay there
 * until cache_unpin.
 *
 * What it does not do: copy bytes to anybody, know what a linker or a kernel is, keep anything across a restart (an
 * output is a function of its inputs: nothing needs msync or fsync, R11), let a file grow (R10).
 *
 * Lock: one mutex, the owner's, given to cache_init. All functions are called with it held. Those marked (drops) give it
 * up while they work on the file system or wait: they may block, and what the caller knew before may have changed.
 * Those not marked never block. .fill, .failed and .done are called with it held and must not block or call back.
 */
#ifndef FS_CACHE_H
#define FS_CACHE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "util.h"

/* What one fill makes at least, and how far the kernel reads ahead of a fault or a read. Together they decide how lazy
 * a start is. CPython from its archive (7.8 MB), `python -S -c pass`, cold, two CPUs that had other work, best of 36:
 *
 *     read-ahead / chunk   128/64   64/64   64/16   32/32   32/16    32/4   16/16 KiB
 *     share made            67.8    64.4    58.4    56.9    53.8    50.2    50.8 %
 *     READs, fills         69,44  102,55  102,96 173,104 173,143 173,173 272,196
 *     time                    38      36      36      36      36      35      69 ms
 *
 * The page-by-page floor is 36 %, in 70 ms. Chunks of 4 KiB make the table of chunks four times as long. */
#define CHUNK_SZ     ((uint64_t)16 << 10)
#define READAHEAD_SZ 32768u

#define CACHE_STEP_SZ ((uint64_t)2 << 20) /* blocks are prepared, and bytes asked for, in steps of at most this */

struct cache;
struct cache_file;
struct cache_read;
struct chunk;
struct chunk_block;
struct profile;
struct replies; /* the owner's: what is handed to a call here comes back in .done, untouched */

/* The layer below: who makes bytes. */
struct cache_bottom {
	/* Store the bytes of [OFF, OFF + SZ) into F's backing file, at the same offset. Its blocks are there; nobody
	 * else stores into that range until the answer. 0: there will be exactly one cache_filled for this very range,
	 * later, not from within this call, and after it no more stores. -errno: it can't be asked, there will be none.
	 * F is not freed before the answer: whoever can answer holds its owner. */
	int (*fill)(void *ctx, struct cache_file *f, uint64_t off, uint64_t sz);
	/* For a log: [OFF, OFF + SZ) could not be made, and somebody gets an error for it. IS_ROOM: the file system
	 * below the cache gave no blocks (ERROR says why; told once, until it gives some again). Otherwise WHY is what
	 * cache_filled was told, "" when nothing was said. */
	void (*failed)(void *ctx, struct cache_file *f, uint64_t off, uint64_t sz, bool is_room, int error,
		       const char *why);
};

enum cache_reader {
	READER_COPY,	/* who reads in order is read ahead of */
	READER_PROGRAM, /* so is this one; and where it reads, the next version will be read */
	READER_WARMER,	/* reads for such a program, at its start */
};

/* A request, embedded in whatever waits for it. The caller sets the first four. */
struct cache_read {
	uint64_t off, sz; /* within the size */
	enum cache_reader who;
	/* Called once. ERROR 0: the range is Ready and pinned: copy, then cache_unpin. -errno: nothing is pinned; a
	 * later read tries again. R may be freed. OUT: what the call was given that led to this. */
	void (*done)(struct cache_read *r, int error, struct replies *out);
	/* private */
	TAILQ_ENTRY(cache_read) on; /* cache_file.readers */
	struct cache_file *file;
	bool is_waiting;
};

/* Bytes that were read one after the other; so what follows is made before somebody asks. */
#define STREAMS 4
struct stream {
	uint64_t begin, end;
	uint64_t ahead; /* asked for up to here */
};

#define PAGE_SZ ((uint64_t)4096) /* of what a start reads, whatever the machine's is */
struct page_range {
	uint32_t first, end;
};

/* In their order, as long as they can be those of a program's start. */
struct start_reads {
	int64_t until; /* ms, as now_ms(); 0: nothing was opened or read yet */
	struct page_range *range;
	uint32_t cnt, room;
	uint64_t pages; /* in all */
	bool is_over;	/* who reads so much does more than start */
};

struct cache_file {
	void *owner; /* the caller's */
	uint64_t size;
	int fd;		       /* the backing file, of that size; the cache's, closed some time after cache_file_free */
	uint64_t bytes;	       /* of chunks with blocks */
	uint64_t filled_bytes; /* made in all */
	/* private */
	TAILQ_ENTRY(cache_file) all;   /* cache.files, or cache.dead */
	TAILQ_ENTRY(cache_file) needy; /* cache.needy, when is_needy */
	uint64_t chunk_cnt;
	struct chunk_block **block;		       /* a block of chunks each; NULL: all of them Reserved */
	TAILQ_HEAD(cache_readers, cache_read) readers; /* that wait */
	uint64_t lent;				       /* pins of reads that were answered and not given back yet */
	unsigned askers;			       /* threads about to ask for what a waiting read lacks */
	unsigned io;				       /* threads at it without the lock */
	struct stream stream[STREAMS];
	unsigned stream_next; /* the one to be forgotten next */
	unsigned stream_last; /* the one that was read last */
	uint64_t full_sz;     /* there was no room for so much, which was told; 0: there was, since */
	struct page_range code; /* mapped executable */
	struct start_reads reads; /* by programs */
	struct profile *profile; /* what will be read, it seems; NULL: nothing is known */
	bool is_never_ahead;  /* its bytes could not be made once: only what is asked for is made */
	bool is_kept;	      /* what is Ready can't be made again: never evicted */
	bool is_needy;	      /* a waiting read lacks something that nobody makes */
	bool is_dead;	      /* freed by its owner */
};
TAILQ_HEAD(cache_files, cache_file);
TAILQ_HEAD(chunk_order, chunk);

struct cache_counters {
	uint64_t fills, filled_bytes, fill_errors, evictions;
};

struct cache {
	uint64_t limit; /* of .bytes, at rest */
	uint64_t bytes; /* of chunks with blocks, of all files */
	struct cache_counters count;
	/* private */
	pthread_mutex_t *lock;
	const struct cache_bottom *bottom;
	void *ctx;
	struct cache_files files;
	struct cache_files needy;
	struct cache_files dead; /* to be closed */
	struct chunk_order cold; /* what may be evicted, coldest first */
	uint64_t evicting;	 /* of .bytes: on their way out */
	unsigned makers;	 /* threads that are making room */
	pthread_cond_t tend;	 /* is_tend_wanted or is_stopping */
	bool is_tend_wanted;
	bool is_stopping;
	uint64_t check_in; /* debug builds: calls until the next check */
};

/* A blocking read, for threads that may wait. */
struct cache_waiter {
	struct cache_read read;
	pthread_cond_t cond;
	bool is_done;
	int error;
};

/* LOCK, BOTTOM and CTX (handed to BOTTOM) stay the caller's and outlive the cache. */
void cache_init(struct cache *c, pthread_mutex_t *lock, uint64_t limit, const struct cache_bottom *bottom, void *ctx);
/* (drops) No file, no thread in here any more. */
void cache_done(struct cache *c);

/* A file of SIZE bytes without a name below DIR_FD, or in memory where that file system has no such files or can't give
 * blocks back. 0 or -errno. */
int cache_file_new(struct cache *c, int dir_fd, uint64_t size, void *owner, struct cache_file **ret);
/* No read waits or holds pins, no fill is on its way. Takes NULL. */
struct cache_file *cache_file_free(struct cache *c, struct cache_file *f);
/* F can't be made again: from now on what is Ready is never evicted. */
void cache_file_keep(struct cache *c, struct cache_file *f);

/* --- what a program's start reads: cache_start.c --- */

/* [OFF, OFF + SZ) is mapped executable: the kernel may read it in other portions. */
void cache_file_code(struct cache_file *f, uint64_t off, uint64_t sz);
/* A program opens F: what it reads from now on it reads at its start, for a while. */
void cache_file_opened(struct cache_file *f);
/* F will be read where LAST was, it seems, and in that order: the version before of the same program. */
void cache_file_expect(struct cache_file *f, const struct cache_file *last);
/* (drops) Makes that ahead, in large pieces. The caller keeps F. */
void cache_make_expected(struct cache *c, struct cache_file *f, struct replies *out);
/* May it be given to the kernel unasked? */
bool cache_may_give(const struct cache_file *f);
/* Where a walk over what is expected is. Begins as { 0 }. */
struct profile_at {
	uint32_t piece, page;
};
/* The next range of it that nobody has read, whole pages. *RET_IS_MADE: all of it is made; else none of it. False: there is
 * none. */
bool cache_next_expected(const struct cache_file *f, struct profile_at *at, uint64_t *ret_off, uint64_t *ret_sz,
			 bool *ret_is_made);
/* The kernel was given such a range. Where it was not made, it came from elsewhere: it counts as made, but is not in the
 * file. */
void cache_given(struct cache *c, struct cache_file *f, uint64_t off, uint64_t sz, bool is_made);

/* (drops) Answers R or has what it lacks made, and R waits. True: R goes on where others ended: cache_ahead would help,
 * best after R's answer was sent. The caller keeps F from being freed during the call. */
bool cache_read(struct cache *c, struct cache_file *f, struct cache_read *r, struct replies *out);
/* (drops) Makes what the reader in order who came last will want next. The caller keeps F. */
void cache_ahead(struct cache *c, struct cache_file *f, struct replies *out);
/* R, if it still waits, is forgotten: .done won't be called. */
void cache_cancel(struct cache *c, struct cache_read *r);
/* Of a read that was answered with 0. */
void cache_unpin(struct cache *c, struct cache_file *f, uint64_t off, uint64_t sz);

/* The answer to a .fill. ERROR 0: the bytes are there, all of them stored before the call. -EIO: some byte of it can't be
 * made: a range of several chunks is asked for again chunk by chunk, so that the error stays where it is. Other -errno:
 * none of it. The range stays unmade; a later read tries again. */
void cache_filled(struct cache *c, struct cache_file *f, uint64_t off, uint64_t sz, int error, const char *why,
		  struct replies *out);

/* (drops) A read by a thread that waits, in two steps, so that OUT can be sent in between: others depend on it. W stays
 * where it is until cache_wait_end, which is due. Returns as cache_read. */
bool cache_wait_begin(struct cache *c, struct cache_file *f, struct cache_waiter *w, uint64_t off, uint64_t sz,
		      enum cache_reader who, struct replies *out);
/* (drops) 0: made and pinned. -errno: why not; -ECANCELED: *CANCEL (NULL: none) was set, seen within 100 ms. */
int cache_wait_end(struct cache *c, struct cache_waiter *w, const atomic_bool *cancel);

/* (drops) For one thread of its own, in a loop with OUT sent each time: waits for work that nobody else has time for, and
 * does it: closes dead files, brings the cache below its limit. False: cache_stop was called. */
bool cache_tend(struct cache *c, struct replies *out);
void cache_stop(struct cache *c);

/* What is broken (the invariants of cache.c), as text added to RET; true: nothing is. */
bool cache_check(const struct cache *c, struct text *ret);

#endif
