/* shlib_find.c - where in a shared library its dynamic tables lie.
 *
 * By the section headers, which libelf reads, or by what the loader itself goes by: the dynamic segment, whose addresses
 * are turned into file offsets by the loadable segments. The loader does not say how many symbols there are; they are
 * counted through the hash table.
 * Sources: gABI chapter 5, "Program Loading and Dynamic Linking"; the GNU hash table's layout as in binutils.
 */
#include "shlib_parse.h"

#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

static void elf_done(Elf **elf)
{
	elf_end(*elf);
}

static int load_segments(struct shlib_parser *p, Elf *elf)
{
	size_t cnt;
	if (elf_getphdrnum(elf, &cnt))
		return fail(p, "program headers: %s", elf_errmsg(-1));
	if (!cnt)
		return 0;
	p->segments = calloc(cnt, sizeof(*p->segments));
	if (!p->segments)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++) {
		GElf_Phdr ph;
		if (!gelf_getphdr(elf, (int)i, &ph))
			return fail(p, "program header %zu: %s", i, elf_errmsg(-1));
		p->segments[p->segment_cnt++] = (struct segment){
			.va = ph.p_vaddr,
			.mem_sz = ph.p_memsz,
			.off = ph.p_offset,
			.file_sz = ph.p_filesz,
			.align = ph.p_align,
			.type = ph.p_type,
			.flags = ph.p_flags,
		};
	}
	return 0;
}

static int set_span(struct shlib_parser *p, struct span *span, const char *what, uint64_t off, uint64_t sz)
{
	if (!has_bytes(p, off, sz))
		return fail(p, "%s: 0x%llx bytes at 0x%llx: the file has 0x%llx", what, (unsigned long long)sz,
			    (unsigned long long)off, (unsigned long long)p->sz);
	*span = (struct span){ off, sz };
	return 0;
}

static int add_section(struct shlib_parser *p, const GElf_Shdr *sh, uint32_t *io_strs)
{
	int r = 0;
	switch (sh->sh_type) {
	case SHT_DYNSYM:
		r = set_span(p, &p->syms, "dynamic symbols", sh->sh_offset, sh->sh_size);
		if (!r && sh->sh_entsize != shlib_sym_sz(p))
			r = fail(p, "dynamic symbols: entries of %llu bytes: expected %llu",
				 (unsigned long long)sh->sh_entsize, (unsigned long long)shlib_sym_sz(p));
		break;
	case SHT_DYNAMIC:
		r = set_span(p, &p->dynamic, "dynamic section", sh->sh_offset, sh->sh_size);
		break;
	case SHT_GNU_versym:
		return set_span(p, &p->versym, "symbol versions", sh->sh_offset, sh->sh_size);
	case SHT_GNU_verdef:
		r = set_span(p, &p->verdef, "version definitions", sh->sh_offset, sh->sh_size);
		p->verdef_cnt = sh->sh_info;
		break;
	case SHT_GNU_verneed:
		r = set_span(p, &p->verneed, "needed versions", sh->sh_offset, sh->sh_size);
		p->verneed_cnt = sh->sh_info;
		break;
	default:
		return 0;
	}
	if (!r && *io_strs && *io_strs != sh->sh_link)
		return fail(p, "the dynamic tables have different string tables: sections %u and %u", *io_strs,
			    sh->sh_link);
	*io_strs = sh->sh_link;
	return r;
}

/* By section headers; leaves the spans empty where there are none. */
static int find_by_sections(struct shlib_parser *p, Elf *elf)
{
	size_t cnt;
	uint32_t strs = 0;
	GElf_Shdr sh;
	if (elf_getshdrnum(elf, &cnt) || cnt > UINT32_MAX)
		return fail(p, "section headers: %s", elf_errmsg(-1));
	if (!cnt)
		return 0;
	p->section_p2 = calloc(cnt, 1);
	if (!p->section_p2)
		return -ENOMEM;
	p->section_cnt = (uint32_t)cnt;
	for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
		if (!gelf_getshdr(scn, &sh) || elf_ndxscn(scn) >= cnt)
			return fail(p, "section %zu: %s", elf_ndxscn(scn), elf_errmsg(-1));
		p->section_p2[elf_ndxscn(scn)] = sh.sh_addralign ? (uint8_t)__builtin_ctzll(sh.sh_addralign) : 0;
		int r = add_section(p, &sh, &strs);
		if (r)
			return r;
	}
	if (!p->syms.sz && !p->dynamic.sz)
		return 0;
	if (!strs || strs >= cnt || !gelf_getshdr(elf_getscn(elf, strs), &sh) || sh.sh_type != SHT_STRTAB)
		return fail(p, "dynamic strings: section %u: there are %zu sections", strs, cnt);
	return set_span(p, &p->strs, "dynamic strings", sh.sh_offset, sh.sh_size);
}

/* The file's bytes from address VA to the end of its segment; SZ 0 where no segment has them. */
static struct span at_address(const struct shlib_parser *p, uint64_t va)
{
	for (uint32_t i = 0; i < p->segment_cnt; i++) {
		const struct segment *g = &p->segments[i];
		if (g->type == PT_LOAD && va >= g->va && va - g->va < g->file_sz && has_bytes(p, g->off, g->file_sz))
			return (struct span){ g->off + (va - g->va), g->file_sz - (va - g->va) };
	}
	return (struct span){ 0 };
}

/* One past the highest index reached through a GNU hash table; 0 where it makes no sense. */
static uint64_t count_gnu_hash(const struct shlib_parser *p, struct span hash)
{
	const uint8_t *at = p->data + hash.off;
	if (hash.sz < 16)
		return 0;
	uint64_t bucket_cnt = load32(at, p->be), first = load32(at + 4, p->be);
	uint64_t bloom_sz = (uint64_t)load32(at + 8, p->be) * (p->is_64 ? 8 : 4);
	uint64_t buckets_off = 16 + bloom_sz, chains_off = buckets_off + 4 * bucket_cnt, highest = 0;
	if (chains_off > hash.sz)
		return 0;
	for (uint64_t i = 0; i < bucket_cnt; i++) {
		uint32_t idx = load32(at + buckets_off + 4 * i, p->be);
		highest = idx > highest ? idx : highest;
	}
	if (highest < first)
		return first;
	for (uint64_t off = chains_off + 4 * (highest - first); off + 4 <= hash.sz; off += 4, highest++)
		if (load32(at + off, p->be) & 1)
			return highest + 1;
	return 0;
}

/* The values of the dynamic tags that say where tables lie. */
struct tags {
	uint64_t strtab, strsz, symtab, hash, gnu_hash, versym, verdef, verdefnum, verneed, verneednum;
};

static void read_tags(const struct shlib_parser *p, struct tags *ret)
{
	uint64_t word = p->is_64 ? 8 : 4;
	for (uint64_t off = 0; p->dynamic.sz - off >= 2 * word; off += 2 * word) {
		const uint8_t *at = p->data + p->dynamic.off + off;
		uint64_t tag = load_word(p, at), value = load_word(p, at + word);
		switch (tag) {
		case DT_NULL: return;
		case DT_STRTAB: ret->strtab = value; break;
		case DT_STRSZ: ret->strsz = value; break;
		case DT_SYMTAB: ret->symtab = value; break;
		case DT_HASH: ret->hash = value; break;
		case DT_GNU_HASH: ret->gnu_hash = value; break;
		case DT_VERSYM: ret->versym = value; break;
		case DT_VERDEF: ret->verdef = value; break;
		case DT_VERDEFNUM: ret->verdefnum = value; break;
		case DT_VERNEED: ret->verneed = value; break;
		case DT_VERNEEDNUM: ret->verneednum = value; break;
		}
	}
}

static int find_by_segments(struct shlib_parser *p)
{
	struct tags t = { 0 };
	for (uint32_t i = 0; i < p->segment_cnt && !p->dynamic.sz; i++) {
		const struct segment *g = &p->segments[i];
		int r = g->type == PT_DYNAMIC ? set_span(p, &p->dynamic, "dynamic segment", g->off, g->file_sz) : 0;
		if (r)
			return r;
	}
	if (!p->dynamic.sz)
		return fail(p, "no dynamic section: not a shared library that can be linked to");
	read_tags(p, &t);
	p->strs = at_address(p, t.strtab);
	p->syms = at_address(p, t.symtab);
	if (t.strsz > p->strs.sz || !p->syms.sz)
		return fail(p, "dynamic segment: its strings or symbols do not lie in the file");
	p->strs.sz = t.strsz;
	uint64_t cnt = 0;
	if (t.gnu_hash)
		cnt = count_gnu_hash(p, at_address(p, t.gnu_hash));
	struct span hash = at_address(p, t.hash);
	if (!cnt && t.hash && hash.sz >= 8)
		cnt = load32(p->data + hash.off + 4, p->be);
	if (!cnt || cnt > p->syms.sz / shlib_sym_sz(p))
		return fail(p, "dynamic segment: no hash table that tells the number of symbols");
	p->syms.sz = cnt * shlib_sym_sz(p);
	p->versym = t.versym ? at_address(p, t.versym) : p->versym;
	p->verdef = t.verdef ? at_address(p, t.verdef) : p->verdef;
	p->verneed = t.verneed ? at_address(p, t.verneed) : p->verneed;
	p->verdef_cnt = t.verdefnum <= UINT32_MAX ? (uint32_t)t.verdefnum : UINT32_MAX;
	p->verneed_cnt = t.verneednum <= UINT32_MAX ? (uint32_t)t.verneednum : UINT32_MAX;
	return 0;
}

int shlib_find(struct shlib_parser *p)
{
	elf_version(EV_CURRENT);
	__attribute__((cleanup(elf_done))) Elf *elf = elf_memory((char *)p->data, p->sz);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		return fail(p, "not a readable elf file: %s", elf_errmsg(-1));
	int r = load_segments(p, elf);
	if (!r)
		r = find_by_sections(p, elf);
	if (!r && !p->syms.sz && !p->dynamic.sz)
		r = find_by_segments(p);
	if (r)
		return r;
	if (!p->strs.sz || p->data[p->strs.off + p->strs.sz - 1])
		return fail(p, "dynamic strings: empty, or without a NUL at the end");
	if (p->syms.sz % shlib_sym_sz(p) || p->syms.sz / shlib_sym_sz(p) > UINT32_MAX)
		return fail(p, "dynamic symbols: 0x%llx bytes of entries of %llu", (unsigned long long)p->syms.sz,
			    (unsigned long long)shlib_sym_sz(p));
	if (p->versym.sz && p->versym.sz / 2 < p->syms.sz / shlib_sym_sz(p))
		return fail(p, "symbol versions: %llu for %llu symbols", (unsigned long long)p->versym.sz / 2,
			    (unsigned long long)(p->syms.sz / shlib_sym_sz(p)));
	return 0;
}
