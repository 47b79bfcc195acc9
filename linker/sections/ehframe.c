/* ehframe.c - which call frame records the output has: dead FDEs dropped, equal CIEs shared.
 *
 * The records themselves are parsed once per object (input/object_frames.c). An FDE lives with the section it
 * describes. Each object's records stay together and in order; a CIE equal to an earlier one (bytes and relocation
 * targets) is not repeated. The output ends in one terminator. Objects choose and place their FDEs in parallel; only
 * CIEs, of which an object has one or two, are seen in order.
 * Source: LSB Core "Exception Frames".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sections_priv.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { NEAR = 8 };

static const struct frames no_frames;

static int parse_object(struct sections *s, uint32_t file)
{
	struct object *o = s->in->files[file].obj;
	const struct content *x = content_of(o);
	struct eh_object *eh = &s->eh[file];
	int rc = 0;
	eh->frames = &no_frames;
	for (uint32_t k = x->first_eh; k < x->cnt && !rc; k++) {
		uint32_t i = x->rows[k].sec;
		uint64_t place = (uint64_t)file << 32 | i;
		if (x->rows[k].kind != ISEC_EH_FRAME || sec_is(s->st, gsec(s->st, file, i), SEC_DEAD_COMDAT))
			continue;
		if (eh->frames->sec) {
			diag_error(s->in->diag, place, "%s:(.eh_frame+0x0): more than one .eh_frame section in one object",
				   o->name);
			return -EINVAL;
		}
		rc = object_frames(o, i, s->in->arch, s->in->diag, place, &eh->frames);
	}
	return rc;
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
	s->eh = arena_alloc_array(s->arena, (size_t)s->in->file_cnt + 1, sizeof(*s->eh), 64);
	if (!s->eh)
		return -ENOMEM;
	pool_for(s->in->pool, s->st->obj_cnt, 8, parse_range, s);
	return diag_errors(s->in->diag) ? -EINVAL : 0;
}

static uint32_t sec_at(const struct frames *fr, uint32_t i)
{
	return fr->fdes[fr->by_sec[i]].sec;
}

static bool is_of(const struct frames *fr, uint32_t i, uint32_t shndx)
{
	return i < fr->fde_cnt && sec_at(fr, i) == shndx;
}

void ehframe_next(const struct sections *s, uint32_t file, uint32_t shndx, struct eh_range *at)
{
	const struct eh_object *eh = &s->eh[file];
	const struct frames *fr = eh->frames;
	uint32_t lo = 0, hi = fr->fde_cnt;
	/* What is asked for next lies mostly right behind, or after a few records that are dead. */
	if (at->eh == eh && at->end && sec_at(fr, at->end - 1) < shndx) {
		for (lo = at->end; lo < hi && lo - at->end < NEAR && sec_at(fr, lo) < shndx; lo++)
			;
		hi = lo < hi && sec_at(fr, lo) < shndx ? hi : lo;
	}
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (sec_at(fr, mid) < shndx)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (hi = lo; is_of(fr, hi, shndx); hi++)
		;
	*at = (struct eh_range){ eh, lo, hi };
}

struct eh_range ehframe_of(const struct sections *s, uint32_t file, uint32_t shndx)
{
	struct eh_range r = { 0 };
	ehframe_next(s, file, shndx, &r);
	return r;
}

/* ---- selection, after liveness ---- */

/* While records are chosen. */
struct select_job {
	struct sections *s;
	struct cie_use *uses;  /* all of them; */
	uint64_t *hashes;      /* theirs */
	uint64_t *fde_szs;     /* by index in objs: bytes of the FDEs that stay */
	_Atomic uint32_t fde_cnt;
};

struct cie_slot {
	uint64_t hash;
	uint32_t file, cie;
};

/* What a CIE's relocations mean, so that equal bytes with equal targets can be shared. */
static uint64_t cie_hash(const struct sections *s, uint32_t file, const struct cie *c)
{
	const struct object *o = s->in->files[file].obj;
	const struct isec *is = &o->secs[s->eh[file].frames->sec];
	uint64_t h = XXH3_64bits(c->sz <= CIE_HEAD ? c->head : isec_bytes(o, is) + c->off, c->sz);
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
	const struct isec *ia = &oa->secs[s->eh[fa].frames->sec], *ib = &ob->secs[s->eh[fb].frames->sec];
	if (a->sz != b->sz || a->rel_cnt != b->rel_cnt || memcmp(a->head, b->head, CIE_HEAD))
		return false;
	if (a->sz > CIE_HEAD && memcmp(isec_bytes(oa, ia) + a->off, isec_bytes(ob, ib) + b->off, a->sz))
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

/* The earliest equal CIE; files are visited in order, so whoever is in the table leads. */
static void lead_cie(const struct sections *s, struct cie_slot *table, size_t mask, uint32_t file, uint32_t i,
		     uint64_t h)
{
	const struct cie *c = &s->eh[file].frames->cies[i];
	struct cie_use *use = &s->eh[file].cies[i];
	use->leader_file = file;
	use->leader = i;
	for (size_t k = h & mask;; k = (k + 1) & mask) {
		if (!table[k].file) {
			table[k] = (struct cie_slot){ h, file, i };
			return;
		}
		if (table[k].hash == h &&
		    same_cie(s, file, c, table[k].file, &s->eh[table[k].file].frames->cies[table[k].cie])) {
			use->leader_file = table[k].file;
			use->leader = table[k].cie;
			return;
		}
	}
}

/* Which FDEs of an object stay, and where, counted from the first of them. */
static uint32_t select_fdes(const struct sections *s, uint32_t file, uint64_t *ret_sz)
{
	struct eh_object *eh = &s->eh[file];
	const struct frames *fr = eh->frames;
	_Atomic uint8_t *state = s->st->sec_state + s->st->sec_base[file]; /* nobody else is at them */
	uint32_t cnt = 0;
	uint64_t off = 0;
	for (uint32_t i = 0; i < fr->fde_cnt; i++) {
		const struct fde *f = &fr->fdes[i];
		uint8_t was = f->sec ? atomic_load_explicit(&state[f->sec], memory_order_relaxed) : 0;
		if (!(was & SEC_LIVE)) {
			eh->fde_off[i] = UINT32_MAX;
			continue;
		}
		atomic_store_explicit(&state[f->sec], was | SEC_FRAMES, memory_order_relaxed);
		eh->cies[f->cie].is_used = true;
		eh->fde_off[i] = (uint32_t)off;
		off += f->sz;
		cnt++;
	}
	*ret_sz = off;
	return cnt;
}

static void select_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct select_job *j = ctx;
	const struct sections *s = j->s;
	uint32_t cnt = 0;
	(void)worker;
	for (size_t k = begin; k < end; k++) {
		uint32_t file = s->st->objs[k];
		struct eh_object *eh = &s->eh[file];
		for (uint32_t i = 0; i < eh->frames->cie_cnt; i++) {
			eh->cies[i] = (struct cie_use){ .out_off = UINT32_MAX };
			j->hashes[eh->cies + i - j->uses] = cie_hash(s, file, &eh->frames->cies[i]);
		}
		cnt += select_fdes(s, file, &j->fde_szs[k]);
	}
	atomic_fetch_add_explicit(&j->fde_cnt, cnt, memory_order_relaxed);
}

/* Where each object's records start: behind those before it, and without the CIEs that an earlier one has. */
static int place_objects(const struct select_job *j, struct cie_slot *table, size_t mask)
{
	struct sections *s = j->s;
	uint64_t off = 0;
	for (uint32_t k = 0; k < s->st->obj_cnt; k++) {
		uint32_t file = s->st->objs[k];
		struct eh_object *eh = &s->eh[file];
		eh->out_off = off;
		for (uint32_t i = 0; i < eh->frames->cie_cnt; i++) {
			struct cie_use *c = &eh->cies[i];
			if (!c->is_used)
				continue;
			lead_cie(s, table, mask, file, i, j->hashes[c - j->uses]);
			s->eh_has_unknown |= eh->frames->cies[i].fde_enc == 0xff;
			if (c->leader_file == file && c->leader == i) {
				c->out_off = (uint32_t)off;
				off += eh->frames->cies[i].sz;
			}
		}
		off += j->fde_szs[k];
		eh->out_sz = off - eh->out_off;
		if (off > UINT32_MAX - 4) {
			diag_error(s->in->diag, 0, ".eh_frame of the output is larger than 4 GiB");
			return -EOVERFLOW;
		}
	}
	s->eh_sz = off ? off + 4 : 0;
	return 0;
}

/* FDEs follow their object's CIEs. */
static void shift_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	const struct select_job *j = ctx;
	(void)worker;
	for (size_t k = begin; k < end; k++) {
		const struct eh_object *eh = &j->s->eh[j->s->st->objs[k]];
		uint32_t first = (uint32_t)(eh->out_off + eh->out_sz - j->fde_szs[k]);
		for (uint32_t i = 0; i < eh->frames->fde_cnt; i++)
			eh->fde_off[i] += eh->fde_off[i] == UINT32_MAX ? 0 : first;
	}
}

/* Room for what each object's records become. */
static int make_room(struct select_job *j, size_t *ret_cies)
{
	struct sections *s = j->s;
	size_t cies = 0, fdes = 0;
	for (uint32_t k = 0; k < s->st->obj_cnt; k++) {
		cies += s->eh[s->st->objs[k]].frames->cie_cnt;
		fdes += s->eh[s->st->objs[k]].frames->fde_cnt;
	}
	struct cie_use *use = j->uses = arena_alloc_array(s->arena, cies, sizeof(*use), 64);
	uint32_t *fde_off = arena_alloc_raw_array(s->arena, fdes, sizeof(*fde_off), 64);
	j->hashes = malloc((cies + 1) * sizeof(*j->hashes));
	j->fde_szs = malloc(((size_t)s->st->obj_cnt + 1) * sizeof(*j->fde_szs));
	if (!use || !fde_off || !j->hashes || !j->fde_szs)
		return -ENOMEM;
	for (uint32_t k = 0; k < s->st->obj_cnt; k++) {
		struct eh_object *eh = &s->eh[s->st->objs[k]];
		eh->cies = use;
		eh->fde_off = fde_off;
		use += eh->frames->cie_cnt;
		fde_off += eh->frames->fde_cnt;
	}
	*ret_cies = cies;
	return 0;
}

int ehframe_select(struct sections *s)
{
	struct select_job j = { .s = s };
	struct cie_slot *table = NULL;
	size_t cies = 0, cap = 64;
	int rc = make_room(&j, &cies);
	while (cap < 2 * cies)
		cap *= 2;
	if (!rc && !(table = calloc(cap, sizeof(*table))))
		rc = -ENOMEM;
	if (!rc) {
		pool_for(s->in->pool, s->st->obj_cnt, 16, select_range, &j);
		s->fde_cnt = atomic_load(&j.fde_cnt);
		rc = place_objects(&j, table, cap - 1);
	}
	if (!rc)
		pool_for(s->in->pool, s->st->obj_cnt, 64, shift_range, &j);
	free(table);
	free(j.hashes);
	free(j.fde_szs);
	return rc;
}
