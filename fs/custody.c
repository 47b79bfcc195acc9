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
#include "pathwalk.h"
#include "worker_link.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#define OVERFLOW_UID 65534 /* who is not known in this user namespace: the system's root, in a container */

#define STOP_PATIENCE_S 1
#define COPY_BYTES_PER_MS 16384 /* a disk that is slower than that is taken for dead */

struct work {
	TAILQ_ENTRY(work) on;
	struct resolved *resolved; /* referenced */
	uint64_t gen;		   /* the number that its generation will have */
	int *fds;
	uint32_t fd_cnt;
	custody_done_fn *done; /* NULL: it was told already */
	void *ctx;
	int64_t deadline;	/* of one being done */
	const char *at;		/* the input it is at, as the link opened it */
	bool is_held;		/* it passed */
};

struct custody {
	pthread_cond_t some, idle; /* with fs.lock */
	TAILQ_HEAD(work_list, work) works, doing;
	unsigned threads; /* that are not held up: one, or none while there is no memory for it */
	unsigned held;
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

static const char *name_of(const struct record *r, uint32_t fd_idx)
{
	for (uint32_t i = 0; i < r->probe_cnt; i++)
		if (r->probes[i].at.fd_idx == (int32_t)fd_idx)
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

/* (lock held) */
static void work_free(struct fs *fs, struct work *k)
{
	resolved_unref(fs, k->resolved);
	for (uint32_t i = 0; i < k->fd_cnt; i++)
		cleanup_fd(&k->fds[i]);
	free(k->fds);
	free(k);
}

/* (lock held; not while it works) Is this thread to go on? */
static bool do_work(struct fs *fs, struct work *k)
{
	const struct record *r = k->resolved->record;
	struct custody *c = fs->custody;
	struct replies out;
	int err = 0;

	TAILQ_INSERT_TAIL(&c->doing, k, on);
	replies_init(&out);
	for (uint32_t idx = 0; idx < r->fd_cnt && !err && !k->is_held; idx++) {
		k->at = name_of(r, idx);
		struct input *i = k->resolved->input[idx];
		k->deadline = now_ms() + fs->cfg.fill_timeout_ms + (int64_t)(i->id.size / COPY_BYTES_PER_MS);
		fs_unlock(fs);
		err = take_input(fs, i, k->fds[idx]);
		fs_lock(fs);
	}
	if (k->is_held && c->is_stopping)
		return false; /* nobody waits for us, and what we refer to stays as it is */
	k->deadline = INT64_MAX; /* what comes has a time limit of its own */
	if (!err && !k->is_held)
		worker_link_keep_leased(fs, k->gen, k->resolved);
	TAILQ_REMOVE(&c->doing, k, on);
	bool was_held = k->is_held;
	c->held -= was_held;
	work_tell(fs, k, err, err ? k->at : NULL, &out);
	work_free(fs, k);
	fs_unlock(fs);
	replies_send(fs, &out);
	fs_lock(fs);
	return !was_held;
}

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct custody *c = fs->custody;
	bool goes_on = true;

	fs_lock(fs);
	while (goes_on && !c->is_stopping) {
		struct work *k = TAILQ_FIRST(&c->works);
		if (k) {
			TAILQ_REMOVE(&c->works, k, on);
			goes_on = do_work(fs, k);
		} else {
			pthread_cond_wait(&c->some, &fs->lock);
		}
	}
	if (goes_on && --c->threads == 0)
		pthread_cond_signal(&c->idle);
	fs_unlock(fs);
	return NULL;
}

/* (lock held) */
static int start_thread(struct fs *fs)
{
	pthread_attr_t detached;
	pthread_t t;

	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	int r = pthread_create(&t, &detached, run, fs);
	pthread_attr_destroy(&detached);
	fs->custody->threads += !r;
	return -r;
}

int custody_start(struct fs *fs)
{
	struct custody *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	TAILQ_INIT(&c->works);
	TAILQ_INIT(&c->doing);
	pthread_cond_init(&c->some, NULL);
	pthread_cond_init(&c->idle, NULL);
	fs_lock(fs);
	fs->custody = c;
	int r = start_thread(fs);
	fs_unlock(fs);
	return r;
}

/* (lock held) Another thread goes on with the others; its link is failed. */
static void hold(struct fs *fs, struct work *k, struct replies *out)
{
	k->is_held = true;
	fs->custody->held++;
	fs->custody->threads--;
	work_tell(fs, k, -ETIMEDOUT, k->at, out);
}

void custody_sweep(struct fs *fs, struct replies *out)
{
	struct custody *c = fs->custody;
	int64_t now = now_ms();
	struct work *k;

	if (!c)
		return;
	TAILQ_FOREACH (k, &c->doing, on)
		if (!k->is_held && now > k->deadline)
			hold(fs, k, out);
	if (!c->threads && !c->is_stopping)
		start_thread(fs); /* without memory: at the next tick */
}

bool custody_stop(struct fs *fs)
{
	struct custody *c = fs->custody;
	struct timespec until;
	struct replies out;
	struct work *k;

	if (!c)
		return true;
	replies_init(&out);
	fs_lock(fs);
	c->is_stopping = true;
	pthread_cond_broadcast(&c->some);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_PATIENCE_S;
	while (c->threads && pthread_cond_timedwait(&c->idle, &fs->lock, &until) == 0)
		;
	TAILQ_FOREACH (k, &c->doing, on)
		if (!k->is_held)
			hold(fs, k, &out);
	bool is_over = !c->held;
	if (is_over)
		fs->custody = NULL; /* nothing is taken any more */
	while ((k = TAILQ_FIRST(&c->works))) {
		TAILQ_REMOVE(&c->works, k, on);
		work_tell(fs, k, -ECANCELED, NULL, &out);
		work_free(fs, k);
	}
	fs_unlock(fs);
	replies_send(fs, &out);
	if (is_over) {
		pthread_cond_destroy(&c->some);
		pthread_cond_destroy(&c->idle);
		free(c);
	}
	return is_over;
}

int custody_submit(struct fs *fs, uint64_t gen, struct resolved *r, int *fds, uint32_t fd_cnt, custody_done_fn *done,
		   void *ctx)
{
	struct custody *c = fs->custody;
	struct work *k = c && !c->is_stopping ? calloc(1, sizeof(*k)) : NULL;

	if (!k)
		return -ENOMEM;
	*k = (struct work){
		.resolved = resolved_ref(r), .gen = gen, .fds = fds, .fd_cnt = fd_cnt, .done = done, .ctx = ctx
	};
	TAILQ_INSERT_TAIL(&c->works, k, on);
	pthread_cond_signal(&c->some);
	return 0;
}
