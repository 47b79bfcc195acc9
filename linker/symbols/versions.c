/* versions.c - the versions of the names the output defines, and which names version scripts make local.
 *
 * A version comes from the symbol itself (.symver: f@@V is the default one and defines f, f@V is another name) or from
 * the script's patterns (version_match.c). In an executable f@V needs no script: the version is defined on the spot, as
 * GNU ld does. Dynamic lists and --export-dynamic-symbol mark names here too, since they are patterns as well.
 * Runs when all providers are known and before facts.c, which decides what is exported. The sections are rendered in
 * render/syn_verdef.c. Source: LSB Core "Symbol Versioning"; GNU ld manual, "VERSION Command", --dynamic-list.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "symtab_priv.h"
#include "version_match.h"

#define VERSION_MAX 0x3fff /* twice that is a rule's number, which has to fit an entry of symtab.version */

/* A symbol called f@V or f@@V. */
struct versioned {
	name_id id;
	uint32_t file, sym;
	const char *text;    /* as in the object */
	const char *version; /* in TEXT */
	size_t base_len;
	bool is_default;
	bool is_ref;
};

struct versions {
	struct symtab *st;
	const struct version_node **nodes; /* of all scripts; named: node I is st->versions[I] */
	uint32_t node_cnt;
	struct versioned *list;
	size_t list_cnt, list_cap;
	struct patterns script, dynamic;
	atomic_bool no_memory;
};

/* ---- nodes ---- */

static int node_error(const struct versions *v, const char *what, const char *name)
{
	diag_error(v->st->in->diag, 0, "version scripts: %s%s", name, what);
	return -EINVAL;
}

static int add_node(struct versions *v, const struct version_node *n)
{
	struct symtab *st = v->st;
	if (v->node_cnt && (!*n->name || !*v->nodes[0]->name))
		return node_error(v, "an anonymous version cannot stand with others", "");
	for (uint32_t i = 0; i < v->node_cnt; i++)
		if (!strcmp(v->nodes[i]->name, n->name))
			return node_error(v, " is defined twice", n->name);
	if (v->node_cnt >= VERSION_MAX)
		return node_error(v, ": there are too many versions", n->name);
	if (*n->name)
		st->versions[st->version_cnt++] = (struct version_def){ n->name, n->parents, n->parent_cnt, false };
	v->nodes[v->node_cnt++] = n;
	return 0;
}

static int collect_nodes(struct versions *v)
{
	const struct inputs *in = v->st->in;
	size_t cnt = 0;
	int rc = 0;
	for (uint32_t i = 0; i < in->list_cnt; i++)
		cnt += in->lists[i].script->node_cnt;
	v->nodes = calloc(cnt + 1, sizeof(*v->nodes));
	v->st->versions = calloc(cnt + 1, sizeof(*v->st->versions));
	if (!v->nodes || !v->st->versions)
		return -ENOMEM;
	for (uint32_t i = 0; i < in->list_cnt; i++)
		for (size_t k = 0; !in->lists[i].is_dynamic && k < in->lists[i].script->node_cnt && !rc; k++)
			rc = add_node(v, &in->lists[i].script->nodes[k]);
	return rc;
}

/* The entry of .gnu.version for node I; the anonymous one gives no version. */
static uint16_t node_index(const struct versions *v, uint32_t i)
{
	return (uint16_t)(*v->nodes[i]->name ? i + SYM_VERSION_FIRST : SYM_VERSION_FIRST - 1);
}

/* The version of that name, version_cnt: not defined. */
static uint32_t find_version(const struct symtab *st, const char *name)
{
	uint32_t i = 0;
	while (i < st->version_cnt && strcmp(st->versions[i].name, name) != 0)
		i++;
	return i;
}

/* ---- versions that symbols ask for ---- */

static int note_versioned(struct versions *v, uint32_t file, uint32_t i)
{
	struct symtab *st = v->st;
	const struct object *o = st->in->files[file].obj;
	struct esym e;
	esym_get(o, i, &e);
	const char *text = o->strtab + e.name, *at = strchr(text, '@');
	struct versioned r = { .id = o->names[i - o->first_global], .file = file, .sym = i, .text = text };
	if (!at || at == text || !at[1 + (at[1] == '@')])
		return 0;
	r.is_ref = e.shndx == SHN_UNDEF;
	uint64_t win = sym_win(st, r.id);
	if (!r.is_ref && (provider_file(win) != file || provider_sym(win) != i || win == PROVIDER_NONE))
		return 0;
	r.is_default = at[1] == '@';
	r.version = at + 1 + r.is_default;
	r.base_len = (size_t)(at - text);
	if (v->list_cnt == v->list_cap) {
		size_t cap = v->list_cap ? v->list_cap * 2 : 64;
		struct versioned *p = realloc(v->list, cap * sizeof(*p));
		if (!p)
			return -ENOMEM;
		v->list = p;
		v->list_cap = cap;
	}
	v->list[v->list_cnt++] = r;
	return 0;
}

static int collect_versioned(struct versions *v)
{
	int rc = 0;
	for (uint32_t k = 0; k < v->st->obj_cnt; k++) {
		uint32_t file = v->st->objs[k];
		const struct object *o = v->st->in->files[file].obj;
		for (uint32_t i = o->first_global; o->has_versions && i < o->sym_cnt && !rc; i++)
			rc = note_versioned(v, file, i);
	}
	return rc;
}

/* The id of "f" for f@V, 0: nobody mentions it. */
static name_id base_of(const struct symtab *st, const struct versioned *r)
{
	name_id id = names_find(st->in->names, r->text, r->base_len);
	return id < st->cnt ? id : 0;
}

/* GNU ld: the node of its own version may make f@V local, and no other. */
static bool node_hides(const struct version_node *n, const struct versioned *r, bool *ret_no_memory)
{
	struct subject s = { 0 };
	bool is_global = false, is_local = false;
	subject_set(&s, r->text, r->base_len);
	for (size_t i = 0; i < n->pattern_cnt && !is_global; i++) {
		if (n->patterns[i].is_local && is_local)
			continue;
		if (version_pattern_matches(&n->patterns[i], &s))
			*(n->patterns[i].is_local ? &is_local : &is_global) = true;
	}
	*ret_no_memory |= s.no_memory;
	subject_clear(&s);
	return is_local && !is_global;
}

static bool may_export(uint32_t fl)
{
	uint8_t vis = sym_visibility(fl);
	return (fl & SYM_DEF) && !(fl & SYM_LOCAL_VERSION) && vis != STV_HIDDEN && vis != STV_INTERNAL;
}

/* Gives f@@V and f@V their versions. What no script defines is an error in a shared library, for bind_implicit else. */
static int bind_versioned(struct versions *v)
{
	struct symtab *st = v->st;
	bool no_memory = false;
	for (size_t i = 0; i < v->list_cnt; i++) {
		const struct versioned *r = &v->list[i];
		if (r->is_ref)
			continue;
		uint32_t n = find_version(st, r->version);
		name_id base = r->is_default ? 0 : base_of(st, r);
		sym_add_flags(st, r->id, SYM_VERSIONED | (base ? sym_flags(st, base) & SYM_REF_DSO : 0));
		if (n < st->version_cnt) {
			st->version[r->id] = (uint16_t)(n + SYM_VERSION_FIRST) | (r->is_default ? 0 : SYM_VERSION_HIDDEN);
			if (!st->in->opt->export_dynamic && node_hides(v->nodes[n], r, &no_memory))
				sym_add_flags(st, r->id, SYM_LOCAL_VERSION);
		} else if (st->is_shared && may_export(sym_flags(st, r->id))) {
			diag_error(st->in->diag, (uint64_t)r->file << 32 | r->sym,
				   "%s: version node not found for symbol %s: no version script defines %s",
				   inputs_name(&st->in->files[r->file]), r->text, r->version);
		}
	}
	return no_memory ? -ENOMEM : 0;
}

/* Executables: a version that no script has is defined where an exported name asks for it. */
static int bind_implicit(struct versions *v)
{
	struct symtab *st = v->st;
	for (size_t i = 0; i < v->list_cnt && !st->is_shared; i++) {
		const struct versioned *r = &v->list[i];
		if (r->is_ref || st->version[r->id] || !may_export(sym_flags(st, r->id)) ||
		    !facts_is_exported(st, sym_flags(st, r->id)))
			continue;
		uint32_t n = find_version(st, r->version);
		if (n >= VERSION_MAX)
			return node_error(v, ": there are too many versions", r->version);
		if (n == st->version_cnt) {
			struct version_def *p = realloc(st->versions, ((size_t)n + 1) * sizeof(*p));
			if (!p)
				return -ENOMEM;
			st->versions = p;
			st->versions[st->version_cnt++] = (struct version_def){ .name = r->version };
		}
		st->version[r->id] = (uint16_t)(n + SYM_VERSION_FIRST) | (r->is_default ? 0 : SYM_VERSION_HIDDEN);
	}
	return 0;
}

/* A plain f that the script gives V, beside f@V: the latter is meant, f becomes local. f@@V beside f@V is a duplicate. */
static void settle_twins(struct versions *v)
{
	struct symtab *st = v->st;
	for (size_t i = 0; i < v->list_cnt; i++) {
		const struct versioned *r = &v->list[i];
		name_id base = r->is_ref || r->is_default ? 0 : base_of(st, r);
		uint32_t fl = base ? sym_flags(st, base) : 0;
		if (!(fl & SYM_DEF) || !st->version[r->id] ||
		    st->version[base] != (st->version[r->id] & ~SYM_VERSION_HIDDEN))
			continue;
		if (fl & SYM_VERSIONED)
			diag_error(st->in->diag, (uint64_t)r->file << 32 | r->sym,
				   "duplicate symbol: %s\n>>> defined in %s as the default version\n>>> defined in %s",
				   r->text, inputs_name(&st->in->files[provider_file(sym_win(st, base))]),
				   inputs_name(&st->in->files[r->file]));
		else
			sym_add_flags(st, base, SYM_LOCAL_VERSION);
	}
}

/* References to f@V where V is the default version of an f defined here mean f. */
static int alias_references(struct versions *v)
{
	struct symtab *st = v->st;
	const uint32_t moved = SYM_REF_OBJ | SYM_REF_STRONG | SYM_TLS_REF | SYM_HIDDEN | SYM_INTERNAL | SYM_PROTECTED;
	for (size_t i = 0; i < v->list_cnt; i++) {
		const struct versioned *r = &v->list[i];
		uint32_t fl = sym_flags(st, r->id);
		name_id base = r->is_ref && !r->is_default && fl && !(fl & SYM_DEF) ? base_of(st, r) : 0;
		uint32_t n = base ? find_version(st, r->version) : 0;
		if (!base || !(sym_flags(st, base) & SYM_DEF) || n == st->version_cnt ||
		    st->version[base] != n + SYM_VERSION_FIRST)
			continue;
		int rc = symtab_alias(st, r->id, base);
		if (rc)
			return rc;
		sym_add_flags(st, base, fl & moved);
		atomic_store_explicit(&st->flags[r->id], 0, memory_order_relaxed);
	}
	return 0;
}

/* ---- patterns ---- */

/* Exact C names are looked up, the others are searched later, by name. An entry of .gnu.version holds 1 + the rule until
 * then. */
static int add_rules(struct versions *v)
{
	struct symtab *st = v->st;
	char buf[256];
	for (uint32_t i = 0; i < v->node_cnt; i++) {
		for (int pass = 0; pass < 2; pass++) { /* global before local */
			for (size_t k = 0; k < v->nodes[i]->pattern_cnt; k++) {
				const struct version_pattern *p = &v->nodes[i]->patterns[k];
				uint32_t rule = 2 * i + (p->is_local ? RULE_LOCAL : 0);
				if (p->is_local != (pass == 1))
					continue;
				patterns_add(&v->script, p, rule);
				name_id id = p->is_exact && !p->is_cxx
						     ? names_find(st->in->names, p->pattern, strlen(p->pattern)) : 0;
				if (!id || id >= st->cnt || (sym_flags(st, id) & SYM_VERSIONED))
					continue;
				if (!st->version[id])
					st->version[id] = (uint16_t)(rule + 1);
				else if ((st->version[id] - 1u) % 2 != rule % 2)
					return node_error(v, " is both global and local",
							  symtab_text(st, id, buf, sizeof(buf)));
			}
		}
	}
	return 0;
}

static void add_listed(struct versions *v, const struct version_pattern *p)
{
	struct symtab *st = v->st;
	patterns_add(&v->dynamic, p, 0);
	if (p->is_exact && !p->is_cxx) {
		name_id id = names_find(st->in->names, p->pattern, strlen(p->pattern));
		if (id && id < st->cnt)
			sym_add_flags(st, id, SYM_LISTED);
	}
}

static void add_lists(struct versions *v)
{
	const struct inputs *in = v->st->in;
	for (uint32_t i = 0; i < in->list_cnt; i++) {
		const struct version_script *s = in->lists[i].script;
		for (size_t n = 0; in->lists[i].is_dynamic && n < s->node_cnt; n++)
			for (size_t k = 0; k < s->nodes[n].pattern_cnt; k++)
				add_listed(v, &s->nodes[n].patterns[k]);
	}
	for (size_t i = 0; i < in->opt->export_symbol_cnt; i++) {
		const char *glob = in->opt->export_symbols[i];
		add_listed(v, &(struct version_pattern){ .pattern = glob, .is_exact = !strpbrk(glob, "*?[\\") });
	}
}

static size_t pattern_total(const struct versions *v)
{
	const struct inputs *in = v->st->in;
	size_t cnt = in->opt->export_symbol_cnt;
	for (uint32_t i = 0; i < in->list_cnt; i++)
		for (size_t n = 0; n < in->lists[i].script->node_cnt; n++)
			cnt += in->lists[i].script->nodes[n].pattern_cnt;
	return cnt;
}

static int make_patterns(struct versions *v)
{
	size_t cnt = pattern_total(v);
	int rc = patterns_init(&v->script, cnt);
	if (!rc)
		rc = patterns_init(&v->dynamic, cnt);
	if (!rc)
		rc = add_rules(v);
	if (rc)
		return rc;
	add_lists(v);
	if ((v->script.has_cxx || v->dynamic.has_cxx) && !demangle_is_available())
		return node_error(v, "extern \"C++\" needs the C++ runtime to demangle names: install libstdc++.so.6", "");
	patterns_sort(&v->script);
	patterns_sort(&v->dynamic);
	const char *both;
	rc = patterns_conflict(&v->script, &both);
	return rc || !both ? rc : node_error(v, " is both global and local", both);
}

static void match_name(struct versions *v, name_id id, struct subject *s)
{
	struct symtab *st = v->st;
	uint32_t fl = sym_flags(st, id), rule = RULE_NONE;
	bool is_free = st->version && !(fl & SYM_VERSIONED);
	if (is_free && st->version[id])
		rule = st->version[id] - 1u;
	if (is_free)
		st->version[id] = 0;
	if (!may_export(fl))
		return;
	const struct name *n = names_get(st->in->names, id);
	const char *at = fl & SYM_VERSIONED ? memchr(n->str, '@', n->len) : NULL;
	subject_set(s, n->str, at ? (size_t)(at - n->str) : n->len);
	if (is_free && v->node_cnt)
		rule = patterns_match(&v->script, s, rule);
	if (rule != RULE_NONE && (rule & RULE_LOCAL))
		sym_add_flags(st, id, SYM_LOCAL_VERSION);
	else if (rule != RULE_NONE)
		st->version[id] = node_index(v, rule / 2);
	if (!(fl & SYM_LISTED) && patterns_match(&v->dynamic, s, RULE_NONE) != RULE_NONE)
		sym_add_flags(st, id, SYM_LISTED);
}

static void match_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct versions *v = ctx;
	struct subject s = { 0 };
	(void)worker;
	for (size_t id = begin ? begin : 1; id < end; id++)
		if (sym_flags(v->st, (name_id)id) || v->st->version)
			match_name(v, (name_id)id, &s);
	if (s.no_memory)
		atomic_store(&v->no_memory, true);
	subject_clear(&s);
}

/* ---- the pass ---- */

/* Does somebody define the name that node N lists, with its version or without? */
static bool is_defined(const struct versions *v, const struct version_node *n, const char *name)
{
	const struct symtab *st = v->st;
	char *text;
	name_id id = names_find(st->in->names, name, strlen(name));
	if (id && id < st->cnt && (sym_flags(st, id) & SYM_DEF))
		return true;
	int len = asprintf(&text, "%s@%s", name, n->name);
	if (len < 0)
		return true;
	id = names_find(st->in->names, text, (size_t)len);
	free(text);
	return id && id < st->cnt && (sym_flags(st, id) & SYM_DEF);
}

static void report_undefined(const struct versions *v, uint32_t node, const char *name)
{
	diag_error(v->st->in->diag, 0, "undefined version: %s: nothing defines it, but version %s lists it "
		   "(--no-undefined-version)", name, *v->nodes[node]->name ? v->nodes[node]->name : "{}");
}

static void check_undefined(const struct versions *v)
{
	size_t at = 0;
	uint32_t rule;
	for (uint32_t i = 0; i < v->node_cnt; i++) {
		for (size_t k = 0; k < v->nodes[i]->pattern_cnt; k++) {
			const struct version_pattern *p = &v->nodes[i]->patterns[k];
			if (p->is_exact && !p->is_cxx && !p->is_local && !is_defined(v, v->nodes[i], p->pattern))
				report_undefined(v, i, p->pattern);
		}
	}
	for (const char *text; (text = patterns_missed(&v->script, &at, &rule));)
		if (!(rule & RULE_LOCAL))
			report_undefined(v, rule / 2, text);
}

/* A version without patterns that no symbol has says only that it exists: VER_FLG_WEAK. */
static void mark_weak(struct versions *v)
{
	struct symtab *st = v->st;
	for (uint32_t i = 0; i < v->node_cnt && i < st->version_cnt; i++) {
		bool is_used = v->nodes[i]->pattern_cnt > 0;
		for (size_t k = 0; k < v->list_cnt && !is_used; k++)
			is_used = !v->list[k].is_ref && !strcmp(v->list[k].version, st->versions[i].name);
		st->versions[i].is_weak = !is_used;
	}
}

static int assign(struct versions *v)
{
	struct symtab *st = v->st;
	int rc = 0;
	if (v->node_cnt || v->list_cnt) {
		st->version = arena_alloc_array(st->arena, st->cnt, sizeof(*st->version), 64);
		rc = st->version ? bind_versioned(v) : -ENOMEM;
	}
	if (!rc)
		rc = make_patterns(v);
	if (rc)
		return rc;
	pool_for(st->in->pool, st->cnt, 4096, match_range, v);
	if (atomic_load(&v->no_memory))
		return -ENOMEM;
	settle_twins(v);
	rc = alias_references(v);
	if (!rc)
		rc = bind_implicit(v);
	if (!rc && st->in->opt->no_undefined_version)
		check_undefined(v);
	mark_weak(v);
	return rc ? rc : diag_errors(st->in->diag) ? -EINVAL : 0;
}

int versions_assign(struct symtab *st)
{
	const struct inputs *in = st->in;
	struct versions v = { .st = st };
	int rc = collect_nodes(&v);
	if (!rc && st->is_dynamic)
		rc = collect_versioned(&v);
	if (!rc && st->is_dynamic && (v.list_cnt || in->list_cnt || in->opt->export_symbol_cnt))
		rc = assign(&v);
	if (!st->is_dynamic)
		st->version_cnt = 0;
	patterns_clear(&v.script);
	patterns_clear(&v.dynamic);
	free(v.nodes);
	free(v.list);
	return rc;
}
