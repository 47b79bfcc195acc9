/* object_frames.c - the .eh_frame of an object as records, parsed once and kept with it.
 *
 * Parsing checks every length, so that selection and rendering trust the records. An FDE belongs to the section its
 * first relocation points at. All this is a function of the object's bytes; which records stay, and where, is each
 * link's own (sections/ehframe.c).
 * Source: LSB Core "Exception Frames"; DWARF EH encodings (LSB "DWARF Extensions").
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"

struct eh_parse {
	const struct object *o;
	const struct isec *is;
	const struct arch *arch;
	struct frames *fr; /* not published yet; its lists are malloc-ed one by one */
	struct diag *d;
	uint64_t place;
	uint32_t cie_cap, fde_cap;
};

static int eh_error(const struct eh_parse *p, uint64_t off, const char *what)
{
	diag_error(p->d, p->place, "%s:(.eh_frame+0x%llx): %s", p->o->name, (unsigned long long)off, what);
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
	struct frames *fr = p->fr;
	const uint8_t *rec = isec_bytes(p->o, p->is) + off;
	struct cie *c = grow_to(fr->cies, fr->cie_cnt, &p->cie_cap, sizeof(*c));
	if (!c)
		return -ENOMEM;
	fr->cies = c;
	c += fr->cie_cnt++;
	*c = (struct cie){
		.off = off, .sz = sz, .rel = rel, .rel_cnt = rel_cnt,
		.fde_enc = cie_encoding(rec, sz, p->o->elf_class == ELFCLASS64),
	};
	memcpy(c->head, rec, sz < CIE_HEAD ? sz : CIE_HEAD);
	return 0;
}

/* Relocations [first, end) belong to the record of SZ bytes at OFF: do their fields lie in it? */
static int check_fields(const struct eh_parse *p, uint64_t off, uint64_t sz, uint32_t first, uint32_t end)
{
	const struct arch *a = p->arch;
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
	struct frames *fr = p->fr;
	const uint8_t *rec = isec_bytes(p->o, p->is) + off;
	uint32_t back = load32(rec + 4, p->o->is_be), cie = 0;
	if (back > off + 4)
		return eh_error(p, off, "call frame record points before the section");
	for (cie = fr->cie_cnt; cie > 0 && fr->cies[cie - 1].off != off + 4 - back; cie--)
		;
	if (!cie)
		return eh_error(p, off, "call frame record without its common information entry");
	if (!rel_cnt)
		return 0; /* describes nothing that is linked: left by a tool that removed its section */
	if (describes_nothing(p, off, sz, fr->cies[cie - 1].fde_enc))
		return 0;
	struct fde f = { .off = off, .sz = sz, .rel = rel, .rel_cnt = rel_cnt, .cie = cie - 1 };
	struct rel r;
	rel_get(p->o, p->is, rel, &r);
	if (r.off != off + 8)
		return eh_error(p, off, "call frame record whose first relocation is not of its start address");
	int rc = fde_target(p, &r, &f);
	if (rc < 0)
		return rc;
	struct fde *l = grow_to(fr->fdes, fr->fde_cnt, &p->fde_cap, sizeof(*l));
	if (!l)
		return -ENOMEM;
	fr->fdes = l;
	fr->fdes[fr->fde_cnt++] = f;
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
	const struct frames *fr = ctx;
	uint32_t ia = *(const uint32_t *)a, ib = *(const uint32_t *)b;
	const struct fde *x = &fr->fdes[ia], *y = &fr->fdes[ib];
	if (x->sec != y->sec)
		return x->sec < y->sec ? -1 : 1;
	if (x->pc != y->pc)
		return x->pc < y->pc ? -1 : 1;
	return ia < ib ? -1 : ia > ib;
}

/* Gives back what growing took beyond CNT elements. */
static void *pack(void *from, uint32_t cnt, size_t each)
{
	void *to = realloc(from, (size_t)cnt * each + 1);
	return to ? to : from;
}

static int order_by_code(struct frames *fr)
{
	bool sorted = true;
	fr->by_sec = malloc(((size_t)fr->fde_cnt + 1) * sizeof(*fr->by_sec));
	if (!fr->by_sec)
		return -ENOMEM;
	for (uint32_t i = 0; i < fr->fde_cnt; i++) {
		fr->by_sec[i] = i;
		sorted &= !i || by_code(&fr->by_sec[i - 1], &fr->by_sec[i], fr) < 0;
	}
	if (!sorted)
		qsort_r(fr->by_sec, fr->fde_cnt, sizeof(*fr->by_sec), by_code, fr);
	return 0;
}

static void frames_free(struct frames *fr)
{
	free(fr->cies);
	free(fr->fdes);
	free(fr->by_sec);
	free(fr);
}

void object_free_frames(struct object *o)
{
	for (struct frames *fr = atomic_load(&o->frames), *next; fr; fr = next) {
		next = fr->next;
		frames_free(fr);
	}
}

static const struct frames *find(const struct frames *fr, uint32_t sec)
{
	while (fr && fr->sec != sec)
		fr = fr->next;
	return fr;
}

/* The first to publish wins: the same object may stand on the command line twice. */
static const struct frames *publish(struct object *o, struct frames *fr)
{
	struct frames *first = atomic_load_explicit(&o->frames, memory_order_acquire);
	do {
		const struct frames *other = find(first, fr->sec);
		if (other) {
			frames_free(fr);
			return other;
		}
		fr->next = first;
	} while (!atomic_compare_exchange_weak_explicit(&o->frames, &first, fr, memory_order_release,
							memory_order_acquire));
	return fr;
}

int object_frames(struct object *o, uint32_t sec, const struct arch *arch, struct diag *d, uint64_t place,
		  const struct frames **ret_frames)
{
	const struct frames *known = find(atomic_load_explicit(&o->frames, memory_order_acquire), sec);
	if (known) {
		*ret_frames = known;
		return 0;
	}
	struct frames *fr = calloc(1, sizeof(*fr));
	if (!fr)
		return -ENOMEM;
	struct eh_parse p = { .o = o, .is = &o->secs[sec], .arch = arch, .fr = fr, .d = d, .place = place };
	fr->sec = sec;
	int rc = p.is->sz > UINT32_MAX ? eh_error(&p, 0, "section of more than 4 GiB") : parse_records(&p);
	if (!rc)
		rc = order_by_code(fr);
	if (rc) {
		frames_free(fr);
		return rc;
	}
	fr->cies = pack(fr->cies, fr->cie_cnt, sizeof(*fr->cies));
	fr->fdes = pack(fr->fdes, fr->fde_cnt, sizeof(*fr->fdes));
	*ret_frames = publish(o, fr);
	return 0;
}
