/* util.h - the few helpers every file of fs/ wants: cleanup attributes, clocks, numbers of the kernel, growing text.
 *
 * Header only; no state.
 */
#ifndef FS_UTIL_H
#define FS_UTIL_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static inline void cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_mem(void *p)
{
	free(*(void **)p);
}

#define CLEAN_FD __attribute__((cleanup(cleanup_fd)))
#define CLEAN_MEM __attribute__((cleanup(cleanup_mem)))

static inline int take_fd(int *fd)
{
	int r = *fd;

	*fd = -1;
	return r;
}

/* The number that the file PATH of /proc/sys begins with; 0: it can't be read. */
static inline uint64_t sysctl_number(const char *path)
{
	unsigned long long n = 0;
	FILE *f = fopen(path, "re");

	if (f) {
		if (fscanf(f, "%llu", &n) != 1)
			n = 0;
		fclose(f);
	}
	return n;
}

/* Milliseconds of a clock that never jumps. */
static inline int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static inline int64_t timespec_ns(const struct timespec *ts)
{
	return (int64_t)ts->tv_sec * 1000000000 + ts->tv_nsec;
}

/* Also of what was before 1970. */
static inline struct timespec timespec_of_ns(int64_t ns)
{
	int64_t part = ns % 1000000000;
	bool is_before = part < 0;

	return (struct timespec){ .tv_sec = ns / 1000000000 - is_before, .tv_nsec = part + is_before * 1000000000 };
}

/* Text that grows. A failed allocation leaves what was there and sets .failed. */
struct text {
	char *s;   /* always terminated when not NULL */
	size_t sz; /* without the terminator */
	size_t cap;
	bool failed;
};

static inline bool text_reserve(struct text *t, size_t more)
{
	if (t->cap - t->sz > more && t->s)
		return true;
	size_t cap = (t->sz + more + 1) * 2;
	char *s = realloc(t->s, cap);
	if (!s) {
		t->failed = true;
		return false;
	}
	t->s = s;
	t->cap = cap;
	return true;
}

static inline void text_append(struct text *t, const void *p, size_t sz)
{
	if (!text_reserve(t, sz))
		return;
	if (sz)
		memcpy(t->s + t->sz, p, sz);
	t->sz += sz;
	t->s[t->sz] = 0;
}

__attribute__((format(printf, 2, 3))) static inline void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !text_reserve(t, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(t->s + t->sz, (size_t)n + 1, fmt, ap);
	va_end(ap);
	t->sz += (size_t)n;
}

static inline void cleanup_text(struct text *t)
{
	free(t->s);
}
#define CLEAN_TEXT __attribute__((cleanup(cleanup_text)))

#endif
