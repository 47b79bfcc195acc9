/* kept.c - see kept.h.
 *
 * Kept is what the same link can be made from after a restart, as far as can be told now: every input is a regular file
 * that is leased, or that nobody here can write; nothing of the mount itself; and a change from now on will show in its
 * ctime, which takes a tick of the clock. Whether that is still so is seen when somebody wants it (restore.c).
 *
 * The directory is the user's alone, like the cache directory; what is read from it is checked all the same, since a
 * machine may have lost power while it was written: nothing here waits for the disk.
 */
#include "kept.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <link.h>

#include "linkfs.h"
#include "pathwalk.h"

#define KEPT_MAGIC 0x3174706b736b6e6cull
#define KEPT_VERSION 1
#define NEW_PREFIX ".new-"
#define NS_PER_SEC 1000000000

struct kept {
	int dir_fd;
	uint64_t linker;
	uint64_t cnt, bytes;
};

#define SUM_START 0xcbf29ce484222325ull

static uint64_t sum(uint64_t h, const void *p, size_t sz)
{
	const unsigned char *s = p;

	for (size_t i = 0; i < sz; i++)
		h = (h ^ s[i]) * 0x100000001b3ull;
	return h;
}

static uint64_t head_sum(const struct kept_head *head, const char *path, const char *place)
{
	struct kept_head h = *head;

	h.head_sum = 0;
	return sum(sum(sum(SUM_START, &h, sizeof(h)), path, head->path_sz), place, head->place_sz);
}

static int add_object(struct dl_phdr_info *info, size_t sz, void *ctx)
{
	uint64_t *h = ctx;
	struct stat st;

	(void)sz;
	if (*info->dlpi_name && !strchr(info->dlpi_name, '/'))
		return 0; /* the kernel's own, which has no file */
	if (stat(*info->dlpi_name ? info->dlpi_name : "/proc/self/exe", &st) < 0)
		return 0;
	const uint64_t id[] = { st.st_dev, st.st_ino, (uint64_t)st.st_size, (uint64_t)timespec_ns(&st.st_mtim) };
	*h = sum(*h, id, sizeof(id));
	return 0;
}

/* The program and the libraries it runs with: another compressor, say, makes other bytes. */
static uint64_t linker_id(void)
{
	uint64_t h = sum(SUM_START, LINKFS_VERSION, sizeof(LINKFS_VERSION));

	dl_iterate_phdr(add_object, &h);
	return h;
}

/* --- writing --- */

/* Would a change from now on give I another ctime? File systems tell the time of the last tick, some of the last second
 * or two. */
static bool is_settled_in_time(const struct msg_identity *id, int64_t now)
{
	int64_t last = id->mtime_ns > id->ctime_ns ? id->mtime_ns : id->ctime_ns;

	return last + (last % NS_PER_SEC ? 0 : 2 * (int64_t)NS_PER_SEC) < now;
}

/* Can the file of IN, which a link found at P, be found there again? */
static bool is_lasting(const struct record_probe *p, const struct input *in)
{
	struct stat st;

	/* A copy was needed since somebody had it open to write, or its file system can't be believed. */
	if (p->own || (in->state != CUSTODY_LEASED && in->state != CUSTODY_CHECKED))
		return false;
	return stat_known(in->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink;
}

/* What becomes of O; DONE: it can be written now. */
static enum keep_state judge(const struct output *o)
{
	const struct generation *g = o->link->gen;
	const struct record *r = g ? g->resolved->record : NULL;
	const struct copy *c = o->copy;
	struct timespec ts;

	if (o->state < OUTPUT_PLACED || o->kept || (c && (c->writers || c->is_filling)))
		return KEEP_DUE;
	if (o->state > OUTPUT_PLACED || !g || g->is_lost || (c && c->fd >= 0))
		return KEEP_NOT;
	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	for (uint32_t i = 0; i < r->probe_cnt; i++) {
		const struct record_probe *p = &r->probes[i].at;
		if (p->fd_idx < 0)
			continue;
		if (!is_lasting(p, g->resolved->input[p->fd_idx]))
			return KEEP_NOT;
		if (!is_settled_in_time(&p->id, timespec_ns(&ts)))
			return KEEP_DUE;
	}
	return KEEP_DONE;
}

/* The whole file. Its sums are those of what it holds. */
static void compose(const struct fs *fs, const struct output *o, struct text *ret)
{
	const struct generation *g = o->link->gen;
	const struct record *r = g->resolved->record;
	const char *place = o->place ? o->place : "";
	struct kept_head h = {
		.magic = KEPT_MAGIC,
		.version = KEPT_VERSION,
		.linker = fs->kept->linker,
		.kept_ns = o->kept_ns,
		.path_sz = strlen(o->link->name),
		.place_sz = strlen(place),
		.recipe_sz = strlen(g->recipe),
		.record_sz = r->sz,
		.size = g->size,
		.mode = g->mode,
		.mtime_ns = timespec_ns(&g->mtime),
		.input_bytes = g->input_bytes,
		.eager_bytes = g->eager_bytes,
		.relocs_total = g->relocs_total,
		.link_us = g->link_us,
	};

	h.body_sum = sum(sum(SUM_START, g->recipe, h.recipe_sz), r->bytes, r->sz);
	h.head_sum = head_sum(&h, o->link->name, place);
	text_append(ret, &h, sizeof(h));
	text_append(ret, o->link->name, h.path_sz);
	text_append(ret, place, h.place_sz);
	text_append(ret, g->recipe, h.recipe_sz);
	text_append(ret, r->bytes, r->sz);
}

/* (no lock) */
static int write_new(const struct kept *k, const char *name, const struct text *t)
{
	CLEAN_FD int fd = openat(k->dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	for (size_t put = 0; put < t->sz;) {
		ssize_t n = write(fd, t->s + put, t->sz - put);
		if (n < 0 && errno != EINTR)
			return -errno;
		put += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* (lock held) What was written takes its name, unless it is not true any more. */
static int take_name(struct kept *k, struct output *o, const char *tmp, uint64_t sz, uint64_t round)
{
	if (!o->link->is_named || o->keep_round != round)
		return -ESTALE;
	if (renameat(k->dir_fd, tmp, k->dir_fd, o->id) < 0)
		return -errno;
	k->cnt += !o->kept_sz;
	k->bytes += sz - o->kept_sz;
	o->kept_sz = sz;
	o->keep = KEEP_DONE;
	return 0;
}

void kept_write(struct fs *fs, struct output *o)
{
	char tmp[sizeof(NEW_PREFIX) + OUTPUT_ID_SZ];
	CLEAN_TEXT struct text t = { 0 };
	struct kept *k = fs->kept;
	struct timespec now;

	if (!k || o->keep != KEEP_DUE || o->is_keeping)
		return;
	enum keep_state what = judge(o);
	clock_gettime(CLOCK_REALTIME, &now);
	if (!o->kept_ns)
		o->kept_ns = timespec_ns(&now);
	if (what == KEEP_DONE)
		compose(fs, o, &t);
	if (what == KEEP_DONE && !o->kept_sz && (k->cnt >= KEPT_MAX || k->bytes + t.sz > KEPT_BYTES_MAX))
		what = KEEP_NOT;
	if (what == KEEP_NOT) {
		kept_drop(fs, o);
		o->keep = KEEP_NOT;
	}
	if (what != KEEP_DONE || t.failed)
		return;
	struct link *l = link_ref(o->link);
	uint64_t round = o->keep_round;
	snprintf(tmp, sizeof(tmp), NEW_PREFIX "%s", o->id);
	o->is_keeping = true;
	fs_unlock(fs);
	int r = write_new(k, tmp, &t);
	fs_lock(fs);
	o->is_keeping = false;
	if (!r)
		r = take_name(k, o, tmp, t.sz, round);
	if (r)
		unlinkat(k->dir_fd, tmp, 0);
	if (r && r != -ESTALE) {
		kept_drop(fs, o);
		o->keep = KEEP_NOT;
		link_log(fs, l, "it will not survive a restart of the mount unless it is a plain file by then: "
			 "cache_dir %s: %s",
			 fs->cfg.cache_dir, strerror(-r));
	}
	link_unref(fs, l);
}

void kept_write_due(struct fs *fs)
{
	struct output *o, *next;

	for (o = TAILQ_FIRST(&fs->outputs->all); o; o = next) {
		next = TAILQ_NEXT(o, all);
		if (o->keep != KEEP_DUE || o->client)
			continue;
		struct link *l = link_ref(o->link);
		kept_write(fs, o);
		next = l->is_named ? TAILQ_NEXT(o, all) : NULL; /* removed: the rest at the next look */
		link_unref(fs, l);
	}
}

void kept_drop(struct fs *fs, struct output *o)
{
	struct kept *k = fs->kept;

	o->keep_round++;
	if (o->keep == KEEP_DONE)
		o->keep = KEEP_DUE;
	if (!k || !o->kept_sz)
		return;
	unlinkat(k->dir_fd, o->id, 0);
	k->cnt--;
	k->bytes -= o->kept_sz;
	o->kept_sz = 0;
}

/* --- reading --- */

static uint64_t body_at(const struct kept_head *h)
{
	return sizeof(*h) + h->path_sz + h->place_sz;
}

/* SZ bytes at OFF, terminated, to be freed. 0; -EPROTO: there are not as many; other -errno. */
static int read_at(int fd, uint64_t off, uint64_t sz, char **ret)
{
	CLEAN_MEM char *s = malloc(sz + 1);

	if (!s)
		return -ENOMEM;
	for (uint64_t got = 0; got < sz;) {
		ssize_t n = pread(fd, s + got, sz - got, (off_t)(off + got));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EPROTO;
		got += n > 0 ? (uint64_t)n : 0;
	}
	s[sz] = 0;
	*ret = s;
	s = NULL;
	return 0;
}

/* A file of this directory, as read_head finds it. */
struct found {
	char id[OUTPUT_ID_SZ];
	struct kept_head head;
	char *path, *place; /* to be freed */
	uint64_t sz;
};

static void found_done(struct found *f)
{
	free(f->path);
	free(f->place);
	f->path = f->place = NULL;
}

static bool is_path(const char *path, uint64_t sz)
{
	return strlen(path) == sz && output_path_ok(path);
}

/* What is wrong with H, of a file of SZ bytes; NULL: nothing that can be seen. */
static const char *judge_head(const struct kept *k, const struct kept_head *h, uint64_t sz)
{
	if (h->magic != KEPT_MAGIC)
		return "it is no output";
	if (h->version != KEPT_VERSION || h->linker != k->linker)
		return "another linkfs made it, which may make other bytes";
	if (h->path_sz > RECORD_PATH_MAX || h->place_sz > RECORD_PATH_MAX || h->recipe_sz > MSG_BLOB_MAX ||
	    h->record_sz > MSG_BLOB_MAX || sz != body_at(h) + h->recipe_sz + h->record_sz)
		return "it is not as long as it says";
	return NULL;
}

/* The beginning of the file ID, whose descriptor is returned. -EPROTO: *RET_WHY says what is wrong with it; other -errno: it
 * can't be read now. */
static int read_head(const struct kept *k, const char *id, struct found *ret, const char **ret_why)
{
	struct kept_head *h = &ret->head;
	CLEAN_FD int fd = openat(k->dir_fd, id, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	*ret = (struct found){ 0 };
	memcpy(ret->id, id, OUTPUT_ID_SZ);
	*ret_why = "it is no output";
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? -EPROTO : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EPROTO;
	ssize_t n = pread(fd, h, sizeof(*h), 0);
	if (n != sizeof(*h))
		return n < 0 ? -errno : -EPROTO;
	ret->sz = (uint64_t)st.st_size;
	if ((*ret_why = judge_head(k, h, ret->sz)))
		return -EPROTO;
	*ret_why = "it is damaged";
	int r = read_at(fd, sizeof(*h), h->path_sz, &ret->path);
	if (!r)
		r = read_at(fd, sizeof(*h) + h->path_sz, h->place_sz, &ret->place);
	if (!r && is_path(ret->path, h->path_sz) && (!h->place_sz || is_path(ret->place, h->place_sz)) &&
	    head_sum(h, ret->path, ret->place) == h->head_sum)
		return take_fd(&fd);
	found_done(ret);
	return r ? r : -EPROTO;
}

/* The recipe and the record behind the head H of FD. */
static int read_body(int fd, const struct kept_head *h, struct kept_body *ret)
{
	uint64_t off = body_at(h);
	CLEAN_MEM char *bytes = NULL;

	int r = read_at(fd, off, h->recipe_sz, &ret->recipe);
	if (!r)
		r = read_at(fd, off + h->recipe_sz, h->record_sz, &bytes);
	if (!r && (strlen(ret->recipe) != h->recipe_sz ||
		   sum(sum(SUM_START, ret->recipe, h->recipe_sz), bytes, h->record_sz) != h->body_sum))
		r = -EPROTO;
	if (!r)
		r = record_read(bytes, h->record_sz, &ret->record);
	if (!r)
		bytes = NULL;
	return r;
}

int kept_read(struct fs *fs, const char *id, const struct kept_head *head, struct kept_body *ret)
{
	const char *why;
	struct found now;

	*ret = (struct kept_body){ 0 };
	CLEAN_FD int fd = read_head(fs->kept, id, &now, &why);
	if (fd < 0)
		return fd;
	found_done(&now);
	int r = memcmp(head, &now.head, sizeof(*head)) ? -EPROTO : read_body(fd, head, ret);
	if (r)
		kept_body_done(ret);
	return r;
}

void kept_body_done(struct kept_body *b)
{
	free(b->recipe);
	record_free(b->record);
	*b = (struct kept_body){ 0 };
}

/* --- start and end --- */

static int by_age(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return (x->head.kept_ns > y->head.kept_ns) - (x->head.kept_ns < y->head.kept_ns);
}

static bool is_id(const char *name)
{
	return strlen(name) == OUTPUT_ID_SZ - 1 && strspn(name, "0123456789abcdef") == OUTPUT_ID_SZ - 1;
}

/* (before the mount is there: whoever starts it sees this) */
static void tell(const struct fs *fs, const char *name, const char *why)
{
	fprintf(stderr, "linkfs: %s: outputs/*/%s: %s\n", fs->cfg.cache_dir, name, why);
}

/* Looks at the file NAME. 1: it is good; 0 or -errno. */
static int find_one(const struct fs *fs, const char *name, struct found *ret)
{
	const struct kept *k = fs->kept;

	if (!strncmp(name, NEW_PREFIX, strlen(NEW_PREFIX))) {
		unlinkat(k->dir_fd, name, 0); /* its writer was killed */
		return 0;
	}
	if (name[0] == '.')
		return 0;
	if (!is_id(name)) {
		tell(fs, name, "no output has that name: ignored");
		return 0;
	}
	const char *why;
	CLEAN_FD int fd = read_head(k, name, ret, &why);
	if (fd >= 0)
		return 1;
	tell(fs, name, fd == -EPROTO ? why : strerror(-fd));
	if (fd == -EPROTO) /* else it may be there at the next mount */
		unlinkat(k->dir_fd, name, 0);
	return 0;
}

static int find_all(struct fs *fs, struct found **ret, size_t *ret_cnt)
{
	int copy = fcntl(fs->kept->dir_fd, F_DUPFD_CLOEXEC, 0);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;
	size_t cap = 0;
	int r = d ? 0 : -errno;

	while (r >= 0 && d && *ret_cnt < KEPT_MAX && (e = readdir(d))) {
		if (*ret_cnt == cap) {
			struct found *more = realloc(*ret, sizeof(*more) * (cap = cap * 2 + 64));
			if (!more) {
				r = -ENOMEM;
				break;
			}
			*ret = more;
		}
		r = find_one(fs, e->d_name, &(*ret)[*ret_cnt]);
		*ret_cnt += r == 1;
	}
	if (d)
		closedir(d);
	else
		cleanup_fd(&copy);
	return r < 0 ? r : 0;
}

static int load(struct fs *fs)
{
	CLEAN_MEM struct found *found = NULL;
	size_t cnt = 0;

	int r = find_all(fs, &found, &cnt);
	if (cnt)
		qsort(found, cnt, sizeof(*found), by_age);
	for (size_t i = 0; i < cnt; i++) {
		struct found *f = &found[i];
		if (!r)
			r = output_remember(fs, f->id, f->path, f->place, &f->head, f->sz);
		fs->kept->cnt += !r;
		fs->kept->bytes += r ? 0 : f->sz;
		found_done(f);
	}
	return r;
}

int kept_open(struct fs *fs)
{
	struct kept *k = calloc(1, sizeof(*k));
	char name[NAME_MAX + 1];

	if (!k)
		return -ENOMEM;
	recipes_dir_name(fs->cfg.mountpoint, name);
	CLEAN_FD int parent = recipes_dir_open(fs->cache_dir_fd, "outputs");
	k->dir_fd = parent < 0 ? parent : recipes_dir_open(parent, name);
	k->linker = linker_id();
	fs->kept = k;
	return k->dir_fd < 0 ? k->dir_fd : load(fs);
}

void kept_close(struct fs *fs)
{
	if (fs->kept)
		cleanup_fd(&fs->kept->dir_fd);
	free(fs->kept);
	fs->kept = NULL;
}
