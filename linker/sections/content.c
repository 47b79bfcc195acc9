/* content.c - the built-in layout's input patterns, and the rows of sections that were classified by them (content.h).
 *
 * The table below is what SECTIONS of GNU ld's default script says with wildcards, as data: output section, prefix, rank.
 * A name that matches nothing is an orphan and keeps its own name.
 * Source: `ld --verbose` of GNU ld 2.40 (elf_x86_64) for the patterns; its manual, "Orphan Sections".
 */
#include "content.h"

#include <stdlib.h>
#include <string.h>

struct pattern {
	const char *prefix;  /* matches itself, and itself followed by '.' and anything */
	const char *out;
	outsec_rank rank;
};

/* More special patterns first. */
static const struct pattern patterns[] = {
	{ ".text.unlikely", ".text", 0 },
	{ ".text.exit", ".text", 1 },
	{ ".text.startup", ".text", 2 },
	{ ".text.hot", ".text", 3 },
	{ ".text.sorted", ".text", 4 },
	{ ".text", ".text", 5 },
	{ ".rodata", ".rodata", 0 },
	{ ".data.rel.ro.local", ".data.rel.ro", 0 },
	{ ".data.rel.ro", ".data.rel.ro", 1 },
	{ ".bss.rel.ro", ".bss.rel.ro", 0 },
	{ ".data", ".data", 0 },
	{ ".bss", ".bss", 0 },
	{ ".tdata", ".tdata", 0 },
	{ ".tbss", ".tbss", 0 },
	{ ".gcc_except_table", ".gcc_except_table", 0 },
	{ ".gnu.linkonce.t", ".text", 5 },
	{ ".gnu.linkonce.r", ".rodata", 0 },
	{ ".gnu.linkonce.d", ".data", 0 },
	{ ".gnu.linkonce.b", ".bss", 0 },
	{ ".gnu.linkonce.wi", ".debug_info", 0 },
	{ ".ldata", ".ldata", 0 },
	{ ".lrodata", ".lrodata", 0 },
	{ ".lbss", ".lbss", 0 },
};

/* Arrays of function pointers: SORT_BY_INIT_PRIORITY. Without a priority they come last. */
static const struct {
	const char *prefix;
	bool reversed; /* .ctors.N counts down */
} arrays[] = {
	{ ".init_array", false }, { ".fini_array", false }, { ".preinit_array", false },
	{ ".ctors", true },       { ".dtors", true },
};

static bool matches(const char *name, const char *prefix, const char **ret_rest)
{
	size_t n = strlen(prefix);
	if (strncmp(name, prefix, n) || (name[n] && name[n] != '.'))
		return false;
	*ret_rest = name + n;
	return true;
}

/* Priorities are numbers of 0 to 65535; .ctors.N stands for priority 65535 - N. */
static outsec_rank priority_rank(const char *rest, bool reversed)
{
	char *end;
	if (*rest != '.')
		return reversed ? 0 : UINT16_MAX;
	unsigned long n = strtoul(rest + 1, &end, 10);
	if (*end || end == rest + 1 || n > 65535)
		return reversed ? 0 : UINT16_MAX;
	return (outsec_rank)(n == UINT16_MAX ? UINT16_MAX - 1 : n);
}

static const char *classify(const char *name, outsec_rank *ret_rank)
{
	const char *rest;
	*ret_rank = 0;
	if (name[0] != '.')
		return name;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
		if (name[1] == patterns[i].prefix[1] && matches(name, patterns[i].prefix, &rest)) {
			*ret_rank = patterns[i].rank;
			return patterns[i].out;
		}
	for (size_t i = 0; i < sizeof(arrays) / sizeof(*arrays); i++)
		if (name[1] == arrays[i].prefix[1] && matches(name, arrays[i].prefix, &rest)) {
			*ret_rank = priority_rank(rest, arrays[i].reversed);
			return arrays[i].prefix;
		}
	return name;
}

static bool is_debug(const char *name)
{
	return !strncmp(name, ".debug", 6) || !strncmp(name, ".zdebug", 7) || !strncmp(name, ".gnu.debuglto_", 14) ||
	       !strncmp(name, ".stab", 5) || !strcmp(name, ".line") || !strcmp(name, ".gdb_index");
}

uint32_t outsec_hash(const char *name)
{
	uint32_t h = 5381;
	while (*name)
		h = h * 33 + (unsigned char)*name++;
	return h;
}

static bool is_content(const struct isec *is)
{
	return is->kind != ISEC_NONE && is->kind != ISEC_PROPERTY && is->kind != ISEC_DISCARD;
}

/* Classes while rows are made. */
struct classing {
	struct content_class *list;
	uint32_t cnt, cap;
	uint32_t last; /* sections of one class come in runs */
	bool no_memory;
};

static bool is_of_class(const struct content_class *a, const struct content_class *b)
{
	return a->flags == b->flags && a->type == b->type && a->is_debug == b->is_debug &&
	       (a->out == b->out || !strcmp(a->out, b->out));
}

static uint32_t class_of(struct classing *c, const struct object *o, const struct isec *is, outsec_rank *ret_rank)
{
	struct content_class want = { .flags = is->flags, .type = is->type, .is_debug = is_debug(isec_name(o, is)) };
	want.out = classify(isec_plain_name(o, is), ret_rank);
	if (c->cnt && is_of_class(&c->list[c->last], &want))
		return c->last;
	for (c->last = 0; c->last < c->cnt; c->last++)
		if (is_of_class(&c->list[c->last], &want))
			return c->last;
	if (c->cnt == c->cap) {
		uint32_t cap = c->cap ? c->cap * 2 : 16;
		struct content_class *p = realloc(c->list, cap * sizeof(*p));
		c->no_memory |= !p;
		c->last = 0;
		if (!p)
			return 0;
		c->list = p;
		c->cap = cap;
	}
	want.hash = outsec_hash(want.out);
	c->last = c->cnt++;
	c->list[c->last] = want;
	return c->last;
}

static struct content *make(const struct object *o)
{
	struct classing c = { 0 };
	uint32_t cnt = 0, at = 0;
	for (uint32_t i = 1; i < o->sec_cnt; i++)
		cnt += is_content(&o->secs[i]);
	struct content_row *rows = malloc(((size_t)cnt + 1) * sizeof(*rows));
	for (uint32_t i = 1; rows && i < o->sec_cnt; i++) {
		const struct isec *is = &o->secs[i];
		if (!is_content(is))
			continue;
		struct content_row *row = &rows[at++];
		*row = (struct content_row){ .sec = i, .rel_cnt = is->rel_cnt, .sz = is->sz, .p2align = is->p2align,
					     .kind = is->kind };
		row->class = class_of(&c, o, is, &row->rank);
	}
	struct content *x = NULL;
	if (rows && !c.no_memory)
		x = malloc(sizeof(*x) + cnt * sizeof(*rows) + c.cnt * sizeof(*c.list));
	if (x) {
		*x = (struct content){ .cnt = cnt, .class_cnt = c.cnt };
		x->classes = (struct content_class *)(void *)(x->rows + cnt);
		memcpy(x->rows, rows, cnt * sizeof(*rows));
		if (c.cnt)
			memcpy(x->classes, c.list, c.cnt * sizeof(*c.list));
		while (x->first_eh < cnt && rows[x->first_eh].kind != ISEC_EH_FRAME)
			x->first_eh++;
	}
	free(rows);
	free(c.list);
	return x;
}

const struct content *content_get(struct object *o)
{
	struct object_product *none = NULL;
	if (content_of(o))
		return content_of(o);
	struct content *x = make(o);
	/* The first to publish wins: the same object may stand on the command line twice. */
	if (!x || atomic_compare_exchange_strong(&o->content, &none, &x->product))
		return x;
	free(x);
	return content_of(o);
}
