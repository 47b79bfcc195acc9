/* worker_watch.h - notices that a file system does not answer while a link looks for its inputs.
 *
 * A thread that waits for such a file system can't be woken, and all links wait for that thread. So another one keeps
 * an eye on it: what takes longer than the patience is given up, once; the process is of no use after that.
 */
#ifndef FS_WORKER_WATCH_H
#define FS_WORKER_WATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "msg.h"

struct watch {
	pthread_mutex_t lock;
	pthread_cond_t some;	/* a link began */
	int64_t patience_ms;	/* const after start */
	const struct msg *link; /* NULL: none */
	const char *path;	/* being looked for by it; NULL: it does something else */
	int64_t since;		/* ms */
	bool is_over;		/* it was given up */
};

/* 0 or -errno. W must outlive the process's threads. */
int watch_start(struct watch *w, int64_t patience_ms);
/* RQ, the link's request, and PATH must stay until the end. What ends after it was given up never returns. */
void watch_begin_link(struct watch *w, const struct msg *rq);
void watch_end_link(struct watch *w);
void watch_begin(struct watch *w, const char *path);
void watch_end(struct watch *w);

#endif
