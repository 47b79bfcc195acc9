/* fuzz_link_mutate.h - libFuzzer's custom mutator of fuzz_link.c: changes one field of an ELF structure, of the sections,
 * symbols, relocations or words inside sections, and leaves the rest, so that links get beyond the first check.
 *
 * Elsewhere than under libFuzzer nobody calls it: LLVMFuzzerMutate is weak.
 */
#ifndef LINKFS_FUZZ_LINK_MUTATE_H
#define LINKFS_FUZZ_LINK_MUTATE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t sz, size_t max) __attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t sz, size_t max, unsigned seed);

static const uint64_t fuzz_values[] = {
	0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 63, 64, 127, 128, 255, 256, 4095, 4096, 65535, 65536, 0xff00, 0xfff1, 0xfff2,
	0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
	0xffffffffffffffff, 0xfffffffffffffff8, 0xffffffffffff0000, UINT64_C(1) << 56, (UINT64_C(1) << 56) - 1,
	UINT64_C(1) << 46, UINT64_C(1) << 47, 0xffffffff80000000,
};

static unsigned fuzz_pick(unsigned n)
{
	return n ? (unsigned)rand() % n : 0;
}

/* A new value for a field of W bytes: a remarkable one, a small one, or near the old one. */
static void fuzz_change(uint8_t *p, unsigned w)
{
	uint64_t v = 0;
	memcpy(&v, p, w);
	switch (fuzz_pick(6)) {
	case 0:
		v = fuzz_values[fuzz_pick(sizeof(fuzz_values) / sizeof(*fuzz_values))];
		break;
	case 1:
		v = fuzz_pick(48);
		break;
	case 2:
		v += fuzz_pick(9) - UINT64_C(4);
		break;
	case 3:
		v ^= UINT64_C(1) << fuzz_pick(8 * w);
		break;
	case 4:
		v = -(uint64_t)fuzz_pick(64);
		break;
	default:
		v += fuzz_values[fuzz_pick(sizeof(fuzz_values) / sizeof(*fuzz_values))];
	}
	memcpy(p, &v, w);
}

/* One of the fields whose widths WIDTHS lists, in order. */
static void fuzz_field(uint8_t *p, const uint8_t *widths, unsigned cnt)
{
	unsigned which = fuzz_pick(cnt);
	for (unsigned i = 0; i < which; i++)
		p += widths[i];
	fuzz_change(p, widths[which]);
}

static void fuzz_section_bytes(uint8_t *p, const Elf64_Shdr *sh, uint64_t sz)
{
	static const uint8_t sym[] = { 4, 1, 1, 2, 8, 8 }, rela[] = { 8, 4, 4, 8 };
	switch (sh->sh_type) {
	case SHT_SYMTAB:
	case SHT_DYNSYM:
		if (sz >= 24)
			fuzz_field(p + 24 * fuzz_pick((unsigned)(sz / 24)), sym, 6);
		break;
	case SHT_RELA:
		if (sz >= 24)
			fuzz_field(p + 24 * fuzz_pick((unsigned)(sz / 24)), rela, 4);
		break;
	case SHT_DYNAMIC:
		if (sz >= 8)
			fuzz_change(p + 8 * fuzz_pick((unsigned)(sz / 8)), 8);
		break;
	default:
		if (sz >= 4)
			fuzz_change(p + 4 * fuzz_pick((unsigned)(sz / 4)), fuzz_pick(2) ? 4 : 1);
	}
}

/* Copies one entry of a table over another, or one section header's type and flags. */
static void fuzz_copy(uint8_t *table, uint64_t cnt, unsigned each)
{
	uint8_t entry[64];
	if (cnt < 2 || each > sizeof(entry))
		return;
	uint64_t from = fuzz_pick((unsigned)cnt), to = fuzz_pick((unsigned)cnt);
	memcpy(entry, table + from * each, each);
	memcpy(table + to * each, entry, each);
}

/* false: no ELF file of class 64 with sections starts at P. */
static bool fuzz_elf(uint8_t *p, size_t sz)
{
	static const uint8_t header[] = { 4, 4, 8, 8, 8, 8, 4, 4, 8, 8 };
	Elf64_Ehdr eh;
	Elf64_Shdr sh;
	if (sz < sizeof(eh) || memcmp(p, ELFMAG, 4))
		return false;
	memcpy(&eh, p, sizeof(eh));
	if (!eh.e_shnum || eh.e_shoff > sz || eh.e_shnum > (sz - eh.e_shoff) / sizeof(sh))
		return false;
	uint8_t *at = p + eh.e_shoff + fuzz_pick(eh.e_shnum) * sizeof(sh);
	memcpy(&sh, at, sizeof(sh));
	bool has_bytes = sh.sh_type != SHT_NOBITS && sh.sh_offset <= sz && sh.sh_size <= sz - sh.sh_offset;
	switch (fuzz_pick(16)) {
	case 0:
		fuzz_change(p + fuzz_pick(64), 1);
		break;
	case 1:
	case 2:
	case 3:
	case 4:
		fuzz_field(at, header, sizeof(header));
		break;
	case 5:
		if (has_bytes && sh.sh_entsize && sh.sh_entsize <= 64)
			fuzz_copy(p + sh.sh_offset, sh.sh_size / sh.sh_entsize, (unsigned)sh.sh_entsize);
		break;
	case 6:
		fuzz_copy(p + eh.e_shoff, eh.e_shnum, sizeof(sh));
		break;
	default:
		if (has_bytes)
			fuzz_section_bytes(p + sh.sh_offset, &sh, sh.sh_size);
	}
	return true;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t sz, size_t max, unsigned seed)
{
	enum { HEADER_BYTES = 3 };
	srand(seed);
	if (sz <= HEADER_BYTES || !fuzz_pick(12))
		return LLVMFuzzerMutate ? LLVMFuzzerMutate(data, sz, max) : sz;
	if (!fuzz_pick(8)) {
		data[fuzz_pick(2)] = (uint8_t)fuzz_pick(256);
		return sz;
	}
	for (unsigned n = 1 + fuzz_pick(3); n; n--) {
		size_t rest = sz - HEADER_BYTES, at = HEADER_BYTES;
		if (data[2] && fuzz_pick(2))
			at += rest * data[2] / 255;
		if (!fuzz_elf(data + at, sz - at)) {
			/* An archive, perhaps: an object inside it. */
			const uint8_t *in = memmem(data + at, sz - at, ELFMAG "\2\1\1", 7);
			if (!in || !fuzz_elf(data + (in - data), sz - (size_t)(in - data)))
				return LLVMFuzzerMutate ? LLVMFuzzerMutate(data, sz, max) : sz;
		}
	}
	return sz;
}

#endif
