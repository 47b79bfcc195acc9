/* syn_hash.c - .gnu.hash and .hash: their bytes were made by sections/hash.c. */
#include "render.h"

static uint64_t gnu_hash_size(const struct layout *l)
{
	return l->s->gnu_hash_sz;
}

static int gnu_hash_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	(void)f;
	memcpy(dst, l->s->gnu_hash + off, sz);
	return 0;
}

static void links(const struct layout *l, uint32_t *ret_link, uint32_t *ret_info)
{
	*ret_link = l->syn_out[SYN_DYNSYM];
	*ret_info = 0;
}

const struct synthetic syn_gnu_hash = {
	.name = ".gnu.hash", .type = SHT_GNU_HASH, .flags = SHF_ALLOC, .size = gnu_hash_size, .align = syn_word_align,
	.links = links, .render = gnu_hash_render, .is_eager = true
};

static uint64_t hash_size(const struct layout *l)
{
	return l->s->sysv_hash_sz;
}

static int hash_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	(void)f;
	memcpy(dst, l->s->sysv_hash + off, sz);
	return 0;
}

const struct synthetic syn_hash = {
	.name = ".hash", .type = SHT_HASH, .flags = SHF_ALLOC, .p2align = 2, .entsize = 4, .size = hash_size,
	.links = links, .render = hash_render, .is_eager = true
};
