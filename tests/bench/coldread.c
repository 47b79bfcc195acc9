/* coldread.c - how long does one cold page take? Reads or faults single pages of a file at random places far apart.
 *
 *     coldread FILE COUNT SEED [PAUSE_US]
 *
 * COUNT places at least 128 KiB from each other (so that no read-ahead and no earlier fill covers them), the half of them
 * with pread of 4 KiB, the other half as faults of a shared mapping, by turns; PAUSE_US of sleep between two. Prints the
 * median, the mean and the 99th percentile of both in microseconds. coldread.sh mounts the file.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define APART ((uint64_t)128 << 10)

static uint64_t next(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void print(const char *what, double *us, size_t cnt)
{
	double sum = 0;

	qsort(us, cnt, sizeof(*us), by_value);
	for (size_t i = 0; i < cnt; i++)
		sum += us[i];
	printf("%s: median %.1f mean %.1f p99 %.1f us (%zu)\n", what, us[cnt / 2], sum / (double)cnt,
	       us[cnt - 1 - cnt / 100], cnt);
}

int main(int argc, char **argv)
{
	struct stat st;
	int fd = argc < 4 ? -1 : open(argv[1], O_RDONLY);

	if (fd < 0 || fstat(fd, &st) < 0) {
		fprintf(stderr, "usage: coldread FILE COUNT SEED [PAUSE_US]\n");
		return 2;
	}
	size_t places = (size_t)((uint64_t)st.st_size / APART), cnt = strtoul(argv[2], NULL, 10) / 2 * 2;
	uint64_t seed = strtoull(argv[3], NULL, 10), *place = calloc(places + 1, sizeof(*place));
	long pause = argc > 4 ? strtol(argv[4], NULL, 10) : 0;
	double *us[2] = { calloc(cnt + 1, sizeof(double)), calloc(cnt + 1, sizeof(double)) };
	const volatile unsigned char *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);

	if (!place || !us[0] || !us[1] || map == MAP_FAILED || cnt > places || cnt < 2) {
		fprintf(stderr, "coldread: the file is too short, or there is no memory\n");
		return 2;
	}
	madvise((void *)(uintptr_t)map, (size_t)st.st_size, MADV_RANDOM);
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	for (size_t i = 0; i < places; i++)
		place[i] = i;
	for (size_t i = 0; i < cnt; i++) {
		size_t j = i + next(&seed) % (places - i);
		uint64_t t = place[i];
		place[i] = place[j];
		place[j] = t;
	}
	for (size_t i = 0; i < cnt; i++) {
		char page[4096];
		uint64_t off = place[i] * APART;
		if (pause)
			nanosleep(&(struct timespec){ .tv_nsec = pause * 1000 }, NULL);
		double from = now_us();
		if (i % 2)
			page[0] = (char)map[off];
		else if (pread(fd, page, sizeof(page), (off_t)off) != sizeof(page))
			return 1;
		us[i % 2][i / 2] = now_us() - from;
	}
	print("pread", us[0], cnt / 2);
	print("fault", us[1], cnt / 2);
	return 0;
}
