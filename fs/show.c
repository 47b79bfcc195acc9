/* show.c - see show.h. */
#include "show.h"

#include <sys/ioctl.h>

#define CUT_MIN 16 /* a name that is cut keeps so many columns */

const char *show_bytes(char buf[AMOUNT_SZ], uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double v = (double)bytes;
	int unit = -1;

	while (v >= 999.5 && unit < (int)sizeof(units) - 2) {
		v /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(buf, AMOUNT_SZ, "%u", (unsigned)bytes);
	else
		snprintf(buf, AMOUNT_SZ, "%.*f%c", v < 9.95, v, units[unit]);
	return buf;
}

const char *show_ms(char buf[AMOUNT_SZ], double ms)
{
	unsigned s = ms < 1e9 ? (unsigned)(ms / 1000) : 1000000;

	if (ms < 9.95)
		snprintf(buf, AMOUNT_SZ, "%.1fms", ms);
	else if (ms < 999.5)
		snprintf(buf, AMOUNT_SZ, "%.0fms", ms);
	else if (ms < 59950)
		snprintf(buf, AMOUNT_SZ, "%.1fs", ms / 1000);
	else
		snprintf(buf, AMOUNT_SZ, "%um%02us", s / 60, s % 60);
	return buf;
}

const char *show_age(char buf[AMOUNT_SZ], int64_t seconds)
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}};

	if (seconds < 0)
		seconds = 0; /* the clock was set */
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (seconds < 2 * units[i].seconds)
			continue;
		snprintf(buf, AMOUNT_SZ, "%lld%c", (long long)(seconds / units[i].seconds), units[i].unit);
		return buf;
	}
	snprintf(buf, AMOUNT_SZ, "%llds", (long long)seconds);
	return buf;
}

const char *show_share(char buf[AMOUNT_SZ], uint64_t part, uint64_t whole)
{
	unsigned percent = whole ? (unsigned)((double)part * 100 / (double)whole) : 0;

	if (part >= whole && whole)
		percent = 100;
	else if (percent > 99)
		percent = 99;
	else if (part && !percent)
		percent = 1;
	snprintf(buf, AMOUNT_SZ, "%u%%", percent);
	return buf;
}

/* How many bytes at S are one character of UTF-8; 0: it is none. */
static size_t utf8_size(const unsigned char *s)
{
	size_t n = *s < 0x80		     ? 1
		   : *s >= 0xc2 && *s < 0xe0 ? 2
		   : *s >= 0xe0 && *s < 0xf0 ? 3
		   : *s >= 0xf0 && *s < 0xf5 ? 4
					     : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* too long a form, a surrogate, beyond the last one */
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) || (*s == 0xf0 && s[1] < 0x90) ||
	    (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static bool is_control(const unsigned char *s, size_t sz)
{
	return *s < ' ' || *s == 0x7f || (sz == 2 && *s == 0xc2 && s[1] < 0xa0);
}

void show_name(struct text *t, const char *name)
{
	for (const unsigned char *s = (const unsigned char *)name; *s;) {
		size_t n = utf8_size(s);
		if (!n || is_control(s, n))
			text_append(t, "?", 1);
		else
			text_append(t, s, n);
		s += n ? n : 1;
	}
}

void show_json(struct text *t, const char *name)
{
	text_append(t, "\"", 1);
	for (const unsigned char *s = (const unsigned char *)name; *s;) {
		size_t n = utf8_size(s);
		if (!n)
			text_append(t, "\\ufffd", 6);
		else if (n == 1 && is_control(s, n))
			text_printf(t, "\\u%04x", *s);
		else if (*s == '"' || *s == '\\')
			text_printf(t, "\\%c", *s);
		else
			text_append(t, s, n);
		s += n ? n : 1;
	}
	text_append(t, "\"", 1);
}

/* --- tables --- */

void table_add(struct table *t, const char *const *cell)
{
	if (t->row_cnt == t->row_cap) {
		size_t cap = t->row_cap ? 2 * t->row_cap : 64;
		char **more = reallocarray(t->cell, cap, t->col_cnt * sizeof(*more));
		if (!more) {
			t->failed = true;
			return;
		}
		t->cell = more;
		t->row_cap = cap;
	}
	char **row = t->cell + t->row_cnt * t->col_cnt;
	for (unsigned c = 0; c < t->col_cnt; c++) {
		struct text one = { 0 };
		text_append(&one, "", 0);
		show_name(&one, cell[c]);
		t->failed |= one.failed;
		row[c] = one.s;
	}
	t->row_cnt++;
}

void table_done(struct table *t)
{
	for (size_t i = 0; i < t->row_cnt * t->col_cnt; i++)
		free(t->cell[i]);
	free(t->cell);
	*t = (struct table){ 0 };
}

/* In columns, as far as that can be told without a locale: a character is one. */
static unsigned width_of(const char *s)
{
	unsigned n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static const char *cell_of(const struct table *t, size_t row, unsigned c)
{
	const char *s = t->cell[row * t->col_cnt + c];

	return s ? s : "";
}

/* The columns' widths; 0: it is dropped. The one that may be cut gets what is left. */
static void fit(const struct table *t, unsigned width, size_t rows, unsigned *ret)
{
	unsigned sum = 0, least = 0;

	for (unsigned c = 0; c < t->col_cnt; c++) {
		ret[c] = width_of(t->col[c].title);
		for (size_t r = 0; r < rows; r++)
			if (width_of(cell_of(t, r, c)) > ret[c])
				ret[c] = width_of(cell_of(t, r, c));
		sum += ret[c] + (c > 0);
		least += (t->col[c].may_be_cut && ret[c] > CUT_MIN ? CUT_MIN : ret[c]) + (c > 0);
	}
	while (width && least > width) {
		unsigned worst = t->col_cnt;
		for (unsigned c = 0; c < t->col_cnt; c++)
			if (ret[c] && t->col[c].drop && (worst == t->col_cnt || t->col[c].drop > t->col[worst].drop))
				worst = c;
		if (worst == t->col_cnt)
			break;
		sum -= ret[worst] + 1;
		least -= ret[worst] + 1;
		ret[worst] = 0;
	}
	for (unsigned c = 0; width && sum > width && c < t->col_cnt; c++) {
		if (!t->col[c].may_be_cut || ret[c] <= CUT_MIN)
			continue;
		ret[c] = ret[c] - CUT_MIN > sum - width ? ret[c] - (sum - width) : CUT_MIN;
		break;
	}
}

static void put_spaces(struct text *ret, unsigned n)
{
	text_printf(ret, "%*s", (int)n, "");
}

static void put_cell(struct text *ret, const struct column *col, const char *s, unsigned width, bool is_last)
{
	unsigned n = width_of(s);

	if (n > width && width > 3) { /* "...end/of/it" */
		for (unsigned skip = n - width + 3; skip && *s; s++)
			skip -= ((unsigned char)s[1] & 0xc0) != 0x80;
		text_printf(ret, "...%s", s);
		return;
	}
	if (col->is_right)
		put_spaces(ret, width - n);
	text_append(ret, s, strlen(s));
	if (!col->is_right && !is_last)
		put_spaces(ret, width - n);
}

static void put_row(const struct table *t, struct text *ret, const unsigned *width, size_t row, bool is_title)
{
	unsigned last = 0, cnt = 0;

	for (unsigned c = 0; c < t->col_cnt; c++)
		last = width[c] ? c : last;
	for (unsigned c = 0; c < t->col_cnt; c++) {
		if (!width[c])
			continue;
		if (cnt++)
			text_append(ret, " ", 1);
		put_cell(ret, &t->col[c], is_title ? t->col[c].title : cell_of(t, row, c), width[c], c == last);
	}
}

void table_show(const struct table *t, struct text *ret, unsigned columns, size_t rows, const char *end)
{
	unsigned width[TABLE_COLUMNS_MAX];

	rows = rows < t->row_cnt ? rows : t->row_cnt;
	fit(t, columns, rows, width);
	put_row(t, ret, width, 0, true);
	text_append(ret, end, strlen(end));
	for (size_t r = 0; r < rows; r++) {
		put_row(t, ret, width, r, false);
		text_append(ret, end, strlen(end));
	}
	ret->failed |= t->failed;
}

void show_terminal(int fd, unsigned *ret_columns, unsigned *ret_lines)
{
	const char *columns = getenv("COLUMNS");
	struct winsize ws = { 0 };

	*ret_columns = *ret_lines = 0;
	if (!isatty(fd))
		return;
	ioctl(fd, TIOCGWINSZ, &ws);
	unsigned long n = columns ? strtoul(columns, NULL, 10) : 0;
	*ret_columns = n > 0 && n < 10000 ? (unsigned)n : ws.ws_col ? ws.ws_col : 80;
	*ret_lines = ws.ws_row ? ws.ws_row : 24;
}
