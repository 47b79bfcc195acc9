/* cmd_status.c - linkfs status: what the mount holds, one line per link; --watch keeps it live, --json is for programs.
 *
 * All of it comes from .linkfs/outputs and .linkfs/stats, which make no link fresh. Rendering is show.c's.
 */
#include <time.h>

#include "commands.h"
#include "keys.h"
#include "show.h"

#define WATCH_MS 1000
#define WATCH_MIN_MS 100

enum sort_by { BY_AGE, BY_NAME, BY_SIZE, BY_TIME, BY_MADE, BY_PINNED };

struct view {
	char *mountpoint;
	bool is_json, is_watching, shows_all;
	unsigned watch_ms;
	enum sort_by sort;
};

/* What was read of the mount at one moment. */
struct look {
	struct keyfile stats, outputs;
	struct keys stat;	 /* the only paragraph of it */
	const struct keys **row; /* of outputs, in the order to be shown */
	size_t row_cnt;
	size_t hidden; /* outputs that are not shown by their -o any more */
};

static void look_done(struct look *l)
{
	keyfile_done(&l->stats);
	keyfile_done(&l->outputs);
	free(l->row);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(keys_text(*(const struct keys *const *)a, "name"),
		      keys_text(*(const struct keys *const *)b, "name"));
}

/* Falling; by name where they are equal. */
static int by_number(const void *a, const void *b, const char *key)
{
	double x = keys_double(*(const struct keys *const *)a, key),
	       y = keys_double(*(const struct keys *const *)b, key);

	return x < y ? 1 : x > y ? -1 : by_name(a, b);
}

static int by_age(const void *a, const void *b)
{
	return by_number(a, b, "linked_at");
}

static int by_size(const void *a, const void *b)
{
	return by_number(a, b, "size");
}

static int by_time(const void *a, const void *b)
{
	return by_number(a, b, "link_ms");
}

static int by_made(const void *a, const void *b)
{
	return by_number(a, b, "cached_bytes");
}

static int by_pinned(const void *a, const void *b)
{
	return by_number(a, b, "pinned_bytes");
}

static const struct {
	const char *name;
	int (*compare)(const void *a, const void *b);
} sorts[] = {
	[BY_AGE] = {"age", by_age},    [BY_NAME] = {"name", by_name}, [BY_SIZE] = {"size", by_size},
	[BY_TIME] = {"time", by_time}, [BY_MADE] = {"made", by_made}, [BY_PINNED] = {"pinned", by_pinned},
};

static int by_place(const void *a, const void *b)
{
	const struct keys *x = *(const struct keys *const *)a, *y = *(const struct keys *const *)b;
	int order = strcmp(keys_text(x, "name"), keys_text(y, "name"));

	return order ? order : x < y ? -1 : x > y; /* the newest of them last */
}

/* Of outputs with one name the newest stays; it is hidden, too, once nothing stands at -o that came from it. */
static void choose(struct look *l, const struct view *v)
{
	size_t cnt = 0;

	qsort(l->row, l->row_cnt, sizeof(*l->row), by_place);
	for (size_t i = 0; i < l->row_cnt; i++) {
		const char *name = keys_text(l->row[i], "name");
		if (i + 1 < l->row_cnt && !strcmp(name, keys_text(l->row[i + 1], "name")))
			l->hidden++;
		else if (!v->shows_all && !strcmp(keys_text(l->row[i], "shown_by"), "nothing") &&
			 !strcmp(keys_text(l->row[i], "state"), "ok"))
			l->hidden++;
		else
			l->row[cnt++] = l->row[i];
	}
	l->row_cnt = cnt;
	qsort(l->row, l->row_cnt, sizeof(*l->row), sorts[v->sort].compare);
}

static int look_at(const struct view *v, struct look *ret)
{
	CLEAN_MEM char *stats = NULL, *outputs = NULL;
	static const struct keys none;

	*ret = (struct look){ 0 };
	if (asprintf(&stats, "%s/.linkfs/stats", v->mountpoint) < 0 ||
	    asprintf(&outputs, "%s/.linkfs/outputs", v->mountpoint) < 0)
		return -ENOMEM;
	int r = keyfile_read(stats, &ret->stats);
	if (!r)
		r = keyfile_read(outputs, &ret->outputs);
	if (!r && !(ret->row = calloc(ret->outputs.cnt + 1, sizeof(*ret->row))))
		r = -ENOMEM;
	if (r)
		return r;
	ret->stat = ret->stats.cnt ? ret->stats.par[0] : none;
	ret->row_cnt = ret->outputs.cnt;
	for (size_t i = 0; i < ret->row_cnt; i++)
		ret->row[i] = &ret->outputs.par[i];
	choose(ret, v);
	return 0;
}

/* --- for people --- */

enum { OUTPUT, STATE, MODE, SIZE, MADE, LINK, AGE, PINNED, COLUMNS };

static const struct column columns[COLUMNS] = {
	[OUTPUT] = { .title = "OUTPUT", .may_be_cut = true },
	[STATE] = { .title = "STATE" },
	[MODE] = { .title = "MODE", .drop = 4 },
	[SIZE] = { .title = "SIZE", .is_right = true },
	[MADE] = { .title = "MADE", .drop = 1, .is_right = true },
	[LINK] = { .title = "LINK", .drop = 3, .is_right = true },
	[AGE] = { .title = "AGE", .drop = 2, .is_right = true },
	[PINNED] = { .title = "PINNED", .drop = 5, .is_right = true },
};

static void add_row(struct table *t, const struct keys *k)
{
	char size[AMOUNT_SZ], made[AMOUNT_SZ], took[AMOUNT_SZ], age[AMOUNT_SZ], pinned[AMOUNT_SZ];
	uint64_t at = keys_number(k, "linked_at"), bytes = keys_number(k, "size");
	bool is_there = bytes != 0;
	const char *cell[COLUMNS] = {
		[OUTPUT] = keys_text(k, "name"),
		[STATE] = keys_text(k, "state"),
		[MODE] = keys_text(k, "mode"),
		[SIZE] = is_there ? show_bytes(size, bytes) : "-",
		[MADE] = is_there ? show_share(made, keys_number(k, "cached_bytes"), bytes) : "-",
		[LINK] = is_there ? show_ms(took, keys_double(k, "link_ms")) : "-",
		[AGE] = at ? show_age(age, time(NULL) - (int64_t)at) : "-",
		[PINNED] = is_there ? show_bytes(pinned, keys_number(k, "pinned_bytes")) : "-",
	};
	table_add(t, cell);
}

static void put_head(struct text *ret, const struct view *v, const struct look *l, const char *end)
{
	char age[AMOUNT_SZ];

	text_printf(ret, "mountpoint: ");
	show_name(ret, v->mountpoint);
	text_printf(ret, "%sversion %s, process %s, up %s%s", end, keys_text(&l->stat, "version"),
		    keys_text(&l->stat, "mount_pid"),
		    show_age(age, time(NULL) - (int64_t)keys_number(&l->stat, "started_at")), end);
}

static void put_totals(struct text *ret, const struct look *l, const char *end)
{
	char size[AMOUNT_SZ], made[AMOUNT_SZ], limit[AMOUNT_SZ], input[AMOUNT_SZ], pinned[AMOUNT_SZ], anon[AMOUNT_SZ];
	const struct keys *s = &l->stat;
	uint64_t sum = 0;

	for (size_t i = 0; i < l->row_cnt; i++)
		sum += keys_number(l->row[i], "size");
	text_printf(ret, "%zu output%s, %s in all; %s made (limit %s)", l->row_cnt, l->row_cnt == 1 ? "" : "s",
		    show_bytes(size, sum), show_bytes(made, keys_number(s, "cache_bytes")),
		    show_bytes(limit, keys_number(s, "cache_limit")));
	text_printf(ret, "; %s inputs, %s; %s pinned; %s of memory", keys_text(s, "inputs"),
		    show_bytes(input, keys_number(s, "input_bytes")),
		    show_bytes(pinned, keys_number(s, "pinned_deleted_bytes") + keys_number(s, "snapshot_bytes")),
		    show_bytes(anon, keys_number(s, "anon_bytes")));
	text_printf(ret, "; %s links made%s", keys_text(s, "links_made"), end);
	if (l->hidden)
		text_printf(ret, "%zu older that no -o shows any more: linkfs gc forgets them%s", l->hidden, end);
}

/* Where there are more rows than LINES (0: any number) the last of them say so. */
static int put_table(struct text *ret, const struct look *l, unsigned width, size_t lines, const char *end)
{
	CLEAN_TABLE struct table t = { .col = columns, .col_cnt = COLUMNS };
	size_t rows = !lines || l->row_cnt <= lines ? l->row_cnt : lines > 1 ? lines - 1 : 1;

	for (size_t i = 0; i < rows; i++)
		add_row(&t, l->row[i]);
	if (t.failed)
		return -ENOMEM;
	if (rows)
		table_show(&t, ret, width, rows, end);
	if (rows < l->row_cnt)
		text_printf(ret, "... and %zu more%s", l->row_cnt - rows, end);
	return 0;
}

static int put_page(struct text *ret, const struct view *v, const struct look *l, unsigned width, unsigned lines)
{
	static const unsigned around = 7; /* head, titles, totals (which may take two lines), the last one left empty */
	const char *end = v->is_watching ? "\033[K\n" : "\n"; /* erases what was there before */

	put_head(ret, v, l, end);
	int r = put_table(ret, l, width, v->is_watching && lines > around ? lines - around : 0, end);
	put_totals(ret, l, end);
	return r ? r : ret->failed ? -ENOMEM : 0;
}

/* --- for programs --- */

/* A number as JSON has them. */
static bool is_number(const char *s)
{
	size_t n = strspn(s, "0123456789");

	if (!n || (n > 1 && *s == '0'))
		return false;
	return !s[n] || (s[n] == '.' && s[n + 1] && s[n + 1 + strspn(s + n + 1, "0123456789")] == 0);
}

/* Names stay strings, whatever they look like. */
static void put_object(struct text *ret, const struct keys *k)
{
	static const char *const texts[] = {"name", "id", "relink_reason", "cache_dir", "version"};

	text_append(ret, "{", 1);
	for (size_t i = 0; i < k->cnt; i++) {
		bool is_text = false;
		for (size_t n = 0; n < sizeof(texts) / sizeof(*texts); n++)
			is_text |= !strcmp(k->key[i].key, texts[n]);
		text_append(ret, i ? ", " : "", i ? 2 : 0);
		show_json(ret, k->key[i].key);
		text_append(ret, ": ", 2);
		if (!is_text && is_number(k->key[i].value))
			text_append(ret, k->key[i].value, strlen(k->key[i].value));
		else
			show_json(ret, k->key[i].value);
	}
	text_append(ret, "}", 1);
}

static int put_json(struct text *ret, const struct view *v, const struct look *l)
{
	text_printf(ret, "{\"mountpoint\": ");
	show_json(ret, v->mountpoint);
	text_printf(ret, ", \"stats\": ");
	put_object(ret, &l->stat);
	text_printf(ret, ", \"outputs\": [");
	for (size_t i = 0; i < l->row_cnt; i++) {
		text_append(ret, i ? ",\n" : "\n", i ? 2 : 1);
		put_object(ret, l->row[i]);
	}
	text_append(ret, "]}\n", 3);
	return ret->failed ? -ENOMEM : 0;
}

/* --- once, or again and again --- */

static int show_once(const struct view *v, unsigned width, unsigned lines)
{
	CLEAN_TEXT struct text t = { 0 };
	struct look l;

	int r = look_at(v, &l);
	if (!r)
		r = v->is_json ? put_json(&t, v, &l) : put_page(&t, v, &l, width, lines);
	look_done(&l);
	if (!r && t.s)
		fwrite(t.s, 1, t.sz, stdout);
	return r;
}

/* On a terminal: the same page anew, in its place. */
static int watch_page(const struct view *v)
{
	unsigned width, lines;
	int r;

	fputs("\033[2J", stdout);
	do {
		show_terminal(STDOUT_FILENO, &width, &lines);
		fputs("\033[H", stdout);
		r = show_once(v, width, lines);
		fputs("\033[J", stdout);
		if (!r && fflush(stdout))
			return -errno;
		usleep(v->watch_ms * 1000);
	} while (!r);
	return r;
}

/* What tells whether its line is worth telling again. */
static bool is_same(const struct keys *a, const struct keys *b)
{
	static const char *const keys[] = {"name",	   "state",	   "mode",     "generation",
					   "cached_bytes", "pinned_bytes", "linked_at"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strcmp(keys_text(a, keys[i]), keys_text(b, keys[i])))
			return false;
	return true;
}

/* BEFORE's rows are sorted by name. */
static bool was_there(const struct look *before, const struct keys *k)
{
	const struct keys **found =
		before->row_cnt ? bsearch(&k, before->row, before->row_cnt, sizeof(*before->row), by_name) : NULL;

	return found && is_same(*found, k);
}

/* Elsewhere: a line for each output that is not as it was, when it is not. */
static int watch_lines(const struct view *v)
{
	struct look before = { 0 }, now;
	int r;

	while (!(r = look_at(v, &now))) {
		CLEAN_TABLE struct table t = { .col = columns, .col_cnt = COLUMNS };
		CLEAN_TEXT struct text text = { 0 };
		for (size_t i = 0; i < now.row_cnt; i++)
			if (!was_there(&before, now.row[i]))
				add_row(&t, now.row[i]);
		if (t.row_cnt)
			table_show(&t, &text, 0, t.row_cnt, "\n");
		look_done(&before);
		before = now;
		qsort(before.row, before.row_cnt, sizeof(*before.row), by_name);
		if (text.s)
			fwrite(text.s, 1, text.sz, stdout);
		if (fflush(stdout)) {
			r = -errno;
			now = (struct look){ 0 };
			break;
		}
		usleep(v->watch_ms * 1000);
	}
	look_done(&before);
	look_done(&now);
	return r;
}

/* --watch, or --watch=SECONDS. False: neither. */
static bool parse_watch(const char *arg, struct view *ret)
{
	char *end;

	if (strncmp(arg, "--watch", 7) || (arg[7] && arg[7] != '='))
		return false;
	double seconds = arg[7] ? strtod(arg + 8, &end) : (double)WATCH_MS / 1000;
	if (arg[7] && (end == arg + 8 || *end || !(seconds >= (double)WATCH_MIN_MS / 1000 && seconds <= 3600)))
		return false;
	ret->watch_ms = (unsigned)(seconds * 1000);
	ret->is_watching = true;
	return true;
}

static int parse(int argc, char **argv, struct view *ret)
{
	for (int i = 1; i < argc; i++) {
		bool is_known = true;
		if (parse_watch(argv[i], ret)) {
			continue;
		} else if (!strcmp(argv[i], "--json")) {
			ret->is_json = true;
		} else if (!strcmp(argv[i], "--all")) {
			ret->shows_all = true;
		} else {
			is_known = false;
			for (unsigned s = 0; s < sizeof(sorts) / sizeof(*sorts); s++) {
				if (strncmp(argv[i], "--sort=", 7) || strcmp(argv[i] + 7, sorts[s].name))
					continue;
				ret->sort = s;
				is_known = true;
			}
		}
		if (!is_known)
			return fail(2,
				    "status: %s: expected --watch[=SECONDS], --json, --all, --mount=DIR or "
				    "--sort=age|name|size|time|made|pinned",
				    argv[i]);
	}
	if (ret->is_watching && ret->is_json)
		return fail(2, "status: --json shows one moment: it does not go with --watch");
	return 0;
}

int cmd_status(int argc, char **argv)
{
	struct view v = { .sort = BY_AGE };
	const char *dir = take_mount_option(&argc, argv);
	unsigned width, lines;

	int r = parse(argc, argv, &v);
	if (r)
		return r;
	CLEAN_MEM char *mountpoint = must_mounted(dir);
	if (!mountpoint)
		return 1;
	v.mountpoint = mountpoint;
	show_terminal(STDOUT_FILENO, &width, &lines);
	if (v.is_watching)
		r = width ? watch_page(&v) : watch_lines(&v);
	else
		r = show_once(&v, width, 0);
	return r ? fail(1, "status: %s: %s%s", mountpoint, strerror(-r),
			r == -ENOTCONN || r == -ENOENT ? ": the mount has ended" : "")
		 : 0;
}
