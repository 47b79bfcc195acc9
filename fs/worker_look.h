/* worker_look.h - looks at one path after the other for the mount process, which must not touch its own mount.
 *
 * In a thread of its own: whoever looks waits for the mount process to answer.
 */
#ifndef FS_WORKER_LOOK_H
#define FS_WORKER_LOOK_H

#include <pthread.h>
#include <stdbool.h>

#include "msg.h"

struct looker {
	pthread_mutex_t lock;
	pthread_cond_t some;
	bool is_due;
	char path[MSG_TEXT_MAX + 1];
	void (*done)(void *ctx); /* called in its thread, after each look */
	void *ctx;
};

/* 0 or -errno. K must outlive the process's threads. */
int looker_start(struct looker *k, void (*done)(void *ctx), void *ctx);
/* PATH, shorter than MSG_TEXT_MAX; one that comes before the last is done takes its place. */
void looker_look(struct looker *k, const char *path);

#endif
