/* overflow.c - proves that no relocation overflows without looking at every one (DESIGN.md).
 *
 * Scanning kept the extreme addends of all 32-bit relative rows. If the image's span plus the largest addend fits the
 * field, those rows cannot overflow and only suspects are evaluated; if not, every relocation of allocated sections is.
 */
#include <errno.h>
#include <stdatomic.h>

#include "layout_priv.h"

struct overflow_job {
	const struct layout *l;
	overflow_check check;
	atomic_int rc;
};

/* Suspects lie all over the inputs: the loop asks early for what it will read, first the section, then, some steps later, the
 * relocation itself. */
enum { AHEAD_SECTION = 16, AHEAD_ROW = 8 };

static void look_ahead(const struct layout *l, size_t i, size_t end)
{
	const struct suspect *x;
	if (i + AHEAD_SECTION < end) {
		x = &l->s->suspects[i + AHEAD_SECTION];
		__builtin_prefetch(&l->in->files[x->file].obj->secs[x->gsec - l->st->sec_base[x->file]]);
		__builtin_prefetch(&l->live[x->gsec / LIVE_STEP]);
	}
	if (i + AHEAD_ROW < end) {
		x = &l->s->suspects[i + AHEAD_ROW];
		const struct object *o = l->in->files[x->file].obj;
		const uint8_t *row = o->data + o->secs[x->gsec - l->st->sec_base[x->file]].rel_off;
		__builtin_prefetch(row + (uint64_t)x->rel * sizeof(Elf64_Rela));
	}
}

static void suspects_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct overflow_job *j = ctx;
	(void)worker;
	for (size_t i = begin; i < end; i++) {
		const struct suspect *x = &j->l->s->suspects[i];
		look_ahead(j->l, i, end);
		if (j->check(j->l, x->file, x->gsec - j->l->st->sec_base[x->file], x->rel) < 0)
			atomic_store(&j->rc, -ERANGE);
	}
}

static void check_all(struct overflow_job *j, uint32_t file, uint32_t shndx, uint32_t first, uint32_t cnt)
{
	for (uint32_t r = first; r < first + cnt; r++)
		if (j->check(j->l, file, shndx, r) < 0)
			atomic_store(&j->rc, -ERANGE);
}

/* The call frame records that stayed. */
static void check_frames(struct overflow_job *j, uint32_t file)
{
	const struct eh_object *eh = &j->l->s->eh[file];
	const struct frames *fr = eh->frames;
	for (uint32_t i = 0; i < fr->cie_cnt; i++)
		if (eh->cies[i].out_off != UINT32_MAX)
			check_all(j, file, fr->sec, fr->cies[i].rel, fr->cies[i].rel_cnt);
	for (uint32_t i = 0; i < fr->fde_cnt; i++)
		if (eh->fde_off[i] != UINT32_MAX)
			check_all(j, file, fr->sec, fr->fdes[i].rel, fr->fdes[i].rel_cnt);
}

static void objects_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct overflow_job *j = ctx;
	(void)worker;
	for (size_t k = begin; k < end; k++) {
		uint32_t file = j->l->st->objs[k];
		const struct object *o = j->l->in->files[file].obj;
		for (uint32_t i = 1; i < o->sec_cnt; i++) {
			const struct isec *is = &o->secs[i];
			if (!(is->flags & SHF_ALLOC) || is->kind == ISEC_EH_FRAME ||
			    !sec_is(j->l->st, gsec(j->l->st, file, i), SEC_LIVE))
				continue;
			check_all(j, file, i, 0, is->rel_cnt);
		}
		check_frames(j, file);
	}
}

static bool is_proved(const struct layout *l)
{
	uint64_t span = l->image_end - l->image_base, limit = UINT64_C(1) << 31;
	const struct addend_range *a = &l->s->addends;
	uint64_t up = a->max > 0 ? (uint64_t)a->max : 0, down = a->min < 0 ? -(uint64_t)a->min : 0;
	uint64_t worst = up > down ? up : down;
	return span < limit && worst < limit && span + worst < limit;
}

/* PLT entries name their slots in 32 bits. */
static int check_slots(const struct layout *l)
{
	static const uint8_t pairs[][2] = { { SYN_PLT, SYN_GOTPLT }, { SYN_PLTGOT, SYN_GOT } };
	int rc = 0;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		enum syn_id plt = pairs[i][0], got = pairs[i][1];
		uint64_t a = syn_va(l, plt), a_end = a + l->syn_sz[plt], b = syn_va(l, got), b_end = b + l->syn_sz[got];
		if (!l->syn_out[plt] || !l->syn_out[got] ||
		    (a_end > b_end ? a_end : b_end) - (a < b ? a : b) < UINT64_C(1) << 31)
			continue;
		diag_error(l->in->diag, 0, "%s: its slots are out of range: got 0x%llx to 0x%llx, expected less than 2 GiB; "
			   "make the sections between them smaller", l->syn[plt]->name, (unsigned long long)a,
			   (unsigned long long)b);
		rc = -ERANGE;
	}
	return rc;
}

int overflow_prove(struct layout *l, overflow_check check)
{
	struct overflow_job j = { .l = l, .check = check };
	if (is_proved(l)) {
		pool_for(l->in->pool, l->s->suspect_cnt, 512, suspects_range, &j);
		return atomic_load(&j.rc);
	}
	pool_for(l->in->pool, l->st->obj_cnt, 4, objects_range, &j);
	int rc = check_slots(l);
	return rc ? rc : atomic_load(&j.rc);
}
