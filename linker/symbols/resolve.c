/* resolve.c - the provider of every name over the files of the link, duplicates, common symbols, references.
 *
 * Two parallel walks over the global symbols: the first takes the minimum rank per name, the second compares each symbol
 * with its name's provider, which says what it is: the provider itself, a duplicate, a reference, a loser.
 * What it leaves to facts.c: imports and exports.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "symtab_priv.h"

enum {
	COMMON_P2_MAX = 46, /* no address space is larger */
	COMMON_ALIGN_P2_MAX = 32,
};

static unsigned rank_of(const struct esym *s)
{
	return s->shndx == OBJ_SHN_COMMON ? RANK_COMMON : s->bind == STB_WEAK ? RANK_WEAK : RANK_STRONG;
}

static void claim_object(struct symtab *st, uint32_t file)
{
	const struct object *o = st->in->files[file].obj;
	for (uint32_t i = o->first_global; i < o->sym_cnt; i++) {
		struct esym s;
		esym_get(o, i, &s);
		if (esym_defines(st, file, &s))
			provider_claim(st, o->names[i - o->first_global], provider(rank_of(&s), file, i));
	}
}

static void claim_shlib(struct symtab *st, uint32_t file)
{
	const struct shlib *so = st->in->files[file].shlib;
	for (uint32_t i = 0; i < so->sym_cnt; i++)
		if (!so->syms[i].is_undef)
			provider_claim(st, so->syms[i].name, provider(RANK_SHARED, file, i));
}

static uint32_t provider_facts(struct symtab *st, uint32_t file, const struct esym *s)
{
	uint32_t fl = SYM_DEF;
	if (s->shndx == OBJ_SHN_ABS)
		fl |= SYM_ABS;
	else if (s->shndx != OBJ_SHN_COMMON && value_is_outside(&st->in->files[file].obj->secs[s->shndx], s->value))
		fl |= SYM_OUTSIDE;
	if (s->type == STT_GNU_IFUNC)
		fl |= SYM_IFUNC | SYM_FUNC;
	if (s->type == STT_GNU_IFUNC || s->bind == STB_GNU_UNIQUE)
		atomic_store_explicit(&st->has_gnu_abi, true, memory_order_relaxed);
	if (s->type == STT_FUNC)
		fl |= SYM_FUNC;
	if (s->type == STT_TLS)
		fl |= SYM_TLS;
	if (st->in->files[file].hides_symbols)
		fl |= SYM_LOCAL_VERSION;
	return fl;
}

static void report_duplicate(struct symtab *st, name_id id, uint32_t file, uint64_t win)
{
	char buf[256];
	diag_error(st->in->diag, (uint64_t)file << 32, "duplicate symbol: %s\n>>> defined in %s\n>>> defined in %s",
		   symtab_text(st, id, buf, sizeof(buf)), inputs_name(&st->in->files[provider_file(win)]),
		   inputs_name(&st->in->files[file]));
}

static const uint32_t visibility_flag[4] = {
	[STV_DEFAULT] = 0, [STV_INTERNAL] = SYM_INTERNAL, [STV_HIDDEN] = SYM_HIDDEN, [STV_PROTECTED] = SYM_PROTECTED
};

static void add_common(struct symtab *st, uint32_t file, name_id id, const struct esym *s)
{
	char buf[256];
	if (s->size >> COMMON_P2_MAX || s->value > UINT64_C(1) << COMMON_ALIGN_P2_MAX) {
		diag_error(st->in->diag, (uint64_t)file << 32,
			   "%s: common symbol %s: 0x%llx bytes aligned to 0x%llx: expected less than 2^%d, at most 2^%d",
			   inputs_name(&st->in->files[file]), symtab_text(st, id, buf, sizeof(buf)),
			   (unsigned long long)s->size, (unsigned long long)s->value, COMMON_P2_MAX, COMMON_ALIGN_P2_MAX);
		return;
	}
	/* Rare: a list under a lock, put in order afterwards. */
	pthread_mutex_lock(&st->priv->lock);
	if (!(st->common_cnt & (st->common_cnt + 1)) || !st->commons) {
		struct common *p = realloc(st->commons, ((size_t)st->common_cnt * 2 + 2) * sizeof(*p));
		if (!p)
			diag_error(st->in->diag, 0, "out of memory for common symbols");
		st->commons = p ? p : st->commons;
		if (!p) {
			pthread_mutex_unlock(&st->priv->lock);
			return;
		}
	}
	st->commons[st->common_cnt++] = (struct common){ id, s->size, s->value ? s->value : 1, s->type == STT_TLS };
	pthread_mutex_unlock(&st->priv->lock);
}

static void judge_object(struct symtab *st, uint32_t file)
{
	const struct object *o = st->in->files[file].obj;
	for (uint32_t i = o->first_global; i < o->sym_cnt; i++) {
		struct esym s;
		esym_get(o, i, &s);
		bool defines = esym_defines(st, file, &s);
		name_id id = sym_name(st, o, i, !defines);
		uint64_t win = sym_win(st, id);
		sym_add_flags(st, id, visibility_flag[s.vis]);
		if (!defines) {
			sym_add_flags(st, id, SYM_REF_OBJ | (s.bind != STB_WEAK ? SYM_REF_STRONG : 0) |
						      (s.type == STT_TLS ? SYM_TLS_REF : 0));
			continue;
		}
		if (s.shndx == OBJ_SHN_COMMON && provider_rank(win) == RANK_COMMON)
			add_common(st, file, id, &s);
		if (s.bind == STB_WEAK && provider_rank(win) == RANK_COMMON)
			sym_add_flags(st, id, SYM_WEAK_LOST);
		if (provider_file(win) == file && provider_sym(win) == i)
			sym_add_flags(st, id, provider_facts(st, file, &s));
		else if (rank_of(&s) == RANK_STRONG && provider_rank(win) == RANK_STRONG &&
			 !st->in->opt->allow_multiple_definition)
			report_duplicate(st, id, file, win);
	}
}

static void judge_shlib(struct symtab *st, uint32_t file)
{
	const struct shlib *so = st->in->files[file].shlib;
	for (uint32_t i = 0; i < so->sym_cnt; i++) {
		const struct shlib_sym *s = &so->syms[i];
		uint64_t win = sym_win(st, s->name);
		if (s->is_undef || provider_file(win) != file || provider_sym(win) != i) {
			sym_add_flags(st, s->base, SYM_REF_DSO);
			continue;
		}
		sym_add_flags(st, s->name, SYM_SHARED | (s->type == STT_TLS ? SYM_TLS : 0) |
					     (s->type == STT_FUNC || s->type == STT_GNU_IFUNC ? SYM_FUNC : 0));
	}
}

/* A library that is not needed by itself may still be loaded, needed by another: what it mentions must be exported. */
static void mention_shlib(struct symtab *st, uint32_t file)
{
	const struct ifile *f = &st->in->files[file];
	if (f->kind != IFILE_SHLIB || atomic_load_explicit(&f->is_live, memory_order_relaxed))
		return;
	for (uint32_t i = 0; i < f->shlib->sym_cnt; i++)
		sym_add_flags(st, f->shlib->syms[i].base, SYM_REF_DSO);
}

/* GNU ld: a library's definition beats a common symbol where no object has so much as a weak definition. */
static void yield_commons(struct symtab *st)
{
	for (uint32_t k = 0; st->common_cnt && k < st->dso_cnt; k++) {
		uint32_t file = st->dsos[k];
		const struct shlib *so = st->in->files[file].shlib;
		for (uint32_t i = 0; i < so->sym_cnt; i++) {
			const struct shlib_sym *s = &so->syms[i];
			uint32_t fl = sym_flags(st, s->name);
			if (s->is_undef || s->type == STT_FUNC || (fl & SYM_WEAK_LOST) ||
			    provider_rank(sym_win(st, s->name)) != RANK_COMMON)
				continue;
			sym_set_win(st, s->name, provider(RANK_SHARED, file, i));
			st->flags[s->name] = (fl & ~(uint32_t)(SYM_DEF | SYM_TLS)) | SYM_SHARED | SYM_REF_OBJ |
					     SYM_REF_STRONG | (s->type == STT_TLS ? SYM_TLS : 0);
		}
	}
}

struct each {
	struct symtab *st;
	void (*fn)(struct symtab *st, uint32_t file);
	const uint32_t *files;
};

static void each_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct each *e = ctx;
	(void)worker;
	for (size_t i = begin; i < end; i++)
		e->fn(e->st, e->files[i]);
}

void symtab_each_object(struct symtab *st, void (*fn)(struct symtab *st, uint32_t file))
{
	struct each e = { st, fn, st->objs };
	pool_for(st->in->pool, st->obj_cnt, 8, each_range, &e);
}

static void each_shlib(struct symtab *st, void (*fn)(struct symtab *st, uint32_t file))
{
	struct each e = { st, fn, st->dsos };
	pool_for(st->in->pool, st->dso_cnt, 1, each_range, &e);
}

static int by_name(const void *a, const void *b)
{
	const struct common *x = a, *y = b;
	return x->name < y->name ? -1 : x->name > y->name;
}

static int by_provider(const void *a, const void *b, void *ctx)
{
	uint64_t x = sym_win(ctx, ((const struct common *)a)->name), y = sym_win(ctx, ((const struct common *)b)->name);
	return x < y ? -1 : x > y;
}

/* --sort-common: the strictest alignment first, then as without it. */
static int by_alignment(const void *a, const void *b, void *ctx)
{
	const struct common *x = a, *y = b;
	return x->align != y->align ? (x->align > y->align ? -1 : 1) : by_provider(a, b, ctx);
}

/* One row a name: the largest size, the strictest alignment (gABI: st_value of a common symbol is its alignment). */
static void merge_commons(struct symtab *st)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < st->common_cnt; i++)
		if (provider_rank(sym_win(st, st->commons[i].name)) == RANK_COMMON)
			st->commons[n++] = st->commons[i];
	st->common_cnt = n;
	n = 0;
	if (!st->common_cnt)
		return;
	qsort(st->commons, st->common_cnt, sizeof(*st->commons), by_name);
	for (uint32_t i = 0; i < st->common_cnt; i++) {
		struct common *last = n ? &st->commons[n - 1] : NULL, *c = &st->commons[i];
		if (!last || last->name != c->name) {
			st->commons[n++] = *c;
			continue;
		}
		last->sz = c->sz > last->sz ? c->sz : last->sz;
		last->align = c->align > last->align ? c->align : last->align;
	}
	st->common_cnt = n;
	qsort_r(st->commons, n, sizeof(*st->commons), st->in->opt->sort_common ? by_alignment : by_provider, st);
}

int resolve_providers(struct symtab *st)
{
	uint32_t cnt = names_cnt(st->in->names);
	st->win = arena_alloc_array(st->arena, cnt, sizeof(*st->win), 64);
	st->flags = arena_alloc_array(st->arena, cnt, sizeof(*st->flags), 64);
	if (!st->win || !st->flags)
		return -ENOMEM;
	st->cnt = cnt;
	symtab_each_object(st, claim_object);
	each_shlib(st, claim_shlib);
	symtab_each_object(st, judge_object);
	each_shlib(st, judge_shlib);
	for (uint32_t i = 1; i < st->in->file_cnt; i++)
		mention_shlib(st, i);
	yield_commons(st);
	merge_commons(st);
	return diag_errors(st->in->diag) ? -EINVAL : 0;
}
