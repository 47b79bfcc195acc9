/* cache_room.c - blocks of backing files: given before a fill, taken back from the coldest.
 *
 * What may be evicted stands in one list over all files (cache.cold), in the order in which it was let go: a chunk joins
 * at the hot end when its last pin goes, and leaves when it is pinned again. So the coldest is found without a search,
 * and what is pinned, on its way, or can't be made again is never met. (Reads that the kernel answers from its own page
 * cache are not seen here, and need nothing from here.) Blocks prepared for a fill that failed hold nothing: they are
 * the coldest there is.
 *
 * Files are written and punched without the lock; their chunks are Preparing and Evicting in the meantime, which
 * everybody else leaves alone.
 */
#include "cache_priv.h"

#include <fcntl.h>
#include <sys/mman.h>

static void punch(int fd, uint64_t off, uint64_t sz)
{
	/* Where it fails the blocks stay, unused until the next fill of this range: nothing worse. */
	while (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)sz) < 0 && errno == EINTR)
		;
}

/* The file has its whole size and no blocks (R8, R10: there is no tail to add later). In memory, only its size is sealed:
 * sealed against writing it could not be punched (B8). */
int room_backing(int dir_fd, uint64_t size)
{
	CLEAN_FD int file = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	/* A file system that can't give blocks back would fill up whatever the limit. */
	bool is_memory =
		file < 0 || fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)CHUNK_SZ) < 0;
	CLEAN_FD int fd =
		is_memory ? memfd_create("linkfs-generation", MFD_CLOEXEC | MFD_ALLOW_SEALING) : take_fd(&file);

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		return -errno;
	/* The layer below maps it: nobody may shrink it under that mapping. (A file without a name: nobody can.) */
	if (is_memory && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		return -errno;
	return take_fd(&fd);
}

/* Zeros are written, which the file system must take or refuse now: neither SIGBUS nor a late ENOSPC for the stores that
 * follow. That is as safe as fallocate, and the better bargain: stores need not clear the pages again, and blocks are
 * laid out when they are written back, not in the order of reading. (640 MB in random pieces of 16 KiB on ext4 mounted
 * with `discard`: 1.1 s to fill and 0.2 s to close; with fallocate 1.2 s and 88 s.) A write cut short goes on behind
 * what was written (R8, R9); after an error what was written is given back, so that a full disk gets no fuller. */
int room_prepare(const struct cache_file *f, const struct run *r)
{
	static const char zeros[1 << 16];
	uint64_t off = run_off(r), end = off + run_sz(f, r);
	int err = 0;

	while (off < end && !err) {
		ssize_t n = pwrite(f->fd, zeros, end - off < sizeof(zeros) ? end - off : sizeof(zeros), (off_t)off);
		if (n > 0)
			off += (uint64_t)n;
		else if (n == 0 || errno != EINTR)
			err = n ? -errno : -EIO;
	}
	if (err)
		punch(f->fd, run_off(r), run_sz(f, r));
	return err;
}

/* --- states --- */

__attribute__((unused)) static bool is_edge(enum chunk_state from, enum chunk_state to)
{
	static const bool edge[CHUNK_STATES][CHUNK_STATES] = {
		[CHUNK_RESERVED] = { [CHUNK_PREPARING] = true },
		[CHUNK_PREPARING] = { [CHUNK_RESERVED] = true, [CHUNK_FILLING] = true },
		[CHUNK_PREPARED] = { [CHUNK_PREPARING] = true, [CHUNK_EVICTING] = true },
		[CHUNK_FILLING] = { [CHUNK_PREPARED] = true, [CHUNK_READY] = true },
		[CHUNK_READY] = { [CHUNK_EVICTING] = true },
		[CHUNK_EVICTING] = { [CHUNK_RESERVED] = true },
	};

	return edge[from][to];
}

void chunk_reorder(struct cache *c, const struct cache_file *f, struct chunk *ch)
{
	bool is_spare = ch->state == CHUNK_PREPARED;
	bool may_go = !f->is_dead && !ch->pins && (is_spare || (ch->state == CHUNK_READY && !f->is_kept)); /* I3 */

	if (may_go == ch->is_cold)
		return;
	ch->is_cold = may_go;
	if (!may_go) {
		TAILQ_REMOVE(&c->cold, ch, cold);
		return;
	}
	if (is_spare)
		TAILQ_INSERT_HEAD(&c->cold, ch, cold);
	else
		TAILQ_INSERT_TAIL(&c->cold, ch, cold);
	if (is_over(c))
		tend_wake(c); /* I7: what was kept for a read beyond the limit goes */
}

void chunk_set(struct cache *c, struct cache_file *f, uint64_t idx, enum chunk_state to)
{
	struct chunk *ch = chunk_at(f, idx);
	enum chunk_state from = ch->state;
	uint64_t bytes = chunk_bytes(f, idx);

	assert(is_edge(from, to)); /* I1 */
	ch->state = (uint8_t)to;
	if (from == CHUNK_RESERVED) { /* I4: counted from here on, so that two who prepare do not share one room */
		f->bytes += bytes;
		c->bytes += bytes;
	} else if (to == CHUNK_RESERVED) {
		f->bytes -= bytes;
		c->bytes -= bytes;
	}
	if (to == CHUNK_EVICTING)
		c->evicting += bytes;
	else if (from == CHUNK_EVICTING)
		c->evicting -= bytes;
	if (to != CHUNK_PREPARING && to != CHUNK_FILLING)
		ch->is_ahead = false;
	chunk_reorder(c, f, ch);
}

void chunk_pin(struct cache *c, struct cache_file *f, uint64_t idx)
{
	struct chunk *ch = chunk_at(f, idx);

	ch->pins++;
	chunk_reorder(c, f, ch);
}

void chunk_unpin(struct cache *c, struct cache_file *f, uint64_t idx)
{
	struct chunk *ch = chunk_at(f, idx);

	assert(ch->pins > 0); /* I5 */
	ch->pins--;
	chunk_reorder(c, f, ch);
}

/* --- files that nobody may forget while the lock is given up --- */

void tend_wake(struct cache *c)
{
	if (!c->is_tend_wanted)
		pthread_cond_signal(&c->tend);
	c->is_tend_wanted = true;
}

void file_bury(struct cache *c, struct cache_file *f)
{
	assert(f->is_dead && !f->io);
	c->bytes -= f->bytes;
	f->bytes = 0;
	if (f->is_needy)
		TAILQ_REMOVE(&c->needy, f, needy);
	f->is_needy = false;
	TAILQ_INSERT_TAIL(&c->dead, f, all);
	tend_wake(c); /* closing a large file takes long */
}

bool file_io_end(struct cache *c, struct cache_file *f)
{
	bool is_dead = f->is_dead;

	f->io--;
	if (is_dead && !f->io)
		file_bury(c, f);
	return !is_dead;
}

void file_needs(struct cache *c, struct cache_file *f)
{
	if (f->is_needy || f->is_dead)
		return;
	f->is_needy = true;
	TAILQ_INSERT_TAIL(&c->needy, f, needy);
}

/* --- eviction --- */

/* Chunks of one file, one behind the other. */
struct victim {
	struct cache_file *file;
	uint64_t first, cnt;
};
#define VICTIMS 32

/* Takes the coldest, which often are neighbours, until the rest fits. */
static unsigned take_victims(struct cache *c, struct victim v[VICTIMS])
{
	unsigned cnt = 0;
	struct chunk *ch;

	while (is_over(c) && (ch = TAILQ_FIRST(&c->cold))) {
		const struct chunk_block *home = chunk_home(ch);
		uint64_t idx = home->first + ch->place;
		struct victim *last = cnt ? &v[cnt - 1] : NULL;
		if (last && last->file == home->file && last->first + last->cnt == idx) {
			last->cnt++;
		} else if (cnt < VICTIMS) {
			v[cnt++] = (struct victim){ .file = home->file, .first = idx, .cnt = 1 };
			home->file->io++;
		} else {
			break;
		}
		assert(!ch->pins && !(home->file->is_kept && ch->state == CHUNK_READY)); /* I5, I8 */
		chunk_set(c, home->file, idx, CHUNK_EVICTING); /* first here, then in the file (B8) */
	}
	return cnt;
}

static void victim_gone(struct cache *c, const struct victim *v)
{
	for (uint64_t i = v->first; i < v->first + v->cnt; i++) {
		if (chunk_at(v->file, i)->pins)
			file_needs(c, v->file); /* somebody came for it while it went */
		chunk_set(c, v->file, i, CHUNK_RESERVED);
		c->count.evictions++;
	}
	file_io_end(c, v->file);
}

void room_make(struct cache *c)
{
	struct victim v[VICTIMS];
	unsigned cnt;

	c->makers++;
	while ((cnt = take_victims(c, v))) {
		pthread_mutex_unlock(c->lock);
		for (unsigned i = 0; i < cnt; i++)
			punch(v[i].file->fd, v[i].first * CHUNK_SZ, v[i].cnt * CHUNK_SZ);
		pthread_mutex_lock(c->lock);
		for (unsigned i = 0; i < cnt; i++)
			victim_gone(c, &v[i]);
	}
	c->makers--;
}
