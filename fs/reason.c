/* reason.c - why ld.linkfs was asked for a link again: what differs between what this link and the last one of the
 * same -o saw.
 *
 * Two records of the same command line name the same probes in the same order, as a rule, so they are walked side by
 * side; only where they part are both sorted by name. Directories that were probed and files that were not found count,
 * as they do for freshness: a library that appears earlier on the search path is a reason.
 */
#include "fs.h"
#include "pathwalk.h"

/* What differs: the first one in words, and how many. */
struct difference {
	const char *path, *what;
	unsigned cnt;
};

static void note(struct difference *d, const struct probe *p, const char *what)
{
	if (!what)
		return;
	if (!d->cnt++) {
		d->path = p->path;
		d->what = what;
	}
}

/* NULL: nothing did. */
static const char *compare(const struct record_probe *old, const struct record_probe *now)
{
	if (!old->stat_error && !now->stat_error)
		return old->own == now->own && identity_equal(&old->id, &now->id) ? NULL : "changed";
	if (old->stat_error && now->stat_error)
		return NULL;
	return now->stat_error ? "vanished" : "appeared";
}

static int by_path(const void *a, const void *b)
{
	return strcmp((*(const struct probe *const *)a)->path, (*(const struct probe *const *)b)->path);
}

static const struct probe **sorted(const struct record *r)
{
	const struct probe **list = calloc(r->probe_cnt ? r->probe_cnt : 1, sizeof(*list));

	for (uint32_t i = 0; list && i < r->probe_cnt; i++)
		list[i] = &r->probes[i];
	if (list)
		qsort(list, r->probe_cnt, sizeof(*list), by_path);
	return list;
}

/* A file that only one of them looked at counts if it was there; that the other name was not tried follows from it. */
static void compare_sorted(const struct record *old, const struct record *now, struct difference *d)
{
	CLEAN_MEM const struct probe **a = sorted(old), **b = sorted(now);

	for (uint32_t i = 0, k = 0; a && b && (i < old->probe_cnt || k < now->probe_cnt);) {
		int order = i == old->probe_cnt ? 1 : k == now->probe_cnt ? -1 : strcmp(a[i]->path, b[k]->path);
		if (order == 0) {
			const struct probe *p = b[k];
			note(d, p, compare(&a[i]->at, &p->at));
			/* a name may have been probed more than once */
			while (i < old->probe_cnt && !strcmp(a[i]->path, p->path))
				i++;
			while (k < now->probe_cnt && !strcmp(b[k]->path, p->path))
				k++;
		} else if (order < 0) {
			note(d, a[i], a[i]->at.fd_idx >= 0 ? "is no input any more" : NULL);
			i++;
		} else {
			note(d, b[k], b[k]->at.fd_idx >= 0 ? "is a new input" : NULL);
			k++;
		}
	}
}

static struct difference find(const struct record *old, const struct record *now)
{
	struct difference d = { 0 };
	uint32_t i = 0;

	for (; i < old->probe_cnt && i < now->probe_cnt && !strcmp(old->probes[i].path, now->probes[i].path); i++)
		note(&d, &now->probes[i], compare(&old->probes[i].at, &now->probes[i].at));
	if (i < old->probe_cnt || i < now->probe_cnt) {
		d.cnt = 0;
		compare_sorted(old, now, &d);
	}
	return d;
}

char *reason_of_relink(const struct link *old, const struct link *now)
{
	bool has_both = old && old->resolved && now->resolved;
	bool same_place = has_both && !strcmp(old->resolved->record->cwd, now->resolved->record->cwd);
	struct difference d = same_place ? find(old->resolved->record, now->resolved->record) : (struct difference){ 0 };
	bool same_options = old && old->recipe && now->recipe && !strcmp(old->recipe, now->recipe);
	char *s = NULL;

	if (!old)
		return strdup("first link");
	if (!d.cnt)
		return strdup(!now->resolved		? "ld.linkfs ran again"
			      : has_both && !same_place ? "ld.linkfs ran in another directory"
			      : !same_options		? "the command line changed"
			      : old->has_failed		? "the last link failed"
							: "ld.linkfs ran again, with the same inputs");
	if (d.cnt == 1)
		return asprintf(&s, "%s %s", d.path, d.what) < 0 ? NULL : s;
	return asprintf(&s, "%s %s, and %u more", d.path, d.what, d.cnt - 1) < 0 ? NULL : s;
}
