/* worker.c - the main loop of the linker process: makes links, fills ranges.
 *
 * The only file of fs/ that calls the linker. One thread makes links from the control socket; one maps backing files that
 * come by the fill socket; others take short requests from the ring and fill, straight into the mapped backing file,
 * whose blocks the mount process has allocated. What the link opened goes to the mount process, which keeps it. Nothing
 * here needs to survive: after a crash the next process is given the recipe, the record and the descriptors, and the
 * opener answers from the record instead of from the file system.
 */
#include "worker.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "linkfs.h"
#include "pathwalk.h"
#include "recipe_text.h"
#include "record.h"
#include "ring.h"
#include "transport.h"
#include "worker_look.h"
#include "worker_own.h"
#include "worker_watch.h"

#define BUCKETS 256
#define FILL_THREADS_MAX 64
#define BACKING_PATIENCE_SEC 25 /* less than the mount process has for a fill */

struct held {
	LIST_ENTRY(held) hash;
	uint64_t gen;
	unsigned ref; /* the table, and fills at work */
	struct linkfs_image *img;
	unsigned char *map; /* of the backing file; NULL until it came, or when the size is 0 */
	bool is_unmappable;
	uint64_t size;
};

struct worker {
	pthread_mutex_t lock; /* guards the table */
	pthread_cond_t mapped;
	struct ring *ring;
	LIST_HEAD(held_list, held) held[BUCKETS];
	struct linkfs_linker *linker;
	uint64_t own_dev;
	struct watch watch; /* over the control thread */
	struct looker looker;
	int *fds; /* received for the replay that follows; control thread */
	bool *known, *copied; /* by descriptor: as in struct msg_fds */
	uint32_t fd_cnt;
};

/* --- generations held --- */

static void held_unref(struct worker *w, struct held *h)
{
	pthread_mutex_lock(&w->lock);
	bool is_last = --h->ref == 0;
	pthread_mutex_unlock(&w->lock);
	if (!is_last)
		return;
	linkfs_image_unref(h->img);
	linkfs_linker_trim(w->linker);
	if (h->map)
		munmap(h->map, h->size);
	free(h);
}

static struct held *held_find(struct worker *w, uint64_t gen)
{
	struct held *h;

	pthread_mutex_lock(&w->lock);
	LIST_FOREACH (h, &w->held[gen % BUCKETS], hash)
		if (h->gen == gen)
			break;
	if (h)
		h->ref++;
	pthread_mutex_unlock(&w->lock);
	return h;
}

static void held_drop(struct worker *w, uint64_t gen)
{
	struct held *h = held_find(w, gen);

	if (!h)
		return;
	pthread_mutex_lock(&w->lock);
	LIST_REMOVE(h, hash);
	h->ref--;
	pthread_mutex_unlock(&w->lock);
	held_unref(w, h);
}

/* Takes IMG. A replay that is made once more replaces the one before. */
static int held_add(struct worker *w, uint64_t gen, struct linkfs_image *img)
{
	struct held *h = calloc(1, sizeof(*h));

	held_drop(w, gen);
	if (!h) {
		linkfs_image_unref(img);
		return -ENOMEM;
	}
	*h = (struct held){ .gen = gen, .ref = 1, .img = img, .size = linkfs_image_size(img) };
	pthread_mutex_lock(&w->lock);
	LIST_INSERT_HEAD(&w->held[gen % BUCKETS], h, hash);
	pthread_mutex_unlock(&w->lock);
	return 0;
}

/* --- the opener: from the file system, keeping a record; or from a record --- */

struct opening {
	struct worker *worker;
	uint64_t link_id;
	uint64_t needs; /* a generation that must be loaded before this link can be made */
	bool is_early;	/* so must a live link be fresh */
	bool has_client; /* who can have intermediate code compiled, and ask again */
	struct walker *walker;
	struct watch *watch;
	struct text record;
	uint32_t probe_cnt;
	int *fds; /* what was opened, lent to the linker */
	uint32_t fd_cnt, fd_cap;
	int last_fd;	  /* what was opened last, */
	struct stat last; /* what it is taken for, */
	bool is_last_kept; /* and whatever it looks like */
	/* replay */
	const struct record *from;
	const int *from_fds;
	const bool *from_known, *from_copied;
	uint32_t next;	   /* probe expected next */
	bool is_different; /* the link asked for something the record does not know */
};

/* Its index; FD is O's now. */
static int keep_fd(struct opening *o, int fd)
{
	if (o->fd_cnt == o->fd_cap) {
		uint32_t cap = o->fd_cap ? o->fd_cap * 2 : 64;
		int *fds = realloc(o->fds, sizeof(*fds) * cap);
		if (!fds)
			return -ENOMEM;
		o->fds = fds;
		o->fd_cap = cap;
	}
	o->fds[o->fd_cnt] = fd;
	return (int)o->fd_cnt++;
}

/* A path led to the own mount. */
static int open_own(struct opening *o, struct record_probe *p)
{
	struct own own;

	int fd = own_ask(o->link_id, walker_rest(o->walker), &own);
	o->is_early |= fd == -EAGAIN;
	if (fd)
		return fd;
	if (own.real) {
		fd = walker_open(o->walker, own.real);
		free(own.real);
		return fd;
	}
	if (own.fd >= 0)
		return own.fd;
	struct held *h = held_find(o->worker, own.gen);
	if (!h) {
		o->needs = own.id;
		return -EAGAIN;
	}
	fd = own_face(h->img);
	held_unref(o->worker, h);
	p->own = fd < 0 ? 0 : own.id;
	return fd;
}

static int open_recording(void *ctx, const char *path)
{
	struct opening *o = ctx;
	struct record_probe p = { .fd_idx = -1 };
	struct stat st;

	watch_begin(o->watch, path);
	int fd = walker_open(o->walker, path);
	watch_end(o->watch);
	if (fd == -EDEADLK)
		fd = open_own(o, &p);
	watch_begin(o->watch, path);
	if (fd < 0)
		p.stat_error = walker_stat(o->walker, path, &st);
	watch_end(o->watch);
	if (strlen(path) > RECORD_PATH_MAX)
		return -ENAMETOOLONG; /* it can't come into being either */
	if (fd < 0) {
		p.open_error = fd;
	} else if (fstat(fd, &st) < 0) {
		p.stat_error = p.open_error = -errno;
	} else if ((p.fd_idx = keep_fd(o, fd)) < 0) {
		p.open_error = p.fd_idx;
		p.fd_idx = -1;
	}
	if (!p.stat_error)
		p.id = identity_of(&st);
	if (!p.open_error) {
		o->last_fd = fd;
		o->last = st;
	}
	record_add(&o->record, path, &p);
	o->probe_cnt++;
	if (p.open_error && fd >= 0)
		close(fd);
	return p.open_error ? p.open_error : fd;
}

static int open_from_record(void *ctx, const char *path)
{
	struct opening *o = ctx;

	for (uint32_t i = 0; i < o->from->probe_cnt; i++) {
		uint32_t at = (o->next + i) % o->from->probe_cnt; /* links ask in the same order: found at once */
		const struct probe *p = &o->from->probes[at];
		struct stat st;
		if (strcmp(p->path, path))
			continue;
		o->next = at + 1;
		if (p->at.open_error)
			return p->at.open_error;
		int fd = p->at.fd_idx < 0 ? -1 : o->from_fds[p->at.fd_idx];
		if (fd < 0 || fstat(fd, &st) < 0) {
			o->is_different = true;
			return -ESTALE;
		}
		struct msg_identity id = identity_of(&st);
		o->is_last_kept = o->from_copied[p->at.fd_idx];
		if (!o->from_known[p->at.fd_idx] && !identity_same_content(&id, &p->at.id))
			o->is_different = true;
		o->last_fd = fd;
		o->last = S_ISREG(st.st_mode) ? identity_stat(&p->at.id) : st;
		return fd;
	}
	o->is_different = true;
	return -ESTALE;
}

/* The linker knows a file by the record's identity: what is said about the input later finds it, and a copy in its place is
 * no other input. */
static int identity(void *ctx, int fd, struct stat *ret_st, bool *ret_is_kept)
{
	struct opening *o = ctx;
	struct stat now;

	if (fd != o->last_fd || !S_ISREG(o->last.st_mode) ||
	    (o->from && (fstat(fd, &now) < 0 || now.st_size != o->last.st_size))) /* else .last is what fstat said */
		return -ESTALE;
	*ret_st = o->last;
	*ret_is_kept = o->is_last_kept;
	return 0;
}

/* Does IMG stand on the record's inputs, byte for byte? */
static bool is_same_link(const struct linkfs_image *img, const struct opening *o)
{
	size_t cnt = linkfs_image_input_count(img);

	for (size_t i = 0; i < cnt; i++) {
		struct linkfs_input in = linkfs_image_input(img, i);
		struct msg_identity id = identity_of(&in.st);
		bool found = false;
		for (uint32_t k = 0; k < o->from->probe_cnt && !found; k++)
			found = identity_same_content(&o->from->probes[k].at.id, &id) &&
				!o->from->probes[k].at.stat_error;
		if (!found)
			return false;
	}
	return !o->is_different;
}

static void opening_done(struct opening *o)
{
	for (uint32_t i = 0; i < o->fd_cnt; i++)
		close(o->fds[i]);
	free(o->fds);
	free(o->record.s);
	walker_free(o->walker);
}

/* --- links --- */

/* A recipe's arguments: as an ld command line, and what is not for ld. */
struct command {
	const char **argv;
	const char **lto;
	int argc, lto_cnt;
	const char *dir; /* --chdir= */
	char **strings;	 /* that all of them are in */
};

static void command_done(struct command *c)
{
	free(c->argv);
	free(c->lto);
	free(c->strings);
}

static int parse_recipe(const char *text, size_t sz, struct diag *d, struct command *ret)
{
	const size_t lto_sz = strlen(RECIPE_LTO);
	char **words;
	int cnt;

	int err = linkfs_split_args(text, sz, &cnt, &words);
	if (err) {
		diag_error(d, 0, "recipe: %s", err == -EINVAL ? "a quote is not closed" : strerror(-err));
		return err;
	}
	ret->strings = words;
	ret->argv = calloc((size_t)cnt + 2, sizeof(*ret->argv));
	ret->lto = calloc((size_t)cnt + 1, sizeof(*ret->lto));
	if (!ret->argv || !ret->lto)
		return -ENOMEM;
	ret->argv[ret->argc++] = "ld.linkfs";
	for (int i = 0; i < cnt; i++) {
		if (!strncmp(words[i], RECIPE_LTO, lto_sz))
			ret->lto[ret->lto_cnt++] = words[i] + lto_sz;
		else if (!strncmp(words[i], "--chdir=", 8))
			ret->dir = words[i] + 8;
		else
			ret->argv[ret->argc++] = words[i];
	}
	if (ret->dir[0] == '/')
		return 0;
	diag_error(d, 0, "recipe: --chdir=%s: not an absolute directory", ret->dir);
	return -EINVAL;
}

static int run_link(struct worker *w, struct opening *o, int cwd, const struct command *c, struct diag *d,
		    struct linkfs_image **ret_img)
{
	struct linkfs_opener opener = {
		.open = o->from ? open_from_record : open_recording,
		.ctx = o,
		.lends = true,
		.identity = identity,
	};
	struct linkfs_request rq = { .argc = c->argc, .argv = c->argv, .cwd_fd = cwd, .opener = &opener,
				     .lto_cnt = c->lto_cnt, .lto = c->lto, .never_compiles = !o->has_client };
	CLEAN_MEM char *text = NULL;
	struct linkfs_image *img = NULL;

	int err = linkfs_link(w->linker, &rq, d, &img, &text);
	if (err == -ECANCELED)
		diag_error(d, 0, "recipe: it asks for a text, not for a link");
	if (err)
		return err;
	if (!linkfs_image_verdict(img)->is_executable) {
		diag_error(d, 0,
			   "recipe: its output is neither an executable nor a shared object: use ld.linkfs to make a "
			   "file");
		linkfs_image_unref(img);
		return -EINVAL;
	}
	*ret_img = img;
	return 0;
}

/* Makes the link of a recipe; the record is complete whether it worked or not. */
static int link_recipe(struct worker *w, struct opening *o, const char *text, size_t sz, struct diag *d,
		       struct linkfs_image **ret_img)
{
	struct command c = { .dir = "/" };

	int err = parse_recipe(text, sz, d, &c);
	struct walker *at_root = walker_new(AT_FDCWD, w->own_dev);
	watch_begin(&w->watch, c.dir);
	CLEAN_FD int cwd = err || o->from || !at_root ? -1 : walker_look(at_root, c.dir);
	watch_end(&w->watch);
	walker_free(at_root);
	if (!o->from)
		record_begin(&o->record, err || strlen(c.dir) > RECORD_PATH_MAX ? "/" : c.dir);
	if (!err && !o->from && cwd < 0) {
		diag_error(d, 0, "recipe: --chdir=%s: %s", c.dir, strerror(at_root ? -cwd : ENOMEM));
		err = -ENOENT;
	}
	if (!err && !o->from && !(o->walker = walker_new(cwd, w->own_dev)))
		err = -ENOMEM;
	if (!err)
		err = run_link(w, o, o->from ? AT_FDCWD : cwd, &c, d, ret_img);
	if (!o->from && record_end(&o->record, o->probe_cnt, o->fd_cnt) && !err) {
		linkfs_image_unref(*ret_img);
		err = -ENOMEM;
	}
	command_done(&c);
	return err;
}

static void send_fds(uint64_t id, const struct opening *o)
{
	for (uint32_t at = 0; at < o->fd_cnt;) {
		struct msg m = { .type = MSG_FDS | MSG_REPLY, .id = id };
		uint32_t cnt = o->fd_cnt - at < MSG_FD_MAX ? o->fd_cnt - at : MSG_FD_MAX;
		if (transport_send(WORKER_CONTROL_FD, &m, NULL, o->fds + at, (int)cnt, true))
			_exit(1); /* nobody to work for */
		at += cnt;
	}
}

static struct msg_stats linker_stats(const struct worker *w)
{
	struct linkfs_linker_stats s;

	linkfs_linker_stats(w->linker, &s);
	return (struct msg_stats){
		.inputs = s.inputs,
		.input_bytes = s.input_bytes,
		.mappings = s.mappings,
		.parsed_objects = s.parsed_objects,
		.scanned_objects = s.scanned_objects,
		.resolutions = s.resolutions,
	};
}

/* The texts that the command line wants beside the output, as one memfd; *RET_FD stays -1 where there are none. */
static int make_sides(struct linkfs_image *img, struct msg_verdict *v, int *ret_fd)
{
	const struct linkfs_verdict *asked = linkfs_image_verdict(img);
	CLEAN_MEM char *map = NULL;
	CLEAN_MEM char *deps = NULL;
	size_t map_sz = 0, deps_sz = 0;

	if (asked->map_file && !(map = linkfs_image_map(img, &map_sz)))
		return -ENOMEM;
	if (asked->dependency_file && !(deps = linkfs_image_dependencies(img, &deps_sz)))
		return -ENOMEM;
	v->map_sz = map_sz;
	v->deps_sz = deps_sz;
	if (!map && !deps)
		return 0;
	int fd = blob_new("linkfs-sides", map ? map : "", map_sz, deps ? deps : "", deps_sz);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

static void send_verdict(struct worker *w, const struct msg *rq, int err, struct opening *o, struct diag *d,
			 struct linkfs_image *img, const char *text)
{
	CLEAN_MEM char *diag = diag_text(d);
	int fds[2] = { -1, -1 };
	struct msg m = { .type = MSG_LINK | MSG_REPLY, .id = rq->id, .gen = rq->gen, .error = err };
	struct msg_verdict *v = &m.u.verdict;
	struct linkfs_image_stats s = { 0 };

	v->needs = o->needs;
	v->needs_lto = err == -ENOEXEC;
	v->is_refused = err && diag_is_refusal(d);
	v->diag_sz = diag ? strlen(diag) : 0;
	v->record_sz = o->record.failed ? 0 : o->record.sz;
	v->linker = linker_stats(w);
	if (!err) {
		linkfs_image_stats(img, &s);
		v->size = linkfs_image_size(img);
		v->input_bytes = s.input_bytes;
		v->eager_bytes = s.eager_bytes;
		v->relocs_total = s.relocs_total;
		v->link_us = (uint64_t)(s.link_ms * 1000);
		v->code_off = s.code_off;
		v->code_sz = s.code_sz;
		if (rq->u.link.wants_sides && make_sides(img, v, &fds[1]))
			_exit(1);
		send_fds(rq->id, o);
	}
	fds[0] = blob_new("linkfs-verdict", diag ? diag : "", v->diag_sz, o->record.s ? o->record.s : "", v->record_sz);
	if (fds[0] < 0 || transport_send(WORKER_CONTROL_FD, &m, text, fds, fds[1] < 0 ? 1 : 2, true))
		_exit(1); /* out of descriptors, or nobody there: the next process may do better */
	cleanup_fd(&fds[0]);
	cleanup_fd(&fds[1]);
}

static void first_link(struct worker *w, const struct msg *rq, const char *recipe)
{
	struct opening o = { .worker = w, .watch = &w->watch, .link_id = rq->id,
			     .has_client = rq->u.link.wants_sides };
	struct linkfs_image *img = NULL;
	struct diag *d = diag_new(20);

	if (!d)
		_exit(1);
	watch_begin_link(&w->watch, rq);
	int err = link_recipe(w, &o, recipe, rq->u.link.recipe_sz, d, &img);
	if (!err && !(err = held_add(w, rq->gen, linkfs_image_ref(img))))
		diag_pass(d);
	if (err && (o.needs || o.is_early))
		err = -EAGAIN;
	else if (err && !diag_errors(d))
		diag_error(d, 0, "the link failed: %s", strerror(-err));
	watch_end_link(&w->watch);
	send_verdict(w, rq, err, &o, d, img, NULL);
	linkfs_image_unref(img);
	opening_done(&o);
	diag_free(d);
}

static void replay(struct worker *w, const struct msg *rq, char *blob)
{
	struct record *record = NULL;
	struct linkfs_image *img = NULL;
	struct diag *d = diag_new(20);
	const char *text = NULL;
	CLEAN_MEM char *bytes = malloc(rq->u.link.record_sz);

	if (!d || !bytes)
		_exit(1);
	memcpy(bytes, blob + rq->u.link.recipe_sz, rq->u.link.record_sz);
	int err = record_read(bytes, rq->u.link.record_sz, &record);
	if (!err)
		bytes = NULL;
	if (!err && record->fd_cnt != w->fd_cnt)
		err = -EPROTO;
	struct opening o = { .from = record, .from_fds = w->fds, .from_known = w->known, .from_copied = w->copied };
	if (!err)
		err = link_recipe(w, &o, blob, rq->u.link.recipe_sz, d, &img);
	if (!err && !is_same_link(img, &o))
		err = -ESTALE;
	if (!err)
		err = held_add(w, rq->gen, linkfs_image_ref(img));
	if (err)
		text = o.is_different || err == -ESTALE ? "an input changed while the link was made again"
							: "the link could not be made again";
	send_verdict(w, rq, err, &o, d, img, text);
	linkfs_image_unref(img);
	opening_done(&o);
	record_free(record);
	diag_free(d);
}

static void on_link(struct worker *w, struct packet *p)
{
	const struct msg_link *rq = &p->msg.u.link;
	CLEAN_MEM char *blob = NULL;

	if (p->fd_cnt != 1 || rq->recipe_sz > MSG_BLOB_MAX || rq->record_sz > MSG_BLOB_MAX ||
	    blob_read(p->fds[0], rq->recipe_sz + rq->record_sz, &blob))
		_exit(1);
	if (rq->record_sz)
		replay(w, &p->msg, blob);
	else
		first_link(w, &p->msg, blob);
	for (uint32_t i = 0; i < w->fd_cnt; i++)
		close(w->fds[i]);
	w->fd_cnt = 0;
	linkfs_linker_trim(w->linker);
}

static void on_fds(struct worker *w, struct packet *p)
{
	size_t cnt = (size_t)w->fd_cnt + (size_t)p->fd_cnt + 1;
	int *fds = realloc(w->fds, sizeof(*fds) * cnt);
	bool *known = realloc(w->known, sizeof(*known) * cnt);
	bool *copied = realloc(w->copied, sizeof(*copied) * cnt);

	if (!fds || !known || !copied)
		_exit(1);
	w->fds = fds;
	w->known = known;
	w->copied = copied;
	for (int i = 0; i < p->fd_cnt; i++) {
		w->known[w->fd_cnt] = p->msg.u.fds.known[i / 64] >> (i % 64) & 1;
		w->copied[w->fd_cnt] = p->msg.u.fds.copied[i / 64] >> (i % 64) & 1;
		w->fds[w->fd_cnt++] = packet_take_fd(p, i);
	}
}

/* --- the short requests (all threads but the one that links) --- */

static void on_backing(struct worker *w, struct packet *p)
{
	struct held *h = held_find(w, p->msg.gen);

	if (h && p->fd_cnt == 1 && !h->map && h->size && p->msg.u.range.sz == h->size) {
		void *map = mmap(NULL, h->size, PROT_READ | PROT_WRITE, MAP_SHARED, p->fds[0], 0);
		pthread_mutex_lock(&w->lock);
		h->map = map == MAP_FAILED ? NULL : map;
		h->is_unmappable = map == MAP_FAILED;
		pthread_cond_broadcast(&w->mapped);
		pthread_mutex_unlock(&w->lock);
	}
	if (h)
		held_unref(w, h);
}

/* The mapping, which may be on its way: the file was sent before this request, but by the socket. */
static unsigned char *wait_for_map(struct worker *w, struct held *h)
{
	struct timespec until;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += BACKING_PATIENCE_SEC;
	pthread_mutex_lock(&w->lock);
	while (!h->map && !h->is_unmappable && !r)
		r = pthread_cond_timedwait(&w->mapped, &w->lock, &until);
	unsigned char *map = h->map;
	pthread_mutex_unlock(&w->lock);
	return map;
}

static bool has_range(const struct held *h, uint64_t off, uint64_t sz)
{
	return sz && off <= h->size && sz <= h->size - off;
}

static struct msg_image_stats image_stats(const struct held *h)
{
	struct linkfs_image_stats s;

	linkfs_image_stats(h->img, &s);
	return (struct msg_image_stats){ .filled_bytes = s.filled_bytes, .relocs_applied = s.relocs_applied };
}

static int fill_range(struct worker *w, struct held *h, struct msg_range *r, char *why, size_t why_sz)
{
	if (!h || !has_range(h, r->off, r->sz))
		return -EINVAL;
	unsigned char *map = wait_for_map(w, h);
	if (!map) {
		snprintf(why, why_sz, "its backing file can't be mapped");
		return -ENOMEM;
	}
	int err = linkfs_image_fill(h->img, r->off, r->sz, map + r->off, why, why_sz);
	/* The pages stay in the file; our view of them is not needed again. */
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), from = r->off & ~(page - 1);
	madvise(map + from, r->off + r->sz - from, MADV_DONTNEED);
	r->image = image_stats(h);
	return err;
}

static int fill_stage(struct worker *w, struct held *h, struct msg_stage *s, char *why, size_t why_sz)
{
	struct linkfs_range range[MSG_PIECES];
	uint64_t room = STAGE_SZ;

	if (!h || s->stage >= STAGE_CNT || s->cnt > MSG_PIECES)
		return -EINVAL;
	unsigned char *stage = ring_stage(w->ring, (unsigned)s->stage);
	memcpy(range, stage, s->cnt * sizeof(*range));
	for (uint64_t i = 0; i < s->cnt; room -= range[i++].sz)
		if (!has_range(h, range[i].off, range[i].sz) || range[i].sz > room)
			return -EINVAL;
	int err = linkfs_image_fill_ranges(h->img, range, s->cnt, stage, why, why_sz);
	s->image = image_stats(h);
	return err;
}

static void reply(struct worker *w, struct msg *m, const char *text)
{
	struct msg bell = { .type = MSG_BELL | MSG_REPLY };

	if (ring_reply(w->ring, m, text) && transport_send(WORKER_FILL_FD, &bell, NULL, NULL, 0, true))
		_exit(1);
}

static void on_fill(struct worker *w, const struct msg *rq)
{
	struct msg m = { .type = rq->type | MSG_REPLY, .id = rq->id, .gen = rq->gen, .u = rq->u };
	struct held *h = held_find(w, rq->gen);
	char why[MSG_TEXT_MAX] = "";

	m.error = rq->type == MSG_STAGE ? fill_stage(w, h, &m.u.stage, why, sizeof(why))
					: fill_range(w, h, &m.u.range, why, sizeof(why));
	if (h)
		held_unref(w, h);
	reply(w, &m, m.error ? why : NULL);
}

static void on_map(struct worker *w, const struct msg *rq)
{
	struct msg m = { .type = MSG_MAP | MSG_REPLY, .id = rq->id, .gen = rq->gen };
	struct held *h = held_find(w, rq->gen);
	size_t sz = 0;
	CLEAN_MEM char *map = h ? linkfs_image_map(h->img, &sz) : NULL;
	CLEAN_FD int blob = map ? blob_new("linkfs-map", map, sz, NULL, 0) : -ENOMEM;

	m.error = blob < 0 ? blob : 0;
	m.u.map_sz = sz;
	if (h)
		held_unref(w, h);
	if (transport_send(WORKER_FILL_FD, &m, NULL, &blob, blob < 0 ? 0 : 1, true))
		_exit(1);
}

static void on_stats(struct worker *w, const struct msg *rq)
{
	struct msg m = { .type = MSG_STATS | MSG_REPLY, .id = rq->id };

	m.u.stats = (struct msg_stats_reply){ linker_stats(w), linkfs_linker_doing(w->linker) };

	reply(w, &m, NULL);
}

static int keep(struct worker *w, struct packet *p)
{
	uint64_t cnt = p->msg.u.keep_cnt;
	CLEAN_MEM char *blob = NULL;
	CLEAN_MEM struct stat *list = NULL;

	if (cnt > MSG_BLOB_MAX / sizeof(*list) || (p->msg.gen ? p->fd_cnt != 1 : p->fd_cnt != 2 || cnt != 1))
		return -EPROTO;
	int err = blob_read(p->fds[0], cnt * sizeof(struct msg_identity), &blob);
	if (!err && !(list = calloc(cnt + 1, sizeof(*list))))
		err = -ENOMEM;
	for (uint64_t i = 0; !err && i < cnt; i++) {
		struct msg_identity id;
		memcpy(&id, blob + i * sizeof(id), sizeof(id));
		list[i] = identity_stat(&id);
	}
	if (err || !p->msg.gen)
		return err ? err : linkfs_linker_keep(w->linker, &list[0], p->fds[1]);
	struct held *h = held_find(w, p->msg.gen);
	if (h) {
		linkfs_image_keep(h->img, list, cnt);
		held_unref(w, h);
	}
	return 0;
}

static void on_keep(struct worker *w, struct packet *p)
{
	struct msg m = { .type = MSG_KEEP | MSG_REPLY, .id = p->msg.id, .gen = p->msg.gen, .error = keep(w, p) };

	reply(w, &m, NULL);
}

static void looked(void *ctx)
{
	struct msg m = { .type = MSG_LOOK | MSG_REPLY };

	reply(ctx, &m, NULL);
}

static void on_short(struct worker *w, struct packet *p)
{
	switch (p->msg.type) {
	case MSG_BACKING:
		on_backing(w, p);
		break;
	case MSG_FILL:
	case MSG_STAGE:
		on_fill(w, &p->msg);
		break;
	case MSG_MAP:
		on_map(w, &p->msg);
		break;
	case MSG_STATS:
		on_stats(w, &p->msg);
		break;
	case MSG_DROP:
		held_drop(w, p->msg.gen);
		break;
	case MSG_KEEP:
		on_keep(w, p);
		break;
	case MSG_LOOK:
		looker_look(&w->looker, p->text);
		break;
	}
	packet_done(p);
}

static void *serve_ring(void *arg)
{
	struct worker *w = arg;
	struct packet p;

	while (ring_take(w->ring, &p) == 1)
		on_short(w, &p);
	_exit(1); /* the ring is damaged */
}

/* What carries descriptors. */
static void *serve_files(void *arg)
{
	struct worker *w = arg;
	struct packet p;

	while (transport_recv(WORKER_FILL_FD, &p, true) == 1)
		on_short(w, &p);
	_exit(1); /* nobody to work for, or out of descriptors */
}

static int serve_links(struct worker *w)
{
	struct msg hello = { .type = MSG_HELLO | MSG_REPLY };
	struct packet p;

	if (transport_send(WORKER_CONTROL_FD, &hello, NULL, NULL, 0, true))
		return 1;
	while (transport_recv(WORKER_CONTROL_FD, &p, true) == 1) {
		if (p.msg.type == MSG_FDS)
			on_fds(w, &p);
		else if (p.msg.type == MSG_LINK)
			on_link(w, &p);
		packet_done(&p);
	}
	return 0;
}

/* Dies with the mount process, leaves no core, shows its memory to nobody, has room for descriptors. */
static int harden(pid_t parent)
{
	struct rlimit files;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NAME, WORKER_ARGV0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	for (int fd = WORKER_CONTROL_FD; fd <= WORKER_RING_FD; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return getppid() == parent ? 0 : -ESRCH;
}

static int start_thread(void *(*fn)(void *), struct worker *w)
{
	pthread_t t;

	int err = pthread_create(&t, NULL, fn, w);
	if (!err)
		pthread_detach(t);
	return -err;
}

/* 0: there is a thread for everything. */
static int start_threads(struct worker *w, unsigned fill_cnt)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	int err = -pthread_cond_init(&w->mapped, &attr);
	pthread_condattr_destroy(&attr);
	if (!err)
		err = looker_start(&w->looker, looked, w);
	if (!err)
		err = start_thread(serve_files, w);
	for (unsigned i = 0; !err && i < fill_cnt && i < FILL_THREADS_MAX; i++) {
		err = start_thread(serve_ring, w);
		if (err && i)
			return 0; /* fewer do, too */
	}
	return err;
}

int worker_main(int argc, char **argv)
{
	struct worker w = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct stat st;

	if (argc != 5 || fstat(WORKER_CONTROL_FD, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		fprintf(stderr, "linkfs: %s is started by linkfs mount alone\n", WORKER_ARGV0);
		return 2;
	}
	int err = harden((pid_t)atoi(argv[3]));
	if (!err)
		err = ring_open(WORKER_RING_FD, &w.ring);
	if (err)
		return -err;
	close(WORKER_RING_FD);
	w.own_dev = strtoull(argv[2], NULL, 16);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned threads = (unsigned)strtoul(argv[1], NULL, 10);
	struct linkfs_config cfg = { .threads = threads };
	if (!threads)
		threads = cpus > 1 ? (unsigned)cpus : 2; /* one slow fill must not hold up the rest */
	err = watch_start(&w.watch, strtoll(argv[4], NULL, 10));
	if (!err)
		err = linkfs_linker_new(&cfg, &w.linker);
	if (!err)
		err = start_threads(&w, threads);
	if (err)
		return -err;
	int status = serve_links(&w);
	_exit(status); /* fills may be at work: no destructors under them */
}
