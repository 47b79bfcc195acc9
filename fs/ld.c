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
#include "ld_mount.h"
#include "linkfs.h"
#include "lto.h"

static const char *find_mode(int argc, char **argv)
{
	const char *mode = getenv("LINKFS_MODE");

	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], "--linkfs=", 9))
			mode = argv[i] + 9;
	return mode && *mode ? mode : "auto";
}

/* The exit status, if the mount made the link; -1: file mode it is. */
static int try_mount(const char *mode, int argc, char **argv, struct lto *lto)
{
	const char *dir = getenv("LINKFS_MOUNT");

	if (!strcmp(mode, "file") || (!strcmp(mode, "auto") && !(dir && *dir)))
		return -1;
	if (!strcmp(mode, "auto") || !strcmp(mode, "mount"))
		return ld_mount(argc, argv, !strcmp(mode, "mount"), lto);
	fprintf(stderr, "linkfs: error: --linkfs=%s: expected auto, file or mount\n", mode);
	return 1;
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

/* The link needs intermediate code: it is compiled, and the link made with what comes of that. */
static int link_compiled(struct linkfs_linker *linker, struct lto *lto, struct linkfs_request *rq, struct diag **ret_d,
			 struct linkfs_image **ret_img)
{
	char *text = NULL;

	if (lto_compile(lto, rq->argc, rq->argv))
		leave(1);
	rq->lto_cnt = lto->word_cnt;
	rq->lto = (const char *const *)lto->words;
	*ret_d = diag_new(20);
	int r = *ret_d ? linkfs_link(linker, rq, *ret_d, ret_img, &text) : -ENOMEM;
	lto_done(lto);
	free(text); /* as it was the first time */
	return r;
}

int main(int argc, char **argv)
{
	struct sigaction bus = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	struct linkfs_linker *linker;
	struct linkfs_image *img = NULL;
	char *text = NULL;
	struct linkfs_config cfg = { 0 };
	struct linkfs_request rq = { .argc = argc, .argv = (const char *const *)argv, .cwd_fd = AT_FDCWD };
	struct diag *d = diag_new(20);
	struct lto lto = { 0 };

	keep_standard_streams();
	signal(SIGXFSZ, SIG_IGN); /* a file beyond the limit is an error of the call that writes it */
	int status = try_mount(find_mode(argc, argv), argc, argv, &lto);
	if (status >= 0)
		leave(status);
	sigaction(SIGBUS, &bus, NULL); /* before the library's own, which passes on what it does not know */
	if (!d || linkfs_linker_new(&cfg, &linker)) {
		fputs("linkfs: error: out of memory\n", stderr);
		leave(1);
	}
	int r = linkfs_link(linker, &rq, d, &img, &text);
	if (r == -ENOEXEC) {
		d = diag_free(d);
		r = link_compiled(linker, &lto, &rq, &d, &img);
	}
	print_and_free(stdout, text);
	if (r == -ECANCELED)
		leave(0);
	if (!r)
		r = linkfs_image_write_outputs(img, AT_FDCWD, d);
	if (d)
		print_and_free(stderr, diag_text(d));
	if (r && !(d && diag_errors(d)))
		fprintf(stderr, "linkfs: error: %s\n", strerror(-r));
	if (!r && linkfs_image_wants_timers(img))
		print_and_free(stderr, linkfs_image_timers(img));
	leave(r || !d || diag_errors(d) ? 1 : 0);
}
