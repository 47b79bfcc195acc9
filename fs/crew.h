/* crew.h - threads that do tasks in turn, each of which a file system that does not answer may hold up.
 *
 * Such a thread can't be woken or ended. So its task has a deadline; past it whoever waits is told (.held), another thread
 * goes on with the other tasks, and the one held up, should it ever come back, clears its task away and ends. What looks at
 * files from the mount process is done by one of these: verify.c, custody.c, pass.c.
 *
 * Everything here wants fs.lock but crew_start and crew_stop, which take it.
 */
#ifndef FS_CREW_H
#define FS_CREW_H

#include "fs.h"

/* At the start of what describes a task; zeros when it is handed over. */
struct crew_task {
	TAILQ_ENTRY(crew_task) on;
	int64_t deadline; /* ms, set by .work; INT64_MAX: it may take as long as it likes */
	bool is_held;	  /* the deadline passed: another thread goes on with the others */
};

struct crew_kind {
	unsigned threads;
	/* Does it. The lock is let go of meanwhile. */
	void (*work)(struct fs *fs, struct crew_task *t);
	/* It was done, be it after it was held up: tells whoever waits, and frees it, unless .over does. */
	void (*done)(struct fs *fs, struct crew_task *t, struct replies *out);
	/* (no lock) After .done, when the answers have been sent: frees it. NULL: .done did. */
	void (*over)(struct crew_task *t);
	/* It is held up: tells whoever waits. Its thread still refers to it. */
	void (*held)(struct fs *fs, struct crew_task *t, struct replies *out);
	/* It will not be done, since the crew ends: tells whoever waits, and frees it. */
	void (*drop)(struct fs *fs, struct crew_task *t, struct replies *out);
};

struct crew;

/* *AT is set before any thread runs. KIND must stay. 0, also when some of the threads could not be started, or -errno. */
int crew_start(struct fs *fs, const struct crew_kind *kind, struct crew **at);
/* Does not wait long. True: *AT is NULL. False: a thread is held up, and FS and *AT must stay for as long as the process. */
bool crew_stop(struct fs *fs, struct crew **at);
/* False: C is NULL or ends, and T is still the caller's. */
bool crew_submit(struct crew *c, struct crew_task *t);
/* Deadlines. C may be NULL. */
void crew_sweep(struct fs *fs, struct crew *c, struct replies *out);
bool crew_is_stopping(const struct crew *c);

#endif
