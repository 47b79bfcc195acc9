/* pathwalk.h - looking at and opening files stepwise, so that a process never enters a mount it serves.
 *
 * Looking up a name below our own mount would send a request to ourselves: the thread would wait in the kernel, not
 * even killable. So both processes resolve names component by component, symbolic links by hand, and stop with
 * -EDEADLK where the next step stands on the forbidden device. Crossing a mount point, or asking for what the kernel
 * has cached of an inode, sends no request.
 *
 * Threads: a walker belongs to one thread at a time.
 */
#ifndef FS_PATHWALK_H
#define FS_PATHWALK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "msg.h"

/* Remembers directories while it lives: use one per pass over many names, then free it. */
struct walker;

/* START_FD: where relative names begin (not owned; must outlive the walker). FORBIDDEN_DEV: major << 32 | minor of the
 * own mount, 0: none. NULL without memory. */
struct walker *walker_new(int start_fd, uint64_t forbidden_dev);
struct walker *walker_free(struct walker *w);

/* Where a walk stands. DEV: major << 32 | minor. */
struct walk_place {
	int fd; /* O_PATH */
	uint64_t dev, ino;
	bool is_dir;
	bool is_file; /* a regular one */
};
/* Called before NAME is looked up in the directory DIR, for every step, those of symbolic links among them. IS_SHARED: the
 * walker remembers the answer for other paths. False: what becomes of that name from now on will not be known. */
typedef bool walker_step_fn(void *ctx, const struct walk_place *dir, const char *name, bool is_shared);
void walker_on_step(struct walker *w, walker_step_fn *step, void *ctx);
/* Did every step of the last path say true, those taken for an earlier path among them? */
bool walker_is_known(const struct walker *w);

/* An O_PATH descriptor of what PATH finally names, or -errno. The caller closes. */
int walker_look(struct walker *w, const char *path);
/* A read-only descriptor of it, or -errno. Never waits for the other end of a pipe. */
int walker_open(struct walker *w, const char *path);
/* Its attributes: 0 or -errno. */
int walker_stat(struct walker *w, const char *path, struct stat *ret_st);

/* After -EDEADLK: what is left of PATH below the mount point, without a slash before it. Valid until the next call. */
const char *walker_rest(const struct walker *w);
/* What the kernel knows of an open file without asking a file system that may not answer. 0 or -errno. */
int stat_known(int fd, struct stat *ret);

struct msg_identity identity_of(const struct stat *st);
/* A regular file's attributes as far as its identity tells. */
struct stat identity_stat(const struct msg_identity *id);
int identity_equal(const struct msg_identity *a, const struct msg_identity *b);
/* But for ctime: it moves when a file is unlinked, renamed over or given another mode, with its bytes as they were. Good
 * enough for a descriptor that was held all along, as the linker has it when it fills; a name is compared in full. */
int identity_same_content(const struct msg_identity *a, const struct msg_identity *b);

#endif
