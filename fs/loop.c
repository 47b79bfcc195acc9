/* loop.c - the threads that take the kernel's requests from the mount's connection.
 *
 * In place of fuse_session_loop_mt of libfuse 3.14, for two reasons. That one ends its threads by pthread_cancel, whose
 * signal is one of those the kernel refuses to queue where RLIMIT_SIGPENDING is used up: the process then never ends. And
 * it makes threads as it goes, and gives the session up when one can't be had. No handler here waits for anything, so a
 * fixed number of threads will do; a thread without memory for its buffer waits for it while the others serve. The first
 * one takes the kernel's INIT before there are others: without memory for it nothing is served, and the mount fails.
 *
 * Threads sleep in read(2). They wake for good when the kernel lets go of the mount (ENODEV, all of them) or the
 * connection was aborted (ECONNABORTED); for loop_end SIGUSR1 wakes them, a signal that is never refused, again and again
 * since it may come before the read.
 */
#include <semaphore.h>
#include <stdatomic.h>
#include <signal.h>

#include "fs.h"

#define THREADS	 4	  /* where the user says nothing */
#define KICK_NS	 20000000 /* between signals to threads that still read */
#define RETRY_MS 50	  /* after want of memory */

struct loop {
	sem_t over;
	sem_t first_done; /* the first thread has taken a request, or will take none */
	atomic_bool is_over;
	atomic_int error;
	unsigned thread_cnt;
	pthread_t threads[];
};

static void wake_up(int signal)
{
	(void)signal;
}

void loop_end(struct fs *fs)
{
	sem_post(&fs->loop->over);
}

/* One request, or the reason for none. 0 or -errno. */
static int serve_one(struct fuse_session *se, struct fuse_buf *buf)
{
	int n = fuse_session_receive_buf(se, buf);

	if (n < 0)
		return n;
	if (n > 0)
		fuse_session_process_buf(se, buf);
	/* 0 bytes: ENODEV, which libfuse does not return; it is also how libfuse refuses the kernel's INIT. */
	return n && !fuse_session_exited(se) ? 0 : -ENODEV;
}

/* R: what serving the last one came to. */
static void serve(struct fs *fs, struct fuse_buf *buf, int r)
{
	while (!fs->loop->is_over && (!r || r == -EINTR || r == -EAGAIN || r == -ENOMEM)) {
		r = serve_one(fs->se, buf);
		if (r == -ENOMEM)
			nanosleep(&(struct timespec){ .tv_nsec = RETRY_MS * 1000000 }, NULL);
	}
	free(buf->mem);
	if (r && r != -EINTR && r != -EAGAIN && r != -ENODEV && r != -ECONNABORTED)
		fs->loop->error = r;
	loop_end(fs);
}

static void let_wake(void)
{
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
}

static void *run_first(void *arg)
{
	struct fs *fs = arg;
	struct fuse_buf buf = { .mem = NULL }; /* libfuse makes it at the first request */
	int r;

	let_wake();
	do
		r = serve_one(fs->se, &buf);
	while (!fs->loop->is_over && (r == -EINTR || r == -EAGAIN));
	if (r == -ENOMEM) {
		fs->loop->error = r;
		loop_end(fs);
	}
	sem_post(&fs->loop->first_done);
	if (r != -ENOMEM)
		serve(fs, &buf, r);
	return NULL;
}

static void *run(void *arg)
{
	struct fuse_buf buf = { .mem = NULL };

	let_wake();
	serve(arg, &buf, 0);
	return NULL;
}

int loop_make(struct fs *fs)
{
	unsigned cnt = fs->cfg.threads ? fs->cfg.threads + 1 : THREADS;
	struct loop *loop = calloc(1, sizeof(*loop) + cnt * sizeof(loop->threads[0]));
	sigset_t usr1;

	if (!loop)
		return -ENOMEM;
	sem_init(&loop->over, 0, 0);
	sem_init(&loop->first_done, 0, 0);
	loop->thread_cnt = cnt;
	fs->loop = loop;
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = wake_up }, NULL);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	return -pthread_sigmask(SIG_BLOCK, &usr1, NULL);
}

int loop_run(struct fs *fs, void (*before_end)(struct fs *fs))
{
	struct loop *loop = fs->loop;
	unsigned cnt = 1;

	int r = pthread_create(&loop->threads[0], NULL, run_first, fs);
	if (r)
		return -r;
	while (sem_wait(&loop->first_done) < 0 && errno == EINTR)
		;
	while (!loop->error && cnt < loop->thread_cnt && !pthread_create(&loop->threads[cnt], NULL, run, fs))
		cnt++;
	while (sem_wait(&loop->over) < 0 && errno == EINTR)
		;
	before_end(fs);
	loop->is_over = true;
	for (unsigned i = 0; i < cnt; i++) {
		struct timespec until;
		do {
			pthread_kill(loop->threads[i], SIGUSR1);
			clock_gettime(CLOCK_REALTIME, &until);
			until.tv_nsec += KICK_NS;
			if (until.tv_nsec >= 1000000000) {
				until.tv_sec++;
				until.tv_nsec -= 1000000000;
			}
		} while (pthread_timedjoin_np(loop->threads[i], NULL, &until) == ETIMEDOUT);
	}
	return loop->error;
}

void loop_free(struct fs *fs)
{
	if (!fs->loop)
		return;
	sem_destroy(&fs->loop->over);
	sem_destroy(&fs->loop->first_done);
	free(fs->loop);
	fs->loop = NULL;
}
