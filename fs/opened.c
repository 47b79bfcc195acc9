/* opened.c - texts that were opened: a reader sees what was true at its open. The handle is the address of one.
 *
 * They are listed, since a RELEASE need not come: the kernel drops those that are on their way when a mount ends.
 */
#include "fs.h"

struct opened {
	LIST_ENTRY(opened) on;
	struct text text;
};

int opened_new(struct fs *fs, struct text *t, struct fuse_file_info *fi)
{
	struct opened *o = t->failed ? NULL : malloc(sizeof(*o));

	if (!o) {
		cleanup_text(t);
		*t = (struct text){ 0 };
		return ENOMEM;
	}
	o->text = *t;
	*t = (struct text){ 0 };
	LIST_INSERT_HEAD(&fs->opened, o, on);
	fi->fh = (uint64_t)(uintptr_t)o;
	fi->direct_io = 1;
	return 0;
}

static struct opened *opened_of(const struct fuse_file_info *fi)
{
	return (struct opened *)(uintptr_t)fi->fh;
}

const struct text *opened_text(const struct fuse_file_info *fi)
{
	return opened_of(fi) ? &opened_of(fi)->text : NULL;
}

void opened_close(const struct fuse_file_info *fi)
{
	struct opened *o = opened_of(fi);

	if (!o)
		return;
	LIST_REMOVE(o, on);
	free(o->text.s);
	free(o);
}

void opened_done(struct fs *fs)
{
	while (!LIST_EMPTY(&fs->opened)) {
		struct fuse_file_info fi = { .fh = (uint64_t)(uintptr_t)LIST_FIRST(&fs->opened) };
		opened_close(&fi);
	}
}
