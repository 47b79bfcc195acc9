/* worker_link.c - one linker process, kept alive (worker_link.h).
 *
 *     Down --spawn()--> Starting --HELLO--> Up --its end, a deadline--> Dying --reaped, abandoned--> Down
 *
 * Its end is seen as a closed socket or a deadline; ranges are asked for again only after it was reaped: until then it
 * may still be storing. Where it can't be reaped, since a file system holds one of its threads in the kernel, it is
 * abandoned: the generations it was filling are lost. Jobs: worker_jobs.c; their answers: worker_answers.c.
 */
#include "custody.h"
#include "outputs.h"
#include "worker_priv.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "mountinfo.h"
#include "kept.h"
#include "worker.h"

#define HELLO_DEADLINE_MS 20000
#define ABANDON_MS 3000
#define POLL_TICK_MS 50
#define POLL_IDLE_MS 1000

static void kill_worker(struct worker_link *w, const char *why, bool is_foreground)
{
	if (w->state == WORKER_DOWN || w->state == WORKER_DYING)
		return;
	if (why && is_foreground)
		fprintf(stderr, "linkfs: the linker process is replaced: %s\n", why);
	if (why && w->state == WORKER_STARTING)
		snprintf(w->failed_why, sizeof(w->failed_why), "%s", why);
	w->is_killed_by_us = why;
	w->state = WORKER_DYING;
	w->dying_since = now_ms();
	kill(w->pid, SIGKILL);
}

/* One of its threads waits for a file system that does not answer. That says nothing about its other jobs. */
static void replace_waiting(struct worker_link *w, bool is_foreground)
{
	kill_worker(w, "a file system does not answer", is_foreground);
	w->is_killed_by_us = false;
}

void worker_kill(struct fs *fs, const char *why)
{
	kill_worker(fs->worker, why, fs->cfg.is_foreground);
}

void worker_link_replace(struct fs *fs, const char *why)
{
	if (fs->worker)
		worker_kill(fs, why);
	worker_link_wake(fs);
}

/* All answers in the ring. */
static void drain_ring(struct fs *fs, struct replies *out)
{
	struct worker_link *w = fs->worker;
	struct packet p;
	int r = 0;

	while (w->state == WORKER_UP && (r = ring_answer(w->ring, &p)))
		if (r < 0 || !answer_fill(fs, &p, out))
			kill_worker(w, "what is in the ring makes no sense", fs->cfg.is_foreground);
}

/* Everything that has arrived at one of the ends. */
static void drain(struct fs *fs, bool is_control, struct replies *out)
{
	struct worker_link *w = fs->worker;
	struct packet p;

	while (w->state == WORKER_UP || w->state == WORKER_STARTING) {
		int r = transport_recv(is_control ? w->control : w->fill, &p, false);
		if (r == -EAGAIN || r == -EMFILE || r == -ENFILE || r == -ENOMEM)
			return;
		if (r == 0)
			drain_ring(fs, out); /* what it had finished */
		if (r <= 0) {
			kill_worker(w, r ? "what it sent is no message" : NULL, fs->cfg.is_foreground);
			return;
		}
		if (!(is_control ? answer_control(fs, &p, out) : answer_fill(fs, &p, out)))
			kill_worker(w, "what it sent makes no sense", fs->cfg.is_foreground);
		else if (p.msg.type == (MSG_LINK | MSG_REPLY) && p.msg.error == -ETIMEDOUT)
			replace_waiting(w, fs->cfg.is_foreground);
		packet_done(&p);
	}
}

/* What a linker process is given: its ends and ours. -1, NULL: none, or taken. */
struct ends {
	int control[2], fill[2]; /* ours, its */
	struct ring *ring;
	int ring_fd;
};

static void ends_done(struct ends *e)
{
	for (int i = 0; i < 2; i++) {
		cleanup_fd(&e->control[i]);
		cleanup_fd(&e->fill[i]);
	}
	cleanup_fd(&e->ring_fd);
	ring_unref(e->ring);
}

static int ends_new(struct ends *e)
{
	*e = (struct ends){ { -1, -1 }, { -1, -1 }, NULL, -1 };
	int err = transport_pair(e->control);
	if (!err)
		err = transport_pair(e->fill);
	if (!err)
		err = ring_new(&e->ring, &e->ring_fd);
	if (err)
		ends_done(e);
	return err;
}

_Noreturn static void child(struct fs *fs, const struct ends *e, const char *const argv[])
{
	extern char **environ;
	sigset_t none;

	/* Only calls that are safe between fork and exec. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	if (!fs->cfg.is_foreground) /* whoever reads what the mount's starter says must see its end */
		dup2(STDIN_FILENO, STDERR_FILENO);
	int c = fcntl(e->control[1], F_DUPFD, 10), f = fcntl(e->fill[1], F_DUPFD, 10),
	    r = fcntl(e->ring_fd, F_DUPFD, 10), b = fcntl(fs->worker->binary_fd, F_DUPFD, 10);
	if (c < 0 || f < 0 || r < 0 || b < 0 || dup2(c, WORKER_CONTROL_FD) < 0 || dup2(f, WORKER_FILL_FD) < 0 ||
	    dup2(r, WORKER_RING_FD) < 0 || dup2(b, WORKER_BINARY_FD) < 0)
		_exit(errno);
	fcntl(WORKER_BINARY_FD, F_SETFD, FD_CLOEXEC);
	if (syscall(SYS_close_range, WORKER_BINARY_FD + 1, ~0U, 0) < 0)
		_exit(errno); /* it must not inherit /dev/fuse */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	syscall(SYS_execveat, WORKER_BINARY_FD, "", argv, environ, AT_EMPTY_PATH);
	_exit(errno);
}

static int spawn(struct fs *fs)
{
	struct worker_link *w = fs->worker;
	char threads[16], dev[24], parent[16], patience[24];
	const char *argv[] = { WORKER_ARGV0, threads, dev, parent, patience, NULL };
	struct ends e;

	int err = ends_new(&e);
	if (err)
		return err;
	snprintf(threads, sizeof(threads), "%u", fs->cfg.threads);
	snprintf(dev, sizeof(dev), "%" PRIx64, fs->own_dev);
	snprintf(parent, sizeof(parent), "%d", (int)getpid());
	snprintf(patience, sizeof(patience), "%" PRId64, fs->cfg.fill_timeout_ms);
	pid_t pid = fork();
	if (pid == 0)
		child(fs, &e, argv);
	err = pid < 0 ? -errno : 0;
	int pid_fd = err ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	if (!err && pid_fd < 0) {
		err = -errno;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (err) {
		ends_done(&e);
		return err;
	}
	w->pid = pid;
	w->pid_fd = pid_fd;
	w->control = take_fd(&e.control[0]);
	w->fill = take_fd(&e.fill[0]);
	w->ring = ring_ref(e.ring);
	w->ring_until = 0;
	w->naps = w->bells = 0;
	ends_done(&e);
	w->epoch++;
	w->state = WORKER_STARTING;
	w->is_killed_by_us = false;
	w->hello_deadline = now_ms() + HELLO_DEADLINE_MS;
	return 0;
}

/* The process is gone and reaped: its jobs wait for the next one. */
static void on_reaped(struct fs *fs, bool was_killed, struct replies *out)
{
	struct worker_link *w = fs->worker;
	struct generation *g;
	struct job *j, *next;

	close(w->pid_fd);
	close(w->control);
	close(w->fill);
	w->pid_fd = w->control = w->fill = -1;
	w->ring = ring_unref(w->ring);
	w->pid = 0;
	w->state = WORKER_DOWN;
	w->wants_control = w->wants_fill = false;
	fs->linker = (struct msg_stats){ 0 };
	TAILQ_FOREACH (g, &fs->generations, all) {
		g->relocs_before += g->relocs_now;
		g->relocs_now = 0;
	}
	for (j = TAILQ_FIRST(&w->jobs); j; j = next) {
		next = TAILQ_NEXT(j, on);
		if (j->type == JOB_DROP || j->type == JOB_KEEP) {
			job_free(fs, j);
			continue;
		}
		if (j->type == JOB_STAGE) { /* its buffers went with it; who needs the bytes will read them */
			job_fail(fs, j, -ECANCELED, "", out);
			continue;
		}
		if (j->is_sent && was_killed)
			j->kills++;
		else if (j->is_sent)
			j->crashes++;
		job_unsend(w, j);
	}
	w->is_control_busy = false;
	if (!w->is_stopping) {
		fs->count.worker_restarts++;
		/* At once after the first death; slower when it dies without ever having been ready. */
		w->retry_at = w->failed_starts ? now_ms() + 100 * (int64_t)w->failed_starts : 0;
		w->failed_starts += !was_killed;
	}
	jobs_fail_hopeless(fs, out);
}

/* Its end before it said a word: WORKER_UNLOADED is the dynamic linker's, other statuses are errnos (worker.h). */
static void say_why_not_started(struct worker_link *w, int status)
{
	if (WIFSIGNALED(status))
		snprintf(w->failed_why, sizeof(w->failed_why), "signal %d ended it", WTERMSIG(status));
	else if (WEXITSTATUS(status) == WORKER_UNLOADED)
		snprintf(w->failed_why, sizeof(w->failed_why),
			 "its program or a library of it can't be loaded; is there memory (ulimit -v)?");
	else
		snprintf(w->failed_why, sizeof(w->failed_why), "%s", strerror(WEXITSTATUS(status)));
}

static void try_reap(struct fs *fs, struct replies *out)
{
	struct worker_link *w = fs->worker;
	int status;

	if (w->state == WORKER_DOWN || waitpid(w->pid, &status, WNOHANG) != w->pid)
		return;
	if (w->state == WORKER_STARTING)
		say_why_not_started(w, status);
	/* Somebody else's SIGKILL (the OOM killer's, a person's) says little about the job. */
	bool was_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !w->is_killed_by_us;
	on_reaped(fs, was_killed, out);
}

/* A thread of it waits in the kernel for a file system that does not answer, and will not end before that does. The
 * others are at their end, but what that one will yet store is not known. */
static void try_abandon(struct fs *fs, struct replies *out)
{
	struct worker_link *w = fs->worker;
	const struct job *j;
	pid_t *free_slot = NULL;

	for (int i = 0; i < ABANDONED_MAX; i++) {
		if (w->abandoned[i] && waitpid(w->abandoned[i], NULL, WNOHANG) != 0)
			w->abandoned[i] = 0;
		if (!w->abandoned[i])
			free_slot = &w->abandoned[i];
	}
	if (w->state != WORKER_DYING || now_ms() - w->dying_since < ABANDON_MS || !free_slot)
		return;
	TAILQ_FOREACH (j, &w->jobs, on)
		if (j->is_sent && j->type == JOB_FILL)
			generation_lose(fs, j->gen, "the linker process that was filling it waits for a file system "
						    "that does not answer, and can't be ended");
	*free_slot = w->pid;
	on_reaped(fs, !w->is_killed_by_us, out);
}

static void check_deadlines(struct fs *fs)
{
	struct worker_link *w = fs->worker;
	struct job *j;
	int64_t now = now_ms();

	if (w->state == WORKER_STARTING && now > w->hello_deadline)
		kill_worker(w, "it did not start", fs->cfg.is_foreground);
	if (w->state != WORKER_UP)
		return;
	if (w->ring_until && now > w->ring_until)
		kill_worker(w, "it takes no requests", fs->cfg.is_foreground);
	TAILQ_FOREACH (j, &w->jobs, on) {
		if ((!j->is_sent && j->type != JOB_KEEP) || now <= j->deadline)
			continue;
		j->was_late = true;
		kill_worker(w, "no answer in time", fs->cfg.is_foreground);
	}
}

/* SIGTERM and friends: leave the tree, serve those who are inside until they are done, settle; the second time end at
 * once. */
static void on_signal(struct fs *fs)
{
	struct worker_link *w = fs->worker;
	struct signalfd_siginfo si;

	if (read(w->signal_fd, &si, sizeof(si)) != sizeof(si))
		return;
	fs_lock(fs);
	settler_leave(fs);
	fs_unlock(fs);
	if (w->was_asked_to_end || mountinfo_detach(fs->cfg.mountpoint, true) < 0)
		loop_end(fs);
	if (w->was_asked_to_end)
		mountinfo_abort(fs->own_dev);
	w->was_asked_to_end = true;
}

uint64_t worker_link_look(struct fs *fs, const char *path)
{
	const struct worker_link *w = fs->worker;
	struct msg m = { .type = MSG_LOOK };
	char text[MSG_TEXT_MAX];

	if (!w || w->state != WORKER_UP)
		return 0;
	snprintf(text, sizeof(text), "%s/%s", fs->cfg.mountpoint, path);
	return transport_send(w->fill, &m, text, NULL, 0, false) ? 0 : w->epoch;
}

bool worker_link_is(const struct fs *fs, uint64_t number)
{
	return fs->worker && fs->worker->state == WORKER_UP && fs->worker->epoch == number;
}

static void step(struct fs *fs, struct replies *out)
{
	struct worker_link *w = fs->worker;

	try_reap(fs, out);
	try_abandon(fs, out);
	int err = w->state == WORKER_DOWN && !w->is_stopping && now_ms() >= w->retry_at ? spawn(fs) : 0;
	if (err) {
		snprintf(w->failed_why, sizeof(w->failed_why), "%s", strerror(-err));
		w->failed_starts++;
		w->retry_at = now_ms() + 200;
	}
	check_deadlines(fs);
	if (w->state != WORKER_UP)
		jobs_end_keeps(fs);
	jobs_pump(fs);
	jobs_end_proofs(fs, out);
	jobs_fail_hopeless(fs, out);
	notifier_pump(fs);
	park_sweep(fs, out);
	verifier_sweep(fs, out);
	restorer_sweep(fs, out);
	custody_sweep(fs, out);
}

static void *dispatcher(void *arg)
{
	struct fs *fs = arg;
	struct worker_link *w = fs->worker;

	for (;;) {
		struct replies out;
		replies_init(&out);
		fs_lock(fs);
		step(fs, &out);
		if (w->is_stopping && w->state != WORKER_DOWN)
			kill_worker(w, NULL, false);
		bool is_over = w->is_stopping && w->state == WORKER_DOWN;
		bool has_answer = w->state == WORKER_UP && !ring_sleep(w->ring);
		w->naps++;
		struct pollfd pf[] = {
			{ .fd = w->wake_fd, .events = POLLIN },
			{ .fd = w->state == WORKER_DYING ? -1 : w->control,
			  .events = (short)(POLLIN | (w->wants_control ? POLLOUT : 0)) },
			{ .fd = w->state == WORKER_DYING ? -1 : w->fill,
			  .events = (short)(POLLIN | (w->wants_fill ? POLLOUT : 0)) },
			{ .fd = w->pid_fd, .events = POLLIN },
			{ .fd = w->signal_fd, .events = POLLIN },
		};
		int timeout =
			fs->parked_cnt || !TAILQ_EMPTY(&w->jobs) || w->state != WORKER_UP ? POLL_TICK_MS : POLL_IDLE_MS;
		fs_unlock(fs);
		replies_send(fs, &out);
		if (is_over)
			return NULL;

		if (poll(pf, sizeof(pf) / sizeof(pf[0]), has_answer ? 0 : timeout) < 0)
			continue;
		uint64_t drop;
		if (pf[0].revents && read(w->wake_fd, &drop, sizeof(drop)) < 0 && errno != EAGAIN)
			continue;
		if (pf[4].revents)
			on_signal(fs);
		replies_init(&out);
		fs_lock(fs);
		w->wants_control &= !(pf[1].revents & POLLOUT);
		w->wants_fill &= !(pf[2].revents & POLLOUT);
		if (w->state == WORKER_UP) {
			ring_awake(w->ring);
			drain_ring(fs, &out);
		}
		if (pf[1].revents)
			drain(fs, true, &out);
		if (pf[2].revents)
			drain(fs, false, &out);
		fs_unlock(fs);
		replies_send(fs, &out);
	}
}

void worker_link_watch(struct fs *fs)
{
	struct ring *ring = NULL;
	struct replies out;

	fs_lock(fs);
	struct worker_link *w = fs->worker;
	if (w && w->state == WORKER_UP && !TAILQ_EMPTY(&fs->reading) && ring_watch_begin(w->ring))
		ring = ring_ref(w->ring);
	fs_unlock(fs);
	if (!ring)
		return;
	bool was_seen = ring_watch(ring);
	replies_init(&out);
	fs_lock(fs);
	if (ring_watch_end(ring, was_seen) && fs->worker && fs->worker->ring == ring) {
		drain_ring(fs, &out);
		jobs_pump(fs);
	}
	ring_unref(ring);
	fs_unlock(fs);
	replies_send(fs, &out);
}

int worker_link_start(struct fs *fs, int binary_fd, int signal_fd)
{
	struct worker_link *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	*w = (struct worker_link){
		.binary_fd = binary_fd, .signal_fd = signal_fd, .pid_fd = -1, .control = -1, .fill = -1
	};
	TAILQ_INIT(&w->jobs);
	pthread_cond_init(&w->kept, NULL);
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->wake_fd < 0) {
		int err = -errno;
		free(w);
		return err;
	}
	fs->worker = w;
	int r = pthread_create(&w->thread, NULL, dispatcher, fs);
	if (r) {
		fs->worker = NULL;
		close(w->wake_fd);
		free(w);
	}
	return -r;
}

void worker_link_stop(struct fs *fs)
{
	struct worker_link *w = fs->worker;
	struct replies out;

	if (!w)
		return;
	fs_lock(fs);
	w->is_stopping = true;
	fs_unlock(fs);
	worker_link_wake(fs);
	pthread_join(w->thread, NULL);
	replies_init(&out);
	fs_lock(fs);
	while (!TAILQ_EMPTY(&w->jobs))
		job_fail(fs, TAILQ_FIRST(&w->jobs), -ECANCELED, "the mount ends", &out);
	fs->worker = NULL;
	fs_unlock(fs);
	replies_send(fs, &out);
	close(w->wake_fd);
	free(w);
}
