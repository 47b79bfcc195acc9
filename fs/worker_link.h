/* worker_link.h - the mount process's side of the connection to the linker process.
 *
 * Keeps exactly one linker process running, sends it requests without ever waiting, hands its answers to live.c,
 * cache.c and park.c, and after its death starts another one, which is sent whatever was not answered; generations
 * are replayed to it when they are needed. One thread, the dispatcher, spawns (the linker process dies with the
 * thread that made it), receives and keeps the deadlines; requests may be sent by any thread that holds fs.lock.
 */
#ifndef FS_WORKER_LINK_H
#define FS_WORKER_LINK_H

#include "fs.h"
#include "linkfs.h"

enum job_type { JOB_LINK, JOB_REPLAY, JOB_FILL, JOB_MAP, JOB_STATS, JOB_DROP, JOB_KEEP, JOB_PROOF, JOB_STAGE };

struct job {
	TAILQ_ENTRY(job) on;
	enum job_type type;
	uint64_t id;
	bool is_sent;
	int64_t deadline;	       /* of the answer, once sent */
	bool was_late;		       /* an attempt took longer than it may */
	unsigned crashes, kills;       /* linker processes that died while it was with them */
	struct link *link;	       /* LINK; referenced */
	struct generation *gen;	       /* REPLAY, FILL, STAGE, MAP, PROOF; referenced */
	uint64_t gen_id;	       /* LINK: the number its generation will have; DROP */
	uint64_t version;	       /* LINK: of the recipe */
	struct generation *needs;      /* LINK: an input that must be loaded first; referenced */
	bool has_new_dep;	       /* LINK: it was seen to read a live link, which must be fresh first */
	bool is_circle;		       /* LINK: it reads what reads it */
	unsigned tries;		       /* LINK: how often its inputs changed meanwhile */
	int64_t not_before;	       /* LINK: ms */
	char *recipe;		       /* LINK */
	uint64_t off, sz;	       /* FILL */
	struct msg_stage stage;	       /* STAGE */
	struct linkfs_range *pieces;      /* STAGE */
	struct park_queue waiters;     /* MAP, STATS, PROOF */
	int blob_fd;		       /* LINK, REPLAY: what is sent */
	uint64_t recipe_sz, record_sz; /* in it */
	uint32_t fds_sent;	       /* REPLAY */
	uint64_t copy_seq;	       /* REPLAY: of inputs, when they were sent */
	bool has_no_room;	       /* LINK: its inputs are more than this process may hold */
	int *fds;		       /* LINK: inputs received so far */
	uint32_t fd_cnt;
	uint64_t keep_cnt;	       /* KEEP: identities in the blob */
	int keep_fd;		       /* KEEP: the copy of the only one, owned by who waits, or -1 */
	bool *is_kept;		       /* KEEP: becomes true at the end; who waits has it */
};

/* BINARY_FD: of this program, held since start. SIGNAL_FD: a signalfd for the signals that end the mount. */
int worker_link_start(struct fs *fs, int binary_fd, int signal_fd);
void worker_link_stop(struct fs *fs);

/* All with fs.lock held. Those that can't be served at all are answered through OUT. */
int worker_link_link(struct fs *fs, struct link *l);
/* Once more, because inputs changed while it was made: for the TRIES-th time, and not at once. */
int worker_link_link_again(struct fs *fs, struct link *l, unsigned tries);
int worker_link_fill(struct fs *fs, struct generation *g, uint64_t off, uint64_t sz);
/* Makes pieces of G, STAGE_SZ bytes at most, in a buffer of the ring that nobody else uses until then. 0: warmer_staged will be
 * called once, not from within this call; when this linker process dies before, that was it. */
int worker_link_stage(struct fs *fs, struct generation *g, unsigned stage, const struct linkfs_range *piece, unsigned cnt);
/* The link that was asked for is not wanted any more. False: it is with the linker process, and its answer will come. */
bool worker_link_cancel(struct fs *fs, const struct link *l);
void worker_link_map(struct fs *fs, struct parked *p, struct replies *out); /* of p->gen */
/* P, a PARK_PROOF, opens p->gen when the linker process has made it again. */
void worker_link_prove(struct fs *fs, struct parked *p, struct replies *out);
/* The linker process looks at PATH below the mount point, together shorter than MSG_TEXT_MAX; notifier_answered tells when
 * it has. Its number, or 0: there is none now, or it is busy. */
uint64_t worker_link_look(struct fs *fs, const char *path);
/* Is the linker process with that number the present one? */
bool worker_link_is(const struct fs *fs, uint64_t number);
void worker_link_stats(struct fs *fs, struct parked *p, struct replies *out);
void worker_link_drop(struct fs *fs, const struct generation *g);
/* The linker process may forget it until somebody wants its bytes. */
void worker_link_unload(struct fs *fs, struct generation *g);
/* (no lock) Looks out a little for answers to what was just asked, so that nobody has to be woken for them. */
void worker_link_watch(struct fs *fs);
pid_t worker_link_pid(const struct fs *fs);
/* How many links it was asked for that are not made yet; *RET_NOW: the name of the one it is at, or "". */
unsigned worker_link_linking(const struct fs *fs, const char **ret_now);
/* Tells the linker process which inputs are kept as they are: of the generation GEN, those of R that are Leased. Waits,
 * without the lock, until it knows, or until it is gone or condemned. Not for the dispatcher's thread. */
void worker_link_keep_leased(struct fs *fs, uint64_t gen, const struct resolved *r);
/* The bytes of I come from I->fd, a copy, for whoever uses it. Waits as above: after this no answer of a linker process that
 * still reads the original counts. */
void worker_link_keep_copy(struct fs *fs, const struct input *i);
/* What the linker process made, or will make, of I may be wrong: generations that have it are lost, it is replaced. */
void worker_link_distrust(struct fs *fs, const struct input *i, const char *why);
/* Kills it; another one will follow. */
void worker_link_replace(struct fs *fs, const char *why);
/* Makes the dispatcher look at deadlines soon. */
void worker_link_wake(struct fs *fs);

#endif
