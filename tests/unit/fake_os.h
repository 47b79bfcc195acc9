/* fake_os.h - an os layer for tests: records calls, fails the k-th, pretends addresses or passes calls on.
 *
 * Also what tests of memory need around it: a child process that may die, limits, and visible skips. Pretended memory
 * must not be touched. What is mapped through a fake is tracked, so a test can ask whether all of it was given back.
 */
#ifndef LINKFS_TEST_FAKE_OS_H
#define LINKFS_TEST_FAKE_OS_H

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os.h"
#include "ranges.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

#define FAKE_LOG_MAX 8192
#define ARRAY_CNT(a) (sizeof(a) / sizeof((a)[0]))

struct fake_call {
	enum os_call call;
	uintptr_t addr; /* asked for; a file offset for OS_FALLOCATE */
	uint64_t sz;
	int arg;        /* protection, advice, mode or flags */
	int result;
};

struct fake_os {
	struct os os;                 /* what the code under test gets */
	bool pretend;                 /* no kernel: map gives NEXT_ADDR and moves it on */
	uintptr_t next_addr;
	bool stays;                   /* pretend: NEXT_ADDR does not move */
	bool ignore_hint;             /* pretend: a hint is never granted, and NEXT_ADDR is skewed by SKEW */
	uintptr_t skew;
	unsigned fail_at;             /* the k-th call that can fail does, from 1; 0: none */
	enum os_call fail_call;       /* only these count; OS_CALL_CNT: all but names */
	int fail_errno;
	unsigned fail_cnt;            /* how many in a row fail; 0 is 1 */
	int refuse_advice;            /* this advice is -EINVAL */
	unsigned seen;                /* calls that could have failed */
	unsigned injected;            /* that did */
	struct ranges mapped;
	unsigned stray;               /* unmap, protect or advise outside what is mapped */
	struct fake_call log[FAKE_LOG_MAX];
	size_t log_cnt;
};

static inline int fake_note(struct fake_os *f, enum os_call call, uintptr_t addr, uint64_t sz, int arg)
{
	int r = 0;

	if (f->fail_call == call || (f->fail_call == OS_CALL_CNT && call != OS_NAME)) {
		f->seen++;
		if (f->fail_at && f->seen >= f->fail_at && f->seen < f->fail_at + (f->fail_cnt ? f->fail_cnt : 1)) {
			f->injected++;
			r = -f->fail_errno;
		}
	}
	if (!r && call == OS_MADVISE && f->refuse_advice && arg == f->refuse_advice)
		r = -EINVAL;
	if (f->log_cnt < FAKE_LOG_MAX)
		f->log[f->log_cnt++] = (struct fake_call){ call, addr, sz, arg, r };
	return r;
}

static inline void fake_check_mapped(struct fake_os *f, uintptr_t addr, size_t sz)
{
	if (!ranges_contains_range(&f->mapped, (struct range){ addr, addr + sz }))
		f->stray++;
}

static inline int fake_map(void *ctx, void *hint, size_t sz, int prot, int flags, int fd, uint64_t off, void **ret_addr)
{
	struct fake_os *f = ctx;
	uintptr_t addr = (uintptr_t)hint;
	int r = fake_note(f, OS_MMAP, addr, sz, prot);

	if (r < 0)
		return r;
	if (!f->pretend) {
		void *got;

		r = os_kernel_ops()->map(NULL, hint, sz, prot, flags, fd, off, &got);
		if (r < 0)
			return r;
		addr = (uintptr_t)got;
		*ret_addr = got;
	} else if (flags & MAP_FIXED) {
		*ret_addr = hint;
	} else {
		struct range want = { addr, addr + sz };

		if (!addr || f->ignore_hint || addr > UINTPTR_MAX - sz || ranges_intersects(&f->mapped, want))
			addr = f->next_addr + f->skew;
		if (!f->stays && addr + sz > f->next_addr)
			f->next_addr = addr + sz;
		*ret_addr = (void *)addr;
	}
	if (addr <= UINTPTR_MAX - sz)
		ranges_add_merge(&f->mapped, (struct range){ addr, addr + sz }, NULL);
	return 0;
}

static inline int fake_unmap(void *ctx, void *addr, size_t sz)
{
	struct fake_os *f = ctx;
	int r = fake_note(f, OS_MUNMAP, (uintptr_t)addr, sz, 0);

	if (r < 0)
		return r;
	if ((uintptr_t)addr > UINTPTR_MAX - sz)
		return 0; /* pretended beyond the top, and so never tracked */
	fake_check_mapped(f, (uintptr_t)addr, sz);
	ranges_remove(&f->mapped, (struct range){ (uintptr_t)addr, (uintptr_t)addr + sz }, NULL);
	return f->pretend ? 0 : os_kernel_ops()->unmap(NULL, addr, sz);
}

static inline int fake_protect(void *ctx, void *addr, size_t sz, int prot)
{
	struct fake_os *f = ctx;
	int r = fake_note(f, OS_MPROTECT, (uintptr_t)addr, sz, prot);

	fake_check_mapped(f, (uintptr_t)addr, sz);
	return r < 0 || f->pretend ? r : os_kernel_ops()->protect(NULL, addr, sz, prot);
}

static inline int fake_remap(void *ctx, void *addr, size_t old_sz, size_t new_sz, int flags, void **ret_addr)
{
	struct fake_os *f = ctx;
	int r = fake_note(f, OS_MREMAP, (uintptr_t)addr, new_sz, flags);

	if (r < 0)
		return r;
	if (f->pretend)
		return -ENOMEM;
	return os_kernel_ops()->remap(NULL, addr, old_sz, new_sz, flags, ret_addr);
}

static inline int fake_advise(void *ctx, void *addr, size_t sz, int advice)
{
	struct fake_os *f = ctx;
	int r = fake_note(f, OS_MADVISE, (uintptr_t)addr, sz, advice);

	fake_check_mapped(f, (uintptr_t)addr, sz);
	return r < 0 || f->pretend ? r : os_kernel_ops()->advise(NULL, addr, sz, advice);
}

static inline int fake_allocate(void *ctx, int fd, int mode, uint64_t off, uint64_t sz)
{
	struct fake_os *f = ctx;
	int r = fake_note(f, OS_FALLOCATE, (uintptr_t)off, sz, mode);

	return r < 0 || f->pretend ? r : os_kernel_ops()->allocate(NULL, fd, mode, off, sz);
}

static inline int fake_truncate(void *ctx, int fd, uint64_t sz)
{
	struct fake_os *f = ctx;
	int r = fake_note(f, OS_FTRUNCATE, 0, sz, 0);

	return r < 0 || f->pretend ? r : os_kernel_ops()->truncate(NULL, fd, sz);
}

static inline int fake_name(void *ctx, void *addr, size_t sz, const char *name)
{
	struct fake_os *f = ctx;
	int r = fake_note(f, OS_NAME, (uintptr_t)addr, sz, 0);

	return r < 0 || f->pretend ? r : os_kernel_ops()->name(NULL, addr, sz, name);
}

static const struct os_ops fake_ops = {
	.map = fake_map,
	.unmap = fake_unmap,
	.protect = fake_protect,
	.remap = fake_remap,
	.advise = fake_advise,
	.allocate = fake_allocate,
	.truncate = fake_truncate,
	.name = fake_name,
};

static inline struct fake_os *fake_new(bool pretend, size_t page_sz)
{
	struct fake_os *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	os_init(&f->os, &fake_ops, f, page_sz);
	f->pretend = pretend;
	f->next_addr = (uintptr_t)1 << (sizeof(uintptr_t) == 8 ? 40 : 28);
	f->fail_call = OS_CALL_CNT;
	f->fail_errno = ENOMEM;
	ranges_init(&f->mapped, NULL);
	return f;
}

static inline struct fake_os *fake_free(struct fake_os *f)
{
	if (f)
		ranges_done(&f->mapped);
	free(f);
	return NULL;
}

/* How many recorded calls are CALL with argument ARG (-1: any) and succeeded. */
static inline size_t fake_cnt(const struct fake_os *f, enum os_call call, int arg)
{
	size_t n = 0;

	for (size_t i = 0; i < f->log_cnt; i++)
		n += f->log[i].call == call && (arg < 0 || f->log[i].arg == arg) && f->log[i].result >= 0;
	return n;
}

/* --- children --- */

struct child_end {
	int status;        /* as waitpid gives it */
	void *fault_addr;  /* of a SIGSEGV or SIGBUS caught in the child */
	int fault_sig;     /* 0: none */
};

static int child_report_fd = -1; /* in the child: where to tell of a fault */

static inline void child_on_fault(int sig, siginfo_t *info, void *context)
{
	struct child_end end = { .fault_addr = info->si_addr, .fault_sig = sig };

	(void)context;
	if (write(child_report_fd, &end, sizeof(end)) < 0)
		_exit(98);
	_exit(99);
}

/* Runs FN in a child, exit status what FN returns; a fault is caught and reported. */
static inline struct child_end child_run(int (*fn)(void *ctx), void *ctx)
{
	struct child_end end = { .status = -1 };
	int fds[2];
	pid_t pid;

	fflush(NULL);
	if (pipe(fds))
		return end;
	pid = fork();
	if (!pid) {
		struct sigaction on_fault = { .sa_sigaction = child_on_fault, .sa_flags = SA_SIGINFO };

		child_report_fd = fds[1];
		sigaction(SIGSEGV, &on_fault, NULL);
		sigaction(SIGBUS, &on_fault, NULL);
		_exit(fn(ctx));
	}
	close(fds[1]);
	if (read(fds[0], &end, sizeof(end)) != (ssize_t)sizeof(end))
		end = (struct child_end){ 0 };
	close(fds[0]);
	if (pid < 0 || waitpid(pid, &end.status, 0) != pid)
		end.status = -1;
	return end;
}

static inline bool child_ok(struct child_end end)
{
	return !end.fault_sig && WIFEXITED(end.status) && !WEXITSTATUS(end.status);
}

/* LINE of /proc/self/status, in kB; 0 where there is none. */
static inline unsigned long status_kb(const char *line)
{
	char text[256];
	unsigned long kb = 0;
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(text, sizeof(text), file))
		if (!strncmp(text, line, strlen(line)))
			kb = strtoul(text + strlen(line) + 1, NULL, 10);
	if (file)
		fclose(file);
	return kb;
}

/* Limits RESOURCE to BYTES more than LINE of /proc/self/status says is used now. */
static inline int limit_above_now(int resource, const char *line, size_t bytes)
{
	struct rlimit lim = { 0 };

	lim.rlim_cur = lim.rlim_max = status_kb(line) * 1024 + bytes;
	return setrlimit(resource, &lim) ? -errno : 0;
}

#define SKIP(why) \
	do { \
		fprintf(stderr, "%s: skipped: %s\n", __func__, why); \
		return; \
	} while (0)

/* Small and the same everywhere, so that a seed names a run. */
static inline uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

#endif
