/* cmd_check.c - linkfs check: who linked the executables and shared objects below a directory.
 *
 * Each file says it itself (who.c); what a symbolic link shows on a mount is read through the mount, which makes the few
 * bytes that takes. Other symbolic links are passed by: what they lead to is found where it is, or is elsewhere.
 */
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>

#include "commands.h"
#include "show.h"
#include "subject.h"
#include "who.h"

enum { FILE_NAME, PLACE, LINKER, COLUMNS };

static const struct column columns[COLUMNS] = {
	[FILE_NAME] = { .title = "FILE", .may_be_cut = true },
	[PLACE] = { .title = "IS", .drop = 1 },
	[LINKER] = { .title = "LINKER" },
};

struct found {
	char *path;
	const char *place;
	char linker[WHO_SZ];
};

/* nftw has no argument for its function. */
static struct check {
	struct found *at;
	size_t cnt, cap;
	bool failed;
} check;

static void add(const char *path, const char *place, const char *linker)
{
	if (check.cnt == check.cap) {
		size_t cap = check.cap ? 2 * check.cap : 256;
		struct found *more = reallocarray(check.at, cap, sizeof(*more));
		if (!more) {
			check.failed = true;
			return;
		}
		check.at = more;
		check.cap = cap;
	}
	struct found *f = &check.at[check.cnt];
	*f = (struct found){ .path = strdup(path), .place = place };
	snprintf(f->linker, sizeof(f->linker), "%s", linker);
	if (f->path)
		check.cnt++;
	else
		check.failed = true;
}

/* PLACE: what is said of a file that was linked. */
static void look(const char *path, const char *place)
{
	CLEAN_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char linker[WHO_SZ];
	enum who_kind kind;
	int r = fd < 0 ? -errno : who_linked(fd, &kind, linker);

	if (r == -ENOENT && place)
		add(path, "dangling", "-");
	else if (r && r != -ENOENT)
		check.failed = fail(1, "check: %s: %s", path, strerror(-r));
	else if (!r && kind == WHO_LINKED)
		add(path, place ? place : "file", linker);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
	char target[PATH_MAX];
	struct target t;

	(void)at;
	if (type == FTW_DNR || type == FTW_NS) {
		check.failed = fail(1, "check: %s: it can't be looked at: %s", path, strerror(errno ? errno : EACCES));
	} else if (type == FTW_F && S_ISREG(st->st_mode) && st->st_size) {
		look(path, NULL);
	} else if (type == FTW_SL) {
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = 0;
		if (target_parse(target, &t))
			look(path, "mount");
	}
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct found *)a)->path, ((const struct found *)b)->path);
}

static int by_linker(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	bool x_ours = who_is_linkfs(x->linker), y_ours = who_is_linkfs(y->linker);

	return x_ours != y_ours ? (x_ours ? -1 : 1) : strcmp(x->linker, y->linker);
}

static const char *name_of(const char *linker)
{
	return *linker ? linker : "not named (GNU ld, or stripped)";
}

static void put_summary(struct text *t)
{
	size_t dangling = 0;

	qsort(check.at, check.cnt, sizeof(*check.at), by_linker);
	for (size_t i = 0; i < check.cnt; i++)
		dangling += !strcmp(check.at[i].place, "dangling");
	text_printf(t, "%zu executables and shared objects\n", check.cnt - dangling);
	for (size_t i = 0, end; i < check.cnt; i = end) {
		size_t on_mount = 0;
		for (end = i; end < check.cnt && !strcmp(check.at[i].linker, check.at[end].linker); end++)
			on_mount += !strcmp(check.at[end].place, "mount");
		if (!strcmp(check.at[i].place, "dangling"))
			continue;
		text_printf(t, "%zu by ", end - i);
		show_name(t, name_of(check.at[i].linker));
		if (who_is_linkfs(check.at[i].linker))
			text_printf(t, ": %zu on a mount, %zu plain file%s", on_mount, end - i - on_mount,
				    end - i - on_mount == 1 ? "" : "s");
		text_append(t, "\n", 1);
	}
	if (dangling)
		text_printf(t, "%zu dangling: linkfs doctor tells why\n", dangling);
}

static int show(bool is_summary)
{
	CLEAN_TABLE struct table t = { .col = columns, .col_cnt = COLUMNS };
	CLEAN_TEXT struct text text = { 0 };
	unsigned width, lines;

	show_terminal(STDOUT_FILENO, &width, &lines);
	qsort(check.at, check.cnt, sizeof(*check.at), by_path);
	for (size_t i = 0; i < check.cnt && !is_summary; i++) {
		const struct found *f = &check.at[i];
		const char *const cell[COLUMNS] = {
			[FILE_NAME] = f->path, [PLACE] = f->place, [LINKER] = name_of(f->linker)};
		table_add(&t, cell);
	}
	if (t.row_cnt)
		table_show(&t, &text, width, t.row_cnt, "\n");
	put_summary(&text);
	if (text.failed)
		return fail(1, "check: out of memory");
	fwrite(text.s, 1, text.sz, stdout);
	return 0;
}

int cmd_check(int argc, char **argv)
{
	bool is_summary = argc > 1 && !strcmp(argv[1], "--summary");
	int first = 1 + is_summary;

	if (argc <= first)
		return fail(2, "check: expected [--summary] DIR...");
	for (int i = first; i < argc; i++) {
		struct stat st;
		/* A directory's other name is as good as its own. */
		bool is_dir = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
		CLEAN_MEM char *real = is_dir ? realpath(argv[i], NULL) : NULL;
		bool is_alias = real && lstat(argv[i], &st) == 0 && S_ISLNK(st.st_mode);
		if (lstat(argv[i], &st) < 0 || nftw(is_alias ? real : argv[i], visit, 64, FTW_PHYS | FTW_MOUNT) < 0)
			check.failed = fail(1, "check: %s: %s", argv[i], strerror(errno));
	}
	int r = show(is_summary);
	for (size_t i = 0; i < check.cnt; i++)
		free(check.at[i].path);
	free(check.at);
	return r || check.failed;
}
