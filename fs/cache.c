/* cache.c - the page cache: backing files as arenas of chunks, Reserved -> Prepared -> Ready.
 *
 *     Reserved --prepare_run()--> Prepared --cache_filled()--> Ready --sweep()--> Reserved
 *
 * The backing file has its full size from the start but no blocks. Before the linker process is asked to fill a run of
 * chunks, their blocks are allocated here, so that its stores can meet neither SIGBUS nor a late ENOSPC. A chunk is
 * filled by one request at a time; readers that want the same chunk wait for that one. Ready chunks are read without
 * asking anybody. Which chunks are Ready is known here alone: never from holes in the file.
 *
 * I1: a busy chunk is not Ready.
 * I2: a chunk that a read waits for or copies from is pinned, and not evicted.
 * I3: alloc_bytes counts the chunks that are not Reserved.
 */
#include "fs.h"
#include "worker_link.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>

int cache_backing_new(const struct fs *fs, uint64_t size)
{
	CLEAN_FD int fd = openat(fs->cache_dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	bool is_memory = fd < 0;

	if (is_memory)
		fd = memfd_create("linkfs-generation", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		return -errno;
	/* The linker process maps it: nobody may shrink it under that mapping. (A file without a name: nobody can.) */
	if (is_memory && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		return -errno;
	return take_fd(&fd);
}

static uint64_t chunk_bytes(const struct generation *g, uint64_t idx)
{
	uint64_t off = idx * CHUNK_SZ;

	return g->size - off < CHUNK_SZ ? g->size - off : CHUNK_SZ;
}

static void set_state(struct fs *fs, struct generation *g, uint64_t idx, enum chunk_state state)
{
	struct chunk *c = &g->chunk[idx];
	bool had = c->state != CHUNK_RESERVED, has = state != CHUNK_RESERVED;

	c->state = (uint8_t)state;
	if (had == has)
		return;
	uint64_t bytes = chunk_bytes(g, idx);
	g->alloc_bytes += has ? bytes : -bytes; /* I3 */
	fs->cache_bytes += has ? bytes : -bytes;
}

void cache_forget(struct fs *fs, struct generation *g)
{
	fs->cache_bytes -= g->alloc_bytes;
	g->alloc_bytes = 0;
}

/* Gives one chunk's blocks back if nobody is at it. */
static bool evict(struct fs *fs, struct generation *g, uint64_t idx)
{
	struct chunk *c = &g->chunk[idx];

	if (c->busy || c->pins || c->state == CHUNK_RESERVED)
		return false;
	if (c->used) {
		c->used = false;
		return false;
	}
	if (fallocate(g->backing_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(idx * CHUNK_SZ),
		      (off_t)chunk_bytes(g, idx)) < 0)
		return false;
	set_state(fs, g, idx, CHUNK_RESERVED);
	fs->count.evictions++;
	return true;
}

/* Second chance over all chunks, oldest generation first, until WANT more bytes fit or two rounds gave nothing more.
 * What is pinned or being filled stays: the limit is then exceeded by what is on its way, and no more. */
static void sweep(struct fs *fs, uint64_t want)
{
	struct generation *g;

	for (int round = 0; round < 2; round++) {
		TAILQ_FOREACH (g, &fs->generations, all) {
			for (uint64_t i = 0; i < g->chunk_cnt; i++) {
				if (fs->cache_bytes + want <= fs->cfg.cache_limit)
					return;
				g->sweep_idx = (g->sweep_idx + 1) % g->chunk_cnt;
				evict(fs, g, g->sweep_idx);
			}
		}
	}
}

struct run {
	uint64_t first, end; /* chunks */
	bool needs_blocks;
};

/* The next run of chunks in [*IDX, END) that nobody has made or is making; claims it. */
static bool claim_run(struct generation *g, uint64_t *idx, uint64_t end, struct run *ret)
{
	while (*idx < end && (g->chunk[*idx].busy || g->chunk[*idx].state == CHUNK_READY))
		++*idx;
	if (*idx == end)
		return false;
	*ret = (struct run){ .first = *idx };
	for (; *idx < end && !g->chunk[*idx].busy && g->chunk[*idx].state != CHUNK_READY; ++*idx) {
		ret->needs_blocks |= g->chunk[*idx].state == CHUNK_RESERVED;
		g->chunk[*idx].busy = true;
	}
	ret->end = *idx;
	return true;
}

static uint64_t run_end(const struct generation *g, const struct run *r)
{
	return r->end * CHUNK_SZ < g->size ? r->end * CHUNK_SZ : g->size;
}

/* Blocks for a claimed run. May wait for the file system: better without the lock. */
static int prepare_run(const struct generation *g, const struct run *r)
{
	uint64_t off = r->first * CHUNK_SZ;

	if (!r->needs_blocks)
		return 0;
	while (fallocate(g->backing_fd, 0, (off_t)off, (off_t)(run_end(g, r) - off)) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static bool is_ready(const struct generation *g, uint64_t off, uint64_t sz)
{
	for (uint64_t i = off / CHUNK_SZ; i * CHUNK_SZ < off + sz; i++)
		if (g->chunk[i].state != CHUNK_READY)
			return false;
	return true;
}

static void pin(struct generation *g, uint64_t off, uint64_t sz)
{
	for (uint64_t i = off / CHUNK_SZ; i * CHUNK_SZ < off + sz; i++) {
		g->chunk[i].pins++;
		g->chunk[i].used = true;
	}
}

void cache_unpin(struct fs *fs, struct generation *g, uint64_t off, uint64_t sz)
{
	for (uint64_t i = off / CHUNK_SZ; i * CHUNK_SZ < off + sz; i++) {
		assert(g->chunk[i].pins > 0);
		g->chunk[i].pins--;
	}
	if (fs->cache_bytes > fs->cfg.cache_limit)
		sweep(fs, 0);
}

/* The run can't be had: no longer busy, and whoever waits for a part of it gets EIO. */
static void fail_run(struct fs *fs, struct generation *g, uint64_t off, uint64_t sz, struct replies *out)
{
	struct parked *p, *next;

	for (uint64_t i = off / CHUNK_SZ; i * CHUNK_SZ < off + sz; i++)
		g->chunk[i].busy = false;
	for (p = TAILQ_FIRST(&g->readers); p; p = next) {
		next = TAILQ_NEXT(p, on);
		if (p->off < off + sz && off < p->off + p->sz)
			park_answer(fs, p, OUT_ERROR, EIO, out);
	}
}

/* The blocks of a claimed run are there (or not: ERR): ask for its bytes. */
static void request_run(struct fs *fs, struct generation *g, const struct run *r, int err, struct replies *out)
{
	uint64_t off = r->first * CHUNK_SZ, sz = run_end(g, r) - off;

	for (uint64_t i = r->first; !err && i < r->end; i++)
		set_state(fs, g, i, CHUNK_PREPARED);
	if (!err)
		err = g->is_lost ? -ESTALE : worker_link_fill(fs, g, off, sz);
	if (!err)
		return;
	if (!g->is_lost)
		link_log(fs, g->link, "generation %" PRIu64 ": range 0x%" PRIx64 "+0x%" PRIx64 ": no room for it: %s",
			 g->node.id, off, sz, strerror(-err));
	fs->count.fill_errors++;
	fail_run(fs, g, off, sz, out);
}

#define RUNS_MAX 20 /* a READ is at most 1 MiB: 17 chunks */

/* Claims what [off, off + sz) still lacks, makes room for it. */
static unsigned claim_runs(struct fs *fs, struct generation *g, uint64_t off, uint64_t sz, struct run run[RUNS_MAX])
{
	uint64_t idx = off / CHUNK_SZ, end = (off + sz + CHUNK_SZ - 1) / CHUNK_SZ, want = 0;
	unsigned cnt = 0;

	while (cnt < RUNS_MAX && claim_run(g, &idx, end, &run[cnt])) {
		want += (run[cnt].end - run[cnt].first) * CHUNK_SZ;
		cnt++;
	}
	if (want && fs->cache_bytes + want > fs->cfg.cache_limit)
		sweep(fs, want);
	return cnt;
}

void cache_read(struct fs *fs, struct parked *p)
{
	struct generation *g = p->gen;
	struct run run[RUNS_MAX];
	int err[RUNS_MAX];
	unsigned cnt = 0;
	struct replies out;

	replies_init(&out);
	fs_lock(fs);
	fs->count.reads++;
	pin(g, p->off, p->sz);
	if (is_ready(g, p->off, p->sz)) {
		park_answer(fs, p, OUT_DATA, 0, &out);
	} else {
		park_on(fs, &g->readers, p);
		cnt = claim_runs(fs, g, p->off, p->sz, run);
	}
	if (cnt)
		generation_ref(g); /* P may be answered while blocks are allocated */
	fs_unlock(fs);
	for (unsigned i = 0; i < cnt; i++)
		err[i] = prepare_run(g, &run[i]);
	if (cnt) {
		fs_lock(fs);
		for (unsigned i = 0; i < cnt; i++)
			request_run(fs, g, &run[i], err[i], &out);
		generation_unref(fs, g);
		fs_unlock(fs);
	}
	replies_send(fs, &out);
}

/* After something became Ready or free again: who has all, and who still lacks something nobody is making? */
static void serve_readers(struct fs *fs, struct generation *g, struct replies *out)
{
	struct parked *p, *next;
	struct run run[RUNS_MAX];

	for (p = TAILQ_FIRST(&g->readers); p; p = next) {
		next = TAILQ_NEXT(p, on);
		if (is_ready(g, p->off, p->sz))
			park_answer(fs, p, OUT_DATA, 0, out);
	}
	/* Asking may fail, and answer any reader: so each round starts over, and claims before it asks. */
	for (;;) {
		unsigned cnt = 0;
		TAILQ_FOREACH (p, &g->readers, on)
			if ((cnt = claim_runs(fs, g, p->off, p->sz, run)))
				break;
		if (!cnt)
			return;
		for (unsigned i = 0; i < cnt; i++)
			request_run(fs, g, &run[i], prepare_run(g, &run[i]), out);
	}
}

static void retry_by_chunks(struct fs *fs, struct generation *g, uint64_t off, uint64_t sz, struct replies *out)
{
	for (uint64_t i = off / CHUNK_SZ; i * CHUNK_SZ < off + sz; i++) {
		struct run one = { .first = i, .end = i + 1 };
		request_run(fs, g, &one, 0, out);
	}
}

void cache_filled(struct fs *fs, struct generation *g, uint64_t off, uint64_t sz, int error, const char *why,
		  struct replies *out)
{
	if (error == -EIO && sz > CHUNK_SZ) {
		retry_by_chunks(fs, g, off, sz, out); /* so that the error stays where it is */
		return;
	}
	if (error) {
		fs->count.fill_errors++;
		link_log(fs, g->link, "generation %" PRIu64 ": range 0x%" PRIx64 "+0x%" PRIx64 ": %s: %s", g->node.id,
			 off, sz, strerror(-error), *why ? why : "its bytes can't be made");
		fail_run(fs, g, off, sz, out);
		return;
	}
	fs->count.fills++;
	fs->count.filled_bytes += sz;
	g->filled_bytes += sz;
	for (uint64_t i = off / CHUNK_SZ; i * CHUNK_SZ < off + sz; i++) {
		set_state(fs, g, i, CHUNK_READY);
		g->chunk[i].busy = false; /* I1 */
	}
	serve_readers(fs, g, out);
}
