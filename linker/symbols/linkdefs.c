/* linkdefs.c - names the linker defines: section bounds, _end and friends, --defsym, f@V for a default f@@V.
 *
 * Each is defined only where an object of the link mentions it and none defines it (PROVIDE in linker scripts), but for
 * --defsym, which always defines. Values are given after layout (layout/values.c). After this: no new symbols.
 * Source: GNU ld manual, "PROVIDE", "Input Section Example" (__start_SECNAME), --defsym; gABI "_end"; psABI _DYNAMIC.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symtab_priv.h"

static const struct {
	const char *name;
	uint8_t kind;
} known[] = {
	{ "__ehdr_start", LINKDEF_EHDR },
	{ "__executable_start", LINKDEF_EHDR },
	{ "__dso_handle", LINKDEF_EHDR },
	{ "_GLOBAL_OFFSET_TABLE_", LINKDEF_GOT },
	{ "_DYNAMIC", LINKDEF_DYNAMIC },
	{ "__GNU_EH_FRAME_HDR", LINKDEF_EH_FRAME_HDR },
	{ "etext", LINKDEF_ETEXT },
	{ "_etext", LINKDEF_ETEXT },
	{ "__etext", LINKDEF_ETEXT },
	{ "edata", LINKDEF_EDATA },
	{ "_edata", LINKDEF_EDATA },
	{ "end", LINKDEF_END },
	{ "_end", LINKDEF_END },
	{ "__bss_start", LINKDEF_BSS_START },
	{ "__rela_iplt_start", LINKDEF_IRELA_START },
	{ "__rela_iplt_end", LINKDEF_IRELA_END },
	{ "__rel_iplt_start", LINKDEF_IRELA_START },
	{ "__rel_iplt_end", LINKDEF_IRELA_END },
	{ "_TLS_MODULE_BASE_", LINKDEF_TLS_MODULE_BASE },
};

/* Bounds of arrays that exist, empty, even without the section. */
static const struct {
	const char *name, *section;
	uint8_t kind;
} arrays[] = {
	{ "__preinit_array_start", ".preinit_array", LINKDEF_START },
	{ "__preinit_array_end", ".preinit_array", LINKDEF_STOP },
	{ "__init_array_start", ".init_array", LINKDEF_START },
	{ "__init_array_end", ".init_array", LINKDEF_STOP },
	{ "__fini_array_start", ".fini_array", LINKDEF_START },
	{ "__fini_array_end", ".fini_array", LINKDEF_STOP },
};

static int define(struct symtab *st, struct linkdef def)
{
	if (!(st->linkdef_cnt & (st->linkdef_cnt + 1)) || !st->linkdefs) {
		struct linkdef *p = realloc(st->linkdefs, ((size_t)st->linkdef_cnt * 2 + 2) * sizeof(*p));
		if (!p)
			return -ENOMEM;
		st->linkdefs = p;
	}
	st->linkdefs[st->linkdef_cnt] = def;
	sym_set_win(st, def.name, provider(RANK_STRONG, 0, st->linkdef_cnt++));
	uint32_t fl = sym_flags(st, def.name) & ~(uint32_t)(SYM_SHARED | SYM_FUNC | SYM_IFUNC | SYM_ABS);
	fl |= SYM_DEF | (def.is_hidden ? SYM_HIDDEN : 0) | (def.is_abs ? SYM_ABS : 0);
	if (def.kind == LINKDEF_TLS_MODULE_BASE)
		fl |= SYM_TLS;
	/* A sum may lie anywhere; the others are 0 where there is no such section. */
	if (def.kind == LINKDEF_EXPR || def.kind == LINKDEF_DYNAMIC || def.kind == LINKDEF_EH_FRAME_HDR ||
	    def.kind == LINKDEF_TLS_MODULE_BASE)
		fl |= SYM_OUTSIDE;
	atomic_store_explicit(&st->flags[def.name], fl, memory_order_relaxed);
	return 0;
}

/* Mentioned by an object, defined by none. */
static bool is_wanted(const struct symtab *st, name_id id)
{
	uint32_t fl = id && id < st->cnt ? sym_flags(st, id) : 0;
	return (fl & SYM_REF_OBJ) && !(fl & SYM_DEF);
}

static int define_known(struct symtab *st)
{
	struct names *names = st->in->names;
	int rc = 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known) && !rc; i++) {
		name_id id = names_find(names, known[i].name, strlen(known[i].name));
		if (is_wanted(st, id))
			rc = define(st, (struct linkdef){ id, known[i].kind, .is_hidden = true });
	}
	for (size_t i = 0; i < sizeof(arrays) / sizeof(*arrays) && !rc; i++) {
		name_id id = names_find(names, arrays[i].name, strlen(arrays[i].name));
		if (is_wanted(st, id))
			rc = define(st, (struct linkdef){ id, arrays[i].kind, .is_hidden = true,
							  .section = arrays[i].section });
	}
	return rc;
}

static bool is_c_name(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(isalpha((unsigned char)s[i]) || s[i] == '_' || (i && isdigit((unsigned char)s[i]))))
			return false;
	return len > 0;
}

/* The input section of that name, NULL where no object has one: its text lives as long as the input. */
static const char *find_section(const struct symtab *st, const char *name, size_t len)
{
	for (uint32_t k = 0; k < st->obj_cnt; k++) {
		const struct object *o = st->in->files[st->objs[k]].obj;
		for (uint32_t i = 1; i < o->sec_cnt; i++) {
			const char *n = isec_name(o, &o->secs[i]);
			if ((o->secs[i].flags & SHF_ALLOC) && !strncmp(n, name, len) && !n[len] &&
			    !sec_is(st, gsec(st, st->objs[k], i), SEC_DEAD_COMDAT))
				return n;
		}
	}
	return NULL;
}

static const struct { const char *prefix; uint8_t kind; } bounds[] = {
	{ "__start_", LINKDEF_START }, { "__stop_", LINKDEF_STOP }
};

/* Which of the bounds a name asks for, with what section; -1: none. */
static int bound_of(const struct symtab *st, name_id id, const char **ret_section)
{
	const struct name *n = names_get(st->in->names, id);
	for (int b = 0; b < 2; b++) {
		size_t len = strlen(bounds[b].prefix);
		if (n->len > len && !memcmp(n->str, bounds[b].prefix, len) && is_c_name(n->str + len, n->len - len)) {
			*ret_section = find_section(st, n->str + len, n->len - len);
			return *ret_section ? b : -1;
		}
	}
	return -1;
}

static int by_text(const void *a, const void *b, void *names)
{
	return names_compare(names, *(const name_id *)a, *(const name_id *)b);
}

/* __start_NAME and __stop_NAME. The sections are searched only when somebody mentions such a name. Defined in the order
 * of their texts: an index into linkdefs is part of a provider's rank, and ids depend on history. */
static int define_bounds(struct symtab *st)
{
	const char *section;
	uint32_t cnt = 0;
	int rc = 0;
	for (name_id id = 1; id < st->cnt; id++)
		cnt += is_wanted(st, id) && bound_of(st, id, &section) >= 0;
	name_id *ids = malloc(((size_t)cnt + 1) * sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	cnt = 0;
	for (name_id id = 1; id < st->cnt; id++)
		if (is_wanted(st, id) && bound_of(st, id, &section) >= 0)
			ids[cnt++] = id;
	qsort_r(ids, cnt, sizeof(*ids), by_text, st->in->names);
	for (uint32_t i = 0; i < cnt && !rc; i++) {
		int b = bound_of(st, ids[i], &section);
		rc = define(st, (struct linkdef){ ids[i], bounds[b].kind, .section = section });
		if (!rc)
			sym_add_flags(st, ids[i], st->in->opt->start_stop_visibility == STV_HIDDEN ? SYM_HIDDEN
													: SYM_PROTECTED);
	}
	free(ids);
	return rc;
}

/* f@V mentioned by an object (.symver) where a library has it as its default f@@V. */
static int define_versioned(struct symtab *st)
{
	for (name_id id = 1; id < st->cnt; id++) {
		uint32_t fl = sym_flags(st, id);
		if (!(fl & SYM_REF_OBJ) || (fl & (SYM_DEF | SYM_SHARED)))
			continue;
		const struct name *n = names_get(st->in->names, id);
		const char *at = memchr(n->str, '@', n->len);
		if (!at)
			continue;
		name_id base = names_find(st->in->names, n->str, (size_t)(at - n->str));
		uint64_t win = base && base < st->cnt ? sym_win(st, base) : PROVIDER_NONE;
		if (win == PROVIDER_NONE || provider_rank(win) != RANK_SHARED)
			continue;
		const struct shlib *so = st->in->files[provider_file(win)].shlib;
		uint16_t v = so->syms[provider_sym(win)].version;
		size_t len = n->len - (size_t)(at + 1 - n->str);
		if (v < so->version_cnt && so->versions[v] && strlen(so->versions[v]) == len &&
		    !memcmp(so->versions[v], at + 1, len)) {
			sym_set_win(st, id, win);
			sym_add_flags(st, id, SYM_SHARED | (sym_flags(st, base) & (SYM_TLS | SYM_FUNC)));
		}
	}
	return 0;
}

static bool mentions_symbol(const char *expr)
{
	for (const char *p = expr; *p; p++)
		if ((isalpha((unsigned char)*p) || strchr("_.$", *p)) &&
		    (p == expr || !isalnum((unsigned char)p[-1])))
			return true;
	return false;
}

static int define_defsyms(struct symtab *st)
{
	const struct options *opt = st->in->opt;
	int rc = 0;
	for (size_t i = 0; i < opt->defsym_cnt && !rc; i++) {
		const struct defsym *d = &opt->defsyms[i];
		name_id id = names_find(st->in->names, d->name, strlen(d->name));
		if (id && id < st->cnt)
			rc = define(st, (struct linkdef){ id, LINKDEF_EXPR, .expr = d->expr,
							  .is_abs = !mentions_symbol(d->expr) });
	}
	return rc;
}

int linkdefs_add(struct symtab *st)
{
	int rc = define_defsyms(st);
	if (!rc)
		rc = define_known(st);
	if (!rc)
		rc = define_bounds(st);
	return rc ? rc : define_versioned(st);
}
