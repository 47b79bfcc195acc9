/* settle.c - the thread that turns outputs into plain files when the mount is quiet, and forgets what nobody needs.
 *
 * An output whose -o still shows it is copied, at idle priority, into a new file beside it, with the same bytes, mode
 * and times, which then takes the symbolic link's place. The ID stays: whoever copied or renamed the symbolic link
 * still has what it showed, until the budget of outputs.h says otherwise.
 *
 * What is done to -o in the meantime wins: a link that no longer points here makes the output stale, and nothing is
 * written. Failures (a full disk, no permission) are told in the output's log, and tried again later.
 */
#include "outputs.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "pathwalk.h"
#include "place.h"

#define LOOK_MS 1000	    /* how often -o is looked at */
#define RETRY_MS 30000	    /* after a failure */
#define PIECE ((uint64_t)4 << 20) /* copied at once */

struct settler {
	pthread_t thread;
	pthread_cond_t some; /* with fs.lock */
	bool is_woken;
	bool is_stopping;
};

/* --- one output, without the lock --- */

/* What an output's -o is, and what it should show. */
struct place {
	char *target; /* of the symbolic link */
	char *path;
	const char *name;
	int dir_fd;
};

static void place_done(struct place *at)
{
	free(at->target);
	free(at->path);
	cleanup_fd(&at->dir_fd);
}

/* (lock held) */
static bool place_init(struct fs *fs, const struct output *o, struct place *ret)
{
	CLEAN_MEM char *own = output_own_path(o);

	*ret = (struct place){ .dir_fd = -1, .path = strdup(o->link->name) };
	if (!own || !ret->path || asprintf(&ret->target, "%s%s", fs->cfg.mountpoint, own) < 0) {
		ret->target = NULL;
		place_done(ret);
		return false;
	}
	ret->name = strrchr(ret->path, '/') + 1;
	return true;
}

/* Does -o still show it? 1, 0 or -errno: that can't be known now. */
static int is_shown(struct place *at, uint64_t own_dev)
{
	char now[PATH_MAX + 64];
	CLEAN_MEM char *dir = strndup(at->path, at->name - at->path > 1 ? (size_t)(at->name - at->path - 1) : 1);
	struct walker *w = dir ? walker_new(AT_FDCWD, own_dev) : NULL;
	CLEAN_FD int fd = w ? walker_look(w, dir) : -ENOMEM;

	walker_free(w);
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
	ssize_t n = readlinkat(fd, at->name, now, sizeof(now));
	if (n < 0)
		return errno == ENOENT || errno == EINVAL ? 0 : -errno;
	if ((size_t)n != strlen(at->target) || memcmp(now, at->target, (size_t)n))
		return 0;
	if (at->dir_fd < 0)
		at->dir_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return at->dir_fd < 0 ? -errno : 1;
}

/* --- the thread --- */

/* Looks at the -o of every output that stands there: those that show something else by now are stale. */
static void look_at_all(struct fs *fs)
{
	struct output *o, *next;

	for (o = TAILQ_FIRST(&fs->outputs->all); o; o = next) {
		struct place at;
		if (o->state != OUTPUT_PLACED || o->client || !place_init(fs, o, &at)) {
			next = TAILQ_NEXT(o, all);
			continue;
		}
		struct link *l = link_ref(o->link);
		fs_unlock(fs);
		int r = is_shown(&at, fs->own_dev);
		fs_lock(fs);
		place_done(&at);
		next = l->is_named ? TAILQ_NEXT(o, all) : NULL; /* removed: the rest at the next look */
		if (l->is_named && r == 0 && o->state == OUTPUT_PLACED)
			o->state = OUTPUT_STALE;
		link_unref(fs, l);
	}
}

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct settler *s = fs->settler;

	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 19);
	fs_lock(fs);
	while (!s->is_stopping) {
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += (long)(LOOK_MS % 1000) * 1000000;
		until.tv_sec += LOOK_MS / 1000 + until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (!s->is_woken)
			pthread_cond_timedwait(&s->some, &fs->lock, &until);
		s->is_woken = false;
		if (s->is_stopping)
			break;
		if (fs->outputs->cnt) {
			look_at_all(fs);
			outputs_collect(fs, false);
		}
		if (clients_want_settling(fs))
			clients_settled(fs, 0, "");
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
	s->is_stopping = true;
	pthread_cond_signal(&s->some);
	fs_unlock(fs);
	pthread_join(s->thread, NULL);
	fs->settler = NULL;
	pthread_cond_destroy(&s->some);
	free(s);
}

void settler_wake(struct fs *fs)
{
	if (!fs->settler)
		return;
	fs->settler->is_woken = true;
	pthread_cond_signal(&fs->settler->some);
}
