/* dirs.c - directories that exist because an output lies below them.
 *
 * Below .o/ID stands the whole path of one output and nothing else; below the root the paths of all, each showing the
 * newest link of that -o; below .linkfs/log, info and map the same paths again. Nobody makes or removes such a
 * directory: lookups find it from the outputs' paths.
 *
 * Below .o and the root any other name that exists in the real directory of that path is a symbolic link to it, so that
 * $ORIGIN and data found relative to /proc/self/exe work. Whether it exists is pass.c's question.
 */
#include "outputs.h"

static struct dir_bucket *bucket_of(struct outputs *os, enum node_kind at, const struct link *l, const char *path)
{
	uint64_t h = 0xcbf29ce484222325ull ^ (uint64_t)at ^ (l ? l->serial << 8 : 0);

	for (const char *s = path; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3ull;
	return &os->dirs[(h >> 16) % DIR_BUCKETS];
}

/* The directory (or what passes through: NODE_PASS) with that key, made when it is missing. NULL without memory. */
static struct node *get(struct fs *fs, enum node_kind kind, enum node_kind at, struct link *l, const char *path)
{
	struct dir_bucket *b = bucket_of(fs->outputs, at, l, path);
	struct dir *d;

	LIST_FOREACH (d, b, hash)
		if (d->node.kind == kind && d->at == at && d->link == l && !strcmp(d->path, path))
			return &d->node;
	d = calloc(1, sizeof(*d));
	char *copy = strdup(path);
	if (!d || !copy) {
		free(d);
		free(copy);
		return NULL;
	}
	*d = (struct dir){ .at = at, .link = link_ref(l), .path = copy };
	d->node = (struct node){ .id = tree_next_id(&fs->tree), .kind = kind, .dir = d };
	tree_add_node(&fs->tree, &d->node);
	LIST_INSERT_HEAD(b, d, hash);
	return &d->node;
}

struct dir *dir_unref(struct fs *fs, struct dir *d)
{
	LIST_REMOVE(d, hash);
	LIST_REMOVE(&d->node, hash);
	link_unref(fs, d->link);
	free(d->path);
	free(d);
	return NULL;
}

/* Is FULL below the directory DIR ("" is the root)? */
static bool is_below(const char *full, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(full, dir, n) && full[n] == '/';
}

/* Does an output that has something to show in this tree lie below PATH? */
static bool has_below(struct fs *fs, enum node_kind at, const char *path)
{
	const struct output *o;

	TAILQ_FOREACH (o, &fs->outputs->all, all)
		if (is_below(o->link->name, path) && (at != NODE_ROOT || output_is_shown(o)))
			return true;
	return false;
}

/* The newest output at PATH with bytes. */
static struct output *newest_made(struct fs *fs, const char *path)
{
	struct output *o;

	TAILQ_FOREACH_REVERSE(o, &fs->outputs->all, output_list, all)
		if (output_is_shown(o) && !strcmp(o->link->name, path))
			return o;
	return NULL;
}

static struct node *lookup_own(struct fs *fs, struct link *l, const char *path, char **ret_real)
{
	if (!l->gen || !output_is_shown(l->output))
		return NULL;
	if (!strcmp(l->name, path))
		return output_node(l->output);
	if (is_below(l->name, path))
		return get(fs, NODE_DIR, NODE_OUTS, l, path);
	*ret_real = strdup(path);
	return NULL;
}

static struct node *lookup_alias(struct fs *fs, const char *path, char **ret_real, struct output **ret_waits)
{
	struct output *o = newest_made(fs, path);

	if (o && !o->link->gen) {
		*ret_waits = o;
		return NULL;
	}
	if (o) {
		o->is_aliased = true;
		return output_node(o);
	}
	if (has_below(fs, NODE_ROOT, path))
		return get(fs, NODE_DIR, NODE_ROOT, NULL, path);
	*ret_real = strdup(path);
	return NULL;
}

static struct node *lookup_report(struct fs *fs, enum node_kind at, const char *path)
{
	struct output *o = output_by_path(fs, path);

	if (o)
		return link_node(o->link, at == NODE_LOGS ? NODE_LOG : at == NODE_INFOS ? NODE_INFO : NODE_MAP);
	return has_below(fs, at, path) ? get(fs, NODE_DIR, at, NULL, path) : NULL;
}

static bool shows_paths(const struct node *n)
{
	return n->kind == NODE_ROOT || n->kind == NODE_OUTS || n->kind == NODE_DIR || n->kind == NODE_LOGS ||
	       n->kind == NODE_INFOS || n->kind == NODE_MAPS;
}

struct node *dirs_lookup(struct fs *fs, struct node *n, const char *name, char **ret_real, struct output **ret_waits)
{
	const struct dir *d = n->dir;
	CLEAN_MEM char *path = NULL;

	*ret_real = NULL;
	*ret_waits = NULL;
	if (!shows_paths(n))
		return NULL;
	if (n->kind == NODE_OUTS) {
		struct output *o = output_by_id(fs, name);
		*ret_waits = o && output_is_shown(o) && !o->link->gen ? o : NULL;
		return o && output_is_shown(o) && !*ret_waits ? get(fs, NODE_DIR, NODE_OUTS, o->link, "") : NULL;
	}
	if (asprintf(&path, "%s/%s", d ? d->path : "", name) < 0) {
		path = NULL;
		return NULL;
	}
	if (d && d->at == NODE_OUTS)
		return lookup_own(fs, d->link, path, ret_real);
	if (!d && n->kind == NODE_ROOT)
		/* The root has names of its own: nothing passes through there. */
		return has_below(fs, NODE_ROOT, path) ? get(fs, NODE_DIR, NODE_ROOT, NULL, path) : NULL;
	if (d && d->at == NODE_ROOT)
		return lookup_alias(fs, path, ret_real, ret_waits);
	return lookup_report(fs, d ? d->at : n->kind, path);
}

/* Who has the bytes of N: of a private copy nobody has written to, the generation. A directory has none, and nobody but
 * the kernel would keep it. */
static struct node *with_bytes(struct fs *fs, struct node *n)
{
	if (n && n->copy && n->copy->fd < 0)
		return &n->copy->gen->node;
	if (!n || n->kind != NODE_DIR)
		return n;
	if (!n->nlookup)
		dir_unref(fs, n->dir);
	return NULL;
}

struct node *dirs_resolve(struct fs *fs, const char *rest, char **ret_real, struct output **ret_waits)
{
	CLEAN_MEM char *path = NULL;
	char id[OUTPUT_ID_SZ];

	*ret_real = NULL;
	*ret_waits = NULL;
	if (strncmp(rest, ".o/", 3)) {
		if (asprintf(&path, "/%s", rest) < 0) {
			path = NULL;
			return NULL;
		}
		struct link *l = tree_link(fs, rest);
		if (l)
			return l->gen ? &l->gen->node : NULL;
		return has_below(fs, NODE_ROOT, path) || newest_made(fs, path) ?
			       with_bytes(fs, lookup_alias(fs, path, ret_real, ret_waits)) :
			       NULL;
	}
	const char *slash = strchr(rest + 3, '/');
	if (!slash || slash - (rest + 3) != OUTPUT_ID_SZ - 1)
		return NULL;
	memcpy(id, rest + 3, OUTPUT_ID_SZ - 1);
	id[OUTPUT_ID_SZ - 1] = 0;
	struct output *o = output_by_id(fs, id);
	*ret_waits = o && output_is_shown(o) && !o->link->gen ? o : NULL;
	return o && !*ret_waits ? with_bytes(fs, lookup_own(fs, o->link, slash, ret_real)) : NULL;
}

struct node *dirs_pass(struct fs *fs, const char *real)
{
	return get(fs, NODE_PASS, NODE_PASS, NULL, real);
}

void dirs_forget_alias(struct fs *fs, const char *path)
{
	CLEAN_MEM char *parent = strndup(path, (size_t)(strrchr(path, '/') - path));
	const struct dir *d;

	if (!parent)
		return;
	LIST_FOREACH (d, bucket_of(fs->outputs, NODE_ROOT, NULL, parent), hash)
		if (d->node.kind == NODE_DIR && d->at == NODE_ROOT && !d->link && !strcmp(d->path, parent)) {
			notifier_forget(fs, path + 1);
			return;
		}
}

/* Was the first component of what lies below DIR named by an output before O? */
static bool was_listed(struct fs *fs, const struct output *o, const char *dir, size_t sz, enum node_kind at)
{
	const struct output *p;
	const char *rest = o->link->name + strlen(dir);

	TAILQ_FOREACH (p, &fs->outputs->all, all) {
		if (p == o)
			return false;
		const char *other = p->link->name + strlen(dir);
		if (is_below(p->link->name, dir) && (at != NODE_ROOT || output_is_shown(p)) && !strncmp(other, rest, sz) &&
		    (other[sz] == '/' || !other[sz]))
			return true;
	}
	return false;
}

static void list_paths(struct fs *fs, enum node_kind at, const char *dir, const struct link *only,
		       void (*call)(void *ctx, const char *name, bool is_dir, uint64_t ino), void *ctx)
{
	const struct output *o;

	TAILQ_FOREACH (o, &fs->outputs->all, all) {
		const struct link *l = o->link;
		if (!is_below(l->name, dir) || (only && l != only) || (at == NODE_ROOT && !output_is_shown(o)))
			continue;
		const char *name = l->name + strlen(dir) + 1;
		size_t sz = strcspn(name, "/");
		if (!only && was_listed(fs, o, dir, sz + 1, at))
			continue;
		CLEAN_MEM char *copy = strndup(name, sz);
		if (copy)
			call(ctx, copy, name[sz] == '/', name[sz] || !output_node(o) ? 1 : output_node(o)->id);
	}
}

void dirs_list(struct fs *fs, const struct node *n,
	       void (*call)(void *ctx, const char *name, bool is_dir, uint64_t ino), void *ctx)
{
	const struct dir *d = n->dir;
	const struct output *o;

	if (!shows_paths(n))
		return;
	if (n->kind == NODE_OUTS) {
		TAILQ_FOREACH (o, &fs->outputs->all, all)
			if (output_is_shown(o))
				call(ctx, o->id, true, 1);
		return;
	}
	list_paths(fs, d ? d->at : n->kind, d ? d->path : "", d && d->at == NODE_OUTS ? d->link : NULL, call, ctx);
}
