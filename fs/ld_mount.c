/* ld_mount.c - see ld_mount.h. The steps of DESIGN.md "What stands at -o":
 *
 *     is the mount fit for this output? -> the mount makes the link -> a symbolic link beside -o, whose time is the
 *     output's -> the texts asked for beside it (-Map) -> rename
 *
 * A small output becomes a plain file on the way, read from the mount like by anybody. Whatever does not fit makes auto
 * mode fall back to a file, with the reason shown under LINKFS_VERBOSE=1 and kept by the mount for `info`.
 */
#include "ld_mount.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "ask.h"
#include "ld_talk.h"
#include "linkfs.h"
#include "mountinfo.h"
#include "pathwalk.h"
#include "place.h"
#include "recipe_text.h"

#define NEEDS_LTO (-3) /* beside LD_FILE and LD_REFUSED */

struct job {
	struct ld_asked *asked;
	struct linkfs_look look;
	char *mountpoint;
	char *cwd;
	char *path;	  /* of -o: absolute, its directory without symbolic links */
	int path_error;	  /* why there is none */
	const char *name; /* its last component */
	const char *mount; /* where the enabled directory it is below says; NULL: nowhere */
	struct msg_identity old; /* of what stood there; 0: nothing */
	int dir_fd;	  /* its directory */
	struct ask ask;
	char id[64];
	struct msg_client_verdict verdict;
	char why[PATH_MAX + 256]; /* not the mount */
};

/* The mount keeps the reason, for `info`. */
static void tell_why(struct job *j)
{
	CLEAN_TEXT struct text t = { 0 };
	struct msg m = { .type = MSG_CLIENT_NOTE };
	char ignored[256];

	text_printf(&t, "%s\n%s", j->path, j->why);
	if (!t.failed)
		ask_send(&j->ask, &m, t.s, NULL, 0, ignored, sizeof(ignored));
}

/* Not the mount: the exit status, or LD_FILE. */
static int fall_back(struct job *j)
{
	const char *output = j->look.verdict.output ? j->look.verdict.output : "";

	if (j->asked->must) {
		fprintf(stderr, "linkfs: error: %s: --linkfs=mount: %s\n", output, j->why);
		return 1;
	}
	ld_tell_mode(output, "file", j->why);
	j->asked->why_file = NULL;
	if (j->ask.fd >= 0 && j->path)
		tell_why(j);
	return LD_FILE;
}

__attribute__((format(printf, 2, 3))) static int unfit(struct job *j, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(j->why, sizeof(j->why), fmt, ap);
	va_end(ap);
	return -1;
}

/* The first line of what the mount says of itself. */
static int unfit_of_text(struct job *j, const char *text)
{
	static const char prefix[] = "linkfs: error: ";

	text += strncmp(text, prefix, sizeof(prefix) - 1) ? 0 : sizeof(prefix) - 1;
	return unfit(j, "%s: %.*s", j->mountpoint, (int)strcspn(text, "\n"), text);
}

/* --- is the mount fit for it? --- */

/* Names that mean a descriptor of this process mean another one elsewhere, and what a pipe holds can be read but once. */
static int find_own_input(struct job *j, int argc, char **argv)
{
	static const char *const own[] = { "/dev/fd/", "/dev/stdin", "/proc/self/", "/proc/thread-self/" };
	struct stat st;

	for (int i = 1; i < argc; i++) {
		const char *name = argv[i] + (argv[i][0] == '@');
		for (size_t k = 0; k < sizeof(own) / sizeof(own[0]); k++)
			if (strstr(argv[i], own[k]))
				return unfit(j, "%s names a descriptor of this process", argv[i]);
		if (name[0] != '-' && strcmp(name, j->look.verdict.output) && stat(name, &st) == 0 &&
		    (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
			return unfit(j, "%s: is a pipe or a device", name);
	}
	return 0;
}

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (path[n] == '/' || !path[n]);
}

/* Where -o is, and whether a symbolic link may stand there. */
static int find_place(struct job *j)
{
	const char *output = j->look.verdict.output;
	struct stat st;

	if (!j->look.verdict.is_executable)
		return unfit(j, "the output is neither an executable nor a shared object");
	if (!strcmp(output, "-"))
		return unfit(j, "the output is the standard output");
	if (!*output || output[strlen(output) - 1] == '/')
		return unfit(j, "%s: is a directory", output);
	if (stat(output, &st) == 0) {
		if (!S_ISREG(st.st_mode))
			return unfit(j, "%s: what stands there is no regular file", output);
		j->old = identity_of(&st);
	}
	if (!j->path)
		return unfit(j, "%s: %s", output, strerror(-j->path_error));
	char *slash = strrchr(j->path, '/');
	j->name = slash + 1;
	CLEAN_MEM char *dir = slash == j->path ? strdup("/") : strndup(j->path, (size_t)(slash - j->path));
	j->dir_fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (j->dir_fd < 0)
		return unfit(j, "%s: its directory: %s", output, strerror(errno));
	if (is_below(j->path, j->mountpoint))
		return unfit(j, "%s: lies in the mount itself: choose a place outside", j->path);
	return 0;
}

static int find_mount(struct job *j)
{
	const char *dir = getenv("LINKFS_MOUNT");

	dir = dir && *dir ? dir : j->mount;
	CLEAN_MEM char *standard = dir ? NULL : mountinfo_default_dir("/mnt");
	struct mount_entry at;

	dir = dir ? dir : standard;
	char target[2];
	/* The mount point itself is not looked at: it might not answer. */
	CLEAN_MEM char *real = dir && readlink(dir, target, sizeof(target)) >= 0 ? realpath(dir, NULL) : NULL;
	int r = dir ? mountinfo_resolve(real ? real : dir, &j->mountpoint) : -ENOENT;
	if (r) {
		j->mountpoint = NULL;
		return unfit(j, "%s: %s", dir ? dir : "no home directory is known", strerror(-r));
	}
	if (mountinfo_find(j->mountpoint, &at) || strncmp(at.type, MOUNT_TYPE, strlen(MOUNT_TYPE)))
		return unfit(j, "%s: no linkfs is mounted here: start one with linkfs mount", j->mountpoint);
	return 0;
}

/* Connects; what is there must see the same files under the same names. */
static int find_server(struct job *j)
{
	struct stat ns, root;

	if (ask_open(j->mountpoint, &j->ask, j->why, sizeof(j->why)))
		return -1;
	if (stat("/proc/self/ns/mnt", &ns) < 0 || stat("/", &root) < 0)
		return unfit(j, "/proc/self/ns/mnt: %s", strerror(errno));
	if (ns.st_ino != j->ask.hello.mount_ns ||
	    ((uint64_t)major(root.st_dev) << 32 | minor(root.st_dev)) != j->ask.hello.root_dev ||
	    root.st_ino != j->ask.hello.root_ino)
		return unfit(j, "%s: its process sees another root directory or mount namespace", j->mountpoint);
	return 0;
}

/* --- the link --- */

static int send_request(struct job *j, int argc, char **argv)
{
	CLEAN_TEXT struct text t = { 0 };
	struct msg m = { .type = MSG_CLIENT_LINK };
	mode_t mask = umask(0);

	umask(mask);
	recipe_of_args(&t, j->cwd, argc - 1, argv + 1);
	for (int i = 0; i < j->asked->lto->word_cnt; i++) {
		CLEAN_TEXT struct text word = { 0 };
		text_printf(&word, RECIPE_LTO "%s", j->asked->lto->words[i]);
		t.failed |= word.failed;
		if (word.s)
			recipe_add(&t, word.s);
	}
	if (t.failed)
		return unfit(j, "out of memory");
	m.u.client_link = (struct msg_client_link){
		.recipe_sz = t.sz,
		.path_sz = strlen(j->path),
		.mode = 0777 & ~mask,
		.old_dev = j->old.dev,
		.old_ino = j->old.ino,
	};
	CLEAN_FD int blob = blob_new("linkfs-recipe", t.s, t.sz, j->path, strlen(j->path));
	if (blob < 0)
		return unfit(j, "memfd_create: %s", strerror(-blob));
	return ask_send(&j->ask, &m, NULL, &blob, 1, j->why, sizeof(j->why));
}

static int write_side(const char *name, const char *text, size_t sz, const char *what)
{
	bool is_stdout = !strcmp(name, "-");
	CLEAN_FD int fd = is_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
				    : open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int r = fd < 0 ? -errno : 0;

	while (!r && sz) {
		ssize_t n = write(fd, text, sz);
		if (n < 0 && errno != EINTR)
			r = -errno;
		text += n > 0 ? n : 0;
		sz -= n > 0 ? (size_t)n : 0;
	}
	if (r)
		fprintf(stderr, "linkfs: error: %s: cannot write the %s: %s\n", name, what, strerror(-r));
	return r;
}

/* The link map and the dependency file. 0, or an exit status with the error printed. */
static int write_sides(const struct job *j, struct packet *p)
{
	const struct msg_client_verdict *v = &p->msg.u.client_verdict;
	CLEAN_MEM char *text = NULL;

	if (!v->map_sz && !v->deps_sz)
		return 0;
	int r = p->fd_cnt == 2 ? blob_read(p->fds[1], v->map_sz + v->deps_sz, &text) : -EPROTO;
	if (r) {
		fprintf(stderr, "linkfs: error: the link map can't be read: %s\n", strerror(-r));
		return 1;
	}
	if (v->map_sz && j->look.verdict.map_file && write_side(j->look.verdict.map_file, text, v->map_sz, "link map"))
		return 1;
	return v->deps_sz && j->look.verdict.dependency_file &&
	       write_side(j->look.verdict.dependency_file, text + v->map_sz, v->deps_sz, "dependency file");
}

/* --- putting it in place --- */

/* TIME: of what will take -o's place; becomes the output's. LINK_FD: of it, where it is a symbolic link. */
static int tell_time(struct job *j, struct timespec *time, int link_fd)
{
	struct msg m = { .type = MSG_CLIENT_PLACE, .u.place.mtime_ns = timespec_ns(time) };
	struct packet p;

	if (ask_send(&j->ask, &m, NULL, (int[]){ j->dir_fd, link_fd }, link_fd < 0 ? 1 : 2, j->why, sizeof(j->why)) ||
	    ask_wait(&j->ask, MSG_CLIENT_PLACE, &p, j->why, sizeof(j->why)))
		return -1;
	packet_done(&p);
	int64_t ns = p.msg.u.place.mtime_ns;
	*time = timespec_of_ns(ns);
	return 0;
}

static void tell_placed(struct job *j, bool is_settled)
{
	struct msg m = { .type = MSG_CLIENT_PLACED, .u.place.is_settled = is_settled };

	ask_send(&j->ask, &m, NULL, NULL, 0, j->why, sizeof(j->why)); /* its end tells as much */
}

static int place_symlink(struct job *j, const char *target)
{
	char tmp[48];
	struct timespec time;

	int r = place_link_beside(j->dir_fd, target, tmp, &time);
	if (r)
		return unfit(j, "%s: %s", j->path, strerror(-r));
	CLEAN_FD int link_fd = openat(j->dir_fd, tmp, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	r = tell_time(j, &time, link_fd);
	if (!r && renameat(j->dir_fd, tmp, j->dir_fd, j->name) < 0)
		r = unfit(j, "%s: %s", j->path, strerror(errno));
	if (r)
		unlinkat(j->dir_fd, tmp, 0);
	else
		tell_placed(j, false);
	return r;
}

static int place_file(struct job *j, const char *target, uint64_t size)
{
	struct placing p;
	struct stat st;
	CLEAN_FD int src = open(target, O_RDONLY | O_CLOEXEC);

	if (src < 0)
		return unfit(j, "%s: %s", target, strerror(errno));
	int r = placing_begin(&p, j->dir_fd);
	if (!r && fstat(p.fd, &st) < 0)
		r = -errno;
	struct timespec time = r ? (struct timespec){ 0 } : st.st_mtim;
	if (!r)
		r = placing_copy(&p, src, 0, size);
	if (!r && fstat(src, &st) < 0)
		r = -errno;
	if (r)
		unfit(j, "%s: %s", j->path, strerror(-r));
	else if (!(r = tell_time(j, &time, -1)) && (r = placing_end(&p, j->name, st.st_mode & 0777, time)))
		unfit(j, "%s: %s", j->path, strerror(-r));
	placing_done(&p);
	if (!r)
		tell_placed(j, true);
	return r;
}

/* The signals that end a build leave nothing beside -o: they are taken once it is in place. */
static int place(struct job *j, const struct msg_client_verdict *v)
{
	CLEAN_MEM char *target = NULL;
	sigset_t ends, before;

	if (asprintf(&target, "%s/.o/%s%s", j->ask.mountpoint, j->id, j->path) < 0) {
		target = NULL;
		return unfit(j, "out of memory");
	}
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, &before);
	int r = v->is_for_disk ? place_file(j, target, v->size) : place_symlink(j, target);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

/* 0 or the exit status, LD_REFUSED; -1: not this way; NEEDS_LTO: compile first. */
static int take_verdict(struct job *j, struct packet *p)
{
	const struct msg_client_verdict *v = &p->msg.u.client_verdict;
	CLEAN_MEM char *diag = NULL;

	if (p->fd_cnt < 1 || blob_read(p->fds[0], v->diag_sz, &diag))
		return unfit(j, "the verdict can't be read");
	if (p->msg.error == -EIO)
		return unfit_of_text(j, diag);
	if (p->msg.error && v->needs_lto && !j->asked->lto->words)
		return NEEDS_LTO;
	lto_done(j->asked->lto); /* the mount has them open */
	if (v->is_refused && j->asked->wants_refusal) {
		j->asked->refusal = diag;
		diag = NULL;
		return LD_REFUSED;
	}
	fputs(diag, stderr);
	if (p->msg.error)
		return 1;
	j->verdict = *v;
	snprintf(j->id, sizeof(j->id), "%.*s", (int)sizeof(j->id) - 1, p->text);
	if (write_sides(j, p))
		return 1;
	int r = place(j, v);
	if (r >= 0 || !j->asked->lto->words)
		return r;
	fprintf(stderr, "linkfs: error: %s\n", j->why); /* a file would need what was compiled, and that is gone */
	return 1;
}

/* Where -o is; false: it is not among what was asked for. */
static bool find_path(struct job *j)
{
	const struct enabled *enabled = j->asked->enabled;

	j->path_error = mountinfo_resolve(j->look.verdict.output, &j->path);
	if (j->path_error)
		j->path = NULL;
	const struct enabled_entry *at = enabled && j->path ? enabled_find(enabled, j->path) : NULL;
	j->mount = at ? at->mount : NULL;
	return !enabled || at;
}

static int ask_for_link(struct job *j, int argc, char **argv)
{
	struct packet p;

	if (send_request(j, argc, argv))
		return -1;
	struct progress *shown = ld_progress_mount(j->look.verdict.output, j->mountpoint, j->path);
	int r = ask_wait(&j->ask, MSG_CLIENT_LINK, &p, j->why, sizeof(j->why));
	progress_stop(shown);
	if (r)
		return -1;
	r = take_verdict(j, &p);
	packet_done(&p);
	return r;
}

/* As take_verdict. */
static int compile_and_ask(struct job *j, int argc, char **argv)
{
	struct lto *lto = j->asked->lto;

	lto->wants_refusal = j->asked->wants_refusal;
	struct progress *shown = ld_progress_compile(j->look.verdict.output);
	int r = lto_compile(lto, argc, (const char *const *)argv);
	progress_stop(shown);
	if (r == -ENOTSUP) {
		j->asked->refusal = lto->refusal;
		return LD_REFUSED;
	}
	return r ? 1 : ask_for_link(j, argc, argv);
}

/* -1: not on the mount, and the reason is to be told. */
static int make(struct job *j, int argc, char **argv)
{
	if (!(j->cwd = getcwd(NULL, 0)))
		return unfit(j, "the current directory: %s", strerror(errno));
	/* The path came first, and the rest after the server was found: it keeps the reason. */
	if (find_mount(j) || find_server(j) || find_place(j))
		return -1;
	if (find_own_input(j, argc, argv))
		return -1;
	if (is_below(j->cwd, j->mountpoint))
		return unfit(j, "the current directory lies in the mount");
	int r = ask_for_link(j, argc, argv);
	if (r == NEEDS_LTO)
		r = compile_and_ask(j, argc, argv);
	return r;
}

static void tell_done(const struct job *j)
{
	const struct msg_client_verdict *v = &j->verdict;
	const char *output = j->look.verdict.output;
	char where[PATH_MAX + 256];

	snprintf(where, sizeof(where), "%s/.o/%s%s, as %s asks", j->mountpoint, j->id,
		 v->is_for_disk ? ", a plain file since it is small" : "",
		 j->asked->must	   ? "--linkfs=mount or LINKFS_MODE=mount" :
		 j->asked->enabled ? "linkfs enable" :
				     "LINKFS_MOUNT");
	ld_tell_mode(output, "mount", where);
	ld_tell_done(output, v->inputs, v->input_bytes, (double)v->link_us / 1000, v->size, -1);
}

static void job_done(struct job *j)
{
	linkfs_look_done(&j->look);
	ask_close(&j->ask);
	cleanup_fd(&j->dir_fd);
	free(j->mountpoint);
	free(j->cwd);
	free(j->path);
}

/* The command line can't be read: the exit status, or LD_REFUSED. */
static int end_unread(struct ld_asked *asked, int error, struct diag *d, const char *text)
{
	CLEAN_MEM char *errors = d ? diag_text(d) : NULL;

	if (errors && asked->wants_refusal && diag_is_refusal(d)) {
		asked->refusal = errors;
		errors = NULL;
		return LD_REFUSED;
	}
	fputs(text ? text : "", stdout);
	fputs(errors ? errors : error == -ECANCELED ? "" : "linkfs: error: out of memory\n", stderr);
	return error == -ECANCELED ? 0 : 1;
}

int ld_mount(int argc, char **argv, struct ld_asked *asked)
{
	struct linkfs_request rq = { .argc = argc, .argv = (const char *const *)argv, .cwd_fd = AT_FDCWD };
	struct job j = { .asked = asked, .dir_fd = -1, .ask = { .fd = -1 } };
	struct diag *d = diag_new(20);
	CLEAN_MEM char *text = NULL;

	int r = d ? linkfs_look(&rq, d, &j.look, &text) : -ENOMEM;
	if (r) {
		r = end_unread(asked, r, d, text);
		diag_free(d);
		return r;
	}
	diag_free(d);
	if (!find_path(&j)) {
		job_done(&j);
		return LD_FILE;
	}
	r = make(&j, argc, argv);
	if (r == -1)
		r = fall_back(&j);
	else if (r >= 0 && text) /* in file mode who makes the link says it */
		fputs(text, stdout);
	if (r == 0)
		tell_done(&j);
	job_done(&j);
	return r;
}

void ld_mount_note(const char *output, const char *why)
{
	struct ld_asked asked = { 0 };
	struct job j = { .asked = &asked, .dir_fd = -1, .ask = { .fd = -1 } };

	if (mountinfo_resolve(output, &j.path))
		j.path = NULL;
	else if (!find_mount(&j) && !find_server(&j)) {
		unfit(&j, "%s", why);
		tell_why(&j);
	}
	job_done(&j);
}
