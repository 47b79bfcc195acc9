/* fuzz_object.c - relocatable objects: whatever object_parse lets through must be safe to use in every way readers do. */
#include "fuzz_input.h"
#include "object.h"

enum { UNPACK_MAX = 1 << 20 };

static void check_relocations(const struct object *o, const struct isec *s)
{
	struct rel last = { 0 };
	for (uint32_t i = 0; i < s->rel_cnt; i++) {
		struct rel r;
		rel_get(o, s, i, &r);
		if ((s->flags & SHF_ALLOC) && !s->rel_unsorted && r.off < last.off)
			abort();
		last = r;
	}
	uint32_t *order;
	if (!s->rel_cnt || object_rel_is_sorted(o, s))
		return;
	if (s->type == SHT_NOBITS || ((s->flags & SHF_ALLOC) && !s->rel_unsorted) || object_rel_order(o, s, &order))
		abort();
	for (uint32_t i = 1; i < s->rel_cnt; i++) {
		struct rel a, b;
		rel_get(o, s, order[i - 1], &a);
		rel_get(o, s, order[i], &b);
		if (a.off > b.off || (a.off == b.off && order[i - 1] >= order[i]))
			abort();
	}
	free(order);
}

/* Large ones are left alone: a header may promise more memory than a fuzzer has. */
static bool unpack(struct object *o, const struct isec *s)
{
	uint64_t made;
	if (s->sz > UNPACK_MAX)
		return false;
	struct diag *d = diag_new(0);
	int r = object_unpack(o, (uint32_t)s->off, d, 0, &made);
	fuzz_check_verdict(r, d);
	if (r ? made || isec_bytes(o, s) : made != s->sz || object_unpack(o, (uint32_t)s->off, d, 0, &made) || made)
		abort();
	diag_free(d);
	return !r;
}

static void check_section(struct object *o, const struct isec *s)
{
	fuzz_read(isec_name(o, s), strlen(isec_name(o, s)));
	fuzz_read(isec_plain_name(o, s), strlen(isec_plain_name(o, s)));
	if (s->is_compressed && !unpack(o, s))
		return;
	if (s->type != SHT_NOBITS && s->type != SHT_NULL)
		fuzz_read(isec_bytes(o, s), s->sz);
	if (s->link >= (o->sec_cnt ? o->sec_cnt : 1) || s->group > o->group_cnt || s->p2align > 32)
		abort();
	if (s->kind == ISEC_MERGE) {
		if (!s->entsize || s->sz % s->entsize || !s->sz || s->rel_cnt || (s->flags & SHF_WRITE))
			abort();
		for (uint32_t i = 0; (s->flags & SHF_STRINGS) && i < s->entsize; i++)
			if (isec_bytes(o, s)[s->sz - 1 - i])
				abort();
	}
	check_relocations(o, s);
}

static void check_symbols(const struct object *o, const struct names *names)
{
	if (o->first_global > o->sym_cnt)
		abort();
	for (uint32_t i = 0; i < o->sym_cnt; i++) {
		struct esym e;
		esym_get(o, i, &e);
		if (!i)
			continue;
		fuzz_read(o->strtab + e.name, strlen(o->strtab + e.name));
		if (e.shndx >= o->sec_cnt && e.shndx != OBJ_SHN_ABS && e.shndx != OBJ_SHN_COMMON)
			abort();
		if (i < o->first_global)
			continue;
		const struct name *n = names_get(names, o->names[i - o->first_global]);
		fuzz_check_name(names, o->names[i - o->first_global]);
		if (strncmp(o->strtab + e.name, n->str, n->len))
			abort();
	}
}

static void check_groups(const struct object *o, const struct names *names)
{
	for (uint32_t i = 0; i < o->group_cnt; i++) {
		const struct group *g = &o->groups[i];
		fuzz_check_name(names, g->signature);
		for (uint32_t k = 0; k < g->member_cnt; k++)
			if (!g->members[k] || g->members[k] >= o->sec_cnt || o->secs[g->members[k]].group != i + 1)
				abort();
	}
	for (uint32_t i = 0; i < o->property_cnt; i++)
		fuzz_read(&o->properties[i], sizeof(o->properties[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t sz);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t sz)
{
	if (sz > FUZZ_MAX)
		return 0;
	struct infile f = fuzz_file(data, sz);
	struct names *names = fuzz_names();
	struct diag *d = diag_new(0);
	struct object *o = NULL;
	if (!d || names_reserve(names, object_sym_bound(f.data, f.sz)))
		abort();
	int r = object_parse(&f, 0, f.sz, "fuzz", names, d, 0, &o);
	fuzz_check_verdict(r, d);
	if (!r) {
		for (uint32_t i = 0; i < o->sec_cnt; i++)
			check_section(o, &o->secs[i]);
		check_symbols(o, names);
		check_groups(o, names);
	}
	object_free(o);
	diag_free(d);
	return 0;
}
