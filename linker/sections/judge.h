/* judge.h - what becomes of one relocation of an allocated section: the single rule that scanning and rendering share.
 *
 * Scanning asks to learn what must be made (GOT and PLT entries, copies, dynamic relocations) and to report errors;
 * rendering asks again, with the same facts, and so cannot come to another answer. Nothing here depends on addresses.
 *
 * Rows of the tables, in the manner of the psABI's and of GNU ld's practice; "imported" is SYM_PREEMPT:
 *	word-sized absolute: PIC: imported -> symbolic, defined here -> RELATIVE; else writable: imported -> symbolic,
 *	                     read-only: function -> canonical PLT, data -> copy
 *	narrow absolute:     PIC: error unless the value is absolute; else imported -> canonical PLT or copy
 *	PC-relative:         shared: imported is an error; executable: imported -> canonical PLT or copy
 *	branch:              imported or IFUNC -> PLT entry
 * An IFUNC whose address is taken other than through the GOT gets a canonical PLT entry, so that all addresses of it
 * are equal.
 */
#ifndef LINKFS_JUDGE_H
#define LINKFS_JUDGE_H

#include "sections.h"

enum act {
	ACT_STATIC,   /* evaluate and store */
	ACT_RELATIVE, /* a RELATIVE dynamic relocation; the field stays zero */
	ACT_SYMBOLIC, /* a dynamic relocation by name; the field stays zero */
	ACT_NOTHING,  /* no bytes of its own */
	ACT_ERROR,
};

struct verdict {
	uint8_t act;
	uint32_t needs;     /* NEED_ bits */
	const char *why;    /* ACT_ERROR: "cannot be used against ...; recompile with -fPIC" */
};

/* What a relocation points at. */
struct target {
	name_id id;         /* 0: a local symbol */
	uint32_t flags;     /* SYM_ facts */
	struct esym s;      /* local symbols only */
};

/* false: the symbol index lies outside the table. */
static inline bool target_get(const struct symtab *st, const struct object *o, uint32_t sym, struct target *ret)
{
	if (sym >= o->sym_cnt)
		return false;
	if (sym >= o->first_global && o->sym_cnt) {
		name_id id = o->names[sym - o->first_global];
		if (__builtin_expect(st->wrap_cnt != 0, 0)) {
			struct esym s;
			esym_get(o, sym, &s);
			id = sym_name(st, o, sym, s.shndx == SHN_UNDEF);
		}
		ret->id = id;
		ret->flags = sym_flags(st, id);
		return true;
	}
	ret->id = 0;
	if (!o->sym_cnt) {
		ret->s = (struct esym){ .shndx = OBJ_SHN_ABS };
		ret->flags = SYM_DEF | SYM_ABS;
		return true;
	}
	esym_get(o, sym, &ret->s);
	ret->flags = SYM_DEF;
	if (ret->s.shndx >= UINT32_C(0xffff0000) || ret->s.shndx == SHN_UNDEF)
		ret->flags |= SYM_ABS;
	else if (ret->s.value > o->secs[ret->s.shndx].sz || !(o->secs[ret->s.shndx].flags & SHF_ALLOC))
		ret->flags |= SYM_OUTSIDE;
	if (ret->s.type == STT_TLS)
		ret->flags |= SYM_TLS;
	if (ret->s.type == STT_GNU_IFUNC)
		ret->flags |= SYM_IFUNC | SYM_FUNC;
	return true;
}

static inline struct relax_facts judge_facts(const struct sections *s, uint32_t flags)
{
	return (struct relax_facts){
		.shared = s->st->is_shared,
		.pic = s->st->is_pic,
		.preemptible = flags & SYM_PREEMPT,
		.is_ifunc = flags & SYM_IFUNC,
		.is_absolute = flags & SYM_ABS,
		.small_image = s->small_image && !(flags & SYM_OUTSIDE),
		.low_image = s->low_image && !(flags & SYM_OUTSIDE),
		.is_low = flags & SYM_UNDEF_WEAK,
	};
}

/* Is relocation I + 1 the call that a TLS sequence at I, which has row THIS, needs? false where that consumes none. */
static inline bool judge_next_is_tls_call(const struct sections *s, const struct object *o, const struct isec *is,
					  uint32_t i, const struct rel_row *this, name_id tls_get_addr)
{
	struct rel next;
	struct target t;
	if (!(this->flags & ROW_CONSUMES_NEXT) || i + 1 >= is->rel_cnt)
		return false;
	rel_get(o, is, i + 1, &next);
	const struct rel_row *row = arch_row(s->in->arch, next.type);
	if (!row || (row->flags & ROW_CONSUMES_NEXT)) /* else who consumes whom would depend on where one starts */
		return false;
	return target_get(s->st, o, next.sym, &t) && t.id && t.id == tls_get_addr;
}

static inline struct verdict judge_import(uint32_t fl)
{
	return (struct verdict){ .act = ACT_STATIC, .needs = (fl & SYM_FUNC ? NEED_CPLT : NEED_COPY) | NEED_DYNSYM };
}

static inline struct verdict judge_error(const char *why)
{
	return (struct verdict){ .act = ACT_ERROR, .why = why };
}

static inline struct verdict judge_dynamic(const struct sections *s, uint32_t sec_flags, uint8_t act)
{
	if (!(sec_flags & SHF_WRITE) && !s->in->opt->z_notext)
		return judge_error("needs a dynamic relocation in a read-only section; recompile with -fPIC");
	return (struct verdict){ .act = act, .needs = act == ACT_SYMBOLIC ? NEED_DYNSYM : 0 };
}

static inline struct verdict judge_abs(const struct sections *s, const struct rel_row *row, uint32_t fl,
				       uint32_t sec_flags)
{
	bool is_word = row->bits == (s->in->arch->elf_class == ELFCLASS64 ? 64 : 32);
	bool is_ifunc = (fl & SYM_IFUNC) && !(fl & SYM_PREEMPT);
	struct verdict v = { .act = ACT_STATIC, .needs = is_ifunc ? NEED_CPLT : 0 };
	if (!s->st->is_pic) {
		if (!(fl & SYM_PREEMPT))
			return v;
		if (is_word && (sec_flags & SHF_WRITE))
			return judge_dynamic(s, sec_flags, ACT_SYMBOLIC);
		return fl & SYM_UNDEF_WEAK ? v : judge_import(fl);
	}
	if (fl & SYM_PREEMPT) {
		if (is_word && ((sec_flags & SHF_WRITE) || s->in->opt->z_notext))
			return judge_dynamic(s, sec_flags, ACT_SYMBOLIC);
		return judge_error("cannot be used against a symbol bound at run time; recompile with -fPIC");
	}
	if (fl & SYM_ABS)
		return v;
	if (!is_word)
		return judge_error(s->st->is_shared ? "cannot be used when making a shared object; recompile with -fPIC"
						    : "cannot be used when making a PIE object; recompile with -fPIE");
	struct verdict d = judge_dynamic(s, sec_flags, ACT_RELATIVE);
	d.needs |= v.needs;
	return d;
}

static inline struct verdict judge_pc(const struct sections *s, uint32_t fl)
{
	if (fl & SYM_PREEMPT) {
		if (s->st->is_shared)
			return judge_error("cannot be used against a symbol bound at run time; recompile with -fPIC");
		if (fl & SYM_UNDEF_WEAK)
			return (struct verdict){ .act = ACT_STATIC };
		return judge_import(fl);
	}
	if ((fl & SYM_ABS) && s->st->is_pic && !(fl & SYM_UNDEF_WEAK))
		return judge_error("cannot refer to an absolute symbol in position-independent output");
	return (struct verdict){ .act = ACT_STATIC, .needs = fl & SYM_IFUNC ? NEED_CPLT : 0 };
}

static inline struct verdict judge_tls(const struct sections *s, const struct rel_row *row, uint32_t fl, uint8_t rx)
{
	struct verdict v = { .act = ACT_STATIC };
	uint32_t dyn = fl & SYM_PREEMPT ? NEED_DYNSYM : 0;
	switch (row->kind) {
	case REL_TLS_LE:
		if (s->st->is_shared)
			return judge_error("cannot be used when making a shared object; recompile with -fPIC");
		if (fl & SYM_PREEMPT)
			return judge_error("needs the thread-local symbol in the executable, but a shared library defines "
					   "it; recompile with -ftls-model=initial-exec");
		break;
	case REL_TLS_DTPOFF:
	case REL_TLS_LD_PC:
		break;
	case REL_TLS_IE_PC:
	case REL_TLS_IE_ABS:
		if (row->kind == REL_TLS_IE_ABS && s->st->is_pic)
			return judge_error("cannot be used in position-independent output; recompile with -fPIC");
		if (rx == RELAX_NO)
			v.needs = NEED_GOTTP | dyn;
		break;
	case REL_TLS_GD_PC:
		v.needs = rx == RELAX_NO ? NEED_TLSGD | dyn : rx == RELAX_GD_TO_IE ? NEED_GOTTP | dyn : 0;
		break;
	case REL_TLS_DESC_PC:
	case REL_TLS_DESC_CALL:
		v.needs = rx == RELAX_NO && row->kind == REL_TLS_DESC_PC ? NEED_TLSDESC | dyn
			  : rx == RELAX_DESC_TO_IE			 ? NEED_GOTTP | dyn
									 : 0;
		if (row->kind == REL_TLS_DESC_CALL && rx == RELAX_NO)
			v.act = ACT_NOTHING;
		break;
	}
	return v;
}

/* RX: what arch->relax said, RELAX_NO where it was not asked. SEC_FLAGS: of the section that holds the place. */
static inline struct verdict judge(const struct sections *s, const struct rel_row *row, uint32_t fl, uint32_t sec_flags,
				   uint8_t rx)
{
	switch (row->kind) {
	case REL_NONE:
		return (struct verdict){ .act = ACT_NOTHING };
	case REL_ABS:
		return judge_abs(s, row, fl, sec_flags);
	case REL_PC:
	case REL_PAGE_PC:
	case REL_GOTBASE_REL:
		return judge_pc(s, fl);
	case REL_PLT_PC:
	case REL_PLT_GOTREL:
		if (fl & (SYM_PREEMPT | SYM_IFUNC))
			return (struct verdict){ .act = ACT_STATIC,
						 .needs = NEED_PLT | (fl & SYM_PREEMPT ? NEED_DYNSYM : 0) };
		return (struct verdict){ .act = ACT_STATIC };
	case REL_GOT_OFF:
	case REL_GOT_PC:
		if (rx != RELAX_NO)
			return (struct verdict){ .act = ACT_STATIC };
		return (struct verdict){ .act = ACT_STATIC, .needs = NEED_GOT | (fl & SYM_PREEMPT ? NEED_DYNSYM : 0) };
	case REL_GOTBASE_PC:
	case REL_SIZE:
		return (struct verdict){ .act = ACT_STATIC };
	case REL_DYNAMIC:
		return judge_error("is for dynamic loaders only and not expected in an object");
	default:
		return judge_tls(s, row, fl, rx);
	}
}

#endif
