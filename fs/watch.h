/* watch.h - being told that a name or a file has changed, instead of looking.
 *
 * A set is what one live link's look at its inputs (verify.c) relies on: names in directories, files, leases. Whoever makes
 * one watches each of them before looking at it. From then on watch_is_quiet tells at any moment whether any of them may have
 * changed. What can't be watched is told when it is asked for, and must be looked at.
 *
 * A set has parts, which its owner numbers: what one part alone relies on is watched for that one, and after a change of it
 * the others stand.
 *
 * Lock: fs.lock, but where it says otherwise. No call but watch_name and watch_file touches a file system.
 */
#ifndef FS_WATCH_H
#define FS_WATCH_H

#include "fs.h"

struct watch_set;

struct walk_place; /* pathwalk.h */

/* PART: what is watched matters to the whole set. */
#define WATCH_WHOLE UINT32_MAX
/* A change of more parts than that is one of the whole set. */
#define WATCH_TOLD_MAX 16

/* 0 or -errno. Where the system grants no inotify, nothing can be watched, and that is not an error. (no lock) */
int watches_start(struct fs *fs);
/* Its thread ends. Sets may still be used. (no lock) */
void watches_stop(struct fs *fs);
/* No set is left. (no lock) */
void watches_done(struct fs *fs);

/* NULL without memory. */
struct watch_set *watch_set_new(struct fs *fs);
struct watch_set *watch_set_free(struct fs *fs, struct watch_set *s);

/* From when it returns 0, S knows of every change of what NAME means in the directory DIR, and of that directory's own moving,
 * mode and end. Else -errno: EOPNOTSUPP: not on this file system; ENOSPC: there are too
 * many watches; EACCES: it may not be read. (no lock) */
int watch_name(struct fs *fs, struct watch_set *s, uint32_t part, const struct walk_place *dir, const char *name);
/* The same for the file AT: its bytes, but for stores through a mapping, its attributes and its names; of a directory also
 * the names in it. (no lock) */
int watch_file(struct fs *fs, struct watch_set *s, uint32_t part, const struct walk_place *at);
/* The same for a break of the lease on I, which tells of stores through a mapping. -ENOLCK: there is no lease. */
int watch_lease(struct fs *fs, struct watch_set *s, uint32_t part, const struct input *i);
/* The lease on I is being broken. */
void watch_lease_broken(struct fs *fs, const struct input *i);

/* Did nothing that S knows of change, by any call that returned before this one began? */
bool watch_is_quiet(struct fs *fs, const struct watch_set *s);
/* The same, where it may have been some parts alone: true with those in RET_PARTS, *RET_CNT of them, 0: it was quiet. */
bool watch_is_partial(struct fs *fs, const struct watch_set *s, uint32_t ret_parts[WATCH_TOLD_MAX], uint32_t *ret_cnt);
/* The CNT parts that watch_is_partial told of are to be watched anew: what was watched for them alone is not any more, and what
 * S was told is forgotten. */
void watch_renew(struct fs *fs, struct watch_set *s, const uint32_t *part, uint32_t cnt);
/* PART is as if it had changed. */
void watch_tell(struct watch_set *s, uint32_t part);

uint64_t watches_cnt(const struct fs *fs);

#endif
