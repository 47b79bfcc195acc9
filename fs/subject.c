/* subject.c - see subject.h. */
#include "subject.h"

#include <limits.h>

#include "commands.h"
#include "mountinfo.h"

#define ID_SZ 16

bool target_parse(const char *target, struct target *ret)
{
	for (const char *at = target; target[0] == '/' && (at = strstr(at, "/.o/")); at++) {
		const char *id = at + 4;
		if (strspn(id, "0123456789abcdef") != ID_SZ || id[ID_SZ] != '/')
			continue; /* a directory of that name */
		*ret = (struct target){ .mountpoint_sz = (size_t)(at - target), .id = id, .path = id + ID_SZ };
		return true;
	}
	return false;
}

void subject_done(struct subject *s)
{
	free(s->mountpoint);
	free(s->name);
	free(s->path);
	*s = (struct subject){ 0 };
}

static bool is_linkfs(const char *mountpoint)
{
	struct mount_entry at;

	return mountinfo_find(mountpoint, &at) == 0 && !strncmp(at.type, MOUNT_TYPE, strlen(MOUNT_TYPE));
}

/* Takes what TARGET says, whether it is mounted or not. */
static int take_target(struct subject *s, const char *target)
{
	struct target t;

	if (!target_parse(target, &t))
		return 0;
	free(s->mountpoint);
	free(s->name);
	s->mountpoint = strndup(target, t.mountpoint_sz);
	s->name = strdup(t.path + 1);
	snprintf(s->id, sizeof(s->id), "%.*s", ID_SZ, t.id);
	return s->mountpoint && s->name ? 0 : -ENOMEM;
}

/* A file that lies in the mount itself: below an ID, under the path of -o, or a live link. */
static int take_inside(struct subject *s)
{
	size_t n = strlen(s->mountpoint);

	if (strncmp(s->path, s->mountpoint, n) || s->path[n] != '/')
		return 0;
	if (!strncmp(s->path + n, "/.o/", 4))
		return take_target(s, s->path);
	free(s->name);
	s->name = strdup(s->path + n + 1);
	return s->name ? 0 : -ENOMEM;
}

static int take_file(struct subject *s, const char *arg)
{
	char target[PATH_MAX];
	int r = mountinfo_resolve(arg, &s->path);

	if (r) {
		s->path = NULL;
		return r;
	}
	s->name = strdup(s->path + 1);
	if (!s->name)
		return -ENOMEM;
	r = take_inside(s);
	if (r || *s->id)
		return r;
	ssize_t n = readlink(s->path, target, sizeof(target) - 1);
	if (n < 0)
		return 0;
	target[n] = 0;
	s->is_link = true;
	return take_target(s, target);
}

/* Is there a live link of that name? */
static bool is_live(const struct subject *s, const char *name)
{
	CLEAN_MEM char *recipe = NULL;

	if (!*name || strchr(name, '/') || !is_linkfs(s->mountpoint) || mountinfo_probe(s->mountpoint, 5000))
		return false;
	if (asprintf(&recipe, "%s/.linkfs/links/%s", s->mountpoint, name) < 0) {
		recipe = NULL;
		return false;
	}
	return access(recipe, F_OK) == 0;
}

int must_subject(const char *command, const char *dir, const char *arg, struct subject *ret)
{
	*ret = (struct subject){ 0 };
	if (!*arg)
		return fail(2, "%s: '': expected the name of a live link or a file", command);
	if (!(ret->mountpoint = must_mountpoint(dir)))
		return 1;
	int r = 0;
	if (is_live(ret, arg))
		r = (ret->name = strdup(arg)) ? 0 : -ENOMEM;
	else
		r = take_file(ret, arg);
	if (r) {
		subject_done(ret);
		return fail(1, "%s: %s: %s", command, arg, strerror(-r));
	}
	ret->is_mounted = is_linkfs(ret->mountpoint);
	return 0;
}

int must_answer(const struct subject *s)
{
	CLEAN_MEM char *mountpoint = must_mounted(s->mountpoint);

	return !mountpoint;
}

char *subject_file(const struct subject *s, const char *folder)
{
	char *path;

	return asprintf(&path, "%s/.linkfs/%s/%s", s->mountpoint, folder, s->name) < 0 ? NULL : path;
}
