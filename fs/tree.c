/* tree.c - names and nodes: what exists in the mount, and what the kernel still remembers.
 *
 * The tree is small and flat: fixed nodes (the root, .o, .linkfs and its folders), and per link five nodes that live
 * and die with it; a generation carries its own. (The paths of outputs: dirs.c.) A node's number is the kernel's nodeid
 * and st_ino, and is never used again, so that a name the kernel kept too long is found out (ESTALE) and never means
 * something else.
 *
 * A link out of the tree stays in memory while the kernel, a request or a generation refers to it.
 */
#include "outputs.h"

#include <limits.h>

static uint64_t hash_name(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3ull;
	return h;
}

void tree_init(struct tree *t)
{
	TAILQ_INIT(&t->links);
	t->next_id = 64; /* below: fixed nodes */
	for (unsigned i = 1; i < NODE_STATIC_END; i++)
		t->fixed[i] = (struct node){ .id = i, .kind = (enum node_kind)i };
}

uint64_t tree_next_id(struct tree *t)
{
	return t->next_id++;
}

void tree_add_node(struct tree *t, struct node *n)
{
	LIST_INSERT_HEAD(&t->by_id[n->id % NODE_BUCKETS], n, hash);
}

struct node *tree_node(struct fs *fs, uint64_t id)
{
	struct node *n;

	if (id > 0 && id < NODE_STATIC_END)
		return &fs->tree.fixed[id];
	LIST_FOREACH (n, &fs->tree.by_id[id % NODE_BUCKETS], hash)
		if (n->id == id)
			return n;
	return NULL;
}

struct link *tree_link(struct fs *fs, const char *name)
{
	struct link *l;

	LIST_FOREACH (l, &fs->tree.by_name[hash_name(name) % LINK_BUCKETS], hash)
		if (!strcmp(l->name, name))
			return l;
	return NULL;
}

bool tree_name_ok(const char *name)
{
	return *name && strlen(name) <= NAME_MAX && !strchr(name, '/') && strcmp(name, ".") && strcmp(name, "..") &&
	       strcmp(name, ".linkfs");
}

static void insert_name(struct tree *t, struct link *l)
{
	LIST_INSERT_HEAD(&t->by_name[hash_name(l->name) % LINK_BUCKETS], l, hash);
}

static int new_link(struct tree *t, const char *name, struct link **ret)
{
	struct link *l = calloc(1, sizeof(*l));
	char *copy = strdup(name);
	if (!l || !copy) {
		free(l);
		free(copy);
		return -ENOMEM;
	}
	l->name = copy;
	l->ref = 1;
	l->is_named = true;
	l->serial = ++t->next_serial;
	clock_gettime(CLOCK_REALTIME, &l->recipe_mtime);
	TAILQ_INIT(&l->waiting);
	TAILQ_INIT(&l->batch);
	for (unsigned i = 0; i < LINK_NODES; i++) {
		l->node[i] = (struct node){ .id = tree_next_id(t), .kind = NODE_LIVE + i, .link = l };
		tree_add_node(t, &l->node[i]);
	}
	*ret = l;
	return 0;
}

int tree_add_link(struct fs *fs, const char *name, struct link **ret)
{
	struct tree *t = &fs->tree;

	if (!tree_name_ok(name))
		return -EINVAL;
	int r = new_link(t, name, ret);
	if (r)
		return r;
	TAILQ_INSERT_TAIL(&t->links, *ret, all);
	insert_name(t, *ret);
	return 0;
}

int tree_add_output(struct fs *fs, const char *path, struct output *o)
{
	int r = new_link(&fs->tree, path, &o->link);

	if (!r)
		o->link->output = o;
	return r;
}

void tree_remove_output(struct fs *fs, struct link *l)
{
	l->is_named = false;
	l->gen = generation_unref(fs, l->gen);
	l->resolved = resolved_unref(fs, l->resolved);
	link_unref(fs, l);
}

void tree_remove_link(struct fs *fs, struct link *l, struct replies *out)
{
	TAILQ_REMOVE(&fs->tree.links, l, all);
	LIST_REMOVE(l, hash);
	l->is_named = false;
	if (l->recipe)
		fs->tree.link_cnt--;
	notifier_forget(fs, l->name); /* what it holds open goes now */
	live_removed(fs, l, out);
	link_unref(fs, l);
}

int tree_rename_link(struct fs *fs, struct link *l, const char *name, struct replies *out)
{
	struct link *old = tree_link(fs, name);
	char *copy = strdup(name);

	if (!copy)
		return -ENOMEM;
	if (old && old != l)
		tree_remove_link(fs, old, out);
	LIST_REMOVE(l, hash);
	notifier_forget(fs, l->name);
	free(l->name);
	l->name = copy;
	insert_name(&fs->tree, l);
	return 0;
}

struct link *link_ref(struct link *l)
{
	if (l)
		l->ref++;
	return l;
}

struct link *link_unref(struct fs *fs, struct link *l)
{
	if (!l || --l->ref)
		return NULL;
	for (unsigned i = 0; i < LINK_NODES; i++)
		LIST_REMOVE(&l->node[i], hash);
	resolved_unref(fs, l->resolved);
	deps_clear(fs, l);
	free(l->name);
	free(l->recipe);
	free(l->draft.s);
	free(l->log.s);
	free(l->reason);
	output_free(l->output);
	free(l);
	return NULL;
}

void node_remember(struct fs *fs, struct node *n)
{
	(void)fs;
	if (n->nlookup++)
		return;
	link_ref(n->link);
	generation_ref(n->gen);
	if (n->copy)
		copy_ref(n->copy);
}

void node_forget(struct fs *fs, struct node *n, uint64_t cnt)
{
	if (!n->nlookup)
		return; /* fixed nodes are not counted */
	n->nlookup -= cnt < n->nlookup ? cnt : n->nlookup;
	if (n->nlookup)
		return;
	if (n->dir)
		dir_unref(fs, n->dir);
	else if (n->copy)
		copy_unref(fs, n->copy);
	else if (n->gen)
		generation_unref(fs, n->gen);
	else
		link_unref(fs, n->link);
}

static void set_common(const struct fs *fs, const struct node *n, struct stat *ret, mode_t mode)
{
	*ret = (struct stat){
		.st_ino = n->id,
		.st_mode = mode,
		.st_nlink = S_ISDIR(mode) ? 2 : 1,
		.st_uid = fs->uid,
		.st_gid = fs->gid,
		.st_blksize = 4096,
		.st_mtim = n->link ? n->link->recipe_mtime : fs->start_time,
	};
	ret->st_ctim = ret->st_atim = ret->st_mtim;
}

void node_attr(const struct fs *fs, const struct node *n, struct stat *ret)
{
	const struct link *l = n->link;

	switch (n->kind) {
	case NODE_GENERATION:
		generation_attr(fs, n->gen, ret);
		return;
	case NODE_LIVE: /* a placeholder: what is known before a link, or instead of one that failed */
		set_common(fs, n, ret, S_IFREG | 0755);
		return;
	case NODE_ROOT:
	case NODE_OUTS:
		set_common(fs, n, ret, S_IFDIR | 0755);
		return;
	case NODE_DIR:
		set_common(fs, n, ret, S_IFDIR | (n->dir->at == NODE_OUTS || n->dir->at == NODE_ROOT ? 0755 : 0700));
		return;
	case NODE_COPY:
		copy_attr(fs, n->copy, ret);
		return;
	case NODE_PASS:
		set_common(fs, n, ret, S_IFLNK | 0777);
		ret->st_size = (off_t)strlen(n->dir->path);
		return;
	case NODE_SOCKET:
		set_common(fs, n, ret, S_IFLNK | 0777);
		ret->st_size = (off_t)strlen(clients_socket_path(fs));
		return;
	case NODE_CTL:
	case NODE_LINKS:
	case NODE_LOGS:
	case NODE_INFOS:
	case NODE_MAPS:
		set_common(fs, n, ret, S_IFDIR | 0700);
		return;
	case NODE_RECIPE:
		set_common(fs, n, ret, S_IFREG | 0600);
		ret->st_size = (off_t)(l->has_draft ? l->draft.sz : l->recipe_sz);
		break;
	case NODE_LOG:
		set_common(fs, n, ret, S_IFREG | 0400);
		ret->st_size = (off_t)l->log.sz;
		break;
	default: /* made when opened: like files of /proc, they have no size */
		set_common(fs, n, ret, S_IFREG | 0400);
	}
	ret->st_blocks = (ret->st_size + 511) / 512;
}

void link_log(struct fs *fs, struct link *l, const char *fmt, ...)
{
	char line[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (fs->cfg.is_foreground)
		fprintf(stderr, "linkfs: %s: %s\n", l->name, line);
	if (l->log.sz + strlen(line) < LOG_MAX)
		text_printf(&l->log, "linkfs: %s\n", line);
}
