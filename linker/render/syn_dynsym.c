/* syn_dynsym.c - .dynsym, .dynstr, .gnu.version, .gnu.version_r: who is in them was decided in sections/dynsym.c.
 *
 * Source: gABI ch. 5 "Symbol Table"; LSB Core "Symbol Versioning" for the version sections.
 */
#include "render.h"
#include "symentry.h"

#define VERNEED_SZ 16u /* Elf32_Verneed and Elf64_Verneed are alike, and so are the Vernaux */

static uint64_t dynsym_size(const struct layout *l)
{
	uint32_t each = word_sz(l) == 8 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	return l->st->is_dynamic ? (uint64_t)l->s->dynsym_cnt * each : 0;
}

static int dynsym_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	uint32_t each = word_sz(l) == 8 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	(void)f;
	for (uint64_t i = off / each; i * each < off + sz; i++) {
		uint8_t buf[sizeof(Elf64_Sym)] = { 0 };
		if (i)
			symentry_put(l, buf, l->s->dynsyms[i].str, l->s->dynsyms[i].name, NULL, 0, true);
		put_piece(off, sz, dst, i * each, buf, each);
	}
	return 0;
}

static void dynsym_links(const struct layout *l, uint32_t *ret_link, uint32_t *ret_info)
{
	*ret_link = l->syn_out[SYN_DYNSTR];
	*ret_info = 1; /* one local symbol: the null one */
}

const struct synthetic syn_dynsym = {
	.name = ".dynsym", .type = SHT_DYNSYM, .flags = SHF_ALLOC, .entsize = sizeof(Elf64_Sym), .size = dynsym_size,
	.align = syn_word_align, .links = dynsym_links, .render = dynsym_render, .is_eager = true
};

static uint64_t dynstr_size(const struct layout *l)
{
	return l->st->is_dynamic ? l->s->dynstr.sz : 0;
}

static int dynstr_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	(void)f;
	memcpy(dst, l->s->dynstr.data + off, sz);
	return 0;
}

const struct synthetic syn_dynstr = {
	.name = ".dynstr", .type = SHT_STRTAB, .flags = SHF_ALLOC, .size = dynstr_size, .render = dynstr_render,
	.is_eager = true
};

/* ---- versions ---- */

static uint64_t versym_size(const struct layout *l)
{
	return l->st->is_dynamic && (l->s->verneed_cnt || l->st->version_cnt) ? (uint64_t)l->s->dynsym_cnt * 2 : 0;
}

static int versym_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	(void)f;
	for (uint64_t i = off / 2; i * 2 < off + sz; i++) {
		uint8_t v[2];
		store16(v, i ? l->s->dynsyms[i].version : 0, l->in->arch->is_be);
		put_piece(off, sz, dst, i * 2, v, 2);
	}
	return 0;
}

static void versym_links(const struct layout *l, uint32_t *ret_link, uint32_t *ret_info)
{
	*ret_link = l->syn_out[SYN_DYNSYM];
	*ret_info = 0;
}

const struct synthetic syn_versym = {
	.name = ".gnu.version", .type = SHT_GNU_versym, .flags = SHF_ALLOC, .p2align = 1, .entsize = 2,
	.size = versym_size, .links = versym_links, .render = versym_render, .is_eager = true
};

static uint64_t verneed_size(const struct layout *l)
{
	uint64_t sz = 0;
	for (uint32_t i = 0; i < l->s->verneed_cnt; i++)
		sz += VERNEED_SZ + (uint64_t)l->s->verneeds[i].version_cnt * VERNEED_SZ;
	return l->st->is_dynamic ? sz : 0;
}

static int verneed_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	bool be = l->in->arch->is_be;
	uint64_t at = 0;
	(void)f;
	for (uint32_t i = 0; i < l->s->verneed_cnt; i++) {
		const struct verneed *v = &l->s->verneeds[i];
		uint8_t b[VERNEED_SZ];
		bool last = i + 1 == l->s->verneed_cnt;
		store16(b, 1, be);
		store16(b + 2, (uint16_t)v->version_cnt, be);
		store32(b + 4, v->str, be);
		store32(b + 8, VERNEED_SZ, be);
		store32(b + 12, last ? 0 : VERNEED_SZ * (1 + v->version_cnt), be);
		put_piece(off, sz, dst, at, b, sizeof(b));
		at += VERNEED_SZ;
		for (uint32_t k = 0; k < v->version_cnt; k++, at += VERNEED_SZ) {
			store32(b, v->versions[k].hash, be);
			store16(b + 4, v->versions[k].is_weak ? 2 : 0, be); /* VER_FLG_WEAK */
			store16(b + 6, v->versions[k].index, be);
			store32(b + 8, v->versions[k].str, be);
			store32(b + 12, k + 1 == v->version_cnt ? 0 : VERNEED_SZ, be);
			put_piece(off, sz, dst, at, b, sizeof(b));
		}
	}
	return 0;
}

static void verneed_links(const struct layout *l, uint32_t *ret_link, uint32_t *ret_info)
{
	*ret_link = l->syn_out[SYN_DYNSTR];
	*ret_info = l->s->verneed_cnt;
}

const struct synthetic syn_verneed = {
	.name = ".gnu.version_r", .type = SHT_GNU_verneed, .flags = SHF_ALLOC, .p2align = 3, .size = verneed_size,
	.links = verneed_links, .render = verneed_render, .is_eager = true
};
