/* syn_plt.c - .plt (lazy, one JUMP_SLOT each) and .plt.got (through a slot that is bound anyway; IFUNC). Bytes are the
 * CPU's; addresses are given. Source: psABI ch. 5 "Procedure Linkage Table". */
#include "render.h"

#define ENTRY_MAX 64

static uint32_t header_sz(const struct layout *l)
{
	return l->s->plt_ibt ? l->in->arch->plt_ibt_header_size : l->in->arch->plt_header_size;
}

static uint32_t entry_sz(const struct layout *l)
{
	return l->s->plt_ibt ? l->in->arch->plt_ibt_entry_size : l->in->arch->plt_entry_size;
}

static uint64_t plt_size(const struct layout *l)
{
	return l->s->plt_cnt ? header_sz(l) + (uint64_t)l->s->plt_cnt * entry_sz(l) : 0;
}

static int plt_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	const struct arch *a = l->in->arch;
	uint64_t plt = syn_va(l, SYN_PLT), gotplt = syn_va(l, SYN_GOTPLT);
	uint32_t head = header_sz(l), each = entry_sz(l);
	uint8_t buf[ENTRY_MAX];
	(void)f;
	if (off < head) {
		a->write_plt_header(buf, plt, gotplt, l->s->plt_ibt);
		put_piece(off, sz, dst, 0, buf, head);
	}
	for (uint64_t i = off < head ? 0 : (off - head) / each; head + i * each < off + sz; i++) {
		uint64_t at = head + i * each;
		a->write_plt_entry(buf, plt + at, gotplt + (a->gotplt_reserved + i) * word_sz(l), plt, (uint32_t)i,
				   l->s->plt_ibt);
		put_piece(off, sz, dst, at, buf, each);
	}
	return 0;
}

const struct synthetic syn_plt = {
	.name = ".plt", .type = SHT_PROGBITS, .flags = SHF_ALLOC | SHF_EXECINSTR, .p2align = 4, .entsize = 16,
	.size = plt_size, .render = plt_render
};

static uint64_t pltgot_size(const struct layout *l)
{
	return (uint64_t)l->s->pltgot_cnt * l->in->arch->pltgot_entry_size;
}

static int pltgot_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	const struct arch *a = l->in->arch;
	uint32_t each = a->pltgot_entry_size;
	uint8_t buf[ENTRY_MAX];
	(void)f;
	for (uint64_t i = off / each; i * each < off + sz; i++) {
		const struct aux *x = &l->s->aux[l->s->pltgot[i]];
		uint32_t slot = x->got_ifunc != SLOT_NONE ? x->got_ifunc : x->got;
		a->write_pltgot_entry(buf, syn_va(l, SYN_PLTGOT) + i * each, got_slot_va(l, slot), l->s->plt_ibt);
		put_piece(off, sz, dst, i * each, buf, each);
	}
	return 0;
}

const struct synthetic syn_pltgot = {
	.name = ".plt.got", .type = SHT_PROGBITS, .flags = SHF_ALLOC | SHF_EXECINSTR, .p2align = 4, .entsize = 16,
	.size = pltgot_size, .render = pltgot_render
};
