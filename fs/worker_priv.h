/* worker_priv.h - what the three files behind worker_link.h share: the queue of jobs and the process they are for.
 *
 * worker_jobs.c makes and sends jobs (any thread), worker_answers.c takes what comes back, worker_link.c keeps the
 * linker process alive (both: the dispatcher). fs.lock is held in all of them.
 */
#ifndef FS_WORKER_PRIV_H
#define FS_WORKER_PRIV_H

#include "ring.h"
#include "transport.h"
#include "worker_link.h"

#define ABANDONED_MAX 8

enum worker_state { WORKER_DOWN, WORKER_STARTING, WORKER_UP, WORKER_DYING };

struct worker_link {
	pthread_t thread;
	int binary_fd;
	int signal_fd;
	int wake_fd;
	enum worker_state state;
	pid_t pid; /* 0: Down */
	int pid_fd;
	int control, fill; /* our ends; -1: Down */
	struct ring *ring; /* NULL: Down */
	uint64_t naps, bells; /* it may ring once for each time that we said we sleep */
	int64_t ring_until; /* it is full, and has to have room by then; 0: it has */
	uint64_t epoch;	   /* counts linker processes */
	int64_t hello_deadline;
	int64_t retry_at;	/* not before this is a next one started */
	unsigned failed_starts; /* in a row, without a HELLO */
	char failed_why[96];	/* of the last of them */
	bool is_killed_by_us;
	int64_t dying_since;
	pid_t abandoned[ABANDONED_MAX]; /* processes that could not be ended, to be reaped one day; 0: free */
	bool is_stopping;
	bool was_asked_to_end;		/* a signal came: the second one ends at once */
	bool wants_control, wants_fill; /* writable again: a send found it full */
	uint64_t next_id;
	TAILQ_HEAD(job_list, job) jobs;
	unsigned sent_cnt;    /* of them */
	pthread_cond_t kept;  /* with fs.lock: a KEEP ended */
	bool is_control_busy; /* a LINK or REPLAY is with it: one at a time */
	bool is_quarantined;  /* a job that was there at a crash is with it: nothing else */
};

/* worker_jobs.c */
struct job *job_new(struct fs *fs, enum job_type type, struct link *l, struct generation *g);
void job_free(struct fs *fs, struct job *j);
/* The job with this id that the linker process has; NULL: there is none, or of another type. */
struct job *job_find(struct worker_link *w, uint64_t id, enum job_type type);
/* Ends a job that can't be done. */
void job_fail(struct fs *fs, struct job *j, int error, const char *why, struct replies *out);
/* Tells who asked for the link what became of it: a live link or an output. G NULL: it failed. */
void job_link_made(struct fs *fs, struct link *l, uint64_t version, struct generation *g, struct resolved *resolved,
		   const char *diag, const struct msg_verdict *v, int sides_fd, struct replies *out);
/* What was received for it is not kept. */
void job_close_fds(struct job *j);
/* It will have to be sent again. */
void job_unsend(struct worker_link *w, struct job *j);
/* A job that says which of R's inputs are Leased and therefore kept, for the generation GEN_ID; *RET is NULL if there are none.
 * 0 or -errno. */
int job_new_keep(struct fs *fs, uint64_t gen_id, const struct resolved *r, struct job **ret);
/* No linker process is there that could do otherwise: nobody need wait. */
void jobs_end_keeps(struct fs *fs);
void jobs_answer_stats(struct fs *fs, struct job *j, struct replies *out);
void jobs_answer_error(struct fs *fs, struct job *j, int error, struct replies *out);
/* Sends what can be sent; never waits. */
void jobs_pump(struct fs *fs);
/* Opens what has been made again. */
void jobs_end_proofs(struct fs *fs, struct replies *out);
/* Fails fills of lost generations and jobs that killed too often. */
void jobs_fail_hopeless(struct fs *fs, struct replies *out);
void generation_lose(struct fs *fs, struct generation *g, const char *why);

/* worker_link.c: the linker process is not well. Its end will be seen by the dispatcher. */
void worker_kill(struct fs *fs, const char *why);

/* worker_answers.c: false: not what a sane linker process says. */
bool answer_control(struct fs *fs, struct packet *p, struct replies *out);
bool answer_fill(struct fs *fs, struct packet *p, struct replies *out);

#endif
