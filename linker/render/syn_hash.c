/* syn_hash.c - .gnu.hash and .hash over the dynamic symbols.
 *
 * .gnu.hash: a Bloom filter of machine words, buckets, and chains whose last entry has bit 0 set; names are already
 * grouped by bucket. Any part is rendered from the sorted list. Source: gABI ch. 5 "Hash Table"; glibc's dl-lookup for
 * the GNU form.
 */
#include <stdlib.h>

#include "render.h"

#define BLOOM_SHIFT 26

static uint32_t hashed_cnt(const struct layout *l)
{
	return l->s->dynsym_cnt - l->s->dynsym_hashed;
}

/* Words of the filter: a power of two, about 12 bits a name. */
static uint32_t bloom_words(const struct layout *l)
{
	uint64_t bits = (uint64_t)hashed_cnt(l) * 12, words = 1;
	while (words * word_sz(l) * 8 < bits)
		words *= 2;
	return (uint32_t)words;
}

static uint64_t gnu_hash_size(const struct layout *l)
{
	if (!l->st->is_dynamic || !(l->in->opt->hash_style & HASH_GNU))
		return 0;
	return 16 + (uint64_t)bloom_words(l) * word_sz(l) + ((uint64_t)l->s->gnu_buckets + hashed_cnt(l)) * 4;
}

static uint64_t bloom_word(const struct layout *l, uint32_t word)
{
	uint32_t bits = word_sz(l) * 8, mask = bloom_words(l) - 1;
	uint64_t v = 0;
	for (uint32_t i = l->s->dynsym_hashed; i < l->s->dynsym_cnt; i++) {
		uint32_t h = l->s->dynsyms[i].hash;
		if ((h / bits & mask) == word)
			v |= UINT64_C(1) << (h % bits) | UINT64_C(1) << ((h >> BLOOM_SHIFT) % bits);
	}
	return v;
}

/* The index of the first symbol of a bucket, 0: empty. Symbols ascend by bucket. */
static uint32_t bucket_head(const struct layout *l, uint32_t bucket)
{
	uint32_t lo = l->s->dynsym_hashed, hi = l->s->dynsym_cnt, n = l->s->gnu_buckets;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (l->s->dynsyms[mid].hash % n < bucket)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->s->dynsym_cnt && l->s->dynsyms[lo].hash % n == bucket ? lo : 0;
}

static uint32_t chain_word(const struct layout *l, uint32_t i)
{
	uint32_t h = l->s->dynsyms[i].hash, n = l->s->gnu_buckets;
	bool last = i + 1 == l->s->dynsym_cnt || l->s->dynsyms[i + 1].hash % n != h % n;
	return (h & ~UINT32_C(1)) | last;
}

static int gnu_hash_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	bool be = l->in->arch->is_be;
	unsigned w = word_sz(l);
	uint64_t buckets = 16 + (uint64_t)bloom_words(l) * w, chains = buckets + (uint64_t)l->s->gnu_buckets * 4;
	uint8_t b[16];
	(void)f;
	store32(b, l->s->gnu_buckets, be);
	store32(b + 4, l->s->dynsym_hashed, be);
	store32(b + 8, bloom_words(l), be);
	store32(b + 12, BLOOM_SHIFT, be);
	put_piece(off, sz, dst, 0, b, 16);
	for (uint32_t i = 0; i < bloom_words(l); i++) {
		uint64_t at = 16 + (uint64_t)i * w;
		if (at >= off + sz || at + w <= off)
			continue;
		put_word(l, b, bloom_word(l, i));
		put_piece(off, sz, dst, at, b, w);
	}
	for (uint32_t i = 0; i < l->s->gnu_buckets; i++) {
		uint64_t at = buckets + (uint64_t)i * 4;
		if (at >= off + sz || at + 4 <= off)
			continue;
		store32(b, bucket_head(l, i), be);
		put_piece(off, sz, dst, at, b, 4);
	}
	for (uint32_t i = l->s->dynsym_hashed; i < l->s->dynsym_cnt; i++) {
		store32(b, chain_word(l, i), be);
		put_piece(off, sz, dst, chains + (uint64_t)(i - l->s->dynsym_hashed) * 4, b, 4);
	}
	return 0;
}

static uint8_t word_align(const struct layout *l)
{
	return word_sz(l) == 8 ? 3 : 2;
}

static void links(const struct layout *l, uint32_t *ret_link, uint32_t *ret_info)
{
	*ret_link = l->syn_out[SYN_DYNSYM];
	*ret_info = 0;
}

const struct synthetic syn_gnu_hash = {
	.name = ".gnu.hash", .type = SHT_GNU_HASH, .flags = SHF_ALLOC, .size = gnu_hash_size, .align = word_align,
	.links = links, .render = gnu_hash_render, .is_eager = true
};

/* ---- System V ---- */

static uint32_t sysv_buckets(const struct layout *l)
{
	return l->s->dynsym_cnt / 2 + 1;
}

static uint64_t hash_size(const struct layout *l)
{
	if (!l->st->is_dynamic || !(l->in->opt->hash_style & HASH_SYSV))
		return 0;
	return (2 + (uint64_t)sysv_buckets(l) + l->s->dynsym_cnt) * 4;
}

static uint32_t sysv_bucket(const struct layout *l, uint32_t i)
{
	const char *s = l->s->dynstr.data + l->s->dynsyms[i].str;
	uint32_t h = 0;
	for (; *s; s++) {
		h = (h << 4) + (unsigned char)*s;
		uint32_t g = h & 0xf0000000;
		h ^= g >> 24;
		h &= ~g;
	}
	return h % sysv_buckets(l);
}

/* A bucket's chain runs from its highest symbol down. */
static int hash_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	bool be = l->in->arch->is_be;
	uint32_t buckets = sysv_buckets(l), cnt = l->s->dynsym_cnt;
	uint8_t b[8];
	(void)f;
	memset(dst, 0, sz);
	store32(b, buckets, be);
	store32(b + 4, cnt, be);
	put_piece(off, sz, dst, 0, b, 8);
	for (uint32_t i = 1; i < cnt; i++) {
		uint32_t mine = sysv_bucket(l, i), prev = 0;
		store32(b, i, be); /* later ones overwrite: the head is the last */
		put_piece(off, sz, dst, 8 + (uint64_t)mine * 4, b, 4);
		uint64_t at = 8 + ((uint64_t)buckets + i) * 4;
		if (at >= off + sz || at + 4 <= off)
			continue;
		for (uint32_t k = i - 1; k && !prev; k--)
			prev = sysv_bucket(l, k) == mine ? k : 0;
		store32(b, prev, be);
		put_piece(off, sz, dst, at, b, 4);
	}
	return 0;
}

const struct synthetic syn_hash = {
	.name = ".hash", .type = SHT_HASH, .flags = SHF_ALLOC, .p2align = 2, .entsize = 4, .size = hash_size,
	.links = links, .render = hash_render, .is_eager = true
};
