/* custody.c - inputs enter custody before the verdict of their link counts.
 *
 * Between the linker process's opening of a file and this moment nobody held it. So here each new input is leased, or copied
 * where a lease is refused or not believed, and then compared with what the record says: if it is another file by now, the
 * link is made again. What nobody here could write, system libraries mostly, is neither leased nor copied: the linker process
 * looks at it around each fill.
 *
 * One thread, so that a file system that does not answer holds up links alone. It waits for the linker process to know which
 * inputs are kept before the output can be seen.
 */
#include "custody.h"
#include "pathwalk.h"
#include "worker_link.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#define OVERFLOW_UID 65534 /* who is not known in this user namespace: the system's root, in a container */

struct work {
	STAILQ_ENTRY(work) on;
	struct resolved *resolved; /* referenced */
	uint64_t gen;		   /* the number that its generation will have */
	int *fds;
	uint32_t fd_cnt;
	custody_done_fn *done;
	void *ctx;
};

struct custody {
	pthread_t thread;
	pthread_cond_t some; /* with fs.lock */
	STAILQ_HEAD(work_list, work) works;
	bool is_stopping;
};

static bool is_as_linked(int fd, const struct msg_identity *id)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	struct msg_identity now = identity_of(&st);
	return identity_same_content(&now, id);
}

/* Can the file be changed by its owner or its user? By the administrator alone: no. */
static bool may_be_written(int fd)
{
	struct stat st;
	struct statvfs sv;
	char path[40];

	if (fstatvfs(fd, &sv) == 0 && (sv.f_flag & ST_RDONLY))
		return false;
	if (fstat(fd, &st) < 0)
		return true;
	if (st.st_uid == geteuid() || (st.st_uid != 0 && st.st_uid != OVERFLOW_UID) ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)))
		return true;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

static void set_state(struct fs *fs, struct input *i, enum custody_state state)
{
	fs_lock(fs);
	i->state = state;
	fs_unlock(fs);
}

/* The linker process takes I's copy in the place of ORIGINAL, which was as linked a moment ago; if it is not any more,
 * something may have been read from it in between. */
static int pass_copy(struct fs *fs, struct input *i, int original)
{
	fs_lock(fs);
	worker_link_keep_copy(fs, i);
	fs_unlock(fs);
	if (is_as_linked(original, &i->id))
		return 0;
	fs_lock(fs);
	worker_link_replace(fs, "an input changed while it was copied");
	fs_unlock(fs);
	return -ESTALE;
}

/* No copy can be had (no room, no descriptors): then it is looked at around each fill. */
static int copy_input(struct fs *fs, struct input *i)
{
	fs_lock(fs);
	bool is_memory = snapshot_may_use_memory(fs, i->id.size);
	fs_unlock(fs);
	int copy = snapshot_new(fs, i->fd, i->id.size, is_memory, &is_memory);
	if (!is_as_linked(i->fd, &i->id)) {
		cleanup_fd(&copy);
		set_state(fs, i, CUSTODY_LOST);
		return -ESTALE;
	}
	if (copy < 0) {
		if (fs->cfg.is_foreground)
			fprintf(stderr, "linkfs: an input can't be copied (%s): if it changes, its link is lost\n",
				strerror(-copy));
		set_state(fs, i, CUSTODY_CHECKED);
		return 0;
	}
	fs_lock(fs);
	CLEAN_FD int original = input_set_copy(fs, i, copy, is_memory);
	fs_unlock(fs);
	return pass_copy(fs, i, original);
}

/* A memfd whose bytes nobody can change: the face of an output of ours, which is an input of another link. */
static bool is_sealed(int fd)
{
	const int all = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & all) == all;
}

static int take_new(struct fs *fs, struct input *i)
{
	if (is_sealed(i->fd)) {
		set_state(fs, i, CUSTODY_LEASED);
		return 0;
	}
	int r = lease_set(fs, i);
	if (r == -ESTALE)
		set_state(fs, i, CUSTODY_LOST);
	if (!r || r == -ESTALE)
		return r;
	if (may_be_written(i->fd))
		return copy_input(fs, i);
	r = is_as_linked(i->fd, &i->id) ? 0 : -ESTALE;
	set_state(fs, i, r ? CUSTODY_LOST : CUSTODY_CHECKED);
	return r;
}

/* OWN: the link's own descriptor of I, where I was known before. */
static int take_input(struct fs *fs, struct input *i, int own)
{
	fs_lock(fs);
	enum custody_state state = i->state;
	fs_unlock(fs);
	switch (state) {
	case CUSTODY_NEW:
		return take_new(fs, i);
	case CUSTODY_COPIED:
		/* The link read the original: it must have been what the copy is. */
		if (own < 0)
			return 0;
		return is_as_linked(own, &i->id) ? pass_copy(fs, i, own) : -ESTALE;
	case CUSTODY_LOST:
		return -ESTALE;
	case CUSTODY_LEASED:
	case CUSTODY_CHECKED:
		return 0;
	}
	return 0;
}

static const char *name_of(const struct record *r, uint32_t fd_idx)
{
	for (uint32_t i = 0; i < r->probe_cnt; i++)
		if (r->probes[i].at.fd_idx == (int32_t)fd_idx)
			return r->probes[i].path;
	return "an input";
}

static void work_end(struct fs *fs, struct work *k, int err, const char *changed, struct replies *out)
{
	k->done(fs, k->ctx, err, changed, out);
	resolved_unref(fs, k->resolved);
	for (uint32_t i = 0; i < k->fd_cnt; i++)
		cleanup_fd(&k->fds[i]);
	free(k->fds);
	free(k);
}

static void do_work(struct fs *fs, struct work *k)
{
	const struct record *r = k->resolved->record;
	const char *changed = NULL;
	struct replies out;
	int err = 0;

	for (uint32_t idx = 0; idx < r->fd_cnt && !err; idx++) {
		err = take_input(fs, k->resolved->input[idx], k->fds[idx]);
		changed = err ? name_of(r, idx) : NULL;
	}
	replies_init(&out);
	fs_lock(fs);
	if (!err)
		worker_link_keep_leased(fs, k->gen, k->resolved);
	work_end(fs, k, err, changed, &out);
	fs_unlock(fs);
	replies_send(fs, &out);
}

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct custody *c = fs->custody;

	fs_lock(fs);
	for (;;) {
		while (!c->is_stopping && STAILQ_EMPTY(&c->works))
			pthread_cond_wait(&c->some, &fs->lock);
		if (c->is_stopping)
			break;
		struct work *k = STAILQ_FIRST(&c->works);
		STAILQ_REMOVE_HEAD(&c->works, on);
		fs_unlock(fs);
		do_work(fs, k);
		fs_lock(fs);
	}
	fs_unlock(fs);
	return NULL;
}

int custody_start(struct fs *fs)
{
	struct custody *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	STAILQ_INIT(&c->works);
	pthread_cond_init(&c->some, NULL);
	fs->custody = c;
	int r = pthread_create(&c->thread, NULL, run, fs);
	if (r) {
		fs->custody = NULL;
		pthread_cond_destroy(&c->some);
		free(c);
	}
	return -r;
}

void custody_stop(struct fs *fs)
{
	struct custody *c = fs->custody;
	struct replies out;
	struct work *k;

	if (!c)
		return;
	fs_lock(fs);
	c->is_stopping = true;
	pthread_cond_signal(&c->some);
	fs_unlock(fs);
	pthread_join(c->thread, NULL);
	replies_init(&out);
	fs_lock(fs);
	fs->custody = NULL; /* nothing is taken any more */
	while ((k = STAILQ_FIRST(&c->works))) {
		STAILQ_REMOVE_HEAD(&c->works, on);
		work_end(fs, k, -ECANCELED, NULL, &out);
	}
	fs_unlock(fs);
	replies_send(fs, &out);
	pthread_cond_destroy(&c->some);
	free(c);
}

int custody_submit(struct fs *fs, uint64_t gen, struct resolved *r, int *fds, uint32_t fd_cnt, custody_done_fn *done,
		   void *ctx)
{
	struct custody *c = fs->custody;
	struct work *k = c ? calloc(1, sizeof(*k)) : NULL;

	if (!k)
		return -ENOMEM;
	*k = (struct work){
		.resolved = resolved_ref(r), .gen = gen, .fds = fds, .fd_cnt = fd_cnt, .done = done, .ctx = ctx
	};
	STAILQ_INSERT_TAIL(&c->works, k, on);
	pthread_cond_signal(&c->some);
	return 0;
}
