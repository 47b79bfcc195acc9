/* worker_watch.c - gives up a link that waits for a file system (worker_watch.h).
 *
 * The verdict is sent from here, without the linker, whose locks the waiting thread may hold. Its error, ETIMEDOUT,
 * tells the mount process to replace this process.
 */
#include "worker_watch.h"

#include "diag.h"
#include "transport.h"
#include "util.h"
#include "worker.h"

#define TICK_MS 100

_Noreturn static void wait_for_the_end(void)
{
	for (;;)
		pause();
}

static void give_up(const struct watch *w)
{
	struct msg m = { .type = MSG_LINK | MSG_REPLY, .id = w->link->id, .gen = w->link->gen, .error = -ETIMEDOUT };
	struct text t = { 0 };

	text_printf(&t, "linkfs: error: %s: cannot look for it: the file system does not answer\n", w->path);
	m.u.verdict.diag_sz = t.sz;
	int blob = t.failed ? -1 : blob_new("linkfs-verdict", t.s, t.sz, "", 0);
	if (blob < 0 || transport_send(WORKER_CONTROL_FD, &m, NULL, &blob, 1, true))
		_exit(1);
}

static void *run(void *arg)
{
	struct watch *w = arg;

	pthread_mutex_lock(&w->lock);
	while (!w->is_over) {
		if (!w->link) {
			pthread_cond_wait(&w->some, &w->lock);
			continue;
		}
		pthread_mutex_unlock(&w->lock);
		nanosleep(&(struct timespec){ .tv_nsec = TICK_MS * 1000000 }, NULL);
		pthread_mutex_lock(&w->lock);
		w->is_over = w->path && now_ms() - w->since > w->patience_ms;
	}
	give_up(w);
	pthread_mutex_unlock(&w->lock);
	wait_for_the_end();
}

int watch_start(struct watch *w, int64_t patience_ms)
{
	pthread_t t;

	*w = (struct watch){ .patience_ms = patience_ms };
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->some, NULL);
	int r = pthread_create(&t, NULL, run, w);
	if (!r)
		pthread_detach(t);
	return -r;
}

static void set(struct watch *w, const struct msg *link, const char *path)
{
	pthread_mutex_lock(&w->lock);
	bool is_over = w->is_over;
	if (!is_over) {
		if (!w->link)
			pthread_cond_signal(&w->some);
		w->link = link;
		w->path = path;
		w->since = path ? now_ms() : 0;
	}
	pthread_mutex_unlock(&w->lock);
	if (is_over)
		wait_for_the_end();
}

void watch_begin_link(struct watch *w, const struct msg *rq)
{
	set(w, rq, NULL);
}

void watch_end_link(struct watch *w)
{
	set(w, NULL, NULL);
}

void watch_begin(struct watch *w, const char *path)
{
	set(w, w->link, path);
}

void watch_end(struct watch *w)
{
	set(w, w->link, NULL);
}
