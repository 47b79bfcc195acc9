/* fuzz_link.c - whole links of hostile inputs: whatever they hold, a link fails with a message or gives an image whose
 * every cut has the same bytes.
 *
 * An input is three bytes and one or two files: [variant] [how to cut] [length of the first file, in 1/255 of the rest; 0:
 * there is one file] and the files, which are whatever their bytes say (object, archive, shared library, script). They
 * are named a and b, given through the opener as memfds; a fixed object, crt, made here, refers to names that the
 * seeds define. fuzz_link_mutate.h changes fields of ELF structures, where plain mutation would hit bytes of no weight.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_link_crt.h"
#include "fuzz_link_mutate.h"
#include "linkfs.h"

enum {
	HEADER = 3,
	WHOLE_MAX = 8 << 20, /* an image up to this size is filled in whole, of a larger one windows */
	WINDOW = 3 << 12,
	CUTS = 24,
	ARGS_MAX = 12,
};

/* Undefined and duplicate names stop only some of them, so that most get far. */
#define LENIENT "--unresolved-symbols=ignore-all", "--allow-multiple-definition"
static const char *const variants[][ARGS_MAX] = {
	{ "-static", LENIENT, "crt", "a", "b" },
	{ "-pie", LENIENT, "crt", "a", "b" },
	{ "-shared", LENIENT, "a", "b", "crt" },
	{ "-static", LENIENT, "--gc-sections", "crt", "a", "b" },
	{ "-pie", LENIENT, "--gc-sections", "--print-gc-sections", "crt", "a", "b" },
	{ "-shared", "--gc-sections", "-Bsymbolic", "--build-id=sha1", "a", "b", "crt" },
	{ "-O0", LENIENT, "-pie", "-z", "notext", "--export-dynamic", "crt", "a", "b" },
	{ "-no-pie", LENIENT, "--eh-frame-hdr", "-z", "now", "--dynamic-linker=/ld", "crt", "a", "b" },
	{ "-static", "-pie", LENIENT, "--no-dynamic-linker", "--eh-frame-hdr", "--hash-style=both", "crt", "a", "b" },
	{ "-shared", LENIENT, "--eh-frame-hdr", "--hash-style=sysv", "--no-relax", "-O0", "a", "b", "crt" },
	{ "-no-pie", LENIENT, "--no-relax", "-s", "--eh-frame-hdr", "b", "a", "crt" },
	{ "-pie", LENIENT, "-S", "-x", "--whole-archive", "a", "b", "crt" },
	{ "-shared", LENIENT, "--wrap=f", "-X", "--defsym=d=f+1", "a", "b", "crt" },
	{ "-static", LENIENT, "--whole-archive", "a", "b" },
	{ "-pie", "a", "b", "crt" },
	{ "-no-pie", "-z", "defs", "a", "b", "crt" },
};
enum { VARIANT_CNT = sizeof(variants) / sizeof(*variants) };

struct files {
	const uint8_t *data[3]; /* a, b, crt */
	size_t sz[3];
};

static int open_file(void *ctx, const char *path)
{
	static const char *const names[] = { "a", "b", "crt" };
	const struct files *f = ctx;
	for (int i = 0; i < 3; i++) {
		if (strcmp(path, names[i]) || !f->data[i])
			continue;
		int fd = memfd_create(path, MFD_CLOEXEC);
		if (fd < 0 || write(fd, f->data[i], f->sz[i]) != (ssize_t)f->sz[i] || lseek(fd, 0, SEEK_SET))
			abort();
		return fd;
	}
	return -ENOENT;
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *state >> 33;
}

/* The bytes [at, at+n) of the image, by themselves, are what they are in WHOLE, which starts at OFF. */
static void check_part(struct linkfs_image *img, uint64_t off, uint64_t at, uint64_t n, const uint8_t *whole, uint8_t *part)
{
	char why[256] = "";
	int rc = linkfs_image_fill(img, at, n, part, why, sizeof(why));
	for (uint64_t i = 0; i < n && !rc; i++) {
		if (part[i] == whole[at - off + i])
			continue;
		fprintf(stderr, "[0x%llx, 0x%llx): byte 0x%llx is %02x, in the whole %02x\n", (unsigned long long)at,
			(unsigned long long)(at + n), (unsigned long long)(at + i), part[i], whole[at - off + i]);
		abort();
	}
	if (rc) {
		fprintf(stderr, "[0x%llx, 0x%llx): %s\n", (unsigned long long)at, (unsigned long long)(at + n), why);
		abort();
	}
}

/* Cuts of [off, off+sz), whose bytes are WHOLE. */
static void check_cuts(struct linkfs_image *img, uint64_t off, uint64_t sz, const uint8_t *whole, uint64_t *state)
{
	uint8_t *part = malloc(sz ? sz : 1);
	uint64_t at = 0;
	if (!part)
		abort();
	for (int i = 0; at < sz; i++) {
		uint64_t left = sz - at, n = left;
		if (i < CUTS)
			n = 1 + next_random(state) % (next_random(state) % 4 ? 40 : left / 4 + 1);
		n = n < left ? n : left;
		check_part(img, off, off + at, n, whole, part);
		at += n;
	}
	for (int i = 0; i < CUTS && sz; i++) {
		uint64_t from = next_random(state) % sz, n = 1 + next_random(state) % 24;
		n = n < sz - from ? n : sz - from;
		check_part(img, off, off + from, n, whole, part);
	}
	free(part);
}

static void check_window(struct linkfs_image *img, uint64_t off, uint64_t sz, uint64_t *state)
{
	char why[256] = "";
	uint8_t *whole = malloc(sz ? sz : 1);
	if (!whole)
		abort();
	memset(whole, 0xa5, sz);
	int rc = linkfs_image_fill(img, off, sz, whole, why, sizeof(why));
	if (rc && (rc != -EIO || !*why))
		abort();
	if (!rc)
		check_cuts(img, off, sz, whole, state);
	free(whole);
}

static void check_image(struct linkfs_image *img, uint64_t *state)
{
	uint64_t size = linkfs_image_size(img);
	uint8_t byte;
	size_t map_sz;
	if (!linkfs_image_fill(img, size, 1, &byte, NULL, 0) || linkfs_image_fill(img, size, 0, &byte, NULL, 0) > 0)
		abort();
	char *map = linkfs_image_map(img, &map_sz);
	if (!map || strlen(map) != map_sz)
		abort();
	if (getenv("FUZZ_LINK_SHOW"))
		fputs(map, stderr);
	free(map);
	if (size <= WHOLE_MAX) {
		check_window(img, 0, size, state);
	} else {
		check_window(img, 0, WINDOW, state);
		check_window(img, size - WINDOW, WINDOW, state);
		for (int i = 0; i < 4; i++)
			check_window(img, (next_random(state) << 20 ^ next_random(state)) % (size - WINDOW), WINDOW, state);
	}
	for (uint64_t off = 0, i = 0; off < size && i < 64; i++) {
		uint64_t cut = linkfs_image_cut(img, off, 4096);
		if (cut <= off || cut > size)
			abort();
		off = cut;
	}
}

/* A failure has said why; a success has no errors. */
static void check_verdict(int rc, struct diag *d)
{
	char *text = diag_text(d);
	if (getenv("FUZZ_LINK_SHOW"))
		fprintf(stderr, "%d\n%s", rc, text);
	if (!text || (rc != 0) != (diag_errors(d) != 0) || (rc && !*text))
		abort();
	/* Of the linker's own making: at the start of a line, where no name of an input stands. */
	if (!strncmp(text, "linkfs: error: internal", 23) || strstr(text, "\nlinkfs: error: internal"))
		abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t sz);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t sz)
{
	const char *argv[ARGS_MAX + 2] = { "ld" };
	int argc = 1;
	struct linkfs_linker *l = NULL;
	struct linkfs_image *img = NULL;
	char *text = NULL;
	static uint8_t crt[FUZZ_CRT_MAX];
	if (sz < HEADER || sz > 1 << 20)
		return 0;
	size_t rest = sz - HEADER, first = data[2] ? rest * data[2] / 255 : rest;
	struct files files = { { data + HEADER, data[2] ? data + HEADER + first : NULL, crt },
			       { first, rest - first, fuzz_crt_make(crt) } };
	for (const char *const *v = variants[data[0] % VARIANT_CNT]; *v; v++)
		if (strcmp(*v, "b") || files.data[1])
			argv[argc++] = *v;
	struct linkfs_config cfg = { .threads = 1 };
	struct linkfs_opener opener = { .open = open_file, .ctx = &files };
	struct linkfs_request rq = { .argc = argc, .argv = argv, .cwd_fd = AT_FDCWD, .opener = &opener };
	struct diag *d = diag_new(20);
	if (!d || linkfs_linker_new(&cfg, &l))
		abort();
	int rc = linkfs_link(l, &rq, d, &img, &text);
	check_verdict(rc, d);
	uint64_t state = data[1];
	if (!rc)
		check_image(img, &state);
	linkfs_image_unref(img);
	free(text);
	diag_free(d);
	linkfs_linker_free(l);
	return 0;
}
