/* hash.c - .gnu.hash and .hash: made whole, since their parts depend on all dynamic symbols and on no address.
 *
 * .gnu.hash: a Bloom filter of machine words, buckets, and chains whose last entry has bit 0 set; dynsym.c has grouped
 * the names by bucket. Source: gABI ch. 5 "Hash Table"; glibc's dl-lookup for the GNU form.
 */
#include <errno.h>
#include <string.h>

#include "sections_priv.h"

#define BLOOM_SHIFT 26

static unsigned word_sz(const struct sections *s)
{
	return s->in->arch->elf_class == ELFCLASS64 ? 8 : 4;
}

/* Words of the filter: a power of two, about 12 bits a name. */
static uint32_t bloom_words(const struct sections *s, uint32_t cnt)
{
	uint64_t bits = (uint64_t)cnt * 12, words = 1;
	while (words * word_sz(s) * 8 < bits)
		words *= 2;
	return (uint32_t)words;
}

static void add_to_bloom(const struct sections *s, uint8_t *bloom, uint32_t words, uint32_t hash)
{
	bool be = s->in->arch->is_be;
	unsigned w = word_sz(s), bits = w * 8;
	uint8_t *at = bloom + (uint64_t)(hash / bits & (words - 1)) * w;
	uint64_t set = UINT64_C(1) << (hash % bits) | UINT64_C(1) << ((hash >> BLOOM_SHIFT) % bits);
	if (w == 8)
		store64(at, load64(at, be) | set, be);
	else
		store32(at, load32(at, be) | (uint32_t)set, be);
}

static int build_gnu(struct sections *s)
{
	bool be = s->in->arch->is_be;
	uint32_t first = s->dynsym_hashed, cnt = s->dynsym_cnt - first, words = bloom_words(s, cnt);
	uint64_t sz = 16 + (uint64_t)words * word_sz(s) + ((uint64_t)s->gnu_buckets + cnt) * 4;
	uint8_t *p = sz > UINT32_MAX ? NULL : arena_alloc(s->arena, sz, 8);
	if (!p)
		return -ENOMEM;
	uint8_t *bloom = p + 16, *buckets = bloom + (uint64_t)words * word_sz(s), *chains = buckets + 4ul * s->gnu_buckets;
	store32(p, s->gnu_buckets, be);
	store32(p + 4, first, be);
	store32(p + 8, words, be);
	store32(p + 12, BLOOM_SHIFT, be);
	for (uint32_t i = 0; i < cnt; i++) {
		uint32_t hash = s->dynsyms[first + i].hash, bucket = hash % s->gnu_buckets;
		bool last = i + 1 == cnt || s->dynsyms[first + i + 1].hash % s->gnu_buckets != bucket;
		add_to_bloom(s, bloom, words, hash);
		if (!load32(buckets + 4ul * bucket, be))
			store32(buckets + 4ul * bucket, first + i, be);
		store32(chains + 4ul * i, (hash & ~UINT32_C(1)) | last, be);
	}
	s->gnu_hash = p;
	s->gnu_hash_sz = (uint32_t)sz;
	return 0;
}

static int build_sysv(struct sections *s)
{
	bool be = s->in->arch->is_be;
	uint32_t cnt = s->dynsym_cnt, n = cnt / 2 + 1;
	uint64_t sz = (2 + (uint64_t)n + cnt) * 4;
	uint8_t *p = sz > UINT32_MAX ? NULL : arena_alloc(s->arena, sz, 8);
	if (!p)
		return -ENOMEM;
	uint8_t *buckets = p + 8, *chains = buckets + 4ul * n;
	store32(p, n, be);
	store32(p + 4, cnt, be);
	for (uint32_t i = 1; i < cnt; i++) { /* each goes before what its bucket had */
		uint32_t bucket = sysv_hash(s->dynstr.data + s->dynsyms[i].str) % n;
		memcpy(chains + 4ul * i, buckets + 4ul * bucket, 4);
		store32(buckets + 4ul * bucket, i, be);
	}
	s->sysv_hash = p;
	s->sysv_hash_sz = (uint32_t)sz;
	return 0;
}

int hash_build(struct sections *s)
{
	int rc = 0;
	if (s->st->is_dynamic && (s->in->opt->hash_style & HASH_GNU))
		rc = build_gnu(s);
	if (!rc && s->st->is_dynamic && (s->in->opt->hash_style & HASH_SYSV))
		rc = build_sysv(s);
	return rc;
}
