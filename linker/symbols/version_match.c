/* version_match.c - which rule of the version scripts, and whether the dynamic lists, mean a name.
 *
 * The precedence is GNU ld's: the first exact pattern in the order of the nodes, global before local inside one; else a
 * wildcard pattern that is global, of the last node that has one; else a local one; else a global "*", else a local "*".
 * Exact C names were looked up beforehand (versions.c); here are the C++ ones and the wildcards, made once per link and
 * asked from many threads. A pattern that is a prefix and one star needs no fnmatch.
 * Source: GNU ld manual, "VERSION Command", --dynamic-list, --export-dynamic-symbol.
 */
#include "version_match.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "demangle.h"

/* In the order of precedence. */
enum glob_class { GLOB_GLOBAL, GLOB_LOCAL, GLOB_STAR_GLOBAL, GLOB_STAR_LOCAL };

struct glob {
	const char *text;
	size_t prefix_len;     /* characters before the first wildcard */
	bool is_prefix, is_cxx;
	uint8_t class;
	uint32_t rule;
};

struct cxx_name {
	const char *text;
	uint32_t rule;
	atomic_bool is_hit;
};

void subject_set(struct subject *s, const char *str, size_t len)
{
	free(s->demangled);
	s->demangled = NULL;
	s->str = str;
	s->len = len;
	s->is_copied = s->is_demangled = false;
}

void subject_clear(struct subject *s)
{
	free(s->demangled);
	free(s->copy);
	*s = (struct subject){ 0 };
}

/* The name, NUL-terminated; NULL without memory. */
static const char *plain(struct subject *s)
{
	if (s->is_copied)
		return s->copy;
	if (s->cap <= s->len) {
		char *p = realloc(s->copy, s->len * 2 + 64);
		s->no_memory |= !p;
		if (!p)
			return NULL;
		s->copy = p;
		s->cap = s->len * 2 + 64;
	}
	memcpy(s->copy, s->str, s->len);
	s->copy[s->len] = 0;
	s->is_copied = true;
	return s->copy;
}

/* The same, demangled: a name that is not mangled stands for itself. */
static const char *demangled(struct subject *s)
{
	const char *name = plain(s);
	if (name && !s->is_demangled) {
		s->demangled = demangle(name);
		s->is_demangled = true;
	}
	return s->demangled ? s->demangled : name;
}

static bool glob_matches(const struct glob *g, struct subject *s)
{
	if (!g->is_cxx && (s->len < g->prefix_len || memcmp(s->str, g->text, g->prefix_len)))
		return false;
	if (g->is_prefix && (!g->is_cxx || !g->prefix_len))
		return true;
	const char *name = g->is_cxx ? demangled(s) : plain(s);
	return name && !fnmatch(g->text, name, 0);
}

bool version_pattern_matches(const struct version_pattern *p, struct subject *s)
{
	if (p->is_exact && !p->is_cxx)
		return strlen(p->pattern) == s->len && !memcmp(p->pattern, s->str, s->len);
	const char *name = p->is_cxx ? demangled(s) : plain(s);
	return name && !(p->is_exact ? strcmp(p->pattern, name) : fnmatch(p->pattern, name, 0));
}

static int by_precedence(const void *x, const void *y)
{
	const struct glob *a = x, *b = y;
	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	return a->rule > b->rule ? -1 : a->rule < b->rule; /* of one class the last node */
}

static int by_text(const void *x, const void *y)
{
	const struct cxx_name *a = x, *b = y;
	int c = strcmp(a->text, b->text);
	return c ? c : a->rule < b->rule ? -1 : a->rule > b->rule;
}

void patterns_add(struct patterns *p, const struct version_pattern *v, uint32_t rule)
{
	if (v->is_exact && v->is_cxx) {
		p->names[p->name_cnt++] = (struct cxx_name){ .text = v->pattern, .rule = rule };
	} else if (!v->is_exact) {
		bool is_star = !strcmp(v->pattern, "*");
		size_t prefix = strcspn(v->pattern, "*?[\\");
		p->globs[p->glob_cnt++] = (struct glob){
			.text = v->pattern, .prefix_len = prefix, .is_cxx = v->is_cxx, .rule = rule,
			.is_prefix = v->pattern[prefix] == '*' && !v->pattern[prefix + 1],
			.class = (is_star ? GLOB_STAR_GLOBAL : GLOB_GLOBAL) + (v->is_local ? 1 : 0),
		};
	}
	p->has_cxx |= v->is_cxx;
}

int patterns_init(struct patterns *p, size_t cap)
{
	p->globs = calloc(cap + 1, sizeof(*p->globs));
	p->names = calloc(cap + 1, sizeof(*p->names));
	return p->globs && p->names ? 0 : -ENOMEM;
}

void patterns_sort(struct patterns *p)
{
	qsort(p->globs, p->glob_cnt, sizeof(*p->globs), by_precedence);
	qsort(p->names, p->name_cnt, sizeof(*p->names), by_text);
}

static int by_glob_text(const void *x, const void *y)
{
	const struct glob *a = x, *b = y;
	if (a->is_cxx != b->is_cxx)
		return a->is_cxx - b->is_cxx;
	return strcmp(a->text, b->text);
}

int patterns_conflict(const struct patterns *p, const char **ret_text)
{
	struct glob *g = calloc(p->glob_cnt + 1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	*ret_text = NULL;
	memcpy(g, p->globs, p->glob_cnt * sizeof(*g));
	qsort(g, p->glob_cnt, sizeof(*g), by_glob_text);
	for (size_t i = 1; i < p->glob_cnt; i++)
		if (!by_glob_text(&g[i - 1], &g[i]) && (g[i - 1].rule ^ g[i].rule) & RULE_LOCAL)
			*ret_text = g[i].text;
	for (size_t i = 1; i < p->name_cnt; i++)
		if (!strcmp(p->names[i - 1].text, p->names[i].text) &&
		    (p->names[i - 1].rule ^ p->names[i].rule) & RULE_LOCAL)
			*ret_text = p->names[i].text;
	free(g);
	return 0;
}

void patterns_clear(struct patterns *p)
{
	free(p->globs);
	free(p->names);
	*p = (struct patterns){ 0 };
}

/* The first rule that gives this C++ name. */
static struct cxx_name *find_name(const struct patterns *p, const char *text)
{
	size_t lo = 0, hi = p->name_cnt;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (strcmp(p->names[mid].text, text) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < p->name_cnt && !strcmp(p->names[lo].text, text) ? &p->names[lo] : NULL;
}

uint32_t patterns_match(const struct patterns *p, struct subject *s, uint32_t exact)
{
	const char *name = p->name_cnt ? demangled(s) : NULL;
	struct cxx_name *cxx = name ? find_name(p, name) : NULL;
	for (struct cxx_name *c = cxx; c && c < p->names + p->name_cnt && !strcmp(c->text, name); c++)
		atomic_store_explicit(&c->is_hit, true, memory_order_relaxed);
	if (cxx && cxx->rule < exact)
		exact = cxx->rule;
	for (size_t i = 0; exact == RULE_NONE && i < p->glob_cnt; i++)
		if (glob_matches(&p->globs[i], s))
			return p->globs[i].rule;
	return exact;
}

const char *patterns_missed(const struct patterns *p, size_t *at, uint32_t *ret_rule)
{
	while (*at < p->name_cnt) {
		const struct cxx_name *c = &p->names[(*at)++];
		*ret_rule = c->rule;
		if (!atomic_load_explicit(&c->is_hit, memory_order_relaxed))
			return c->text;
	}
	return NULL;
}
