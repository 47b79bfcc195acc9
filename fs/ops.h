/* ops.h - what ops.c calls to have recipes written (ops_recipe.c).
 *
 * Results are 0 or -errno. Those marked with "lock" want fs.lock held; the others take it.
 */
#ifndef FS_OPS_H
#define FS_OPS_H

#include "fs.h"

int recipe_open(struct link *l, struct fuse_file_info *fi);				      /* lock */
int recipe_setattr(const struct fs *fs, struct link *l, const struct stat *attr, int to_set); /* lock */
/* *RET is an entry the kernel was given one reference to. */
int recipe_create(struct fs *fs, const char *name, struct fuse_file_info *fi, struct fuse_entry_param *ret);
int recipe_write(struct fs *fs, fuse_ino_t ino, const char *buf, size_t size, off_t off);
int recipe_flush(struct fs *fs, fuse_ino_t ino);
void recipe_release(struct fs *fs, fuse_ino_t ino, const struct fuse_file_info *fi);
/* Replies. */
void recipe_read(struct fs *fs, fuse_req_t req, fuse_ino_t ino, size_t size, off_t off);

#endif
