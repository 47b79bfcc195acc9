/* fake_linkfs.c - linkfs with a linker that does as it is told: for tests of the mount alone.
 *
 * The whole program but for the linker library, which is replaced by the functions below: an "output" is its inputs'
 * bytes one after the other, then a pattern up to --fake-size. So any executable given as the only input is a linked
 * program. Options make it slow, wrong or dead at a chosen place.
 *
 *     --fake-size=N        pad with a pattern of the offset up to N bytes
 *     --fake-slow-link=MS  --fake-slow-fill=MS
 *     --fake-crash-link    abort while linking         --fake-crash-once=FILE  only while FILE is absent; makes it
 *     --fake-crash-fill=OFF  abort when this byte is made        --fake-bad=OFF  it can't be made (-EIO)
 *     --fake-hang-link     never comes back            -r  the output is no executable
 *     --fake-mad=BYTE,FILE  the first fill, while FILE is absent, makes it and overwrites the ring (fs/ring.c) with BYTE,
 *                           or with anything if that is 256
 *     --fake-hang-keep=FILE  never confirms that an input was replaced, if FILE can be made
 */
#include "linkfs.c"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/resource.h>

#define INPUTS_MAX 4096
#define NOWHERE UINT64_MAX

struct linkfs_linker {
	atomic_uint inputs;
	atomic_uint parsed;
	pthread_rwlock_t lock; /* read: inputs are read; written: they are replaced, images come and go */
	LIST_HEAD(image_list, linkfs_image) images;
};

struct linkfs_image {
	atomic_uint ref;
	LIST_ENTRY(linkfs_image) on;
	struct linkfs_linker *linker;
	uint64_t size;
	size_t cnt;
	struct linkfs_input *in;
	bool *kept; /* by input */
	char *hang_keep;
	uint64_t slow_fill_ms, crash_fill, bad;
	atomic_ulong filled, relocs;
	unsigned mad_byte;
	char mad_file[200];
	double link_ms;
	struct linkfs_verdict verdict;
};

static void pause_ms(uint64_t ms)
{
	nanosleep(&(struct timespec){ .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 }, NULL);
}

int linkfs_linker_new(const struct linkfs_config *cfg, struct linkfs_linker **ret_linker)
{
	struct linkfs_linker *l = calloc(1, sizeof(*l));

	(void)cfg;
	if (!l)
		return -ENOMEM;
	pthread_rwlock_init(&l->lock, NULL);
	LIST_INIT(&l->images);
	*ret_linker = l;
	return 0;
}

struct linkfs_linker *linkfs_linker_free(struct linkfs_linker *l)
{
	free(l);
	return NULL;
}

static int add_input(struct linkfs_image *img, const struct linkfs_request *rq, const char *path)
{
	struct linkfs_input *in = &img->in[img->cnt];
	struct stat st;
	bool is_kept = false;
	int fd = rq->opener->open(rq->opener->ctx, path);

	if (fd < 0)
		return fd;
	if (!rq->opener->identity || rq->opener->identity(rq->opener->ctx, fd, &st, &is_kept))
		if (fstat(fd, &st) < 0)
			return -errno;
	if (rq->opener->lends && (fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0)
		return -errno;
	pthread_rwlock_wrlock(&img->linker->lock);
	*in = (struct linkfs_input){ .path = strdup(path), .fd = fd, .st = st };
	img->kept[img->cnt] = is_kept;
	img->cnt++;
	pthread_rwlock_unlock(&img->linker->lock);
	img->size += (uint64_t)in->st.st_size;
	img->linker->inputs++;
	img->linker->parsed++;
	return 0;
}

/* -lNAME along the directories given so far. */
static int add_library(struct linkfs_image *img, const struct linkfs_request *rq, const char *name, char **dirs,
		       size_t dir_cnt)
{
	for (size_t i = 0; i < dir_cnt; i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/lib%s.a", dirs[i], name);
		if (add_input(img, rq, path) == 0)
			return 0;
	}
	return -ENOENT;
}

static uint64_t number(const char *arg)
{
	return strtoull(strchr(arg, '=') + 1, NULL, 0);
}

static void crash(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
	abort();
}

__attribute__((no_sanitize("thread"))) static void go_mad(const struct linkfs_image *img)
{
	int fd = open(img->mad_file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	FILE *maps = fd < 0 ? NULL : fopen("/proc/self/maps", "re");
	char line[512];

	while (maps && fgets(line, sizeof(line), maps)) {
		unsigned long from, to;
		if (!strstr(line, "memfd:linkfs-ring") || sscanf(line, "%lx-%lx", &from, &to) != 2)
			continue;
		uint64_t z = from;
		for (unsigned char *p = (unsigned char *)from; p < (unsigned char *)to; p++) {
			z = z * 6364136223846793005ull + 1442695040888963407ull;
			*p = img->mad_byte > 255 ? (unsigned char)(z >> 33) : (unsigned char)img->mad_byte;
		}
	}
	if (maps)
		fclose(maps);
	if (fd >= 0)
		close(fd);
}

static int take_arg(struct linkfs_image *img, const struct linkfs_request *rq, const char *a, struct diag *d,
		    char **dirs, size_t *dir_cnt, uint64_t *pad)
{
	if (!strncmp(a, "--fake-size=", 12)) {
		*pad = number(a);
	} else if (!strncmp(a, "--fake-slow-link=", 17)) {
		pause_ms(number(a));
	} else if (!strncmp(a, "--fake-slow-fill=", 17)) {
		img->slow_fill_ms = number(a);
	} else if (!strcmp(a, "--fake-crash-link")) {
		crash();
	} else if (!strcmp(a, "--fake-hang-link")) {
		for (;;)
			pause();
	} else if (!strncmp(a, "--fake-crash-once=", 18)) {
		int fd = open(a + 18, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		if (fd >= 0)
			crash();
	} else if (!strncmp(a, "--fake-hang-keep=", 17)) {
		img->hang_keep = strdup(a + 17);
	} else if (!strncmp(a, "--fake-crash-fill=", 18)) {
		img->crash_fill = number(a);
	} else if (!strncmp(a, "--fake-bad=", 11)) {
		img->bad = number(a);
	} else if (!strncmp(a, "--fake-mad=", 11) && strchr(a, ',')) {
		img->mad_byte = (unsigned)number(a);
		snprintf(img->mad_file, sizeof(img->mad_file), "%s", strchr(a, ',') + 1);
	} else if (!strcmp(a, "-r")) {
		img->verdict.is_executable = false;
	} else if (!strncmp(a, "-L", 2)) {
		dirs[(*dir_cnt)++] = (char *)(uintptr_t)(a + 2);
	} else if (!strncmp(a, "-l", 2)) {
		int r = add_library(img, rq, a + 2, dirs, *dir_cnt);
		if (r)
			diag_error(d, 0, "cannot find %s", a);
		return r;
	} else {
		int r = add_input(img, rq, a);
		if (r)
			diag_error(d, 0, "%s: cannot open: %s", a, strerror(-r));
		return r;
	}
	return 0;
}

int linkfs_link(struct linkfs_linker *l, const struct linkfs_request *rq, struct diag *d,
		struct linkfs_image **ret_image, char **ret_text)
{
	struct linkfs_image *img = calloc(1, sizeof(*img));
	char *dirs[INPUTS_MAX];
	size_t dir_cnt = 0;
	uint64_t pad = 0;
	int r = 0;

	(void)ret_text;
	if (!img || rq->argc > INPUTS_MAX || !(img->in = calloc(INPUTS_MAX, sizeof(*img->in))) ||
	    !(img->kept = calloc(INPUTS_MAX, sizeof(*img->kept))))
		return -ENOMEM;
	pthread_rwlock_wrlock(&l->lock);
	LIST_INSERT_HEAD(&l->images, img, on);
	pthread_rwlock_unlock(&l->lock);
	img->ref = 1;
	img->linker = l;
	img->crash_fill = img->bad = NOWHERE;
	img->link_ms = 1.5;
	img->verdict = (struct linkfs_verdict){ .output = "a.out", .is_executable = true };
	for (int i = 1; i < rq->argc; i++) {
		int one = take_arg(img, rq, rq->argv[i], d, dirs, &dir_cnt, &pad);
		r = r ? r : one;
	}
	if (!r && !img->cnt) {
		diag_error(d, 0, "no input files");
		r = -EINVAL;
	}
	if (r) {
		linkfs_image_unref(img);
		return r;
	}
	if (img->size < pad)
		img->size = pad;
	*ret_image = img;
	return 0;
}

struct linkfs_image *linkfs_image_ref(struct linkfs_image *img)
{
	img->ref++;
	return img;
}

struct linkfs_image *linkfs_image_unref(struct linkfs_image *img)
{
	if (!img || --img->ref)
		return NULL;
	pthread_rwlock_wrlock(&img->linker->lock);
	LIST_REMOVE(img, on);
	pthread_rwlock_unlock(&img->linker->lock);
	for (size_t i = 0; i < img->cnt; i++) {
		close(img->in[i].fd);
		free((char *)(uintptr_t)img->in[i].path);
		img->linker->inputs--;
	}
	free(img->in);
	free(img->kept);
	free(img->hang_keep);
	free(img);
	return NULL;
}

uint64_t linkfs_image_size(const struct linkfs_image *img)
{
	return img->size;
}

const struct linkfs_verdict *linkfs_image_verdict(const struct linkfs_image *img)
{
	return &img->verdict;
}

static bool is_identity(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       !memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) &&
	       !memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim));
}

int linkfs_linker_keep(struct linkfs_linker *l, const struct stat *st, int fd)
{
	struct linkfs_image *img;
	int r = 0;

	pthread_rwlock_wrlock(&l->lock);
	LIST_FOREACH (img, &l->images, on) {
		int once = img->hang_keep ? open(img->hang_keep, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600) : -1;
		while (once >= 0)
			pause();
		for (size_t i = 0; i < img->cnt; i++) {
			struct linkfs_input *in = &img->in[i];
			if (!is_identity(&in->st, st))
				continue;
			img->kept[i] = true;
			if (dup3(fd, in->fd, O_CLOEXEC) < 0)
				r = -errno;
		}
	}
	pthread_rwlock_unlock(&l->lock);
	return r;
}

void linkfs_image_keep(struct linkfs_image *img, struct stat *list, size_t cnt)
{
	pthread_rwlock_wrlock(&img->linker->lock);
	for (size_t i = 0; i < img->cnt; i++)
		for (size_t k = 0; k < cnt; k++)
			img->kept[i] |= is_identity(&img->in[i].st, &list[k]);
	pthread_rwlock_unlock(&img->linker->lock);
}

void linkfs_linker_trim(struct linkfs_linker *l)
{
	(void)l;
}

static bool is_same(const struct linkfs_image *img, size_t i)
{
	const struct linkfs_input *in = &img->in[i];
	struct stat st;

	return img->kept[i] || (fstat(in->fd, &st) == 0 && st.st_size == in->st.st_size &&
				!memcmp(&st.st_mtim, &in->st.st_mtim, sizeof(st.st_mtim)));
}

static int fill_input(const struct linkfs_image *img, size_t i, uint64_t at, uint64_t off, uint64_t sz,
		      unsigned char *dst, char *why, size_t why_sz)
{
	const struct linkfs_input *in = &img->in[i];
	uint64_t from = off > at ? off : at, end = at + (uint64_t)in->st.st_size;

	if (off + sz < end)
		end = off + sz;
	if (from >= end)
		return 0;
	pthread_rwlock_rdlock(&img->linker->lock);
	ssize_t n = pread(in->fd, dst + (from - off), end - from, (off_t)(from - at));
	bool is_good = n == (ssize_t)(end - from) && is_same(img, i);
	pthread_rwlock_unlock(&img->linker->lock);
	if (is_good)
		return 0;
	snprintf(why, why_sz, "%s: it changed since the link was made", in->path);
	return -ESTALE;
}

int linkfs_image_fill(struct linkfs_image *img, uint64_t off, uint64_t sz, void *dst, char *why, size_t why_sz)
{
	unsigned char *p = dst;
	uint64_t at = 0;

	if (off > img->size || sz > img->size - off)
		return -EINVAL;
	if (img->slow_fill_ms)
		pause_ms(img->slow_fill_ms);
	if (*img->mad_file)
		go_mad(img);
	if (img->crash_fill >= off && img->crash_fill < off + sz)
		crash();
	if (img->bad >= off && img->bad < off + sz) {
		snprintf(why, why_sz, "byte 0x%llx can't be made", (unsigned long long)img->bad);
		return -EIO;
	}
	for (size_t i = 0; i < img->cnt; i++) {
		int r = fill_input(img, i, at, off, sz, p, why, why_sz);
		if (r)
			return r;
		at += (uint64_t)img->in[i].st.st_size;
	}
	for (uint64_t o = off > at ? off : at; o < off + sz; o++)
		p[o - off] = (unsigned char)(((o >> 3) * 0x9e3779b97f4a7c15ull) >> (8 * (o & 7)));
	img->filled += sz;
	img->relocs += sz / 16;
	return 0;
}

int linkfs_image_fill_ranges(struct linkfs_image *img, const struct linkfs_range *range, size_t cnt, void *dst, char *why,
			     size_t why_sz)
{
	unsigned char *at = dst;
	int r = 0;

	for (size_t i = 0; !r && i < cnt; at += range[i++].sz)
		r = linkfs_image_fill(img, range[i].off, range[i].sz, at, why, why_sz);
	return r;
}

char *linkfs_image_map(struct linkfs_image *img, size_t *ret_sz)
{
	struct text t = { 0 };

	for (size_t i = 0; i < img->cnt; i++)
		text_printf(&t, "%s %lld\n", img->in[i].path, (long long)img->in[i].st.st_size);
	*ret_sz = t.sz;
	return t.s;
}

int linkfs_image_face(struct linkfs_image *img, int fd, char *why, size_t why_sz)
{
	uint64_t sz = linkfs_image_size(img);
	CLEAN_MEM char *buf = malloc(sz ? sz : 1);
	int r = buf ? linkfs_image_fill(img, 0, sz, buf, why, why_sz) : -ENOMEM;

	return r ? r : pwrite(fd, buf, sz, 0) == (ssize_t)sz ? 0 : -EIO;
}

char *linkfs_image_dependencies(struct linkfs_image *img, size_t *ret_sz)
{
	return linkfs_image_map(img, ret_sz);
}

size_t linkfs_image_input_count(const struct linkfs_image *img)
{
	return img->cnt;
}

struct linkfs_input linkfs_image_input(const struct linkfs_image *img, size_t i)
{
	return img->in[i];
}

void linkfs_image_stats(const struct linkfs_image *img, struct linkfs_image_stats *ret_stats)
{
	*ret_stats = (struct linkfs_image_stats){
		.input_bytes = img->size,
		.relocs_total = img->size / 16,
		.relocs_applied = img->relocs,
		.filled_bytes = img->filled,
		.link_ms = img->link_ms,
	};
}

void linkfs_linker_stats(const struct linkfs_linker *l, struct linkfs_linker_stats *ret_stats)
{
	*ret_stats =
		(struct linkfs_linker_stats){ .inputs = l->inputs, .mappings = l->inputs, .parsed_objects = l->parsed };
}

enum linkfs_doing linkfs_linker_doing(const struct linkfs_linker *l)
{
	(void)l;
	return LINKFS_DOING_NOTHING;
}

/* White space separates; double quotes and backslash protect. */
int linkfs_split_args(const char *text, size_t sz, int *ret_argc, char ***ret_argv)
{
	char **argv = malloc((sz / 2 + 2) * sizeof(*argv) + sz + 1);
	int argc = 0;
	bool in_word = false, in_quotes = false;

	if (!argv)
		return -ENOMEM;
	char *to = (char *)(argv + sz / 2 + 2);
	for (size_t i = 0; i < sz; i++) {
		if (!in_quotes && strchr(" \t\r\n", text[i])) {
			if (in_word)
				*to++ = 0;
			in_word = false;
			continue;
		}
		if (!in_word)
			argv[argc++] = to;
		in_word = true;
		if (text[i] == '"')
			in_quotes = !in_quotes;
		else if (text[i] == '\\' && i + 1 < sz)
			*to++ = text[++i];
		else
			*to++ = text[i];
	}
	*to = 0;
	argv[argc] = NULL;
	*ret_argc = argc;
	*ret_argv = argv;
	if (!in_quotes)
		return 0;
	free(argv);
	return -EINVAL;
}
