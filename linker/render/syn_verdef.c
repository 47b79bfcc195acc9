/* syn_verdef.c - .gnu.version_d: the versions that the output defines, by the order of the version scripts.
 *
 * The first entry names the output itself; each one has its own name and those of its parents. Which symbols have which
 * version is in .gnu.version. Source: LSB Core "Symbol Versioning"; Solaris "Versioning Sections" for VER_FLG_WEAK.
 */
#include <elf.h>

#include "render.h"

#define VERDEF_SZ 20u /* Elf32_Verdef and Elf64_Verdef are alike, and so are the Verdaux */
#define VERDAUX_SZ 8u

static uint64_t entry_sz(const struct layout *l, uint32_t i)
{
	return VERDEF_SZ + VERDAUX_SZ * (1 + (i ? (uint64_t)l->st->versions[i - 1].parent_cnt : 0));
}

static uint64_t verdef_size(const struct layout *l)
{
	uint64_t sz = 0;
	for (uint32_t i = 0; l->st->version_cnt && i <= l->st->version_cnt; i++)
		sz += entry_sz(l, i);
	return l->st->is_dynamic ? sz : 0;
}

/* A parent stands before its children: the version scripts were checked. */
static uint32_t parent_str(const struct layout *l, const char *name)
{
	uint32_t i = 0;
	while (i + 1 < l->st->version_cnt && strcmp(l->st->versions[i].name, name) != 0)
		i++;
	return l->s->verdefs[i + 1].str;
}

static int verdef_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	bool be = l->in->arch->is_be;
	uint64_t at = 0;
	(void)f;
	for (uint32_t i = 0; i <= l->st->version_cnt; at += entry_sz(l, i), i++) {
		const struct version_def *v = i ? &l->st->versions[i - 1] : NULL;
		uint32_t parents = v ? (uint32_t)v->parent_cnt : 0;
		uint8_t b[VERDEF_SZ];
		if (at >= off + sz || at + entry_sz(l, i) <= off)
			continue;
		store16(b, VER_DEF_CURRENT, be);
		store16(b + 2, !v ? VER_FLG_BASE : v->is_weak ? VER_FLG_WEAK : 0, be);
		store16(b + 4, (uint16_t)(i + 1), be);
		store16(b + 6, (uint16_t)(1 + parents), be);
		store32(b + 8, l->s->verdefs[i].hash, be);
		store32(b + 12, VERDEF_SZ, be);
		store32(b + 16, i == l->st->version_cnt ? 0 : (uint32_t)entry_sz(l, i), be);
		put_piece(off, sz, dst, at, b, VERDEF_SZ);
		for (uint32_t k = 0; k <= parents; k++) {
			store32(b, k ? parent_str(l, v->parents[k - 1]) : l->s->verdefs[i].str, be);
			store32(b + 4, k == parents ? 0 : VERDAUX_SZ, be);
			put_piece(off, sz, dst, at + VERDEF_SZ + (uint64_t)k * VERDAUX_SZ, b, VERDAUX_SZ);
		}
	}
	return 0;
}

static uint8_t word_align(const struct layout *l)
{
	return word_sz(l) == 8 ? 3 : 2;
}

static void links(const struct layout *l, uint32_t *ret_link, uint32_t *ret_info)
{
	*ret_link = l->syn_out[SYN_DYNSTR];
	*ret_info = l->st->version_cnt + 1;
}

const struct synthetic syn_verdef = {
	.name = ".gnu.version_d", .type = SHT_GNU_verdef, .flags = SHF_ALLOC, .size = verdef_size, .align = word_align,
	.links = links, .render = verdef_render, .is_eager = true
};
