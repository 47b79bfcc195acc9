/* ehframe.c - which call frame records the output has: dead FDEs dropped, equal CIEs shared.
 *
 * The records themselves are parsed once per object (input/object_frames.c). An FDE lives with the section it
 * describes. Each object's records stay together and in order; a CIE equal to an earlier one (bytes and relocation
 * targets) is not repeated. The output ends in one terminator. Objects choose and place their FDEs in parallel; only
 * CIEs, of which an object has one or two, are seen in order. In a process that links again, which FDEs of an object stay is
 * kept with it under the states of its sections, which decide that: where they are as they were, FDEs are not looked at.
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
	const struct selected **selected; /* likewise: what was kept, NULL: nothing */
	struct object_product **retired; /* by worker */
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

/* ---- what is kept ---- */

/* Which FDEs of an object stay. */
struct selected {
	struct object_product product; /* the object keeps one */
	uint32_t frames_sec;    /* key: the section with the records, */
	uint32_t sec_cnt;
	const uint8_t *before;  /* and the sections' states; */
	const uint8_t *after;   /* what these become */
	const uint8_t *is_used; /* by CIE */
	uint64_t sz;            /* bytes of those that stay, */
	uint32_t cnt;           /* and how many they are */
	uint32_t off[];         /* by FDE: from the first that stays on; UINT32_MAX: it does not. Behind them the three above */
};

static const struct selected *selected_find(const struct sections *s, uint32_t file)
{
	const struct object *o = s->in->files[file].obj;
	const struct selected *x = (const struct selected *)(const void *)atomic_load_explicit(&o->selected,
											       memory_order_acquire);
	const void *states = (const void *)(s->st->sec_state + s->st->sec_base[file]);
	return x && x->frames_sec == s->eh[file].frames->sec && !memcmp(states, x->before, x->sec_cnt) ? x : NULL;
}

/* With the states as they are before; NULL where none is to be kept. */
static struct selected *selected_new(const struct sections *s, uint32_t file)
{
	const struct frames *fr = s->eh[file].frames;
	uint32_t sec_cnt = s->in->files[file].obj->sec_cnt;
	size_t sz = sizeof(struct selected) + fr->fde_cnt * sizeof(uint32_t) + 2 * (size_t)sec_cnt + fr->cie_cnt;
	struct selected *x = s->in->kept && fr->fde_cnt ? malloc(sz) : NULL;
	if (!x)
		return NULL;
	uint8_t *bytes = (uint8_t *)(x->off + fr->fde_cnt);
	*x = (struct selected){ .product.sz = sz, .frames_sec = fr->sec, .sec_cnt = sec_cnt, .before = bytes,
				.after = bytes + sec_cnt, .is_used = bytes + 2 * (size_t)sec_cnt };
	memcpy(bytes, (const void *)(s->st->sec_state + s->st->sec_base[file]), sec_cnt);
	return x;
}

/* Completes X and keeps it. */
static void selected_keep(const struct sections *s, uint32_t file, struct selected *x,
			  struct object_product **retired)
{
	const struct eh_object *eh = &s->eh[file];
	uint8_t *bytes = (uint8_t *)(x->off + eh->frames->fde_cnt);
	memcpy(x->off, eh->fde_off, eh->frames->fde_cnt * sizeof(*x->off));
	memcpy(bytes + x->sec_cnt, (const void *)(s->st->sec_state + s->st->sec_base[file]), x->sec_cnt);
	for (uint32_t i = 0; i < eh->frames->cie_cnt; i++)
		bytes[2 * (size_t)x->sec_cnt + i] = eh->cies[i].is_used;
	object_products_retire(atomic_exchange(&s->in->files[file].obj->selected, &x->product), retired);
}

/* ---- selecting ---- */

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

/* The same of object K, where it is kept, else to be kept; their offsets are left to shift_range where it was. */
static uint32_t select_object(struct select_job *j, size_t k, unsigned worker)
{
	struct sections *s = j->s;
	uint32_t file = s->st->objs[k];
	struct eh_object *eh = &s->eh[file];
	const struct selected *x = selected_find(s, file);
	j->selected[k] = x;
	if (x) {
		memcpy((void *)(s->st->sec_state + s->st->sec_base[file]), x->after, x->sec_cnt);
		for (uint32_t i = 0; i < eh->frames->cie_cnt; i++)
			eh->cies[i].is_used = x->is_used[i];
		j->fde_szs[k] = x->sz;
		return x->cnt;
	}
	struct selected *to = selected_new(s, file);
	uint32_t cnt = select_fdes(s, file, &j->fde_szs[k]);
	if (!to)
		return cnt;
	to->cnt = cnt;
	to->sz = j->fde_szs[k];
	selected_keep(s, file, to, &j->retired[worker]);
	return cnt;
}

static void select_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct select_job *j = ctx;
	const struct sections *s = j->s;
	uint32_t cnt = 0;
	for (size_t k = begin; k < end; k++) {
		uint32_t file = s->st->objs[k];
		struct eh_object *eh = &s->eh[file];
		for (uint32_t i = 0; i < eh->frames->cie_cnt; i++) {
			eh->cies[i] = (struct cie_use){ .out_off = UINT32_MAX };
			j->hashes[eh->cies + i - j->uses] = cie_hash(s, file, &eh->frames->cies[i]);
		}
		cnt += select_object(j, k, worker);
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
		const uint32_t *from = j->selected[k] ? j->selected[k]->off : eh->fde_off;
		for (uint32_t i = 0; i < eh->frames->fde_cnt; i++)
			eh->fde_off[i] = from[i] + (from[i] == UINT32_MAX ? 0 : first);
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
	j->selected = arena_alloc_array(s->scratch, (size_t)s->st->obj_cnt + 1, sizeof(*j->selected), 8);
	j->retired = arena_alloc_array(s->scratch, pool_threads(s->in->pool), sizeof(*j->retired), 8);
	if (!use || !fde_off || !j->hashes || !j->fde_szs || !j->selected || !j->retired)
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
	for (unsigned w = 0; j.retired && w < pool_threads(s->in->pool); w++)
		object_products_free(j.retired[w]);
	free(table);
	free(j.hashes);
	free(j.fde_szs);
	return rc;
}
