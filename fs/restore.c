/* restore.c - outputs of the mount before this one, brought back when somebody looks.
 *
 * A name that was kept (kept.c) is there from the start; the first lookup, report, link or settling of it waits until
 * its inputs are found, by path, to be what the record says in every respect, and are in custody. Then it has a
 * generation, as if its linker process had died: size and times are known, and the link is made again, from the record,
 * when it is opened (JOB_PROOF), or its bytes are wanted for settling. What comes out must be what was kept.
 *
 *     remembered --look()--> in custody --on_custody()--> restored, unproven --jobs_end_proofs()--> like any other
 *         \--an input changed--> Failed, its log says why        \--restore_failed()--> Failed
 *
 * An input that is missing may come back, with its file system: then the name is absent for now alone.
 *
 * One thread looks at files; requests are parked meanwhile, and give up (park.c) where a file system does not answer. The
 * same thread looks when info asks whether an output will survive a restart.
 */
#include <fcntl.h>

#include "custody.h"
#include "kept.h"
#include "pathwalk.h"

#define STOP_PATIENCE_S 1

struct look {
	TAILQ_ENTRY(look) on;
	struct link *link; /* referenced */
};

struct restorer {
	pthread_cond_t some, done; /* with fs.lock */
	TAILQ_HEAD(look_list, look) looks;
	bool has_thread, is_stopping;
};

/* One that is on its way through custody. */
struct restoring {
	struct link *link; /* referenced */
	struct resolved *resolved;
	char *recipe;
	uint64_t gen_id;
};

/* --- answers (lock held) --- */

/* The name P looks up, now that it was restored, or not. */
static void answer_lookup(struct fs *fs, struct parked *p, struct replies *out)
{
	struct node *dir = tree_node(fs, p->parent);
	struct output *waits;
	char *real = NULL;
	struct node *n = dir ? dirs_lookup(fs, dir, p->text.s, &real, &waits) : NULL;

	free(real);
	if (n)
		park_answer_entry(fs, p, n, out);
	else
		park_answer(fs, p, OUT_ERROR, ENOENT, out);
}

/* Whatever waits for L is told what became of it. */
static void end_look(struct fs *fs, struct link *l, struct replies *out)
{
	struct parked *p;

	l->output->is_looked_at = false;
	while ((p = TAILQ_FIRST(&l->waiting))) {
		if (p->kind == PARK_RESTORE)
			answer_lookup(fs, p, out);
		else if (l->is_named)
			live_answer(fs, l, p, out);
		else
			park_answer(fs, p, OUT_ERROR, ENOENT, out);
	}
	if (fs->restorer)
		pthread_cond_broadcast(&fs->restorer->done);
}

/* It will not come back. */
static void forget(struct fs *fs, struct output *o)
{
	free(o->kept);
	o->kept = NULL;
	o->state = OUTPUT_FAILED;
	kept_drop(fs, o);
	o->keep = KEEP_NOT;
}

void restore_failed(struct fs *fs, struct output *o)
{
	forget(fs, o);
}

/* ERR: why L can't be shown. */
static void tell_failure(struct fs *fs, struct link *l, int err, const char *what)
{
	struct output *o = l->output;
	bool is_over = err == -ESTALE || err == -EPROTO;

	if (!l->is_named || !o->kept)
		return;
	link_log(fs, l, "it can't be made again after a restart of the mount%s: %s: %s", is_over ? "" : " yet", what,
		 err == -ESTALE	  ? "this input changed"
		 : err == -EPROTO ? "what was kept of it is damaged"
				  : strerror(-err));
	if (is_over)
		forget(fs, o);
}

/* --- looking (no lock) --- */

/* Opens the input P and looks whether it is the recorded one. A descriptor; -ESTALE: it is not; other -errno. */
static int open_input(struct walker *w, const struct probe *p)
{
	struct stat st;

	if (p->at.own || p->at.stat_error)
		return -ESTALE;
	CLEAN_FD int fd = walker_open(w, p->path);
	if (fd < 0)
		return fd == -EDEADLK ? -ESTALE : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	struct msg_identity now = identity_of(&st);
	return S_ISREG(st.st_mode) && identity_equal(&now, &p->at.id) ? take_fd(&fd) : -ESTALE;
}

/* Every input of R is what it was. FDS: NULL, or room for their descriptors, which are all -1. 0; -errno, with the input in
 * *RET_WHAT. */
static int find_inputs(const struct fs *fs, const struct record *r, int *fds, const char **ret_what)
{
	struct walker *at_root = walker_new(AT_FDCWD, fs->own_dev);
	CLEAN_FD int cwd = at_root ? walker_look(at_root, r->cwd) : -ENOMEM;
	struct walker *w = cwd >= 0 ? walker_new(cwd, fs->own_dev) : NULL;
	int err = cwd < 0 ? cwd : w ? 0 : -ENOMEM;

	*ret_what = r->cwd;
	for (uint32_t i = 0; !err && i < r->probe_cnt; i++) {
		const struct probe *p = &r->probes[i];
		if (p->at.fd_idx < 0 || (fds && fds[p->at.fd_idx] >= 0))
			continue;
		*ret_what = p->path;
		CLEAN_FD int fd = open_input(w, p);
		err = fd < 0 ? fd : fd >= fs->fd_room ? -EMFILE : 0;
		if (!err && fds)
			fds[p->at.fd_idx] = take_fd(&fd);
	}
	walker_free(w);
	walker_free(at_root);
	return err == -EDEADLK ? -ESTALE : err;
}

/* --- restoring --- */

static void restoring_free(struct fs *fs, struct restoring *g)
{
	resolved_unref(fs, g->resolved);
	link_unref(fs, g->link);
	free(g->recipe);
	free(g);
}

/* (lock held) Gives the output its generation. 0 or -errno. */
static int revive(struct fs *fs, const struct restoring *v)
{
	struct output *o = v->link->output;
	const struct kept_head *h = o->kept;
	const struct msg_verdict was = {
		.size = h->size,
		.input_bytes = h->input_bytes,
		.eager_bytes = h->eager_bytes,
		.relocs_total = h->relocs_total,
		.link_us = h->link_us,
	};
	struct generation *g;

	int r = generation_new(fs, v->gen_id, v->link, v->recipe, v->resolved, &was, &g);
	if (r)
		return r;
	if (g->file->fd >= fs->fd_room) {
		generation_unref(fs, g);
		return -EMFILE;
	}
	g->is_unproven = true;
	g->mode = (mode_t)h->mode & 07777;
	g->mtime = (struct timespec){ .tv_sec = h->mtime_ns / 1000000000, .tv_nsec = h->mtime_ns % 1000000000 };
	v->link->gen = g;
	v->link->resolved = resolved_ref(v->resolved);
	v->link->linked_version = 1;
	free(o->kept);
	o->kept = NULL;
	return 0;
}

/* (lock held) */
static void on_custody(struct fs *fs, void *ctx, int err, const char *changed, struct replies *out)
{
	struct restoring *v = ctx;
	struct link *l = v->link;

	if (!err && l->is_named && l->output->kept)
		err = revive(fs, v);
	if (err)
		tell_failure(fs, l, err, changed ? changed : "its inputs");
	end_look(fs, l, out);
	restoring_free(fs, v);
}

/* (lock held) The inputs FDS, FD_CNT of them, go into custody. 0: on_custody goes on. FDS and B are taken. */
static int begin_custody(struct fs *fs, struct link *l, struct kept_body *b, int *fds, uint32_t fd_cnt)
{
	struct restoring *v = calloc(1, sizeof(*v));
	struct resolved *r = NULL;

	int err = v ? resolved_new(fs, b->record, fds, fd_cnt, &r) : -ENOMEM;
	if (!err) {
		b->record = NULL;
		*v = (struct restoring){ link_ref(l), r, b->recipe, tree_next_id(&fs->tree) };
		b->recipe = NULL;
		err = custody_submit(fs, v->gen_id, r, fds, fd_cnt, on_custody, v);
	}
	if (!err)
		return 0;
	for (uint32_t i = 0; i < fd_cnt; i++)
		cleanup_fd(&fds[i]);
	free(fds);
	if (r)
		restoring_free(fs, v);
	else
		free(v);
	return err;
}

/* (lock held; given up for a while) 0: on_custody goes on; else it has failed, *RET_WHAT: because of that. */
static int look_for_inputs(struct fs *fs, struct link *l, struct kept_body *b, const char **ret_what)
{
	const struct kept_head head = *l->output->kept;
	const char *what = "what was kept of it";
	int *fds = NULL;

	fs_unlock(fs);
	int err = kept_read(fs, l->output->id, &head, b);
	if (!err) {
		uint32_t cnt = b->record->fd_cnt;
		fds = malloc(sizeof(*fds) * (cnt + 1));
		err = fds ? 0 : -ENOMEM;
		for (uint32_t i = 0; fds && i < cnt; i++)
			fds[i] = -1;
		if (!err)
			err = find_inputs(fs, b->record, fds, &what);
		for (uint32_t i = 0; err && fds && i < cnt; i++)
			cleanup_fd(&fds[i]);
	}
	fs_lock(fs);
	*ret_what = what;
	/* Also of one that can't be restored: it can be linked again, and then it is asked why. */
	if (b->recipe && !l->recipe && (l->recipe = strdup(b->recipe)))
		l->recipe_sz = strlen(b->recipe);
	if (!err)
		return begin_custody(fs, l, b, fds, b->record->fd_cnt);
	free(fds);
	return err;
}

/* (lock held; given up for a while) Will L be there after a restart? */
static void look_for_safety(struct fs *fs, struct link *l)
{
	struct resolved *r = resolved_ref(l->resolved);
	const char *what;

	fs_unlock(fs);
	int err = find_inputs(fs, r->record, NULL, &what);
	fs_lock(fs);
	l->output->is_restart_safe = !err;
	resolved_unref(fs, r);
}

/* (lock held; given up for a while) */
static void look(struct fs *fs, struct link *l)
{
	struct output *o = l->output;
	struct replies out;
	const char *what;

	replies_init(&out);
	if (l->is_named && o->kept) {
		struct kept_body b = { 0 };
		int err = look_for_inputs(fs, l, &b, &what);
		if (err) {
			tell_failure(fs, l, err, what);
			end_look(fs, l, &out);
		}
		kept_body_done(&b);
	} else {
		if (l->is_named && l->resolved)
			look_for_safety(fs, l);
		end_look(fs, l, &out);
	}
	fs_unlock(fs);
	replies_send(fs, &out);
	fs_lock(fs);
}

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct restorer *s = fs->restorer;

	fs_lock(fs);
	while (!s->is_stopping) {
		struct look *k = TAILQ_FIRST(&s->looks);
		if (!k) {
			pthread_cond_wait(&s->some, &fs->lock);
			continue;
		}
		TAILQ_REMOVE(&s->looks, k, on);
		look(fs, k->link);
		link_unref(fs, k->link);
		free(k);
	}
	s->has_thread = false;
	pthread_cond_broadcast(&s->done);
	fs_unlock(fs);
	return NULL;
}

/* (lock held) 0 or -errno. */
static int submit(struct fs *fs, struct link *l)
{
	struct restorer *s = fs->restorer;

	if (l->output->is_looked_at)
		return 0;
	struct look *k = s && !s->is_stopping ? calloc(1, sizeof(*k)) : NULL;
	if (!k)
		return -ENOMEM;
	k->link = link_ref(l);
	l->output->is_looked_at = true;
	TAILQ_INSERT_TAIL(&s->looks, k, on);
	pthread_cond_signal(&s->some);
	return 0;
}

bool restore_park(struct fs *fs, struct parked *p, struct replies *out)
{
	struct link *l = p->link;
	const struct output *o = l->output;

	if (!o->kept && (p->kind != PARK_REPORT || p->what != NODE_INFO || !o->kept_sz))
		return false;
	if (submit(fs, l))
		park_answer(fs, p, OUT_ERROR, EIO, out);
	else
		park_on(fs, &l->waiting, p);
	return true;
}

void restore_wait(struct fs *fs, struct output *o)
{
	struct link *l = link_ref(o->link);
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += fs->cfg.fill_timeout_ms / 1000 + 1;
	int r = submit(fs, l);
	while (!r && o->is_looked_at && !fs->restorer->is_stopping)
		r = pthread_cond_timedwait(&fs->restorer->done, &fs->lock, &until);
	link_unref(fs, l);
}

/* --- start and end --- */

int restorer_start(struct fs *fs)
{
	struct restorer *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	pthread_t t;

	if (!s)
		return -ENOMEM;
	TAILQ_INIT(&s->looks);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->some, NULL);
	pthread_cond_init(&s->done, &attr);
	pthread_condattr_destroy(&attr);
	fs->restorer = s;
	s->has_thread = true;
	int r = pthread_create(&t, NULL, run, fs);
	if (r)
		s->has_thread = false;
	else
		pthread_detach(t);
	return -r;
}

bool restorer_stop(struct fs *fs)
{
	struct restorer *s = fs->restorer;
	struct timespec until;
	struct replies out;
	struct look *k;

	if (!s)
		return true;
	replies_init(&out);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += STOP_PATIENCE_S;
	fs_lock(fs);
	s->is_stopping = true;
	pthread_cond_broadcast(&s->some);
	while (s->has_thread && pthread_cond_timedwait(&s->done, &fs->lock, &until) == 0)
		;
	bool is_over = !s->has_thread;
	while ((k = TAILQ_FIRST(&s->looks))) {
		TAILQ_REMOVE(&s->looks, k, on);
		end_look(fs, k->link, &out);
		link_unref(fs, k->link);
		free(k);
	}
	if (is_over)
		fs->restorer = NULL;
	fs_unlock(fs);
	replies_send(fs, &out);
	if (is_over) {
		pthread_cond_destroy(&s->some);
		pthread_cond_destroy(&s->done);
		free(s);
	}
	return is_over;
}
