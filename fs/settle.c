/* settle.c - the thread that turns outputs into plain files when the mount is quiet, and forgets what nobody needs.
 *
 * An output whose -o still shows it is copied, at idle priority, into a new file beside it, with the same bytes, mode
 * and times, which then takes the symbolic link's place. The ID stays: whoever copied or renamed the symbolic link
 * still has what it showed, until the budget of outputs.h says otherwise.
 *
 * What is done to -o in the meantime wins: when nothing in its directory points here any more the output is stale, and
 * nothing is written. Only this thread touches those directories: a file system that hangs holds up nobody else.
 * Failures (a full disk, no permission) are told in the output's log, and tried again later.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/ioprio.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "kept.h"
#include "pathwalk.h"
#include "place.h"

#define LOOK_MS 1000	    /* how often -o is looked at */
#define RETRY_MS 30000	    /* after a failure */
#define RENAMES_MAX 10	    /* of -o, between the copy and its taking the place */

struct settler {
	pthread_t thread;
	pthread_cond_t some; /* with fs.lock */
	bool is_woken;
	bool is_leaving; /* all outputs are to be settled before the end */
	bool is_ending;	 /* one more round */
	uint64_t round;
	atomic_bool is_stopping;
};

/* --- one output, without the lock --- */

/* Where an output's symbolic link stands, and what it shows. */
struct place {
	char *target; /* of the symbolic link */
	char *name;   /* in its directory */
	int dir_fd;
	int link_fd; /* of the symbolic link itself, wherever it is by now; -1: not known */
	char *path;  /* of it; NULL: not known */
	bool is_moved;	  /* dir_fd is another directory than it was */
	bool is_new_link; /* link_fd is another symbolic link */
};

static void place_done(struct place *at)
{
	free(at->target);
	free(at->name);
	free(at->path);
	cleanup_fd(&at->dir_fd);
	cleanup_fd(&at->link_fd);
	*at = (struct place){ .dir_fd = -1, .link_fd = -1 };
}

/* (lock held) */
static bool place_init(struct fs *fs, const struct output *o, struct place *ret)
{
	CLEAN_MEM char *own = output_own_path(o);

	*ret = (struct place){
		.dir_fd = o->dir_fd < 0 ? -1 : fcntl(o->dir_fd, F_DUPFD_CLOEXEC, 0),
		.link_fd = o->link_fd < 0 ? -1 : fcntl(o->link_fd, F_DUPFD_CLOEXEC, 0),
	};
	ret->name = strdup(o->shown_as ? o->shown_as : strrchr(o->link->name, '/') + 1);
	bool has_fds = ret->dir_fd >= 0 && (ret->link_fd >= 0 || o->link_fd < 0);
	if (!own || !has_fds || !ret->name || asprintf(&ret->target, "%s%s", fs->cfg.mountpoint, own) < 0) {
		ret->target = NULL;
		place_done(ret);
		return false;
	}
	return true;
}

/* 1, 0 or -errno: that can't be known now. */
static int shows(const struct place *at, const char *name)
{
	return place_shows(at->dir_fd, name, at->target);
}

static bool is_temporary(const char *name)
{
	return !strncmp(name, PLACE_PREFIX, strlen(PLACE_PREFIX));
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Where the kernel sees it now. 0 or -errno. */
static int path_of(int fd, char ret[PATH_MAX])
{
	char proc[64];

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	return place_read_link(AT_FDCWD, proc, ret);
}

/* It stands there no more. Was it moved to another directory? The kernel follows it as long as it stays in its file
 * system; what it says is believed where the symbolic link stands there indeed. As find_shown. */
static int find_moved(const struct fs *fs, struct place *at)
{
	char path[PATH_MAX];
	struct stat link, there;

	if (at->link_fd < 0 || fstat(at->link_fd, &link) < 0 || !link.st_nlink)
		return 0;
	if (path_of(at->link_fd, path) || path[0] != '/')
		return 0;
	char *slash = strrchr(path, '/');
	CLEAN_MEM char *name = strdup(slash + 1);
	struct walker *w = name ? walker_new(AT_FDCWD, fs->own_dev) : NULL;
	if (!w)
		return -ENOMEM;
	*slash = 0;
	CLEAN_FD int dir = walker_look(w, *path ? path : "/");
	walker_free(w);
	if (dir < 0)
		return dir == -ENOENT || dir == -ENOTDIR || dir == -EDEADLK ? 0 : dir;
	if (fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) < 0 || !is_same(&there, &link) || is_temporary(name))
		return 0;
	free(at->name);
	at->name = name;
	name = NULL;
	cleanup_fd(&at->dir_fd);
	at->dir_fd = take_fd(&dir);
	at->is_moved = true;
	return shows(at, at->name);
}

/* Does a symbolic link to it stand in the directory that -o was made in? It may have another name by now (`-o tmp && mv
 * tmp real`), and so may the directory. 1, with the name; 0; -errno: that can't be known now. */
static int find_shown(struct place *at)
{
	int r = is_temporary(at->name) ? 0 : shows(at, at->name);
	if (r)
		return r;
	int copy = openat(at->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;
	if (!d) {
		r = errno == ENOENT ? 0 : -errno; /* a directory that was removed */
		cleanup_fd(&copy);
		return r;
	}
	while (!r && (errno = 0, e = readdir(d))) {
		if ((e->d_type != DT_LNK && e->d_type != DT_UNKNOWN) || (r = shows(at, e->d_name)) != 1)
			continue;
		if (is_temporary(e->d_name)) {
			unlinkat(at->dir_fd, e->d_name, 0); /* its client was killed */
			r = 0;
			continue;
		}
		char *name = strdup(e->d_name);
		r = name ? 1 : -ENOMEM;
		if (name) {
			free(at->name);
			at->name = name;
		}
	}
	if (!r && errno != ENOENT)
		r = -errno; /* readdir's; ENOENT: as above */
	closedir(d);
	return r;
}

static int find_anywhere(const struct fs *fs, struct place *at)
{
	int r = find_shown(at);

	return r ? r : find_moved(fs, at);
}

/* Its symbolic link itself, where that was not known, and its path by now. */
static void find_path(struct place *at)
{
	char path[PATH_MAX];
	struct stat st;

	if (at->link_fd >= 0 && !stat_known(at->link_fd, &st) && !st.st_nlink) {
		cleanup_fd(&at->link_fd); /* a copy of it is what stands there */
		at->link_fd = -1;
	}
	at->is_new_link = at->link_fd < 0;
	if (at->is_new_link)
		at->link_fd = openat(at->dir_fd, at->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (at->link_fd >= 0 && !path_of(at->link_fd, path) && output_path_ok(path))
		at->path = strdup(path);
}

/* (lock held) From now on it is looked for where it was found. */
static void move_place(struct fs *fs, struct output *o, struct place *at)
{
	const char *before = o->place ? o->place : o->link->name;
	int copy = at->is_moved ? fcntl(at->dir_fd, F_DUPFD_CLOEXEC, 0) : -1;

	if (copy >= 0) {
		cleanup_fd(&o->dir_fd);
		o->dir_fd = copy;
	}
	if (at->is_new_link) {
		cleanup_fd(&o->link_fd);
		o->link_fd = -1;
		output_take_link(fs, o, fcntl(at->link_fd, F_DUPFD_CLOEXEC, 0));
	}
	if (at->path && strcmp(at->path, before)) {
		free(o->place);
		o->place = at->path;
		at->path = NULL;
		output_changed(o);
	}
}

/* Its directory is nothing to us any more. */
static void leave_place(struct fs *fs, struct output *o, enum output_state state)
{
	if (state == OUTPUT_SETTLED)
		kept_drop(fs, o);
	o->state = state;
	cleanup_fd(&o->dir_fd);
	cleanup_fd(&o->link_fd);
	o->dir_fd = o->link_fd = -1;
}

/* (lock held; given up for a while) Of an output that was kept over a restart the directory is not open yet. 0 or -errno. */
static int open_directory(struct fs *fs, struct output *o)
{
	const char *path = o->place ? o->place : o->link->name;
	CLEAN_MEM char *dir = strndup(path, (size_t)(strrchr(path, '/') - path));
	struct walker *w = dir ? walker_new(AT_FDCWD, fs->own_dev) : NULL;

	fs_unlock(fs);
	CLEAN_FD int fd = w ? walker_look(w, *dir ? dir : "/") : -ENOMEM;
	int r = fd < 0 ? fd : 0;
	walker_free(w);
	fs_lock(fs);
	if (!r && o->state == OUTPUT_PLACED && o->dir_fd < 0)
		o->dir_fd = take_fd(&fd);
	if (!o->shown_as && o->place)
		o->shown_as = strdup(strrchr(o->place, '/') + 1);
	return r;
}

/* (lock held; given up for a while) Finds where O is shown; nowhere: it is stale. 1: AT is where, to be ended. */
static int look(struct fs *fs, struct output *o, struct place *at)
{
	struct link *l = link_ref(o->link);
	int r = o->dir_fd < 0 ? open_directory(fs, o) : 0;
	bool is_gone = r == -ENOENT || r == -ENOTDIR || r == -EDEADLK;

	*at = (struct place){ .dir_fd = -1, .link_fd = -1 };
	if (!r && !place_init(fs, o, at))
		r = -ENOMEM;
	if (!r) {
		fs_unlock(fs);
		r = find_anywhere(fs, at);
		if (r == 1)
			find_path(at);
		fs_lock(fs);
	}
	if (is_gone)
		r = 0;
	bool is_ours = l->is_named && o->state == OUTPUT_PLACED;
	if (is_ours && r == 0)
		leave_place(fs, o, OUTPUT_STALE);
	if (is_ours && r == 1) {
		free(o->shown_as);
		o->shown_as = strdup(at->name); /* without memory: looked for again */
		move_place(fs, o, at);
	}
	if (r == 1 && !is_ours)
		r = 0;
	if (r != 1)
		place_done(at);
	link_unref(fs, l);
	return r;
}

/* An output at work, and what its bytes were when the work began. */
struct task {
	struct output *o; /* its link is referenced */
	struct generation *gen;
	struct copy *copy; /* NULL: the generation's */
	uint64_t writes;
};

/* Puts what was copied to -o. Who would write to it waits for that long. 0; -ERESTART: somebody came to write meanwhile;
 * -ESTALE: nothing shows it here any more. */
static int take_place(struct fs *fs, const struct task *k, struct placing *p, struct place *at)
{
	struct stat st = { 0 };
	struct parked *w;
	struct replies out;

	replies_init(&out);
	if (k->copy && fstat(k->copy->fd, &st) < 0)
		return -errno;
	fs_lock(fs); /* chmod and touch may have come meanwhile */
	mode_t mode = k->copy ? st.st_mode & 07777 : k->gen->mode;
	struct timespec mtime = k->copy ? st.st_mtim : k->gen->mtime;
	bool may_place = k->o->writes == k->writes;
	k->o->is_placing = may_place;
	fs_unlock(fs);
	if (!may_place)
		return -ERESTART;
	int r = placing_end_over_link(p, at->name, at->target, mode, mtime);
	/* It may have been renamed meanwhile, and again. */
	for (int i = 0; r == -ESTALE && i < RENAMES_MAX && find_shown(at) == 1; i++)
		r = placing_end_over_link(p, at->name, at->target, mode, mtime);
	fs_lock(fs);
	k->o->is_placing = false;
	while ((w = TAILQ_FIRST(&k->o->writers)))
		park_answer(fs, w, OUT_ERROR, ESTALE, &out); /* the kernel looks the name up again */
	fs_unlock(fs);
	replies_send(fs, &out);
	return r;
}

static int make_plain(struct fs *fs, const struct task *k, struct place *at)
{
	struct placing p;
	struct stat st;
	int r = placing_begin(&p, at->dir_fd);

	if (r)
		return r;
	if (k->copy && fstat(k->copy->fd, &st) < 0)
		r = -errno;
	else
		r = k->copy ? placing_copy(&p, k->copy->fd, 0, (uint64_t)st.st_size)
			    : bytes_copy(fs, k->gen, &p, &fs->settler->is_stopping);
	if (!r)
		r = take_place(fs, k, &p, at);
	placing_done(&p);
	return r;
}

/* Every symbolic link to it that can be found: those of its directory, and of the one above where it has more names than
 * that (cargo hard-links what was made to there). */
static int make_all_plain(struct fs *fs, const struct task *k, struct place *at)
{
	struct stat st;
	bool has_more = fstatat(at->dir_fd, at->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink > 1;
	int r;

	do
		r = make_plain(fs, k, at);
	while (!r && find_shown(at) == 1);
	int above = !r && has_more ? openat(at->dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (above < 0)
		return r;
	cleanup_fd(&at->dir_fd);
	at->dir_fd = above;
	while (!r && find_shown(at) == 1)
		r = make_plain(fs, k, at);
	return r;
}

/* It may have been moved meanwhile, and again; or what was found is a copy that it left behind. */
static int make_plain_anywhere(struct fs *fs, const struct task *k, struct place *at)
{
	bool is_done = false;
	int r = 0;

	for (int i = 0; i < RENAMES_MAX; i++) {
		r = make_all_plain(fs, k, at);
		is_done |= !r;
		if ((r && r != -ESTALE) || (r ? find_anywhere(fs, at) : find_moved(fs, at)) != 1)
			break;
	}
	return r == -ESTALE && is_done ? 0 : r;
}

/* --- the thread --- */

static uint64_t size_of(const struct output *o)
{
	return o->link->gen ? o->link->gen->size : o->kept->size;
}

/* Is it time for O? EVERYTHING: somebody waits for all of them. */
static bool is_due(const struct fs *fs, const struct output *o, bool everything)
{
	int64_t now = now_ms();

	if (o->state != OUTPUT_PLACED || o->client || !output_is_shown(o))
		return false;
	if (o->copy && (o->copy->writers || o->copy->is_filling))
		return false; /* it will be woken for */
	if (everything || (o->copy && o->copy->fd >= 0))
		return now >= o->settle_at || everything;
	return fs->cfg.settle_ms >= 0 && now >= o->settle_at &&
	       (size_of(o) < SMALL_OUTPUT || now - fs->busy_at >= fs->cfg.settle_ms);
}

/* (lock held; given up for a while) */
static int settle(struct fs *fs, struct output *o)
{
	struct link *l = link_ref(o->link);
	struct place at;

	int r = look(fs, o, &at);
	if (r == 1 && o->kept)
		restore_wait(fs, o);
	struct task k = { .o = o, .gen = generation_ref(l->gen), .writes = o->writes };
	k.copy = o->copy && o->copy->fd >= 0 ? copy_ref(o->copy) : NULL;
	bool is_absent = r == 1 && !k.gen;
	if (is_absent) {
		place_done(&at);
		r = -ENOENT;
	} else if (r == 1) {
		fs_unlock(fs);
		r = make_plain_anywhere(fs, &k, &at);
		place_done(&at);
		fs_lock(fs);
	} else if (r == 0) {
		r = -ESTALE;
	}
	if (l->is_named && o->state == OUTPUT_PLACED) {
		if (!r || r == -ESTALE)
			leave_place(fs, o, r ? OUTPUT_STALE : OUTPUT_SETTLED);
		else if (r != -ECANCELED && r != -ERESTART && !is_absent)
			link_log(fs, l, "%s: can't be made a plain file: %s: tried again in %d s", l->name, strerror(-r),
				 RETRY_MS / 1000);
		o->settle_at = r == -ERESTART ? 0 : now_ms() + RETRY_MS;
	}
	copy_unref(fs, k.copy);
	generation_unref(fs, k.gen);
	link_unref(fs, l);
	return r == -ESTALE || is_absent ? 0 : r;
}

/* The list may change while one of them is at work: so each time from the start. */
static struct output *next_due(struct fs *fs, bool everything)
{
	struct output *o;

	TAILQ_FOREACH (o, &fs->outputs->all, all)
		if (o->settle_round != fs->settler->round && is_due(fs, o, everything))
			return o;
	return NULL;
}

/* (lock held; given up for a while) All that is due. Returns how many; those that failed are named in LEFT. */
static unsigned settle_due(struct fs *fs, bool everything, struct text *left)
{
	struct settler *s = fs->settler;
	struct output *o;
	unsigned cnt = 0;

	s->round++;
	while (!s->is_stopping && (o = next_due(fs, everything))) {
		struct link *l = link_ref(o->link);
		o->settle_round = s->round;
		int r = settle(fs, o);
		if (r == -ERESTART)
			o->settle_round = 0; /* when he is done */
		else if (r)
			text_printf(left, "%s: %s\n", l->name, strerror(-r));
		cnt += !r;
		link_unref(fs, l);
	}
	return cnt;
}

/* Looks for the symbolic link of every output: those that nothing shows any more are stale. */
static void look_at_all(struct fs *fs)
{
	struct output *o, *next;

	for (o = TAILQ_FIRST(&fs->outputs->all); o; o = next) {
		struct place at;
		next = TAILQ_NEXT(o, all);
		if (o->state != OUTPUT_PLACED || o->client)
			continue;
		struct link *l = link_ref(o->link);
		if (look(fs, o, &at) == 1)
			place_done(&at);
		next = l->is_named ? TAILQ_NEXT(o, all) : NULL; /* removed: the rest at the next look */
		link_unref(fs, l);
	}
}

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct settler *s = fs->settler;

	/* Linux: of this thread alone. The first: ionice's idle class. */
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 19);
	fs_lock(fs);
	while (!s->is_stopping) {
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += (long)(LOOK_MS % 1000) * 1000000;
		until.tv_sec += LOOK_MS / 1000 + until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (!s->is_woken && !s->is_ending)
			pthread_cond_timedwait(&s->some, &fs->lock, &until);
		s->is_woken = false;
		if (s->is_stopping)
			break;
		struct text left = { 0 };
		bool is_wanted = clients_want(fs, MSG_CLIENT_SETTLE), collects = clients_want(fs, MSG_CLIENT_GC);
		bool is_last = s->is_ending;
		unsigned cnt = settle_due(fs, is_wanted || s->is_leaving, &left);
		if (is_wanted)
			clients_answer(fs, MSG_CLIENT_SETTLE, cnt, left.s ? left.s : "");
		free(left.s);
		if (is_last)
			break;
		look_at_all(fs);
		kept_write_due(fs);
		cnt = outputs_collect(fs, collects);
		if (collects)
			clients_answer(fs, MSG_CLIENT_GC, cnt, "");
	}
	fs_unlock(fs);
	return NULL;
}

int settler_start(struct fs *fs)
{
	struct settler *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	if (!s)
		return -ENOMEM;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->some, &attr);
	pthread_condattr_destroy(&attr);
	fs->settler = s;
	int r = pthread_create(&s->thread, NULL, run, fs);
	if (r) {
		fs->settler = NULL;
		pthread_cond_destroy(&s->some);
		free(s);
	}
	return -r;
}

void settler_stop(struct fs *fs)
{
	struct settler *s = fs->settler;

	if (!s)
		return;
	fs_lock(fs);
	s->is_ending = true;
	if (!s->is_leaving)
		s->is_stopping = true;
	pthread_cond_signal(&s->some);
	fs_unlock(fs);
	pthread_join(s->thread, NULL);
	fs_lock(fs);
	fs->settler = NULL;
	fs_unlock(fs);
	pthread_cond_destroy(&s->some);
	free(s);
}

void settler_leave(struct fs *fs)
{
	struct settler *s = fs->settler;

	if (!s)
		return;
	s->is_stopping = s->is_leaving; /* the second time: at once */
	s->is_leaving = true;
	settler_wake(fs);
}

void settler_wake(struct fs *fs)
{
	if (!fs->settler)
		return;
	fs->settler->is_woken = true;
	pthread_cond_signal(&fs->settler->some);
}
