/* pass.c - threads that look whether a name exists in a real directory, for names that pass through (dirs.c).
 *
 * A file system that does not answer holds up one of these threads, and the request until its deadline; when all are
 * held up, names do not pass through, and everything else goes on. Nothing on our own mount is ever looked at.
 */
#include "outputs.h"

#include <fcntl.h>

#include "crew.h"
#include "pathwalk.h"

#define PASSERS 3

struct ask {
	struct crew_task task;
	uint64_t id; /* of the request: it may be answered, and gone, before we are done */
	char *real;
	bool is_found;
};

struct passer {
	struct crew *crew;
	struct park_queue waiting; /* their requests */
	uint64_t next_id;
};

static bool exists(const char *real, uint64_t own_dev)
{
	/* The last component itself, not what it points to: the name is all that is asked for. */
	const char *slash = strrchr(real, '/');
	CLEAN_MEM char *dir = strndup(real, slash == real ? 1 : (size_t)(slash - real));
	struct walker *w = dir ? walker_new(AT_FDCWD, own_dev) : NULL;
	CLEAN_FD int fd = w ? walker_look(w, dir) : -ENOMEM;
	struct stat st;

	walker_free(w);
	return fd >= 0 && fstatat(fd, slash + 1, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0;
}

static void ask_free(struct ask *k)
{
	free(k->real);
	free(k);
}

/* No deadline: requests have theirs (park.c), and more of these threads would be held up by the same. */
static void ask_work(struct fs *fs, struct crew_task *t)
{
	struct ask *k = (struct ask *)t;

	fs_unlock(fs);
	bool is_found = exists(k->real, fs->own_dev);
	fs_lock(fs);
	k->is_found = is_found;
}

static void ask_done(struct fs *fs, struct crew_task *t, struct replies *out)
{
	struct ask *k = (struct ask *)t;
	struct parked *p;

	TAILQ_FOREACH (p, &fs->passer->waiting, on)
		if (p->pass_id == k->id)
			break;
	struct node *n = p && k->is_found ? dirs_pass(fs, k->real) : NULL;
	if (n)
		park_answer_entry(fs, p, n, out);
	else if (p) /* else its deadline came first */
		park_answer(fs, p, OUT_ERROR, k->is_found ? ENOMEM : ENOENT, out);
	ask_free(k);
}

static void ask_held(struct fs *fs, struct crew_task *t, struct replies *out)
{
	(void)fs, (void)t, (void)out; /* passer_stop answers all who wait */
}

static void ask_drop(struct fs *fs, struct crew_task *t, struct replies *out)
{
	(void)fs, (void)out;
	ask_free((struct ask *)t);
}

static const struct crew_kind pass_crew = {
	.threads = PASSERS,
	.work = ask_work,
	.done = ask_done,
	.held = ask_held,
	.drop = ask_drop,
};

int passer_start(struct fs *fs)
{
	struct passer *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	TAILQ_INIT(&s->waiting);
	fs->passer = s;
	return crew_start(fs, &pass_crew, &s->crew);
}

bool passer_stop(struct fs *fs)
{
	struct passer *s = fs->passer;
	struct replies out;
	struct parked *p;

	if (!s)
		return true;
	bool is_over = crew_stop(fs, &s->crew);
	replies_init(&out);
	fs_lock(fs);
	while ((p = TAILQ_FIRST(&s->waiting)))
		park_answer(fs, p, OUT_ERROR, ENOENT, &out);
	if (is_over)
		fs->passer = NULL;
	fs_unlock(fs);
	replies_send(fs, &out);
	if (is_over)
		free(s);
	return is_over;
}

void passer_submit(struct fs *fs, struct parked *p, char *real, struct replies *out)
{
	struct passer *s = fs->passer;
	struct ask *k = s && !crew_is_stopping(s->crew) ? calloc(1, sizeof(*k)) : NULL;

	if (!k) {
		free(real);
		park_answer(fs, p, OUT_ERROR, ENOENT, out);
		return;
	}
	k->id = p->pass_id = ++s->next_id;
	k->real = real;
	park_on(fs, &s->waiting, p);
	crew_submit(s->crew, &k->task);
}
