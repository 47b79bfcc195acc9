/* lto_signal.c - see lto_signal.h.
 *
 * A plugin's cleanup is no function for a signal handler, so the handler but writes to a pipe, and a thread does the rest:
 * it passes the signal on to the compilers, since kill(1) reaches ld.linkfs alone, then cleans up as soon as the plugin is
 * back, and has the signal end the process. Compilers inherit no handler.
 */
#include "lto_signal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "util.h"

#define PATIENCE_SEC 5

static const int taken[] = { SIGINT, SIGTERM, SIGHUP };
#define TAKEN_CNT (sizeof(taken) / sizeof(*taken))

/* One per process, as handlers are. */
static struct {
	struct plugins *plugins;
	int pipe_fd; /* to the thread */
	struct sigaction before[TAKEN_CNT];
	bool are_taken;
	atomic_int came; /* the signal, 0: none */
} signals;

static void on_signal(int sig)
{
	int error = errno, none = 0;

	atomic_compare_exchange_strong(&signals.came, &none, sig);
	ssize_t n = write(signals.pipe_fd, "", 1); /* full: it knows */
	(void)n;
	errno = error;
}

void lto_signals_die(void)
{
	int sig = atomic_load(&signals.came);
	sigset_t set;

	if (!sig)
		return;
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	kill(getpid(), sig);
	_exit(128 + sig);
}

/* Any thread may have started one. */
static void pass_on(int sig)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *task;

	while (tasks && (task = readdir(tasks))) {
		char path[300];
		long pid;
		snprintf(path, sizeof(path), "/proc/self/task/%s/children", task->d_name);
		FILE *f = task->d_name[0] == '.' ? NULL : fopen(path, "re");
		while (f && fscanf(f, "%ld", &pid) == 1)
			kill((pid_t)pid, sig);
		if (f)
			fclose(f);
	}
	if (tasks)
		closedir(tasks);
}

static void *watch(void *arg)
{
	int fd = *(int *)arg;
	char c;

	free(arg);
	while (read(fd, &c, 1) < 0 && errno == EINTR)
		;
	int sig = atomic_load(&signals.came);
	if (sig) {
		pass_on(sig);
		plugins_clean_up(signals.plugins, PATIENCE_SEC);
		lto_signals_die();
	}
	return NULL;
}

static int start_watch(int fd)
{
	pthread_t t;
	int *arg = malloc(sizeof(*arg));

	if (!arg)
		return -ENOMEM;
	*arg = fd;
	int r = -pthread_create(&t, NULL, watch, arg);
	if (r)
		free(arg);
	else
		pthread_detach(t);
	return r;
}

int lto_signals_take(struct plugins *ps)
{
	struct sigaction on = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	int r = fcntl(fds[1], F_SETFL, O_NONBLOCK) < 0 ? -errno : start_watch(fds[0]);
	if (r) {
		close(fds[0]);
		close(fds[1]);
		return r;
	}
	signals.plugins = ps;
	signals.pipe_fd = fds[1];
	for (size_t i = 0; i < TAKEN_CNT; i++)
		if (!sigaction(taken[i], NULL, &signals.before[i]) && signals.before[i].sa_handler != SIG_IGN)
			sigaction(taken[i], &on, NULL);
	signals.are_taken = true;
	return 0;
}

void lto_signals_give_back(void)
{
	for (size_t i = 0; i < TAKEN_CNT && signals.are_taken; i++)
		sigaction(taken[i], &signals.before[i], NULL);
	signals.are_taken = false;
	lto_signals_die(); /* what came meanwhile was for us */
}
