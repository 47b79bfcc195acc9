/* enabled.c - see enabled.h. Changes are made under a lock on the directory, and put in place by rename. */
#include "enabled.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "mountinfo.h"
#include "place.h"
#include "util.h"

#define NAME "enabled"
#define FILE_MAX ((off_t)1 << 20)

static int say(int error, char *why, size_t why_sz, const char *name, const char *what)
{
	snprintf(why, why_sz, "%s: %s", name, what ? what : strerror(-error));
	return error;
}

static int read_text(int fd, off_t sz, struct text *ret)
{
	char buf[4096];

	while ((off_t)ret->sz < sz) {
		ssize_t n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		text_append(ret, buf, n > 0 ? (size_t)n : 0);
	}
	return ret->failed ? -ENOMEM : 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct enabled_entry *)a)->dir, ((const struct enabled_entry *)b)->dir);
}

static int add(struct enabled *e, const char *dir, const char *mount)
{
	struct enabled_entry *entries = reallocarray(e->entries, e->cnt + 1, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	e->entries = entries;
	struct enabled_entry new = { strdup(dir), mount ? strdup(mount) : NULL };
	if (!new.dir || (mount && !new.mount)) {
		free(new.dir);
		free(new.mount);
		return -ENOMEM;
	}
	entries[e->cnt++] = new;
	return 0;
}

static int parse(char *text, struct enabled *ret)
{
	char *save = NULL;
	int r = 0;

	for (char *line = strtok_r(text, "\n", &save); line && !r; line = strtok_r(NULL, "\n", &save)) {
		char *tab = strchr(line, '\t');
		if (tab)
			*tab++ = 0;
		if (*line == '/') /* what else somebody wrote into it means nothing */
			r = add(ret, line, tab && *tab == '/' ? tab : NULL);
	}
	if (ret->cnt)
		qsort(ret->entries, ret->cnt, sizeof(*ret->entries), compare);
	return r;
}

int enabled_load(struct enabled *ret, char *why, size_t why_sz)
{
	CLEAN_MEM char *name = mountinfo_config_dir("/" NAME);
	CLEAN_FD int fd = name ? open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
	CLEAN_TEXT struct text t = { 0 };
	struct stat st;

	*ret = (struct enabled){ 0 };
	if (!name || (fd < 0 && errno == ENOENT))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return say(-errno, why, why_sz, name, NULL);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return say(-EPERM, why, why_sz, name, "is not this user's own file: what it enables is not believed");
	if (st.st_mode & 022)
		return say(-EPERM, why, why_sz, name, "others may write it: what it enables is not believed: chmod go-w");
	if (st.st_size > FILE_MAX)
		return say(-EFBIG, why, why_sz, name, NULL);
	int r = read_text(fd, st.st_size, &t);
	if (!r && t.s)
		r = parse(t.s, ret);
	if (!r)
		return 0;
	enabled_done(ret);
	return say(r, why, why_sz, name, NULL);
}

void enabled_done(struct enabled *e)
{
	for (size_t i = 0; i < e->cnt; i++) {
		free(e->entries[i].dir);
		free(e->entries[i].mount);
	}
	free(e->entries);
	*e = (struct enabled){ 0 };
}

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (path[n] == '/' || !path[n] || dir[n - 1] == '/');
}

const struct enabled_entry *enabled_find(const struct enabled *e, const char *path)
{
	for (size_t i = e->cnt; i > 0; i--) /* what lies in another sorts behind it */
		if (is_below(path, e->entries[i - 1].dir))
			return &e->entries[i - 1];
	return NULL;
}

static int make_dirs(char *path)
{
	for (char *s = path + 1;; s++) {
		if (*s && *s != '/')
			continue;
		char c = *s;
		*s = 0;
		int r = mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
		*s = c;
		if (r || !c)
			return r;
	}
}

static int save(int dir_fd, const struct enabled *e)
{
	CLEAN_TEXT struct text t = { 0 };
	struct placing p;

	text_append(&t, "", 0);
	for (size_t i = 0; i < e->cnt; i++) {
		const struct enabled_entry *at = &e->entries[i];
		text_printf(&t, "%s%s%s\n", at->dir, at->mount ? "\t" : "", at->mount ? at->mount : "");
	}
	if (t.failed)
		return -ENOMEM;
	int r = placing_begin(&p, dir_fd);
	if (r)
		return r;
	for (size_t at = 0; at < t.sz && !r;) {
		ssize_t n = write(p.fd, t.s + at, t.sz - at);
		if (n < 0 && errno != EINTR)
			r = -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	struct timespec now = { 0 };
	clock_gettime(CLOCK_REALTIME, &now);
	if (!r && !(r = fsync(p.fd) < 0 ? -errno : 0))
		r = placing_end(&p, NAME, 0600, now);
	placing_done(&p);
	return r;
}

/* In memory; 1: it is another now. */
static int change(struct enabled *e, const char *dir, bool on, const char *mount)
{
	for (size_t i = 0; i < e->cnt; i++) {
		struct enabled_entry *at = &e->entries[i];
		if (strcmp(at->dir, dir))
			continue;
		if (on && !strcmp(at->mount ? at->mount : "", mount ? mount : ""))
			return 0;
		free(at->dir);
		free(at->mount);
		*at = e->entries[--e->cnt];
		if (!on)
			return 1;
		break;
	}
	int r = on ? add(e, dir, mount) : 0;
	return r ? r : on;
}

int enabled_change(const char *dir, bool on, const char *mount, char *why, size_t why_sz)
{
	CLEAN_MEM char *config = mountinfo_config_dir("");
	struct enabled e;

	if (!config)
		return say(-ENOENT, why, why_sz, "~", "no home directory is known");
	int r = on ? make_dirs(config) : 0;
	CLEAN_FD int dir_fd = r ? -1 : open(config, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!on && dir_fd < 0 && errno == ENOENT)
		return 0;
	if (!r && (dir_fd < 0 || flock(dir_fd, LOCK_EX) < 0))
		r = -errno;
	if (r)
		return say(r, why, why_sz, config, NULL);
	if ((r = enabled_load(&e, why, why_sz)))
		return r;
	r = change(&e, dir, on, mount);
	if (r > 0) {
		qsort(e.entries, e.cnt, sizeof(*e.entries), compare);
		int saved = save(dir_fd, &e);
		r = saved ? saved : r;
	}
	enabled_done(&e);
	return r < 0 ? say(r, why, why_sz, config, NULL) : r;
}
