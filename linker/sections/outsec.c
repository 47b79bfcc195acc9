/* outsec.c - the built-in layout's input patterns: which output section each input section goes to, and its rank there.
 *
 * The table below is what SECTIONS of GNU ld's default script says with wildcards, as data: output section, prefix, rank.
 * A name that matches nothing is an orphan and keeps its own name. Addresses and the order of output sections come later
 * (layout/order.c). Parallel by object; an output section's own facts are ORs and minima, so no order matters.
 * Source: `ld --verbose` of GNU ld 2.40 (elf_x86_64) for the patterns; its manual, "Orphan Sections".
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sections_priv.h"

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

struct outsec_table {
	pthread_mutex_t lock; /* of adding */
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

static bool is_bits(uint32_t type)
{
	return type == SHT_PROGBITS || type == SHT_NOBITS;
}

/* The type of an output section whose members differ: a special one wins over PROGBITS, PROGBITS over NOBITS. */
static void merge_type(struct outsec *o, uint32_t type)
{
	uint32_t old = atomic_load_explicit(&o->type, memory_order_relaxed);
	for (;;) {
		uint32_t want = old;
		if (old == SHT_NOBITS && type != SHT_NOBITS)
			want = type;
		else if (is_bits(old) && !is_bits(type))
			want = type;
		else if (!is_bits(old) && !is_bits(type) && type > old)
			want = type;
		if (want == old || atomic_compare_exchange_weak(&o->type, &old, want))
			return;
	}
}

static void join(struct outsec *o, uint32_t flags, uint32_t type, uint32_t first)
{
	uint32_t old = atomic_load_explicit(&o->first, memory_order_relaxed);
	if ((atomic_load_explicit(&o->flags, memory_order_relaxed) & flags) != flags)
		atomic_fetch_or(&o->flags, flags);
	merge_type(o, type);
	while (first < old && !atomic_compare_exchange_weak(&o->first, &old, first))
		;
}

static uint16_t find(struct sections *s, const char *name, bool is_alloc, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++)
		if (!strcmp(s->outs[i].name, name) && !!(s->outs[i].flags & SHF_ALLOC) == is_alloc)
			return (uint16_t)i;
	return OUT_NONE;
}

uint16_t outsec_get(struct sections *s, const char *name, uint32_t flags, uint32_t type, uint32_t first)
{
	uint32_t keep = flags & (SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR | SHF_TLS | SHF_GNU_RETAIN |
				 SHF_LINK_ORDER | SHF_MASKPROC);
	uint32_t cnt = atomic_load_explicit(&s->out_cnt, memory_order_acquire);
	uint16_t i = find(s, name, flags & SHF_ALLOC, cnt);
	if (i == OUT_NONE) {
		pthread_mutex_lock(&s->priv->lock);
		cnt = atomic_load(&s->out_cnt);
		i = find(s, name, flags & SHF_ALLOC, cnt);
		if (i == OUT_NONE && cnt < OUTSEC_MAX) {
			i = (uint16_t)cnt;
			s->outs[i] = (struct outsec){ .name = name };
			atomic_init(&s->outs[i].flags, keep);
			atomic_init(&s->outs[i].type, type);
			atomic_init(&s->outs[i].first, first);
			atomic_store_explicit(&s->out_cnt, cnt + 1, memory_order_release);
		}
		pthread_mutex_unlock(&s->priv->lock);
	}
	if (i == OUT_NONE)
		diag_error(s->in->diag, 0, "too many output sections: more than %u different names", OUTSEC_MAX);
	else
		join(&s->outs[i], keep, type, first);
	return i;
}

static bool is_debug(const char *name)
{
	return !strncmp(name, ".debug", 6) || !strncmp(name, ".zdebug", 7) || !strncmp(name, ".gnu.debuglto_", 14) ||
	       !strncmp(name, ".stab", 5) || !strcmp(name, ".line") || !strcmp(name, ".gdb_index");
}

/* Is the section part of the output at all, before garbage collection? */
static bool is_kept(const struct sections *s, const struct object *o, const struct isec *is)
{
	if (is->kind == ISEC_NONE || is->kind == ISEC_PROPERTY || is->kind == ISEC_DISCARD)
		return false;
	return (is->flags & SHF_ALLOC) || s->in->opt->strip == STRIP_NONE || !is_debug(isec_name(o, is));
}

/* The last name seen by a worker's object: sections of one name come in runs. */
static void assign_object(struct symtab *st, uint32_t file, struct sections *s)
{
	const struct object *o = st->in->files[file].obj;
	const char *last_out = NULL;
	uint16_t last = OUT_NONE;
	uint32_t last_flags = 0;
	for (uint32_t i = 1; i < o->sec_cnt; i++) {
		const struct isec *is = &o->secs[i];
		uint32_t gs = gsec(st, file, i);
		outsec_rank rank;
		s->out_of[gs] = OUT_NONE;
		if (!is_kept(s, o, is) || sec_is(st, gs, SEC_DEAD_COMDAT))
			continue;
		const char *out = classify(isec_plain_name(o, is), &rank);
		if (out != last_out || is->flags != last_flags || last == OUT_NONE || s->outs[last].type != is->type) {
			last = outsec_get(s, out, is->flags, is->type, gs);
			last_out = out;
			last_flags = is->flags;
		}
		s->out_of[gs] = last;
		s->rank_of[gs] = rank;
	}
}

static void assign_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct sections *s = ctx;
	(void)worker;
	for (size_t k = begin; k < end; k++)
		assign_object(s->st, s->st->objs[k], s);
}

int outsec_assign(struct sections *s)
{
	s->outs = arena_alloc_array(s->arena, OUTSEC_MAX + 1, sizeof(*s->outs), 64);
	s->out_of = arena_alloc_array(s->arena, s->st->sec_cnt, sizeof(*s->out_of), 64);
	s->rank_of = arena_alloc_array(s->scratch, s->st->sec_cnt, sizeof(*s->rank_of), 64);
	if (!s->outs || !s->out_of || !s->rank_of)
		return -ENOMEM;
	pool_for(s->in->pool, s->st->obj_cnt, 8, assign_range, s);
	return diag_errors(s->in->diag) ? -EINVAL : 0;
}
