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
 * A thread looks at files (crew.h), also when info asks whether an output will survive a restart; requests are parked
 * meanwhile.
 */
#include <fcntl.h>

#include "crew.h"
#include "custody.h"
#include "kept.h"
#include "pathwalk.h"

struct look {
	struct crew_task task;
	struct link *link; /* referenced */
	/* what was found */
	int err;
	const char *what;      /* the input that ERR is about */
	struct kept_body body; /* of what is to be restored, */
	int *fds;	       /* and its inputs */
	struct resolved *resolved; /* of what was restored; referenced */
};

struct restorer {
	pthread_cond_t done; /* with fs.lock */
	struct crew *crew;
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
	g->mtime = timespec_of_ns(h->mtime_ns);
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

/* (lock held) The inputs that K found go into custody. 0: on_custody goes on. */
static int begin_custody(struct fs *fs, struct look *k)
{
	struct restoring *v = calloc(1, sizeof(*v));
	uint32_t cnt = k->body.record->fd_cnt;

	int err = v ? resolved_new(fs, k->body.record, k->fds, cnt, &v->resolved) : -ENOMEM;
	if (err) {
		free(v);
		return err;
	}
	k->body.record = NULL;
	v->link = link_ref(k->link);
	v->recipe = k->body.recipe;
	k->body.recipe = NULL;
	v->gen_id = tree_next_id(&fs->tree);
	err = custody_submit(fs, v->gen_id, v->resolved, k->fds, cnt, on_custody, v);
	if (!err) {
		k->fds = NULL;
		return 0;
	}
	for (uint32_t i = 0; i < cnt; i++)
		cleanup_fd(&k->fds[i]);
	restoring_free(fs, v);
	return err;
}

/* --- the crew (lock held) --- */

static void look_free(struct fs *fs, struct look *k)
{
	for (uint32_t i = 0; k->fds && k->body.record && i < k->body.record->fd_cnt; i++)
		cleanup_fd(&k->fds[i]);
	free(k->fds);
	kept_body_done(&k->body);
	resolved_unref(fs, k->resolved);
	link_unref(fs, k->link);
	free(k);
}

/* (no lock) */
static int find_kept(struct fs *fs, struct look *k, const struct kept_head *head)
{
	k->what = "what was kept of it";
	int err = kept_read(fs, k->link->output->id, head, &k->body);
	if (err)
		return err;
	uint32_t cnt = k->body.record->fd_cnt;
	if (!(k->fds = malloc(sizeof(*k->fds) * (cnt + 1))))
		return -ENOMEM;
	for (uint32_t i = 0; i < cnt; i++)
		k->fds[i] = -1;
	return find_inputs(fs, k->body.record, k->fds, &k->what);
}

/* (given up for a while) */
static void look_work(struct fs *fs, struct crew_task *t)
{
	struct look *k = (struct look *)t;
	const struct output *o = k->link->output;

	t->deadline = now_ms() + fs->cfg.fill_timeout_ms;
	if (k->link->is_named && o->kept) {
		const struct kept_head head = *o->kept;
		fs_unlock(fs);
		k->err = find_kept(fs, k, &head);
		fs_lock(fs);
	} else if (k->link->is_named && k->link->resolved) {
		k->resolved = resolved_ref(k->link->resolved);
		fs_unlock(fs);
		k->err = find_inputs(fs, k->resolved->record, NULL, &k->what);
		fs_lock(fs);
	}
}

static void look_done(struct fs *fs, struct crew_task *t, struct replies *out)
{
	struct look *k = (struct look *)t;
	struct link *l = k->link;

	if (t->is_held) { /* that was told; another look may be on its way */
		look_free(fs, k);
		return;
	}
	if (k->resolved)
		l->output->is_restart_safe = !k->err;
	/* Also of one that can't be restored: it can be linked again, and then it is asked why. */
	if (k->body.recipe && !l->recipe && (l->recipe = strdup(k->body.recipe)))
		l->recipe_sz = strlen(k->body.recipe);
	bool goes_on = k->fds && !k->err && !(k->err = begin_custody(fs, k));
	if (!goes_on && k->err && !k->resolved)
		tell_failure(fs, l, k->err, k->what);
	if (!goes_on)
		end_look(fs, l, out);
	look_free(fs, k);
}

static void look_held(struct fs *fs, struct crew_task *t, struct replies *out)
{
	struct link *l = ((struct look *)t)->link;

	l->output->is_restart_safe = false;
	tell_failure(fs, l, -ETIMEDOUT, "a file system");
	end_look(fs, l, out);
}

static void look_drop(struct fs *fs, struct crew_task *t, struct replies *out)
{
	struct look *k = (struct look *)t;

	end_look(fs, k->link, out);
	look_free(fs, k);
}

static const struct crew_kind restore_crew = {
	.threads = 1,
	.work = look_work,
	.done = look_done,
	.held = look_held,
	.drop = look_drop,
};

/* (lock held) 0 or -errno. */
static int submit(struct fs *fs, struct link *l)
{
	struct restorer *s = fs->restorer;

	if (l->output->is_looked_at)
		return 0;
	struct look *k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->link = link_ref(l);
	if (!s || !crew_submit(s->crew, &k->task)) {
		look_free(fs, k);
		return -ECANCELED;
	}
	l->output->is_looked_at = true;
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
	while (!r && o->is_looked_at && !crew_is_stopping(fs->restorer->crew))
		r = pthread_cond_timedwait(&fs->restorer->done, &fs->lock, &until);
	link_unref(fs, l);
}

/* --- start and end --- */

int restorer_start(struct fs *fs)
{
	struct restorer *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	if (!s)
		return -ENOMEM;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->done, &attr);
	pthread_condattr_destroy(&attr);
	fs_lock(fs); /* worker_link.c's thread looks for it already */
	fs->restorer = s;
	fs_unlock(fs);
	return crew_start(fs, &restore_crew, &s->crew);
}

void restorer_sweep(struct fs *fs, struct replies *out)
{
	crew_sweep(fs, fs->restorer ? fs->restorer->crew : NULL, out);
}

bool restorer_stop(struct fs *fs)
{
	struct restorer *s = fs->restorer;

	if (!s)
		return true;
	if (!crew_stop(fs, &s->crew))
		return false;
	fs_lock(fs);
	fs->restorer = NULL;
	fs_unlock(fs);
	pthread_cond_destroy(&s->done);
	free(s);
	return true;
}
