/* values.c - the value of every symbol, once nothing moves any more.
 *
 * Each name's address is computed once, so that rendering reads one array: in parallel, by the objects that provide the
 * names, right after their sections got addresses. Merged and call frame sections are mapped piece by piece. After this:
 * the layout is frozen.
 * Source: gABI "Symbol Values"; GNU ld manual for the linker-defined names and --defsym.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "defs.h"
#include "layout_priv.h"
#include "provided.h"

static uint64_t merged_va(const struct layout *l, const struct merge_sec *m, uint64_t off)
{
	uint64_t in_set;
	return merge_offset(l->s, m, off, &in_set) ? l->merge_va[m->set] + in_set : 0;
}

/* The place of a byte of an input .eh_frame: its record's place, if that stayed. Records are in the order of the file. */
static uint64_t frame_va(const struct layout *l, uint32_t file, uint64_t off)
{
	const struct eh_object *eh = &l->s->eh[file];
	const struct frames *fr = eh->frames;
	uint64_t base = syn_va(l, SYN_EH_FRAME);
	uint32_t lo = 0, hi = fr->cie_cnt;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (fr->cies[mid].off + (uint64_t)fr->cies[mid].sz <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	const struct cie *c = lo < fr->cie_cnt ? &fr->cies[lo] : NULL;
	if (c && off >= c->off)
		return eh->cies[lo].out_off == UINT32_MAX ? 0 : base + eh->cies[lo].out_off + off - c->off;
	lo = 0;
	hi = fr->fde_cnt;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (fr->fdes[mid].off + (uint64_t)fr->fdes[mid].sz <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	const struct fde *f = lo < fr->fde_cnt ? &fr->fdes[lo] : NULL;
	if (f && off >= f->off)
		return eh->fde_off[lo] == UINT32_MAX ? 0 : base + eh->fde_off[lo] + off - f->off;
	return base + eh->out_off + eh->out_sz;
}

uint64_t section_va(const struct layout *l, uint32_t file, uint32_t shndx, uint64_t off)
{
	const struct object *o = l->in->files[file].obj;
	uint8_t kind = o->secs[shndx].kind;
	const struct merge_sec *m = kind == ISEC_MERGE ? merge_find(l->s, file, shndx) : NULL;
	if (m)
		return merged_va(l, m, off);
	if (kind == ISEC_EH_FRAME)
		return frame_va(l, file, off);
	return section_start(l, gsec(l->st, file, shndx)) + off;
}

uint64_t aux_plt_va(const struct layout *l, const struct aux *a)
{
	const struct arch *arch = l->in->arch;
	if (a->plt != SLOT_NONE)
		return syn_va(l, SYN_PLT) +
		       (l->s->plt_ibt ? arch->plt_ibt_header_size + a->plt * arch->plt_ibt_entry_size
				      : arch->plt_header_size + (uint64_t)a->plt * arch->plt_entry_size);
	if (a->pltgot != SLOT_NONE)
		return syn_va(l, SYN_PLTGOT) + (uint64_t)a->pltgot * arch->pltgot_entry_size;
	return 0;
}

/* ---- linker-defined names ---- */

/* The end of the last output section of those that CLASS accepts; 0: there is none. */
static uint64_t end_of(const struct layout *l, uint32_t want, uint32_t reject, bool with_nobits)
{
	uint64_t end = 0;
	for (uint32_t i = 1; i < l->out_cnt; i++) {
		const struct out *o = &l->outs[i];
		if ((o->flags & want) == want && !(o->flags & reject) && (with_nobits || o->type != SHT_NOBITS))
			end = o->va + o->sz;
	}
	return end;
}

static const struct out *out_named(const struct layout *l, const char *name)
{
	for (uint32_t i = 1; i < l->out_cnt; i++)
		if ((l->outs[i].flags & SHF_ALLOC) && !strcmp(l->outs[i].name, name))
			return &l->outs[i];
	return NULL;
}

static uint64_t bss_start(const struct layout *l)
{
	const struct out *bss = out_named(l, ".bss");
	return bss ? bss->va : end_of(l, SHF_ALLOC | SHF_WRITE, SHF_TLS, false);
}

static uint64_t symbol_va(const struct layout *l, const char *name, size_t len, bool *ret_found)
{
	name_id id = names_find(l->in->names, name, len);
	*ret_found = id && id < l->st->cnt && (sym_flags(l->st, id) & (SYM_DEF | SYM_ABS));
	return *ret_found ? l->va[id] : 0;
}

/* [+-] (number | symbol) ... as options.h says. */
static int evaluate(const struct layout *l, const struct linkdef *d, uint64_t *ret_value)
{
	const char *p = d->expr;
	uint64_t sum = 0;
	bool minus = false;
	for (;;) {
		while (*p == ' ' || *p == '+' || *p == '-' || *p == '(' || *p == ')')
			minus = *p == '-' ? !minus : *p == '+' ? false : minus, p++;
		if (!*p)
			break;
		uint64_t v;
		bool found = true;
		if (isdigit((unsigned char)*p)) {
			char *end;
			v = strtoull(p, &end, 0);
			p = end;
		} else {
			size_t len = strcspn(p, " +-()");
			v = symbol_va(l, p, len, &found);
			if (!found) {
				char buf[256];
				diag_error(l->in->diag, 0, "--defsym %s=%s: undefined symbol: %.*s",
					   symtab_text(l->st, d->name, buf, sizeof(buf)), d->expr, (int)len, p);
				return -EINVAL;
			}
			p += len;
		}
		sum += minus ? -v : v;
		minus = false;
	}
	*ret_value = sum;
	return 0;
}

static uint64_t linkdef_va(const struct layout *l, const struct linkdef *d)
{
	const struct out *o = d->section ? out_named(l, d->section) : NULL;
	switch (d->kind) {
	case LINKDEF_EHDR:
		return l->image_base;
	case LINKDEF_GOT:
		return l->got_base;
	case LINKDEF_DYNAMIC:
		return syn_va(l, SYN_DYNAMIC);
	case LINKDEF_EH_FRAME_HDR:
		return syn_va(l, SYN_EH_FRAME_HDR);
	case LINKDEF_ETEXT:
		return end_of(l, SHF_ALLOC | SHF_EXECINSTR, 0, false);
	case LINKDEF_EDATA:
		return end_of(l, SHF_ALLOC | SHF_WRITE, SHF_TLS, false);
	case LINKDEF_END:
		return end_of(l, SHF_ALLOC, SHF_TLS, true);
	case LINKDEF_BSS_START:
		return bss_start(l);
	case LINKDEF_START:
		return o ? o->va : l->image_base;
	case LINKDEF_STOP:
		return o ? o->va + o->sz : l->image_base;
	case LINKDEF_IRELA_START:
		return l->st->is_dynamic || !l->syn_out[SYN_RELA_PLT] ? l->image_base : syn_va(l, SYN_RELA_PLT);
	case LINKDEF_IRELA_END:
		return l->st->is_dynamic || !l->syn_out[SYN_RELA_PLT]
			       ? l->image_base
			       : syn_va(l, SYN_RELA_PLT) + l->syn_sz[SYN_RELA_PLT];
	case LINKDEF_TLS_MODULE_BASE:
		return l->tls_va;
	}
	return 0;
}

/* ---- all names ---- */

static uint64_t provided_va(const struct layout *l, uint32_t file, const struct def *d)
{
	if (d->sec >= UINT32_C(0xffff0000))
		return d->value; /* absolute */
	const uint64_t *slot = section_slot(l, gsec(l->st, file, d->sec));
	if (!slot)
		return 0;
	/* The short way for a section that is copied whole: others have no address of their own. */
	return *slot ? *slot + d->value : section_va(l, file, d->sec, d->value);
}

static void set_row(struct layout *l, uint32_t file, const struct def *d)
{
	if (d->sec != OBJ_SHN_COMMON)
		l->va[d->id] = provided_va(l, file, d);
}

/* The names that object K provides, which defines them; commons are set by set_commons, and what has a stand-in gets its
 * address later. */
static void set_provided(struct layout *l, uint32_t k)
{
	uint32_t file = l->st->objs[k], rows[DEFS_BATCH];
	const struct defs *all = defs_of(l->in->files[file].obj); /* counting and listing needed it */
	const struct provided *p = l->provided ? l->provided[k] : NULL;
	for (uint32_t i = 0; p && i < p->cnt; i++)
		set_row(l, file, &all->rows[p->rows[i]]);
	for (uint32_t at = p ? all->cnt : 0; at < all->cnt;)
		for (uint32_t n = defs_provided(l->st, file, all, &at, rows), i = 0; i < n; i++)
			if (sym_flags(l->st, all->rows[rows[i]].id) & SYM_DEF)
				set_row(l, file, &all->rows[rows[i]]);
}

static void values_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct layout *l = ctx;
	(void)worker;
	for (size_t slab = begin; slab < end; slab++) {
		uint32_t first, past;
		chunks_settle(l, (uint32_t)slab, &first, &past);
		for (uint32_t k = first; k < past; k++) {
			defs_prefetch(l, k, past);
			set_provided(l, k);
		}
	}
}

/* Copies of variables, and functions whose address is that of their PLT entry. */
static void set_stand_ins(struct layout *l)
{
	for (uint32_t i = 0; i < l->s->aux_cnt; i++) {
		const struct aux *a = &l->s->aux[i];
		uint32_t fl = a->name ? sym_flags(l->st, a->name) : 0;
		if (fl & NEED_COPY)
			l->va[a->name] = syn_va(l, a->copy_ro ? SYN_COPY_RO : SYN_COPY) + a->copy_off;
		else if (fl & NEED_CPLT)
			l->va[a->name] = aux_plt_va(l, a);
	}
}

/* Commons follow each other in the order of their providers; the sizes of their chunks were found the same way. */
static void set_commons(struct layout *l)
{
	uint64_t at[2] = { 0, 0 };
	for (uint32_t i = 0; i < l->st->common_cnt; i++) {
		const struct common *c = &l->st->commons[i];
		at[c->is_tls] = align_up(at[c->is_tls], c->align);
		l->va[c->name] = syn_va(l, c->is_tls ? SYN_TLS_COMMON : SYN_COMMON) + at[c->is_tls];
		at[c->is_tls] += c->sz;
	}
}

/* An expression may name one that comes later: again until nothing changes, which takes a round each at most. */
static int set_expressions(struct layout *l)
{
	const struct linkdef *changed = NULL;
	for (uint32_t round = 0; round <= l->st->linkdef_cnt; round++) {
		changed = NULL;
		for (uint32_t i = 0; i < l->st->linkdef_cnt; i++) {
			const struct linkdef *d = &l->st->linkdefs[i];
			uint64_t old = l->va[d->name];
			int rc = d->kind == LINKDEF_EXPR ? evaluate(l, d, &l->va[d->name]) : 0;
			if (rc)
				return rc;
			changed = l->va[d->name] != old ? d : changed;
		}
		if (!changed)
			return 0;
	}
	char buf[256];
	diag_error(l->in->diag, 0, "--defsym %s=%s: is defined by itself",
		   symtab_text(l->st, changed->name, buf, sizeof(buf)), changed->expr);
	return -EINVAL;
}

static int set_linkdefs(struct layout *l)
{
	for (uint32_t i = 0; i < l->st->linkdef_cnt; i++)
		if (l->st->linkdefs[i].kind != LINKDEF_EXPR)
			l->va[l->st->linkdefs[i].name] = linkdef_va(l, &l->st->linkdefs[i]);
	return set_expressions(l);
}

static int set_entry(struct layout *l)
{
	const struct options *opt = l->in->opt;
	const char *entry = opt->entry ? opt->entry : l->in->entry ? l->in->entry : "_start";
	bool found;
	char *end;
	l->entry = symbol_va(l, entry, strlen(entry), &found);
	if (found)
		return 0;
	uint64_t v = strtoull(entry, &end, 0);
	const struct out *text = out_named(l, ".text");
	if (*entry && !*end) {
		l->entry = v;
	} else if (!l->st->is_shared || opt->entry) {
		l->entry = text && !l->st->is_shared ? text->va : 0;
		diag_warn(l->in->diag, 0, "cannot find entry symbol %s; defaulting to 0x%llx", entry,
			  (unsigned long long)l->entry);
	}
	return 0;
}

int values_compute(struct layout *l)
{
	l->va = arena_alloc_array(l->arena, l->st->cnt, sizeof(*l->va), 64);
	if (!l->va)
		return -ENOMEM;
	chunks_settle_shared(l);
	l->got_base = l->syn_out[SYN_GOTPLT] ? syn_va(l, SYN_GOTPLT) : syn_va(l, SYN_GOT);
	pool_for(l->in->pool, chunks_slabs(l), 1, values_range, l);
	set_stand_ins(l);
	set_commons(l);
	int rc = set_linkdefs(l);
	return rc ? rc : set_entry(l);
}
