/* ld.c - the main of ld.linkfs: a drop-in ld.
 *
 * This version has file mode: the linker library in this process writes an ordinary file. All options are the linker's;
 * --linkfs=MODE and $LINKFS_MODE are looked at here, to say honestly what can't be had yet.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "diag.h"
#include "linkfs.h"

static const char *find_mode(int argc, char **argv)
{
	const char *mode = getenv("LINKFS_MODE");

	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], "--linkfs=", 9))
			mode = argv[i] + 9;
	return mode && *mode ? mode : "auto";
}

/* 0: file mode it is. */
static int check_mode(const char *mode)
{
	if (!strcmp(mode, "auto") || !strcmp(mode, "file"))
		return 0;
	if (!strcmp(mode, "mount"))
		fputs("linkfs: error: --linkfs=mount: this version has file mode only: say --linkfs=file, or make the "
		      "link with "
		      "linkfs add\n",
		      stderr);
	else
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

int main(int argc, char **argv)
{
	struct linkfs_linker *linker;
	struct linkfs_image *img = NULL;
	char *text = NULL;
	struct linkfs_config cfg = { 0 };
	struct linkfs_request rq = { .argc = argc, .argv = (const char *const *)argv, .cwd_fd = AT_FDCWD };
	struct diag *d = diag_new(20);

	if (check_mode(find_mode(argc, argv)))
		leave(1);
	if (!d || linkfs_linker_new(&cfg, &linker)) {
		fputs("linkfs: error: out of memory\n", stderr);
		leave(1);
	}
	int r = linkfs_link(linker, &rq, d, &img, &text);
	print_and_free(stdout, text);
	if (r == -ECANCELED)
		leave(0);
	if (!r)
		r = linkfs_image_write_outputs(img, AT_FDCWD, d);
	print_and_free(stderr, diag_text(d));
	if (r && !diag_errors(d))
		fprintf(stderr, "linkfs: error: %s\n", strerror(-r));
	if (!r && linkfs_image_wants_timers(img))
		print_and_free(stderr, linkfs_image_timers(img));
	leave(r || diag_errors(d) ? 1 : 0);
}
