/* section.c - input sections: copy, relocate, clip.
 *
 * A range is copied and every relocation whose footprint lies inside it is applied in place. Where the range cuts the
 * section, bytes near the cut may belong to a footprint that crosses it: they are made in a padded window around the
 * cut and copied over. Relocations are found by offset in the object's own table, never copied; a table that is not in
 * order is walked whole, in its order.
 * The widest footprint is checked against EDGE by a unit test over all rows.
 */
#include <string.h>

#include "plain.h"
#include "render.h"

#define EDGE RENDER_EDGE
#define WINDOW (4 * EDGE)

/* Is the table in ascending order? Looked at once for sections that are not allocated. */
static bool is_sorted(const struct spot *sp)
{
	const struct symtab *st = sp->l->st;
	uint32_t gs = gsec(st, sp->file, sp->shndx);
	if (!sp->is->rel_unchecked)
		return !sp->is->rel_unsorted;
	if (!sec_is(st, gs, SEC_SORTED | SEC_UNSORTED)) {
		uint8_t state = object_rel_is_sorted(sp->o, sp->is) ? SEC_SORTED : SEC_UNSORTED;
		sec_set(st, gs, state);
	}
	return sec_is(st, gs, SEC_SORTED);
}

/* The first relocation at or after OFF. */
static uint32_t first_at(const struct spot *sp, uint64_t off)
{
	uint32_t lo = 0, hi = sp->is->rel_cnt;
	struct rel r;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		rel_get(sp->o, sp->is, mid, &r);
		if (r.off < off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* One that loads an address from the GOT, as apply_plain says. */
static bool relax_plain(const struct spot *sp, const struct rel *r, const struct rel_row *row, uint8_t *loc, struct fill *f)
{
	if (r->sym < sp->o->first_global || r->sym >= sp->o->sym_cnt || sp->l->st->wrap_cnt)
		return false;
	name_id id = sp->o->names[r->sym - sp->o->first_global];
	return is_plain_name(sp->l, id) && relocation_relax_plain(sp, r, row, id, loc, f);
}

/* A relocation whose footprint lies whole in the range; false: it goes the long way. */
static bool apply_plain(const struct spot *sp, const struct rel *r, const struct rel_row *row, const struct rel_field *field,
			uint8_t *loc, struct fill *f)
{
	uint64_t s;
	if (row->kind == REL_GOT_PC && (row->flags & ROW_MAY_RELAX))
		return relax_plain(sp, r, row, loc, f);
	if ((row->flags & (ROW_MAY_RELAX | ROW_CONSUMES_NEXT)) || !plain_target(sp->l, sp->o, sp->file, r, &s))
		return false;
	uint64_t value = s + (uint64_t)r->addend - (sp->va + r->off);
	switch (row->kind) {
	case REL_ABS: /* the loader writes it: judge_abs */
		if (!sp->is_word_dynamic || field->size != word_sz(sp->l))
			return false;
		memset(loc, 0, field->size);
		return true;
	case REL_PC:
	case REL_PLT_PC:
		if (!rel_fits(row, value))
			return false;
		field->put(loc, value >> row->shift);
		return true;
	}
	return false;
}

/* Does its footprint, as far as the section goes, cross BEGIN or END? */
static bool crosses(const struct spot *sp, const struct rel *r, const struct rel_row *row, uint64_t width, uint64_t begin,
		    uint64_t end)
{
	uint64_t before = row ? row->before : 0, after = row && row->after > width ? row->after : width;
	before = r->off < before ? r->off : before;
	after = after > sp->is->sz - r->off ? sp->is->sz - r->off : after;
	return r->off - before < begin || r->off + after > end;
}

/* S of local symbol SYM, where there is nothing special about it: many relocations in a row have the same. 0: there is. */
static uint64_t plain_local(const struct spot *sp, uint32_t sym)
{
	struct rel r = { .sym = sym };
	uint64_t s;
	return plain_target(sp->l, sp->o, sp->file, &r, &s) ? s : 0;
}

/* The shortest way, for runs of the commonest: in the common format, 32-bit integers that are S + A - P of symbols with
 * nothing special about them, whole in [begin, end). From relocation I on; returns the first that is something else, which
 * takes another way, if only to be refused. */
static uint32_t apply_run(const struct spot *sp, uint32_t i, uint64_t begin, uint64_t end, uint8_t *dst, struct fill *f)
{
	const uint64_t *plain = sp->l->plain, *va = sp->l->va, types = sp->l->plain_types, branches = sp->l->plain_branches;
	const struct object *o = sp->o;
	const struct isec *is = sp->is;
	const name_id *names = o->names;
	uint32_t first = i, cnt = is->rel_cnt, first_global = o->first_global, sym_cnt = o->sym_cnt, local = 0;
	uint64_t local_s = 0;
	for (; i < cnt; i++) {
		struct rel r;
		uint64_t s;
		rel_get_as(o, is, i, ELFCLASS64, false, false, &r);
		if (r.type >= 64 || !(types >> r.type & 1) || r.sym >= sym_cnt || r.off < begin || r.off > end ||
		    end - r.off < 4)
			break;
		if (r.sym >= first_global) {
			name_id id = names[r.sym - first_global];
			if (plain[id / 64] >> id % 64 & 1)
				s = va[id];
			else if (!(branches >> r.type & 1) || !(s = plain_plt(sp->l, id)))
				break;
		} else {
			local_s = r.sym == local ? local_s : plain_local(sp, r.sym);
			local = r.sym;
			s = local_s;
			if (!s)
				break;
		}
		uint64_t value = s + (uint64_t)r.addend - (sp->va + r.off);
		if ((int64_t)value != (int32_t)value)
			break;
		store32(dst + (r.off - begin), (uint32_t)value, false);
	}
	f->relocs += i - first;
	return i;
}

/* The bytes [begin, end), with every relocation that lies in them whole. */
static int render_whole(const struct spot *sp, uint64_t begin, uint64_t end, uint8_t *dst, struct fill *f)
{
	const struct arch *arch = sp->l->in->arch;
	bool sorted = sp->is->rel_cnt && is_sorted(sp), all = !begin && end == sp->is->sz;
	uint32_t i = sorted && begin ? first_at(sp, begin) : 0;
	memcpy(dst, isec_bytes(sp->o, sp->is) + begin, end - begin);
	if (i && i < sp->is->rel_cnt && sp->is_alloc && relocation_consumes(sp, i - 1))
		i++;
	bool has_runs = sp->may_be_plain && sp->o->elf_class == ELFCLASS64 && !sp->o->is_be && !sp->l->st->wrap_cnt;
	for (; i < sp->is->rel_cnt; i++) {
		struct rel r;
		bool consumed = false;
		if (has_runs && (i = apply_run(sp, i, begin, end, dst, f)) == sp->is->rel_cnt)
			break;
		rel_get(sp->o, sp->is, i, &r);
		const struct rel_row *row = arch_row(arch, r.type);
		if (sorted && r.off >= end)
			break;
		uint64_t width = row ? arch->fields[row->field].size : 1;
		if (r.off > sp->is->sz || width > sp->is->sz - r.off) {
			if (sp->is_alloc || r.off >= end || r.off < begin)
				continue; /* allocated ones were refused while scanning */
			return relocation_outside(sp, &r, f);
		}
		if (!all && crosses(sp, &r, row, width, begin, end)) {
			if (sp->is_alloc && row && (row->flags & ROW_CONSUMES_NEXT) && relocation_consumes(sp, i))
				i++;
			continue;
		}
		if (sp->may_be_plain && row && apply_plain(sp, &r, row, &arch->fields[row->field], dst + (r.off - begin), f)) {
			f->relocs++;
			continue;
		}
		int rc = relocation_apply(sp, i, &r, sp->va + r.off, dst + (r.off - begin), &consumed, f);
		if (rc)
			return rc;
		i += consumed;
	}
	return 0;
}

/* Bytes within EDGE of the cut at CUT, where they belong to [begin, end). */
static int render_edge(const struct spot *sp, uint64_t cut, uint64_t begin, uint64_t end, uint8_t *dst, struct fill *f)
{
	uint8_t window[WINDOW];
	struct fill quiet = { .why = f->why, .why_sz = f->why_sz };
	uint64_t lo = cut < WINDOW / 2 ? 0 : cut - WINDOW / 2;
	uint64_t hi = cut + WINDOW / 2 < sp->is->sz ? cut + WINDOW / 2 : sp->is->sz;
	int rc = render_whole(sp, lo, hi, window, &quiet);
	if (rc)
		return rc;
	uint64_t from = cut < EDGE ? 0 : cut - EDGE, to = cut + EDGE < hi ? cut + EDGE : hi;
	from = from < begin ? begin : from;
	to = to > end ? end : to;
	if (from < to)
		memcpy(dst + (from - begin), window + (from - lo), to - from);
	return 0;
}

/* How many of a table's words lie in [begin, end) whole, and do all words that meet it stay zero? */
static bool stay_zero(const struct layout *l, const struct object *o, const struct pointer_table *t, bool is_relative,
		      uint64_t begin, uint64_t end, uint64_t *ret_whole)
{
	const struct pointer *rows = pointers_rows(pointers_of(o)) + t->first;
	unsigned word = word_sz(l);
	uint64_t whole = 0;
	for (uint32_t i = 0; i < t->cnt; i++) {
		if (rows[i].off >= end && t->is_sorted)
			break;
		if (rows[i].off >= end || rows[i].off + (uint64_t)word <= begin)
			continue;
		uint8_t act = is_relative ? ACT_RELATIVE : pointer_act(l, o, t, i, &rows[i]);
		if (act != ACT_RELATIVE && act != ACT_SYMBOLIC)
			return false;
		whole += rows[i].off >= begin && rows[i].off + (uint64_t)word <= end;
	}
	*ret_whole = whole;
	return true;
}

bool section_render_zeros(const struct layout *l, const struct object *o, const struct pointer_table *t, bool is_relative,
			  uint64_t begin, uint64_t end, uint8_t *dst, struct fill *f)
{
	const struct isec *is = &o->secs[t->sec];
	uint64_t whole = t->cnt;
	bool all = is_relative && !begin && end == is->sz;
	if (!t->is_zero || (!all && !stay_zero(l, o, t, is_relative, begin, end, &whole)))
		return false;
	memcpy(dst, isec_bytes(o, is) + begin, end - begin);
	f->relocs += whole;
	return true;
}

int section_render(const struct layout *l, uint32_t file, uint32_t shndx, uint64_t begin, uint64_t end, uint8_t *dst,
		   struct fill *f)
{
	struct spot sp;
	const struct object *o = l->in->files[file].obj;
	if (!o->secs[shndx].rel_cnt) {
		memcpy(dst, isec_bytes(o, &o->secs[shndx]) + begin, end - begin);
		return 0;
	}
	spot_init(&sp, l, file, shndx);
	int rc = render_whole(&sp, begin, end, dst, f);
	if (!rc && begin)
		rc = render_edge(&sp, begin, begin, end, dst, f);
	if (!rc && end < sp.is->sz)
		rc = render_edge(&sp, end, begin, end, dst, f);
	return rc;
}
