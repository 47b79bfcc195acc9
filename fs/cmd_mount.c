/* cmd_mount.c - linkfs mount: options, what stands at the mount point already, going to the background. */
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "commands.h"
#include "mount.h"
#include "mountinfo.h"
#include "util.h"

#define CACHE_LIMIT_DEFAULT ((uint64_t)16 << 30)
#define SETTLE_DEFAULT_MS 5000

/* "512M" and the like, in bytes; false: not a size. */
static bool parse_size(const char *s, uint64_t *ret)
{
	char *end;

	errno = 0;
	unsigned long long v = strtoull(s, &end, 10);
	unsigned shift = 0;
	if (end == s || errno || *s == '-')
		return false;
	switch (*end) {
	case 'T':
	case 't':
		shift = 40;
		break;
	case 'G':
	case 'g':
		shift = 30;
		break;
	case 'M':
	case 'm':
		shift = 20;
		break;
	case 'K':
	case 'k':
		shift = 10;
		break;
	}
	end += shift != 0;
	if (*end || v > UINT64_MAX >> shift)
		return false;
	*ret = (uint64_t)v << shift;
	return true;
}

/* A time with its unit, seconds without one, in milliseconds; false: not a time. */
static bool parse_time(const char *s, int64_t *ret_ms)
{
	char *end;
	double v = strtod(s, &end);
	double unit = !*end || !strcmp(end, "s") ? 1000 : !strcmp(end, "ms") ? 1 : !strcmp(end, "m") ? 60000 : 0;

	if (end == s || !(v >= 0 && v <= 1e6) || !unit)
		return false;
	*ret_ms = (int64_t)(v * unit);
	return true;
}

static int parse_settle(const char *s, int64_t *ret_ms)
{
	*ret_ms = -1;
	if (!strcmp(s, "never") || parse_time(s, ret_ms))
		return 0;
	return fail(2, "mount: settle=%s: expected never or a time, such as 5s", s);
}

static int parse_timeout(const char *key, const char *s, int64_t *ret_ms)
{
	if (parse_time(s, ret_ms) && *ret_ms >= 100)
		return 0;
	return fail(2, "mount: %s=%s: expected a time of at least 100ms, such as 30s", key, s);
}

/* One of -o's comma-separated words. */
static int parse_option(char *word, struct mount_request *rq)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = 0;
	if (!strcmp(word, "allow_other") && !value) {
		rq->allow_other = true;
	} else if (!strcmp(word, "cache_dir") && value && *value) {
		rq->cache_dir = value;
	} else if (!strcmp(word, "cache_size") && value) {
		if (!parse_size(value, &rq->cache_limit) || rq->cache_limit < (uint64_t)1 << 20)
			return fail(2, "mount: cache_size=%s: expected at least 1M, such as 500M or 16G", value);
	} else if (!strcmp(word, "threads") && value) {
		uint64_t n;
		if (!parse_size(value, &n) || n < 1 || n > 1024)
			return fail(2, "mount: threads=%s: expected 1 to 1024", value);
		rq->threads = (unsigned)n;
	} else if (!strcmp(word, "watches") && value) {
		uint64_t n;
		if (!parse_size(value, &n) || n > INT32_MAX)
			return fail(2, "mount: watches=%s: expected a number, such as 50000; 0: none", value);
		rq->watches = (int64_t)n;
	} else if (!strcmp(word, "settle") && value) {
		return parse_settle(value, &rq->settle_ms);
	} else if (!strcmp(word, "link_timeout") && value) {
		return parse_timeout(word, value, &rq->link_timeout_ms);
	} else if (!strcmp(word, "fill_timeout") && value) {
		return parse_timeout(word, value, &rq->fill_timeout_ms);
	} else {
		return fail(2,
			    "mount: -o %s: not an option: cache_dir=DIR, cache_size=SIZE, threads=N, watches=N, "
			    "settle=TIME, link_timeout=TIME, fill_timeout=TIME and allow_other are",
			    word);
	}
	return 0;
}

/* WORDS are taken apart in place. */
static int parse_options(char *words, struct mount_request *rq)
{
	char *save = NULL;
	int r = 0;

	for (char *w = strtok_r(words, ",", &save); w && !r; w = strtok_r(NULL, ",", &save))
		r = parse_option(w, rq);
	return r;
}

int mount_check_options(const char *words)
{
	CLEAN_MEM char *copy = strdup(words);
	struct mount_request rq = { 0 };

	return copy ? parse_options(copy, &rq) : fail(2, "mount: out of memory");
}

static int parse(int argc, char **argv, struct mount_request *rq, const char **ret_dir)
{
	int c, r = 0;

	optind = 1;
	opterr = 0;
	while (!r && (c = getopt(argc, argv, "+:fo:")) != -1) {
		if (c == 'f')
			rq->is_foreground = true;
		else if (c == 'o')
			r = parse_options(optarg, rq);
		else
			r = fail(2, "mount: -%c: %s", optopt, c == ':' ? "it wants a value" : "not an option");
	}
	if (!r && argc - optind > 1)
		r = fail(2, "mount: %s: only one mount point can be given", argv[optind + 1]);
	*ret_dir = optind < argc ? argv[optind] : NULL;
	return r;
}

/* Clears away what a crash left there; 0: the place is free. */
static int check_place(const char *path)
{
	struct mount_entry at;
	struct stat st;

	if (mountinfo_find(path, &at) == 0) {
		int alive = mountinfo_probe(path, 3000);
		if (!strncmp(at.type, MOUNT_TYPE, strlen(MOUNT_TYPE)) && alive == 0)
			return fail(1,
				    "mount: %s: a linkfs is mounted here already: use it, or end it with linkfs umount",
				    path);
		if (!strncmp(at.type, MOUNT_TYPE, strlen(MOUNT_TYPE)) && alive == -EACCES)
			return fail(1, "mount: %s: a linkfs of user %u is mounted here already", path,
				    (unsigned)at.uid);
		if (alive == -ETIMEDOUT)
			return fail(1, "mount: %s: something is mounted here (%s) and does not answer", path, at.type);
		if (!strncmp(at.type, MOUNT_TYPE, strlen(MOUNT_TYPE)) && alive == -ENOTCONN) {
			int r = mountinfo_detach(path, true);
			if (r)
				return fail(1, "mount: %s: a dead mount is here and can't be detached: %s", path,
					    strerror(-r));
			fprintf(stderr, "linkfs: mount: %s: detached a mount whose process had died\n", path);
		} else if (alive == -ENOTCONN) {
			return fail(1, "mount: %s: a dead mount (%s) is here: detach it first (umount -l)", path,
				    at.type);
		}
	}
	if (stat(path, &st) < 0)
		return fail(1, "mount: %s: %s: the mount point must be an existing directory", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return fail(1, "mount: %s: not a directory: the mount point must be one", path);
	if (access(path, W_OK) < 0 && geteuid() != 0)
		return fail(1, "mount: %s: %s: the mount point must be writable", path, strerror(errno));
	return 0;
}

/* And the directories above it. */
static void make_default(const char *path)
{
	CLEAN_MEM char *copy = strdup(path);

	for (char *s = copy ? copy + 1 : NULL; s && *s; s++) {
		if (*s == '/') {
			*s = 0;
			mkdir(copy, 0700);
			*s = '/';
		}
	}
	if (copy)
		mkdir(copy, 0700); /* what went wrong is seen by who uses it */
}

void mount_make_default(void)
{
	CLEAN_MEM char *standard = mountinfo_default_dir("/mnt");

	if (standard)
		make_default(standard);
}

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (path[n] == '/' || !path[n]);
}

/* 0 with *RET the absolute cache directory (the caller frees). */
static int find_cache_dir(const char *given, const char *mountpoint, char **ret)
{
	CLEAN_MEM char *dir = given ? strdup(given) : mountinfo_default_dir("");

	if (!dir)
		return fail(1, "mount: no home directory is known: say -o cache_dir=DIR");
	if (!given)
		make_default(dir);
	int r = mountinfo_resolve(dir, ret);
	if (r)
		return fail(1, "mount: cache_dir=%s: %s", dir, strerror(-r));
	if (is_below(*ret, mountpoint)) {
		fail(1, "mount: cache_dir=%s: it lies in the mount: choose a directory outside", dir);
		free(*ret);
		*ret = NULL;
		return 1;
	}
	return 0;
}

/* Where a service manager wants to be told that the mount answers (sd_notify(3)): a socket, or -1. */
static int open_notify(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;

	if (n < 2 || n >= sizeof(at.sun_path) || (*path != '/' && *path != '@'))
		return -1;
	memcpy(at.sun_path, path, n);
	if (*path == '@')
		at.sun_path[0] = 0; /* an abstract name */
	CLEAN_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		return -1; /* who started it finds out by itself */
	return take_fd(&fd);
}

static int serve_here(const struct mount_request *rq, int ready_fd)
{
	char err[PATH_MAX + 256];

	int r = mount_serve(rq, ready_fd, err, sizeof(err));
	return r ? fail(1, "mount: %s", err) : 0;
}

/* In a child of its own session; the parent returns when the mount answers. */
static int serve_in_background(const struct mount_request *rq)
{
	char said[PATH_MAX + 256];
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return fail(1, "mount: %s", strerror(errno));
	pid_t pid = fork();
	if (pid < 0)
		return fail(1, "mount: fork: %s", strerror(errno));
	if (pid == 0) {
		close(p[0]);
		setsid();
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (chdir("/") < 0 || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
			_exit(1);
		close(null);
		_exit(serve_here(rq, p[1]));
	}
	close(p[1]);
	ssize_t n = read(p[0], said, sizeof(said) - 1);
	close(p[0]);
	if (n == 2 && !memcmp(said, "ok", 2))
		return 0;
	waitpid(pid, NULL, 0);
	return n > 0 ? 1 : fail(1, "mount: the mount process ended before it was ready"); /* it has said why itself */
}

/* Options are taken apart in place: in a copy, so that /proc/PID/cmdline shows what was said. NULL: no memory. */
static char **copy_args(int argc, char **argv)
{
	size_t sz = ((size_t)argc + 1) * sizeof(*argv), at = sz;

	for (int i = 0; i < argc; i++)
		sz += strlen(argv[i]) + 1;
	char **copy = malloc(sz);
	if (!copy)
		return NULL;
	for (int i = 0; i < argc; i++) {
		copy[i] = strcpy((char *)copy + at, argv[i]);
		at += strlen(argv[i]) + 1;
	}
	copy[argc] = NULL;
	return copy;
}

int cmd_mount(int argc, char **argv)
{
	struct mount_request rq = { .cache_limit = CACHE_LIMIT_DEFAULT, .settle_ms = SETTLE_DEFAULT_MS, .watches = -1 };
	CLEAN_MEM char **args = copy_args(argc, argv);
	const char *dir = NULL;

	int r = args ? parse(argc, args, &rq, &dir) : fail(1, "mount: out of memory");
	if (r)
		return r;
	if (!dir && !getenv("LINKFS_MOUNT"))
		mount_make_default();
	CLEAN_MEM char *mountpoint = must_mountpoint(dir);
	CLEAN_MEM char *cache_dir = NULL;
	if (!mountpoint || check_place(mountpoint) || find_cache_dir(rq.cache_dir, mountpoint, &cache_dir))
		return 1;
	rq.mountpoint = mountpoint;
	rq.cache_dir = cache_dir;
	fflush(NULL);
	return rq.is_foreground ? serve_here(&rq, open_notify()) : serve_in_background(&rq);
}
