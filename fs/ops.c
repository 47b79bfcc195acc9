/* ops.c - FUSE operations: decode, find the node, call, reply once.
 *
 * No handler waits: what needs the linker process or a look at files is parked, and answered from other threads. Names
 * come from three places, in this order: the fixed ones, live links, the paths of outputs (dirs.c). The files under
 * .linkfs made when opened (reports, logs) live in their file handle. Writing is for recipes alone (ops_recipe.c);
 * everything else that would change something is EROFS.
 */
#include "ops.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>

#include "outputs.h"
#include "worker_link.h"

#define FIXED_TIMEOUT 3600.0

static struct fs *fs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct fs *fs = userdata;

	conn->max_background = 1024; /* the default of 12 lets waiting reads of one file stop all others */
	conn->congestion_threshold = 768;
	if (conn->max_readahead > READAHEAD_SZ)
		conn->max_readahead = READAHEAD_SZ;
	conn->want &= ~(unsigned)FUSE_CAP_AUTO_INVAL_DATA; /* an inode's bytes never change */
	if (conn->capable & FUSE_CAP_EXPLICIT_INVAL_DATA)
		conn->want |= FUSE_CAP_EXPLICIT_INVAL_DATA;
	if (fs->ready_fd >= 0) {
		/* From here on nobody may be listening, and a script that reads our output must see its end. */
		CLEAN_FD int null = fs->cfg.is_foreground ? -1 : open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null >= 0)
			dup2(null, STDERR_FILENO);
		const char *text = fs->cfg.is_foreground ? "READY=1" : "ok";
		ssize_t n = write(fs->ready_fd, text, strlen(text));
		(void)n; /* whoever started us may be gone */
		cleanup_fd(&fs->ready_fd);
		fs->ready_fd = -1;
	}
}

/* --- names and attributes --- */

static struct node *find_fixed(struct fs *fs, enum node_kind parent, const char *name)
{
	static const struct {
		const char *name;
		enum node_kind kind;
	} fixed[] = {
		{ "links", NODE_LINKS }, { "log", NODE_LOGS },	  { "info", NODE_INFOS },
		{ "map", NODE_MAPS },	 { "stats", NODE_STATS },  { "socket", NODE_SOCKET },
		{ "outputs", NODE_TABLE },
	};

	if (parent == NODE_ROOT && !strcmp(name, ".o"))
		return &fs->tree.fixed[NODE_OUTS];
	if (parent == NODE_ROOT)
		return strcmp(name, ".linkfs") ? NULL : &fs->tree.fixed[NODE_CTL];
	for (size_t i = 0; parent == NODE_CTL && i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (!strcmp(name, fixed[i].name))
			return &fs->tree.fixed[fixed[i].kind];
	return NULL;
}

/* What stands for a link in this folder; 0: nothing does. */
static enum node_kind kind_below(enum node_kind parent)
{
	switch (parent) {
	case NODE_ROOT:
		return NODE_LIVE;
	case NODE_LINKS:
		return NODE_RECIPE;
	case NODE_LOGS:
		return NODE_LOG;
	case NODE_INFOS:
		return NODE_INFO;
	case NODE_MAPS:
		return NODE_MAP;
	default:
		return 0;
	}
}

static bool is_visible(const struct link *l, enum node_kind parent)
{
	return l->recipe || parent == NODE_LINKS;
}

/* Directories below an ID and the fixed names mean the same for ever; others may be gone the next time (notify.c), or mean
 * something else: an output, its private copy. */
static double entry_timeout(const struct node *dir, const struct node *n)
{
	bool is_own = dir->dir && dir->dir->at == NODE_OUTS && n->kind == NODE_DIR;

	return n->id < NODE_STATIC_END || is_own ? FIXED_TIMEOUT : 0.0;
}

static double attr_timeout(const struct node *n)
{
	return n->gen ? 1.0 : n->link || n->copy ? 0.0 : FIXED_TIMEOUT;
}

/* (lock held) A LOOKUP waits for O to be restored. 0 or an errno to answer with. */
static int park_restore(struct fs *fs, fuse_req_t req, struct output *o, const struct node *dir, const char *name,
			struct replies *out)
{
	struct parked *p = parked_new(req, PARK_RESTORE, o->link, NULL, NULL);

	if (!p)
		return ENOMEM;
	p->parent = dir->id;
	text_append(&p->text, name, strlen(name));
	live_park(fs, p, out);
	return 0;
}

/* (lock held) The node of NAME in DIR, or NULL with an errno in *RET_ERR; 0 there: P was parked and will be answered. */
static struct node *find_name(struct fs *fs, fuse_req_t req, struct node *dir, const char *name, int *ret_err,
			      struct replies *out)
{
	enum node_kind kind = kind_below(dir->kind);
	struct node *n = find_fixed(fs, dir->kind, name);
	struct link *l = !n && kind ? tree_link(fs, name) : NULL;
	struct output *waits;
	char *real = NULL;

	*ret_err = strlen(name) > NAME_MAX ? ENAMETOOLONG : ENOENT;
	if (n || *ret_err == ENAMETOOLONG)
		return n;
	if (l && is_visible(l, dir->kind) && kind != NODE_LIVE)
		return link_node(l, kind);
	if (l && is_visible(l, dir->kind)) {
		struct parked *p = parked_new(req, PARK_LOOKUP, l, NULL, NULL);
		*ret_err = p ? 0 : ENOMEM;
		if (p)
			live_park(fs, p, out);
		return NULL;
	}
	n = dirs_lookup(fs, dir, name, &real, &waits);
	if (waits)
		*ret_err = park_restore(fs, req, waits, dir, name, out);
	if (n || !real)
		return n;
	struct parked *p = fuse_req_ctx(req)->uid == fs->uid ? parked_new(req, PARK_PASS, NULL, NULL, NULL) : NULL;
	if (!p) {
		free(real);
		return NULL;
	}
	*ret_err = 0;
	passer_submit(fs, p, real, out);
	return NULL;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = fs_of(req);
	struct fuse_entry_param e = { 0 };
	struct replies out;
	int err = ESTALE;

	replies_init(&out);
	fs_lock(fs);
	struct node *dir = tree_node(fs, parent);
	struct node *n = dir ? find_name(fs, req, dir, name, &err, &out) : NULL;
	if (n) {
		err = 0;
		node_remember(fs, n);
		e.ino = n->id;
		node_attr(fs, n, &e.attr);
		e.entry_timeout = entry_timeout(dir, n);
		e.attr_timeout = attr_timeout(n);
	}
	fs_unlock(fs);
	if (n && fuse_reply_entry(req, &e)) {
		fs_lock(fs);
		node_forget(fs, n, 1);
		fs_unlock(fs);
	} else if (err) {
		fuse_reply_err(req, err);
	}
	replies_send(fs, &out);
}

static void forget_one(struct fs *fs, fuse_ino_t ino, uint64_t cnt)
{
	fs_lock(fs);
	struct node *n = tree_node(fs, ino);
	if (n)
		node_forget(fs, n, cnt);
	fs_unlock(fs);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t cnt)
{
	forget_one(fs_of(req), ino, cnt);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		forget_one(fs_of(req), forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

/* (lock held) Parks a request that wants its link to be fresh. 0 or an errno to answer with. */
static int park_live(struct fs *fs, fuse_req_t req, enum park_kind kind, struct node *n,
		     const struct fuse_file_info *fi, struct replies *out)
{
	if (!n->link->is_named)
		return ESTALE; /* the kernel looks the name up again */
	struct parked *p = parked_new(req, kind, n->link, NULL, fi);
	if (!p)
		return ENOMEM;
	p->what = n->kind;
	live_park(fs, p, out);
	return 0;
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct stat st;
	struct replies out;
	int err = 0;
	double timeout = 0.0;
	bool is_parked = false;

	(void)fi;
	replies_init(&out);
	fs_lock(fs);
	struct node *n = tree_node(fs, ino);
	if (!n) {
		err = ESTALE;
	} else if (n->kind == NODE_LIVE) {
		err = park_live(fs, req, PARK_GETATTR, n, NULL, &out);
		is_parked = !err;
	} else {
		node_attr(fs, n, &st);
		timeout = attr_timeout(n);
	}
	fs_unlock(fs);
	if (err)
		fuse_reply_err(req, err);
	else if (!is_parked)
		fuse_reply_attr(req, &st, timeout);
	replies_send(fs, &out);
}

/* (lock held) Who would write to an output finds a private copy of it at the next look. An errno to answer with; 0: the
 * request was parked. */
static int divert_writer(struct fs *fs, fuse_req_t req, const struct generation *g, bool *ret_parked)
{
	const struct link *l = g->link;

	if (!l->output || !l->is_named)
		return EROFS;
	if (!l->output->copy) {
		int r = copy_of(fs, l->output);
		if (r)
			return -r;
	}
	int r = output_admit_writer(fs, req, l->output, ret_parked);
	return r || *ret_parked ? -r : ESTALE;
}

/* (lock held) An errno to answer with; 0 also when the request was parked. */
static int open_copy(struct fs *fs, fuse_req_t req, struct copy *c, const struct fuse_file_info *fi, bool *ret_parked)
{
	bool is_writer = (fi->flags & O_ACCMODE) != O_RDONLY;
	int r = 0;

	if (is_writer || fi->flags & O_TRUNC)
		r = output_admit_writer(fs, req, c->gen->link->output, ret_parked);
	if (!r && !*ret_parked && fi->flags & O_TRUNC)
		r = copy_truncate(fs, c);
	if (!r && !*ret_parked) {
		c->gen->opens++;
		c->writers += is_writer;
	}
	return -r;
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct stat st;
	bool is_parked = false;
	int err = EROFS;

	(void)fi;
	/* To be given to its owner changes nothing. */
	if (attr->st_uid == fs->uid)
		to_set &= ~FUSE_SET_ATTR_UID;
	if (attr->st_gid == fs->gid)
		to_set &= ~FUSE_SET_ATTR_GID;
	fs_lock(fs);
	struct node *n = tree_node(fs, ino);
	if (!n) {
		err = ESTALE;
	} else if (n->kind == NODE_RECIPE) {
		err = -recipe_setattr(fs, n->link, attr, to_set);
	} else if (n->kind == NODE_COPY) {
		err = 0;
		if (to_set & FUSE_SET_ATTR_SIZE)
			err = -output_admit_writer(fs, req, n->copy->gen->link->output, &is_parked);
		if (!err && !is_parked)
			err = -copy_setattr(fs, req, n->copy, attr, to_set, &is_parked);
	} else if (n->gen && to_set & FUSE_SET_ATTR_SIZE) {
		err = divert_writer(fs, req, n->gen, &is_parked);
	} else if (n->gen && n->gen->link->output) {
		err = -output_setattr(fs, n->gen, attr, to_set);
	}
	if (!err)
		node_attr(fs, n, &st);
	fs_unlock(fs);
	if (err)
		fuse_reply_err(req, err);
	else if (!is_parked)
		fuse_reply_attr(req, &st, 0.0);
}

/* --- files --- */

/* (lock held) A copy of the log, or of what is known of all links (L NULL), as a file handle. */
static int open_text(struct fs *fs, const struct link *l, struct fuse_file_info *fi)
{
	struct text t = { 0 };

	if (l)
		text_append(&t, l->log.s ? l->log.s : "", l->log.sz);
	else
		report_table(fs, &t);
	return opened_new(fs, &t, fi);
}

static int open_stats(struct fs *fs, fuse_req_t req, const struct fuse_file_info *fi, struct replies *out)
{
	struct parked *p = parked_new(req, PARK_REPORT, NULL, NULL, fi);

	if (!p)
		return ENOMEM;
	p->what = NODE_STATS;
	worker_link_stats(fs, p, out);
	return 0;
}

static void release(struct fs *fs, fuse_ino_t ino, const struct fuse_file_info *fi)
{
	fs_lock(fs);
	struct node *n = tree_node(fs, ino);
	enum node_kind kind = n && n->kind != NODE_COPY ? n->kind : NODE_GENERATION;
	if (n && n->gen)
		n->gen->opens--;
	if (n && n->copy)
		copy_closed(fs, n->copy, (fi->flags & O_ACCMODE) != O_RDONLY);
	if (kind != NODE_GENERATION && kind != NODE_RECIPE)
		opened_close(fi);
	fs_unlock(fs);
	if (kind == NODE_RECIPE)
		recipe_release(fs, ino, fi);
}

/* (lock held) What was restored is made again before anybody reads it: it is not there any more where that fails. */
static int park_proof(struct fs *fs, fuse_req_t req, struct generation *g, const struct fuse_file_info *fi,
		      struct replies *out)
{
	struct parked *p = parked_new(req, PARK_PROOF, NULL, g, fi);

	if (p)
		worker_link_prove(fs, p, out);
	return p ? 0 : ENOMEM;
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct replies out;
	bool is_write = (fi->flags & O_ACCMODE) != O_RDONLY || fi->flags & O_TRUNC, is_parked = false;
	int err = 0;

	replies_init(&out);
	fs_lock(fs);
	struct node *n = tree_node(fs, ino);
	if (!n) {
		err = ESTALE;
	} else if (n->kind == NODE_RECIPE) {
		err = -recipe_open(n->link, fi);
	} else if (n->kind == NODE_COPY) {
		err = open_copy(fs, req, n->copy, fi, &is_parked);
	} else if (is_write && n->gen) {
		err = divert_writer(fs, req, n->gen, &is_parked);
	} else if (is_write) {
		err = EROFS;
	} else if (n->kind == NODE_GENERATION) {
		fi->keep_cache = 1;
		fi->noflush = 1;
		is_parked = n->gen->is_unproven;
		cache_file_opened(n->gen->file);
		if (is_parked)
			err = park_proof(fs, req, n->gen, fi, &out);
		else if (warmer_holds(fs, req, n->gen, fi, &err))
			is_parked = !err;
		else
			n->gen->opens++;
		live_opened(fs, n->gen->link, fuse_req_ctx(req)->pid);
	} else if (n->kind == NODE_LOG || n->kind == NODE_TABLE) {
		err = open_text(fs, n->link, fi);
	} else if (n->kind == NODE_STATS) {
		err = open_stats(fs, req, fi, &out);
		is_parked = !err;
	} else {
		err = park_live(fs, req, n->kind == NODE_LIVE ? PARK_OPEN : PARK_REPORT, n, fi, &out);
		is_parked = !err;
	}
	fs_unlock(fs);
	if (err)
		fuse_reply_err(req, err);
	else if (!is_parked && fuse_reply_open(req, fi))
		release(fs, ino, fi); /* nobody else will */
	replies_send(fs, &out);
}

/* Replies from a copy: once the kernel has the answer the file may be closed, and its text freed, by another thread. */
static void reply_text(fuse_req_t req, const struct text *t, size_t size, off_t off)
{
	size_t left = t && off >= 0 && (size_t)off < t->sz ? t->sz - (size_t)off : 0, sz = left < size ? left : size;
	CLEAN_MEM char *copy = malloc(sz ? sz : 1);

	if (!copy) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	if (sz)
		memcpy(copy, t->s + off, sz);
	fuse_reply_buf(req, copy, sz);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct parked *p = NULL;
	int err = 0;

	fs_lock(fs);
	struct node *n = tree_node(fs, ino);
	enum node_kind kind = n ? n->kind : 0;
	struct copy *c = n ? n->copy : NULL;
	bool is_bare = c && c->fd < 0;
	if ((kind == NODE_GENERATION || is_bare) && !(p = parked_new(req, PARK_READ, NULL, c ? c->gen : n->gen, NULL)))
		err = ENOMEM;
	fs_unlock(fs);
	if (c && !is_bare)
		copy_read(req, c, size, off); /* it is open: the kernel remembers it */
	else if (p)
		bytes_read(fs, p, off < 0 ? UINT64_MAX : (uint64_t)off, size);
	else if (err || !kind)
		fuse_reply_err(req, err ? err : ESTALE);
	else if (kind == NODE_RECIPE)
		recipe_read(fs, req, ino, size, off);
	else
		reply_text(req, opened_text(fi), size, off);
}

static void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)fi;
	fuse_reply_err(req, -recipe_flush(fs_of(req), ino));
}

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)datasync;
	op_flush(req, ino, fi);
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	release(fs_of(req), ino, fi);
	fuse_reply_err(req, 0);
}

/* --- directories --- */

/* Offsets: 1 and 2 are "." and "..", then the fixed entries, then links by serial, then names of outputs' paths. */
#define LINKS_FROM 16
#define PATHS_FROM ((off_t)1 << 48)

struct listing {
	fuse_req_t req;
	char *buf;
	size_t size, used;
	bool is_full;
	off_t off;  /* what was read before */
	off_t next; /* the place of the next path's name */
};

static void add_name(struct listing *ls, const char *name, uint64_t ino, mode_t type, off_t next)
{
	struct stat st = { .st_ino = ino, .st_mode = type };

	if (ls->is_full)
		return;
	size_t n = fuse_add_direntry(ls->req, ls->buf + ls->used, ls->size - ls->used, name, &st, next);
	if (n > ls->size - ls->used)
		ls->is_full = true;
	else
		ls->used += n;
}

static void list_links(struct fs *fs, struct listing *ls, enum node_kind at, off_t off)
{
	struct link *l;

	TAILQ_FOREACH (l, &fs->tree.links, all) {
		off_t next = LINKS_FROM + (off_t)l->serial;
		if (next <= off || !is_visible(l, at))
			continue;
		const struct node *n = at == NODE_ROOT && l->gen ? &l->gen->node : link_node(l, kind_below(at));
		add_name(ls, l->name, n->id, S_IFREG, next);
	}
}

static void list_path(void *ctx, const char *name, bool is_dir, uint64_t ino)
{
	struct listing *ls = ctx;

	if (ls->next >= ls->off)
		add_name(ls, name, ino, is_dir ? S_IFDIR : S_IFREG, ls->next + 1);
	ls->next++;
}

static void list(struct fs *fs, struct listing *ls, const struct node *n, off_t off)
{
	static const struct {
		enum node_kind at, kind;
		const char *name;
		mode_t type;
	} fixed[] = {
		{ NODE_ROOT, NODE_CTL, ".linkfs", S_IFDIR },  { NODE_ROOT, NODE_OUTS, ".o", S_IFDIR },
		{ NODE_CTL, NODE_LINKS, "links", S_IFDIR },   { NODE_CTL, NODE_LOGS, "log", S_IFDIR },
		{ NODE_CTL, NODE_INFOS, "info", S_IFDIR },    { NODE_CTL, NODE_MAPS, "map", S_IFDIR },
		{ NODE_CTL, NODE_STATS, "stats", S_IFREG },   { NODE_CTL, NODE_SOCKET, "socket", S_IFLNK },
		{ NODE_CTL, NODE_TABLE, "outputs", S_IFREG },
	};
	enum node_kind at = n->kind;

	if (off < 1)
		add_name(ls, ".", n->id, S_IFDIR, 1);
	if (off < 2)
		add_name(ls, "..", at == NODE_ROOT || at == NODE_CTL || at == NODE_OUTS ? NODE_ROOT : NODE_CTL, S_IFDIR,
			 2);
	for (int i = 0; i < (int)(sizeof(fixed) / sizeof(fixed[0])); i++)
		if (fixed[i].at == at && off < 3 + i)
			add_name(ls, fixed[i].name, fixed[i].kind, fixed[i].type, 3 + i);
	if (kind_below(at))
		list_links(fs, ls, at, off);
	ls->off = off;
	ls->next = PATHS_FROM;
	dirs_list(fs, n, list_path, ls);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	CLEAN_MEM char *buf = malloc(size);
	struct listing ls = { .req = req, .buf = buf, .size = size };

	(void)fi;
	if (!buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	fs_lock(fs);
	const struct node *n = tree_node(fs, ino);
	if (n)
		list(fs, &ls, n, off);
	fs_unlock(fs);
	fuse_reply_buf(req, buf, ls.used);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct fs *fs = fs_of(req);
	CLEAN_MEM char *target = NULL;

	fs_lock(fs);
	const struct node *n = tree_node(fs, ino);
	int err = !n ? ESTALE : n->kind == NODE_PASS || n->kind == NODE_SOCKET ? 0 : EINVAL;
	if (!err && !(target = strdup(n->kind == NODE_PASS ? n->dir->path : clients_socket_path(fs))))
		err = ENOMEM;
	fs_unlock(fs);
	if (err)
		fuse_reply_err(req, err);
	else
		fuse_reply_readlink(req, target);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct fs *fs = fs_of(req);
	struct statvfs v = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = NAME_MAX };

	(void)ino;
	fs_lock(fs);
	v.f_blocks = fs->cfg.cache_limit / 4096;
	v.f_bfree = v.f_bavail =
		fs->cache.limit > fs->cache.bytes ? (fs->cache.limit - fs->cache.bytes) / 4096 : 0;
	v.f_files = fs->tree.link_cnt;
	fs_unlock(fs);
	fuse_reply_statfs(req, &v);
}

/* --- what changes names --- */

static enum node_kind kind_of(struct fs *fs, fuse_ino_t ino)
{
	fs_lock(fs);
	const struct node *n = tree_node(fs, ino);
	enum node_kind kind = n ? n->kind : 0;
	fs_unlock(fs);
	return kind;
}

/* Only regular files live in links/; elsewhere nothing is made by hand. */
static int refusal(struct fs *fs, fuse_ino_t parent)
{
	return kind_of(fs, parent) == NODE_LINKS ? EPERM : EROFS;
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct fuse_entry_param e = { 0 };

	(void)mode;
	int err = kind_of(fs, parent) == NODE_LINKS ? -recipe_create(fs, name, fi, &e) : EROFS;
	if (err) {
		fuse_reply_err(req, err);
	} else if (fuse_reply_create(req, &e, fi)) {
		recipe_release(fs, e.ino, fi);
		forget_one(fs, e.ino, 1);
	}
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = fs_of(req);

	fuse_reply_err(req, kind_of(fs, parent) == NODE_LINKS ? -recipes_unlink(fs, name) : EROFS);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to_parent, const char *to,
		      unsigned int flags)
{
	struct fs *fs = fs_of(req);
	int err = EROFS;

	if (kind_of(fs, parent) == NODE_LINKS && kind_of(fs, to_parent) == NODE_LINKS)
		err = flags & ~(unsigned)RENAME_NOREPLACE ? EINVAL : -recipes_rename(fs, name, to, !flags);
	fuse_reply_err(req, err);
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	(void)name, (void)mode, (void)rdev;
	fuse_reply_err(req, refusal(fs_of(req), parent));
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	(void)name, (void)mode;
	fuse_reply_err(req, refusal(fs_of(req), parent));
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	(void)name;
	fuse_reply_err(req, refusal(fs_of(req), parent));
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	(void)target, (void)name;
	fuse_reply_err(req, refusal(fs_of(req), parent));
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	(void)ino, (void)name;
	fuse_reply_err(req, refusal(fs_of(req), parent));
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);

	(void)fi;
	fs_lock(fs);
	const struct node *n = tree_node(fs, ino);
	struct copy *c = n ? n->copy : NULL;
	bool is_bare = c && c->fd < 0;
	int r = is_bare ? copy_write_later(fs, req, c, buf, size, off) : 0;
	fs_unlock(fs);
	if (c && !is_bare) {
		copy_write(req, c, buf, size, off); /* it is open: the kernel remembers it */
		return;
	}
	if (is_bare && !r)
		return;
	if (!is_bare)
		r = recipe_write(fs, ino, buf, size, off);
	if (r)
		fuse_reply_err(req, -r);
	else
		fuse_reply_write(req, size);
}

/* Not here, and so ENOSYS: lseek (the kernel then says "all data": holes of a file still being made are no zeros), the
 * xattr calls, access (the kernel checks the mode bits itself). */
const struct fuse_lowlevel_ops linkfs_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.flush = op_flush,
	.fsync = op_fsync,
	.release = op_release,
	.readlink = op_readlink,
	.readdir = op_readdir,
	.statfs = op_statfs,
	.create = op_create,
	.unlink = op_unlink,
	.rename = op_rename,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.rmdir = op_rmdir,
	.symlink = op_symlink,
	.link = op_link,
};
