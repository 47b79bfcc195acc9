/* extract.c - which archive members and shared libraries become part of the link.
 *
 * The ranking is fixed before the walk and does not change by it (symtab.h), so the set reached is the least fixed point
 * and the same for every order of visits; the walk goes in rounds, each in parallel. Members are parsed when reached.
 * Source: System V gABI ch. 4 "Archive File"; GNU ld manual "--start-group": here every group is implied.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symtab_priv.h"

#define RANK_X_WEAK 2   /* the order while extracting; RANK_STRONG is 1 in both */
#define RANK_X_LAZY 3   /* shared library or lazy member: the position decides */
#define RANK_X_COMMON 4

struct walk {
	struct symtab *st;
	uint32_t *now, now_cnt;
	uint32_t *next;
	_Atomic uint32_t next_cnt;
};

static void offer_object(struct symtab *st, uint32_t file)
{
	const struct ifile *f = &st->in->files[file];
	const struct object *o = f->obj;
	if (!o)
		return;
	for (uint32_t i = o->first_global; i < o->sym_cnt; i++) {
		struct esym s;
		esym_get(o, i, &s);
		if (s.shndx == SHN_UNDEF)
			continue;
		unsigned rank = s.shndx == OBJ_SHN_COMMON ? RANK_X_COMMON
				: f->is_lazy		  ? RANK_X_LAZY
				: s.bind == STB_WEAK	  ? RANK_X_WEAK
							  : RANK_STRONG;
		provider_claim(st, o->names[i - o->first_global], provider(rank, file, 0));
	}
}

static void offer_file(struct symtab *st, uint32_t file)
{
	const struct ifile *f = &st->in->files[file];
	const struct archive *ar = inputs_archive(f);
	if (f->kind == IFILE_SHLIB) {
		for (uint32_t i = 0; i < f->shlib->sym_cnt; i++)
			if (!f->shlib->syms[i].is_undef)
				provider_claim(st, f->shlib->syms[i].name, provider(RANK_X_LAZY, file, 0));
	} else if (f->kind == IFILE_OBJECT && ar && f->is_lazy && ar->has_index) {
		/* One index serves all members: read it once, at the first. */
		for (uint32_t i = 0; f->member == 0 && i < ar->sym_cnt; i++) {
			uint32_t member = file + ar->syms[i].member;
			if (!st->in->plan || st->in->files[member].kind == IFILE_OBJECT)
				provider_claim(st, ar->syms[i].name, provider(RANK_X_LAZY, member, 0));
		}
		offer_object(st, file); /* if it is parsed already, since the index says less */
	} else if (f->kind == IFILE_OBJECT) {
		offer_object(st, file);
	}
}

static void offer_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	(void)worker;
	for (size_t i = begin; i < end; i++)
		offer_file(ctx, (uint32_t)i);
}

/* Makes the file part of the link; the first to do so queues it. */
static void reach(struct walk *w, uint32_t file)
{
	struct ifile *f = &w->st->priv->in->files[file];
	if (!atomic_load_explicit(&f->is_live, memory_order_relaxed) && !atomic_exchange(&f->is_live, true))
		w->next[atomic_fetch_add(&w->next_cnt, 1)] = file;
}

/* A common symbol wants a lazy member only for a strong definition: others would not replace it (GNU ld, lld). */
static bool defines_really(struct symtab *st, uint32_t file, name_id id)
{
	struct ifile *f = &st->priv->in->files[file];
	if (f->kind == IFILE_SHLIB)
		return true;
	const struct object *o = f->obj;
	for (uint32_t i = o ? o->first_global : 0; o && i < o->sym_cnt; i++) {
		struct esym s;
		esym_get(o, i, &s);
		if (o->names[i - o->first_global] == id && s.shndx != SHN_UNDEF)
			return s.shndx != OBJ_SHN_COMMON && s.bind != STB_WEAK;
	}
	return false;
}

static void visit_object(struct walk *w, uint32_t file)
{
	struct symtab *st = w->st;
	const struct object *o = st->in->files[file].obj;
	for (uint32_t i = o->first_global; i < o->sym_cnt; i++) {
		struct esym s;
		esym_get(o, i, &s);
		if (s.shndx != SHN_UNDEF || s.bind == STB_WEAK)
			continue;
		uint64_t win = sym_win(st, sym_name(st, o, i, true));
		if (win != PROVIDER_NONE)
			reach(w, provider_file(win));
	}
}

static void visit_shlib(struct walk *w, uint32_t file)
{
	const struct shlib *so = w->st->in->files[file].shlib;
	for (uint32_t i = 0; i < so->sym_cnt; i++) {
		if (!so->syms[i].is_undef || so->syms[i].bind == STB_WEAK)
			continue;
		uint64_t win = sym_win(w->st, so->syms[i].base);
		if (win != PROVIDER_NONE && w->st->in->files[provider_file(win)].kind == IFILE_OBJECT)
			reach(w, provider_file(win));
	}
}

static void visit_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct walk *w = ctx;
	(void)worker;
	for (size_t i = begin; i < end; i++) {
		const struct ifile *f = &w->st->in->files[w->now[i]];
		if (f->kind == IFILE_SHLIB)
			visit_shlib(w, w->now[i]);
		else if (f->obj)
			visit_object(w, w->now[i]);
	}
}

/* Commons of the files just visited whose top provider is lazy: from one thread, since candidates must be parsed. */
static void visit_commons(struct walk *w)
{
	struct symtab *st = w->st;
	for (uint32_t k = 0; k < w->now_cnt; k++) {
		const struct object *o = st->in->files[w->now[k]].obj;
		for (uint32_t i = o ? o->first_global : 0; o && i < o->sym_cnt; i++) {
			struct esym s;
			esym_get(o, i, &s);
			if (s.shndx != OBJ_SHN_COMMON)
				continue;
			name_id id = o->names[i - o->first_global];
			uint64_t win = sym_win(st, id);
			uint32_t file = provider_file(win);
			if (win == PROVIDER_NONE || provider_rank(win) != RANK_X_LAZY ||
			    st->in->files[file].kind == IFILE_SHLIB)
				continue;
			inputs_parse(st->priv->in, &file, 1);
			if (defines_really(st, file, id))
				reach(w, file);
		}
	}
}

static void root(struct walk *w, const char *name)
{
	name_id id = names_find(w->st->in->names, name, strlen(name));
	if (id && id < w->st->cnt && sym_win(w->st, id) != PROVIDER_NONE)
		reach(w, provider_file(sym_win(w->st, id)));
}

/* The names an expression mentions are references: --defsym a=b extracts b. */
static void root_expr(struct walk *w, const char *expr)
{
	while (*expr) {
		size_t n = strcspn(expr, "+-*/()&|~ \t");
		if (n && (*expr < '0' || *expr > '9')) {
			name_id id = names_find(w->st->in->names, expr, n);
			if (id && id < w->st->cnt && sym_win(w->st, id) != PROVIDER_NONE)
				reach(w, provider_file(sym_win(w->st, id)));
		}
		expr += n ? n : 1;
	}
}

static void roots(struct walk *w)
{
	const struct inputs *in = w->st->in;
	const struct options *opt = in->opt;
	const char *entry = opt->entry ? opt->entry : in->entry;
	if (entry)
		root(w, entry);
	else if (opt->kind != OUTPUT_SHARED)
		root(w, "_start");
	for (size_t i = 0; i < opt->undefined_cnt; i++)
		root(w, opt->undefined[i]);
	for (size_t i = 0; i < opt->require_defined_cnt; i++)
		root(w, opt->require_defined[i]);
	for (uint32_t i = 0; i < in->extern_cnt; i++)
		root(w, in->externs[i]);
	for (size_t i = 0; i < opt->defsym_cnt; i++)
		root_expr(w, opt->defsyms[i].expr);
}

static void swap_lists(struct walk *w)
{
	uint32_t *t = w->now;
	w->now = w->next;
	w->now_cnt = atomic_load(&w->next_cnt);
	w->next = t;
	atomic_store(&w->next_cnt, 0);
}

/* Ids may have been added by parsing: the arrays were made before. New names have no provider among what was offered. */
static int follow_names(struct symtab *st)
{
	uint32_t cnt = names_cnt(st->in->names);
	if (cnt <= st->cnt)
		return 0;
	_Atomic uint64_t *win = realloc(st->win, (size_t)cnt * sizeof(*win));
	if (!win)
		return -ENOMEM;
	memset((void *)(win + st->cnt), 0, (size_t)(cnt - st->cnt) * sizeof(*win));
	st->win = win;
	st->cnt = cnt;
	return 0;
}

static void collect(struct symtab *st)
{
	for (uint32_t i = 1; i < st->in->file_cnt; i++) {
		const struct ifile *f = &st->in->files[i];
		if (!atomic_load_explicit(&f->is_live, memory_order_relaxed))
			continue;
		if (f->kind == IFILE_SHLIB)
			st->dsos[st->dso_cnt++] = i;
		else if (f->obj)
			st->objs[st->obj_cnt++] = i;
	}
}

static int walk_files(struct walk *w)
{
	struct symtab *st = w->st;
	struct inputs *in = st->priv->in;
	for (uint32_t i = 1; i < in->file_cnt; i++)
		if (atomic_load_explicit(&in->files[i].is_live, memory_order_relaxed))
			w->now[w->now_cnt++] = i;
	/* What roots reach is queued behind the files that are live from the start. */
	roots(w);
	while (w->now_cnt || atomic_load(&w->next_cnt)) {
		int rc = follow_names(st);
		if (rc < 0)
			return rc;
		pool_for(in->pool, w->now_cnt, 8, visit_range, w);
		visit_commons(w);
		swap_lists(w);
		inputs_parse(in, w->now, w->now_cnt);
		if (diag_errors(in->diag))
			return -EINVAL;
	}
	return 0;
}

int extract_members(struct symtab *st)
{
	struct inputs *in = st->priv->in;
	size_t n = (size_t)in->file_cnt + 1;
	struct walk w = { .st = st, .now = malloc(n * sizeof(*w.now)), .next = malloc(n * sizeof(*w.next)) };
	int rc = w.now && w.next && st->objs && st->dsos ? follow_names(st) : -ENOMEM;
	if (!rc) {
		pool_for(in->pool, in->file_cnt, 16, offer_range, st);
		rc = walk_files(&w);
	}
	if (!rc)
		collect(st);
	inputs_settle(in);
	/* Who could provide a name counts no more: resolve.c asks the files of the link. */
	free((void *)st->win);
	st->win = NULL;
	st->cnt = 0;
	free(w.now);
	free(w.next);
	return rc;
}
