/* deps.c - live links that are inputs of other links: made fresh before those, and never in a circle.
 *
 * That a link reads another one is seen while it is made. Then it is given up, the other one is noted here, and from
 * then on every look at it, and every link of it, begins by waiting for the others to be fresh: so what they give
 * during the link or the look is as fresh as who asked can want. What a link reads is forgotten with its recipe.
 *
 * The waits follow the notes, which have no circle (deps_add), so each of them ends.
 */
#include "fs.h"

/* Does D, at first or second hand, read L? What an older recipe read counts only while it is being waited for. */
static bool reads(const struct link *d, const struct link *l)
{
	if (d == l)
		return true;
	if (d->deps_version != d->recipe_version && d->state != LIVE_WAITING)
		return false;
	for (unsigned i = 0; i < d->dep_cnt; i++)
		if (reads(d->dep[i], l))
			return true;
	return false;
}

bool deps_has(const struct link *l, const struct link *d)
{
	for (unsigned i = 0; i < l->dep_cnt; i++)
		if (l->dep[i] == d)
			return true;
	return false;
}

int deps_add(struct link *l, struct link *d)
{
	if (reads(d, l))
		return -ELOOP;
	struct link **dep = realloc(l->dep, sizeof(struct link *) * (l->dep_cnt + 1));
	if (!dep)
		return -ENOMEM;
	l->dep = dep;
	l->dep[l->dep_cnt++] = link_ref(d);
	return 0;
}

void deps_clear(struct fs *fs, struct link *l)
{
	while (l->dep_cnt)
		link_unref(fs, l->dep[--l->dep_cnt]);
	free(l->dep);
	l->dep = NULL;
}

static void one_less(struct fs *fs, struct link *l, struct replies *out)
{
	if (--l->deps_due == 0)
		live_deps_fresh(fs, l, out);
}

void deps_freshen(struct fs *fs, struct link *l, struct replies *out)
{
	l->deps_due = 1; /* this loop: answers may come at once */
	l->has_unseen_dep = false;
	for (unsigned i = 0; i < l->dep_cnt; i++) {
		struct parked *p = l->dep[i]->is_named ? parked_dep(fs, l->dep[i], l) : NULL;
		l->has_unseen_dep |= !p && l->dep[i]->is_named;
		l->deps_due += p != NULL;
		if (p)
			live_park(fs, p, out);
	}
	one_less(fs, l, out);
}

void deps_answered(struct fs *fs, struct link *l, bool is_seen, struct replies *out)
{
	l->has_unseen_dep |= !is_seen;
	one_less(fs, l, out);
}
