/* symcount.c - what .symtab and .strtab hold, counted: per object, so that any range can be rendered by walking one.
 *
 * Locals of all objects come first, then the globals each object provides, then linker-defined and imported names.
 * Source: gABI ch. 4 "Symbol Table" (locals before globals, sh_info); GNU ld manual -s, -S, -x, -X.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "defs.h"
#include "layout_priv.h"
#include "outsyms.h"
#include "provided.h"
#include "scanned.h"

static bool provides(const struct layout *l, uint32_t file, const struct object *o, uint32_t i, struct esym *ret_e)
{
	uint64_t win = sym_win(l->st, o->names[i - o->first_global]);
	if (win == PROVIDER_NONE || provider_file(win) != file || provider_sym(win) != i)
		return false;
	esym_get(o, i, ret_e);
	return outsym_is_in_output(l->s, file, o, ret_e->shndx);
}

/* gABI: hidden names are local in an executable or shared object. */
static bool is_local_name(const struct layout *l, name_id id)
{
	uint32_t fl = sym_flags(l->st, id);
	return (fl & SYM_DEF) && ((fl & SYM_LOCAL_VERSION) || sym_visibility(fl) == STV_HIDDEN ||
				  sym_visibility(fl) == STV_INTERNAL);
}

void symtab_walk(const struct layout *l, uint32_t k, bool locals, sym_visit visit, void *ctx)
{
	struct out_sym s = { .file = l->st->objs[k] };
	const struct object *o = l->in->files[s.file].obj;
	for (uint32_t i = 1; locals && i < o->first_global && i < o->sym_cnt; i++) {
		esym_get(o, i, &s.e);
		if (!outsym_keeps_local(l->s, s.file, o, &s.e))
			continue;
		s.name = o->strtab + s.e.name;
		s.len = (uint32_t)strlen(s.name);
		visit(ctx, &s);
	}
	for (uint32_t i = o->first_global; i < o->sym_cnt; i++) {
		if (!provides(l, s.file, o, i, &s.e))
			continue;
		s.id = o->names[i - o->first_global];
		if (is_local_name(l, s.id) != locals)
			continue;
		const struct name *n = names_get(l->in->names, s.id);
		s.name = n->str;
		s.len = n->len;
		visit(ctx, &s);
	}
}

/* What an object provides with these ROWS: local in the output, or global. */
static void count_rows(const struct layout *l, uint32_t file, const struct defs *d, const uint32_t *rows, uint32_t cnt,
		       struct provided_count *at)
{
	const struct object *o = l->in->files[file].obj;
	for (uint32_t i = 0; i < cnt; i++) {
		const struct def *e = &d->rows[rows[i]];
		if (!outsym_is_in_output(l->s, file, o, e->sec))
			continue;
		struct local_count *c = is_local_name(l, e->id) ? &at->locals : &at->globals;
		c->cnt++;
		c->str += (uint64_t)e->len + 1;
		at->locals.has_ifunc |= c == &at->locals && (sym_flags(l->st, e->id) & SYM_IFUNC);
	}
}

/* Object K's, noted for setting its values (values.c) where it is kept. */
static struct provided_count count_provided(struct layout *l, uint32_t k, const struct defs *d, unsigned worker)
{
	uint32_t file = l->st->objs[k], rows[DEFS_BATCH];
	struct provided_count sums = { 0 };
	const struct provided *p = provided_get(l, file, d, count_rows, &l->provided_old[worker]);
	l->provided[k] = p;
	if (p)
		return (struct provided_count){ p->locals, p->globals };
	for (uint32_t at = 0; at < d->cnt;) {
		uint32_t n = defs_provided(l->st, file, d, &at, rows);
		count_rows(l, file, d, rows, n, &sums);
	}
	return sums;
}

static int by_text(const void *x, const void *y, void *ctx)
{
	const struct layout *l = ctx;
	name_id a = *(const uint32_t *)x, b = *(const uint32_t *)y;
	bool la = is_local_name(l, a), lb = is_local_name(l, b);
	if (la != lb)
		return la ? -1 : 1;
	return names_compare(l->in->names, a, b);
}

/* Imported, or missing and weak. */
static bool is_import(const struct layout *l, name_id id)
{
	uint32_t fl = sym_flags(l->st, id);
	return !(fl & SYM_DEF) && (fl & SYM_REF_OBJ) && (fl & (SYM_PREEMPT | SYM_UNDEF_WEAK));
}

/* sym_extra; NULL without memory. */
static void list_extra(struct layout *l)
{
	uint32_t cnt;
	struct list imports = { 0 };
	bool no_memory = false;
	for (name_id id = 1; id < l->st->cnt && !no_memory; id++) {
		name_id *to = is_import(l, id) ? list_push(&imports, sizeof(*to), &no_memory) : NULL;
		if (to)
			*to = id;
	}
	if (!no_memory)
		l->sym_extra = arena_alloc_array(l->arena, imports.cnt + l->st->linkdef_cnt + 1, sizeof(*l->sym_extra), 8);
	if (l->sym_extra && imports.cnt)
		memcpy(l->sym_extra, imports.data, imports.cnt * sizeof(*l->sym_extra));
	l->sym_extra_cnt = (uint32_t)imports.cnt;
	free(imports.data);
	if (!l->sym_extra)
		return;
	for (uint32_t i = 0; i < l->st->linkdef_cnt; i++) {
		name_id id = l->st->linkdefs[i].name;
		if ((sym_flags(l->st, id) & SYM_DEF) && sym_win(l->st, id) == provider(RANK_STRONG, 0, i))
			l->sym_extra[l->sym_extra_cnt++] = id;
	}
	cnt = l->sym_extra_cnt;
	qsort_r(l->sym_extra, cnt, sizeof(*l->sym_extra), by_text, l);
	while (l->sym_extra_locals < cnt && is_local_name(l, l->sym_extra[l->sym_extra_locals]))
		l->sym_extra_locals++;
}

static void count_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct layout *l = ctx;
	for (size_t i = begin; i < end; i++) {
		if (!i) { /* beside them, since one thread has to */
			list_extra(l);
			continue;
		}
		size_t k = i - 1;
		defs_prefetch(l, (uint32_t)k, (uint32_t)end - 1);
		const struct local_count *own = &l->s->local_counts[l->st->objs[k]];
		const struct defs *d = defs_get(l, l->st->objs[k]);
		if (!d) {
			diag_error(l->in->diag, 0, "out of memory for the definitions of an object");
			return;
		}
		struct provided_count c = count_provided(l, (uint32_t)k, d, worker);
		if (own->has_ifunc || c.locals.has_ifunc)
			atomic_store_explicit(&l->has_gnu_abi, true, memory_order_relaxed);
		l->sym_parts[k] = (struct symtab_part){ own->cnt + c.locals.cnt, c.globals.cnt,
							own->str + c.locals.str, c.globals.str };
	}
}

static uint64_t extra_str(const struct layout *l, uint32_t first, uint32_t end)
{
	uint64_t sz = 0;
	for (uint32_t i = first; i < end; i++)
		sz += (uint64_t)names_get(l->in->names, l->sym_extra[i])->len + 1;
	return sz;
}

int symcount_measure(struct layout *l)
{
	uint32_t n = l->st->obj_cnt;
	if (l->in->opt->strip == STRIP_ALL)
		return 0;
	l->sym_parts = arena_alloc_array(l->arena, (size_t)n + 1, sizeof(*l->sym_parts), 8);
	l->provided = arena_alloc_array(l->s->scratch, (size_t)n + 1, sizeof(*l->provided), 8);
	l->provided_old = arena_alloc_array(l->s->scratch, pool_threads(l->in->pool), sizeof(*l->provided_old), 8);
	if (!l->sym_parts || !l->provided || !l->provided_old)
		return -ENOMEM;
	pool_for(l->in->pool, (size_t)n + 1, 8, count_range, l);
	if (!l->sym_extra || diag_errors(l->in->diag))
		return -ENOMEM;
	struct symtab_part at = { .locals = 1, .local_str = 1 };
	for (uint32_t k = 0; k < n; k++) { /* counts become starts */
		struct symtab_part c = l->sym_parts[k];
		l->sym_parts[k].locals = at.locals;
		l->sym_parts[k].local_str = at.local_str;
		at.locals += c.locals;
		at.local_str += c.local_str;
	}
	at.globals = l->symtab_locals = at.locals + l->sym_extra_locals;
	l->sym_extra_str = at.local_str;
	at.global_str = at.local_str + extra_str(l, 0, l->sym_extra_locals);
	for (uint32_t k = 0; k < n; k++) {
		struct symtab_part c = l->sym_parts[k];
		l->sym_parts[k].globals = at.globals;
		l->sym_parts[k].global_str = at.global_str;
		at.globals += c.globals;
		at.global_str += c.global_str;
	}
	l->sym_parts[n] = at;
	l->symtab_cnt = at.globals + l->sym_extra_cnt - l->sym_extra_locals;
	l->strtab_sz = at.global_str + extra_str(l, l->sym_extra_locals, l->sym_extra_cnt);
	if (l->strtab_sz > UINT32_MAX) {
		diag_error(l->in->diag, 0, ".strtab of the output is larger than 4 GiB: link with -s or -S");
		return -EFBIG;
	}
	return 0;
}
