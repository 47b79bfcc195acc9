/* ring.c - how long is a round trip to another process: by a pair of sockets, and by the ring, watching or not?
 *
 *     ring [COUNT]
 *
 * The other process answers each request at once, from the same CPU or from another. The asker pauses between two requests
 * (not at all, 20 us, 1 ms: the last is longer than anybody watches). Without watching, a request costs a futex and an
 * answer a packet over a socket that the asker polls. Prints medians and means in microseconds, and the CPU time that
 * both processes took for each round trip.
 */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "ring.h"
#include "util.h"

enum way { BY_SOCKET, BY_SLEEPING, BY_WATCHING };
static const char *const way_name[] = { "socket", "ring, futex", "ring, watched" };

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static double cpu_us(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void pin(int from, int to)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = from; i <= to; i++)
		CPU_SET(i, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

_Noreturn static void answer(enum way way, int end, int ring_fd, int cpu)
{
	struct ring *r;
	struct packet p;
	struct msg bell = { .type = MSG_BELL | MSG_REPLY };

	/* A ring opened by who may use one CPU alone is never watched. */
	pin(0, way == BY_WATCHING ? 1 : 0);
	if (ring_open(ring_fd, &r))
		_exit(1);
	pin(cpu, cpu);
	while (way == BY_SOCKET && transport_recv(end, &p, true) == 1)
		transport_send(end, &p.msg, NULL, NULL, 0, true);
	while (way != BY_SOCKET && ring_take(r, &p) == 1)
		if (ring_reply(r, &p.msg, NULL))
			transport_send(end, &bell, NULL, NULL, 0, true);
	_exit(0);
}

static void ask(enum way way, int end, struct ring *r, struct msg *m)
{
	struct packet p;

	if (way == BY_SOCKET) {
		transport_send(end, m, NULL, NULL, 0, true);
		poll(&(struct pollfd){ .fd = end, .events = POLLIN }, 1, -1);
		transport_recv(end, &p, true);
		return;
	}
	bool is_asleep = !ring_watch_begin(r);
	ring_ask(r, m);
	if (!is_asleep)
		is_asleep = !ring_watch_end(r, ring_watch(r));
	while (is_asleep && ring_sleep(r)) {
		poll(&(struct pollfd){ .fd = end, .events = POLLIN }, 1, -1);
		transport_recv(end, &p, true);
	}
	ring_awake(r);
	ring_answer(r, &p);
	while (is_asleep && transport_recv(end, &p, false) == 1)
		;
}

static int measure(enum way way, int cpu, long pause_us, int cnt)
{
	int end[2], ring_fd;
	struct ring *r;
	double sum = 0, *us = calloc((size_t)cnt, sizeof(*us));

	pin(0, way == BY_WATCHING ? 1 : 0);
	if (!us || transport_pair(end) || ring_new(&r, &ring_fd))
		return 1;
	pin(0, 0);
	pid_t pid = fork();
	if (pid == 0)
		answer(way, end[1], ring_fd, cpu);
	double before = cpu_us(RUSAGE_SELF), of_others = cpu_us(RUSAGE_CHILDREN);
	for (int i = 0; i < cnt; i++) {
		struct msg m = { .type = MSG_FILL, .id = (uint64_t)i };
		if (pause_us)
			nanosleep(&(struct timespec){ .tv_nsec = pause_us * 1000 }, NULL);
		double from = now_us();
		ask(way, end[0], r, &m);
		us[i] = now_us() - from;
		sum += us[i];
	}
	double mine = cpu_us(RUSAGE_SELF) - before;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	qsort(us, (size_t)cnt, sizeof(*us), by_value);
	printf("%-14s %-11s pause %4ld us: median %6.2f mean %6.2f us, CPU %6.2f us\n", way_name[way],
	       cpu ? "across CPUs" : "on one CPU", pause_us, us[cnt / 2], sum / cnt,
	       (mine + cpu_us(RUSAGE_CHILDREN) - of_others) / cnt);
	free(us);
	close(end[0]);
	close(end[1]);
	close(ring_fd);
	ring_unref(r);
	return 0;
}

int main(int argc, char **argv)
{
	static const long pauses[] = { 0, 20, 1000 };
	int cnt = argc > 1 ? atoi(argv[1]) : 2000, err = 0;

	if (cnt < 1 || sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		fprintf(stderr, "usage: ring [COUNT], with two CPUs\n");
		return 2;
	}
	for (unsigned p = 0; p < sizeof(pauses) / sizeof(pauses[0]); p++)
		for (int cpu = 1; cpu >= 0; cpu--)
			for (enum way way = BY_SOCKET; way <= (cpu ? BY_WATCHING : BY_SLEEPING) && !err; way++)
				err = measure(way, cpu, pauses[p], cnt);
	return err;
}
