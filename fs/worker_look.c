/* worker_look.c - see worker_look.h. */
#include "worker_look.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void *run(void *arg)
{
	struct looker *k = arg;
	char path[sizeof(k->path)];
	struct statx st;

	pthread_mutex_lock(&k->lock);
	for (;;) {
		if (!k->is_due) {
			pthread_cond_wait(&k->some, &k->lock);
			continue;
		}
		memcpy(path, k->path, sizeof(path));
		k->is_due = false;
		pthread_mutex_unlock(&k->lock);
		statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &st); /* whatever it finds */
		k->done(k->ctx);
		pthread_mutex_lock(&k->lock);
	}
	return NULL;
}

int looker_start(struct looker *k, void (*done)(void *ctx), void *ctx)
{
	pthread_t t;

	k->done = done;
	k->ctx = ctx;
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->some, NULL);
	int err = pthread_create(&t, NULL, run, k);
	if (!err)
		pthread_detach(t);
	return -err;
}

void looker_look(struct looker *k, const char *path)
{
	pthread_mutex_lock(&k->lock);
	snprintf(k->path, sizeof(k->path), "%s", path);
	k->is_due = true;
	pthread_cond_signal(&k->some);
	pthread_mutex_unlock(&k->lock);
}
