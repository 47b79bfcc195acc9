/* randread.c - reads a file in random order from several threads and compares it with a reference.
 *
 *     randread FILE REFERENCE THREADS SEED
 *
 * Each thread cuts the whole file at random places of its own, shuffles the pieces, and reads them: by turns with
 * pread, through a shared mapping and through a private one. Exit status 0: every byte was right. 1: it says which
 * was not.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CUT_MAX 150000u

struct piece {
	uint64_t off;
	uint64_t sz;
};

struct reader {
	pthread_t thread;
	int fd;
	const unsigned char *want;
	const unsigned char *map[2]; /* shared, private */
	uint64_t size;
	uint64_t seed;
	const char *name;
	int status;
};

static uint64_t next(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static int read_piece(struct reader *r, const struct piece *p, unsigned how, unsigned char *buf)
{
	const unsigned char *got = buf;

	for (uint64_t n = 0; how == 0 && n < p->sz;) {
		ssize_t k = pread(r->fd, buf + n, p->sz - n, (off_t)(p->off + n));
		if (k <= 0) {
			fprintf(stderr, "%s: 0x%llx+0x%llx: %s\n", r->name, (unsigned long long)p->off,
				(unsigned long long)p->sz, k ? strerror(errno) : "end of file");
			return 1;
		}
		n += (uint64_t)k;
	}
	if (how)
		got = r->map[how - 1] + p->off;
	if (!memcmp(got, r->want + p->off, p->sz))
		return 0;
	uint64_t at = 0;
	while (got[at] == r->want[p->off + at])
		at++;
	fprintf(stderr, "%s: 0x%llx: got %02x, expected %02x (way %u)\n", r->name, (unsigned long long)(p->off + at),
		got[at], r->want[p->off + at], how);
	return 1;
}

static void *run(void *arg)
{
	struct reader *r = arg;
	size_t cnt = 0;
	struct piece *p = calloc(r->size / 2 + 1, sizeof(*p)); /* pages of it are touched only where used */
	unsigned char *buf = malloc(CUT_MAX + 1);

	r->status = 1;
	if (!p || !buf)
		return NULL;
	for (uint64_t off = 0; off < r->size; cnt++) {
		uint64_t most = next(&r->seed) % 4 ? CUT_MAX : 5000, sz = 2 + next(&r->seed) % (most - 2);
		if (sz > r->size - off || r->size - off - sz < 2)
			sz = r->size - off;
		p[cnt] = (struct piece){ .off = off, .sz = sz };
		off += sz;
	}
	for (size_t i = cnt; i > 1; i--) {
		size_t k = next(&r->seed) % i;
		struct piece t = p[k];
		p[k] = p[i - 1];
		p[i - 1] = t;
	}
	int bad = 0;
	for (size_t i = 0; i < cnt && !bad; i++)
		bad = read_piece(r, &p[i], (unsigned)(next(&r->seed) % 3), buf);
	free(p);
	free(buf);
	r->status = bad;
	return NULL;
}

static const unsigned char *map_file(int fd, uint64_t size, int flags)
{
	const unsigned char *m = size ? mmap(NULL, size, PROT_READ, flags, fd, 0) : (const unsigned char *)"";

	return m == MAP_FAILED ? NULL : m;
}

int main(int argc, char **argv)
{
	struct stat st, want_st;

	if (argc != 5) {
		fputs("usage: randread FILE REFERENCE THREADS SEED\n", stderr);
		return 2;
	}
	int fd = open(argv[1], O_RDONLY | O_CLOEXEC), want_fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || want_fd < 0 || fstat(fd, &st) < 0 || fstat(want_fd, &want_st) < 0) {
		perror(fd < 0 ? argv[1] : argv[2]);
		return 1;
	}
	if (st.st_size != want_st.st_size) {
		fprintf(stderr, "%s: its size is %lld, expected %lld\n", argv[1], (long long)st.st_size,
			(long long)want_st.st_size);
		return 1;
	}
	unsigned threads = (unsigned)atoi(argv[3]);
	struct reader *r = calloc(threads, sizeof(*r));
	uint64_t size = (uint64_t)st.st_size;
	const unsigned char *want = map_file(want_fd, size, MAP_PRIVATE), *shared = map_file(fd, size, MAP_SHARED),
			    *private = map_file(fd, size, MAP_PRIVATE);
	if (!r || !want || !shared || !private)
		return 1;
	for (unsigned i = 0; i < threads; i++) {
		r[i] = (struct reader){ .fd = fd,
					.want = want,
					.map = { shared, private },
					.size = size,
					.seed = strtoull(argv[4], NULL, 0) * 1000 + i,
					.name = argv[1] };
		if (pthread_create(&r[i].thread, NULL, run, &r[i]))
			return 1;
	}
	int status = 0;
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(r[i].thread, NULL);
		status |= r[i].status;
	}
	free(r);
	return status;
}
