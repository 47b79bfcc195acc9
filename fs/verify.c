/* verify.c - the thread that looks at files: is what a link saw still what is there?
 *
 * Every name the link probed, found or not, is looked at again and compared by identity. A file system that does not
 * answer holds up this thread alone: requests in the mount have their deadlines. (Watches will answer instead of most
 * of these looks; this remains what they fall back to.)
 */
#include "outputs.h"
#include "pathwalk.h"

#include <fcntl.h>

struct look {
	STAILQ_ENTRY(look) on;
	struct link *link;	   /* referenced */
	struct resolved *resolved; /* referenced */
};

struct verifier {
	pthread_t thread;
	pthread_cond_t some; /* with fs.lock */
	STAILQ_HEAD(look_list, look) looks;
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
	char *real;

	fs_lock(fs);
	const struct node *n = dirs_resolve(fs, rest, &real);
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

static void *run(void *arg)
{
	struct fs *fs = arg;
	struct verifier *v = fs->verifier;
	struct look *k;

	fs_lock(fs);
	for (;;) {
		while (!v->is_stopping && STAILQ_EMPTY(&v->looks))
			pthread_cond_wait(&v->some, &fs->lock);
		if (v->is_stopping)
			break;
		k = STAILQ_FIRST(&v->looks);
		STAILQ_REMOVE_HEAD(&v->looks, on);
		fs_unlock(fs);

		const char *fallback;
		CLEAN_MEM char *change = find_change(fs, k->resolved->record, &fallback);
		struct replies out;
		replies_init(&out);

		fs_lock(fs);
		live_verified(fs, k->link, k->resolved, change ? change : fallback, &out);
		resolved_unref(fs, k->resolved);
		link_unref(fs, k->link);
		fs_unlock(fs);
		free(k);
		replies_send(fs, &out);
		fs_lock(fs);
	}
	fs_unlock(fs);
	return NULL;
}

int verifier_start(struct fs *fs)
{
	struct verifier *v = calloc(1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	STAILQ_INIT(&v->looks);
	pthread_cond_init(&v->some, NULL);
	fs->verifier = v;
	int r = pthread_create(&v->thread, NULL, run, fs);
	if (r) {
		fs->verifier = NULL;
		pthread_cond_destroy(&v->some);
		free(v);
	}
	return -r;
}

void verifier_stop(struct fs *fs)
{
	struct verifier *v = fs->verifier;
	struct look *k;

	if (!v)
		return;
	fs_lock(fs);
	v->is_stopping = true;
	pthread_cond_signal(&v->some);
	fs_unlock(fs);
	pthread_join(v->thread, NULL);
	fs_lock(fs);
	while ((k = STAILQ_FIRST(&v->looks))) {
		STAILQ_REMOVE_HEAD(&v->looks, on);
		resolved_unref(fs, k->resolved);
		link_unref(fs, k->link);
		free(k);
	}
	fs->verifier = NULL;
	fs_unlock(fs);
	pthread_cond_destroy(&v->some);
	free(v);
}

int verifier_submit(struct fs *fs, struct link *l)
{
	struct verifier *v = fs->verifier;
	struct look *k = v ? calloc(1, sizeof(*k)) : NULL;

	if (!k)
		return -ENOMEM;
	k->link = link_ref(l);
	k->resolved = resolved_ref(l->resolved);
	STAILQ_INSERT_TAIL(&v->looks, k, on);
	pthread_cond_signal(&v->some);
	return 0;
}
