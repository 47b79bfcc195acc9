/* fill_windows.c - OUTPUT SEED LD ARG...: links LD ARG... in this process, and compares random windows of the image,
 * filled by several threads in random order, with the file OUTPUT, which the linker made of the same command line.
 *
 * Exit status 0: all are equal; 1: one is not, or the link failed (the reason is on standard error).
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "linkfs.h"

enum { THREADS = 4, WINDOWS = 3000, LONGEST = 20000 };

static struct linkfs_image *img;
static const unsigned char *file;
static size_t file_sz;
static atomic_int failed;

static void *compare(void *ctx)
{
	unsigned seed = *(unsigned *)ctx;
	static _Thread_local unsigned char buf[LONGEST];
	for (int i = 0; i < WINDOWS && !failed; i++) {
		size_t off = ((size_t)rand_r(&seed) << 16 ^ (size_t)rand_r(&seed)) % file_sz;
		size_t sz = 1 + (size_t)rand_r(&seed) % (i % 2 ? 64 : LONGEST);
		char why[256] = "";
		sz = sz < file_sz - off ? sz : file_sz - off;
		int rc = linkfs_image_fill(img, off, sz, buf, why, sizeof(why));
		if (!rc && !memcmp(buf, file + off, sz))
			continue;
		size_t at = 0;
		while (!rc && buf[at] == file[off + at])
			at++;
		fprintf(stderr, "[%#zx, +%zu): status %d %s, first difference at %#zx\n", off, sz, rc, why, off + at);
		failed = 1;
	}
	return NULL;
}

static struct linkfs_linker *linker;

static int link_here(int argc, char **argv)
{
	struct diag *d = diag_new(20);
	char *text = NULL;
	struct linkfs_request rq = { .argc = argc, .argv = (const char *const *)argv, .cwd_fd = AT_FDCWD };
	int rc = linkfs_linker_new(NULL, &linker);
	if (!rc)
		rc = linkfs_link(linker, &rq, d, &img, &text);
	char *errors = rc ? diag_text(d) : NULL;
	if (rc)
		fprintf(stderr, "the link failed: %d\n%s", rc, errors ? errors : "");
	free(errors);
	free(text);
	diag_free(d);
	return rc;
}

int main(int argc, char **argv)
{
	struct stat st;
	pthread_t threads[THREADS];
	unsigned seeds[THREADS];
	if (argc < 4) {
		fprintf(stderr, "usage: fill_windows OUTPUT SEED LD ARG...\n");
		return 1;
	}
	int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || link_here(argc - 3, argv + 3))
		return 1;
	file_sz = (size_t)st.st_size;
	file = mmap(NULL, file_sz, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED || linkfs_image_size(img) != file_sz) {
		fprintf(stderr, "%s: %zu bytes, the image has %llu\n", argv[1], file_sz,
			(unsigned long long)linkfs_image_size(img));
		return 1;
	}
	for (int t = 0; t < THREADS; t++) {
		seeds[t] = (unsigned)atoi(argv[2]) * THREADS + (unsigned)t;
		if (pthread_create(&threads[t], NULL, compare, &seeds[t]))
			return 1;
	}
	for (int t = 0; t < THREADS; t++)
		pthread_join(threads[t], NULL);
	linkfs_image_unref(img);
	linkfs_linker_free(linker);
	return failed;
}
