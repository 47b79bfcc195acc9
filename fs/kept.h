/* kept.h - what is on disk of outputs that are not settled, so that they are there again after a restart of the mount.
 *
 * cache_dir/outputs/MOUNTPOINT/ID has what a linker process needs to make the output again: the recipe, the resolved record
 * with the identities of the inputs, and what must come out. Never its bytes. A file is written whole and takes its name
 * by rename; it goes with the ID, and when the output is a plain file. Which outputs it is written for: kept.c.
 *
 *     Due --kept_write()--> Done      Done, Due --kept_drop()--> Due: who came to write may have changed nothing
 *       \--it can't be----> Not       Done --chmod, touch--> Due
 *
 * Files that are not what they should be (torn, of another format, made by another linkfs) are removed at the next
 * mount; those with foreign names are left alone. restore.c has the way back.
 */
#ifndef FS_KEPT_H
#define FS_KEPT_H

#include "outputs.h"

#define KEPT_MAX 4096			     /* files; what comes after that does not survive a restart */
#define KEPT_BYTES_MAX ((uint64_t)512 << 20) /* in all of them */

struct kept_head {
	uint64_t magic;
	uint32_t version;
	uint32_t reserved;
	uint64_t head_sum; /* of this struct with 0 here, and the two paths */
	uint64_t body_sum; /* of the recipe and the record */
	uint64_t linker;   /* which program made it: another one may make other bytes */
	int64_t kept_ns;   /* the order of outputs */
	uint64_t path_sz;  /* four texts follow: the absolute path of -o, */
	uint64_t place_sz; /* that of the symbolic link as last seen, where it is another one, */
	uint64_t recipe_sz;
	uint64_t record_sz;
	/* what it looks like */
	uint64_t size;
	uint64_t mode;
	int64_t mtime_ns;
	/* what must come out again, and what info says */
	uint64_t input_bytes, eager_bytes, relocs_total, link_us;
};

/* One that was read whole. */
struct kept_body {
	char *recipe;
	struct record *record;
};

/* Opens the directory, and has an output remembered (output_remember) for each good file in it. 0 or -errno. */
int kept_open(struct fs *fs);
/* (lock held) From now on nothing is written or removed: what is there is for the next mount. */
void kept_close(struct fs *fs);
/* (lock held; given up for a while) Writes what is due of O. */
void kept_write(struct fs *fs, struct output *o);
/* (lock held; given up for a while) The same for all outputs. */
void kept_write_due(struct fs *fs);
/* (lock held) What was written of O does not count any more. */
void kept_drop(struct fs *fs, struct output *o);
/* (no lock) The rest of what HEAD begins. 0; -EPROTO: it is not that; other -errno. */
int kept_read(struct fs *fs, const char *id, const struct kept_head *head, struct kept_body *ret);
void kept_body_done(struct kept_body *b);

/* ---- restore.c ---- */
int restorer_start(struct fs *fs);
/* False: a thread of it hangs in a file system, and FS must stay where it is. */
bool restorer_stop(struct fs *fs);
/* (lock held) Looks that take too long. */
void restorer_sweep(struct fs *fs, struct replies *out);
/* (lock held) True: P, for p->link, an output's, was parked until that is restored, or was looked at. */
bool restore_park(struct fs *fs, struct parked *p, struct replies *out);
/* (lock held; given up) Has O restored and waits for that, but not for ever. */
void restore_wait(struct fs *fs, struct output *o);
/* (lock held) What the linker process made of O again is not what it was: it is not there any more. */
void restore_failed(struct fs *fs, struct output *o);

#endif
