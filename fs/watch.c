/* watch.c - inotify for live links: see watch.h.
 *
 * One inotify instance; a watch is the kernel's mark on an inode, shared by all sets, and found by its number (wd). A set
 * uses keys: (watch, hash of a name in it), (watch, SELF), (watch, ANY name), (input, LEASE). Events that no set has a key for
 * cost nothing: a build writes many files beside those that a link reads.
 *
 *  W1. Watch, then look. A key is in the table before the file system is asked what it stands for (watch_name, watch_file),
 *      so a change is either seen by that look or tells the set. Replacing a file between stat and watch can't happen.
 *  W2. The kernel queues events before the call that made the change returns; the queue is emptied under fs.lock at every
 *      question (watch_is_quiet) and by the thread in between. So an answer knows of every change that its asker can know
 *      to be over. (Who sees another's rename() before it has returned can be some microseconds ahead.)
 *  W3. Every directory on the way to a name is watched, from the root, "." of the link's own directory among them: an
 *      ancestor renamed, replaced or removed is an event of its name in its own parent. A watch names an inode, not a path.
 *  W4. The name of a symbolic link is watched in its directory. That is enough: one can't be changed, only replaced. The
 *      steps of its target are steps like others.
 *  W5. ".." means another directory only after the directory itself moved: SELF of each one on the way (IN_MOVE_SELF).
 *  W6. Where nothing was found, the walk ended in the deepest directory that exists, with the missing name watched in it.
 *  W7. A mount or umount changes names without an event: /proc/self/mountinfo is polled at every question, by a descriptor
 *      that nobody else polls (a poll takes the news), and compared with what it was. Whoever has walked through, or would
 *      now walk through, a mount point has its last name among those watched, in whichever directory: these sets are told.
 *      The end of a file system is an event of each watch in it.
 *  W8. Overflow of the queue, and any error in reading it, tells all sets.
 *  W9. A store through a shared mapping makes no event. A lease can be had only while nobody has the file open for
 *      writing, and is broken by who then opens it: a file without one is not watched but looked at (verify.c). The break
 *      tells the set before the writer goes on (lease.c).
 * W10. Only file systems known to tell are believed (mountinfo_is_believed), asked once per device and set. A directory that
 *      takes names in either case (casefold) is not: an event's name need not be the one that was looked for. (That an
 *      empty directory is made one, while it is watched, is no event.)
 * W11. A wd belongs to `arming` from inotify_add_watch until it is in the table, and again when it is taken out: the
 *      kernel gives the same wd for the same inode, so a removal in between would take the new user's.
 * W12. What one part of a set alone relies on tells that part: the steps a walker takes for one path, and the file it finds
 *      there. What it remembers for others (the directories before the last name), every directory's own moving, and what two
 *      parts came to use, tell the whole set.
 * W13. A watch without users stays for a while, for the next look at the same names, or until another one is wanted and the
 *      budget is used up. Beyond the budget nothing is added.
 *
 * Order of locks: arming, then fs.lock. `arming` is never waited for with fs.lock, nor by the thread.
 */
#include "watch.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

#include "mountinfo.h"
#include "pathwalk.h"

#ifndef FS_CASEFOLD_FL
#define FS_CASEFOLD_FL 0x40000000
#endif

#define DIR_EVENTS                                                                                                     \
	(IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define FILE_EVENTS (IN_ATTRIB | IN_MODIFY | IN_DELETE_SELF | IN_MOVE_SELF)
#define REST_MS	    100 /* between two rounds of the thread: events come in heaps */
#define WATCH_BUCKETS 4096
#define USE_BUCKETS   32768
#define DEVS	    8
#define REAP_MAX    64
#define MOUNT_ROUNDS 4

/* What a use is of, beside the hash of a name, which is larger. */
enum { SELF, ANY, LEASE, NAMES };

struct mark {
	LIST_ENTRY(mark) hash;
	TAILQ_ENTRY(mark) idle; /* while uses is 0 */
	int wd;			 /* -1: the kernel has dropped it */
	unsigned uses;
};

struct use {
	LIST_ENTRY(use) hash;
	SLIST_ENTRY(use) next; /* of its set */
	struct watch_set *set;
	struct mark *mark; /* NULL: of an input's lease */
	const void *of;	     /* the watch or the input */
	uint64_t name;
	uint32_t part;
};

struct watch_set {
	TAILQ_ENTRY(watch_set) all;
	SLIST_HEAD(, use) uses;
	bool has_changed; /* all of it */
	uint32_t told[WATCH_TOLD_MAX], told_cnt; /* parts that have */
	/* The directory watched last, which is the same one as long as this set is quiet, and the watch on it; NULL: none. */
	uint64_t last_dev, last_ino;
	struct mark *last;
	/* By the one thread that makes it: devices and whether they are believed. */
	struct {
		uint64_t dev;
		int is_believed;
	} devs[DEVS];
	unsigned dev_cnt;
};

struct watches {
	int fd, mounts_fd; /* -1: nothing is watched */
	int wake_fd;
	pthread_t thread;
	bool has_thread, is_stopping;
	pthread_mutex_t arming;
	struct mount_table mounts;
	uint64_t max, cnt; /* of watches; cnt: in the kernel */
	TAILQ_HEAD(set_list, watch_set) sets;
	TAILQ_HEAD(idle_list, mark) idle;
	LIST_HEAD(mark_bucket, mark) by_wd[WATCH_BUCKETS];
	LIST_HEAD(use_bucket, use) by_key[USE_BUCKETS];
};

static uint64_t mix(uint64_t h)
{
	h *= 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

/* Two names with one hash tell each other's sets: a look for nothing. */
static uint64_t hash_of(const char *name)
{
	uint64_t h = 14695981039346656037ull;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211ull;
	return h < NAMES ? NAMES : h;
}

static struct use_bucket *bucket_of(struct watches *w, const void *of, uint64_t name)
{
	return &w->by_key[mix(mix((uint64_t)(uintptr_t)of) + name) % USE_BUCKETS];
}

static struct mark *find_mark(struct watches *w, int wd)
{
	struct mark *x;

	LIST_FOREACH (x, &w->by_wd[(unsigned)wd % WATCH_BUCKETS], hash)
		if (x->wd == wd)
			return x;
	return NULL;
}

/* --- what happens --- */

void watch_tell(struct watch_set *s, uint32_t part)
{
	for (uint32_t i = 0; i < s->told_cnt; i++)
		if (s->told[i] == part)
			return;
	if (part == WATCH_WHOLE || s->told_cnt == WATCH_TOLD_MAX)
		s->has_changed = true;
	else
		s->told[s->told_cnt++] = part;
}

static void tell(struct watches *w, const void *of, uint64_t name)
{
	struct use *u;

	LIST_FOREACH (u, bucket_of(w, of, name), hash)
		if (u->of == of && u->name == name)
			watch_tell(u->set, u->part);
}

static void tell_all(struct watches *w)
{
	struct watch_set *s;

	TAILQ_FOREACH (s, &w->sets, all)
		s->has_changed = true;
}

/* The kernel has none any more by the number of X. */
static void drop_wd(struct watches *w, struct mark *x)
{
	LIST_REMOVE(x, hash);
	x->wd = -1;
	w->cnt--;
	if (x->uses)
		return;
	TAILQ_REMOVE(&w->idle, x, idle);
	free(x);
}

static void on_event(struct watches *w, const struct inotify_event *e)
{
	struct mark *x = e->wd < 0 ? NULL : find_mark(w, e->wd);

	if (e->mask & IN_Q_OVERFLOW)
		tell_all(w); /* W8 */
	if (!x)
		return; /* nobody uses it any more */
	if (e->len && e->name[0]) {
		tell(w, x, hash_of(e->name));
		tell(w, x, ANY);
	} else {
		tell(w, x, SELF);
	}
	if (e->mask & IN_IGNORED)
		drop_wd(w, x);
}

/* Any directory may be the one that is mounted over; who walks through a mount point names it. */
static void on_mount(void *ctx, const char *mountpoint)
{
	struct watches *w = ctx;
	uint64_t name = hash_of(strrchr(mountpoint, '/') + 1);
	struct use *u;

	if (!strcmp(mountpoint, "/"))
		tell_all(w);
	for (size_t i = 0; i < USE_BUCKETS; i++)
		LIST_FOREACH (u, &w->by_key[i], hash)
			if (u->name == name)
				u->set->has_changed = true;
}

/* A table that changes while it is read may lack a line: it counts when nothing happened meanwhile. */
static void drain_mounts(struct watches *w)
{
	struct pollfd pf = { .fd = w->mounts_fd, .events = POLLPRI };

	for (int i = 0; poll(&pf, 1, 0) != 0; i++) {
		if (i == MOUNT_ROUNDS || mount_table_update(&w->mounts, w->mounts_fd, on_mount, w)) {
			tell_all(w);
			return;
		}
	}
}

static void drain(struct watches *w)
{
	char buf[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	if (w->fd < 0)
		return;
	while ((errno = 0, n = read(w->fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const struct inotify_event *)(void *)(buf + at);
			on_event(w, e);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
	if (errno != EAGAIN)
		tell_all(w); /* W8 */
	drain_mounts(w); /* W7 */
}

bool watch_is_quiet(struct fs *fs, const struct watch_set *s)
{
	drain(fs->watches);
	return !s->has_changed && !s->told_cnt;
}

bool watch_is_partial(struct fs *fs, const struct watch_set *s, uint32_t ret_parts[WATCH_TOLD_MAX], uint32_t *ret_cnt)
{
	drain(fs->watches);
	if (s->has_changed)
		return false;
	memcpy(ret_parts, s->told, sizeof(s->told));
	*ret_cnt = s->told_cnt;
	return true;
}

void watch_lease_broken(struct fs *fs, const struct input *i)
{
	tell(fs->watches, i, LEASE);
}

uint64_t watches_cnt(const struct fs *fs)
{
	return fs->watches->cnt;
}

/* --- sets --- */

static void wake(struct watches *w)
{
	uint64_t one = 1;
	ssize_t n = w->wake_fd < 0 ? 0 : write(w->wake_fd, &one, sizeof(one));

	(void)n; /* full means it will wake anyway */
}

struct watch_set *watch_set_new(struct fs *fs)
{
	struct watch_set *s = calloc(1, sizeof(*s));

	if (s) {
		SLIST_INIT(&s->uses);
		TAILQ_INSERT_TAIL(&fs->watches->sets, s, all);
	}
	return s;
}

static void mark_let_go(struct watches *w, struct mark *x)
{
	if (--x->uses)
		return;
	if (x->wd < 0) {
		free(x);
		return;
	}
	if (TAILQ_EMPTY(&w->idle))
		wake(w);
	TAILQ_INSERT_TAIL(&w->idle, x, idle);
}

/* The use that *AT, a link of its set's list, leads to. */
static void use_free(struct watches *w, struct use **at)
{
	struct use *u = *at;

	*at = SLIST_NEXT(u, next);
	LIST_REMOVE(u, hash);
	if (u->mark)
		mark_let_go(w, u->mark);
	free(u);
}

void watch_renew(struct fs *fs, struct watch_set *s, const uint32_t *part, uint32_t cnt)
{
	struct use **at = &SLIST_FIRST(&s->uses);

	s->dev_cnt = 0; /* if nothing else relied on one of them, its number may be another's by now */
	s->told_cnt = 0;
	while (cnt && *at) {
		uint32_t i = 0;
		while (i < cnt && (*at)->part != part[i])
			i++;
		if (i < cnt)
			use_free(fs->watches, at);
		else
			at = &SLIST_NEXT(*at, next);
	}
}

struct watch_set *watch_set_free(struct fs *fs, struct watch_set *s)
{
	struct watches *w = fs->watches;

	if (!s)
		return NULL;
	while (!SLIST_EMPTY(&s->uses))
		use_free(w, &SLIST_FIRST(&s->uses));
	TAILQ_REMOVE(&w->sets, s, all);
	free(s);
	return NULL;
}

/* S is told of (OF, NAME) from now on, for PART. X: the watch, where it is one. */
static int use(struct watches *w, struct watch_set *s, uint32_t part, struct mark *x, const void *of, uint64_t name)
{
	struct use_bucket *b = bucket_of(w, of, name);
	struct use *u;

	LIST_FOREACH (u, b, hash) /* the newest come first: another one of this set, then */
		if (u->of == of && u->name == name) {
			if (u->set != s)
				break;
			u->part = u->part == part ? part : WATCH_WHOLE; /* W12 */
			return 0;
		}
	u = malloc(sizeof(*u));
	if (!u)
		return -ENOMEM;
	*u = (struct use){ .set = s, .mark = x, .of = of, .name = name, .part = part };
	LIST_INSERT_HEAD(b, u, hash);
	SLIST_INSERT_HEAD(&s->uses, u, next);
	if (x && x->uses++ == 0)
		TAILQ_REMOVE(&w->idle, x, idle);
	return 0;
}

int watch_lease(struct fs *fs, struct watch_set *s, uint32_t part, const struct input *i)
{
	return i->lease_fd < 0 || i->is_breaking ? -ENOLCK : use(fs->watches, s, part, NULL, i, LEASE);
}

/* --- watching --- */

/* W10 */
static bool is_believed(struct watch_set *s, int fd, uint64_t dev)
{
	for (unsigned i = 0; i < s->dev_cnt && i < DEVS; i++)
		if (s->devs[i].dev == dev)
			return s->devs[i].is_believed;
	bool is_believed = mountinfo_is_believed(fd);
	unsigned at = s->dev_cnt++ % DEVS;
	s->devs[at].dev = dev;
	s->devs[at].is_believed = is_believed;
	return is_believed;
}

static bool folds_case(const char *proc)
{
	CLEAN_FD int fd = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	int flags = 0;

	return fd < 0 || (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_CASEFOLD_FL));
}

/* (arming held) Some of those without users go. True: there are more. */
static bool reap(struct fs *fs)
{
	struct watches *w = fs->watches;
	int wd[REAP_MAX];
	unsigned n = 0;
	struct mark *x;

	fs_lock(fs);
	while (n < REAP_MAX && (x = TAILQ_FIRST(&w->idle))) {
		wd[n++] = x->wd;
		drop_wd(w, x);
	}
	bool is_more = !TAILQ_EMPTY(&w->idle);
	fs_unlock(fs);
	for (unsigned i = 0; i < n; i++)
		inotify_rm_watch(w->fd, wd[i]); /* fails where it was gone already */
	return is_more;
}

/* (arming held) The watch on FD, new or not, without a use yet; NULL with *RET_ERR. Takes the lock on success. */
static struct mark *arm(struct fs *fs, int fd, bool is_dir, int *ret_err)
{
	struct watches *w = fs->watches;
	char proc[40];

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	int wd = inotify_add_watch(w->fd, proc, is_dir ? DIR_EVENTS : FILE_EVENTS);
	if (wd < 0) {
		*ret_err = -errno;
		return NULL;
	}
	fs_lock(fs);
	struct mark *x = find_mark(w, wd);
	if (x)
		return x;
	bool is_full = w->cnt >= w->max, has_idle = !TAILQ_EMPTY(&w->idle);
	fs_unlock(fs);
	if (is_full && has_idle)
		reap(fs);
	*ret_err = is_full && !has_idle ? -ENOSPC : -ENOMEM;
	x = is_full && !has_idle ? NULL : calloc(1, sizeof(*x));
	if (x && is_dir && folds_case(proc)) {
		*ret_err = -EOPNOTSUPP;
		free(x);
		x = NULL;
	}
	if (!x) {
		inotify_rm_watch(w->fd, wd);
		return NULL;
	}
	x->wd = wd;
	fs_lock(fs);
	LIST_INSERT_HEAD(&w->by_wd[(unsigned)wd % WATCH_BUCKETS], x, hash);
	TAILQ_INSERT_TAIL(&w->idle, x, idle);
	w->cnt++;
	return x;
}

static int watch_inode(struct fs *fs, struct watch_set *s, uint32_t part, const struct walk_place *at, uint64_t name)
{
	struct watches *w = fs->watches;
	int r = -EOPNOTSUPP;

	if (w->fd < 0 || !is_believed(s, at->fd, at->dev))
		return r;
	pthread_mutex_lock(&w->arming); /* W11 */
	struct mark *x = arm(fs, at->fd, at->is_dir, &r);
	if (x) {
		r = use(w, s, at->is_dir ? WATCH_WHOLE : part, x, x, SELF);
		if (!r && name != SELF)
			r = use(w, s, part, x, x, name);
		if (!r && at->is_dir) {
			s->last = x;
			s->last_dev = at->dev;
			s->last_ino = at->ino;
		}
		fs_unlock(fs);
	}
	pthread_mutex_unlock(&w->arming);
	return r;
}

int watch_name(struct fs *fs, struct watch_set *s, uint32_t part, const struct walk_place *dir, const char *name)
{
	uint64_t hash = strcmp(name, "..") ? hash_of(name) : SELF;

	fs_lock(fs);
	struct mark *x = s->last && s->last_dev == dir->dev && s->last_ino == dir->ino ? s->last : NULL;
	bool is_watched = x && x->wd >= 0 && use(fs->watches, s, hash == SELF ? WATCH_WHOLE : part, x, x, hash) == 0;
	fs_unlock(fs);
	return is_watched ? 0 : watch_inode(fs, s, part, dir, hash);
}

int watch_file(struct fs *fs, struct watch_set *s, uint32_t part, const struct walk_place *at)
{
	return watch_inode(fs, s, part, at, at->is_dir ? ANY : SELF);
}

/* --- the thread --- */

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct watches *w = fs->watches;
	struct pollfd pf[] = { { .fd = w->wake_fd, .events = POLLIN }, { .fd = w->fd, .events = POLLIN } };
	bool is_more = false;

	for (;;) {
		uint64_t drop;
		poll(pf, 2, is_more ? REST_MS : -1);
		ssize_t n = read(w->wake_fd, &drop, sizeof(drop));
		(void)n; /* nothing there: it was something else */
		fs_lock(fs);
		drain(w);
		bool is_over = w->is_stopping;
		is_more = !TAILQ_EMPTY(&w->idle);
		fs_unlock(fs);
		if (is_over)
			return NULL;
		poll(pf, 1, REST_MS);
		if (is_more && pthread_mutex_trylock(&w->arming) == 0) {
			while (reap(fs))
				;
			pthread_mutex_unlock(&w->arming);
			is_more = false;
		}
	}
}

/* The user has other programs. */
static uint64_t default_max(void)
{
	return sysctl_number("/proc/sys/fs/inotify/max_user_watches") / 4;
}

int watches_start(struct fs *fs)
{
	struct watches *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	TAILQ_INIT(&w->sets);
	TAILQ_INIT(&w->idle);
	pthread_mutex_init(&w->arming, NULL);
	w->max = fs->cfg.watches < 0 ? default_max() : (uint64_t)fs->cfg.watches;
	w->fd = w->max ? inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1;
	w->mounts_fd = w->fd < 0 ? -1 : open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	w->wake_fd = w->fd < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->mounts_fd < 0 || w->wake_fd < 0) {
		cleanup_fd(&w->fd);
		w->fd = -1;
	}
	if (w->fd >= 0 && mount_table_update(&w->mounts, w->mounts_fd, on_mount, w)) {
		cleanup_fd(&w->fd);
		w->fd = -1;
	}
	fs->watches = w;
	int r = w->fd < 0 ? 0 : pthread_create(&w->thread, NULL, run, fs);
	w->has_thread = w->fd >= 0 && !r;
	return -r;
}

void watches_stop(struct fs *fs)
{
	struct watches *w = fs->watches;

	if (!w || !w->has_thread)
		return;
	fs_lock(fs);
	w->is_stopping = true;
	fs_unlock(fs);
	wake(w);
	pthread_join(w->thread, NULL);
	w->has_thread = false;
}

void watches_done(struct fs *fs)
{
	struct watches *w = fs->watches;
	struct mark *x;

	if (!w)
		return;
	while ((x = TAILQ_FIRST(&w->idle)))
		drop_wd(w, x);
	mount_table_done(&w->mounts);
	cleanup_fd(&w->fd);
	cleanup_fd(&w->mounts_fd);
	cleanup_fd(&w->wake_fd);
	pthread_mutex_destroy(&w->arming);
	free(w);
	fs->watches = NULL;
}
