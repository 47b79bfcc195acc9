/* relinker.c - [--timers] [--alone]: links response files with a linker that stays, and compares with one that is new.
 *
 * Each line of standard input names a response file. It is linked twice: by the linker of this process, which has seen
 * all the lines before, and (without --alone) by one made for this line alone. The answer is one line:
 *
 *     same SIZE KEY=VALUE...      both made it, with equal bytes; the keys are the resident linker's counters
 *     failed KEY=VALUE...         neither did, with the same messages
 *     differs ...                 anything else: what, and where
 *
 * --timers: the time of each pass of the resident linker's link goes to standard error. As with a mount, the image of the
 * line before goes when the next one is there; after each link the linker is trimmed.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linkfs.h"

struct made {
	int rc;
	struct linkfs_image *img;
	char *messages;
};

static struct made make(struct linkfs_linker *l, const char *file)
{
	struct made m = { 0 };
	char arg[4096], *text = NULL;
	const char *argv[] = { "ld", arg, NULL };
	struct linkfs_request rq = { .argc = 2, .argv = argv, .cwd_fd = AT_FDCWD };
	struct diag *d = diag_new(20);

	snprintf(arg, sizeof(arg), "@%s", file);
	m.rc = linkfs_link(l, &rq, d, &m.img, &text);
	m.messages = diag_text(d);
	free(text);
	diag_free(d);
	return m;
}

static void made_done(struct made *m)
{
	free(m->messages);
	linkfs_image_unref(m->img);
	*m = (struct made){ 0 };
}

/* All of an image, as a whole-file writer asks for it, over rubbish that is another each time: a byte not stored shows. */
static unsigned char *fill(struct linkfs_image *img)
{
	static unsigned char rubbish;
	uint64_t sz = linkfs_image_size(img);
	unsigned char *bytes = malloc(sz + 1);
	char why[256] = "";

	if (bytes)
		memset(bytes, ++rubbish, sz + 1);
	for (uint64_t off = 0, end; bytes && off < sz; off = end) {
		end = sz - off > 1 << 20 ? off + (1 << 20) : sz;
		if (!linkfs_image_fill(img, off, end - off, bytes + off, why, sizeof(why)))
			continue;
		printf("differs: no bytes at %#llx: %s\n", (unsigned long long)off, why);
		free(bytes);
		return NULL;
	}
	return bytes;
}

static bool compare_bytes(struct linkfs_image *resident, struct linkfs_image *fresh)
{
	uint64_t sz = linkfs_image_size(fresh), at = 0;

	if (linkfs_image_size(resident) != sz) {
		printf("differs: size %llu, from nothing %llu\n", (unsigned long long)linkfs_image_size(resident),
		       (unsigned long long)sz);
		return false;
	}
	unsigned char *a = fill(resident), *b = a ? fill(fresh) : NULL;
	while (b && at < sz && a[at] == b[at])
		at++;
	free(a);
	free(b);
	if (b && at < sz)
		printf("differs: at %#llx of %#llx\n", (unsigned long long)at, (unsigned long long)sz);
	return b && at == sz;
}

static bool compare(const struct made *resident, const char *file)
{
	struct linkfs_linker *l;

	if (linkfs_linker_new(NULL, &l))
		return false;
	struct made fresh = make(l, file);
	bool ok = fresh.rc == resident->rc && !strcmp(fresh.messages, resident->messages);
	if (!ok)
		printf("differs: status %d, from nothing %d: %.300s | %.300s\n", resident->rc, fresh.rc,
		       resident->messages, fresh.messages);
	else if (!fresh.rc)
		ok = compare_bytes(resident->img, fresh.img);
	made_done(&fresh);
	linkfs_linker_free(l);
	return ok;
}

static void tell(const struct linkfs_linker *l, const struct made *m)
{
	struct linkfs_linker_stats s;
	struct linkfs_image_stats is = { 0 };

	linkfs_linker_stats(l, &s);
	if (m->img)
		linkfs_image_stats(m->img, &is);
	if (m->rc)
		printf("failed");
	else
		printf("same %llu", (unsigned long long)linkfs_image_size(m->img));
	printf(" parsed_objects=%llu scanned_objects=%llu resolutions=%llu link_ms=%.3f\n",
	       (unsigned long long)s.parsed_objects, (unsigned long long)s.scanned_objects,
	       (unsigned long long)s.resolutions, is.link_ms);
}

int main(int argc, char **argv)
{
	struct linkfs_linker *l;
	struct made last = { 0 };
	char line[4096];
	bool timers = false, alone = false, all_same = true;

	for (int i = 1; i < argc; i++) {
		timers |= !strcmp(argv[i], "--timers");
		alone |= !strcmp(argv[i], "--alone");
	}
	if (linkfs_linker_new(NULL, &l))
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		struct made m = make(l, line);
		made_done(&last);
		linkfs_linker_trim(l);
		bool same = alone || compare(&m, line);
		if (same)
			tell(l, &m);
		fflush(stdout);
		char *text = timers && m.img ? linkfs_image_timers(m.img) : NULL;
		if (text)
			fputs(text, stderr);
		free(text);
		all_same &= same;
		last = m;
	}
	made_done(&last);
	linkfs_linker_free(l);
	return !all_same;
}
