/* symtab.c - the symbols stage as a list of passes, and what all of them use. */
#include "symtab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "kept.h"
#include "recipe.h"
#include "symtab_priv.h"

name_id symtab_wrap(const struct symtab *st, name_id id)
{
	uint32_t lo = 0, hi = st->wrap_cnt;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (st->wrap_from[mid] < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < st->wrap_cnt && st->wrap_from[lo] == id ? st->wrap_to[lo] : id;
}

int symtab_alias(struct symtab *st, name_id from, name_id to)
{
	uint32_t at = st->wrap_cnt;
	if (symtab_wrap(st, from) != from)
		return 0; /* what was said first counts */
	if (!(at & (at + 1))) { /* full: 0, 1, 3, 7 and so on */
		size_t cap = 2 * (size_t)at + 1;
		name_id *p = realloc(st->wrap_from, cap * sizeof(*p));
		st->wrap_from = p ? p : st->wrap_from;
		name_id *q = p ? realloc(st->wrap_to, cap * sizeof(*q)) : NULL;
		if (!q)
			return -ENOMEM;
		st->wrap_to = q;
	}
	for (; at && st->wrap_from[at - 1] > from; at--) {
		st->wrap_from[at] = st->wrap_from[at - 1];
		st->wrap_to[at] = st->wrap_to[at - 1];
	}
	st->wrap_from[at] = from;
	st->wrap_to[at] = to;
	st->wrap_cnt++;
	return 0;
}

/* --wrap f: f means __wrap_f, __real_f means f. */
static int wraps_add(struct symtab *st)
{
	const struct options *opt = st->in->opt;
	struct names *names = st->in->names;
	for (size_t i = 0; i < opt->wrap_cnt; i++) {
		char buf[1024];
		size_t len = strlen(opt->wraps[i]);
		if (len > sizeof(buf) - 8)
			return -ENAMETOOLONG;
		name_id id = names_intern_one(names, opt->wraps[i], len);
		memcpy(buf, "__wrap_", 7);
		memcpy(buf + 7, opt->wraps[i], len);
		name_id wrap = names_intern_one(names, buf, len + 7);
		memcpy(buf, "__real_", 7);
		name_id real = names_intern_one(names, buf, len + 7);
		if (!id || !wrap || !real)
			return -ENOMEM;
		if (symtab_alias(st, id, wrap) || symtab_alias(st, real, id))
			return -ENOMEM;
	}
	return 0;
}

/* -u, the entry and --defsym names exist even if no input has them. */
static int intern_options(struct symtab *st)
{
	const struct options *opt = st->in->opt;
	struct names *names = st->in->names;
	for (size_t i = 0; i < opt->defsym_cnt; i++)
		if (!names_intern_one(names, opt->defsyms[i].name, strlen(opt->defsyms[i].name)))
			return -ENOMEM;
	return 0;
}

static void decide_kind(struct symtab *st)
{
	const struct options *opt = st->in->opt;
	bool any_shlib = false;
	for (uint32_t i = 1; i < st->in->file_cnt; i++)
		any_shlib |= st->in->files[i].kind == IFILE_SHLIB;
	st->is_shared = opt->kind == OUTPUT_SHARED;
	st->is_pic = opt->kind != OUTPUT_EXEC;
	st->is_dynamic = st->is_pic || (!opt->is_static && (any_shlib || opt->export_dynamic));
}

/* The passes. */
static int resolve(struct inputs *in, struct symtab **ret_symtab)
{
	struct symtab *st = calloc(1, sizeof(*st));
	int rc = -ENOMEM;
	if (!st)
		return rc;
	st->in = in;
	st->priv = calloc(1, sizeof(*st->priv));
	st->objs = malloc(((size_t)in->file_cnt + 1) * sizeof(*st->objs));
	st->dsos = malloc(((size_t)in->file_cnt + 1) * sizeof(*st->dsos));
	if (!st->priv || !st->objs || !st->dsos || arena_new(NULL, &st->arena))
		goto out;
	st->priv->in = in;
	pthread_mutex_init(&st->priv->lock, NULL);
	decide_kind(st);
	if ((rc = wraps_add(st)) || (rc = intern_options(st)))
		goto out;
	if ((rc = extract_members(st)))
		goto out;
	/* After this: no new files. */
	if ((rc = comdat_choose(st)))
		goto out;
	/* After this: no new sections, but for those the linker makes. */
	if ((rc = resolve_providers(st)) || (rc = linkdefs_add(st)))
		goto out;
	/* After this: no new symbols. */
	if ((rc = versions_assign(st)))
		goto out;
	rc = facts_compute(st);
out:
	if (rc < 0) {
		symtab_free(st);
		return rc;
	}
	*ret_symtab = st;
	return 0;
}

int symtab_resolve(struct inputs *in, struct symtab **ret_symtab)
{
	unsigned said = diag_messages(in->diag);
	struct recipe *recipe = in->kept ? recipe_new(in) : NULL;
	int rc = in->kept ? kept_find(in->kept, in, recipe, ret_symtab) : 0;
	bool is_found = rc > 0;
	if (!rc)
		rc = resolve(in, ret_symtab);
	/* What reported anything is to report it each time. */
	if (!rc && recipe && diag_messages(in->diag) == said)
		kept_add(in->kept, recipe, ret_symtab);
	else
		free(recipe);
	if (rc < 0 && !diag_errors(in->diag))
		diag_error(in->diag, 0, "resolving symbols: %s", strerror(-rc));
	return is_found ? 0 : rc;
}

void symtab_end_passes(struct symtab *st)
{
	if (st->priv)
		pthread_mutex_destroy(&st->priv->lock);
	free(st->priv);
	st->priv = NULL;
}

void symtab_clear(struct symtab *st)
{
	arena_free(st->arena);
	free(st->objs);
	free(st->dsos);
	free(st->sec_base);
	free((void *)st->sec_state);
	free(st->linkdefs);
	free(st->commons);
	free(st->versions);
	free(st->wrap_from);
	free(st->wrap_to);
}

struct symtab *symtab_free(struct symtab *st)
{
	if (!st)
		return NULL;
	if (st->shared) {
		kept_release(st);
		return NULL;
	}
	symtab_end_passes(st);
	symtab_clear(st);
	free(st);
	return NULL;
}

const char *symtab_text(const struct symtab *st, name_id id, char *buf, size_t sz)
{
	const struct name *n = names_get(st->in->names, id);
	size_t len = n->len < sz - 1 ? n->len : sz - 1;
	memcpy(buf, n->str, len);
	buf[len] = 0;
	if (st->in->opt->demangle)
		demangle_in_place(buf, sz);
	return buf;
}
