/* recipes.c - recipes on disk: what survives umount.
 *
 * One file per link, cache_dir/recipes/ESCAPED-MOUNTPOINT/NAME, holding the text as it was written. A new text is
 * written beside the directory, synced, and renamed in, so that a crash leaves the old or the new one. The file's mtime
 * is the recipe's, so that outputs do not look newer after a remount.
 *
 * recipes.lock puts the changes of one name on disk and in memory into the same order; it is taken before fs.lock.
 */
#include "fs.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>

#define RECIPE_MAX ((off_t)16 << 20)

struct recipes {
	pthread_mutex_t lock;
	int parent_fd; /* cache_dir/recipes: new files are written here */
	int dir_fd;    /* this mount's */
};

uint64_t recipes_hash(const char *mountpoint)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (const char *s = mountpoint; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3ull;
	return h;
}

/* '/' and '%' escaped, long ones by a hash behind their end. */
void recipes_dir_name(const char *path, char *ret)
{
	size_t n = 0;

	for (const char *s = path; *s; s++) {
		if (n + 4 > NAME_MAX - 20)
			continue;
		if (*s == '/' || *s == '%')
			n += (size_t)snprintf(ret + n, 4, "%%%02X", (unsigned char)*s);
		else
			ret[n++] = *s;
	}
	ret[n] = 0;
	if (strlen(path) + 4 > NAME_MAX / 3)
		snprintf(ret + n, 20, "-%016" PRIx64, recipes_hash(path));
}

int recipes_dir_open(int parent, const char *name)
{
	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int load_text(int dir_fd, const char *name, struct link *l)
{
	CLEAN_FD int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > RECIPE_MAX)
		return -EINVAL;
	CLEAN_MEM char *text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	ssize_t n = read(fd, text, (size_t)st.st_size);
	if (n != st.st_size)
		return n < 0 ? -errno : -EIO;
	text[n] = 0;
	l->recipe = text;
	text = NULL;
	l->recipe_sz = (size_t)n;
	l->recipe_version = 1;
	l->recipe_mtime = st.st_mtim;
	return 0;
}

static int load_all(struct fs *fs, int dir_fd)
{
	int copy = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;
	int r = 0;

	if (!d) {
		r = -errno;
		if (copy >= 0)
			close(copy);
		return r;
	}
	while (!r && (e = readdir(d))) {
		struct link *l;
		struct replies none;
		if (!tree_name_ok(e->d_name))
			continue;
		replies_init(&none);
		r = tree_add_link(fs, e->d_name, &l);
		if (r)
			break;
		if (load_text(dir_fd, e->d_name, l))
			tree_remove_link(fs, l,
					 &none); /* not ours, or unreadable: it stays on disk and out of the tree */
		else
			fs->tree.link_cnt++;
	}
	closedir(d);
	return r;
}

int recipes_open(struct fs *fs)
{
	char name[NAME_MAX + 1];
	struct recipes *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	pthread_mutex_init(&r->lock, NULL);
	recipes_dir_name(fs->cfg.mountpoint, name);
	r->dir_fd = -1;
	r->parent_fd = recipes_dir_open(fs->cache_dir_fd, "recipes");
	int err = r->parent_fd < 0 ? r->parent_fd : 0;
	if (!err && (r->dir_fd = recipes_dir_open(r->parent_fd, name)) < 0)
		err = r->dir_fd;
	fs->recipes = r;
	if (!err)
		err = load_all(fs, r->dir_fd);
	return err;
}

void recipes_close(struct fs *fs)
{
	struct recipes *r = fs->recipes;

	if (!r)
		return;
	cleanup_fd(&r->parent_fd);
	cleanup_fd(&r->dir_fd);
	pthread_mutex_destroy(&r->lock);
	free(r);
	fs->recipes = NULL;
}

static int write_file(const struct recipes *r, const char *name, const char *text, size_t sz,
		      struct timespec *ret_mtime)
{
	char tmp[64];
	struct stat st;

	snprintf(tmp, sizeof(tmp), ".new-%d", (int)getpid());
	CLEAN_FD int fd = openat(r->parent_fd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	int err = 0;
	for (size_t put = 0; !err && put < sz;) {
		ssize_t n = write(fd, text + put, sz - put);
		if (n < 0 && errno != EINTR)
			err = -errno;
		else if (n > 0)
			put += (size_t)n;
	}
	if (!err && (fdatasync(fd) < 0 || fstat(fd, &st) < 0 || renameat(r->parent_fd, tmp, r->dir_fd, name) < 0))
		err = -errno;
	if (err)
		unlinkat(r->parent_fd, tmp, 0);
	else
		*ret_mtime = st.st_mtim;
	return err;
}

int recipes_commit(struct fs *fs, struct link *l)
{
	struct recipes *r = fs->recipes;
	struct timespec mtime;
	CLEAN_MEM char *name = NULL;
	CLEAN_MEM char *text = NULL;
	size_t sz = 0;
	int err = 0;

	pthread_mutex_lock(&r->lock);
	fs_lock(fs);
	if (l->is_named && l->has_draft && l->is_draft_dirty) {
		name = strdup(l->name);
		sz = l->draft.sz;
		text = malloc(sz + 1);
		if (text) {
			memcpy(text, l->draft.s ? l->draft.s : "", sz);
			text[sz] = 0;
		}
		err = name && text ? 0 : -ENOMEM;
		l->is_draft_dirty = false;
	}
	fs_unlock(fs);
	if (name && !err) {
		err = write_file(r, name, text, sz, &mtime);
		fs_lock(fs);
		if (err) {
			l->is_draft_dirty = true;
		} else {
			if (!l->recipe && l->is_named)
				fs->tree.link_cnt++;
			free(l->recipe);
			l->recipe = text;
			text = NULL;
			l->recipe_sz = sz;
			l->recipe_mtime = mtime;
			l->recipe_version++;
		}
		fs_unlock(fs);
	}
	pthread_mutex_unlock(&r->lock);
	return err;
}

int recipes_unlink(struct fs *fs, const char *name)
{
	struct recipes *r = fs->recipes;
	struct replies out;
	int err = 0;

	replies_init(&out);
	pthread_mutex_lock(&r->lock);
	if (unlinkat(r->dir_fd, name, 0) < 0 && errno != ENOENT)
		err = -errno;
	fs_lock(fs);
	struct link *l = tree_link(fs, name);
	if (!l)
		err = -ENOENT;
	else if (!err)
		tree_remove_link(fs, l, &out);
	fs_unlock(fs);
	pthread_mutex_unlock(&r->lock);
	replies_send(fs, &out);
	return err;
}

/* On disk: the old name's file takes the new name; without one (never committed) the new name has none either. */
static int rename_file(const struct recipes *r, const char *from, const char *to)
{
	if (renameat(r->dir_fd, from, r->dir_fd, to) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	return unlinkat(r->dir_fd, to, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int recipes_rename(struct fs *fs, const char *from, const char *to, bool may_replace)
{
	struct recipes *r = fs->recipes;
	struct replies out;
	int err = 0;

	if (!tree_name_ok(to))
		return -EINVAL;
	replies_init(&out);
	pthread_mutex_lock(&r->lock);
	fs_lock(fs);
	if (!tree_link(fs, from))
		err = -ENOENT;
	else if (!may_replace && tree_link(fs, to))
		err = -EEXIST;
	fs_unlock(fs);
	if (!err)
		err = rename_file(r, from, to);
	fs_lock(fs);
	struct link *l = err ? NULL : tree_link(fs, from); /* removals hold recipes.lock: it is still there */
	if (l)
		err = tree_rename_link(fs, l, to, &out);
	fs_unlock(fs);
	pthread_mutex_unlock(&r->lock);
	replies_send(fs, &out);
	return err;
}
