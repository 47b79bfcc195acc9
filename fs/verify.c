/* verify.c - the thread that looks at files: is what a link saw still what is there?
 *
 * Every name the link probed, found or not, is looked at again and compared by identity. A file system that does not
 * answer holds up the thread; after fill_timeout= another one takes its place, and the link, of which nobody can say
 * that it is fresh, is failed for as long as the first one is held up. (Watches will answer instead of most of these
 * looks; this remains what they fall back to.)
 */
#include "outputs.h"
#include "pathwalk.h"

#include <fcntl.h>

#define STOP_PATIENCE_S 1

struct look {
	TAILQ_ENTRY(look) on;
	struct link *link;	   /* referenced */
	struct resolved *resolved; /* referenced */
	int64_t deadline;	   /* of one being done */
	bool is_held;		   /* it passed: another thread goes on with the others */
};

struct verifier {
	pthread_cond_t some, idle; /* with fs.lock */
	TAILQ_HEAD(look_list, look) looks, doing;
	unsigned threads; /* that are not held up: one, or none while there is no memory for it */
	unsigned held;
	bool is_stopping;
};

static char *describe(const struct probe *p, const char *what)
{
	char *s = NULL;

	return asprintf(&s, "%s %s", p->path, what) < 0 ? NULL : s;
}

/* Does the path REST below the mount point still show the generation GEN (0: nothing that can be read)? */
static bool shows(struct fs *fs, const char *rest, uint64_t gen)
{
	struct output *waits;
	char *real;

	fs_lock(fs);
	const struct node *n = dirs_resolve(fs, rest, &real, &waits);
	bool same = n ? n->id == gen : !gen;
	fs_unlock(fs);
	free(real);
	return same;
}

/* NULL: nothing changed; otherwise a text to free. Without memory for it, a static one in *FALLBACK. */
static char *find_change(struct fs *fs, const struct record *r, const char **fallback)
{
	uint64_t own_dev = fs->own_dev;
	struct walker *at_root = walker_new(AT_FDCWD, own_dev);
	CLEAN_FD int cwd = at_root ? walker_look(at_root, r->cwd) : -ENOMEM;
	struct walker *w = cwd >= 0 ? walker_new(cwd, own_dev) : NULL;
	char *change = NULL;

	*fallback = w ? NULL : "its directory is gone";
	for (uint32_t i = 0; w && i < r->probe_cnt && !*fallback; i++) {
		const struct probe *p = &r->probes[i];
		struct stat st;
		int err = walker_stat(w, p->path, &st);
		const char *what = NULL;
		if (err == -EDEADLK && (p->at.own || p->at.stat_error == err)) {
			what = shows(fs, walker_rest(w), p->at.own) ? NULL : "changed";
		} else if (err != p->at.stat_error || p->at.own) {
			what = err ? "vanished" : p->at.stat_error ? "appeared" : "changed";
		} else if (!err) {
			struct msg_identity id = identity_of(&st);
			what = identity_equal(&id, &p->at.id) ? NULL : "changed";
		}
		if (what) {
			*fallback = "an input changed";
			change = describe(p, what);
		}
	}
	walker_free(w);
	walker_free(at_root);
	return change;
}

/* (lock held) Only the thread that did it comes here. */
static void look_free(struct fs *fs, struct look *k)
{
	resolved_unref(fs, k->resolved);
	link_unref(fs, k->link);
	free(k);
}

/* (lock held; not while looking) Is this thread to go on? */
static bool do_look(struct fs *fs, struct look *k)
{
	struct verifier *v = fs->verifier;
	const char *fallback;
	struct replies out;

	TAILQ_INSERT_TAIL(&v->doing, k, on);
	k->deadline = now_ms() + fs->cfg.fill_timeout_ms;
	fs_unlock(fs);
	char *change = find_change(fs, k->resolved->record, &fallback);
	replies_init(&out);
	fs_lock(fs);
	if (k->is_held && v->is_stopping) {
		free(change); /* nobody waits for us, and what we refer to stays as it is */
		return false;
	}
	TAILQ_REMOVE(&v->doing, k, on);
	bool was_held = k->is_held;
	v->held -= was_held;
	if (was_held)
		live_seen(fs, k->link);
	else
		live_verified(fs, k->link, k->resolved, change ? change : fallback, &out);
	look_free(fs, k);
	fs_unlock(fs);
	free(change);
	replies_send(fs, &out);
	fs_lock(fs);
	return !was_held;
}

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct verifier *v = fs->verifier;
	bool goes_on = true;

	fs_lock(fs);
	while (goes_on && !v->is_stopping) {
		struct look *k = TAILQ_FIRST(&v->looks);
		if (k) {
			TAILQ_REMOVE(&v->looks, k, on);
			goes_on = do_look(fs, k);
		} else {
			pthread_cond_wait(&v->some, &fs->lock);
		}
	}
	if (goes_on && --v->threads == 0)
		pthread_cond_signal(&v->idle);
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
	fs->verifier->threads += !r;
	return -r;
}

int verifier_start(struct fs *fs)
{
	struct verifier *v = calloc(1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	TAILQ_INIT(&v->looks);
	TAILQ_INIT(&v->doing);
	pthread_cond_init(&v->some, NULL);
	pthread_cond_init(&v->idle, NULL);
	fs_lock(fs);
	fs->verifier = v;
	int r = start_thread(fs);
	fs_unlock(fs);
	return r;
}

/* (lock held) */
static void hold(struct verifier *v, struct look *k)
{
	k->is_held = true;
	v->held++;
	v->threads--;
}

void verifier_sweep(struct fs *fs, struct replies *out)
{
	struct verifier *v = fs->verifier;
	int64_t now = now_ms();
	struct look *k;

	if (!v)
		return;
	TAILQ_FOREACH (k, &v->doing, on) {
		if (k->is_held || now < k->deadline)
			continue;
		hold(v, k);
		live_unseen(fs, k->link, out);
	}
	if (!v->threads && !v->is_stopping)
		start_thread(fs); /* without memory: at the next tick */
}

bool verifier_stop(struct fs *fs)
{
	struct verifier *v = fs->verifier;
	struct timespec until;
	struct look *k;

	if (!v)
		return true;
	fs_lock(fs);
	v->is_stopping = true;
	pthread_cond_broadcast(&v->some);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_PATIENCE_S;
	while (v->threads && pthread_cond_timedwait(&v->idle, &fs->lock, &until) == 0)
		;
	TAILQ_FOREACH (k, &v->doing, on)
		if (!k->is_held)
			hold(v, k);
	while ((k = TAILQ_FIRST(&v->looks))) {
		TAILQ_REMOVE(&v->looks, k, on);
		look_free(fs, k);
	}
	bool is_over = !v->held;
	if (is_over)
		fs->verifier = NULL;
	fs_unlock(fs);
	if (is_over) {
		pthread_cond_destroy(&v->some);
		pthread_cond_destroy(&v->idle);
		free(v);
	}
	return is_over;
}

int verifier_submit(struct fs *fs, struct link *l)
{
	struct verifier *v = fs->verifier;
	struct look *k = v && !v->is_stopping ? calloc(1, sizeof(*k)) : NULL;

	if (!k)
		return -ENOMEM;
	k->link = link_ref(l);
	k->resolved = resolved_ref(l->resolved);
	TAILQ_INSERT_TAIL(&v->looks, k, on);
	pthread_cond_signal(&v->some);
	return 0;
}
