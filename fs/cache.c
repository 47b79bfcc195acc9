/* cache.c - the page cache: backing files as arenas of chunks, Reserved -> Prepared -> Ready.
 *
 *     Reserved --prepare_run()--> Prepared --cache_filled()--> Ready --sweep()--> Reserved
 *
 * The backing file has its full size from the start but no blocks. Before the linker process is asked to fill a run of
 * chunks, their blocks are allocated here, so that its stores can meet neither SIGBUS nor a late ENOSPC. A chunk is
 * filled by one request at a time; readers that want the same chunk wait for that one. Ready chunks are read without
 * asking anybody. Which chunks are Ready is known here alone: never from holes in the file.
 *
 * Who reads in order finds the bytes made: after AHEAD_MIN in one stream, runs of growing size are asked for ahead of
 * it. Where such a run can't be made, nobody is told: the read that wants a part of it asks again for that part alone.
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

#define AHEAD_MIN ((uint64_t)1 << 20) /* read in order before anything is made ahead: a program's start does less */
#define AHEAD_MAX ((uint64_t)2 << 20)

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
static bool claim_run(struct generation *g, uint64_t *idx, uint64_t end, bool is_ahead, struct run *ret)
{
	while (*idx < end && (g->chunk[*idx].busy || g->chunk[*idx].state == CHUNK_READY))
		++*idx;
	if (*idx == end)
		return false;
	*ret = (struct run){ .first = *idx };
	for (; *idx < end && !g->chunk[*idx].busy && g->chunk[*idx].state != CHUNK_READY; ++*idx) {
		ret->needs_blocks |= g->chunk[*idx].state == CHUNK_RESERVED;
		g->chunk[*idx].busy = true;
		g->chunk[*idx].is_ahead = is_ahead;
	}
	ret->end = *idx;
	return true;
}

static uint64_t run_end(const struct generation *g, const struct run *r)
{
	return r->end * CHUNK_SZ < g->size ? r->end * CHUNK_SZ : g->size;
}

/* Blocks for a claimed run: zeros are written, which the file system must take or refuse now. That is as safe as
 * fallocate, and the better bargain: stores need not clear the pages again, and blocks are laid out when they are
 * written back, not in the order of reading. (640 MB in random pieces of 16 KiB on ext4 mounted with `discard`: 1.1 s
 * to fill and 0.2 s to close; with fallocate 1.2 s and 88 s.) May wait for the file system: better without the lock. */
static int prepare_run(const struct generation *g, const struct run *r)
{
	static const char zeros[1 << 16];
	uint64_t end = run_end(g, r);

	for (uint64_t off = r->first * CHUNK_SZ; r->needs_blocks && off < end;) {
		ssize_t n = pwrite(g->backing_fd, zeros, end - off < sizeof(zeros) ? end - off : sizeof(zeros), (off_t)off);
		if (n == 0 || (n < 0 && errno != EINTR))
			return n ? -errno : -EIO;
		off += n > 0 ? (uint64_t)n : 0;
	}
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

static void set_free(struct generation *g, uint64_t off, uint64_t sz)
{
	for (uint64_t i = off / CHUNK_SZ; i * CHUNK_SZ < off + sz; i++)
		g->chunk[i].busy = g->chunk[i].is_ahead = false;
}

/* The run can't be had: no longer busy, and whoever waits for a part of it gets EIO. */
static void fail_run(struct fs *fs, struct generation *g, uint64_t off, uint64_t sz, struct replies *out)
{
	struct parked *p, *next;

	set_free(g, off, sz);
	for (p = TAILQ_FIRST(&g->readers); p; p = next) {
		next = TAILQ_NEXT(p, on);
		if (p->off < off + sz && off < p->off + p->sz)
			park_answer(fs, p, OUT_ERROR, EIO, out);
	}
}

static void serve_readers(struct fs *fs, struct generation *g, struct replies *out);

/* What was to be made ahead can't be: whoever came to want a part of it asks for that part. */
static void give_up_ahead(struct fs *fs, struct generation *g, uint64_t off, uint64_t sz, struct replies *out)
{
	g->is_never_ahead = true;
	set_free(g, off, sz);
	serve_readers(fs, g, out);
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
	if (g->chunk[r->first].is_ahead) {
		give_up_ahead(fs, g, off, sz, out);
		return;
	}
	if (!g->is_lost)
		link_log(fs, g->link, "generation %" PRIu64 ": range 0x%" PRIx64 "+0x%" PRIx64 ": no room for it: %s",
			 g->node.id, off, sz, strerror(-err));
	fs->count.fill_errors++;
	fail_run(fs, g, off, sz, out);
}

#define RUNS_MAX 40 /* what is more is claimed when the first of them is there */

/* Claims what [off, off + sz) still lacks, makes room for it. */
static unsigned claim_runs(struct fs *fs, struct generation *g, uint64_t off, uint64_t sz, struct run run[RUNS_MAX])
{
	uint64_t idx = off / CHUNK_SZ, end = (off + sz + CHUNK_SZ - 1) / CHUNK_SZ, want = 0;
	unsigned cnt = 0;

	while (cnt < RUNS_MAX && claim_run(g, &idx, end, false, &run[cnt])) {
		want += (run[cnt].end - run[cnt].first) * CHUNK_SZ;
		cnt++;
	}
	if (want && fs->cache_bytes + want > fs->cfg.cache_limit)
		sweep(fs, want);
	return cnt;
}

/* The stream that a read of [off, off + sz) goes on with, or a new one. Reads may overtake each other by a little: what
 * was left open between two streams joins them. */
static struct stream *stream_of(struct generation *g, uint64_t off, uint64_t sz)
{
	struct stream *s = NULL;

	for (unsigned i = 0; i < STREAMS && !s; i++)
		if (g->stream[i].end == off && g->stream[i].begin < off)
			s = &g->stream[i];
	if (!s) {
		s = &g->stream[g->stream_next++ % STREAMS];
		*s = (struct stream){ .begin = off };
	}
	s->end = off + sz;
	for (unsigned i = 0; i < STREAMS; i++) {
		struct stream *t = &g->stream[i];
		if (t == s || t->begin != s->end || t->begin == t->end)
			continue;
		s->end = t->end;
		s->ahead = t->ahead > s->ahead ? t->ahead : s->ahead;
		*t = (struct stream){ 0 };
	}
	return s;
}

/* Claims what a reader in order will want next: as much as it has read, at most AHEAD_MAX, in large steps. */
static bool claim_ahead(struct fs *fs, struct generation *g, uint64_t off, uint64_t sz, struct run *ret)
{
	struct stream *s = stream_of(g, off, sz);
	uint64_t window = s->end - s->begin < AHEAD_MAX ? s->end - s->begin : AHEAD_MAX;

	if (window < AHEAD_MIN || g->is_never_ahead || g->is_lost || s->ahead > s->end + window / 2)
		return false;
	uint64_t from = (s->ahead > s->end ? s->ahead : s->end) / CHUNK_SZ, end = (s->end + window) / CHUNK_SZ + 1;
	if (end > g->chunk_cnt)
		end = g->chunk_cnt;
	if (from >= end || fs->cache_bytes + (end - from) * CHUNK_SZ > fs->cfg.cache_limit)
		return false; /* nothing is evicted for what nobody asked for */
	bool is_some = claim_run(g, &from, end, true, ret);
	s->ahead = from * CHUNK_SZ;
	return is_some;
}

void cache_read(struct fs *fs, struct parked *p)
{
	struct generation *g = p->gen;
	struct run run[RUNS_MAX + 1];
	int err[RUNS_MAX + 1];
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
	cnt += claim_ahead(fs, g, p->off, p->sz, &run[cnt]);
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
	if (error && g->chunk[off / CHUNK_SZ].is_ahead) {
		give_up_ahead(fs, g, off, sz, out);
		return;
	}
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
		g->chunk[i].busy = g->chunk[i].is_ahead = false; /* I1 */
	}
	serve_readers(fs, g, out);
}
