/* outputs.c - what ld.linkfs made: one output per request, under an ID that never shows anything else.
 *
 * An output is a link (struct link: log, reports, generation) without a name in the root and without freshness: it
 * changes when ld.linkfs runs again, which makes another output. Who asked waits in clients.c; how -o comes to show the
 * ID is the client's part; directories are dirs.c's, plain files settle.c's.
 *
 * Outputs are found by ID through a table, and by path by going through them all: that is for reports, for the alias
 * and for a new link of the same -o, and their number is bounded (outputs_collect) but for those that -o still shows.
 */
#include "outputs.h"

#include <inttypes.h>
#include <limits.h>
#include <sys/random.h>

#include "kept.h"
#include "worker_link.h"

int outputs_init(struct fs *fs)
{
	struct outputs *os = calloc(1, sizeof(*os));

	if (!os)
		return -ENOMEM;
	TAILQ_INIT(&os->all);
	if (getrandom(&os->seed, sizeof(os->seed), 0) != sizeof(os->seed))
		os->seed = (uint64_t)timespec_ns(&fs->start_time) ^ (uint64_t)getpid() << 48;
	fs->outputs = os;
	return 0;
}

void outputs_done(struct fs *fs)
{
	kept_close(fs);
	if (!fs->outputs)
		return;
	while (!TAILQ_EMPTY(&fs->outputs->all))
		output_remove(fs, TAILQ_FIRST(&fs->outputs->all));
}

static struct output_bucket *bucket_of(struct outputs *os, const char *id)
{
	return &os->by_id[strtoull(id, NULL, 16) % OUTPUT_BUCKETS];
}

static struct output *find(struct outputs *os, const char *id)
{
	struct output *o;

	LIST_FOREACH (o, bucket_of(os, id), hash)
		if (!strcmp(o->id, id))
			return o;
	return NULL;
}

struct output *output_by_id(struct fs *fs, const char *id)
{
	return find(fs->outputs, id);
}

struct output *output_by_path(struct fs *fs, const char *path)
{
	struct output *o;

	TAILQ_FOREACH_REVERSE(o, &fs->outputs->all, output_list, all)
		if (!strcmp(o->link->name, path))
			return o;
	return NULL;
}

char *output_own_path(const struct output *o)
{
	char *s;

	return asprintf(&s, "/.o/%s%s", o->id, o->link->name) < 0 ? NULL : s;
}

/* A step of splitmix64: every value comes once in 2^64. */
static uint64_t next_id(struct outputs *os)
{
	uint64_t z = os->seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

bool output_path_ok(const char *path)
{
	if (path[0] != '/' || strlen(path) >= RECORD_PATH_MAX)
		return false;
	while (*path) {
		size_t n = strcspn(++path, "/");
		if (!n || n > NAME_MAX || (n == 1 && path[0] == '.') || (n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += n;
	}
	return true;
}

/* ID: NULL: a new one. */
static void insert(struct outputs *os, struct output *o, const char *id)
{
	char fresh[OUTPUT_ID_SZ];

	do
		snprintf(fresh, sizeof(fresh), "%016" PRIx64, next_id(os));
	while (find(os, fresh));
	memcpy(o->id, id ? id : fresh, OUTPUT_ID_SZ);
	o->dir_fd = o->link_fd = -1;
	TAILQ_INIT(&o->writers);
	TAILQ_INSERT_TAIL(&os->all, o, all);
	LIST_INSERT_HEAD(bucket_of(os, o->id), o, hash);
	os->cnt++;
}

/* What is but a log or a reason gives way to its successor. */
static void remove_logs(struct fs *fs, const char *path)
{
	struct output *o, *next;

	for (o = TAILQ_FIRST(&fs->outputs->all); o; o = next) {
		next = TAILQ_NEXT(o, all);
		if ((o->state == OUTPUT_FAILED || o->state == OUTPUT_FILE) && !strcmp(o->link->name, path))
			output_remove(fs, o);
	}
}

int output_new(struct fs *fs, struct client *c, const char *path, char *recipe, mode_t mode, struct output **ret)
{
	struct output *o = calloc(1, sizeof(*o));
	int r = o ? tree_add_output(fs, path, o) : -ENOMEM;

	if (r) {
		free(o);
		return r;
	}
	remove_logs(fs, path);
	struct link *l = o->link;
	l->recipe = recipe;
	l->recipe_sz = strlen(recipe);
	l->recipe_version = 1;
	o->client = c;
	o->mode = mode;
	insert(fs->outputs, o, NULL);
	fs->busy_at = now_ms();
	r = worker_link_link(fs, l);
	if (r) {
		l->recipe = NULL; /* stays the caller's */
		output_remove(fs, o);
		return r;
	}
	*ret = o;
	return 0;
}

void outputs_note(struct fs *fs, const char *path, const char *reason)
{
	struct output *o = calloc(1, sizeof(*o));

	if (!o || tree_add_output(fs, path, o)) {
		free(o);
		return;
	}
	remove_logs(fs, path);
	o->link->reason = strdup(reason);
	o->link->linked_at = time(NULL);
	o->state = OUTPUT_FILE;
	insert(fs->outputs, o, NULL);
}

int output_remember(struct fs *fs, const char *id, const char *path, const char *place, const struct kept_head *head,
		    uint64_t kept_sz)
{
	struct output *o = calloc(1, sizeof(*o));
	struct kept_head *copy = malloc(sizeof(*copy));
	int r = o && copy ? tree_add_output(fs, path, o) : -ENOMEM;

	if (r) {
		free(o);
		free(copy);
		return r;
	}
	*copy = *head;
	o->kept = copy;
	o->place = *place ? strdup(place) : NULL;
	o->kept_ns = head->kept_ns;
	o->kept_sz = kept_sz;
	o->keep = KEEP_DONE;
	o->state = OUTPUT_PLACED;
	o->mode = (mode_t)head->mode;
	o->link->reason = strdup("kept over a restart of the mount");
	o->link->linked_at = head->kept_ns / 1000000000;
	insert(fs->outputs, o, id);
	return 0;
}

/* The link of the same -o before O, of which it is known what it saw. */
static const struct link *predecessor(struct fs *fs, const struct output *o)
{
	struct output *p;

	TAILQ_FOREACH_REVERSE(p, &fs->outputs->all, output_list, all)
		if (p != o && p->link->resolved && p->link->linked_at && !strcmp(p->link->name, o->link->name))
			return p->link;
	return NULL;
}

void output_linked(struct fs *fs, struct output *o, struct generation *gen, struct resolved *resolved, const char *diag,
		   const struct msg_verdict *v, int sides_fd)
{
	struct link *l = o->link;

	if (!l->is_named)
		return; /* removed meanwhile */
	if (!o->client) {
		output_remove(fs, o);
		return;
	}
	fs->count.links_made++;
	fs->busy_at = now_ms();
	text_append(&l->log, diag, strlen(diag));
	l->has_failed = !gen;
	l->gen = generation_ref(gen);
	l->resolved = resolved_ref(resolved);
	l->linked_version = 1;
	l->linked_at = time(NULL);
	l->reason = reason_of_relink(predecessor(fs, o), l);
	o->state = gen ? OUTPUT_MADE : OUTPUT_FAILED;
	if (gen)
		gen->mode = o->mode;
	else if (fs->cfg.is_foreground && !(v && v->needs_lto)) /* its client will ask again */
		fprintf(stderr, "linkfs: %s: the link failed:\n%s", l->name, diag);
	client_verdict(fs, o->client, o, diag, v, sides_fd);
}

void output_go_on(struct fs *fs, struct output *o)
{
	struct link *l = o->link;

	if (!l->is_named)
		return;
	int r = l->has_unseen_dep ? -EIO : worker_link_link(fs, l);
	if (r) {
		const struct msg_verdict none = { 0 };
		char diag[256];
		snprintf(diag, sizeof(diag), "linkfs: error: %s\n",
			 r == -EIO ? "it can't be told whether a live link that it reads is fresh" : strerror(-r));
		output_linked(fs, o, NULL, NULL, diag, &none, -1);
	}
}

struct output *output_free(struct output *o)
{
	if (o) {
		cleanup_fd(&o->dir_fd);
		cleanup_fd(&o->link_fd);
		free(o->kept);
		free(o->place);
		free(o->shown_as);
	}
	free(o);
	return NULL;
}

void output_take_link(struct fs *fs, struct output *o, int link_fd)
{
	if (link_fd >= fs->fd_room / 4)
		close(link_fd); /* inputs need the rest */
	else
		o->link_fd = link_fd;
}

void output_changed(struct output *o)
{
	o->keep_round++;
	if (o->keep == KEEP_DONE)
		o->keep = KEEP_DUE;
}

void output_placed(struct fs *fs, struct output *o, int64_t time_ns, int dir_fd, int link_fd)
{
	struct generation *g = o->link->gen;

	o->dir_fd = dir_fd;
	output_take_link(fs, o, link_fd);
	/* The clock of the build's other files, and never older than what it was made from. */
	if (time_ns > timespec_ns(&g->newest))
		g->mtime = timespec_of_ns(time_ns);
	o->state = OUTPUT_PLACED;
	fs->busy_at = now_ms();
}

int output_setattr(struct fs *fs, struct generation *g, const struct stat *attr, int to_set)
{
	const int times = FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME |
			  FUSE_SET_ATTR_MTIME_NOW | FUSE_SET_ATTR_CTIME;

	if (to_set & ~(times | FUSE_SET_ATTR_MODE))
		return to_set & FUSE_SET_ATTR_SIZE ? -EROFS : -EPERM;
	if (to_set & FUSE_SET_ATTR_MODE)
		g->mode = attr->st_mode & 07777;
	if (to_set & FUSE_SET_ATTR_MTIME_NOW)
		clock_gettime(CLOCK_REALTIME, &g->mtime);
	else if (to_set & FUSE_SET_ATTR_MTIME)
		g->mtime = attr->st_mtim;
	output_changed(g->link->output);
	settler_wake(fs);
	return 0;
}

int output_admit_writer(struct fs *fs, fuse_req_t req, struct output *o, bool *ret_parked)
{
	if (!o->is_placing) {
		o->writes++;
		kept_drop(fs, o);
		return 0;
	}
	struct parked *p = parked_new(req, PARK_DIVERT, o->link, NULL, NULL);
	if (!p)
		return -ENOMEM;
	park_on(fs, &o->writers, p);
	*ret_parked = true;
	return 0;
}

void output_abandon(struct fs *fs, struct output *o)
{
	o->client = NULL;
	if (o->state == OUTPUT_MADE || (o->state == OUTPUT_LINKING && worker_link_cancel(fs, o->link)))
		output_remove(fs, o);
}

void output_remove(struct fs *fs, struct output *o)
{
	struct outputs *os = fs->outputs;
	struct link *l = o->link;
	char own[3 + OUTPUT_ID_SZ];

	kept_drop(fs, o);
	TAILQ_REMOVE(&os->all, o, all);
	LIST_REMOVE(o, hash);
	os->cnt--;
	snprintf(own, sizeof(own), ".o/%s", o->id);
	notifier_forget(fs, own);
	if (o->is_aliased)
		dirs_forget_alias(fs, l->name);
	o->copy = copy_unref(fs, o->copy);
	tree_remove_output(fs, l);
}

/* Can nobody but the holder of a copied symbolic link want it? */
static bool is_left_over(const struct output *o)
{
	const struct generation *g = o->link->gen;

	return o->state >= OUTPUT_SETTLED && !(g && g->opens);
}

unsigned outputs_collect(struct fs *fs, bool all)
{
	struct outputs *os = fs->outputs;
	struct output *o, *next;
	unsigned left = 0, gone = 0;

	TAILQ_FOREACH (o, &os->all, all) {
		if (!is_left_over(o))
			continue;
		left++;
		/* Of each -o the linker process keeps the newest alone: the next link of it has most in common with that. */
		if (o->link->gen && output_by_path(fs, o->link->name) != o)
			worker_link_unload(fs, o->link->gen);
	}
	if (!left)
		return 0;
	for (o = TAILQ_FIRST(&os->all); o; o = next) {
		next = TAILQ_NEXT(o, all);
		if (!is_left_over(o))
			continue;
		if (!all && left <= OUTPUTS_KEPT_MAX && inputs_deleted_bytes(fs) <= OUTPUTS_PINNED_MAX)
			break;
		output_remove(fs, o);
		left--;
		gone++;
	}
	return gone;
}
