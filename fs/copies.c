/* copies.c - private copies: what tools that write an output in place (strip, objcopy, patchelf, cp onto it) get.
 *
 * A generation's bytes never change. Who opens an output for writing, or truncates it, is told ESTALE once: the kernel
 * looks the name up again and finds the copy, an inode of its own.
 *
 *     Bare --copy_setattr() to size 0, copy_truncate()--> Filled
 *       \--copy_write(), copy_setattr() to another size, wait--> Filling --finish()--> Filled, or Bare again
 *
 * Bare, it is still the generation under another number, so that touch, which opens for writing, costs no copy: its
 * attributes are the generation's. It stays, since the kernel knows its number by now. The first write waits for a copy
 * of all bytes in the cache directory. When the last writer of a Filled one has closed it, it settles at once (settle.c).
 *
 * One thread copies. Reading and writing a Filled copy is done by the handlers: it is a file on the cache directory's
 * disk.
 */
#include "outputs.h"

#include <fcntl.h>

#include "place.h"

struct copier {
	pthread_t thread;
	pthread_cond_t some; /* with fs.lock */
	TAILQ_HEAD(copy_list, copy) todo; /* the first is at work */
	atomic_bool is_stopping;
};

struct copy *copy_ref(struct copy *c)
{
	c->ref++;
	return c;
}

struct copy *copy_unref(struct fs *fs, struct copy *c)
{
	if (!c || --c->ref)
		return NULL;
	LIST_REMOVE(&c->node, hash);
	cleanup_fd(&c->fd);
	generation_unref(fs, c->gen);
	free(c);
	return NULL;
}

int copy_of(struct fs *fs, struct output *o)
{
	struct copy *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	*c = (struct copy){ .ref = 1, .fd = -1, .gen = generation_ref(o->link->gen) };
	TAILQ_INIT(&c->waiting);
	c->node = (struct node){ .id = tree_next_id(&fs->tree), .kind = NODE_COPY, .copy = c };
	tree_add_node(&fs->tree, &c->node);
	o->copy = c;
	return 0;
}

void copy_attr(const struct fs *fs, const struct copy *c, struct stat *ret)
{
	struct stat st;

	generation_attr(fs, c->gen, ret);
	ret->st_ino = c->node.id;
	if (c->fd < 0 || fstat(c->fd, &st) < 0)
		return;
	ret->st_mode = S_IFREG | (st.st_mode & 07777);
	ret->st_size = st.st_size;
	ret->st_blocks = st.st_blocks > 8 ? st.st_blocks : 8;
	ret->st_mtim = st.st_mtim;
	ret->st_ctim = st.st_ctim;
	ret->st_atim = st.st_atim;
}

/* --- making one --- */

/* Without the lock. The descriptor or -errno. */
static int make_file(struct fs *fs, struct generation *g, bool is_empty)
{
	struct placing p;

	int r = placing_begin(&p, fs->cache_dir_fd);
	if (r)
		return r;
	if (!is_empty)
		r = bytes_copy(fs, g, &p, &fs->copier->is_stopping);
	if (!r && fchmod(p.fd, g->mode) < 0)
		r = -errno;
	int fd = r ? -1 : take_fd(&p.fd);
	placing_done(&p); /* a name it may have needed goes, too */
	return r ? r : fd;
}

int copy_truncate(struct fs *fs, struct copy *c)
{
	if (c->fd >= 0)
		return ftruncate(c->fd, 0) < 0 ? -errno : 0;
	int fd = make_file(fs, c->gen, true);
	if (fd >= 0)
		c->fd = fd;
	return fd < 0 ? fd : 0;
}

static void finish(struct fs *fs, struct copy *c, int error, struct replies *out)
{
	const struct link *l = c->gen->link;
	struct parked *p;

	TAILQ_REMOVE(&fs->copier->todo, c, on);
	c->is_filling = false;
	if (error)
		link_log(fs, c->gen->link, "no private copy of %s for who would write to it: %s", l->name,
			 strerror(-error));
	while ((p = TAILQ_FIRST(&c->waiting)))
		park_answer(fs, p, error ? OUT_ERROR : p->kind == PARK_WRITE ? OUT_WRITE : OUT_RESIZE, -error, out);
	copy_unref(fs, c);
}

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct copier *s = fs->copier;

	fs_lock(fs);
	while (!s->is_stopping) {
		struct copy *c = TAILQ_FIRST(&s->todo);
		struct replies out;
		if (!c) {
			pthread_cond_wait(&s->some, &fs->lock);
			continue;
		}
		replies_init(&out);
		fs_unlock(fs);
		int r = make_file(fs, c->gen, false);
		fs_lock(fs);
		if (r >= 0 && c->fd >= 0)
			close(r); /* truncated meanwhile */
		else if (r >= 0)
			c->fd = r;
		finish(fs, c, r < 0 ? r : 0, &out);
		fs_unlock(fs);
		replies_send(fs, &out);
		fs_lock(fs);
	}
	fs_unlock(fs);
	return NULL;
}

/* P waits for a Filled copy. */
static void fill(struct fs *fs, struct copy *c, struct parked *p)
{
	struct copier *s = fs->copier;

	park_on(fs, &c->waiting, p);
	if (c->is_filling)
		return;
	c->is_filling = true;
	TAILQ_INSERT_TAIL(&s->todo, copy_ref(c), on);
	pthread_cond_signal(&s->some);
}

/* --- requests --- */

int copy_setattr(struct fs *fs, fuse_req_t req, struct copy *c, const struct stat *attr, int to_set, bool *ret_parked)
{
	const int times = FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW;
	struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_OMIT } };

	if (to_set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
		return -EPERM;
	if (to_set & FUSE_SET_ATTR_SIZE && attr->st_size && c->fd < 0) {
		struct parked *p = parked_new(req, PARK_RESIZE, NULL, NULL, NULL);
		if (!p)
			return -ENOMEM;
		p->attr.st_size = attr->st_size;
		p->copy = copy_ref(c);
		fill(fs, c, p);
		*ret_parked = true;
		return 0;
	}
	if (to_set & FUSE_SET_ATTR_SIZE) {
		int r = attr->st_size ? 0 : copy_truncate(fs, c);
		if (r || ftruncate(c->fd, attr->st_size) < 0)
			return r ? r : -errno;
	}
	if (c->fd < 0)
		return output_setattr(fs, c->gen, attr, to_set);
	if (to_set & FUSE_SET_ATTR_MODE && fchmod(c->fd, attr->st_mode & 07777) < 0)
		return -errno;
	if (to_set & FUSE_SET_ATTR_ATIME)
		ts[0] = attr->st_atim;
	if (to_set & FUSE_SET_ATTR_ATIME_NOW)
		ts[0].tv_nsec = UTIME_NOW;
	if (to_set & FUSE_SET_ATTR_MTIME)
		ts[1] = attr->st_mtim;
	if (to_set & FUSE_SET_ATTR_MTIME_NOW)
		ts[1].tv_nsec = UTIME_NOW;
	return to_set & times && futimens(c->fd, ts) < 0 ? -errno : 0;
}

int copy_resize(struct fs *fs, struct parked *p)
{
	if (ftruncate(p->copy->fd, p->attr.st_size) < 0)
		return fuse_reply_err(p->req, errno);
	fs_lock(fs);
	copy_attr(fs, p->copy, &p->attr);
	fs_unlock(fs);
	return fuse_reply_attr(p->req, &p->attr, 0.0);
}

void copy_read(fuse_req_t req, const struct copy *c, size_t size, off_t off)
{
	CLEAN_MEM char *buf = malloc(size ? size : 1);
	ssize_t n = buf ? pread(c->fd, buf, size, off) : -1;

	if (n < 0)
		fuse_reply_err(req, buf ? errno : ENOMEM);
	else
		fuse_reply_buf(req, buf, (size_t)n);
}

int copy_write(fuse_req_t req, const struct copy *c, const char *buf, size_t size, off_t off)
{
	for (size_t put = 0; put < size;) {
		ssize_t n = pwrite(c->fd, buf + put, size - put, off + (off_t)put);
		if (n < 0 && errno != EINTR)
			return fuse_reply_err(req, errno);
		put += n > 0 ? (size_t)n : 0;
	}
	return fuse_reply_write(req, size);
}

int copy_write_later(struct fs *fs, fuse_req_t req, struct copy *c, const char *buf, size_t size, off_t off)
{
	struct parked *p = parked_new(req, PARK_WRITE, NULL, NULL, NULL);

	if (!p)
		return -ENOMEM;
	text_append(&p->text, buf, size);
	if (p->text.failed) {
		free(p);
		return -ENOMEM;
	}
	p->write_off = off;
	p->copy = copy_ref(c);
	fill(fs, c, p);
	return 0;
}

void copy_closed(struct fs *fs, struct copy *c, bool was_writer)
{
	c->gen->opens--;
	c->writers -= was_writer;
	if (was_writer && !c->writers)
		settler_wake(fs);
}

/* --- start and end --- */

int copier_start(struct fs *fs)
{
	struct copier *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	TAILQ_INIT(&s->todo);
	pthread_cond_init(&s->some, NULL);
	fs->copier = s;
	int r = pthread_create(&s->thread, NULL, run, fs);
	if (r) {
		fs->copier = NULL;
		pthread_cond_destroy(&s->some);
		free(s);
	}
	return -r;
}

void copier_stop(struct fs *fs)
{
	struct copier *s = fs->copier;
	struct replies out;

	if (!s)
		return;
	replies_init(&out);
	fs_lock(fs);
	s->is_stopping = true;
	pthread_cond_signal(&s->some);
	fs_unlock(fs);
	pthread_join(s->thread, NULL);
	fs_lock(fs);
	while (!TAILQ_EMPTY(&s->todo))
		finish(fs, TAILQ_FIRST(&s->todo), -ECANCELED, &out);
	fs->copier = NULL;
	fs_unlock(fs);
	replies_send(fs, &out);
	pthread_cond_destroy(&s->some);
	free(s);
}
