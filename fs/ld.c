/* ld.c - the main of ld.linkfs: a drop-in ld.
 *
 * File mode: the linker library in this process writes an ordinary file. Mount mode and auto mode: ld_mount.c. All
 * options are the linker's; --linkfs=MODE and $LINKFS_MODE are looked at here, to choose.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "diag.h"
#include "enabled.h"
#include "fallback.h"
#include "ld_mount.h"
#include "ld_talk.h"
#include "linkfs.h"
#include "lto.h"
#include "util.h"

enum { RESPONSE_MAX = 64 << 20, RESPONSE_DEPTH = 4 }; /* of response files that are looked through for a name */

static const char *find_mode(int argc, char **argv)
{
	const char *mode = getenv("LINKFS_MODE");

	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], "--linkfs=", 9))
			mode = argv[i] + 9;
	return mode && *mode ? mode : "auto";
}

/* The exit status, if the mount made the link; LD_FILE: file mode it is; LD_REFUSED. */
static int try_mount(const char *mode, int argc, char **argv, struct ld_asked *asked)
{
	const char *dir = getenv("LINKFS_MOUNT");
	struct enabled enabled = { 0 };
	char why[512];

	asked->must = !strcmp(mode, "mount");
	if (!strcmp(mode, "file")) {
		const char *env = getenv("LINKFS_MODE");
		asked->why_file = env && !strcmp(env, "file") ? "LINKFS_MODE=file asks for it" : "--linkfs=file asks for it";
		return LD_FILE;
	}
	if (strcmp(mode, "auto") && !asked->must) {
		fprintf(stderr, "linkfs: error: --linkfs=%s: expected auto, file or mount\n", mode);
		return 1;
	}
	asked->wants_refusal &= !asked->must;
	if (!(dir && *dir)) {
		if (enabled_load(&enabled, why, sizeof(why)) && ld_is_verbose())
			fprintf(stderr, "linkfs: %s\n", why);
		asked->why_file = "LINKFS_MOUNT is not set, and -o lies below no directory of linkfs enable";
		if (!asked->must && !enabled.cnt)
			return LD_FILE;
		asked->enabled = asked->must ? NULL : &enabled;
	}
	int r = ld_mount(argc, argv, asked);
	enabled_done(&enabled);
	return r;
}

static void print_and_free(FILE *to, char *text)
{
	if (text)
		fputs(text, to);
	free(text);
}

/* Files are written and everything else dies with the process: no time is spent on taking it apart. */
_Noreturn static void leave(int status)
{
	if (fflush(stdout) && !status) {
		fprintf(stderr, "linkfs: error: standard output: %s\n", strerror(errno));
		status = 1;
	}
	fflush(stderr);
	_exit(status);
}

_Noreturn static void leave_without_memory(void)
{
	fputs("linkfs: error: out of memory\n", stderr);
	leave(1);
}

/* An input that another program truncates gives this signal where its bytes were. Filling the output is guarded by the
 * library; while the link is made there is nothing to go on with, and no file of ours is there yet. */
static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	static const char text[] = "linkfs: error: an input file was truncated while it was read: link again\n";

	(void)context;
	if (info->si_code != BUS_ADRERR) {
		signal(sig, SIG_DFL);
		raise(sig);
		return;
	}
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
}

/* Where a standard stream is closed, no file or socket of ours may take its number: what is printed would go there. */
static void keep_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static char *find_output(char **argv, int depth);

static int link_once(struct linkfs_linker *linker, const struct linkfs_request *rq, struct diag *d,
		     struct linkfs_image **ret_img, char **ret_text)
{
	/* Response files are not read for a name: they may be pipes. */
	CLEAN_MEM char *output = rq->argc ? find_output((char **)(uintptr_t)rq->argv + 1, RESPONSE_DEPTH) : NULL;
	struct progress *p = ld_progress_link(output, linker);
	int r = linkfs_link(linker, rq, d, ret_img, ret_text);

	progress_stop(p);
	return r;
}

/* The link needs intermediate code: it is compiled, and the link made with what comes of that. -ENOTSUP: lto.h. */
static int link_compiled(struct linkfs_linker *linker, struct lto *lto, struct linkfs_request *rq, struct diag **ret_d,
			 struct linkfs_image **ret_img)
{
	char *text = NULL;

	struct progress *p = ld_progress_compile(NULL);
	int r = lto_compile(lto, rq->argc, rq->argv);
	progress_stop(p);
	if (r == -ENOTSUP)
		return r;
	if (r)
		leave(1);
	rq->lto_cnt = lto->word_cnt;
	rq->lto = (const char *const *)lto->words;
	*ret_d = diag_new(20);
	r = *ret_d ? link_once(linker, rq, *ret_d, ret_img, &text) : -ENOMEM;
	lto_done(lto);
	free(text); /* as it was the first time */
	return r;
}

/* WHY: of LD_FILE. */
static int write_file(struct linkfs_image *img, const char *why, struct diag *d)
{
	const char *output = linkfs_image_verdict(img)->output;
	struct linkfs_image_stats s;

	if (why)
		ld_tell_mode(output, "file", why);
	struct progress *p = ld_progress_write(output, img);
	int64_t start = now_ms();
	int r = linkfs_image_write_outputs(img, AT_FDCWD, d);
	progress_stop(p);
	linkfs_image_stats(img, &s);
	if (!r)
		ld_tell_done(output, linkfs_image_input_count(img), s.input_bytes, s.link_ms, linkfs_image_size(img),
			     (double)(now_ms() - start));
	return r;
}

/* --- under linkfs run: the linker that the build asked for makes what this one refuses --- */

/* The same in a response file. */
static char *find_output_in(const char *path, int depth)
{
	CLEAN_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	CLEAN_TEXT struct text t = { 0 };
	CLEAN_MEM char **words = NULL;
	char buf[4096];
	ssize_t n;
	int cnt;

	while (fd >= 0 && t.sz < RESPONSE_MAX && (n = read(fd, buf, sizeof(buf))) > 0)
		text_append(&t, buf, (size_t)n);
	if (!t.s || t.failed || linkfs_split_args(t.s, t.sz, &cnt, &words))
		return NULL;
	return find_output(words, depth + 1);
}

/* -o of a command line that may not be understood; the caller frees. NULL: it says none. */
static char *find_output(char **argv, int depth)
{
	const char *output = NULL;
	char *nested = NULL;

	for (; *argv; argv++) {
		const char *arg = *argv;
		if ((!strcmp(arg, "-o") || !strcmp(arg, "--output")) && argv[1])
			output = *++argv;
		else if (!strncmp(arg, "--output=", 9))
			output = arg + 9;
		else if (arg[0] == '-' && arg[1] == 'o' && arg[2])
			output = arg + 2;
		else if (arg[0] == '@' && depth < RESPONSE_DEPTH && !nested)
			nested = find_output_in(arg + 1, depth);
	}
	if (!output)
		return nested;
	free(nested);
	return strdup(output);
}

/* What only this linker understands. */
static void drop_own_options(char **argv)
{
	char **to = argv;

	for (char **from = argv; *from; from++)
		if (strncmp(*from, "--linkfs", 8))
			*to++ = *from;
	*to = NULL;
}

/* Starts PATH instead, since this linker refuses with TEXT. Returns where that can't be. */
static void run_other(const char *path, char **argv, const char *mode, const char *text)
{
	static const char prefix[] = "linkfs: error: ";
	CLEAN_MEM char *found = argv[0] ? find_output(argv + 1, 0) : NULL;
	const char *output = found ? found : "a.out";
	CLEAN_MEM char *why = NULL;

	text += strncmp(text, prefix, sizeof(prefix) - 1) ? 0 : sizeof(prefix) - 1;
	if (asprintf(&why, "made by %s: %.*s", path, (int)strcspn(text, "\n"), text) < 0)
		why = NULL;
	if (why && ld_is_verbose())
		fprintf(stderr, "linkfs: %s: %s\n", output, why);
	if (why && strcmp(mode, "file"))
		ld_mount_note(output, why);
	fflush(NULL);
	drop_own_options(argv);
	argv[0] = (char *)(uintptr_t)path;
	int r = fallback_exec(path, argv);
	fprintf(stderr, "linkfs: error: %s: %s\n", path, strerror(-r));
}

_Noreturn static void leave_refused(char **argv, const char *mode, const char *text)
{
	CLEAN_MEM char *path = fallback_find(argv[0]);

	if (path)
		run_other(path, argv, mode, text);
	fputs(text, stderr);
	if (!path)
		fputs("linkfs: there is no other linker of that name in PATH to make it instead\n", stderr);
	leave(1);
}

/* --- --- */

/* LLD's name where it is called as lld: `-flavor gnu` comes first, and means an ld. */
static void take_flavor(int *argc, char ***argv)
{
	if (*argc < 3 || strcmp((*argv)[1], "-flavor") || (strcmp((*argv)[2], "gnu") && strcmp((*argv)[2], "ld.lld")))
		return;
	(*argv)[2] = (*argv)[0];
	*argv += 2;
	*argc -= 2;
}

int main(int argc, char **argv)
{
	struct sigaction bus = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	struct linkfs_linker *linker;
	struct linkfs_image *img = NULL;
	char *text = NULL;
	struct linkfs_config cfg = { .one_link = true };
	struct diag *d = diag_new(20);
	struct lto lto = { 0 };
	struct ld_asked asked = { .lto = &lto, .wants_refusal = argc > 0 && fallback_is_run(argv[0]) };
	CLEAN_MEM char **given = calloc((size_t)argc + 1, sizeof(*given)); /* for the other linker */

	keep_standard_streams();
	if (!given || !d)
		leave_without_memory();
	memcpy(given, argv, (size_t)argc * sizeof(*given));
	take_flavor(&argc, &argv);
	struct linkfs_request rq = { .argc = argc, .argv = (const char *const *)argv, .cwd_fd = AT_FDCWD };
	const char *mode = find_mode(argc, argv);
	sighandler_t xfsz = signal(SIGXFSZ, SIG_IGN); /* a file beyond the limit is an error of the call that writes it */
	int status = try_mount(mode, argc, argv, &asked);
	if (status >= 0)
		leave(status);
	if (status == LD_REFUSED) {
		signal(SIGXFSZ, xfsz);
		leave_refused(given, mode, asked.refusal);
	}
	sigaction(SIGBUS, &bus, NULL); /* before the library's own, which passes on what it does not know */
	if (linkfs_linker_new(&cfg, &linker))
		leave_without_memory();
	int r = link_once(linker, &rq, d, &img, &text);
	if (r == -ENOEXEC) {
		d = diag_free(d);
		lto.wants_refusal = asked.wants_refusal;
		r = link_compiled(linker, &lto, &rq, &d, &img);
	}
	if (r && asked.wants_refusal && (lto.refusal || (d && diag_is_refusal(d)))) {
		CLEAN_MEM char *refusal = lto.refusal ? lto.refusal : diag_text(d);
		signal(SIGXFSZ, xfsz);
		leave_refused(given, mode, refusal ? refusal : "");
	}
	print_and_free(stdout, text);
	if (r == -ECANCELED)
		leave(0);
	if (!r)
		r = write_file(img, asked.why_file, d);
	if (d)
		print_and_free(stderr, diag_text(d));
	if (r && !(d && diag_errors(d)))
		fprintf(stderr, "linkfs: error: %s\n", strerror(-r));
	if (!r && linkfs_image_wants_timers(img))
		print_and_free(stderr, linkfs_image_timers(img));
	leave(r || !d || diag_errors(d) ? 1 : 0);
}
