/* outputs.h - what ld.linkfs makes on the mount: outputs, the directories they stand in, the clients who ask for them.
 *
 * The story of such a link: clients.c takes the request from the socket; outputs.c gives it an ID and has the linker
 * process make it; dirs.c shows it below .o/ID and below its own path; the client puts a symbolic link to it at -o;
 * settle.c makes a plain file of it when the mount is quiet. An output is one request's: another link of the same -o is
 * another output.
 *
 *     Linking --output_linked()--> Made --output_placed()--> Placed --settle--> Settled
 *        \--it failed--> Failed        \--its client went--> (removed)   \--- -o shows something else ---> Stale
 *
 * What is not settled is kept on disk (kept.c); after a restart output_remember() makes it Placed, without a generation,
 * which it gets when somebody looks (restore.c), or it is Failed.
 *
 * Lock: as in fs.h.
 */
#ifndef FS_OUTPUTS_H
#define FS_OUTPUTS_H

#include "fs.h"

/* Outputs nobody points to are kept for those who copied a symbolic link; the oldest go when there are more than these
 * or when they hold more deleted inputs. */
#define OUTPUTS_KEPT_MAX 256
#define OUTPUTS_PINNED_MAX ((uint64_t)256 << 20) /* bytes */
#define SMALL_OUTPUT ((uint64_t)4 << 20)	 /* below: a plain file at once */

struct client;
struct kept_head;

/* --- dirs.c: directories that exist because an output lies below them --- */

#define DIR_BUCKETS 1024

struct dir {
	LIST_ENTRY(dir) hash;
	struct node node;
	enum node_kind at; /* NODE_OUTS, NODE_ROOT, NODE_LOGS, NODE_INFOS, NODE_MAPS: what it is below */
	struct link *link; /* NODE_OUTS: the output; referenced */
	char *path;	   /* absolute; "" is the ID's own directory. NODE_PASS: where it points */
};

/* --- copies.c: what somebody writes to --- */

struct copy {
	TAILQ_ENTRY(copy) on; /* while it is being filled */
	struct node node;
	unsigned ref;		/* its output, the kernel's lookups, requests, who fills it */
	struct generation *gen; /* referenced */
	int fd;			/* a file without a name in the cache directory; -1: Bare */
	bool is_filling;
	unsigned writers;	   /* open files that may write */
	struct park_queue waiting; /* for its being filled */
};

/* --- outputs.c: what ld.linkfs made --- */

#define OUTPUT_ID_SZ 17 /* 16 hexadecimal digits, terminated */
#define OUTPUT_BUCKETS 1024

enum output_state {
	OUTPUT_LINKING,
	OUTPUT_MADE,	/* its ID can be looked up; -o does not show it yet */
	OUTPUT_PLACED,	/* its client was about to rename the symbolic link to -o, or did */
	OUTPUT_SETTLED, /* -o is a plain file with its bytes */
	OUTPUT_STALE,	/* -o shows something else by now */
	OUTPUT_FAILED,	/* there is but a log */
	OUTPUT_FILE,	/* made in file mode; there is but the reason */
};

enum keep_state { KEEP_DUE, KEEP_DONE, KEEP_NOT }; /* kept.h */

struct output {
	TAILQ_ENTRY(output) all; /* oldest first */
	LIST_ENTRY(output) hash;
	char id[OUTPUT_ID_SZ];
	struct link *link; /* whose .output this is */
	enum output_state state;
	struct client *client; /* waits for the verdict; NULL: nobody */
	mode_t mode;	       /* 0777 less its client's umask */
	int dir_fd;	       /* the directory of -o, wherever it is by now; -1: not placed */
	int link_fd;	       /* O_PATH, the symbolic link that -o was; -1: not known */
	char *shown_as;	       /* in it; NULL: by its own name */
	char *place;	       /* the path of the symbolic link as last seen; NULL: that of the output */
	int64_t settle_at;     /* ms: not before, after a failure */
	uint64_t settle_round; /* the last one it was tried in */
	struct copy *copy;     /* its bytes since somebody wrote to it; NULL: nobody did. Referenced */
	uint64_t writes;       /* counts who came to write to it */
	bool is_placing;       /* a plain file takes -o: who comes to write waits, and then finds that */
	struct park_queue writers;
	bool is_aliased;       /* the kernel was told of it by its own path, too */
	/* after a restart of the mount (kept.h) */
	enum keep_state keep;
	uint64_t kept_sz;    /* of its file; 0: there is none */
	int64_t kept_ns;     /* when it was kept first */
	uint64_t keep_round; /* counts what makes the file untrue */
	bool is_keeping;     /* it is being written */
	struct kept_head *kept; /* to be restored from it; NULL: it was, or need not be */
	bool is_looked_at;	/* by restore.c */
	bool is_restart_safe;	/* as seen by the last look */
};

struct outputs {
	TAILQ_HEAD(output_list, output) all;
	LIST_HEAD(output_bucket, output) by_id[OUTPUT_BUCKETS];
	LIST_HEAD(dir_bucket, dir) dirs[DIR_BUCKETS];
	uint64_t cnt;
	uint64_t seed; /* of IDs: they must not come again after a restart */
};

/* ---- outputs.c (lock held) ---- */
/* A new output at PATH, whose link is asked for at once. Takes RECIPE. 0 or -errno. */
int output_new(struct fs *fs, struct client *c, const char *path, char *recipe, mode_t mode, struct output **ret);
/* The link was made (or not: GEN NULL). V, SIDES_FD: what the linker process said, and texts for the client; -1: none. */
void output_linked(struct fs *fs, struct output *o, struct generation *gen, struct resolved *resolved, const char *diag,
		   const struct msg_verdict *v, int sides_fd);
/* The live links that its link reads are fresh: it is asked for again. */
void output_go_on(struct fs *fs, struct output *o);
/* Its client has put the symbolic link beside -o, at TIME, and will rename it. Takes DIR_FD, of the directory, and LINK_FD,
 * of the symbolic link (O_PATH), which may be -1: then it is not found in another directory. */
void output_placed(struct fs *fs, struct output *o, int64_t time_ns, int dir_fd, int link_fd);
/* Takes LINK_FD (-1: none), unless there are not many descriptors left. */
void output_take_link(struct fs *fs, struct output *o, int link_fd);
/* What is kept of it on disk is to be written again. */
void output_changed(struct output *o);
struct output *output_free(struct output *o); /* for who frees its link */
/* One that the mount before this one kept, in a file of KEPT_SZ bytes that begins with HEAD; its symbolic link was last seen
 * at PLACE ("": at PATH). 0 or -errno. */
int output_remember(struct fs *fs, const char *id, const char *path, const char *place, const struct kept_head *head,
		    uint64_t kept_sz);
/* Absolute, and each component a name? */
bool output_path_ok(const char *path);
/* chmod and times of an output are attributes alone. 0 or -errno. */
int output_setattr(struct fs *fs, struct generation *g, const struct stat *attr, int to_set);
/* REQ would write to O. 0: it may; else -errno to answer with, or *RET_PARKED: it will be told ESTALE. */
int output_admit_writer(struct fs *fs, fuse_req_t req, struct output *o, bool *ret_parked);
/* Its client is gone: what is not placed will not be. */
void output_abandon(struct fs *fs, struct output *o);
void output_remove(struct fs *fs, struct output *o);
/* PATH was made in file mode. */
void outputs_note(struct fs *fs, const char *path, const char *reason);
int outputs_init(struct fs *fs);
void outputs_done(struct fs *fs);
struct output *output_by_id(struct fs *fs, const char *id);
/* The newest at PATH; NULL: none. */
struct output *output_by_path(struct fs *fs, const char *path);
/* The path below the mount point that shows O and nothing else: "/.o/ID/PATH". NULL without memory; the caller frees. */
char *output_own_path(const struct output *o);
/* Forgets what nobody can want any more, beyond the budget (all of it: ALL). Returns how many. */
unsigned outputs_collect(struct fs *fs, bool all);

/* ---- dirs.c (lock held) ---- */
/* NAME in the directory N, of any kind: its node; NULL: no output puts that name there. Where only a look at the real
 * directory can tell, *RET_REAL is its path there (the caller frees); where *RET_WAITS is to be restored first, that. */
struct node *dirs_lookup(struct fs *fs, struct node *n, const char *name, char **ret_real, struct output **ret_waits);
/* The node of a name that passes through to REAL. */
struct node *dirs_pass(struct fs *fs, const char *real);
/* What stands at REST, a path below the mount point: the node that has its bytes, or NULL; then *RET_REAL is the path it passes
 * through to (the caller frees), or *RET_WAITS the output that must be restored first, or both NULL: nothing is there. */
struct node *dirs_resolve(struct fs *fs, const char *rest, char **ret_real, struct output **ret_waits);
/* The names below N that outputs put there, each once, with its kind: CALL(ctx, NAME, is_dir, ino). */
void dirs_list(struct fs *fs, const struct node *n,
	       void (*call)(void *ctx, const char *name, bool is_dir, uint64_t ino), void *ctx);
/* The kernel forgets what it knows by O's own name. */
/* The kernel forgets the alias of PATH. */
void dirs_forget_alias(struct fs *fs, const char *path);
struct dir *dir_unref(struct fs *fs, struct dir *d); /* the kernel's last lookup is gone */

/* Has O something to show, or will have when somebody looks? */
static inline bool output_is_shown(const struct output *o)
{
	return (o->link->gen || o->kept) && o->state != OUTPUT_FAILED;
}

/* The node that has the bytes of O: its generation's or its private copy's. */
static inline struct node *output_node(const struct output *o)
{
	return o->copy ? &o->copy->node : o->link->gen ? &o->link->gen->node : NULL;
}

/* ---- copies.c (lock held, but where it says otherwise) ---- */
int copier_start(struct fs *fs);
void copier_stop(struct fs *fs);
/* A Bare copy for O. 0 or -errno. */
int copy_of(struct fs *fs, struct output *o);
struct copy *copy_ref(struct copy *c);
struct copy *copy_unref(struct fs *fs, struct copy *c);
void copy_attr(const struct fs *fs, const struct copy *c, struct stat *ret);
/* 0 or -errno; *RET_PARKED: the request was parked and will be answered. */
int copy_setattr(struct fs *fs, fuse_req_t req, struct copy *c, const struct stat *attr, int to_set, bool *ret_parked);
int copy_truncate(struct fs *fs, struct copy *c); /* to nothing. 0 or -errno */
/* C is Bare: the request is parked until it is Filled. 0 or -errno. */
int copy_write_later(struct fs *fs, fuse_req_t req, struct copy *c, const char *buf, size_t size, off_t off);
void copy_closed(struct fs *fs, struct copy *c, bool was_writer);
/* (no lock) C is Filled. */
void copy_read(fuse_req_t req, const struct copy *c, size_t size, off_t off);
int copy_write(fuse_req_t req, const struct copy *c, const char *buf, size_t size, off_t off);
int copy_resize(struct fs *fs, struct parked *p);

/* ---- pass.c ---- */
int passer_start(struct fs *fs);
/* False: a thread of it hangs in a file system, and FS must stay where it is until the process ends. */
bool passer_stop(struct fs *fs);
/* (lock held) Looks whether REAL exists and answers P, a PARK_PASS, with it. Takes REAL. */
void passer_submit(struct fs *fs, struct parked *p, char *real, struct replies *out);

/* ---- clients.c ---- */
int clients_start(struct fs *fs);
void clients_stop(struct fs *fs);
/* (lock held) */
void client_verdict(struct fs *fs, struct client *c, struct output *o, const char *diag, const struct msg_verdict *v,
		    int sides_fd);
/* (lock held) Does somebody wait for that, MSG_CLIENT_SETTLE or MSG_CLIENT_GC? */
bool clients_want(const struct fs *fs, enum msg_type what);
/* (lock held) It was done, to CNT outputs; LEFT: to which it could not be done, and why, or "". */
void clients_answer(struct fs *fs, enum msg_type what, unsigned cnt, const char *left);
const char *clients_socket_path(const struct fs *fs); /* absolute */

/* ---- notify.c ---- */
int notifier_start(struct fs *fs);
void notifier_stop(struct fs *fs); /* (no lock) while requests are still served */
/* (lock held) PATH below the mount point is gone: soon the kernel forgets it. */
void notifier_forget(struct fs *fs, const char *path);
/* (lock held) The linker process has looked. False: it was not asked to. */
bool notifier_answered(struct fs *fs);
/* (lock held) There may be another linker process. */
void notifier_pump(struct fs *fs);

/* ---- settle.c ---- */
int settler_start(struct fs *fs);
void settler_stop(struct fs *fs);
/* (lock held) The mount is about to end: settler_stop waits until everything is settled, or was tried. The second time:
 * not any more. */
void settler_leave(struct fs *fs);
/* (lock held) Something may be due. */
void settler_wake(struct fs *fs);

#endif
