/* slots.c - GOT slots, PLT entries and copies for every symbol that scanning found to need one.
 *
 * Rows are ordered by who provides the symbol (file, index), which is the same in every run; names nobody provides come
 * last by their text. After this: sizes of .got, .plt and of the copies are known.
 * Source: psABI ch. 5 "Global Offset Table", "Procedure Linkage Table", ELF TLS (Drepper) for the pairs; GNU ld's
 * practice of .plt.got (a symbol with a GOT slot needs no lazy slot beside it).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sections_priv.h"

uint32_t aux_flags(const struct sections *s, const struct aux *a)
{
	struct esym e;
	if (a->name)
		return sym_flags(s->st, a->name);
	const struct object *o = s->in->files[a->key >> 32].obj;
	if (!(uint32_t)a->key && !o->sym_cnt)
		return SYM_DEF | SYM_ABS;
	esym_get(o, (uint32_t)a->key, &e);
	return SYM_DEF | (e.type == STT_TLS ? SYM_TLS : 0) | (e.type == STT_GNU_IFUNC ? SYM_IFUNC | SYM_FUNC : 0) |
	       (e.shndx >= UINT32_C(0xffff0000) || !e.shndx ? SYM_ABS : 0);
}

static int by_provider(const void *x, const void *y, void *ctx)
{
	const struct aux *a = x, *b = y;
	const struct sections *s = ctx;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	if (!a->name || !b->name)
		return a->name < b->name ? -1 : a->name > b->name;
	return names_compare(s->in->names, a->name, b->name);
}

/* ---- names that something is made for ---- */

enum { ASKED_STEP = 8192 };

struct asking {
	const struct symtab *st;
	name_id *list;  /* room for each step's at its start */
	uint32_t *cnt;  /* by step */
};

static void ask_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	const struct asking *j = ctx;
	uint32_t n = 0;
	(void)worker;
	for (size_t id = begin; id < end; id++) {
		j->list[begin + n] = (name_id)id;
		n += id && (sym_flags(j->st, (name_id)id) & (NEED_ANY | SYM_EXPORT));
	}
	j->cnt[begin / ASKED_STEP] = n;
}

/* Of all names only a few are asked for anything: the passes from here on walk these alone. */
static int list_asked(struct sections *s)
{
	uint32_t steps = s->st->cnt / ASKED_STEP + 1, at = 0;
	struct asking j = { s->st, malloc(((size_t)s->st->cnt + 1) * sizeof(*j.list)), calloc(steps, sizeof(*j.cnt)) };
	if (!j.list || !j.cnt) {
		free(j.list);
		free(j.cnt);
		return -ENOMEM;
	}
	pool_for(s->in->pool, s->st->cnt, ASKED_STEP, ask_range, &j);
	for (uint32_t i = 0; i < steps; i++) {
		memmove(j.list + at, j.list + (size_t)i * ASKED_STEP, j.cnt[i] * sizeof(*j.list));
		at += j.cnt[i];
	}
	free(j.cnt);
	free(s->priv->asked);
	s->priv->asked = j.list;
	s->priv->asked_cnt = at;
	return 0;
}

/* ---- copies ---- */

static const struct shlib_sym *shared_sym(const struct sections *s, name_id id)
{
	uint64_t win = sym_win(s->st, id);
	if (win == PROVIDER_NONE || provider_rank(win) != RANK_SHARED)
		return NULL;
	return &s->in->files[provider_file(win)].shlib->syms[provider_sym(win)];
}

/* Other names of the same object in the library must mean the copy too: environ and __environ. Has one got it? */
static bool copy_aliases(struct sections *s)
{
	const uint32_t want = NEED_COPY | NEED_DYNSYM;
	bool any = false;
	for (uint32_t k = 0; k < s->priv->asked_cnt; k++) {
		name_id id = s->priv->asked[k];
		if (!(sym_flags(s->st, id) & NEED_COPY))
			continue;
		const struct shlib_sym *sym = shared_sym(s, id);
		const struct shlib *so = sym ? s->in->files[provider_file(sym_win(s->st, id))].shlib : NULL;
		for (uint32_t i = 0; so && i < so->sym_cnt; i++) {
			const struct shlib_sym *a = &so->syms[i];
			if (a->is_undef || a->value != sym->value || a->type == STT_TLS || a->type == STT_FUNC ||
			    a->name == id || shared_sym(s, a->name) != a)
				continue;
			any |= (sym_flags(s->st, a->name) & want) != want;
			sym_add_flags(s->st, a->name, want);
		}
	}
	return any;
}

static int by_address(const void *x, const void *y, void *ctx)
{
	const struct sections *s = ctx;
	const struct aux *a = &s->aux[*(const uint32_t *)x], *b = &s->aux[*(const uint32_t *)y];
	uint64_t va = shared_sym(s, a->name)->value, vb = shared_sym(s, b->name)->value;
	if (a->key >> 32 != b->key >> 32)
		return a->key >> 32 < b->key >> 32 ? -1 : 1;
	if (va != vb)
		return va < vb ? -1 : 1;
	return a->key < b->key ? -1 : a->key > b->key;
}

static void check_copy(struct sections *s, const struct aux *a, const struct shlib_sym *sym)
{
	char buf[256];
	const char *why = s->in->opt->z_nocopyreloc	  ? "-z nocopyreloc forbids a copy relocation"
			  : sym->vis == STV_PROTECTED ? "it is protected in the shared library"
			  : !sym->size		      ? "its size in the shared library is 0"
			  : sym->size >> 46	      ? "its size in the shared library is larger than an address space"
			  : sym->type == STT_TLS      ? "it is thread-local in the shared library"
						      : NULL;
	if (why)
		diag_error(s->in->diag, a->key, "cannot copy symbol %s from %s: %s; recompile with -fPIC",
			   symtab_text(s->st, a->name, buf, sizeof(buf)),
			   inputs_name(&s->in->files[a->key >> 32]), why);
}

/* Names with one address share one copy; the largest of their sizes counts. */
static int place_copies(struct sections *s)
{
	uint32_t cnt = 0;
	uint32_t *list = malloc(((size_t)s->aux_cnt + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->aux_cnt; i++)
		if ((s->aux[i].needs & NEED_COPY) && s->aux[i].name && shared_sym(s, s->aux[i].name))
			list[cnt++] = i;
	qsort_r(list, cnt, sizeof(*list), by_address, s);
	s->copy_align[0] = s->copy_align[1] = 1;
	for (uint32_t i = 0, n; i < cnt; i += n) {
		struct aux *a = &s->aux[list[i]];
		const struct shlib_sym *sym = shared_sym(s, a->name);
		uint64_t sz = 0, align = UINT64_C(1) << (sym->align_shift < 32 ? sym->align_shift : 32);
		bool ro = sym->is_readonly;
		struct aux *lead = a;
		for (n = 0; i + n < cnt; n++) {
			struct aux *b = &s->aux[list[i + n]];
			const struct shlib_sym *alias = shared_sym(s, b->name);
			if (b->key >> 32 != a->key >> 32 || alias->value != sym->value)
				break;
			lead = alias->size > sz ? b : lead;
			sz = alias->size > sz ? alias->size : sz;
		}
		check_copy(s, lead, shared_sym(s, lead->name));
		lead->copy_lead = true;
		s->copy_cnt++;
		s->copy_sz[ro] = (s->copy_sz[ro] + align - 1) & ~(align - 1);
		for (uint32_t k = 0; k < n; k++) {
			s->aux[list[i + k]].copy_off = s->copy_sz[ro];
			s->aux[list[i + k]].copy_ro = ro;
		}
		s->copy_sz[ro] += sz >> 46 ? 0 : sz; /* an error was reported */
		s->copy_align[ro] = align > s->copy_align[ro] ? align : s->copy_align[ro];
	}
	free(list);
	return 0;
}

/* ---- slots ---- */

static uint32_t add_slot(struct sections *s, uint32_t aux, uint8_t kind)
{
	s->got[s->got_cnt] = (struct got_slot){ aux, kind };
	return s->got_cnt++;
}

static void assign(struct sections *s, uint32_t i)
{
	struct aux *a = &s->aux[i];
	uint32_t fl = aux_flags(s, a);
	bool ifunc = (fl & SYM_IFUNC) && !(fl & SYM_PREEMPT);
	bool branch = a->needs & (NEED_PLT | NEED_CPLT);
	a->got = a->gottp = a->tlsgd = a->tlsdesc = a->plt = a->pltgot = a->got_ifunc = SLOT_NONE;
	if (ifunc && (branch || (a->needs & NEED_GOT)))
		a->got_ifunc = add_slot(s, i, GOT_IFUNC);
	if (a->needs & NEED_GOT)
		a->got = ifunc && !(a->needs & NEED_CPLT) ? a->got_ifunc : add_slot(s, i, GOT_ADDR);
	if (a->needs & NEED_GOTTP)
		a->gottp = add_slot(s, i, GOT_TPOFF);
	if (a->needs & NEED_TLSGD) {
		a->tlsgd = add_slot(s, i, GOT_DTPMOD);
		add_slot(s, i, GOT_DTPOFF);
	}
	if (a->needs & NEED_TLSDESC) {
		a->tlsdesc = add_slot(s, i, GOT_DESC);
		add_slot(s, i, GOT_DESC_2);
	}
	if (!branch)
		return;
	if (ifunc || (a->got != SLOT_NONE && !(a->needs & NEED_CPLT))) {
		a->pltgot = s->pltgot_cnt;
		s->pltgot[s->pltgot_cnt++] = i;
	} else {
		a->plt = s->plt_cnt;
		s->plt[s->plt_cnt++] = i;
	}
}

enum got_rel got_relocation(const struct sections *s, const struct got_slot *slot, uint32_t *ret_type,
			    bool *ret_by_name)
{
	const struct arch_dyn *dyn = &s->in->arch->dyn;
	uint32_t fl = slot->kind >= GOT_LD ? 0 : aux_flags(s, &s->aux[slot->aux]);
	bool import = fl & SYM_PREEMPT;
	*ret_by_name = import;
	*ret_type = 0;
	switch (slot->kind) {
	case GOT_ADDR:
		*ret_type = dyn->glob_dat;
		if (import)
			return GOT_REL_SYMBOLIC;
		return s->st->is_pic && !(fl & SYM_ABS) ? GOT_REL_RELATIVE : GOT_REL_NONE;
	case GOT_IFUNC:
		return GOT_REL_IRELATIVE;
	case GOT_TPOFF:
		*ret_type = dyn->tpoff;
		return import || s->st->is_shared ? GOT_REL_SYMBOLIC : GOT_REL_NONE;
	case GOT_DTPMOD:
	case GOT_LD:
		*ret_type = dyn->dtpmod;
		return import || s->st->is_shared ? GOT_REL_SYMBOLIC : GOT_REL_NONE;
	case GOT_DTPOFF:
		*ret_type = dyn->dtpoff;
		return import ? GOT_REL_SYMBOLIC : GOT_REL_NONE;
	case GOT_DESC:
		*ret_type = dyn->tlsdesc;
		return GOT_REL_SYMBOLIC;
	default:
		return GOT_REL_NONE;
	}
}

static void count_got_relocations(struct sections *s)
{
	uint32_t type;
	bool by_name;
	for (uint32_t i = 0; i < s->got_cnt; i++) {
		enum got_rel r = got_relocation(s, &s->got[i], &type, &by_name);
		s->got_relative += r == GOT_REL_RELATIVE;
		s->got_irelative += r == GOT_REL_IRELATIVE;
		s->got_symbolic += r == GOT_REL_SYMBOLIC;
	}
}

/* Scanning left the local rows in s->aux; the global ones join them. */
static int collect(struct sections *s)
{
	uint32_t globals = 0, n = s->aux_cnt;
	for (uint32_t i = 0; i < s->priv->asked_cnt; i++)
		globals += (sym_flags(s->st, s->priv->asked[i]) & NEED_ANY) != 0;
	struct aux *all = arena_alloc_array(s->arena, (size_t)n + globals + 1, sizeof(*all), 8);
	uint32_t slots = 16;
	while (slots < 2 * globals)
		slots *= 2;
	s->aux_slots = arena_alloc_array(s->arena, slots, sizeof(*s->aux_slots), 64);
	if (!all || !s->aux_slots)
		return -ENOMEM;
	s->aux_mask = slots - 1;
	memcpy(all, s->aux, n * sizeof(*all));
	for (uint32_t i = 0; i < s->priv->asked_cnt; i++) {
		name_id id = s->priv->asked[i];
		uint32_t fl = sym_flags(s->st, id);
		uint64_t win = sym_win(s->st, id);
		if (fl & NEED_ANY)
			all[n++] = (struct aux){ .key = win == PROVIDER_NONE ? UINT64_MAX
									     : win & ~(UINT64_C(15) << 60),
						 .name = id, .needs = fl & NEED_ANY };
	}
	s->aux = all;
	s->aux_cnt = n;
	qsort_r(s->aux, n, sizeof(*s->aux), by_provider, s);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = aux_hash(s->aux[i].name) & s->aux_mask;
		while (s->aux[i].name && s->aux_slots[k])
			k = (k + 1) & s->aux_mask;
		if (s->aux[i].name)
			s->aux_slots[k] = i + 1;
	}
	return 0;
}

const struct aux *aux_local(const struct sections *s, uint32_t file, uint32_t sym)
{
	uint64_t key = (uint64_t)file << 32 | sym;
	uint32_t lo = 0, hi = s->aux_cnt;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (s->aux[mid].key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->aux_cnt && s->aux[lo].key == key && !s->aux[lo].name ? &s->aux[lo] : NULL;
}

int slots_assign(struct sections *s)
{
	int rc = list_asked(s);
	if (!rc && copy_aliases(s)) /* they are asked for now as well */
		rc = list_asked(s);
	if (!rc)
		rc = collect(s);
	if (rc)
		return rc;
	size_t n = (size_t)s->aux_cnt + 1;
	s->got = arena_alloc_array(s->arena, 7 * n + 2, sizeof(*s->got), 8);
	s->plt = arena_alloc_array(s->arena, n, sizeof(*s->plt), 8);
	s->pltgot = arena_alloc_array(s->arena, n, sizeof(*s->pltgot), 8);
	if (!s->got || !s->plt || !s->pltgot)
		return -ENOMEM;
	if (s->needs_tlsld) {
		s->tlsld_slot = add_slot(s, 0, GOT_LD);
		add_slot(s, 0, GOT_LD_2);
	}
	for (uint32_t i = 0; i < s->aux_cnt; i++)
		assign(s, i);
	count_got_relocations(s);
	if ((rc = place_copies(s)))
		return rc;
	return diag_errors(s->in->diag) ? -EINVAL : 0;
}
