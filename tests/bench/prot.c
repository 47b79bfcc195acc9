/* prot.c - what making pages fault costs: the bench of SEEDS.md section 3, through prot_change itself.
 *
 * One row per surroundings, size and whether the pages were touched. Way A (the seed's) is given in nanoseconds, the
 * others as ratios to it, all measured in turn within one run: each sample takes every way once, so that what else the
 * machine does falls on all of them alike. `auto` is what linker/mem/prot.c chooses; E keeps the pages usable and only
 * drops their contents. Then: mappings for 100 holes, the charge kept, and what a thread that takes page faults
 * elsewhere sees meanwhile.
 *
 *     live      a hole in the middle of a readable and writable mapping
 *     reserved  all that is accessible of a larger PROT_NONE reservation
 */
#include <err.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <time.h>

#include "os.h"
#include "prot.h"

enum way { WAY_A, WAY_B, WAY_C, WAY_D, WAY_AUTO, WAY_E, WAY_CNT };
static const char *const way_name[WAY_CNT] = {"A", "B", "C", "D", "auto", "E"};
static const enum prot_way prot_way_of[WAY_CNT] = {
	PROT_WAY_MPROTECT_DONTNEED, PROT_WAY_DONTNEED_MPROTECT, PROT_WAY_MMAP_NONE, PROT_WAY_GUARD, PROT_WAY_AUTO,
};

#define SAMPLES	  101
#define CHARGE_SZ ((size_t)256 << 20)

static size_t page;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static char *must_map(size_t sz, int access)
{
	void *p;
	int e = os_map(NULL, NULL, sz, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0, &p);

	if (e < 0)
		errx(1, "mmap of %zu bytes: %s", sz, strerror(-e));
	madvise(p, sz, MADV_NOHUGEPAGE); /* else the first touch of 4 MiB makes one page of 2 */
	return p;
}

static void must_change(struct prot *p, struct va_range r, enum mem_state from, enum mem_state to)
{
	int e = prot_change(p, r, from, to, PROT_FOR_USE);

	if (e < 0)
		errx(1, "prot_change: %s", strerror(-e));
}

static void touch(struct va_range r)
{
	for (uint64_t at = r.base; at < r.limit; at += page)
		*(volatile char *)(uintptr_t)at = 1;
}

/* Ready -> Faulted by WAY and back, in nanoseconds of the way there. */
static uint64_t sample(enum way way, struct va_range r)
{
	struct prot p;
	uint64_t start, took;

	prot_init(&p, &(struct prot_config){.way = prot_way_of[way]});
	start = now_ns();
	if (way == WAY_E) {
		if (os_advise(NULL, (void *)(uintptr_t)r.base, (size_t)(r.limit - r.base), MADV_DONTNEED) < 0)
			errx(1, "MADV_DONTNEED failed");
		return now_ns() - start;
	}
	must_change(&p, r, MEM_READY, MEM_FAULTED);
	took = now_ns() - start;
	if (way != WAY_AUTO && p.done[prot_way_of[way]] != 1)
		errx(1, "way %s was not taken", way_name[way]);
	must_change(&p, r, MEM_FAULTED, MEM_READY);
	return took;
}

static bool can(enum way way)
{
	return way != WAY_D || os_has_guards(NULL);
}

static void show_row(const char *where, size_t sz, bool touched, uint64_t t[WAY_CNT][SAMPLES])
{
	printf("%-9s %5zuK %-9s", where, sz >> 10, touched ? "touched" : "untouched");
	for (int w = 0; w < WAY_CNT; w++)
		qsort(t[w], SAMPLES, sizeof(t[w][0]), by_value);
	printf(" %8" PRIu64 " %8" PRIu64, t[WAY_A][SAMPLES / 2], t[WAY_A][SAMPLES * 9 / 10]);
	for (int w = WAY_B; w < WAY_CNT; w++) {
		if (can(w))
			printf(" %6.2f", (double)t[w][SAMPLES / 2] / (double)t[WAY_A][SAMPLES / 2]);
		else
			printf(" %6s", "-");
	}
	putchar('\n');
}

static void measure_row(bool is_live, size_t sz, bool touched)
{
	static uint64_t t[WAY_CNT][SAMPLES];
	char *base = must_map(sz + 2 * ((size_t)8 << 20), is_live ? PROT_READ | PROT_WRITE : PROT_NONE);
	uint64_t at = (uint64_t)(uintptr_t)base + ((size_t)8 << 20);
	struct va_range r = {at, at + sz};
	struct prot p;

	prot_init(&p, NULL);
	if (!is_live)
		must_change(&p, r, MEM_RESERVED, MEM_PREPARED);
	else
		touch((struct va_range){at - page, at}); /* a neighbour that stays */
	for (int i = 0; i < SAMPLES; i++) {
		for (int w = 0; w < WAY_CNT; w++) {
			touch(r); /* so that the page tables are there whatever came before */
			if (!touched)
				sample(WAY_E, r);
			if (can(w))
				t[w][i] = sample(w, r);
		}
	}
	show_row(is_live ? "live" : "reserved", sz, touched, t);
	munmap(base, sz + 2 * ((size_t)8 << 20));
}

static long count_mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	long lines = 0;

	for (int c; f && (c = getc(f)) != EOF;)
		lines += c == '\n';
	if (f)
		fclose(f);
	return lines;
}

static long mappings_for_100_holes(enum way way)
{
	char *base = must_map(201 * page, PROT_READ | PROT_WRITE);
	long before = count_mappings();
	struct prot p;

	prot_init(&p, &(struct prot_config){.way = prot_way_of[way]});
	for (uint64_t i = 0; i < 100; i++) {
		uint64_t at = (uint64_t)(uintptr_t)base + (2 * i + 1) * page;
		if (way != WAY_E)
			must_change(&p, (struct va_range){at, at + page}, MEM_READY, MEM_FAULTED);
	}
	long more = count_mappings() - before;
	munmap(base, 201 * page);
	return more;
}

static long committed_kib(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	long kib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "Committed_AS:", 13))
			kib = strtol(line + 13, NULL, 10);
	if (f)
		fclose(f);
	return kib;
}

/* MiB of touched memory still charged after it was made to fault, of 256. Others' charges are in it, too. */
static long charge_kept_once(enum way way)
{
	void *base = mmap(NULL, CHARGE_SZ, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long before = committed_kib();

	if (base == MAP_FAILED)
		err(1, "mmap of %zu bytes", CHARGE_SZ);
	struct va_range r = {(uintptr_t)base, (uintptr_t)base + CHARGE_SZ};
	struct prot p;
	prot_init(&p, &(struct prot_config){.way = prot_way_of[way]});
	touch(r);
	if (way == WAY_E)
		madvise(base, CHARGE_SZ, MADV_DONTNEED);
	else
		must_change(&p, r, MEM_READY, MEM_FAULTED);
	long kept = (long)(CHARGE_SZ >> 20) - (before - committed_kib()) / 1024;
	munmap(base, CHARGE_SZ);
	return kept;
}

static int by_long(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

static long charge_kept(enum way way)
{
	long kept[7];

	for (int i = 0; i < 7; i++)
		kept[i] = charge_kept_once(way);
	qsort(kept, 7, sizeof(kept[0]), by_long);
	return kept[3];
}

/* A thread that does nothing but take page faults, in memory of its own. */
struct bystander {
	pthread_t thread;
	atomic_bool is_over;
	uint64_t faults, worst_ns, late; /* late: over 100 us */
};

static void *stand_by(void *arg)
{
	struct bystander *b = arg;
	size_t sz = (size_t)16 << 20;
	char *base = must_map(sz, PROT_READ | PROT_WRITE);

	for (size_t at = 0; !atomic_load(&b->is_over); at += page) {
		if (at == sz) {
			madvise(base, sz, MADV_DONTNEED);
			at = 0;
		}
		uint64_t start = now_ns();
		((volatile char *)base)[at] = 1;
		uint64_t took = now_ns() - start;
		b->faults++;
		b->worst_ns = took > b->worst_ns ? took : b->worst_ns;
		b->late += took > 100000;
	}
	munmap(base, sz);
	return NULL;
}

/* 61 cycles of 4 MiB, touched, beside the bystander. */
static void show_bystander(enum way way)
{
	struct bystander b = {0};
	size_t sz = (size_t)4 << 20;
	char *base = must_map(3 * sz, PROT_READ | PROT_WRITE);
	struct va_range r = {(uintptr_t)base + sz, (uintptr_t)base + 2 * sz};

	if (pthread_create(&b.thread, NULL, stand_by, &b))
		errx(1, "no thread");
	uint64_t start = now_ns();
	for (int i = 0; i < 61; i++) {
		touch(r);
		sample(way, r);
	}
	double ms = (double)(now_ns() - start) / 1e6;
	atomic_store(&b.is_over, true);
	pthread_join(b.thread, NULL);
	munmap(base, 3 * sz);
	printf("%-4s %10ld %10ld %12.0f %10.0f %12.3f\n", way_name[way], mappings_for_100_holes(way), charge_kept(way),
	       (double)b.faults / ms, (double)b.worst_ns / 1000, 100.0 * (double)b.late / (double)b.faults);
}

int main(void)
{
	static const size_t pages[] = {1, 4, 16, 32, 64, 256, 1024};
	struct utsname u;

	page = os_page_sz(NULL);
	uname(&u);
	printf("kernel %s, pages of %zu bytes, guards (D): %s; median of %d samples\n", u.release, page,
	       os_has_guards(NULL) ? "yes" : "no", SAMPLES);
	printf("\n%-9s %6s %-9s %8s %8s %6s %6s %6s %6s %6s\n", "where", "size", "pages", "A ns", "A p90", "B/A", "C/A",
	       "D/A", "auto/A", "E/A");
	for (int is_live = 1; is_live >= 0; is_live--)
		for (int touched = 0; touched < 2; touched++)
			for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
				measure_row(is_live, pages[i] * page, touched);
	printf("\n%-4s %10s %10s %12s %10s %12s\n", "way", "mappings", "charge", "bystander's", "its worst",
	       "over 100 us");
	printf("%-4s %10s %10s %12s %10s %12s\n", "", "100 holes", "kept of 256", "faults/ms", "us", "%");
	for (int w = 0; w < WAY_CNT; w++)
		if (can(w))
			show_bystander(w);
	return 0;
}
