/* users.c - scans /proc for users of a mount (users.h).
 *
 * Open files are recognised by the mount's id in fdinfo, mappings by their device; directories and programs by the path
 * the kernel shows. None of this asks the mount anything.
 */
#include "users.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

#include "util.h"

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (path[n] == '/' || !path[n]);
}

static bool uses_path(int pid, const char *what, const char *mountpoint)
{
	char path[64], target[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = 0;
	return is_below(target, mountpoint);
}

static bool uses_open(int pid, int mount_id)
{
	char path[96], line[256];
	bool found = false;
	const struct dirent *e;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	DIR *d = opendir(path);
	while (d && !found && (e = readdir(d))) {
		int id;
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.20s", pid, e->d_name);
		FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "re");
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "mnt_id: %d", &id) == 1)
				found |= id == mount_id;
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
	return found;
}

static bool uses_mapping(int pid, const struct mount_entry *at)
{
	char path[64];
	CLEAN_MEM char *line = NULL;
	size_t cap = 0;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	FILE *f = fopen(path, "re");
	while (f && !found && getline(&line, &cap, f) > 0) {
		unsigned major, minor;
		if (sscanf(line, "%*s %*s %*s %x:%x", &major, &minor) == 2)
			found = major == at->major && minor == at->minor;
	}
	if (f)
		fclose(f);
	return found;
}

int users_list(const char *mountpoint, const struct mount_entry *at,
	       void (*show)(int pid, const char *name, const char *what))
{
	DIR *d = opendir("/proc");
	const struct dirent *e;
	int cnt = 0;

	while (d && (e = readdir(d))) {
		int pid = atoi(e->d_name);
		if (pid <= 0)
			continue;
		const char *what = uses_path(pid, "exe", mountpoint)	? "runs a program from it"
				   : uses_path(pid, "cwd", mountpoint)	? "is in its directory"
				   : uses_path(pid, "root", mountpoint) ? "has its root there"
				   : uses_open(pid, at->id)		? "has a file open"
				   : uses_mapping(pid, at)		? "has a file mapped"
									: NULL;
		if (!what)
			continue;
		char path[64], name[64] = "?";
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		FILE *f = fopen(path, "re");
		if (f && fgets(name, sizeof(name), f))
			name[strcspn(name, "\n")] = 0;
		if (f)
			fclose(f);
		show(pid, name, what);
		cnt++;
	}
	if (d)
		closedir(d);
	return cnt;
}
