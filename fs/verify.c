/* verify.c - is what a link saw still what is there?
 *
 * Every name the link probed, found or not, is looked at again and compared by identity: by a thread, since a file system
 * may not answer. After fill_timeout= another one takes its place, and the link, of which nobody can say that it is fresh, is
 * failed for as long as the first one is held up.
 *
 * While it looks it has watches set (watch.c), and what is left of the look is the link's vigil: a set of watches; names on
 * our own mount, which are asked for in memory; and the names that must be looked at each time, because they can't be
 * watched, or because they are inputs without a lease, which somebody may write to through a mapping. As long as the set
 * is quiet the next look is short, and where nothing is to be looked at it needs no thread. Where something happened to some
 * names alone, the next look is at these, and when the link was made again and saw everything else as before, the vigil is
 * taken over by a look at these. Whatever else happens to the set, the next look is a whole one and makes another vigil.
 */
#include "crew.h"
#include "custody.h"
#include "outputs.h"
#include "pathwalk.h"
#include "watch.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

/* A name that led to our own mount. */
struct own_name {
	char *rest; /* below the mount point */
	uint64_t gen;
};

/* What is watched for the whole set stays when a part that it was watched for is looked at again: now and then a whole look
 * makes another one. */
#define MENDS_MAX 64

/* By fs.lock once it is a link's; before, by the thread that makes it. */
struct vigil {
	unsigned ref;
	struct resolved *resolved; /* what was compared with what is there, but for the parts that the set tells; referenced */
	struct watch_set *set;	   /* its parts are numbers of probes */
	unsigned mends;	 /* since a whole look made it */
	bool has_lease;	 /* something in it relies on one */
	bool has_failed; /* no memory for all of it */
	uint32_t *rest;	 /* numbers of probes that must be looked at */
	uint32_t rest_cnt, rest_cap;
	struct own_name *own;
	uint32_t own_cnt, own_cap;
};

struct look {
	struct crew_task task;
	struct link *link;	   /* referenced */
	struct resolved *resolved; /* referenced */
	bool is_asked;		   /* somebody waits for it */
	struct vigil *vigil;	   /* the one that stands, is mended or is made; referenced */
	bool is_short;		   /* it stands */
	bool is_mending;	   /* it stands but for PART, and is nobody else's meanwhile */
	uint32_t part[WATCH_TOLD_MAX], part_cnt;
	char *change;		   /* what it found; or, without memory for that, */
	const char *fallback;
	uint64_t stats;
};

/* --- vigils --- */

/* (lock held) */
static struct vigil *vigil_unref(struct fs *fs, struct vigil *v)
{
	if (!v || --v->ref)
		return NULL;
	watch_set_free(fs, v->set);
	resolved_unref(fs, v->resolved);
	while (v->own_cnt)
		free(v->own[--v->own_cnt].rest);
	free(v->own);
	free(v->rest);
	free(v);
	return NULL;
}

/* (lock held) NULL without memory. */
static struct vigil *vigil_new(struct fs *fs, struct resolved *r)
{
	struct vigil *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->ref = 1;
	v->resolved = resolved_ref(r);
	v->set = watch_set_new(fs);
	return v->set ? v : vigil_unref(fs, v);
}

/* Room for one more of ITEM_SZ bytes at *ITEMS. */
static bool grow(void *items, uint32_t cnt, uint32_t *cap, size_t item_sz)
{
	if (cnt < *cap)
		return true;
	uint32_t more = *cap ? *cap * 2 : 16;
	void *p = realloc(*(void **)items, more * item_sz);
	if (!p)
		return false;
	*(void **)items = p;
	*cap = more;
	return true;
}

static void vigil_remove_rest(struct vigil *v, uint32_t probe)
{
	for (uint32_t i = 0; i < v->rest_cnt; i++)
		if (v->rest[i] == probe)
			v->rest[i--] = v->rest[--v->rest_cnt];
}

static void vigil_add_rest(struct vigil *v, uint32_t probe)
{
	if (grow(&v->rest, v->rest_cnt, &v->rest_cap, sizeof(*v->rest)))
		v->rest[v->rest_cnt++] = probe;
	else
		v->has_failed = true;
}

static void vigil_add_own(struct vigil *v, const char *rest, uint64_t gen)
{
	char *copy = grow(&v->own, v->own_cnt, &v->own_cap, sizeof(*v->own)) ? strdup(rest) : NULL;

	if (copy)
		v->own[v->own_cnt++] = (struct own_name){ .rest = copy, .gen = gen };
	else
		v->has_failed = true;
}

/* (lock held) Does the path REST below the mount point still show the generation GEN (0: nothing that can be read)? */
static bool shows(struct fs *fs, const char *rest, uint64_t gen)
{
	struct output *waits;
	char *real;

	const struct node *n = dirs_resolve(fs, rest, &real, &waits);
	free(real);
	return n ? n->id == gen : !gen;
}

/* (lock held) Is all that V covers as it was, and as R has it? */
static bool vigil_stands(struct fs *fs, const struct vigil *v, const struct resolved *r)
{
	if (!v || v->resolved != r || !watch_is_quiet(fs, v->set) || (v->has_lease && !lease_is_sure(fs)))
		return false;
	for (uint32_t i = 0; i < v->own_cnt; i++)
		if (!shows(fs, v->own[i].rest, v->own[i].gen))
			return false;
	return true;
}

static bool has_part(const struct look *k, uint32_t part)
{
	for (uint32_t i = 0; i < k->part_cnt; i++)
		if (k->part[i] == part)
			return true;
	return false;
}

/* Did the link that K is about see what the one before saw, but for K's parts? */
static bool saw_the_same(const struct look *k, const struct resolved *before)
{
	const struct resolved *now = k->resolved;
	const struct record *a = before->record, *b = now->record;

	if (before == now)
		return true;
	if (!before->input || !now->input || a->probe_cnt != b->probe_cnt || strcmp(a->cwd, b->cwd))
		return false;
	for (uint32_t i = 0; i < a->probe_cnt; i++) {
		const struct record_probe *x = &a->probes[i].at, *y = &b->probes[i].at;
		if (strcmp(a->probes[i].path, b->probes[i].path))
			return false;
		if (has_part(k, i))
			continue;
		if (x->open_error != y->open_error || x->stat_error != y->stat_error || x->own != y->own ||
		    (!x->stat_error && !identity_equal(&x->id, &y->id)) || (x->fd_idx < 0) != (y->fd_idx < 0) ||
		    (x->fd_idx >= 0 && before->input[x->fd_idx] != now->input[y->fd_idx]))
			return false;
	}
	return true;
}

/* (lock held) Takes the link's vigil V for K, if looks at some of its probes are enough, and no thread that is held up is at
 * it. */
static bool take_to_mend(struct fs *fs, struct look *k, struct vigil *v)
{
	if (!v || v->ref > 1 || v->own_cnt || v->mends == MENDS_MAX || (v->has_lease && !lease_is_sure(fs)) ||
	    !watch_is_partial(fs, v->set, k->part, &k->part_cnt) || !saw_the_same(k, v->resolved))
		return false;
	watch_renew(fs, v->set, k->part, k->part_cnt);
	for (uint32_t i = 0; i < k->part_cnt; i++)
		vigil_remove_rest(v, k->part[i]);
	v->mends++;
	k->link->vigil = NULL;
	k->vigil = v;
	return true;
}

bool verifier_is_fresh(struct fs *fs, struct link *l)
{
	if (!l->vigil || l->vigil->rest_cnt || !vigil_stands(fs, l->vigil, l->resolved))
		return false;
	fs->count.verify_watched++;
	return true;
}

void verifier_forget(struct fs *fs, struct link *l)
{
	l->vigil = vigil_unref(fs, l->vigil);
}

/* --- looking --- */

/* One pass over the names of a record. */
struct pass {
	struct fs *fs;
	struct look *look;
	struct walker *walker;
	bool is_watching; /* what is looked at is watched, too, */
	uint32_t part;	  /* for this probe */
	bool is_cwd_known;
};

static bool on_step(void *ctx, const struct walk_place *dir, const char *name, bool is_shared)
{
	const struct pass *p = ctx;

	return watch_name(p->fs, p->look->vigil->set, is_shared ? WATCH_WHOLE : p->part, dir, name) == 0;
}

/* The probe P found FD: will a change of it be known? */
static bool watch_found(struct pass *p, const struct probe *probe, int fd)
{
	struct vigil *v = p->look->vigil;
	struct stat st;

	if (probe->at.fd_idx >= 0) { /* bytes of it were read: W9 of watch.c */
		struct input **input = p->look->resolved->input;
		fs_lock(p->fs);
		int r = input ? watch_lease(p->fs, v->set, p->part, input[probe->at.fd_idx]) : -ENOLCK;
		fs_unlock(p->fs);
		if (r)
			return false;
		v->has_lease = true;
	}
	if (fstat(fd, &st) < 0)
		return false;
	struct walk_place at = { .fd = fd,
				 .dev = (uint64_t)major(st.st_dev) << 32 | minor(st.st_dev),
				 .ino = st.st_ino,
				 .is_dir = S_ISDIR(st.st_mode) };
	return watch_file(p->fs, v->set, p->part, &at) == 0;
}

/* Is this answer one that follows from what directories and symbolic links are? Others may be different the next time. */
static bool is_settled(int err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -EACCES || err == -ELOOP || err == -ENAMETOOLONG;
}

/* Looks at probe number I. NULL: it is as it was; else what happened to it. */
static const char *look_at(struct pass *p, uint32_t i)
{
	const struct probe *probe = &p->look->resolved->record->probes[i];
	struct vigil *making = p->is_watching ? p->look->vigil : NULL;
	struct stat st;

	p->look->stats++;
	p->part = i;
	CLEAN_FD int fd = walker_look(p->walker, probe->path);
	int err = fd < 0 ? fd : 0;
	bool is_known = making && walker_is_known(p->walker) && (*probe->path == '/' || p->is_cwd_known);
	if (err == -EDEADLK && (probe->at.own || probe->at.stat_error == err)) {
		const char *rest = walker_rest(p->walker);
		fs_lock(p->fs);
		bool is_same = shows(p->fs, rest, probe->at.own);
		fs_unlock(p->fs);
		if (is_known)
			vigil_add_own(making, rest, probe->at.own);
		else if (making)
			vigil_add_rest(making, i);
		return is_same ? NULL : "changed";
	}
	is_known = is_known && (err ? is_settled(err) : watch_found(p, probe, fd));
	if (making && !is_known)
		vigil_add_rest(making, i);
	if (!err && fstat(fd, &st) < 0)
		err = -errno;
	if (err != probe->at.stat_error || probe->at.own)
		return err ? "vanished" : probe->at.stat_error ? "appeared" : "changed";
	struct msg_identity id = err ? probe->at.id : identity_of(&st);
	return identity_equal(&id, &probe->at.id) ? NULL : "changed";
}

/* The number of the I-th probe that K looks at. */
static uint32_t probe_at(const struct look *k, uint32_t i)
{
	if (!k->is_mending)
		return k->is_short ? k->vigil->rest[i] : i;
	return i < k->part_cnt ? k->part[i] : k->vigil->rest[i - k->part_cnt];
}

static void find_change(struct fs *fs, struct look *k)
{
	const struct record *r = k->resolved->record;
	struct pass p = { .fs = fs, .look = k, .part = WATCH_WHOLE, .is_watching = !k->is_short && k->vigil };
	uint32_t cnt = k->is_short || k->is_mending ? k->part_cnt + k->vigil->rest_cnt : r->probe_cnt;
	const char *what = NULL;

	struct walker *at_root = walker_new(AT_FDCWD, fs->own_dev);
	if (at_root && p.is_watching)
		walker_on_step(at_root, on_step, &p);
	CLEAN_FD int cwd = at_root ? walker_look(at_root, r->cwd) : -ENOMEM;
	p.is_cwd_known = at_root && walker_is_known(at_root);
	p.walker = cwd >= 0 ? walker_new(cwd, fs->own_dev) : NULL;
	if (p.walker && p.is_watching)
		walker_on_step(p.walker, on_step, &p);
	k->fallback = p.walker ? NULL : "its directory is gone";
	for (uint32_t i = 0; p.walker && i < cnt && !what; i++) {
		uint32_t probe = probe_at(k, i);
		if (k->is_mending && i == k->part_cnt) { /* from here on what must be looked at each time */
			p.is_watching = false;
			walker_on_step(p.walker, NULL, NULL);
		}
		what = look_at(&p, probe);
		if (what) {
			k->fallback = "an input changed";
			if (asprintf(&k->change, "%s %s", r->probes[probe].path, what) < 0)
				k->change = NULL;
		}
	}
	walker_free(p.walker);
	walker_free(at_root);
}

/* --- looks as tasks --- */

static void look_work(struct fs *fs, struct crew_task *t)
{
	struct look *k = (struct look *)t;
	struct vigil *v = k->link->resolved == k->resolved ? k->link->vigil : NULL;

	t->deadline = now_ms() + fs->cfg.fill_timeout_ms;
	k->is_short = vigil_stands(fs, v, k->resolved);
	k->is_mending = !k->is_short && take_to_mend(fs, k, v);
	if (k->is_short) {
		k->vigil = v;
		v->ref++;
	} else if (!k->is_mending) {
		if (v)
			verifier_forget(fs, k->link);
		k->vigil = vigil_new(fs, k->resolved);
	}
	if (k->is_short && (!k->is_asked || !v->rest_cnt)) {
		fs->count.verify_watched += k->is_asked;
		return; /* another look came first */
	}
	fs_unlock(fs);
	find_change(fs, k);
	fs_lock(fs);
}

/* (lock held) Only the thread that did it comes here. */
static void look_free(struct fs *fs, struct look *k)
{
	vigil_unref(fs, k->vigil);
	resolved_unref(fs, k->resolved);
	link_unref(fs, k->link);
	free(k->change);
	free(k);
}

/* (lock held) It is the link's again; what it was taken for is still to be looked at. */
static void give_back(struct look *k)
{
	struct link *l = k->link;

	if (!k->is_mending || !k->fallback || k->vigil->has_failed || l->vigil || !l->resolved || !l->is_named)
		return;
	for (uint32_t i = 0; i < k->part_cnt; i++)
		watch_tell(k->vigil->set, k->part[i]);
	l->vigil = k->vigil;
	k->vigil = NULL;
}

/* The vigil that was made is the link's, if that is still the one that was looked at. */
static void keep_vigil(struct fs *fs, struct look *k)
{
	struct link *l = k->link;

	if (k->is_short || k->fallback || !k->vigil || k->vigil->has_failed || l->resolved != k->resolved || !l->is_named)
		return;
	if (k->vigil->resolved != k->resolved) {
		resolved_unref(fs, k->vigil->resolved);
		k->vigil->resolved = resolved_ref(k->resolved);
	}
	vigil_unref(fs, l->vigil); /* another look's */
	l->vigil = k->vigil;
	k->vigil = NULL;
}

static void look_done(struct fs *fs, struct crew_task *t, struct replies *out)
{
	struct look *k = (struct look *)t;

	fs->count.verify_stats += k->stats;
	keep_vigil(fs, k);
	give_back(k);
	if (k->is_asked && t->is_held)
		live_seen(fs, k->link);
	else if (k->is_asked)
		live_verified(fs, k->link, k->resolved, k->change ? k->change : k->fallback, out);
	look_free(fs, k);
}

static void look_held(struct fs *fs, struct crew_task *t, struct replies *out)
{
	struct look *k = (struct look *)t;

	if (k->is_asked)
		live_unseen(fs, k->link, out);
}

static void look_drop(struct fs *fs, struct crew_task *t, struct replies *out)
{
	(void)out;
	look_free(fs, (struct look *)t);
}

static const struct crew_kind verify_crew = {
	.threads = 1,
	.work = look_work,
	.done = look_done,
	.held = look_held,
	.drop = look_drop,
};

int verifier_start(struct fs *fs)
{
	return crew_start(fs, &verify_crew, &fs->verifier);
}

void verifier_sweep(struct fs *fs, struct replies *out)
{
	crew_sweep(fs, fs->verifier, out);
}

bool verifier_stop(struct fs *fs)
{
	return crew_stop(fs, &fs->verifier);
}

int verifier_submit(struct fs *fs, struct link *l, bool is_asked)
{
	struct look *k = crew_is_stopping(fs->verifier) ? NULL : calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	k->link = link_ref(l);
	k->resolved = resolved_ref(l->resolved);
	k->is_asked = is_asked;
	crew_submit(fs->verifier, &k->task);
	return 0;
}
