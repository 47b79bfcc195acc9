/* progress.c - see progress.h.
 *
 * The thread is detached and never waited for: what it asks may hang. It draws with the lock held, and not once it was
 * stopped; what it uses is left to the end of the process.
 */
#include "progress.h"

#include <pthread.h>
#include <signal.h>

#include "show.h"

#define QUIET_MS 1000
#define STEP_MS	 250

struct progress {
	pthread_mutex_t lock;
	pthread_cond_t over; /* with .lock; its clock is the monotonic one */
	bool is_over;
	bool is_drawn;
	int64_t since; /* ms */
	char *name;
	progress_what_fn *what;
	void *ctx;
};

static bool is_wanted(void)
{
	const char *term = getenv("TERM"), *progress = getenv("LINKFS_PROGRESS");

	return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") && !(progress && !strcmp(progress, "0"));
}

static void put(const char *s, size_t sz)
{
	ssize_t n = write(STDERR_FILENO, s, sz);

	(void)n; /* nobody is to be told that a line was not seen */
}

/* (lock held) In one line of the terminal: its end tells most, so the name gives way. */
static void draw(struct progress *p, const char *what)
{
	CLEAN_TEXT struct text name = { 0 }, tail = { 0 }, line = { 0 };
	char took[AMOUNT_SZ];
	unsigned columns, lines;

	show_terminal(STDERR_FILENO, &columns, &lines);
	show_name(&name, p->name);
	text_append(&tail, ": ", *p->name ? 2 : 0);
	show_name(&tail, what);
	text_printf(&tail, " (%s)", show_ms(took, (double)(now_ms() - p->since)));
	size_t room = columns > tail.sz + 20 ? columns - tail.sz - 9 : 11, n = name.sz;
	if (name.failed || tail.failed)
		return;
	bool is_cut = n > room;
	text_printf(&line, "\rlinkfs: %s%s%s\033[K", is_cut ? "..." : "",
		    name.s ? name.s + (is_cut ? n - (room - 3) : 0) : "", tail.s);
	if (line.failed)
		return;
	put(line.s, line.sz);
	p->is_drawn = true;
}

/* (lock held) False: it is over. */
static bool rest(struct progress *p, int ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!p->is_over)
		if (pthread_cond_timedwait(&p->over, &p->lock, &until))
			break;
	return !p->is_over;
}

static void *run(void *arg)
{
	struct progress *p = arg;
	char what[256];

	pthread_mutex_lock(&p->lock);
	for (bool goes_on = rest(p, QUIET_MS); goes_on; goes_on = rest(p, STEP_MS)) {
		pthread_mutex_unlock(&p->lock);
		what[0] = 0;
		p->what(p->ctx, what, sizeof(what));
		pthread_mutex_lock(&p->lock);
		if (p->is_over)
			break;
		draw(p, what);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* It takes no signal from who works. */
static int start_thread(struct progress *p)
{
	pthread_attr_t detached;
	sigset_t all, before;
	pthread_t t;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	int r = pthread_create(&t, &detached, run, p);
	pthread_attr_destroy(&detached);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

struct progress *progress_start(const char *name, progress_what_fn *what, void *ctx)
{
	struct progress *p = is_wanted() ? calloc(1, sizeof(*p)) : NULL;
	pthread_condattr_t attr;

	if (p)
		p->name = strdup(name ? name : "");
	if (!p || !p->name) {
		free(p);
		free(ctx);
		return NULL;
	}
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->over, &attr);
	pthread_condattr_destroy(&attr);
	p->since = now_ms();
	p->what = what;
	p->ctx = ctx;
	if (!start_thread(p))
		return p;
	free(p->name);
	free(p);
	free(ctx);
	return NULL;
}

struct progress *progress_stop(struct progress *p)
{
	static const char erase[] = "\r\033[K";

	if (!p)
		return NULL;
	pthread_mutex_lock(&p->lock);
	if (p->is_drawn)
		put(erase, sizeof(erase) - 1);
	p->is_over = true;
	pthread_cond_signal(&p->over);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}
