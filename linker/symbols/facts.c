/* facts.c - what each name is in the output: imported, exported, interposable, undefined.
 *
 * A pure function of the provider, the references and the options, per name, in parallel. After this only NEED bits of
 * the flags change. Source: gABI ch. 5 "Symbol visibility", GNU ld manual (-Bsymbolic, --export-dynamic, -z defs).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symtab_priv.h"

bool facts_is_exported(const struct symtab *st, uint32_t fl)
{
	const struct options *opt = st->in->opt;
	uint8_t vis = sym_visibility(fl);
	if (!st->is_dynamic || (fl & SYM_LOCAL_VERSION) || vis == STV_HIDDEN || vis == STV_INTERNAL)
		return false;
	if (st->is_shared)
		return true;
	if (opt->no_dynamic_linker && !opt->export_dynamic)
		return false;
	return opt->export_dynamic || (fl & (SYM_REF_DSO | SYM_LISTED));
}

/* What is listed stays interposable whatever -Bsymbolic says; beside a dynamic list nothing else is. */
static bool is_interposable(const struct symtab *st, name_id id, uint32_t fl)
{
	if (!st->is_shared || !(fl & SYM_EXPORT) || sym_visibility(fl) != STV_DEFAULT)
		return false;
	if (fl & SYM_LISTED)
		return true;
	bool is_weak = provider_rank(sym_win(st, id)) == RANK_WEAK;
	if (st->in->opt->dynamic_list_cnt)
		return false;
	switch (st->in->opt->bsymbolic) {
	case BSYMBOLIC_ALL:
		return false;
	case BSYMBOLIC_FUNCTIONS:
		return !(fl & SYM_FUNC);
	case BSYMBOLIC_NON_WEAK:
		return is_weak;
	case BSYMBOLIC_NON_WEAK_FUNCTIONS:
		return is_weak || !(fl & SYM_FUNC);
	default:
		return true;
	}
}

static uint32_t facts_undefined(const struct symtab *st, uint32_t fl)
{
	const struct options *opt = st->in->opt;
	bool may_import = st->is_dynamic && !opt->no_dynamic_linker && sym_visibility(fl) == STV_DEFAULT;
	bool is_weak = !(fl & SYM_REF_STRONG);
	if (!(fl & SYM_REF_OBJ))
		return 0;
	if (!is_weak && st->is_shared && !opt->z_defs && !opt->no_undefined && may_import)
		return SYM_PREEMPT;
	if (!is_weak && opt->unresolved_object == UNRESOLVED_ERROR)
		return SYM_UNDEF;
	uint32_t warn = !is_weak && opt->unresolved_object == UNRESOLVED_WARN ? SYM_UNDEF : 0;
	if (may_import && !opt->z_nodynamic_undefined_weak)
		return warn | SYM_UNDEF_WEAK | SYM_PREEMPT;
	return warn | SYM_UNDEF_WEAK | SYM_ABS;
}

static void facts_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct symtab *st = ctx;
	(void)worker;
	for (size_t id = begin; id < end; id++) {
		uint32_t fl = sym_flags(st, (name_id)id);
		if (!fl)
			continue;
		if (!(fl & (SYM_DEF | SYM_SHARED)) && (fl & SYM_TLS_REF))
			fl |= SYM_TLS; /* all that is known of it */
		if (fl & SYM_DEF) {
			if (facts_is_exported(st, fl))
				fl |= SYM_EXPORT;
			if (is_interposable(st, (name_id)id, fl))
				fl |= SYM_PREEMPT;
		} else if ((fl & SYM_SHARED) && sym_visibility(fl) == STV_DEFAULT) {
			fl |= SYM_PREEMPT;
		} else {
			/* A hidden reference cannot be met by a shared library. */
			fl &= ~(uint32_t)(SYM_SHARED | SYM_FUNC);
			fl |= facts_undefined(st, fl);
		}
		atomic_store_explicit(&st->flags[id], fl, memory_order_relaxed);
	}
}

static void trace_names(struct symtab *st)
{
	const struct options *opt = st->in->opt;
	for (size_t i = 0; i < opt->trace_symbol_cnt; i++) {
		name_id id = names_find(st->in->names, opt->trace_symbols[i], strlen(opt->trace_symbols[i]));
		uint64_t win = id && id < st->cnt ? sym_win(st, id) : PROVIDER_NONE;
		for (uint32_t k = 0; id && k < st->obj_cnt; k++) {
			const struct object *o = st->in->files[st->objs[k]].obj;
			for (uint32_t s = o->first_global; s < o->sym_cnt; s++)
				if (o->names[s - o->first_global] == id)
					diag_note(st->in->diag, (uint64_t)st->objs[k] << 32, "%s: %s %s", o->name,
						  provider_file(win) == st->objs[k] && provider_sym(win) == s
							  ? "definition of" : "reference to",
						  opt->trace_symbols[i]);
		}
		for (uint32_t k = 0; id && k < st->dso_cnt; k++)
			if (provider_file(win) == st->dsos[k] && provider_rank(win) == RANK_SHARED)
				diag_note(st->in->diag, (uint64_t)st->dsos[k] << 32, "%s: shared definition of %s",
					  inputs_name(&st->in->files[st->dsos[k]]), opt->trace_symbols[i]);
	}
}

static void check_required(struct symtab *st)
{
	const struct options *opt = st->in->opt;
	for (size_t i = 0; i < opt->require_defined_cnt; i++) {
		const char *name = opt->require_defined[i];
		name_id id = names_find(st->in->names, name, strlen(name));
		if (!id || id >= st->cnt || !(sym_flags(st, id) & SYM_DEF))
			diag_error(st->in->diag, 0, "required symbol %s is not defined (--require-defined)", name);
	}
}

int facts_compute(struct symtab *st)
{
	pool_for(st->in->pool, st->cnt, 4096, facts_range, st);
	trace_names(st);
	check_required(st);
	return 0;
}

/* Is every library that SO needs part of the command line? Only then can its undefined names be judged. */
static bool knows_all_needed(const struct inputs *in, const struct shlib *so)
{
	for (uint32_t n = 0; n < so->needed_cnt; n++) {
		bool found = false;
		for (uint32_t i = 1; i < in->file_cnt && !found; i++)
			found = in->files[i].kind == IFILE_SHLIB && !strcmp(in->files[i].soname, so->needed[n]);
		if (!found)
			return false;
	}
	return true;
}

static bool any_library_defines(const struct inputs *in, name_id id)
{
	for (uint32_t i = 1; i < in->file_cnt; i++)
		for (uint32_t s = 0; in->files[i].kind == IFILE_SHLIB && s < in->files[i].shlib->sym_cnt; s++)
			if (!in->files[i].shlib->syms[s].is_undef && in->files[i].shlib->syms[s].base == id)
				return true;
	return false;
}

int symtab_check_shared(struct symtab *st)
{
	const struct inputs *in = st->in;
	enum unresolved how = in->opt->unresolved_shlib;
	char buf[256];
	for (uint32_t k = 0; k < st->dso_cnt && how != UNRESOLVED_IGNORE && !st->is_shared; k++) {
		const struct shlib *so = in->files[st->dsos[k]].shlib;
		if (!knows_all_needed(in, so))
			continue;
		for (uint32_t i = 0; i < so->sym_cnt; i++) {
			const struct shlib_sym *s = &so->syms[i];
			if (!s->is_undef || s->bind == STB_WEAK ||
			    (sym_flags(st, s->base) & (SYM_DEF | SYM_SHARED)) || any_library_defines(in, s->base))
				continue;
			diag_add(in->diag, how == UNRESOLVED_WARN ? DIAG_WARNING : DIAG_ERROR,
				 (uint64_t)st->dsos[k] << 32 | i,
				 "undefined reference: %s\n>>> referenced by %s (disallowed by "
				 "--no-allow-shlib-undefined)",
				 symtab_text(st, s->base, buf, sizeof(buf)), inputs_name(&in->files[st->dsos[k]]));
		}
	}
	return diag_errors(in->diag) ? -EINVAL : 0;
}
