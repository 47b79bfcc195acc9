/* diag.c - the sink of messages: filled by many threads, read as one text that does not depend on them.
 *
 * The text is sorted by (pass, place, level, text), so that the order in which threads arrive leaves no trace. The errors
 * kept under a limit are the smallest in that order, not the first to arrive. Equal texts stay once, at their smallest
 * place. Messages are appended, and sorted, made unique and cut to the limit whenever there are twice as many as were
 * left the last time: no cost is quadratic. Without memory a message is counted and one fixed text says so.
 */
#include "diag.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct message {
	char *text;
	uint64_t place;
	uint64_t hash;          /* of the text */
	unsigned pass;
	enum diag_level level;
};

/* Messages of one sort, as they came since the pile was last tidied. */
struct pile {
	struct message *items;
	size_t cnt;
	size_t cap;
	size_t tidy_at;         /* how many there may be before the pile is tidied */
};

struct diag {
	pthread_mutex_t lock;   /* guards all below but the last three */
	struct pile errors_kept;
	struct pile others;
	size_t error_limit;     /* 0: none */
	unsigned pass;
	bool fatal_warnings;
	bool no_warnings;
	bool dropped;           /* some error is not in errors_kept */
	bool oom;
	atomic_uint messages;   /* of all levels, kept or not */
	atomic_uint errors;     /* refusals included */
	atomic_uint refusals;
};

enum { FIRST_TIDY = 64 };

static uint64_t hash_text(const char *s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return h;
}

static int compare_places(const void *pa, const void *pb)
{
	const struct message *a = pa, *b = pb;

	if (a->pass != b->pass)
		return a->pass < b->pass ? -1 : 1;
	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	if (a->level != b->level)
		return a->level > b->level ? -1 : 1; /* the error before its notes */
	return strcmp(a->text, b->text);
}

/* Equal texts side by side, the smallest place first. */
static int compare_texts(const void *pa, const void *pb)
{
	const struct message *a = pa, *b = pb;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	int order = strcmp(a->text, b->text);
	return order ? order : compare_places(a, b);
}

/* Sorts the pile, leaves each text once, and cuts it to LIMIT (0: none). True where the limit cut something off. */
static bool pile_tidy(struct pile *p, size_t limit)
{
	size_t cnt = 0;

	if (p->cnt)
		qsort(p->items, p->cnt, sizeof(*p->items), compare_texts);
	for (size_t i = 0; i < p->cnt; i++) {
		struct message *last = cnt ? &p->items[cnt - 1] : NULL;
		if (last && last->level == p->items[i].level && !strcmp(last->text, p->items[i].text))
			free(p->items[i].text);
		else
			p->items[cnt++] = p->items[i];
	}
	if (cnt)
		qsort(p->items, cnt, sizeof(*p->items), compare_places);
	bool cuts = limit && cnt > limit;
	for (; limit && cnt > limit; cnt--)
		free(p->items[cnt - 1].text);
	p->cnt = cnt;
	p->tidy_at = cnt < FIRST_TIDY / 2 ? FIRST_TIDY : 2 * cnt;
	return cuts;
}

static bool pile_add(struct pile *p, const struct message *m)
{
	if (p->cnt == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : FIRST_TIDY;
		struct message *items = reallocarray(p->items, cap, sizeof(*items));
		if (!items)
			return false;
		p->items = items;
		p->cap = cap;
	}
	p->items[p->cnt++] = *m;
	return true;
}

static void pile_done(struct pile *p)
{
	for (size_t i = 0; i < p->cnt; i++)
		free(p->items[i].text);
	free(p->items);
}

struct diag *diag_new(unsigned error_limit)
{
	struct diag *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->error_limit = error_limit;
	d->errors_kept.tidy_at = d->others.tidy_at = FIRST_TIDY;
	pthread_mutex_init(&d->lock, NULL); /* a plain mutex: glibc's can't fail */
	return d;
}

struct diag *diag_free(struct diag *d)
{
	if (!d)
		return NULL;
	pile_done(&d->errors_kept);
	pile_done(&d->others);
	pthread_mutex_destroy(&d->lock);
	free(d);
	return NULL;
}

/* The message under the lock; takes its text. */
static void record(struct diag *d, struct message *m)
{
	if (m->level == DIAG_WARNING && d->no_warnings) {
		free(m->text);
		return;
	}
	if (m->level == DIAG_WARNING && d->fatal_warnings)
		m->level = DIAG_ERROR;
	m->pass = d->pass;
	if (m->level == DIAG_REFUSAL) {
		m->level = DIAG_ERROR;
		atomic_fetch_add_explicit(&d->refusals, 1, memory_order_relaxed);
	}
	bool is_error = m->level == DIAG_ERROR;
	if (is_error)
		atomic_fetch_add_explicit(&d->errors, 1, memory_order_relaxed);

	struct pile *p = is_error ? &d->errors_kept : &d->others;
	if (!m->text || !pile_add(p, m)) {
		d->oom = true;
		free(m->text);
		return;
	}
	if (p->cnt >= p->tidy_at)
		d->dropped |= pile_tidy(p, is_error ? d->error_limit : 0);
}

void diag_add(struct diag *d, enum diag_level level, uint64_t place, const char *fmt, ...)
{
	struct message m = { .place = place, .level = level };
	va_list args;

	atomic_fetch_add_explicit(&d->messages, 1, memory_order_relaxed);
	va_start(args, fmt);
	if (vasprintf(&m.text, fmt, args) < 0)
		m.text = NULL;
	va_end(args);
	if (m.text)
		m.hash = hash_text(m.text);

	pthread_mutex_lock(&d->lock);
	record(d, &m);
	pthread_mutex_unlock(&d->lock);
}

unsigned diag_errors(const struct diag *d)
{
	return atomic_load_explicit(&d->errors, memory_order_relaxed);
}

unsigned diag_messages(const struct diag *d)
{
	return atomic_load_explicit(&d->messages, memory_order_relaxed);
}

bool diag_is_refusal(const struct diag *d)
{
	unsigned errors = diag_errors(d);

	return errors && errors == atomic_load_explicit(&d->refusals, memory_order_relaxed);
}

void diag_error_limit(struct diag *d, unsigned limit)
{
	pthread_mutex_lock(&d->lock);
	d->error_limit = limit;
	pthread_mutex_unlock(&d->lock);
}

void diag_fatal_warnings(struct diag *d, bool on)
{
	pthread_mutex_lock(&d->lock);
	d->fatal_warnings = on;
	pthread_mutex_unlock(&d->lock);
}

void diag_no_warnings(struct diag *d, bool on)
{
	pthread_mutex_lock(&d->lock);
	d->no_warnings = on;
	pthread_mutex_unlock(&d->lock);
}

void diag_pass(struct diag *d)
{
	pthread_mutex_lock(&d->lock);
	d->pass++;
	pthread_mutex_unlock(&d->lock);
}

/* One message as lines: what follows a newline in the text starts with ">>> ", if it doesn't already. */
static void print_message(FILE *f, const struct message *m)
{
	static const char *const heads[] = { "linkfs: ", "linkfs: warning: ", "linkfs: error: " };
	const char *s = m->text;

	fputs(heads[m->level], f);
	for (;;) {
		size_t sz = strcspn(s, "\n");
		fwrite(s, 1, sz, f);
		fputc('\n', f);
		s += sz + (s[sz] == '\n');
		if (!*s)
			break;
		if (strncmp(s, ">>> ", 4))
			fputs(">>> ", f);
	}
}

/* Both piles as one, by place. */
static void print_all(FILE *f, const struct diag *d)
{
	const struct pile *a = &d->errors_kept, *b = &d->others;
	size_t i = 0, j = 0;

	while (i < a->cnt || j < b->cnt) {
		bool take_a = j == b->cnt || (i < a->cnt && compare_places(&a->items[i], &b->items[j]) <= 0);
		print_message(f, take_a ? &a->items[i++] : &b->items[j++]);
	}
	if (d->dropped)
		fputs("linkfs: error: too many errors emitted, stopping now (use --error-limit=0 to see all errors)\n",
		      f);
	if (d->oom)
		fputs("linkfs: error: out of memory: some messages are missing\n", f);
}

char *diag_text(struct diag *d)
{
	char *text = NULL;
	size_t sz;
	FILE *f = open_memstream(&text, &sz);

	if (!f)
		return NULL;
	pthread_mutex_lock(&d->lock);
	d->dropped |= pile_tidy(&d->errors_kept, d->error_limit);
	pile_tidy(&d->others, 0);
	print_all(f, d);
	pthread_mutex_unlock(&d->lock);

	bool bad = ferror(f);
	bad |= fclose(f) != 0;
	if (bad) {
		free(text);
		return NULL;
	}
	return text;
}
