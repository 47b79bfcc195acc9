/* mapper.c - input files in memory (SEEDS.md S1, R1-R5, B1, B2, B5).
 *
 * What differs from the seed: a slot of the mapping budget is given back when a mapping fails or ends (D1, D4); a size is
 * checked against fstat before anything is mapped (D2); a file truncated under us is an error of the link, not the end of
 * the process (D3); nothing narrows to 32 bits (D6).
 *
 * Files are found in a table of shards, each with a lock of its own, by device and inode; versions of one inode stand
 * side by side. A file without references stays in its shard with the time of its last use, and mapper_trim picks the oldest:
 * there is no list that every unref would have to lock. guard.c has the SIGBUS side.
 */
#include "mapper.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guard.h"
#include "os.h"

enum {
	SHARD_CNT = 64,
	BUCKET_CNT = 256, /* per shard */
	DEFAULT_THRESHOLD = 16 << 10,
	DEFAULT_BUDGET = 30000,
	DEFAULT_IDLE_MAX = 256,
	STREAM_STEP = 64 << 10,
	STREAM_MAX = 1 << 30,
};

/* An infile with what only the mapper knows. */
struct held {
	struct infile f;           /* first: an infile is cast back; f.link: the next of the bucket */
	_Atomic(uint64_t) last_use; /* the mapper's clock at the last unref */
	struct guard_range *range; /* where mapped */
	bool is_stream;            /* a pipe or device: never found again */
	bool is_stale;             /* a newer version was added: goes first. By shard lock */
};

struct shard {
	pthread_mutex_t lock; /* of the buckets' lists; a leaf */
	struct held *buckets[BUCKET_CNT];
};

struct mapper {
	struct mapper_config cfg;
	atomic_llong slots; /* mappings still allowed */
	pthread_mutex_t trim_lock; /* one trim at a time, before shard locks */
	_Atomic(uint64_t) clock, files, bytes, mappings, fallbacks;
	struct shard shards[SHARD_CNT];
};

static uint64_t read_max_map_count(void)
{
	unsigned long long n = 0;
	FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

int mapper_new(const struct mapper_config *cfg, struct mapper **ret_mapper)
{
	struct mapper *m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	if (cfg)
		m->cfg = *cfg;
	if (!m->cfg.heap_threshold)
		m->cfg.heap_threshold = DEFAULT_THRESHOLD;
	if (!m->cfg.idle_max)
		m->cfg.idle_max = DEFAULT_IDLE_MAX;
	uint64_t half = read_max_map_count() / 2;
	if (!half)
		half = DEFAULT_BUDGET;
	if (!m->cfg.budget || m->cfg.budget > half)
		m->cfg.budget = half;
	atomic_init(&m->slots, (long long)m->cfg.budget);
	pthread_mutex_init(&m->trim_lock, NULL);
	for (unsigned i = 0; i < SHARD_CNT; i++)
		pthread_mutex_init(&m->shards[i].lock, NULL);
	int r = guard_init();
	if (r) {
		mapper_free(m);
		return r;
	}
	*ret_mapper = m;
	return 0;
}

static uint64_t hash_inode(const struct stat *st)
{
	uint64_t h = (uint64_t)st->st_ino * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)st->st_dev;
	return h * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

static struct shard *shard_of(struct mapper *m, const struct stat *st, struct held ***ret_bucket)
{
	uint64_t h = hash_inode(st);
	struct shard *s = &m->shards[h % SHARD_CNT];
	*ret_bucket = &s->buckets[h / SHARD_CNT % BUCKET_CNT];
	return s;
}

static bool is_inode(const struct held *h, const struct stat *st)
{
	return !h->is_stream && h->f.st.st_dev == st->st_dev && h->f.st.st_ino == st->st_ino;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_version(const struct held *h, const struct stat *st)
{
	return is_inode(h, st) && h->f.st.st_size == st->st_size && same_time(&h->f.st.st_mtim, &st->st_mtim) &&
	       same_time(&h->f.st.st_ctim, &st->st_ctim);
}

/* The version ST with one reference more, or NULL. KEPT_ONLY: what has its identity but is not kept may have changed under
 * those who read it. By shard lock. */
static struct held *find(struct held *list, const struct stat *st, bool kept_only)
{
	for (struct held *h = list; h; h = h->f.link)
		if (is_version(h, st) && (!kept_only || atomic_load(&h->f.is_kept))) {
			atomic_fetch_add_explicit(&h->f.refs, 1, memory_order_relaxed);
			return h;
		}
	return NULL;
}

/* Exactly H->f.sz bytes; a file that has become shorter is -ESTALE. */
static int read_whole(struct held *h)
{
	uint8_t *data = malloc(h->f.sz);
	if (!data)
		return -ENOMEM;
	for (uint64_t done = 0; done < h->f.sz;) {
		ssize_t n = pread(h->f.fd, data + done, h->f.sz - done, (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int r = n ? -errno : -ESTALE;
			free(data);
			return r;
		}
		done += (uint64_t)n;
	}
	h->f.data = data;
	return 0;
}

static int read_stream(struct held *h)
{
	uint8_t *data = NULL;
	uint64_t sz = 0, cap = 0;
	for (;;) {
		if (sz == cap) {
			cap = cap ? 2 * cap : STREAM_STEP;
			uint8_t *more = cap > STREAM_MAX ? NULL : realloc(data, cap);
			if (!more) {
				free(data);
				return cap > STREAM_MAX ? -EFBIG : -ENOMEM;
			}
			data = more;
		}
		ssize_t n = read(h->f.fd, data + sz, cap - sz);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int r = -errno;
			free(data);
			return r;
		}
		if (!n)
			break;
		sz += (uint64_t)n;
	}
	if (!sz) {
		free(data);
		data = NULL;
	}
	h->f.data = data;
	h->f.sz = sz;
	return 0;
}

/* Maps H within the budget; any failure is the caller's cue to read instead. */
static int map_whole(struct mapper *m, struct held *h)
{
	void *addr;
	int r = -ENOMEM;
	if (atomic_fetch_sub(&m->slots, 1) <= 0)
		goto out_slot;
	r = os_map(m->cfg.os, NULL, h->f.sz, PROT_READ, MAP_PRIVATE, h->f.fd, 0, &addr);
	if (r)
		goto out_slot;
	r = guard_add(addr, h->f.sz, &h->range);
	if (r)
		goto out_unmap;
	h->f.data = addr;
	h->f.is_mapped = true;
	atomic_fetch_add(&m->mappings, 1);
	return 0;

out_unmap:
	os_unmap(m->cfg.os, addr, h->f.sz);
out_slot:
	atomic_fetch_add(&m->slots, 1);
	return r;
}

static int load(struct mapper *m, struct held *h)
{
	if (h->is_stream)
		return read_stream(h);
	if (!h->f.sz)
		return 0;
	if (h->f.sz >= m->cfg.heap_threshold) {
		if (!map_whole(m, h))
			return 0;
		atomic_fetch_add(&m->fallbacks, 1);
	}
	return read_whole(h);
}

static void product_drop(struct held *h)
{
	if (h->f.product && h->f.product_free)
		h->f.product_free(h->f.product);
	h->f.product = NULL;
}

/* Ends a file nobody can find any more. */
static void held_free(struct mapper *m, struct held *h)
{
	product_drop(h);
	if (h->f.is_mapped) {
		guard_remove(h->range);
		os_unmap(m->cfg.os, (void *)h->f.data, h->f.sz);
		atomic_fetch_sub(&m->mappings, 1);
		atomic_fetch_add(&m->slots, 1);
	} else {
		free((void *)h->f.data);
	}
	if (h->f.fd >= 0)
		close(h->f.fd);
	free(h->f.path);
	free(h);
}

struct mapper *mapper_free(struct mapper *m)
{
	if (!m)
		return NULL;
	/* A product may hold other files (a thin archive its members'): all products go before any file. */
	for (unsigned i = 0; i < SHARD_CNT * BUCKET_CNT; i++)
		for (struct held *h = m->shards[i / BUCKET_CNT].buckets[i % BUCKET_CNT]; h; h = h->f.link)
			product_drop(h);
	for (unsigned i = 0; i < SHARD_CNT * BUCKET_CNT; i++)
		for (struct held *h = m->shards[i / BUCKET_CNT].buckets[i % BUCKET_CNT], *next; h; h = next) {
			next = h->f.link;
			held_free(m, h);
		}
	for (unsigned i = 0; i < SHARD_CNT; i++)
		pthread_mutex_destroy(&m->shards[i].lock);
	pthread_mutex_destroy(&m->trim_lock);
	free(m);
	return NULL;
}

/* Takes over FD. */
static int held_new(struct mapper *m, int fd, const struct stat *st, bool is_kept, const char *path,
		    struct held **ret_held)
{
	struct held *h = calloc(1, sizeof(*h));
	if (!h) {
		close(fd);
		return -ENOMEM;
	}
	h->f.fd = fd;
	h->f.st = *st;
	h->is_stream = !S_ISREG(st->st_mode);
	atomic_init(&h->f.refs, 1);
	atomic_init(&h->f.is_kept, is_kept);
	h->f.path = strdup(path);
	int r = h->f.path ? 0 : -ENOMEM;
	if (!r && !h->is_stream) {
		if (st->st_size < 0 || (uint64_t)st->st_size > SIZE_MAX)
			r = -EFBIG;
		h->f.sz = (uint64_t)st->st_size;
	}
	if (!r)
		r = load(m, h);
	if (r) {
		held_free(m, h);
		return r;
	}
	*ret_held = h;
	return 0;
}

/* H goes into its bucket, unless another thread has put the same version there: then that one. */
static struct held *publish(struct mapper *m, struct held *h)
{
	struct held **bucket;
	struct shard *s = shard_of(m, &h->f.st, &bucket);
	pthread_mutex_lock(&s->lock);
	struct held *other = h->is_stream ? NULL : find(*bucket, &h->f.st, atomic_load(&h->f.is_kept));
	if (!other) {
		for (struct held *old = *bucket; old; old = old->f.link)
			old->is_stale |= is_inode(old, &h->f.st);
		h->f.link = *bucket;
		*bucket = h;
		atomic_fetch_add(&m->files, 1);
		atomic_fetch_add(&m->bytes, h->f.sz);
	}
	pthread_mutex_unlock(&s->lock);
	if (!other)
		return h;
	held_free(m, h);
	return other;
}

/* As find, of all that is held. */
static struct infile *find_any(struct mapper *m, const struct stat *st, bool kept_only)
{
	struct held **bucket;
	if (!S_ISREG(st->st_mode))
		return NULL;
	struct shard *s = shard_of(m, st, &bucket);
	pthread_mutex_lock(&s->lock);
	struct held *h = find(*bucket, st, kept_only);
	pthread_mutex_unlock(&s->lock);
	return h ? &h->f : NULL;
}

struct infile *mapper_find(struct mapper *m, const struct stat *st)
{
	return find_any(m, st, false);
}

/* Takes over FD, whose identity is ST. */
static int add(struct mapper *m, int fd, const struct stat *st, bool is_kept, const char *path, struct infile **ret_file)
{
	if (S_ISDIR(st->st_mode)) {
		close(fd);
		return -EISDIR;
	}
	if ((*ret_file = find_any(m, st, is_kept))) {
		close(fd);
		return 0;
	}
	struct held *h;
	int r = held_new(m, fd, st, is_kept, path, &h);
	if (r)
		return r;
	*ret_file = &publish(m, h)->f;
	return 0;
}

int mapper_add(struct mapper *m, int fd, const char *path, struct infile **ret_file)
{
	struct stat st;
	if (fstat(fd, &st)) {
		int r = -errno;
		close(fd);
		return r;
	}
	return add(m, fd, &st, false, path, ret_file);
}

int mapper_add_as(struct mapper *m, int fd, const struct stat *st, bool is_kept, const char *path,
		  struct infile **ret_file)
{
	struct stat now;
	int r = fstat(fd, &now) ? -errno : S_ISREG(st->st_mode) && now.st_size != st->st_size ? -ESTALE : 0;
	if (r) {
		close(fd);
		return r;
	}
	return add(m, fd, st, is_kept, path, ret_file);
}

/* A mapping replaced under its readers by one with the same bytes is no race, which the thread sanitizer can't know. */
#ifdef __SANITIZE_THREAD__
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#else
#define AnnotateIgnoreWritesBegin(file, line)
#define AnnotateIgnoreWritesEnd(file, line)
#endif

/* FD's bytes in place of H's, whom others may be reading. */
static int replace(struct mapper *m, struct held *h, int fd)
{
	struct stat st;
	void *addr;
	if (fstat(fd, &st))
		return -errno;
	if ((uint64_t)st.st_size != h->f.sz)
		return -EINVAL;
	int r = 0;
	AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
	if (h->f.is_mapped)
		r = os_map(m->cfg.os, (void *)h->f.data, h->f.sz, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0, &addr);
	AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
	return r ? r : dup3(fd, h->f.fd, O_CLOEXEC) < 0 ? -errno : 0;
}

int mapper_replace(struct mapper *m, const struct stat *st, int fd)
{
	struct held *found[8], **bucket;
	size_t cnt = 0;
	int r = 0;
	struct shard *s = shard_of(m, st, &bucket);
	pthread_mutex_lock(&s->lock);
	for (struct held *h = *bucket; h && cnt < sizeof(found) / sizeof(*found); h = h->f.link)
		if (is_version(h, st)) {
			infile_ref(&h->f);
			found[cnt++] = h;
		}
	pthread_mutex_unlock(&s->lock);
	for (size_t i = 0; i < cnt; i++) {
		/* First: who looks at the new descriptor must not think that it changed. */
		bool was_kept = atomic_exchange(&found[i]->f.is_kept, true);
		int one = replace(m, found[i], fd);
		if (one)
			atomic_store(&found[i]->f.is_kept, was_kept);
		r = r ? r : one;
		mapper_unref(m, &found[i]->f);
	}
	return r;
}

int mapper_products(struct mapper *m, struct infile ***ret_list, size_t *ret_cnt)
{
	size_t cap = atomic_load(&m->files), cnt = 0;
	struct infile **list = malloc((cap + 1) * sizeof(struct infile *));
	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < SHARD_CNT; i++) {
		struct shard *s = &m->shards[i];
		pthread_mutex_lock(&s->lock);
		for (unsigned b = 0; b < BUCKET_CNT; b++)
			for (struct held *h = s->buckets[b]; h && cnt < cap; h = h->f.link)
				if (h->f.product)
					list[cnt++] = &h->f;
		pthread_mutex_unlock(&s->lock);
	}
	*ret_list = list;
	*ret_cnt = cnt;
	return 0;
}

void infile_ref(struct infile *f)
{
	atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
}

void mapper_unref(struct mapper *m, struct infile *f)
{
	struct held *h = (struct held *)f;
	atomic_store_explicit(&h->last_use, atomic_fetch_add(&m->clock, 1) + 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&f->refs, 1, memory_order_release); /* a trim may free it from here on */
}

/* Files without references, found under each shard's lock in turn. */
struct idle {
	struct held *h;
	uint64_t last_use, sz;
	bool goes_first; /* nothing can find it */
};

static int compare_idle(const void *va, const void *vb)
{
	const struct idle *a = va, *b = vb;
	if (a->goes_first != b->goes_first)
		return a->goes_first ? -1 : 1;
	return (a->last_use > b->last_use) - (a->last_use < b->last_use);
}

static size_t collect_idle(struct mapper *m, struct idle *list, size_t cap)
{
	size_t cnt = 0;
	for (unsigned i = 0; i < SHARD_CNT; i++) {
		struct shard *s = &m->shards[i];
		pthread_mutex_lock(&s->lock);
		for (unsigned b = 0; b < BUCKET_CNT; b++)
			for (struct held *h = s->buckets[b]; h && cnt < cap; h = h->f.link)
				if (!atomic_load_explicit(&h->f.refs, memory_order_acquire))
					list[cnt++] = (struct idle){ h, atomic_load(&h->last_use), h->f.sz,
								     h->is_stale || h->is_stream };
		pthread_mutex_unlock(&s->lock);
	}
	return cnt;
}

/* Which of LIST no name can lead to any more: looked at without a shard lock, since only a trim ends files. */
static void mark_lost(struct idle *list, size_t cnt)
{
	struct stat st;
	for (size_t i = 0; i < cnt; i++)
		list[i].goes_first |= fstat(list[i].h->f.fd, &st) || !is_version(list[i].h, &st);
}

/* Takes the file out of the table if nobody has used it since it was found idle. */
static bool retire(struct mapper *m, const struct idle *idle)
{
	struct held *h = idle->h, **at;
	struct shard *s = shard_of(m, &h->f.st, &at);
	pthread_mutex_lock(&s->lock);
	bool is_idle = !atomic_load_explicit(&h->f.refs, memory_order_acquire) &&
		       atomic_load_explicit(&h->last_use, memory_order_relaxed) == idle->last_use;
	if (is_idle) {
		if (*at == h) {
			*at = h->f.link;
		} else {
			struct held *prev = *at;
			while (prev->f.link != h)
				prev = prev->f.link;
			prev->f.link = h->f.link;
		}
		atomic_fetch_sub(&m->files, 1);
		atomic_fetch_sub(&m->bytes, h->f.sz);
	}
	pthread_mutex_unlock(&s->lock);
	return is_idle;
}

/* How many of LIST, sorted, have to go. */
static size_t choose_idle(const struct idle *list, size_t cnt, uint64_t keep_bytes, uint64_t keep_cnt)
{
	uint64_t sum = 0;
	size_t go = 0;
	for (size_t i = 0; i < cnt; i++)
		sum += list[i].sz;
	while (go < cnt && (list[go].goes_first || sum > keep_bytes || cnt - go > keep_cnt))
		sum -= list[go++].sz;
	return go;
}

void mapper_trim(struct mapper *m, uint64_t keep_bytes)
{
	pthread_mutex_lock(&m->trim_lock);
	size_t cap = atomic_load(&m->files) + 1;
	struct idle *list = calloc(cap, sizeof(*list));
	if (!list)
		goto out_unlock; /* the next trim will do it */
	size_t cnt = collect_idle(m, list, cap);
	mark_lost(list, cnt);
	qsort(list, cnt, sizeof(*list), compare_idle);
	cnt = choose_idle(list, cnt, keep_bytes, m->cfg.idle_max);
	for (size_t i = 0; i < cnt; i++)
		if (retire(m, &list[i]))
			held_free(m, list[i].h);

out_unlock:
	pthread_mutex_unlock(&m->trim_lock);
	free(list);
}

void mapper_stats(const struct mapper *m, struct mapper_stats *ret_stats)
{
	ret_stats->files = atomic_load(&m->files);
	ret_stats->bytes = atomic_load(&m->bytes);
	ret_stats->mappings = atomic_load(&m->mappings);
	ret_stats->fallbacks = atomic_load(&m->fallbacks);
}

int infile_check(const struct infile *f, bool *ret_rehash)
{
	struct stat st;
	*ret_rehash = false;
	if (atomic_load_explicit(&f->is_kept, memory_order_acquire))
		return 0;
	if (fstat(f->fd, &st))
		return -errno;
	/* A copy may have taken its place since. */
	if (atomic_load_explicit(&f->is_kept, memory_order_acquire))
		return 0;
	bool changed = S_ISREG(st.st_mode) &&
		       (st.st_size != f->st.st_size || !same_time(&st.st_mtim, &f->st.st_mtim));
	if (changed || st.st_ino != f->st.st_ino || st.st_dev != f->st.st_dev)
		return -ESTALE;
	*ret_rehash = S_ISREG(st.st_mode) && !same_time(&st.st_ctim, &f->st.st_ctim);
	return 0;
}
