/* ehframe.c - .eh_frame as records: parsed once per object, dead FDEs dropped, equal CIEs shared.
 *
 * Parsing checks every length, so that selection and rendering trust the records. An FDE belongs to the section its
 * first relocation points at, and lives with it. Each object's records stay together and in order; a CIE equal to an
 * earlier one (bytes and relocation targets) is not repeated. The output ends in one terminator.
 * Source: LSB Core "Exception Frames"; DWARF EH encodings (LSB "DWARF Extensions").
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sections_priv.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

struct eh_parse {
	struct sections *s;
	const struct object *o;
	const struct isec *is;
	struct eh_object *eh;
	uint32_t file;
	uint32_t cie_cap, fde_cap;
};

static int eh_error(const struct eh_parse *p, uint64_t off, const char *what)
{
	diag_error(p->s->in->diag, (uint64_t)p->file << 32 | p->eh->sec, "%s:(.eh_frame+0x%llx): %s", p->o->name,
		   (unsigned long long)off, what);
	return -EINVAL;
}

static uint64_t read_uleb(const uint8_t **at, const uint8_t *end)
{
	uint64_t v = 0;
	for (unsigned shift = 0; *at < end; shift += 7) {
		uint8_t b = *(*at)++;
		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			break;
	}
	return v;
}

/* The encoding of FDE pointers ('R' in the augmentation), 0xff where it cannot be told. */
static uint8_t cie_encoding(const uint8_t *rec, uint32_t sz, bool is_64)
{
	const uint8_t *end = rec + sz, *aug = rec + 9;
	if (sz < 10 || (rec[8] != 1 && rec[8] != 3))
		return 0xff;
	const uint8_t *at = memchr(aug, 0, (size_t)(end - aug));
	if (!at)
		return 0xff;
	at++;
	read_uleb(&at, end);
	read_uleb(&at, end); /* signed, but of the same length */
	if (rec[8] == 1 && at < end)
		at++;
	else
		read_uleb(&at, end);
	if (*aug != 'z')
		return *aug ? 0xff : 0;
	read_uleb(&at, end);
	for (const uint8_t *a = aug + 1; *a && at < end; a++) {
		if (*a == 'R')
			return *at;
		if (*a == 'P') { /* encoding, then a pointer of that size */
			uint8_t enc = *at++ & 0x0f;
			at += enc == 0 ? (is_64 ? 8 : 4) : enc == 2 || enc == 10 ? 2 : enc == 3 || enc == 11 ? 4 : 8;
		} else if (*a == 'L') {
			at++;
		} else if (*a != 'S' && *a != 'B') {
			return 0xff;
		}
	}
	return 0;
}

static void *grow_to(void *list, uint32_t cnt, uint32_t *cap, size_t elem)
{
	if (cnt < *cap)
		return list;
	*cap = *cap ? *cap * 2 : 32;
	return realloc(list, *cap * elem);
}

static int add_cie(struct eh_parse *p, uint32_t off, uint32_t sz, uint32_t rel, uint32_t rel_cnt)
{
	struct eh_object *eh = p->eh;
	struct cie *c = grow_to(eh->cies, eh->cie_cnt, &p->cie_cap, sizeof(*c));
	if (!c)
		return -ENOMEM;
	eh->cies = c;
	eh->cies[eh->cie_cnt++] = (struct cie){
		.off = off, .sz = sz, .rel = rel, .rel_cnt = rel_cnt, .out_off = UINT32_MAX,
		.fde_enc = cie_encoding(isec_bytes(p->o, p->is) + off, sz, p->o->elf_class == ELFCLASS64),
	};
	return 0;
}

/* Relocations [first, end) belong to the record of SZ bytes at OFF: do their fields lie in it? */
static int check_fields(const struct eh_parse *p, uint64_t off, uint64_t sz, uint32_t first, uint32_t end)
{
	const struct arch *a = p->s->in->arch;
	for (uint32_t i = first; i < end; i++) {
		struct rel r;
		rel_get(p->o, p->is, i, &r);
		const struct rel_row *row = arch_row(a, r.type); /* unknown types are refused while scanning */
		uint8_t width = row && row->kind != REL_NONE ? a->fields[row->field].size : 0;
		if (r.off < off || width > sz - (r.off - off))
			return eh_error(p, r.off, "relocation does not lie in one call frame record");
	}
	return 0;
}

/* The code section an FDE describes; a global symbol defined in this object counts as its section. */
static int fde_target(const struct eh_parse *p, const struct rel *r, struct fde *f)
{
	struct esym s;
	if (r->sym >= p->o->sym_cnt)
		return eh_error(p, r->off, "relocation with a symbol index beyond the symbol table");
	esym_get(p->o, r->sym, &s);
	f->sec = s.shndx < p->o->sec_cnt ? s.shndx : 0;
	uint8_t kind = f->sec ? p->o->secs[f->sec].kind : ISEC_REGULAR;
	if (kind == ISEC_MERGE || kind == ISEC_EH_FRAME)
		return eh_error(p, r->off, "call frame record of what cannot be code");
	f->pc = s.value + (uint64_t)r->addend;
	if (p->is->is_rel)
		f->pc = s.value;
	return 0;
}

/* A range of no bytes (a function that cannot be reached): it would shadow the next function in the search table. */
static bool describes_nothing(const struct eh_parse *p, uint32_t off, uint32_t sz, uint8_t enc)
{
	const uint8_t *rec = isec_bytes(p->o, p->is) + off;
	uint32_t w = (enc & 7) == 2 ? 2 : (enc & 7) == 3 ? 4 : (enc & 7) == 4 || p->o->elf_class == ELFCLASS64 ? 8 : 4;
	if (enc == 0xff || (enc & 7) == 1 || sz < 8 + 2 * w)
		return false;
	for (uint32_t i = 0; i < w; i++)
		if (rec[8 + w + i])
			return false;
	return true;
}

static int add_fde(struct eh_parse *p, uint32_t off, uint32_t sz, uint32_t rel, uint32_t rel_cnt)
{
	struct eh_object *eh = p->eh;
	const uint8_t *rec = isec_bytes(p->o, p->is) + off;
	uint32_t back = load32(rec + 4, p->o->is_be), cie = 0;
	if (back > off + 4)
		return eh_error(p, off, "call frame record points before the section");
	for (cie = eh->cie_cnt; cie > 0 && eh->cies[cie - 1].off != off + 4 - back; cie--)
		;
	if (!cie)
		return eh_error(p, off, "call frame record without its common information entry");
	if (!rel_cnt)
		return 0; /* describes nothing that is linked: left by a tool that removed its section */
	if (describes_nothing(p, off, sz, eh->cies[cie - 1].fde_enc))
		return 0;
	struct fde f = { .off = off, .sz = sz, .rel = rel, .rel_cnt = rel_cnt, .cie = cie - 1 };
	struct rel r;
	rel_get(p->o, p->is, rel, &r);
	if (r.off != off + 8)
		return eh_error(p, off, "call frame record whose first relocation is not of its start address");
	int rc = fde_target(p, &r, &f);
	if (rc < 0)
		return rc;
	struct fde *l = grow_to(eh->fdes, eh->fde_cnt, &p->fde_cap, sizeof(*l));
	if (!l)
		return -ENOMEM;
	eh->fdes = l;
	eh->fdes[eh->fde_cnt++] = f;
	return 0;
}

static int parse_records(struct eh_parse *p)
{
	const uint8_t *data = isec_bytes(p->o, p->is);
	uint32_t rel = 0;
	if (p->is->rel_unsorted)
		return eh_error(p, 0, "relocations are not in the order of their offsets");
	for (uint64_t off = 0; off < p->is->sz;) {
		uint64_t left = p->is->sz - off, sz;
		struct rel r;
		if (left < 4)
			return eh_error(p, off, "truncated call frame record");
		if (!load32(data + off, p->o->is_be)) {
			off += 4; /* a terminator: the output gets its own */
			continue;
		}
		sz = (uint64_t)load32(data + off, p->o->is_be) + 4;
		if (sz == UINT64_C(0x100000003))
			return eh_error(p, off, "64-bit call frame records are not supported");
		if (sz > left || sz < 8)
			return eh_error(p, off, "call frame record is longer than its section");
		uint32_t first = rel;
		for (; rel < p->is->rel_cnt; rel++) {
			rel_get(p->o, p->is, rel, &r);
			if (r.off >= off + sz)
				break;
		}
		int rc = check_fields(p, off, sz, first, rel);
		if (rc < 0)
			return rc;
		rc = load32(data + off + 4, p->o->is_be)
				 ? add_fde(p, (uint32_t)off, (uint32_t)sz, first, rel - first)
				 : add_cie(p, (uint32_t)off, (uint32_t)sz, first, rel - first);
		if (rc < 0)
			return rc;
		off += sz;
	}
	return check_fields(p, p->is->sz, 0, rel, p->is->rel_cnt);
}

static int by_code(const void *a, const void *b, void *ctx)
{
	const struct eh_object *eh = ctx;
	uint32_t ia = *(const uint32_t *)a, ib = *(const uint32_t *)b;
	const struct fde *x = &eh->fdes[ia], *y = &eh->fdes[ib];
	if (x->sec != y->sec)
		return x->sec < y->sec ? -1 : 1;
	if (x->pc != y->pc)
		return x->pc < y->pc ? -1 : 1;
	return ia < ib ? -1 : ia > ib;
}

static int parse_object(struct sections *s, uint32_t file)
{
	const struct object *o = s->in->files[file].obj;
	struct eh_object *eh = &s->eh[file];
	int rc = 0;
	for (uint32_t i = 1; i < o->sec_cnt && !rc; i++) {
		if (o->secs[i].kind != ISEC_EH_FRAME || sec_is(s->st, gsec(s->st, file, i), SEC_DEAD_COMDAT))
			continue;
		struct eh_parse p = { s, o, &o->secs[i], eh, file, 0, 0 };
		if (eh->sec)
			return eh_error(&p, 0, "more than one .eh_frame section in one object");
		eh->sec = i;
		if (o->secs[i].sz > UINT32_MAX)
			return eh_error(&p, 0, "section of more than 4 GiB");
		rc = parse_records(&p);
	}
	eh->by_sec = malloc((eh->fde_cnt + 1) * sizeof(*eh->by_sec));
	eh->fde_off = malloc((eh->fde_cnt + 1) * sizeof(*eh->fde_off));
	if (rc || !eh->by_sec || !eh->fde_off)
		return rc ? rc : -ENOMEM;
	bool sorted = true;
	for (uint32_t i = 0; i < eh->fde_cnt; i++) {
		eh->by_sec[i] = i;
		sorted &= !i || by_code(&eh->by_sec[i - 1], &eh->by_sec[i], eh) < 0;
	}
	if (!sorted)
		qsort_r(eh->by_sec, eh->fde_cnt, sizeof(*eh->by_sec), by_code, eh);
	return 0;
}

static void parse_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct sections *s = ctx;
	(void)worker;
	for (size_t k = begin; k < end; k++)
		if (parse_object(s, s->st->objs[k]) == -ENOMEM)
			diag_error(s->in->diag, 0, "out of memory for call frame records");
}

int ehframe_parse(struct sections *s)
{
	s->eh = calloc((size_t)s->in->file_cnt + 1, sizeof(*s->eh));
	if (!s->eh)
		return -ENOMEM;
	pool_for(s->in->pool, s->st->obj_cnt, 8, parse_range, s);
	return diag_errors(s->in->diag) ? -EINVAL : 0;
}

struct eh_range ehframe_of(const struct sections *s, uint32_t file, uint32_t shndx)
{
	const struct eh_object *eh = &s->eh[file];
	uint32_t lo = 0, hi = eh->fde_cnt;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (eh->fdes[eh->by_sec[mid]].sec < shndx)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (hi = lo; hi < eh->fde_cnt && eh->fdes[eh->by_sec[hi]].sec == shndx; hi++)
		;
	return (struct eh_range){ eh, lo, hi };
}

/* ---- selection, after liveness ---- */

/* What a CIE's relocations mean, so that equal bytes with equal targets can be shared. */
static uint64_t cie_hash(const struct sections *s, uint32_t file, const struct cie *c)
{
	const struct object *o = s->in->files[file].obj;
	const struct isec *is = &o->secs[s->eh[file].sec];
	uint64_t h = XXH3_64bits(isec_bytes(o, is) + c->off, c->sz);
	for (uint32_t i = 0; i < c->rel_cnt; i++) {
		struct rel r;
		rel_get(o, is, c->rel + i, &r);
		uint64_t row[4] = { r.off - c->off, r.type, (uint64_t)r.addend, h };
		h = XXH3_64bits(row, sizeof(row));
	}
	return h;
}

static bool same_cie(const struct sections *s, uint32_t fa, const struct cie *a, uint32_t fb, const struct cie *b)
{
	const struct object *oa = s->in->files[fa].obj, *ob = s->in->files[fb].obj;
	const struct isec *ia = &oa->secs[s->eh[fa].sec], *ib = &ob->secs[s->eh[fb].sec];
	if (a->sz != b->sz || a->rel_cnt != b->rel_cnt ||
	    memcmp(isec_bytes(oa, ia) + a->off, isec_bytes(ob, ib) + b->off, a->sz))
		return false;
	for (uint32_t i = 0; i < a->rel_cnt; i++) {
		struct rel ra, rb;
		rel_get(oa, ia, a->rel + i, &ra);
		rel_get(ob, ib, b->rel + i, &rb);
		bool global = ra.sym >= oa->first_global && rb.sym >= ob->first_global && ra.sym < oa->sym_cnt &&
			      rb.sym < ob->sym_cnt;
		if (ra.off - a->off != rb.off - b->off || ra.type != rb.type || ra.addend != rb.addend || !global ||
		    oa->names[ra.sym - oa->first_global] != ob->names[rb.sym - ob->first_global])
			return false;
	}
	return true;
}

struct cie_slot {
	uint64_t hash;
	uint32_t file, cie;
};

/* The earliest equal CIE; files are visited in order, so whoever is in the table leads. */
static void lead_cie(struct sections *s, struct cie_slot *table, size_t mask, uint32_t file, uint32_t i)
{
	struct cie *c = &s->eh[file].cies[i];
	uint64_t h = cie_hash(s, file, c);
	c->leader_file = file;
	c->leader = i;
	for (size_t k = h & mask;; k = (k + 1) & mask) {
		if (!table[k].file) {
			table[k] = (struct cie_slot){ h, file, i };
			return;
		}
		if (table[k].hash == h &&
		    same_cie(s, file, c, table[k].file, &s->eh[table[k].file].cies[table[k].cie])) {
			c->leader_file = table[k].file;
			c->leader = table[k].cie;
			return;
		}
	}
}

static void select_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct sections *s = ctx;
	(void)worker;
	for (size_t k = begin; k < end; k++) {
		struct eh_object *eh = &s->eh[s->st->objs[k]];
		for (uint32_t i = 0; i < eh->fde_cnt; i++) {
			const struct fde *f = &eh->fdes[i];
			bool live = f->sec && sec_is(s->st, gsec(s->st, s->st->objs[k], f->sec), SEC_LIVE);
			eh->fde_off[i] = live ? 0 : UINT32_MAX;
			eh->cies[f->cie].is_used |= live;
		}
		for (uint32_t i = eh->fde_cnt; i-- > 0;) {
			const struct fde *f = &eh->fdes[eh->by_sec[i]];
			if (eh->fde_off[eh->by_sec[i]] != UINT32_MAX)
				s->fde_first[gsec(s->st, s->st->objs[k], f->sec)] = i + 1;
		}
	}
}

static int place_records(struct sections *s, struct cie_slot *table, size_t mask)
{
	uint64_t off = 0;
	for (uint32_t k = 0; k < s->st->obj_cnt; k++) {
		uint32_t file = s->st->objs[k];
		struct eh_object *eh = &s->eh[file];
		uint32_t f = 0;
		eh->out_off = off;
		for (uint32_t i = 0; i < eh->cie_cnt; i++) {
			struct cie *c = &eh->cies[i];
			if (!c->is_used)
				continue;
			lead_cie(s, table, mask, file, i);
			s->eh_has_unknown |= c->fde_enc == 0xff;
			if (c->leader_file == file && c->leader == i) {
				c->out_off = (uint32_t)off;
				off += c->sz;
			}
		}
		for (; f < eh->fde_cnt; f++) {
			if (eh->fde_off[f] == UINT32_MAX)
				continue;
			eh->fde_off[f] = (uint32_t)off;
			off += eh->fdes[f].sz;
			s->fde_cnt++;
		}
		eh->out_sz = off - eh->out_off;
		if (off > UINT32_MAX - 4) {
			diag_error(s->in->diag, 0, ".eh_frame of the output is larger than 4 GiB");
			return -EOVERFLOW;
		}
	}
	s->eh_sz = off ? off + 4 : 0;
	return 0;
}

int ehframe_select(struct sections *s)
{
	size_t cies = 0, cap = 64;
	s->fde_first = arena_alloc_array(s->arena, s->st->sec_cnt, sizeof(*s->fde_first), 64);
	if (!s->fde_first)
		return -ENOMEM;
	pool_for(s->in->pool, s->st->obj_cnt, 8, select_range, s);
	for (uint32_t k = 0; k < s->st->obj_cnt; k++)
		cies += s->eh[s->st->objs[k]].cie_cnt;
	while (cap < 2 * cies)
		cap *= 2;
	struct cie_slot *table = calloc(cap, sizeof(*table));
	if (!table)
		return -ENOMEM;
	int rc = place_records(s, table, cap - 1);
	free(table);
	return rc;
}
