/* check_alloc.c - the n-th allocation of a link fails, for every n: an error with a message, or success where the memory
 * was not needed; never a crash, and no more.
 *
 * The inputs are the seeds of the fuzz target of whole links (tests/fuzz/corpus/link), linked as fuzz_link.c does, with
 * one thread, so that the n-th allocation is the same each time. malloc and its kin, and mmap, are this program's own, in front
 * of glibc's. Each n is a process of its own. Every second row is about a linker that has linked the same before.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../fuzz/fuzz_link_crt.h"
#include "linkfs.h"

enum {
	SEED_HEADER = 3, /* fuzz_link.c: variant, cuts, how the files are divided */
	SEED_MAX = 1 << 16,
	DONE = 0,        /* exit status of a child: linked, all allocations made */
	DONE_WITHOUT = 3, /* linked, although one failed */
	REFUSED = 1,     /* an error with a message */
	NO_MESSAGE = 4,
	WRONG_BYTES = 5,
	RESOLVED_ANEW = 6, /* although the linker had linked the same */
};

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HAS_OWN_MALLOC 1

extern void *__libc_malloc(size_t sz);
extern void *__libc_calloc(size_t cnt, size_t sz);
extern void *__libc_realloc(void *p, size_t sz);
extern void *__libc_memalign(size_t align, size_t sz);

static long left = -1; /* allocations until one fails; negative: none does */
static bool failed;

static bool fails(void)
{
	if (left < 0 || left--)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t sz)
{
	return fails() ? NULL : __libc_malloc(sz);
}

void *calloc(size_t cnt, size_t sz)
{
	return fails() ? NULL : __libc_calloc(cnt, sz);
}

void *realloc(void *p, size_t sz)
{
	return fails() ? NULL : __libc_realloc(p, sz);
}

void *aligned_alloc(size_t align, size_t sz)
{
	return fails() ? NULL : __libc_memalign(align, sz);
}

/* What the library maps by itself; glibc's own mappings do not come here. */
void *mmap(void *addr, size_t sz, int prot, int flags, int fd, off_t off)
{
	return fails() ? MAP_FAILED : (void *)syscall(SYS_mmap, addr, sz, prot, flags, fd, off);
}
#else
static long left;
static bool failed;
#endif

struct files {
	const uint8_t *data[3]; /* a, b, crt */
	size_t sz[3];
	int fd[3];
};

static int open_file(void *ctx, const char *path)
{
	const struct files *f = ctx;
	int i = !strcmp(path, "a") ? 0 : !strcmp(path, "b") ? 1 : !strcmp(path, "crt") ? 2 : -1;
	char name[64];
	int fd;
	if (i < 0 || !f->data[i])
		return -ENOENT;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", f->fd[i]);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Links; the bytes go to OUT (SZ of them must be the image's size; NULL: a new block). AGAIN: all allocations are made until
 * the linker has linked the same before. */
static int link_once(const struct files *files, const char *kind, bool again, uint8_t **io_bytes, uint64_t *io_sz)
{
	const char *argv[] = { "ld", kind, "--unresolved-symbols=ignore-all", "--allow-multiple-definition", "-z", "notext",
			       "--eh-frame-hdr", "--build-id", "--hash-style=both", "--gc-sections", "crt", "a", "b" };
	struct linkfs_opener opener = { .open = open_file, .ctx = (void *)files };
	struct linkfs_request rq = { .argc = files->data[1] ? 13 : 12, .argv = argv, .cwd_fd = AT_FDCWD, .opener = &opener };
	struct linkfs_config cfg = { .threads = 1 };
	struct linkfs_linker *l = NULL;
	struct linkfs_image *img = NULL;
	char *text = NULL;
	long later = left;
	left = again ? -1 : left;
	struct diag *d = diag_new(5);
	int status = REFUSED, rc = d ? linkfs_linker_new(&cfg, &l) : -ENOMEM;
	if (rc) /* nowhere to put a message yet: the status says it */
		return REFUSED;
	if (again && !linkfs_link(l, &rq, d, &img, &text))
		img = linkfs_image_unref(img);
	left = again ? later : left;
	rc = linkfs_link(l, &rq, d, &img, &text);
	left = -1;
	struct linkfs_linker_stats stats;
	linkfs_linker_stats(l, &stats);
	if (rc) {
		char *messages = diag_text(d);
		status = messages && strstr(messages, "error: ") ? REFUSED : NO_MESSAGE;
		if (status == NO_MESSAGE)
			fprintf(stderr, "%d: %s\n", rc, messages);
		free(messages);
	} else {
		uint64_t sz = linkfs_image_size(img);
		uint8_t *bytes = malloc(sz);
		rc = linkfs_image_fill(img, 0, sz, bytes, NULL, 0);
		status = rc || (*io_bytes && (sz != *io_sz || memcmp(bytes, *io_bytes, sz))) ? WRONG_BYTES : DONE;
		if (again && !failed && stats.resolutions != 1)
			status = RESOLVED_ANEW;
		if (!*io_bytes) {
			*io_bytes = bytes;
			*io_sz = sz;
		} else {
			free(bytes);
		}
	}
	linkfs_image_unref(img);
	free(text);
	diag_free(d);
	linkfs_linker_free(l);
	return status;
}

static int in_child(const struct files *files, const char *kind, bool again, long n, uint8_t *bytes, uint64_t sz)
{
	int status;
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		left = n;
		status = link_once(files, kind, again, &bytes, &sz);
		_exit(status == DONE && failed ? DONE_WITHOUT : status);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "%s: allocation %ld failed: killed by signal %d", kind, n, WTERMSIG(status));
	return WEXITSTATUS(status);
}

static void load(const char *name, uint8_t *buf, uint8_t *crt, struct files *ret)
{
	static const char *const names[] = { "a", "b", "crt" };
	char path[4096];
	const char *source = getenv("LINKFS_SOURCE");
	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/link/%s", source ? source : ".", name);
	FILE *f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "%s: %s", path, strerror(errno));
	size_t sz = fread(buf, 1, SEED_MAX, f), rest = sz - SEED_HEADER;
	fclose(f);
	ck_assert_uint_gt(sz, SEED_HEADER);
	size_t first = buf[2] ? rest * buf[2] / 255 : rest;
	*ret = (struct files){ { buf + SEED_HEADER, buf[2] ? buf + SEED_HEADER + first : NULL, crt },
			       { first, rest - first, fuzz_crt_make(crt) }, { 0 } };
	for (int i = 0; i < 3; i++) {
		ret->fd[i] = memfd_create(names[i], MFD_CLOEXEC);
		ck_assert_int_ge(ret->fd[i], 0);
		if (ret->data[i])
			ck_assert_int_eq(write(ret->fd[i], ret->data[i], ret->sz[i]), (ssize_t)ret->sz[i]);
	}
}

static const struct {
	const char *seed, *kind;
} rows[] = {
	{ "frames", "-pie" },     { "tls-shared", "-shared" }, { "tls-desc-pie", "-pie" }, { "comdat", "-static" },
	{ "strings", "-static" }, { "debug", "-pie" },         { "ifunc-pie", "-pie" },    { "commons", "-static" },
	{ "lib-versioned", "-pie" }, { "lib-no-pie", "-no-pie" }, { "archive", "-pie" },   { "asm", "-no-pie" },
	{ "packed", "-pie" },
};

START_TEST(every_allocation)
{
	static uint8_t buf[SEED_MAX], crt[FUZZ_CRT_MAX];
	struct files files;
	uint8_t *bytes = NULL;
	uint64_t sz = 0;
	long n = 0, refused = 0;
	const bool again = _i % 2;
	const int row = _i / 2;
	int status;
	load(rows[row].seed, buf, crt, &files);
	ck_assert_msg(link_once(&files, rows[row].kind, false, &bytes, &sz) == DONE, "%s: cannot be linked at all",
		      rows[row].seed);
	do {
		status = in_child(&files, rows[row].kind, again, n++, bytes, sz);
		ck_assert_msg(status == DONE || status == DONE_WITHOUT || status == REFUSED,
			      "%s%s: allocation %ld failed: %s", rows[row].seed, again ? " again" : "", n - 1,
			      status == NO_MESSAGE ? "no message" : status == WRONG_BYTES ? "a different output"
			      : status == RESOLVED_ANEW ? "symbols were resolved anew" : "?");
		refused += status == REFUSED;
	} while (status != DONE);
	ck_assert_int_gt(refused, 20);
	for (int i = 0; i < 3; i++)
		close(files.fd[i]);
	free(bytes);
}
END_TEST

int main(void)
{
	/* Built everywhere, run where the counting malloc above is the program's. */
	bool can_fail = false;
#ifdef HAS_OWN_MALLOC
	can_fail = true;
#endif
	if (!can_fail) {
		puts("SKIP: sanitizers have a malloc of their own");
		return 77;
	}
	Suite *s = suite_create("alloc");
	TCase *tc = tcase_create("alloc");
	tcase_set_timeout(tc, 600);
	tcase_add_loop_test(tc, every_allocation, 0, 2 * sizeof(rows) / sizeof(*rows));
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int bad = srunner_ntests_failed(sr);
	srunner_free(sr);
	return bad != 0;
}
