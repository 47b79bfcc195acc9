/* symentry.c - value, section, size, type, binding and visibility of a symbol in the output.
 *
 * Source: gABI ch. 4 "Symbol Table"; psABI "Function Addresses" (an undefined function with a value is a canonical PLT
 * entry); GNU ld's practice for hidden names (local) and IFUNCs with a PLT address (FUNC).
 */
#include "symentry.h"

struct entry {
	uint64_t value, size;
	uint32_t shndx;
	uint8_t type, bind, vis;
};

static void put(const struct layout *l, uint8_t *p, uint32_t str, const struct entry *e)
{
	bool be = l->in->arch->is_be;
	uint8_t info = (uint8_t)(e->bind << 4 | e->type);
	store32(p, str, be);
	if (word_sz(l) == 8) {
		p[4] = info;
		p[5] = e->vis;
		store16(p + 6, (uint16_t)e->shndx, be);
		store64(p + 8, e->value, be);
		store64(p + 16, e->size, be);
	} else {
		store32(p + 4, (uint32_t)e->value, be);
		store32(p + 8, (uint32_t)e->size, be);
		p[12] = info;
		p[13] = e->vis;
		store16(p + 14, (uint16_t)e->shndx, be);
	}
}

/* The output section a section of an object went to. */
static uint32_t out_of(const struct layout *l, uint32_t file, uint32_t shndx)
{
	if (l->in->files[file].obj->secs[shndx].kind == ISEC_EH_FRAME)
		return l->syn_out[SYN_EH_FRAME];
	uint16_t o = l->s->out_of[gsec(l->st, file, shndx)];
	return o == OUT_NONE ? 0 : l->out_index[o];
}

/* The output section that holds an address: for what the linker defines. */
static uint32_t out_at(const struct layout *l, uint64_t va)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < l->out_cnt; i++) {
		const struct out *o = &l->outs[i];
		if ((o->flags & SHF_ALLOC) && va >= o->va && va <= o->va + o->sz && !(o->flags & SHF_TLS)) {
			if (va < o->va + o->sz)
				return i;
			best = i;
		}
	}
	return best;
}

static struct entry of_esym(const struct layout *l, const struct esym *s, uint32_t file)
{
	struct entry e = { .size = s->size, .type = s->type, .bind = s->bind, .vis = s->vis, .shndx = SHN_ABS };
	if (s->shndx >= UINT32_C(0xffff0000) || !s->shndx) {
		e.value = s->value;
		return e;
	}
	e.shndx = out_of(l, file, s->shndx);
	e.value = section_va(l, file, s->shndx, s->value);
	if (s->type == STT_TLS)
		e.value -= l->tls_va;
	return e;
}

static struct entry of_shared(const struct layout *l, name_id id, uint32_t fl, uint64_t win)
{
	const struct shlib_sym *s = &l->in->files[provider_file(win)].shlib->syms[provider_sym(win)];
	struct entry e = { .type = s->type == STT_GNU_IFUNC ? STT_FUNC : s->type, .bind = s->bind };
	if (e.bind == STB_WEAK && (fl & SYM_REF_STRONG))
		e.bind = STB_GLOBAL;
	if (!(fl & SYM_REF_STRONG) && (fl & SYM_REF_OBJ))
		e.bind = STB_WEAK;
	if (fl & NEED_COPY) {
		const struct aux *a = aux_global(l->s, id);
		e.shndx = l->syn_out[a->copy_ro ? SYN_COPY_RO : SYN_COPY];
		e.value = l->va[id];
		e.size = s->size;
		e.bind = s->bind;
	} else if (fl & NEED_CPLT) {
		e.value = l->va[id];
	}
	return e;
}

static struct entry of_linkdef(const struct layout *l, name_id id, uint32_t fl)
{
	struct entry e = { .value = l->va[id], .bind = STB_GLOBAL, .shndx = SHN_ABS };
	if (!(fl & SYM_ABS))
		e.shndx = out_at(l, e.value);
	if (!e.shndx)
		e.shndx = SHN_ABS; /* in no section: the headers, or an expression's result */
	if (fl & SYM_TLS) {
		e.type = STT_TLS;
		e.value -= l->tls_va;
		for (uint32_t i = 1; i < l->out_cnt; i++)
			if ((l->outs[i].flags & SHF_TLS) && (l->outs[i].flags & SHF_ALLOC)) {
				e.shndx = i;
				break;
			}
	}
	return e;
}

static struct entry of_object(const struct layout *l, name_id id, uint32_t fl, uint64_t win)
{
	struct esym s;
	uint32_t file = provider_file(win);
	esym_get(l->in->files[file].obj, provider_sym(win), &s);
	if (provider_rank(win) == RANK_COMMON) {
		struct entry e = { .value = l->va[id], .type = fl & SYM_TLS ? STT_TLS : STT_OBJECT, .bind = s.bind };
		for (uint32_t i = 0; i < l->st->common_cnt; i++)
			if (l->st->commons[i].name == id)
				e.size = l->st->commons[i].sz;
		e.shndx = l->syn_out[fl & SYM_TLS ? SYN_TLS_COMMON : SYN_COMMON];
		if (fl & SYM_TLS)
			e.value -= l->tls_va;
		return e;
	}
	struct entry e = of_esym(l, &s, file);
	if ((fl & SYM_IFUNC) && (fl & NEED_CPLT)) {
		e.type = STT_FUNC;
		e.value = l->va[id];
		e.shndx = l->syn_out[SYN_PLTGOT];
	}
	return e;
}

void symentry_put(const struct layout *l, uint8_t *dst, uint32_t str, name_id id, const struct esym *s, uint32_t file,
		  bool is_dynamic)
{
	struct entry e;
	if (!id) {
		e = of_esym(l, s, file);
		put(l, dst, str, &e);
		return;
	}
	uint32_t fl = sym_flags(l->st, id);
	uint64_t win = sym_win(l->st, id);
	if (win == PROVIDER_NONE || !(fl & (SYM_DEF | SYM_SHARED)))
		e = (struct entry){ .bind = fl & SYM_REF_STRONG ? STB_GLOBAL : STB_WEAK,
				    .type = fl & SYM_TLS ? STT_TLS : STT_NOTYPE };
	else if (provider_rank(win) == RANK_SHARED)
		e = of_shared(l, id, fl, win);
	else if (!provider_file(win))
		e = of_linkdef(l, id, fl);
	else
		e = of_object(l, id, fl, win);
	uint8_t vis = sym_visibility(fl);
	e.vis = vis;
	if (!is_dynamic && (fl & SYM_DEF) && (vis == STV_HIDDEN || vis == STV_INTERNAL || (fl & SYM_LOCAL_VERSION))) {
		e.bind = STB_LOCAL;
	} else if (e.bind == STB_GNU_UNIQUE && !l->in->opt->gnu_unique) {
		e.bind = STB_GLOBAL;
	}
	put(l, dst, str, &e);
}
