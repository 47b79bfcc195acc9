/* syn_got.c - .got and .got.plt: what stands in each slot before the dynamic loader comes.
 *
 * Slots that get a RELA relocation hold zero, the addend being in the relocation. _GLOBAL_OFFSET_TABLE_ is the start of
 * .got.plt. Source: psABI ch. 5; ELF TLS (module 1 is the executable).
 */
#include "render.h"

static uint64_t got_size(const struct layout *l)
{
	return (uint64_t)l->s->got_cnt * word_sz(l);
}

/* The address of what an aux stands for. */
static uint64_t aux_va(const struct layout *l, const struct aux *a)
{
	struct rel r = { .sym = (uint32_t)a->key };
	int64_t A = 0;
	if (a->name)
		return l->va[a->name];
	uint32_t file = (uint32_t)(a->key >> 32);
	return target_va(l, l->in->files[file].obj, file, &r, &A) + (uint64_t)A;
}

static uint64_t slot_value(const struct layout *l, const struct got_slot *g)
{
	uint32_t type;
	bool by_name;
	enum got_rel rel = got_relocation(l->s, g, &type, &by_name);
	if (rel != GOT_REL_NONE)
		return 0;
	switch (g->kind) {
	case GOT_ADDR:
		return aux_va(l, &l->s->aux[g->aux]);
	case GOT_TPOFF:
		return aux_va(l, &l->s->aux[g->aux]) - l->tp;
	case GOT_DTPMOD:
	case GOT_LD:
		return 1;
	case GOT_DTPOFF:
		return aux_va(l, &l->s->aux[g->aux]) - l->tls_va;
	}
	return 0;
}

static int got_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	unsigned w = word_sz(l);
	(void)f;
	for (uint64_t i = off / w; i * w < off + sz; i++) {
		uint8_t word[8];
		put_word(l, word, slot_value(l, &l->s->got[i]));
		put_piece(off, sz, dst, i * w, word, w);
	}
	return 0;
}

const struct synthetic syn_got = {
	.name = ".got", .type = SHT_PROGBITS, .flags = SHF_ALLOC | SHF_WRITE, .entsize = 8, .size = got_size,
	.align = syn_word_align, .render = got_render
};

static uint64_t gotplt_size(const struct layout *l)
{
	bool named = false;
	for (uint32_t i = 0; i < l->st->linkdef_cnt; i++)
		named |= l->st->linkdefs[i].kind == LINKDEF_GOT;
	if (!l->s->plt_cnt && !l->s->needs_got_base && !named)
		return 0;
	return ((uint64_t)l->in->arch->gotplt_reserved + l->s->plt_cnt) * word_sz(l);
}

static uint64_t lazy_value(const struct layout *l, uint32_t i)
{
	const struct arch *a = l->in->arch;
	uint64_t entry = aux_plt_va(l, &l->s->aux[l->s->plt[i]]);
	if (l->s->plt_ibt && a->lazy_slot_is_header_ibt)
		return syn_va(l, SYN_PLT) + a->lazy_slot_offset_ibt;
	return entry + (l->s->plt_ibt ? a->lazy_slot_offset_ibt : a->lazy_slot_offset);
}

static int gotplt_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	unsigned w = word_sz(l), reserved = l->in->arch->gotplt_reserved;
	(void)f;
	for (uint64_t i = off / w; i * w < off + sz; i++) {
		uint8_t word[8];
		uint64_t v = i >= reserved ? lazy_value(l, (uint32_t)i - reserved) : i == 0 ? syn_va(l, SYN_DYNAMIC) : 0;
		put_word(l, word, v);
		put_piece(off, sz, dst, i * w, word, w);
	}
	return 0;
}

const struct synthetic syn_gotplt = {
	.name = ".got.plt", .type = SHT_PROGBITS, .flags = SHF_ALLOC | SHF_WRITE, .entsize = 8, .size = gotplt_size,
	.align = syn_word_align, .render = gotplt_render
};
