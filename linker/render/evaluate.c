/* evaluate.c - one relocation: what it means at these addresses, checked and handed to the CPU's encoder.
 *
 * The psABI letters: S symbol, A addend, P place, G its GOT slot's offset, GOT the table, L its PLT entry, Z its size, TP
 * thread pointer, DTP the module's TLS block. Which relocation becomes what is judge.h's rule, asked with the same facts
 * as while scanning; encoding is the arch's. Discarded targets outside allocated sections get tombstones: 0, or 1 in
 * .debug_loc and .debug_ranges where 0,0 ends a list (DWARF 5 section 2.17.3; what GNU ld and lld do).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "judge.h"
#include "render.h"

void spot_init(struct spot *sp, const struct layout *l, uint32_t file, uint32_t shndx)
{
	const struct object *o = l->in->files[file].obj;
	bool is_alloc = o->secs[shndx].flags & SHF_ALLOC;
	const char *name = isec_name(o, &o->secs[shndx]);
	*sp = (struct spot){
		.l = l, .o = o, .is = &o->secs[shndx], .file = file, .shndx = shndx,
		.va = section_start(l, gsec(l->st, file, shndx)),
		.is_alloc = is_alloc,
		.may_be_plain = is_alloc && l->in->arch->is_rela && !o->secs[shndx].is_rel,
		.is_word_dynamic = l->st->is_pic && (o->secs[shndx].flags & SHF_WRITE),
		.tls_get_addr = l->s->tls_get_addr,
		.tombstone = !is_alloc && (!strcmp(name, ".debug_loc") || !strcmp(name, ".debug_ranges")),
	};
}

static const char *target_name(const struct spot *sp, const struct rel *r, char *buf, size_t sz)
{
	struct target t = { 0 };
	if (!target_get(sp->l->st, sp->o, r->sym, &t))
		return "?";
	if (t.id)
		return symtab_text(sp->l->st, t.id, buf, sz);
	if (t.s.type == STT_SECTION && t.s.shndx < sp->o->sec_cnt)
		return isec_name(sp->o, &sp->o->secs[t.s.shndx]);
	return t.s.name < sp->o->strtab_sz ? sp->o->strtab + t.s.name : "?";
}

static int fail(const struct spot *sp, const struct rel *r, struct fill *f, const char *what)
{
	if (f->why && f->why_sz)
		snprintf(f->why, f->why_sz, "%s:(%s+0x%llx): %s", sp->o->name, isec_name(sp->o, sp->is),
			 (unsigned long long)r->off, what);
	return -EIO;
}

int relocation_outside(const struct spot *sp, const struct rel *r, struct fill *f)
{
	return fail(sp, r, f, "relocation lies outside its section");
}

static int fail_range(const struct spot *sp, const struct rel *r, const struct rel_row *row, struct fill *f, uint64_t v)
{
	char name[200], what[400];
	snprintf(what, sizeof(what),
		 "relocation %s out of range: %lld is not in %s %u-bit field; references '%s'; recompile with "
		 "-mcmodel=medium or shorten the distance", row->name, (long long)v,
		 row->check == CHECK_UNSIGNED ? "an unsigned" : "a signed", row->bits + row->shift,
		 target_name(sp, r, name, sizeof(name)));
	return fail(sp, r, f, what);
}

static uint64_t local_va(const struct layout *l, const struct object *o, uint32_t file, const struct esym *s, int64_t *A)
{
	if (s->shndx >= UINT32_C(0xffff0000) || !s->shndx)
		return s->value;
	if (!sec_is(l->st, gsec(l->st, file, s->shndx), SEC_LIVE))
		return 0;
	if (s->type == STT_SECTION && o->secs[s->shndx].kind != ISEC_REGULAR) {
		/* The addend chooses the piece. */
		uint64_t va = section_va(l, file, s->shndx, s->value + (uint64_t)*A);
		*A = 0;
		return va;
	}
	return section_va(l, file, s->shndx, s->value);
}

uint64_t target_va(const struct layout *l, const struct object *o, uint32_t file, const struct rel *r, int64_t *A)
{
	struct target t = { 0 };
	if (!target_get(l->st, o, r->sym, &t))
		return 0;
	if (t.id)
		return l->va[t.id];
	if (t.flags & SYM_IFUNC) {
		const struct aux *a = aux_local(l->s, file, r->sym);
		if (a && (a->needs & NEED_CPLT))
			return aux_plt_va(l, a);
	}
	return local_va(l, o, file, &t.s, A);
}

static const struct aux *aux_of(const struct spot *sp, const struct target *t, const struct rel *r)
{
	return t->id ? aux_global(sp->l->s, t->id) : aux_local(sp->l->s, sp->file, r->sym);
}

static uint64_t symbol_sz(const struct spot *sp, const struct target *t)
{
	struct esym e;
	if (!t->id)
		return t->s.size;
	uint64_t win = sym_win(sp->l->st, t->id);
	if (win == PROVIDER_NONE || !provider_file(win))
		return 0;
	if (provider_rank(win) == RANK_SHARED)
		return sp->l->in->files[provider_file(win)].shlib->syms[provider_sym(win)].size;
	esym_get(sp->l->in->files[provider_file(win)].obj, provider_sym(win), &e);
	return e.size;
}

static enum relax ask_relax(const struct spot *sp, uint32_t i, const struct rel *r, const struct rel_row *row,
			    const struct target *t)
{
	const struct arch *a = sp->l->in->arch;
	const char *bad = NULL;
	if (!(row->flags & ROW_MAY_RELAX) || !a->relax || !sp->is_alloc || sp->is->kind == ISEC_EH_FRAME)
		return RELAX_NO;
	struct relax_facts facts = judge_facts(sp->l->s, t->flags);
	return a->relax(r->type, isec_bytes(sp->o, sp->is), sp->is->sz, r->off, r->addend,
			judge_next_is_tls_call(sp->l->s, sp->o, sp->is, i, row, sp->tls_get_addr), &facts, &bad);
}

bool relocation_consumes(const struct spot *sp, uint32_t i)
{
	struct rel r;
	struct target t = { 0 };
	rel_get(sp->o, sp->is, i, &r);
	const struct rel_row *row = arch_row(sp->l->in->arch, r.type);
	return row && (row->flags & ROW_CONSUMES_NEXT) && target_get(sp->l->st, sp->o, r.sym, &t) &&
	       ask_relax(sp, i, &r, row, &t) != RELAX_NO;
}

/* An executable's local-dynamic code was relaxed to local-exec, so offsets in its code count from TP (psABI, TLS). */
static uint64_t dtp_base(const struct spot *sp)
{
	bool relaxed = sp->is_alloc && (sp->is->flags & SHF_EXECINSTR) && !sp->l->st->is_shared;
	return relaxed ? sp->l->tp : sp->l->tls_va;
}

#define G(slot) (got_slot_va(l, (slot)))

/* The value of a relocation that is not relaxed. */
static uint64_t evaluate(const struct spot *sp, const struct rel_row *row, const struct target *t, const struct rel *r,
			 uint64_t S, int64_t A, uint64_t P)
{
	const struct layout *l = sp->l;
	const struct aux *a;
	switch (row->kind) {
	case REL_ABS:
		return S + (uint64_t)A;
	case REL_PC:
		return S + (uint64_t)A - P;
	case REL_PAGE_PC:
		return ((S + (uint64_t)A) & ~UINT64_C(4095)) - (P & ~UINT64_C(4095));
	case REL_PLT_PC:
	case REL_PLT_GOTREL: {
		a = t->flags & (SYM_PREEMPT | SYM_IFUNC) ? aux_of(sp, t, r) : NULL;
		uint64_t L = a && aux_plt_va(l, a) ? aux_plt_va(l, a) : S;
		return L + (uint64_t)A - (row->kind == REL_PLT_PC ? P : l->got_base);
	}
	case REL_GOT_OFF:
		a = aux_of(sp, t, r);
		return a ? G(a->got) - l->got_base + (uint64_t)A : 0;
	case REL_GOT_PC:
		a = aux_of(sp, t, r);
		return a ? G(a->got) + (uint64_t)A - P : 0;
	case REL_GOTBASE_PC:
		return l->got_base + (uint64_t)A - P;
	case REL_GOTBASE_REL:
		return S + (uint64_t)A - l->got_base;
	case REL_SIZE:
		return symbol_sz(sp, t) + (uint64_t)A;
	case REL_TLS_LE:
		return S + (uint64_t)A - l->tp;
	case REL_TLS_DTPOFF:
		return S + (uint64_t)A - dtp_base(sp);
	case REL_TLS_LD_PC:
		return G(l->s->tlsld_slot) + (uint64_t)A - P;
	}
	a = aux_of(sp, t, r);
	if (!a)
		return 0;
	switch (row->kind) {
	case REL_TLS_IE_PC:
		return G(a->gottp) + (uint64_t)A - P;
	case REL_TLS_IE_ABS:
		return G(a->gottp) + (uint64_t)A;
	case REL_TLS_GD_PC:
		return G(a->tlsgd) + (uint64_t)A - P;
	case REL_TLS_DESC_PC:
		return G(a->tlsdesc) + (uint64_t)A - P;
	}
	return 0;
}

static struct relax_values relax_values(const struct spot *sp, enum relax rx, const struct rel *r, const struct target *t,
					uint64_t S, int64_t A, uint64_t P)
{
	const struct aux *a = rx == RELAX_GD_TO_IE || rx == RELAX_DESC_TO_IE ? aux_of(sp, t, r) : NULL;
	return (struct relax_values){
		.S = S, .P = P, .A = A, .tpoff = (int64_t)(S - sp->l->tp),
		.got_tp = a ? got_slot_va(sp->l, a->gottp) : 0,
	};
}

/* What a relaxed sequence could not hold, for the message; to the length of an instruction. */
static uint64_t relaxed_value(enum relax rx, const struct relax_values *v)
{
	switch (rx) {
	case RELAX_GOT_TO_PC:
		return v->S + (uint64_t)v->A - v->P;
	case RELAX_GOT_TO_ABS:
		return v->S;
	case RELAX_GD_TO_IE:
	case RELAX_DESC_TO_IE:
		return v->got_tp + (uint64_t)v->A - v->P;
	default:
		return (uint64_t)v->tpoff;
	}
}

/* Relaxes on a copy of the input's bytes, never on what other relocations made of them: where hostile ones overlap, the
 * outcome must not depend on which of them a range covers. Only bytes that change are stored. LOC NULL: none. */
static int rewrite(const struct spot *sp, enum relax rx, const struct rel *r, const struct rel_row *row,
		   const struct target *t, uint64_t S, int64_t A, uint64_t P, uint8_t *loc, struct fill *f)
{
	const uint8_t *in = isec_bytes(sp->o, sp->is);
	uint64_t lo = r->off < row->before ? 0 : r->off - row->before;
	uint64_t hi = sp->is->sz - r->off < row->after ? sp->is->sz : r->off + row->after;
	uint8_t copy[RENDER_EDGE]; /* no footprint is longer */
	memcpy(copy, in + lo, hi - lo);
	struct relax_values v = relax_values(sp, rx, r, t, S, A, P);
	if (!sp->l->in->arch->apply_relax(rx, r->type, copy + (r->off - lo), &v))
		return fail_range(sp, r, row, f, relaxed_value(rx, &v));
	for (uint64_t i = lo; loc && i < hi; i++)
		if (copy[i - lo] != in[i])
			*(loc + (int64_t)(i - r->off)) = copy[i - lo];
	return 0;
}

bool relocation_relax_plain(const struct spot *sp, const struct rel *r, const struct rel_row *row, name_id id, uint8_t *loc,
			    struct fill *f)
{
	const struct target t = { .id = id, .flags = SYM_DEF };
	enum relax rx = ask_relax(sp, 0, r, row, &t); /* which asks for no next one */
	return rx != RELAX_NO && !rewrite(sp, rx, r, row, &t, sp->l->va[id], r->addend, sp->va + r->off, loc, f);
}

static bool is_discarded(const struct spot *sp, const struct target *t)
{
	if (!t->id)
		return t->s.shndx && t->s.shndx < sp->o->sec_cnt &&
		       !sec_is(sp->l->st, gsec(sp->l->st, sp->file, t->s.shndx), SEC_LIVE);
	uint64_t win = sym_win(sp->l->st, t->id);
	if (!(t->flags & SYM_DEF) || win == PROVIDER_NONE || !provider_file(win) || provider_rank(win) == RANK_COMMON)
		return false;
	struct esym e;
	esym_get(sp->l->in->files[provider_file(win)].obj, provider_sym(win), &e);
	return e.shndx < UINT32_C(0xffff0000) &&
	       !sec_is(sp->l->st, gsec(sp->l->st, provider_file(win), e.shndx), SEC_LIVE);
}

static int apply_unloaded(const struct spot *sp, const struct rel *r, const struct rel_row *row, const struct target *t,
			  uint64_t P, uint8_t *loc, struct fill *f)
{
	const struct rel_field *field = &sp->l->in->arch->fields[row->field];
	int64_t A = sp->is->is_rel && field->get ? field->get(loc) : r->addend;
	uint64_t v;
	if (row->kind != REL_ABS && row->kind != REL_PC && row->kind != REL_TLS_DTPOFF && row->kind != REL_SIZE &&
	    row->kind != REL_PLT_PC && row->kind != REL_GOTBASE_REL)
		return fail(sp, r, f, "relocation of a kind that has no meaning outside allocated sections");
	if (is_discarded(sp, t)) {
		v = sp->tombstone;
	} else {
		uint64_t S = target_va(sp->l, sp->o, sp->file, r, &A);
		v = evaluate(sp, row, t, r, S, A, P);
	}
	if (!rel_fits(row, v))
		return fail_range(sp, r, row, f, v);
	field->put(loc, v >> row->shift);
	return 0;
}

static int check_unloaded(const struct spot *sp, const struct rel *r, const struct rel_row *row, struct target *t,
			  struct fill *f)
{
	if (!row)
		return fail(sp, r, f, "unknown relocation type");
	if (!target_get(sp->l->st, sp->o, r->sym, t))
		return fail(sp, r, f, "relocation with a symbol index beyond the symbol table");
	return 0;
}

/* Evaluates one of an allocated section; LOC NULL: only checks. */
static int apply_loaded(const struct spot *sp, uint32_t i, const struct rel *r, const struct rel_row *row,
			const struct target *t, uint64_t P, uint8_t *loc, bool *ret_consumed, struct fill *f)
{
	const struct rel_field *field = &sp->l->in->arch->fields[row->field];
	enum relax rx = ask_relax(sp, i, r, row, t);
	struct verdict v = judge(sp->l->s, row, t->flags, sp->is->flags, rx);
	if (v.act == ACT_ERROR)
		return fail(sp, r, f, v.why);
	if (v.act == ACT_NOTHING)
		return 0;
	if (v.act != ACT_STATIC) { /* the loader writes it; RELA keeps the addend, REL wants it in place */
		if (loc && sp->l->in->arch->is_rela)
			memset(loc, 0, field->size);
		return 0;
	}
	int64_t A = r->addend;
	if (sp->is->is_rel && field->get)
		A = field->get(isec_bytes(sp->o, sp->is) + r->off);
	uint64_t S = target_va(sp->l, sp->o, sp->file, r, &A);
	if (rx != RELAX_NO) {
		*ret_consumed = row->flags & ROW_CONSUMES_NEXT;
		return rewrite(sp, rx, r, row, t, S, A, P, loc, f);
	}
	uint64_t value = evaluate(sp, row, t, r, S, A, P);
	if (!rel_fits(row, value))
		return fail_range(sp, r, row, f, value);
	if (loc)
		field->put(loc, value >> row->shift);
	return 0;
}

int relocation_apply(const struct spot *sp, uint32_t i, const struct rel *r, uint64_t address, uint8_t *loc,
		     bool *ret_consumed, struct fill *f)
{
	const struct rel_row *row = arch_row(sp->l->in->arch, r->type);
	struct target t = { 0 };
	*ret_consumed = false;
	f->relocs++;
	int rc = check_unloaded(sp, r, row, &t, f); /* scanned ones pass */
	if (rc)
		return rc;
	if (row->kind == REL_NONE)
		return 0;
	if (!sp->is_alloc)
		return apply_unloaded(sp, r, row, &t, address, loc, f);
	return apply_loaded(sp, i, r, row, &t, address, loc, ret_consumed, f);
}

int relocation_check(const struct layout *l, uint32_t file, uint32_t shndx, uint32_t rel)
{
	struct spot sp;
	struct rel r;
	struct target t = { 0 };
	char why[512];
	struct fill f = { .why = why, .why_sz = sizeof(why) };
	bool consumed = false;
	*why = 0;
	spot_init(&sp, l, file, shndx);
	rel_get(sp.o, sp.is, rel, &r);
	const struct rel_row *row = arch_row(l->in->arch, r.type);
	if (!row || row->kind == REL_NONE || !target_get(l->st, sp.o, r.sym, &t))
		return 0;
	if (rel && relocation_consumes(&sp, rel - 1))
		return 0;
	uint64_t P = sp.is->kind == ISEC_EH_FRAME ? section_va(l, file, shndx, r.off) : sp.va + r.off;
	int rc = apply_loaded(&sp, rel, &r, row, &t, P, NULL, &consumed, &f);
	if (rc)
		diag_error(l->in->diag, (uint64_t)file << 32 | shndx, "%s", why);
	return rc;
}
