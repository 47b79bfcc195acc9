/* fs.h - what the files of the mount process share: one struct, one lock, and the types that hang off it.
 *
 * The story of a request: ops.c decodes it; tree.c and dirs.c find the node; a page goes through cache.c, a live link's
 * name, attributes or opening through live.c; what must wait is parked (park.c) and nobody's thread waits with it.
 * verify.c knows of changes (watch.c) or looks at files, worker_link.c talks to the linker process; both come back with the
 * lock held and put answers into a list (struct replies), which is sent after the lock is released.
 *
 * The story of a link made by ld.linkfs: clients.c takes the request from the socket; outputs.c gives it an ID and has
 * the linker process make it; the client puts a symbolic link to it at -o; settle.c makes a plain file of it when the
 * mount is quiet.
 *
 * The story of an input: the linker process opens it; with the verdict its descriptor comes to inputs.c; custody.c has it
 * leased (lease.c) or copied (snapshot.c) before the link counts; a writer waits until it is copied.
 *
 * Lock: fs.lock guards everything below that is not const after start. Held for memory operations, non-blocking sends and
 * what the kernel has in memory for us (watch.c) only; never while replying, reading files, or waiting. recipes.lock orders
 * changes of recipes on disk and is taken before fs.lock.
 */
#ifndef FS_FS_H
#define FS_FS_H

#define FUSE_USE_VERSION 314

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "cache.h"
#include "msg.h"
#include "record.h"
#include "util.h"

#define VERIFY_PATIENCE_MS 50	/* a LOOKUP waits this long for a look at the inputs, then gets the placeholder */
#define PASS_PATIENCE_MS 2000	/* so does one that passes through for the real directory, then it finds nothing */
#define WARM_MS 200		/* an OPEN waits this long for what a start reads, then it is read piece by piece */
#define RESTORE_PATIENCE_MS 10000 /* and one of what is to be restored after a restart, for its inputs */
#define STATS_PATIENCE_MS 1000	/* then the statistics are told without the linker process's */
#define LINK_DEADLINE_MS 300000 /* a link that takes longer is taken for a hang, unless link_timeout= says otherwise */
#define FILL_DEADLINE_MS 30000	/* so is a fill (fill_timeout=) */
#define KEEP_DEADLINE_MS 2000	/* a linker process that does not take a copy in an input's place in that time is replaced */
#define CHANGES_MAX 30		/* so often is a link begun anew because its inputs changed meanwhile; some 5 s */
#define CRASHES_MAX 2		/* a request that crashed this many linker processes is failed */
#define KILLS_MAX 50		/* and one that lost this many to SIGKILL, which is mostly not its fault */
#define LOG_MAX ((size_t)64 << 10)

struct fs;
struct link;
struct generation;
struct loop;
struct crew;
struct watches;
struct vigil;
struct worker_link;
struct recipes;
struct kept;
struct restorer;
struct placing;
/* outputs.h */
struct output;
struct outputs;
struct dir;
struct copy;
struct copier;
struct clients;
struct settler;
struct passer;
struct notifier;
struct warmer;
struct warm_job;

/* --- inputs.c: descriptors of inputs, held for as long as a generation needs them; custody.h has the rest --- */

/*     New --lease_set()--> Leased --a break--> Copied        Leased, Copied: no fill need look at the file, it is kept.
 *       \---refused, may change--> Copied                    Checked: the linker process looks around each fill.
 *        \--refused, nobody here can write it--> Checked     Lost: it is not what was linked; link again. */
enum custody_state { CUSTODY_NEW, CUSTODY_LEASED, CUSTODY_COPIED, CUSTODY_CHECKED, CUSTODY_LOST };

struct input {
	LIST_ENTRY(input) hash;
	struct msg_identity id;
	int fd; /* goes to linker processes: the file they opened, or its copy when Copied */
	enum custody_state state;
	bool is_being_taken; /* into custody, by a thread that works on its file */
	bool is_breaking;  /* Leased, no more: a writer waits, or did */
	int lease_fd;	   /* Leased: an open file description that no other process has; else, and where it is sealed, -1 */
	uint64_t copy_seq; /* Copied: which copy of all it was */
	bool is_copy_memory;
	bool is_deleted; /* when inputs_deleted_bytes last looked */
	const char *why; /* it is not Leased: static text; NULL: it is, or nobody said */
	unsigned ref;
	uint64_t seen; /* by which resolved_new last: names may be opened twice */
};

#define INPUT_BUCKETS 1024
struct inputs {
	LIST_HEAD(input_bucket, input) bucket[INPUT_BUCKETS];
	uint64_t cnt;
	uint64_t bytes;
	uint64_t round; /* counts resolved_new */
	uint64_t leases;
	uint64_t copy_seq; /* counts copies */
	uint64_t copy_bytes, copy_memory_bytes;
};

/* What one link saw, with custody of what it opened. Shared by the link and its generation. */
struct resolved {
	unsigned ref;
	struct record *record;
	struct input **input; /* record->fd_cnt of them, or NULL: a failed link keeps none */
	uint32_t distinct;    /* of them */
};

TAILQ_HEAD(park_queue, parked);

/* --- generation.c --- */

enum node_kind {
	NODE_ROOT = 1,
	NODE_CTL,
	NODE_LINKS,
	NODE_LOGS,
	NODE_INFOS,
	NODE_MAPS,
	NODE_STATS,
	NODE_SOCKET, /* a symbolic link to it */
	NODE_OUTS,   /* .o */
	NODE_TABLE,  /* .linkfs/outputs: all links and outputs in one text; ids 1..10 */
	NODE_LIVE,   /* a live link's placeholder */
	NODE_RECIPE,
	NODE_LOG,
	NODE_INFO,
	NODE_MAP,
	NODE_GENERATION,
	NODE_DIR,  /* a directory that is there because an output lies below it */
	NODE_COPY, /* an output's private copy, for who writes to it */
	NODE_PASS, /* another name in such a directory: a symbolic link to the real one */
};
#define NODE_STATIC_END 11
#define LINK_NODES 5 /* NODE_LIVE .. NODE_MAP */

struct node {
	LIST_ENTRY(node) hash;
	uint64_t id; /* the kernel's nodeid and st_ino; never used again */
	enum node_kind kind;
	uint64_t nlookup;	/* what the kernel will give back with FORGET */
	struct link *link;	/* NODE_LIVE .. NODE_MAP */
	struct generation *gen; /* NODE_GENERATION */
	struct dir *dir;	/* NODE_DIR, NODE_PASS */
	struct copy *copy;	/* NODE_COPY */
};

struct generation {
	TAILQ_ENTRY(generation) all;
	struct node node;	   /* .id is the generation's number in messages, too */
	unsigned ref;		   /* link's current, lookups, open files, jobs, parked reads */
	struct link *link;	   /* referenced: whose log tells of its troubles */
	struct resolved *resolved; /* for replay */
	char *recipe;		   /* for replay; terminated */
	uint64_t size;
	mode_t mode;
	struct timespec mtime;
	struct timespec newest;	 /* of its inputs */
	unsigned opens;		 /* files open, or mapped after that */
	struct cache_file *file; /* what was made of it; owned */
	bool is_lost;		 /* can't be replayed: what is not Ready is EIO */
	struct warm_job *warming; /* warm.c's; NULL: none, */
	bool is_warmed;		  /* or it is done */
	bool is_unproven;	 /* restored, and not yet seen to come out as it was: nobody has opened it */
	uint64_t loaded_epoch;	 /* the linker process that has it; 0: none */
	uint64_t load_id;	 /* its number there: another one each time it is loaded, since what is dropped and what
				    is loaded go different ways */
	uint64_t backing_epoch;	 /* and that was given the backing file */
	struct job *replay;	 /* on its way */
	/* for info */
	uint64_t input_bytes, eager_bytes, relocs_total, link_us;
	uint64_t relocs_before; /* by linker processes that died */
	uint64_t relocs_now;	/* by the present one */
};

/* --- tree.c: links and nodes --- */

enum live_state { LIVE_IDLE, LIVE_WAITING, LIVE_VERIFYING, LIVE_LINKING };

#define GRANTS 16
struct grant {
	pid_t pid;		/* 0: free */
	struct generation *gen; /* referenced */
	int64_t until;		/* ms: the kernel asks again at once, or never */
};

struct link {
	TAILQ_ENTRY(link) all; /* in order of .serial */
	LIST_ENTRY(link) hash;
	char *name;	       /* an output's: the absolute path of -o */
	struct output *output; /* what ld.linkfs asked for once; NULL: a live link. Its own; outputs.c */
	unsigned ref;  /* the tree, lookups, parked requests, generations, jobs, open files */
	bool is_named; /* still in the tree */
	uint64_t serial;
	struct node node[LINK_NODES];
	/* the recipe */
	char *recipe; /* NULL: never committed. Terminated */
	size_t recipe_sz;
	uint64_t recipe_version; /* counts commits */
	struct timespec recipe_mtime;
	struct text draft; /* being written, until a FLUSH that follows data */
	bool has_draft;
	bool is_draft_dirty; /* data was written since the last commit */
	unsigned writers;    /* open files that may write */
	/* the live link (live.c) */
	enum live_state state;
	struct link **dep;	   /* live links it reads: dep_cnt of them, referenced; deps.c */
	unsigned dep_cnt;
	unsigned deps_due;	   /* Waiting: not fresh yet */
	uint64_t deps_version;	   /* the recipe's that reads them */
	bool has_unseen_dep;	   /* of one of them it can't be told whether it is fresh */
	struct park_queue waiting; /* came too late for the look or the link that is on its way */
	struct park_queue batch;   /* will be answered by it */
	struct resolved *resolved; /* of the last link, good or bad; NULL: none yet */
	struct vigil *vigil;	   /* what makes a look at its inputs short (verify.c); NULL: nothing */
	struct generation *gen;	   /* NULL: none yet, or the last link failed */
	bool has_failed;
	bool is_unseen;		 /* a file system with inputs of it does not answer */
	int64_t link_began;	 /* ms */
	uint64_t linked_version; /* the recipe's, of the last link */
	int64_t failed_until;	 /* a failure without a record is believed until then, ms */
	char *reason;		 /* why the last link was made */
	time_t linked_at;	 /* when it came to its end; 0: never */
	struct text log;
	struct grant grant[GRANTS]; /* who was just told ESTALE and may have this generation without a look */
	unsigned grant_next;
};

#define LINK_BUCKETS 1024
#define NODE_BUCKETS 4096
struct tree {
	TAILQ_HEAD(link_list, link) links;
	LIST_HEAD(link_bucket, link) by_name[LINK_BUCKETS];
	LIST_HEAD(node_bucket, node) by_id[NODE_BUCKETS];
	uint64_t link_cnt; /* with a committed recipe */
	uint64_t next_id;
	uint64_t next_serial;
	struct node fixed[NODE_STATIC_END];
};

/* --- park.c: requests that wait, and answers that are ready --- */

enum park_kind {
	PARK_LOOKUP,
	PARK_GETATTR,
	PARK_OPEN,
	PARK_REPORT,
	PARK_READ,
	PARK_PASS,
	PARK_DIVERT, /* would write to an output */
	PARK_WRITE,
	PARK_RESIZE,
	PARK_DEP, /* a link that reads another live link */
	PARK_RESTORE, /* a LOOKUP of an output that is to be restored */
	PARK_PROOF,   /* an OPEN of one that was */
	PARK_WARM,    /* an OPEN of what is about to start */
};
enum outcome { OUT_ERROR, OUT_ENTRY, OUT_ATTR, OUT_OPEN, OUT_PROVEN, OUT_DATA, OUT_WRITE, OUT_RESIZE };

struct parked {
	TAILQ_ENTRY(parked) on;	 /* in *queue, or in a list of replies */
	TAILQ_ENTRY(parked) all; /* in fs.parked while queue is set */
	struct park_queue *queue;
	fuse_req_t req;
	enum park_kind kind;
	enum node_kind what; /* PARK_REPORT: which file */
	pid_t pid;	     /* the calling thread, 0: not known */
	int64_t deadline;
	struct link *link;	/* referenced; may be NULL */
	struct generation *gen; /* referenced; may be NULL */
	struct cache_read read; /* PARK_READ */
	uint64_t pass_id;	/* PARK_PASS */
	uint64_t parent;	/* PARK_RESTORE: where .text, a name, is looked up */
	struct copy *copy;	/* PARK_WRITE, PARK_RESIZE; referenced */
	off_t write_off;	/* PARK_WRITE: where .text goes */
	struct link *reader;	/* PARK_DEP: who waits for .link to be fresh; referenced. There is no request */
	struct fuse_file_info fi;
	/* the answer */
	enum outcome outcome;
	int error;
	struct fuse_entry_param entry;
	struct stat attr;
	struct text text; /* of a report: becomes the file handle */
};

struct replies {
	struct park_queue list;
};

struct fs_counters {
	uint64_t stored_bytes; /* in the kernel's cache, unasked */
	uint64_t reads, relocs_applied, lease_breaks, snapshots, worker_restarts, links_made, replays;
	uint64_t verify_stats;	 /* names looked at */
	uint64_t verify_watched; /* looks that nothing had to be looked at for */
};

struct fs_config {
	const char *mountpoint; /* as the kernel shows it */
	const char *cache_dir;
	uint64_t cache_limit; /* bytes */
	unsigned threads;
	bool allow_other;
	bool is_foreground;
	int64_t settle_ms; /* quiet for so long; negative: never */
	int64_t link_timeout_ms, fill_timeout_ms; /* of one attempt; there are CRASHES_MAX */
	int64_t watches; /* inotify's, at most; negative: a quarter of what the user may have */
};

struct fs {
	pthread_mutex_t lock;
	struct fs_config cfg; /* const after start */
	uid_t uid;
	gid_t gid;
	struct timespec start_time;
	uint64_t own_dev; /* the mount's device, which is never entered; const once mounted */
	int fd_room; /* inputs and outputs have numbers below; what is above is for going on. Const after start */
	int cache_dir_fd;
	int ready_fd; /* the starter waits here for "ok"; in the foreground a service manager, for "READY=1" */
	struct fuse_session *se;
	struct tree tree;
	struct inputs inputs;
	TAILQ_HEAD(generation_list, generation) generations;
	uint64_t generation_cnt;
	struct cache cache; /* its lock is ours */
	pthread_t cache_thread;
	bool has_cache_thread;
	struct park_queue parked;  /* all of them, by .all */
	struct park_queue reading; /* those that the page cache has */
	unsigned parked_cnt;
	LIST_HEAD(opened_list, opened) opened;
	struct outputs *outputs;
	struct fs_counters count;
	struct msg_stats linker; /* as last told, */
	uint64_t doing;		 /* like this, enum linkfs_doing */
	struct loop *loop;
	struct clients *clients;
	struct settler *settler;
	int64_t busy_at; /* ms: when a link was last asked for, or bytes */
	struct passer *passer;
	struct copier *copier;
	struct notifier *notifier;
	struct warmer *warmer;
	struct crew *verifier;
	struct watches *watches;
	struct crew *custody;
	struct leases *leases;
	struct worker_link *worker;
	struct recipes *recipes;
	struct kept *kept;
	struct restorer *restorer;
};

static inline void fs_lock(struct fs *fs)
{
	pthread_mutex_lock(&fs->lock);
}

static inline void fs_unlock(struct fs *fs)
{
	pthread_mutex_unlock(&fs->lock);
}

/* ---- inputs.c (lock held) ---- */
/* Takes RECORD on success, and those of FDS that it keeps (set to -1). FDS NULL: a failed link. -EPROTO: the
 * descriptors are not those of the record. The inputs are to be put into custody: custody.h. */
int resolved_new(struct fs *fs, struct record *record, int *fds, uint32_t fd_cnt, struct resolved **ret);
struct resolved *resolved_ref(struct resolved *r);
struct resolved *resolved_unref(struct fs *fs, struct resolved *r);
/* Are all inputs still what they were? False also when one cannot be looked at. */
bool resolved_is_intact(const struct resolved *r);
bool resolved_has(const struct resolved *r, const struct input *i);
struct input *input_unref(struct fs *fs, struct input *i);
/* COPY, a descriptor of the bytes, stands for I from now on. The one that did before: for the caller to close. */
int input_set_copy(struct fs *fs, struct input *i, int copy, bool is_memory);
/* Looks which of them are deleted by now; their bytes. */
uint64_t inputs_deleted_bytes(struct fs *fs);
/* What happened to the inputs of R, counted once each. */
struct inputs_sum {
	uint64_t leased, copied, checked, lost;
	uint64_t pinned_bytes; /* deleted (as inputs_deleted_bytes saw it) or copied: nothing but their links keeps them */
};
void resolved_sum(struct fs *fs, const struct resolved *r, struct inputs_sum *ret);

/* ---- reason.c (lock held) ---- */
/* Why a link of the same -o came after the one that saw OLD: which inputs differ, in words. NULL without memory. */
char *reason_of_relink(const struct link *old, const struct link *now);

/* ---- generation.c (lock held) ---- */
/* ID was taken with tree_next_id when the link was asked for. One reference. 0 or -errno. */
int generation_new(struct fs *fs, uint64_t id, struct link *link, const char *recipe, struct resolved *resolved,
		   const struct msg_verdict *v, struct generation **ret);
struct generation *generation_ref(struct generation *g);
struct generation *generation_unref(struct fs *fs, struct generation *g);
void generation_attr(const struct fs *fs, const struct generation *g, struct stat *ret);

/* ---- bytes.c: what the page cache (cache.h) is to generations ---- */
void bytes_init(struct fs *fs);
int bytes_start(struct fs *fs); /* its thread; 0 or -errno */
void bytes_stop(struct fs *fs);
void bytes_done(struct fs *fs); /* no generation left */
/* (no lock) Answers P, a READ of SZ bytes at OFF, or parks it and has made what is missing. Takes P. */
void bytes_read(struct fs *fs, struct parked *p, uint64_t off, uint64_t sz);
/* (lock held) P won't wait any longer: the page cache forgets it, if it is a READ. */
void bytes_forget(struct fs *fs, struct parked *p);
/* (no lock) The answer to a READ whose bytes are there; what fuse_reply_buf returns. */
int bytes_send(const struct parked *p);
/* (no lock) For threads that may wait, and hold G: has [OFF, OFF + SZ) made. 0: it can be copied from G->file->fd, and is
 * kept there until bytes_release. -ECANCELED: *CANCEL (NULL: none) was set; other -errno: it can't be made now (ENOSPC,
 * EDQUOT: no room in cache_dir; ESTALE: the generation is lost). Long ranges: in pieces of a few CACHE_STEP_SZ, since what
 * is acquired exceeds the limit where it must. Read in order, the next piece is being made meanwhile. */
int bytes_acquire(struct fs *fs, struct generation *g, uint64_t off, uint64_t sz, enum cache_reader who,
		  const atomic_bool *cancel);
/* (no lock) */
void bytes_release(struct fs *fs, struct generation *g, uint64_t off, uint64_t sz);
/* (no lock) All of them, into P. As bytes_acquire, or what placing_copy returns. */
int bytes_copy(struct fs *fs, struct generation *g, struct placing *p, const atomic_bool *cancel);

/* ---- warm.c: what a program's start reads is given to the kernel before it asks ---- */
struct ring;
int warmer_start(struct fs *fs); /* its threads; 0 or -errno */
void warmer_stop(struct fs *fs); /* (no lock) while requests are still served */
/* (lock held) REQ opens G, maybe to execute it. True: it is parked until what the start reads is there, or for WARM_MS; or
 * *RET_ERR, an errno to answer with. False: nothing is known, or the time for it is over. */
bool warmer_holds(struct fs *fs, fuse_req_t req, struct generation *g, const struct fuse_file_info *fi, int *ret_err);
/* (lock held) Who waits for G has waited long enough. */
void warmer_hurry(struct fs *fs, const struct generation *g);
/* (lock held) What worker_link_stage was asked for is in buffer STAGE of RING, a reference to be taken; or ERROR, and RING is
 * NULL. */
void warmer_staged(struct fs *fs, unsigned stage, struct ring *ring, int error);
/* (lock held) G is read: what else its start reads is made ahead, if that is known. */
void warmer_make(struct fs *fs, struct generation *g);

/* ---- tree.c (lock held) ---- */
void tree_init(struct tree *t);
uint64_t tree_next_id(struct tree *t);
struct node *tree_node(struct fs *fs, uint64_t id); /* NULL: the kernel names one that it gave back */
void tree_add_node(struct tree *t, struct node *n);
struct link *tree_link(struct fs *fs, const char *name);
bool tree_name_ok(const char *name);
int tree_add_link(struct fs *fs, const char *name, struct link **ret);
void tree_remove_link(struct fs *fs, struct link *link, struct replies *out);
/* A link of its own at PATH for O, which is the link's from then on. */
int tree_add_output(struct fs *fs, const char *path, struct output *o);
void tree_remove_output(struct fs *fs, struct link *link);
int tree_rename_link(struct fs *fs, struct link *link, const char *name, struct replies *out);
struct link *link_ref(struct link *l);
struct link *link_unref(struct fs *fs, struct link *l);
/* Takes or gives back the kernel's references on a node. */
void node_remember(struct fs *fs, struct node *n);
void node_forget(struct fs *fs, struct node *n, uint64_t cnt);
static inline struct node *link_node(struct link *l, enum node_kind kind)
{
	return &l->node[kind - NODE_LIVE];
}
void node_attr(const struct fs *fs, const struct node *n, struct stat *ret);
/* One line for LINK's log (and standard error in the foreground). */
void link_log(struct fs *fs, struct link *l, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- park.c ---- */
void replies_init(struct replies *r);
/* (lock held) A copy of what identifies the request; NULL without memory: answer ENOMEM. Takes references. */
struct parked *parked_new(fuse_req_t req, enum park_kind kind, struct link *link, struct generation *gen,
			  const struct fuse_file_info *fi);
/* (lock held) READER waits for D. NULL without memory. */
struct parked *parked_dep(struct fs *fs, struct link *d, struct link *reader);
void park_on(struct fs *fs, struct park_queue *q, struct parked *p);
/* (lock held) Off its queue and onto the list of answers. */
void park_answer(struct fs *fs, struct parked *p, enum outcome outcome, int error, struct replies *out);
void park_answer_entry(struct fs *fs, struct parked *p, struct node *n, struct replies *out);
/* (lock held) Deadlines and callers that were killed. */
void park_sweep(struct fs *fs, struct replies *out);
/* (no lock) Sends them. */
void replies_send(struct fs *fs, struct replies *out);

/* ---- live.c (lock held) ---- */
void live_park(struct fs *fs, struct parked *p, struct replies *out);
void live_verified(struct fs *fs, struct link *l, const struct resolved *seen, const char *change, struct replies *out);
/* GEN: NULL: it failed. DIAG: its diagnostics. VERSION: the recipe's. Takes references of its own. */
void live_linked(struct fs *fs, struct link *l, uint64_t version, struct generation *gen, struct resolved *resolved,
		 const char *diag, struct replies *out);
/* Nobody can tell whether the inputs of L, which are being looked at, are what they were; from live_seen on that can be
 * tried again. */
void live_unseen(struct fs *fs, struct link *l, struct replies *out);
void live_seen(struct fs *fs, struct link *l);
/* Its link found that it reads another live link, now noted: it is to be made again. */
void live_found_dep(struct fs *fs, struct link *l, struct replies *out);
/* All that L reads are as fresh as they can be. */
void live_deps_fresh(struct fs *fs, struct link *l, struct replies *out);
/* L is as fresh as P can ask for: the answer. */
void live_answer(struct fs *fs, struct link *l, struct parked *p, struct replies *out);
/* The thread opened what it was granted. */
void live_opened(struct fs *fs, struct link *l, pid_t pid);
/* The link is gone: whoever waits gets ENOENT. */
void live_removed(struct fs *fs, struct link *l, struct replies *out);

/* ---- deps.c (lock held) ---- */
bool deps_has(const struct link *l, const struct link *d);
/* L reads D. 0, -ELOOP: D reads L, or -ENOMEM. */
int deps_add(struct link *l, struct link *d);
void deps_clear(struct fs *fs, struct link *l);
/* Has everything L reads made fresh, then calls live_deps_fresh: perhaps at once. */
void deps_freshen(struct fs *fs, struct link *l, struct replies *out);
/* One of them is, or (IS_SEEN false) it can't be told. */
void deps_answered(struct fs *fs, struct link *l, bool is_seen, struct replies *out);

/* ---- verify.c ---- */
int verifier_start(struct fs *fs);
/* False: a file system holds up a thread of it, and *FS must stay for as long as the process does. */
bool verifier_stop(struct fs *fs);
/* (lock held) Looks that take too long. */
void verifier_sweep(struct fs *fs, struct replies *out);
/* (lock held) Is L what its inputs give, without a look at any file? */
bool verifier_is_fresh(struct fs *fs, struct link *l);
/* (lock held) Looks at what L's last link saw. IS_ASKED: live_verified or live_unseen will tell; else it is for the next time
 * alone. 0 or -ENOMEM. */
int verifier_submit(struct fs *fs, struct link *l, bool is_asked);
/* (lock held) Nothing that L saw counts any more: nobody knows what its last link saw, or it goes. */
void verifier_forget(struct fs *fs, struct link *l);

/* ---- recipes.c ---- */
/* What stands for a mount point in file names of the cache directory. */
uint64_t recipes_hash(const char *mountpoint);
/* The mount point PATH as one file name (NAME_MAX + 1 bytes). */
void recipes_dir_name(const char *path, char *ret);
/* The directory NAME in PARENT, made where it is missing: a descriptor or -errno. */
int recipes_dir_open(int parent, const char *name);
int recipes_open(struct fs *fs); /* and loads what persisted */
void recipes_close(struct fs *fs);
/* The draft of L becomes its recipe, on disk first. 0 (also without a draft) or -errno. */
int recipes_commit(struct fs *fs, struct link *l);
int recipes_unlink(struct fs *fs, const char *name);
int recipes_rename(struct fs *fs, const char *from, const char *to, bool may_replace);

/* ---- report.c (lock held) ---- */
void report_info(struct fs *fs, const struct link *l, struct text *ret);
void report_stats(struct fs *fs, struct text *ret);
/* Of all links and outputs, without making any of them fresh: info's keys in one paragraph each, `name` first; of
 * several outputs of one -o the newest last. */
void report_table(struct fs *fs, struct text *ret);

/* ---- loop.c: the threads that take the kernel's requests ---- */
int loop_make(struct fs *fs); /* before anybody may call loop_end; 0 or -errno */
/* Serves with fs->cfg.threads threads until the kernel lets go of the mount, or loop_end. BEFORE_END is called then, while
 * requests are still served. With 0 and with -errno all its threads have ended, and BEFORE_END has returned. */
int loop_run(struct fs *fs, void (*before_end)(struct fs *fs));
void loop_end(struct fs *fs); /* from any thread, from loop_make to loop_free */
void loop_free(struct fs *fs);

/* ---- opened.c (lock held, but for opened_text): texts as file handles ---- */
/* *T is taken, also with ENOMEM. 0 or an errno. */
int opened_new(struct fs *fs, struct text *t, struct fuse_file_info *fi);
const struct text *opened_text(const struct fuse_file_info *fi); /* until it is closed; NULL: no handle */
void opened_close(const struct fuse_file_info *fi);		 /* no handle: nothing */
void opened_done(struct fs *fs);

/* ---- ops.c ---- */
extern const struct fuse_lowlevel_ops linkfs_ops;

#endif
