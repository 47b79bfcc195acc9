/* bytes.c - the bytes of generations: the page cache (cache.h) between the kernel's reads and the linker process.
 *
 * Above the cache: READ requests, which are parked while it works, and threads of the mount process that may wait. Below
 * it: fills are jobs for the linker process (worker_link.h), and what can't be made is told in the link's log. One
 * thread of its own tends the cache.
 */
#include "fs.h"
#include "place.h"
#include "worker_link.h"

#include <inttypes.h>

#define PIECE ((uint64_t)4 << 20) /* copied at once */

/* --- below the cache --- */

static int bottom_fill(void *ctx, struct cache_file *f, uint64_t off, uint64_t sz)
{
	struct generation *g = f->owner;

	return g->is_lost ? -ESTALE : worker_link_fill(ctx, g, off, sz);
}

static void bottom_failed(void *ctx, struct cache_file *f, uint64_t off, uint64_t sz, bool is_room, int error,
			  const char *why)
{
	const struct generation *g = f->owner;
	struct fs *fs = ctx;
	char what[128];

	snprintf(what, sizeof(what), "generation %" PRIu64 ": range 0x%" PRIx64 "+0x%" PRIx64, g->node.id, off, sz);
	if (g->is_lost)
		return; /* that was told once */
	if (!is_room)
		link_log(fs, g->link, "%s: %s: %s", what, strerror(-error), *why ? why : "its bytes can't be made");
	else if (error == -ENOSPC || error == -EDQUOT)
		link_log(fs, g->link,
			 "%s: no room for it: %s: make room in cache_dir %s and read it again, or mount with another "
			 "cache_dir=",
			 what, strerror(-error), fs->cfg.cache_dir);
	else
		link_log(fs, g->link, "%s: no room for it: %s: can cache_dir %s still be written?", what,
			 strerror(-error), fs->cfg.cache_dir);
}

static const struct cache_bottom bottom = { .fill = bottom_fill, .failed = bottom_failed };

/* --- the kernel's reads --- */

static void on_read_done(struct cache_read *r, int error, struct replies *out)
{
	struct parked *p = (struct parked *)(void *)((char *)r - offsetof(struct parked, read));

	park_answer(fuse_req_userdata(p->req), p, error ? OUT_ERROR : OUT_DATA, EIO, out);
}

/* (lock held; given up for a while) The second half of a read: replies first, then what the next one will want. */
static void go_on(struct fs *fs, struct generation *g, bool wants_ahead, struct replies *out)
{
	fs_unlock(fs);
	replies_send(fs, out);
	fs_lock(fs);
	if (!wants_ahead)
		return;
	cache_ahead(&fs->cache, g->file, out);
	fs_unlock(fs);
	replies_send(fs, out);
	fs_lock(fs);
}

void bytes_read(struct fs *fs, struct parked *p, uint64_t off, uint64_t sz)
{
	struct replies out;

	replies_init(&out);
	fs_lock(fs);
	struct generation *g = generation_ref(p->gen);
	uint64_t from = off < g->size ? off : g->size;
	fs->count.reads++;
	fs->busy_at = now_ms();
	p->read = (struct cache_read){ .off = from,
				       .sz = sz < g->size - from ? sz : g->size - from,
				       .who = READER_PROGRAM,
				       .done = on_read_done };
	park_on(fs, &fs->reading, p);
	bool wants_ahead = cache_read(&fs->cache, g->file, &p->read, &out);
	warmer_make(fs, g);
	go_on(fs, g, wants_ahead, &out);
	generation_unref(fs, g);
	fs_unlock(fs);
	worker_link_watch(fs);
}

void bytes_forget(struct fs *fs, struct parked *p)
{
	if (p->kind == PARK_READ)
		cache_cancel(&fs->cache, &p->read);
}

int bytes_send(const struct parked *p)
{
	uint64_t sz = p->read.sz;
	CLEAN_MEM char *buf = malloc(sz ? sz : 1);

	if (!buf)
		return fuse_reply_err(p->req, ENOMEM);
	for (uint64_t got = 0; got < sz;) {
		ssize_t n = pread(p->gen->file->fd, buf + got, sz - got, (off_t)(p->read.off + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fuse_reply_err(p->req, EIO);
		got += (uint64_t)n;
	}
	return fuse_reply_buf(p->req, buf, sz);
}

/* --- reads by threads of our own --- */

int bytes_acquire(struct fs *fs, struct generation *g, uint64_t off, uint64_t sz, enum cache_reader who,
		  const atomic_bool *cancel)
{
	struct cache_waiter w;
	struct replies out;

	if (off > g->size || sz > g->size - off)
		return -EINVAL;
	replies_init(&out);
	fs_lock(fs);
	bool wants_ahead = cache_wait_begin(&fs->cache, g->file, &w, off, sz, who, &out);
	go_on(fs, g, wants_ahead, &out);
	int r = cache_wait_end(&fs->cache, &w, cancel);
	fs_unlock(fs);
	return r;
}

void bytes_release(struct fs *fs, struct generation *g, uint64_t off, uint64_t sz)
{
	fs_lock(fs);
	cache_unpin(&fs->cache, g->file, off, sz);
	fs_unlock(fs);
}

int bytes_copy(struct fs *fs, struct generation *g, struct placing *p, const atomic_bool *cancel)
{
	int r = 0;

	for (uint64_t off = 0, sz; !r && off < g->size; off += sz) {
		sz = g->size - off < PIECE ? g->size - off : PIECE;
		r = bytes_acquire(fs, g, off, sz, READER_COPY, cancel);
		if (r)
			break;
		r = placing_copy(p, g->file->fd, off, sz);
		bytes_release(fs, g, off, sz);
	}
	return r;
}

/* --- the thread --- */

static void *tender(void *arg)
{
	struct fs *fs = arg;
	bool goes_on = true;

	while (goes_on) {
		struct replies out;
		replies_init(&out);
		fs_lock(fs);
		goes_on = cache_tend(&fs->cache, &out);
		fs_unlock(fs);
		replies_send(fs, &out);
	}
	return NULL;
}

void bytes_init(struct fs *fs)
{
	TAILQ_INIT(&fs->reading);
	cache_init(&fs->cache, &fs->lock, fs->cfg.cache_limit, &bottom, fs);
}

int bytes_start(struct fs *fs)
{
	int r = pthread_create(&fs->cache_thread, NULL, tender, fs);

	fs->has_cache_thread = !r;
	return -r;
}

void bytes_stop(struct fs *fs)
{
	if (!fs->has_cache_thread)
		return;
	fs_lock(fs);
	cache_stop(&fs->cache);
	fs_unlock(fs);
	pthread_join(fs->cache_thread, NULL);
	fs->has_cache_thread = false;
}

void bytes_done(struct fs *fs)
{
	fs_lock(fs);
	cache_done(&fs->cache);
	fs_unlock(fs);
}
