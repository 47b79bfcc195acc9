/* ops_recipe.c - writing recipes: a draft per link, committed at the FLUSH that follows data.
 *
 * `echo x > links/NAME` is CREATE or OPEN with O_TRUNC, FLUSH (the shell moves the descriptor), WRITE, FLUSH: the first
 * FLUSH has no data behind it and commits nothing, so the old recipe serves until the new one is whole. A draft nobody
 * wrote data to is dropped when the last writer closes.
 */
#include "ops.h"

#include <fcntl.h>

#define DRAFT_MAX ((uint64_t)16 << 20)

/* The draft, begun as a copy of the recipe unless TRUNCATE. */
static int begin_draft(struct link *l, bool truncate)
{
	if (!l->has_draft) {
		l->draft.sz = 0;
		l->draft.failed = false;
		if (!truncate && l->recipe)
			text_append(&l->draft, l->recipe, l->recipe_sz);
		if (l->draft.failed)
			return -ENOMEM;
		l->has_draft = true;
		l->is_draft_dirty = false;
	} else if (truncate) {
		l->draft.sz = 0;
	}
	return 0;
}

int recipe_open(struct link *l, struct fuse_file_info *fi)
{
	bool is_write = (fi->flags & O_ACCMODE) != O_RDONLY;

	fi->direct_io = 1;
	if (!is_write)
		return fi->flags & O_TRUNC ? -EINVAL : 0;
	int r = begin_draft(l, fi->flags & O_TRUNC);
	l->writers += !r;
	return r;
}

static int set_size(struct link *l, off_t size)
{
	static const char zeros[4096];

	if (size < 0 || (uint64_t)size > DRAFT_MAX)
		return -EFBIG;
	if (!l->writers)
		return -EPERM; /* nobody would commit it */
	int r = begin_draft(l, size == 0);
	while (!r && l->draft.sz < (size_t)size) {
		size_t n = (size_t)size - l->draft.sz;
		text_append(&l->draft, zeros, n < sizeof(zeros) ? n : sizeof(zeros));
		r = l->draft.failed ? -ENOMEM : 0;
	}
	if (!r)
		l->draft.sz = (size_t)size;
	return r;
}

/* .linkfs belongs to the mount's owner alone; an editor may say again what is so already. */
static bool is_owner_or_mode_new(const struct stat *now, const struct stat *attr, int to_set)
{
	return (to_set & FUSE_SET_ATTR_MODE && (attr->st_mode ^ now->st_mode) & 07777) ||
	       (to_set & FUSE_SET_ATTR_UID && attr->st_uid != now->st_uid) ||
	       (to_set & FUSE_SET_ATTR_GID && attr->st_gid != now->st_gid);
}

int recipe_setattr(const struct fs *fs, struct link *l, const struct stat *attr, int to_set)
{
	struct stat now;

	node_attr(fs, link_node(l, NODE_RECIPE), &now);
	if (is_owner_or_mode_new(&now, attr, to_set))
		return -EPERM;
	if (to_set & FUSE_SET_ATTR_MTIME_NOW)
		clock_gettime(CLOCK_REALTIME, &l->recipe_mtime);
	else if (to_set & FUSE_SET_ATTR_MTIME)
		l->recipe_mtime = attr->st_mtim;
	return to_set & FUSE_SET_ATTR_SIZE ? set_size(l, attr->st_size) : 0;
}

int recipe_create(struct fs *fs, const char *name, struct fuse_file_info *fi, struct fuse_entry_param *ret)
{
	int r = 0;

	fs_lock(fs);
	struct link *l = tree_link(fs, name);
	if (l && fi->flags & O_EXCL)
		r = -EEXIST;
	else if (!l)
		r = tree_add_link(fs, name, &l);
	if (!r)
		r = recipe_open(l, fi);
	if (!r) {
		struct node *n = link_node(l, NODE_RECIPE);
		node_remember(fs, n);
		ret->ino = n->id;
		node_attr(fs, n, &ret->attr);
	}
	fs_unlock(fs);
	return r;
}

/* (lock held) */
static struct link *recipe_of(struct fs *fs, fuse_ino_t ino)
{
	struct node *n = tree_node(fs, ino);

	return n && n->kind == NODE_RECIPE ? n->link : NULL;
}

int recipe_write(struct fs *fs, fuse_ino_t ino, const char *buf, size_t size, off_t off)
{
	int r = 0;

	fs_lock(fs);
	struct link *l = recipe_of(fs, ino);
	if (!l)
		r = -EROFS;
	else if (off < 0 || (uint64_t)off + size > DRAFT_MAX)
		r = -EFBIG;
	else
		r = begin_draft(l, false);
	if (!r && l->draft.sz < (size_t)off)
		r = set_size(l, off);
	if (!r && size) {
		size_t over = l->draft.sz - (size_t)off < size ? l->draft.sz - (size_t)off : size;
		if (text_reserve(&l->draft, size - over)) {
			memcpy(l->draft.s + off, buf, over);
			text_append(&l->draft, buf + over, size - over);
			l->is_draft_dirty = true;
		} else {
			l->draft.failed = false;
			r = -ENOMEM;
		}
	}
	fs_unlock(fs);
	return r;
}

int recipe_flush(struct fs *fs, fuse_ino_t ino)
{
	fs_lock(fs);
	struct link *l = link_ref(recipe_of(fs, ino));
	fs_unlock(fs);
	if (!l)
		return 0;
	int r = recipes_commit(fs, l);
	fs_lock(fs);
	link_unref(fs, l);
	fs_unlock(fs);
	return r;
}

void recipe_release(struct fs *fs, fuse_ino_t ino, const struct fuse_file_info *fi)
{
	fs_lock(fs);
	struct link *l = recipe_of(fs, ino);
	if (l && (fi->flags & O_ACCMODE) != O_RDONLY && l->writers && --l->writers == 0)
		l->has_draft = false;
	fs_unlock(fs);
}

void recipe_read(struct fs *fs, fuse_req_t req, fuse_ino_t ino, size_t size, off_t off)
{
	CLEAN_MEM char *copy = malloc(size ? size : 1);
	size_t n = 0;

	fs_lock(fs);
	const struct link *l = recipe_of(fs, ino);
	size_t total = !l ? 0 : l->has_draft ? l->draft.sz : l->recipe_sz;
	const char *from = !l ? NULL : l->has_draft ? l->draft.s : l->recipe;
	if (copy && from && off >= 0 && (size_t)off < total) {
		n = total - (size_t)off < size ? total - (size_t)off : size;
		memcpy(copy, from + off, n);
	}
	fs_unlock(fs);
	if (copy)
		fuse_reply_buf(req, copy, n);
	else
		fuse_reply_err(req, ENOMEM);
}
