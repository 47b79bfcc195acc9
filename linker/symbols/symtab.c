/* symtab.c - the symbols stage as a list of passes, and what all of them use. */
#include "symtab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "symtab_priv.h"

name_id symtab_wrap(const struct symtab *st, name_id id)
{
	for (uint32_t i = 0; i < st->wrap_cnt; i++)
		if (st->wrap_from[i] == id)
			return st->wrap_to[i];
	return id;
}

/* --wrap f: f means __wrap_f, __real_f means f. */
static int wraps_add(struct symtab *st)
{
	const struct options *opt = st->in->opt;
	struct names *names = st->in->names;
	st->wrap_from = calloc(2 * opt->wrap_cnt + 1, sizeof(*st->wrap_from));
	st->wrap_to = calloc(2 * opt->wrap_cnt + 1, sizeof(*st->wrap_to));
	if (!st->wrap_from || !st->wrap_to)
		return -ENOMEM;
	for (size_t i = 0; i < opt->wrap_cnt; i++) {
		char buf[1024];
		size_t len = strlen(opt->wraps[i]);
		if (len > sizeof(buf) - 8)
			return -ENAMETOOLONG;
		name_id id = names_intern_copy(names, opt->wraps[i], len);
		memcpy(buf, "__wrap_", 7);
		memcpy(buf + 7, opt->wraps[i], len);
		name_id wrap = names_intern_copy(names, buf, len + 7);
		memcpy(buf, "__real_", 7);
		name_id real = names_intern_copy(names, buf, len + 7);
		if (!id || !wrap || !real)
			return -ENOMEM;
		st->wrap_from[st->wrap_cnt] = id;
		st->wrap_to[st->wrap_cnt++] = wrap;
		st->wrap_from[st->wrap_cnt] = real;
		st->wrap_to[st->wrap_cnt++] = id;
	}
	return 0;
}

/* -u, the entry and --defsym names exist even if no input has them. */
static int intern_options(struct symtab *st)
{
	const struct options *opt = st->in->opt;
	struct names *names = st->in->names;
	for (size_t i = 0; i < opt->defsym_cnt; i++)
		if (!names_intern_copy(names, opt->defsyms[i].name, strlen(opt->defsyms[i].name)))
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

int symtab_resolve(struct inputs *in, struct symtab **ret_symtab)
{
	struct symtab *st = calloc(1, sizeof(*st));
	int rc = -ENOMEM;
	if (!st)
		return rc;
	st->in = in;
	st->priv = calloc(1, sizeof(*st->priv));
	st->objs = malloc(((size_t)in->file_cnt + 1) * sizeof(*st->objs));
	st->dsos = malloc(((size_t)in->file_cnt + 1) * sizeof(*st->dsos));
	if (!st->priv || !st->objs || !st->dsos)
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
	rc = facts_compute(st);
out:
	if (rc < 0) {
		if (!diag_errors(in->diag))
			diag_error(in->diag, 0, "resolving symbols: %s", strerror(-rc));
		symtab_free(st);
		return rc;
	}
	*ret_symtab = st;
	return 0;
}

struct symtab *symtab_free(struct symtab *st)
{
	if (!st)
		return NULL;
	if (st->priv)
		pthread_mutex_destroy(&st->priv->lock);
	free(st->priv);
	free((void *)st->win);
	free((void *)st->flags);
	free(st->objs);
	free(st->dsos);
	free(st->sec_base);
	free((void *)st->sec_state);
	free(st->linkdefs);
	free(st->commons);
	free(st->wrap_from);
	free(st->wrap_to);
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
