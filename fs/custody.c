/* custody.c - inputs enter custody before the verdict of their link counts.
 *
 * Between the linker process's opening of a file and this moment nobody held it. So here each new input is leased, or copied
 * where a lease is refused or not believed, and then compared with what the record says: if it is another file by now, the
 * link is made again. What nobody here could write, system libraries mostly, is neither leased nor copied: the linker process
 * looks at it around each fill.
 *
 * One thread, which waits for the linker process to know which inputs are kept before the output can be seen. A file system
 * that does not answer holds it up: after fill_timeout= the link is failed, and another thread goes on with the others.
 */
#include "custody.h"
#include "crew.h"
#include "pathwalk.h"
#include "worker_link.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#define OVERFLOW_UID 65534 /* who is not known in this user namespace: the system's root, in a container */

#define COPY_BYTES_PER_MS 16384 /* a disk that is slower than that is taken for dead */

struct work {
	struct crew_task task;
	struct resolved *resolved; /* referenced */
	uint64_t gen;		   /* the number that its generation will have */
	int *fds;
	uint32_t fd_cnt;
	custody_done_fn *done; /* NULL: it was told already */
	void *ctx;
	uint32_t at; /* the number of the input it is at */
	int err;
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

/* WHY: it is not leased. */
static void set_state(struct fs *fs, struct input *i, enum custody_state state, const char *why)
{
	fs_lock(fs);
	i->state = state;
	i->why = why;
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

/* ERR: lease_set's. */
static const char *why_not_leased(int err)
{
	switch (err) {
	case -EOPNOTSUPP:
		return "leases are not believed on its file system";
	case -EAGAIN:
		return "it was open for writing";
	case -EACCES:
	case -EPERM:
		return "it belongs to another user, who gives no leases";
	default:
		return "a lease was refused";
	}
}

/* No copy can be had (no room, no descriptors): then it is looked at around each fill. WHY: it is not leased. */
static int copy_input(struct fs *fs, struct input *i, const char *why)
{
	fs_lock(fs);
	bool is_memory = snapshot_may_use_memory(fs, i->id.size);
	fs_unlock(fs);
	int copy = snapshot_new(fs, i->fd, i->id.size, is_memory, &is_memory);
	if (!is_as_linked(i->fd, &i->id)) {
		cleanup_fd(&copy);
		set_state(fs, i, CUSTODY_LOST, "it changed while it was linked");
		return -ESTALE;
	}
	if (copy < 0) {
		if (fs->cfg.is_foreground)
			fprintf(stderr, "linkfs: an input can't be copied (%s): if it changes, its link is lost\n",
				strerror(-copy));
		set_state(fs, i, CUSTODY_CHECKED, "there was no room for a copy");
		return 0;
	}
	fs_lock(fs);
	i->why = why;
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
		set_state(fs, i, CUSTODY_LEASED, NULL);
		return 0;
	}
	int r = lease_set(fs, i);
	if (r == -ESTALE)
		set_state(fs, i, CUSTODY_LOST, "it changed while it was linked");
	if (!r || r == -ESTALE)
		return r;
	if (may_be_written(i->fd))
		return copy_input(fs, i, why_not_leased(r));
	r = is_as_linked(i->fd, &i->id) ? 0 : -ESTALE;
	set_state(fs, i, r ? CUSTODY_LOST : CUSTODY_CHECKED,
		  r ? "it changed while it was linked" : "nobody here can write to it");
	return r;
}

/* OWN: the link's own descriptor of I, where I was known before. */
static int take_input(struct fs *fs, struct input *i, int own)
{
	fs_lock(fs);
	enum custody_state state = i->state;
	bool is_taken = i->is_being_taken;
	i->is_being_taken |= state == CUSTODY_NEW;
	fs_unlock(fs);
	int r;
	switch (state) {
	case CUSTODY_NEW:
		if (is_taken)
			return -ETIMEDOUT; /* by a thread that is held up */
		r = take_new(fs, i);
		fs_lock(fs);
		i->is_being_taken = false;
		fs_unlock(fs);
		return r;
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

/* The input that K is at, as the link opened it. */
static const char *name_at(const struct work *k)
{
	const struct record *r = k->resolved->record;

	for (uint32_t i = 0; i < r->probe_cnt; i++)
		if (r->probes[i].at.fd_idx == (int32_t)k->at)
			return r->probes[i].path;
	return "an input";
}

/* (lock held) */
static void work_tell(struct fs *fs, struct work *k, int err, const char *changed, struct replies *out)
{
	custody_done_fn *done = k->done;

	k->done = NULL;
	if (done)
		done(fs, k->ctx, err, changed, out);
}

/* (no lock, where many are to be closed) */
static void work_over(struct crew_task *t)
{
	struct work *k = (struct work *)t;

	for (uint32_t i = 0; i < k->fd_cnt; i++)
		cleanup_fd(&k->fds[i]);
	free(k->fds);
	free(k);
}

static void work_on(struct fs *fs, struct crew_task *t)
{
	struct work *k = (struct work *)t;
	const struct record *r = k->resolved->record;

	for (uint32_t idx = 0; idx < r->fd_cnt && !k->err && !t->is_held; idx++) {
		struct input *i = k->resolved->input[idx];
		if (i->state == CUSTODY_LEASED || i->state == CUSTODY_CHECKED)
			continue;
		k->at = idx;
		t->deadline = now_ms() + fs->cfg.fill_timeout_ms + (int64_t)(i->id.size / COPY_BYTES_PER_MS);
		fs_unlock(fs);
		int err = take_input(fs, i, k->fds[idx]);
		fs_lock(fs);
		k->err = err;
	}
	t->deadline = INT64_MAX; /* what comes has a time limit of its own */
	if (!k->err && !t->is_held)
		worker_link_keep_leased(fs, k->gen, k->resolved);
}

static void work_done(struct fs *fs, struct crew_task *t, struct replies *out)
{
	struct work *k = (struct work *)t;

	work_tell(fs, k, k->err, k->err ? name_at(k) : NULL, out);
	k->resolved = resolved_unref(fs, k->resolved);
}

/* Its link is failed. */
static void work_held(struct fs *fs, struct crew_task *t, struct replies *out)
{
	struct work *k = (struct work *)t;

	work_tell(fs, k, -ETIMEDOUT, name_at(k), out);
}

static void work_drop(struct fs *fs, struct crew_task *t, struct replies *out)
{
	struct work *k = (struct work *)t;

	work_tell(fs, k, -ECANCELED, NULL, out);
	resolved_unref(fs, k->resolved);
	work_over(t);
}

static const struct crew_kind custody_crew = {
	.threads = 1,
	.work = work_on,
	.done = work_done,
	.over = work_over,
	.held = work_held,
	.drop = work_drop,
};

int custody_start(struct fs *fs)
{
	return crew_start(fs, &custody_crew, &fs->custody);
}

void custody_sweep(struct fs *fs, struct replies *out)
{
	crew_sweep(fs, fs->custody, out);
}

bool custody_stop(struct fs *fs)
{
	return crew_stop(fs, &fs->custody);
}

int custody_submit(struct fs *fs, uint64_t gen, struct resolved *r, int *fds, uint32_t fd_cnt, custody_done_fn *done,
		   void *ctx)
{
	struct work *k = crew_is_stopping(fs->custody) ? NULL : calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	*k = (struct work){
		.resolved = resolved_ref(r), .gen = gen, .fds = fds, .fd_cnt = fd_cnt, .done = done, .ctx = ctx
	};
	crew_submit(fs->custody, &k->task);
	return 0;
}
