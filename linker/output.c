/* output.c - file mode: fills everything in parallel into a mapped file and renames it over the target.
 *
 * Blocks are allocated before the first store, so that a full disk is an error here and never a SIGBUS (SEEDS.md R8-R12).
 * Where the file system cannot allocate, ranges go through pwrite instead. What is not a regular file (a device, a pipe,
 * standard output) is written to, never replaced. On any failure the old file is untouched and the new one gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"
#include "os.h"

#define PIECE (UINT64_C(1) << 20)

struct write_job {
	struct linkfs_image *img;
	uint64_t *cuts; /* piece i is [cuts[i], cuts[i+1]) */
	uint8_t *map;   /* NULL: pwrite */
	int fd;
	atomic_int rc;
	pthread_mutex_t lock;
	char why[512];  /* of the first failure; by lock */
};

static void fail(struct write_job *j, int rc, const char *why)
{
	int zero = 0;
	pthread_mutex_lock(&j->lock);
	if (atomic_compare_exchange_strong(&j->rc, &zero, rc))
		snprintf(j->why, sizeof(j->why), "%s", why);
	pthread_mutex_unlock(&j->lock);
}

static int write_all(int fd, const uint8_t *data, uint64_t sz, uint64_t off, bool seekable)
{
	while (sz) {
		ssize_t n = seekable ? pwrite(fd, data, sz, (off_t)off) : write(fd, data, sz);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		off += (uint64_t)n;
		sz -= (uint64_t)n;
	}
	return 0;
}

static void fill_pieces(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct write_job *j = ctx;
	(void)worker;
	for (size_t i = begin; i < end && !atomic_load_explicit(&j->rc, memory_order_relaxed); i++) {
		uint64_t off = j->cuts[i], sz = j->cuts[i + 1] - off;
		char why[512] = "";
		uint8_t *dst = j->map ? j->map + off : malloc(sz);
		int rc = dst ? linkfs_image_fill(j->img, off, sz, dst, why, sizeof(why)) : -ENOMEM;
		if (rc)
			fail(j, rc, *why ? why : strerror(-rc));
		else if (!j->map && (rc = write_all(j->fd, dst, sz, off, true)))
			fail(j, rc, strerror(-rc));
		if (!j->map)
			free(dst);
	}
}

static int cut_pieces(struct write_job *j, size_t *ret_cnt)
{
	uint64_t size = linkfs_image_size(j->img);
	size_t cap = size / PIECE + 4, cnt = 0;
	j->cuts = malloc((cap + 1) * sizeof(*j->cuts));
	if (!j->cuts)
		return -ENOMEM;
	j->cuts[0] = 0;
	for (uint64_t off = 0; off < size && cnt < cap; j->cuts[++cnt] = off)
		off = linkfs_image_cut(j->img, off, PIECE);
	j->cuts[cnt] = size;
	*ret_cnt = cnt;
	return 0;
}

static int digest_one(void *ctx)
{
	uint64_t low, high;
	object_digest(ctx, &low, &high);
	return 0;
}

/* An input that was truncated is found again, and reported, by who fills the note. */
static void digest_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct linkfs_image *img = ctx;
	(void)worker;
	for (size_t k = begin; k < end; k++)
		mapper_guard(digest_one, img->in->files[img->st->objs[k]].obj);
}

/* Fills all pieces into FD, a regular file of our own that is still empty. */
static int fill_file(struct write_job *j)
{
	uint64_t size = linkfs_image_size(j->img);
	void *map = NULL;
	size_t cnt;
	int rc = os_fallocate_new(NULL, j->fd, 0, size); /* first: sizes no disk has end here */
	bool can_map = !rc;
	if (rc == -EOPNOTSUPP || rc == -ENOSYS || rc == -EPERM || rc == -EINVAL) /* then never a sparse shared map */
		rc = os_truncate(NULL, j->fd, size);
	if (!rc && can_map && os_map(NULL, NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, j->fd, 0, &map))
		map = NULL;
	if (!rc)
		rc = cut_pieces(j, &cnt);
	if (rc) {
		fail(j, rc, strerror(-rc));
		if (map)
			os_unmap(NULL, map, size);
		return rc;
	}
	j->map = map;
	if (j->img->l->syn_out[SYN_BUILD_ID])
		pool_for(j->img->linker->pool, j->img->st->obj_cnt, 8, digest_range, j->img);
	pool_for(j->img->linker->pool, cnt, 1, fill_pieces, j);
	if (map)
		os_unmap(NULL, map, size);
	return atomic_load(&j->rc);
}

/* A device, a pipe or standard output: in order, in pieces. */
static int fill_stream(struct write_job *j)
{
	uint64_t size = linkfs_image_size(j->img);
	uint8_t *buf = malloc(2 * PIECE);
	int rc = buf ? 0 : -ENOMEM;
	for (uint64_t off = 0; off < size && !rc;) {
		char why[512] = "";
		uint64_t sz = size - off < PIECE ? size - off : PIECE;
		rc = linkfs_image_fill(j->img, off, sz, buf, why, sizeof(why));
		if (rc)
			fail(j, rc, *why ? why : strerror(-rc));
		else if ((rc = write_all(j->fd, buf, sz, 0, false)))
			fail(j, rc, strerror(-rc));
		off += sz;
	}
	if (rc && !atomic_load(&j->rc))
		fail(j, rc, strerror(-rc));
	free(buf);
	return rc;
}

static int write_stream(struct write_job *j, int dir_fd, const char *path)
{
	bool is_stdout = !strcmp(path, "-");
	j->fd = is_stdout ? STDOUT_FILENO : openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (j->fd < 0) {
		fail(j, -errno, strerror(errno));
		return atomic_load(&j->rc);
	}
	int rc = fill_stream(j);
	if (!is_stdout && close(j->fd) && !rc) {
		rc = -errno;
		fail(j, rc, strerror(-rc));
	}
	return rc;
}

/* A name, new at each call, for a file beside PATH. The caller frees it. */
static char *name_beside(const char *path)
{
	static atomic_uint serial;
	const char *slash = strrchr(path, '/');
	int len = slash ? (int)(slash + 1 - path) : 0;
	char *name;
	if (asprintf(&name, "%.*s.linkfs-%d-%u", len, path, (int)getpid(), atomic_fetch_add(&serial, 1)) < 0)
		return NULL;
	return name;
}

/* A new file with a name; mode 0777 less the umask, by the kernel. *ret_name: the caller frees it. */
static int create_named(int dir_fd, const char *path, char **ret_name)
{
	for (int tries = 0; tries < 100; tries++) {
		char *name = name_beside(path);
		int fd = name ? openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0777) : -1;
		int rc = name ? -errno : -ENOMEM;
		if (fd >= 0) {
			*ret_name = name;
			return fd;
		}
		free(name);
		if (rc != -EEXIST)
			return rc;
	}
	return -EEXIST;
}

/* A new file that has no name until it is finished, so that whatever ends this process leaves nothing behind. -errno
 * where the file system, or a missing /proc, does not allow it. */
static int create_nameless(int dir_fd, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash + 1 - path)) : strdup(".");
	int fd = dir && !access("/proc/self/fd", X_OK) ? openat(dir_fd, dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0777) : -1;
	free(dir);
	return fd;
}

/* Gives the nameless file FD a name beside PATH. */
static int name_file(int fd, int dir_fd, const char *path, char **ret_name)
{
	char proc[64];
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	for (int tries = 0; tries < 100; tries++) {
		char *name = name_beside(path);
		if (!name)
			return -ENOMEM;
		if (!linkat(AT_FDCWD, proc, dir_fd, name, AT_SYMLINK_FOLLOW)) {
			*ret_name = name;
			return 0;
		}
		int rc = -errno;
		free(name);
		if (rc != -EEXIST)
			return rc;
	}
	return -EEXIST;
}

/* The filled file takes the target's place. */
static int put_in_place(struct write_job *j, int dir_fd, const char *path, char **name)
{
	char why[512] = "";
	int rc = image_check_inputs(j->img, why, sizeof(why));
	if (!rc && !*name)
		rc = name_file(j->fd, dir_fd, path, name);
	if (!rc && renameat(dir_fd, *name, dir_fd, path))
		rc = -errno;
	if (rc)
		fail(j, rc, *why ? why : strerror(-rc));
	return rc;
}

static int write_file(struct write_job *j, int dir_fd, const char *path)
{
	char *name = NULL;
	j->fd = create_nameless(dir_fd, path);
	if (j->fd < 0)
		j->fd = create_named(dir_fd, path, &name);
	if (j->fd < 0) {
		fail(j, j->fd, strerror(-j->fd));
		return j->fd;
	}
	int rc = fill_file(j);
	if (!rc)
		rc = put_in_place(j, dir_fd, path, &name);
	if (close(j->fd) && !rc) {
		rc = -errno;
		fail(j, rc, strerror(-rc));
	}
	if (rc && name)
		unlinkat(dir_fd, name, 0);
	free(name);
	return rc;
}

static bool is_input(const struct linkfs_image *img, const struct stat *st)
{
	for (uint32_t i = 0; i < img->in->held_cnt; i++)
		if (img->in->held[i]->st.st_dev == st->st_dev && img->in->held[i]->st.st_ino == st->st_ino)
			return S_ISREG(st->st_mode);
	return false;
}

int linkfs_image_write(struct linkfs_image *img, int dir_fd, const char *path, struct diag *d)
{
	struct write_job j = { .img = img, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct stat st;
	double start = timer_now_ms();
	bool exists = fstatat(dir_fd, path, &st, 0) == 0;
	int rc;
	char why[512] = "";
	img->is_writing = true; /* identities are checked once here, before and after */
	if ((rc = image_check_inputs(img, why, sizeof(why))))
		fail(&j, rc, why);
	else if (exists && is_input(img, &st))
		fail(&j, rc = -EINVAL, "it is one of the inputs");
	else if (exists && S_ISDIR(st.st_mode))
		fail(&j, rc = -EISDIR, "is a directory");
	else if (!strcmp(path, "-") || (exists && !S_ISREG(st.st_mode)))
		rc = write_stream(&j, dir_fd, path);
	else
		rc = write_file(&j, dir_fd, path);
	img->is_writing = false;
	timer_add(&img->timers, "write", start);
	if (rc)
		diag_error(d, 0, "%s: cannot write the output: %s", path, j.why);
	free(j.cuts);
	pthread_mutex_destroy(&j.lock);
	return rc;
}

static int write_range(struct linkfs_image *img, int fd, uint64_t off, uint64_t end, char *why, size_t why_sz)
{
	uint64_t size = linkfs_image_size(img);
	end = end < size ? end : size;
	if (off >= end)
		return 0;
	uint8_t *buf = malloc(end - off);
	int rc = buf ? linkfs_image_fill(img, off, end - off, buf, why, why_sz) : -ENOMEM;
	if (!rc)
		rc = write_all(fd, buf, end - off, off, true);
	free(buf);
	return rc;
}

int linkfs_image_face(struct linkfs_image *img, int fd, char *why, size_t why_sz)
{
	static const enum syn_id parts[] = { SYN_DYNSYM, SYN_DYNSTR, SYN_VERSYM, SYN_VERDEF, SYN_VERNEED, SYN_DYNAMIC };
	const struct layout *l = img->l;
	int rc = write_range(img, fd, 0, l->headers_sz, why, why_sz);
	if (!rc)
		rc = write_range(img, fd, l->shoff, linkfs_image_size(img), why, why_sz);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts) && !rc; i++) {
		uint32_t out = l->syn_out[parts[i]];
		uint64_t off = out ? l->outs[out].off + l->syn_off[parts[i]] : 0;
		if (out)
			rc = write_range(img, fd, off, off + l->syn_sz[parts[i]], why, why_sz);
	}
	return rc;
}

static int write_text(int dir_fd, const char *path, const char *text, size_t sz, const char *what, struct diag *d)
{
	bool is_stdout = !strcmp(path, "-");
	int fd = is_stdout ? STDOUT_FILENO : openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int rc = fd < 0 ? -errno : text ? write_all(fd, (const uint8_t *)text, sz, 0, false) : -ENOMEM;
	if (fd >= 0 && !is_stdout && close(fd) && !rc)
		rc = -errno;
	if (rc)
		diag_error(d, 0, "%s: cannot write the %s: %s", path, what, strerror(-rc));
	return rc;
}

/* make's spelling of a file name: spaces, # and $ are protected. */
static void print_make_name(FILE *f, const char *name)
{
	for (; *name; name++)
		fprintf(f, "%s%c", *name == '$' ? "$" : *name == ' ' || *name == '#' ? "\\" : "", *name);
}

/* What was compiled from intermediate code is gone by the time make reads this. */
static bool is_named_dependency(const struct inputs *in, uint32_t i)
{
	return i - in->compiled_first >= in->compiled_cnt;
}

/* GNU ld manual, --dependency-file: the output depends on every input, and each has an empty rule of its own. */
char *linkfs_image_dependencies(struct linkfs_image *img, size_t *ret_sz)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_sz);
	if (!f)
		return NULL;
	print_make_name(f, img->opt->output);
	fputc(':', f);
	for (uint32_t i = 0; i < img->in->held_cnt; i++) {
		if (!is_named_dependency(img->in, i))
			continue;
		fputs(" \\\n  ", f);
		print_make_name(f, img->in->held[i]->path);
	}
	fputc('\n', f);
	for (uint32_t i = 0; i < img->in->held_cnt; i++) {
		if (!is_named_dependency(img->in, i))
			continue;
		fputc('\n', f);
		print_make_name(f, img->in->held[i]->path);
		fputs(":\n", f);
	}
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* The output comes last: once it is there, all that was asked for is. */
int linkfs_image_write_outputs(struct linkfs_image *img, int dir_fd, struct diag *d)
{
	const char *map = img->opt->map_file;
	size_t sz = 0;
	int rc = 0;
	if (map) {
		char *text = linkfs_image_map(img, &sz);
		rc = write_text(dir_fd, map, text, sz, "link map", d);
		free(text);
	}
	if (!rc && img->opt->dependency_file) {
		char *text = linkfs_image_dependencies(img, &sz);
		rc = write_text(dir_fd, img->opt->dependency_file, text, sz, "dependency file", d);
		free(text);
	}
	return rc ? rc : linkfs_image_write(img, dir_fd, img->opt->output, d);
}
