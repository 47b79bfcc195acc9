/* custody.h - keeping the bytes of inputs as they were linked: leases, copies, and who puts inputs into either.
 *
 * An input enters custody when the verdict of the link that opened it comes in, and before anybody acts on that verdict:
 * custody.c's thread has each new one leased (lease.c) or, where that is refused or not believed, copied (snapshot.c),
 * looks once more whether it is still what was linked, and tells the linker process. A writer breaks a lease: lease.c's
 * thread then has the input copied and the copy put in its place everywhere, and lets the writer go on.
 *
 * Copying and looking are done without fs.lock, by these two threads alone.
 */
#ifndef FS_CUSTODY_H
#define FS_CUSTODY_H

#include "fs.h"

/* ---- custody.c ---- */
int custody_start(struct fs *fs);
/* Whoever still waits is told -ECANCELED. False: a thread of it hangs in a file system, and FS must stay where it is. */
bool custody_stop(struct fs *fs);
/* (lock held) Those that are held up by a file system: -ETIMEDOUT. */
void custody_sweep(struct fs *fs, struct replies *out);
/* Called with the lock held. ERR: 0; -ESTALE: CHANGED, as the link opened it, is not what it was: link again; -ETIMEDOUT: the
 * file system of CHANGED does not answer; or another. */
typedef void custody_done_fn(struct fs *fs, void *ctx, int err, const char *changed, struct replies *out);
/* (lock held) Puts R's inputs into custody, those of the generation that will have the number GEN, then calls DONE; not before
 * it returns. Takes FDS, the FD_CNT descriptors that
 * came with the record, those of known inputs among them (some -1), and closes them. 0 or -ENOMEM: nothing was taken. */
int custody_submit(struct fs *fs, uint64_t gen, struct resolved *r, int *fds, uint32_t fd_cnt, custody_done_fn *done,
		   void *ctx);

/* ---- lease.c ---- */
/* The signals that tell of breaks, to be blocked before any thread starts. */
void lease_add_signals(sigset_t *set);
int lease_start(struct fs *fs);
void lease_stop(struct fs *fs);
/* (lock held) Is every lease that is not being broken one that the kernel keeps? Not when our thread is late. */
bool lease_is_sure(const struct fs *fs);
/* (no lock; I is New, and the caller's to change) Leases it and looks whether it still is what its identity says. 0: it is
 * Leased. -ESTALE: it has changed. Else why it can't be leased. */
int lease_set(struct fs *fs, struct input *i);

/* ---- snapshot.c (no lock) ---- */
/* A copy of the SZ bytes of FD, or -errno (-ESTALE: it has fewer): a read-only descriptor of a file that has no name and that
 * nobody can shorten. Where the file system can, no byte is copied. MAY_USE_MEMORY: small ones go there. */
int snapshot_new(struct fs *fs, int fd, uint64_t sz, bool may_use_memory, bool *ret_is_memory);
/* (lock held) Is there room in memory for one more of SZ bytes? */
bool snapshot_may_use_memory(const struct fs *fs, uint64_t sz);

#endif
