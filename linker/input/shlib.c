/* shlib.c - reads the dynamic symbols, versions and dependencies of a shared library.
 *
 * shlib_find.c says where the tables lie; here they are read, by elfbytes.h, each offset checked. A symbol of a version
 * that is not the default one is known as "f@V" only, as the static linker must not bind "f" to it; the base version
 * (the library's own name) is no version.
 * Sources: gABI chapter 5; LSB core, "Symbol Versioning".
 */
#include "shlib.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"
#include "shlib_parse.h"

enum {
	VERSION_HIDDEN = 0x8000,
	MAX_COPY_P2 = 12, /* what a symbol's address may promise where no section says less */
	PIE_FLAG = 0x08000000, /* DF_1_PIE */
};

static const char *string_at(const struct shlib_parser *p, uint64_t off)
{
	return off < p->strs.sz ? (const char *)p->data + p->strs.off + off : NULL;
}

/* ---- the dynamic section ---- */

static int add_needed(struct shlib_parser *p, const char *name)
{
	struct shlib *s = p->s;
	const char **needed = reallocarray(s->needed, s->needed_cnt + 1, sizeof(*needed));
	if (!needed)
		return -ENOMEM;
	s->needed = needed;
	s->needed[s->needed_cnt++] = name;
	return 0;
}

static int read_tag(struct shlib_parser *p, uint64_t tag, uint64_t value)
{
	struct shlib *s = p->s;
	const char *str = string_at(p, value);
	switch (tag) {
	case DT_FLAGS_1:
		return value & PIE_FLAG ? fail(p, "cannot be an input: it is a position-independent executable") : 0;
	case DT_SONAME:
	case DT_NEEDED:
	case DT_RUNPATH:
	case DT_RPATH:
		if (!str)
			return fail(p, "dynamic section: a string at 0x%llx: there are 0x%llx bytes",
				    (unsigned long long)value, (unsigned long long)p->strs.sz);
		break;
	default:
		return 0;
	}
	if (tag == DT_SONAME)
		s->soname = str;
	else if (tag == DT_RUNPATH)
		s->runpath = str;
	else if (tag == DT_RPATH)
		s->rpath = str;
	else
		return add_needed(p, str);
	return 0;
}

static int read_dynamic(struct shlib_parser *p)
{
	uint64_t word = p->is_64 ? 8 : 4;
	for (uint64_t off = 0; p->dynamic.sz - off >= 2 * word; off += 2 * word) {
		const uint8_t *at = p->data + p->dynamic.off + off;
		uint64_t tag = load_word(p, at);
		if (tag == DT_NULL)
			break;
		int r = read_tag(p, tag, load_word(p, at + word));
		if (r)
			return r;
	}
	return 0;
}

/* ---- versions ---- */

static int set_version(struct shlib_parser *p, uint32_t idx, uint32_t name_off)
{
	struct shlib *s = p->s;
	const char *name = string_at(p, name_off);
	if (!name || !*name)
		return fail(p, "version %u: its name at 0x%x: there are 0x%llx bytes", idx, name_off,
			    (unsigned long long)p->strs.sz);
	if (idx >= s->version_cnt) {
		const char **versions = reallocarray(s->versions, idx + 1, sizeof(*versions));
		if (!versions)
			return -ENOMEM;
		memset(versions + s->version_cnt, 0, (idx + 1 - s->version_cnt) * sizeof(*versions));
		s->versions = versions;
		s->version_cnt = idx + 1;
	}
	s->versions[idx] = name;
	return 0;
}

static int fail_versions(struct shlib_parser *p, const char *what, uint64_t off)
{
	return fail(p, "%s: a record at 0x%llx does not fit, or records overlap", what, (unsigned long long)off);
}

static int read_verdef(struct shlib_parser *p)
{
	const struct span *v = &p->verdef;
	uint64_t off = 0;
	for (uint32_t i = 0; i < p->verdef_cnt; i++) {
		if (off > v->sz || v->sz - off < sizeof(Elf64_Verdef))
			return fail_versions(p, "version definitions", off);
		const uint8_t *at = p->data + v->off + off;
		uint16_t flags = load16(at + 2, p->be), idx = load16(at + 4, p->be);
		uint64_t aux = off + load32(at + 12, p->be);
		if (aux > v->sz || v->sz - aux < sizeof(Elf64_Verdaux) || (idx & VERSION_HIDDEN))
			return fail_versions(p, "version definitions", aux);
		if (!(flags & VER_FLG_BASE)) {
			int r = set_version(p, idx, load32(p->data + v->off + aux, p->be));
			if (r)
				return r;
		}
		uint32_t next = load32(at + 16, p->be);
		if (!next)
			break;
		off += next;
	}
	return 0;
}

/* The versions wanted of one library: CNT records from OFF on. STEPS: how many more records the table has room for. */
static int read_vernaux(struct shlib_parser *p, uint64_t off, uint32_t cnt, uint64_t *io_steps)
{
	const struct span *v = &p->verneed;
	for (uint32_t i = 0; i < cnt; i++) {
		if (off > v->sz || v->sz - off < sizeof(Elf64_Vernaux) || !(*io_steps)--)
			return fail_versions(p, "needed versions", off);
		const uint8_t *at = p->data + v->off + off;
		int r = set_version(p, load16(at + 6, p->be) & ~VERSION_HIDDEN, load32(at + 8, p->be));
		if (r)
			return r;
		uint32_t next = load32(at + 12, p->be);
		if (!next)
			break;
		off += next;
	}
	return 0;
}

static int read_verneed(struct shlib_parser *p)
{
	const struct span *v = &p->verneed;
	uint64_t off = 0, steps = v->sz / sizeof(Elf64_Vernaux);
	for (uint32_t i = 0; i < p->verneed_cnt; i++) {
		if (off > v->sz || v->sz - off < sizeof(Elf64_Verneed))
			return fail_versions(p, "needed versions", off);
		const uint8_t *at = p->data + v->off + off;
		int r = read_vernaux(p, off + load32(at + 8, p->be), load16(at + 2, p->be), &steps);
		if (r)
			return r;
		uint32_t next = load32(at + 12, p->be);
		if (!next)
			break;
		off += next;
	}
	return 0;
}

/* ---- symbols ---- */

static bool is_readonly(const struct shlib_parser *p, uint64_t va)
{
	for (uint32_t i = 0; i < p->segment_cnt; i++) {
		const struct segment *g = &p->segments[i];
		if ((g->type == PT_LOAD || g->type == PT_GNU_RELRO) && !(g->flags & PF_W) && va >= g->va &&
		    va - g->va < g->mem_sz)
			return true;
	}
	return false;
}

static uint32_t align_shift(const struct shlib_parser *p, uint64_t va, uint16_t shndx)
{
	uint32_t shift = va ? (uint32_t)__builtin_ctzll(va) : MAX_COPY_P2;
	uint32_t most = shndx < p->section_cnt && p->section_p2 ? p->section_p2[shndx] : MAX_COPY_P2;
	return shift < most ? shift : most;
}

/* Reads dynamic symbol I and its name. *ret_seen: may others refer to it? */
static int read_symbol(struct shlib_parser *p, uint32_t i, struct shlib_sym *ret, const char **ret_name, bool *ret_seen)
{
	const uint8_t *at = p->data + p->syms.off + i * shlib_sym_sz(p);
	bool is_64 = p->is_64;
	uint8_t info = at[is_64 ? 4 : 12];
	uint16_t shndx = load16(at + (is_64 ? 6 : 14), p->be);
	uint16_t version = p->versym.sz ? load16(p->data + p->versym.off + 2 * (uint64_t)i, p->be) : VER_NDX_GLOBAL;
	*ret = (struct shlib_sym){
		.value = is_64 ? load64(at + 8, p->be) : load32(at + 4, p->be),
		.size = is_64 ? load64(at + 16, p->be) : load32(at + 8, p->be),
		.version = version & (uint16_t)~VERSION_HIDDEN,
		.type = info & 15,
		.bind = info >> 4,
		.vis = at[is_64 ? 5 : 13] & 3,
		.is_undef = shndx == SHN_UNDEF,
		.dynsym_idx = i,
	};
	*ret_name = string_at(p, load32(at, p->be));
	*ret_seen = ret->bind != STB_LOCAL;
	if (!*ret_seen)
		return 0;
	if (!*ret_name || !**ret_name)
		return fail(p, "dynamic symbol %u: its name at 0x%x: there are 0x%llx bytes", i, load32(at, p->be),
			    (unsigned long long)p->strs.sz);
	if (ret->version > VER_NDX_GLOBAL && (ret->version >= p->s->version_cnt || !p->s->versions[ret->version]))
		return fail(p, "dynamic symbol %s: its version %u is not defined", *ret_name, ret->version);
	if (ret->is_undef)
		return 0;
	ret->is_readonly = is_readonly(p, ret->value);
	ret->align_shift = align_shift(p, ret->value, shndx);
	/* Local by its version, or hidden without a version to name it by: nothing can refer to it. */
	*ret_seen = ret->version != VER_NDX_LOCAL && !(version == (VERSION_HIDDEN | VER_NDX_GLOBAL));
	return 0;
}

/* "f@V", copied. */
static name_id intern_versioned(struct shlib_parser *p, const char *name, const char *version)
{
	char *str;
	int len = asprintf(&str, "%s@%s", name, version);
	if (len < 0)
		return 0;
	name_id id = names_intern_one(p->names, str, (size_t)len);
	free(str);
	return id;
}

static bool is_default(const struct shlib_parser *p, const struct shlib_sym *sym)
{
	return sym->is_undef || !p->versym.sz ||
	       !(load16(p->data + p->versym.off + 2 * (uint64_t)sym->dynsym_idx, p->be) & VERSION_HIDDEN);
}

/* Names the symbols, whose bare names are in REFS. */
static int intern_symbols(struct shlib_parser *p, const struct name_ref *refs)
{
	struct shlib *s = p->s;
	name_id *ids = malloc((s->sym_cnt + UINT64_C(1)) * sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	int r = names_reserve(p->names, s->sym_cnt);
	if (!r)
		names_intern_many(p->names, refs, s->sym_cnt, ids);
	for (uint32_t i = 0; i < s->sym_cnt && !r; i++) {
		struct shlib_sym *sym = &s->syms[i];
		sym->base = sym->name = ids[i];
		if (!is_default(p, sym))
			sym->name = intern_versioned(p, refs[i].str, s->versions[sym->version]);
		if (!sym->base || !sym->name)
			r = -ENOMEM;
	}
	free(ids);
	return r;
}

static int read_symbols(struct shlib_parser *p)
{
	struct shlib *s = p->s;
	uint64_t cnt = p->syms.sz / shlib_sym_sz(p);
	s->syms = malloc((cnt + 1) * sizeof(*s->syms));
	struct name_ref *refs = malloc((cnt + 1) * sizeof(*refs));
	int r = s->syms && refs ? 0 : -ENOMEM;
	for (uint32_t i = 1; i < cnt && !r; i++) {
		const char *name;
		bool is_seen;
		r = read_symbol(p, i, &s->syms[s->sym_cnt], &name, &is_seen);
		if (r || !is_seen)
			continue;
		refs[s->sym_cnt++] = (struct name_ref){ .str = name, .len = strlen(name) };
	}
	if (!r)
		r = intern_symbols(p, refs);
	free(refs);
	return r;
}

static int parse(struct shlib_parser *p)
{
	struct shlib *s = p->s;
	uint16_t type;
	uint64_t shoff, section_cnt;
	if (object_peek(p->data, p->sz, &type, &s->machine, &s->elf_class, &s->is_be))
		return fail(p, "not an elf file of a known class, byte order and version");
	if (type != ET_DYN)
		return fail(p, "not a shared library: its type is %u", type);
	/* libelf takes a table that does not lie in the file for none at all. */
	if (object_sections(p->data, p->sz, &shoff, &section_cnt))
		return fail(p, "truncated or damaged: its section headers do not lie in its 0x%llx bytes",
			    (unsigned long long)p->sz);
	p->is_64 = s->elf_class == ELFCLASS64;
	p->be = s->is_be;
	int r = shlib_find(p);
	if (!r)
		r = read_dynamic(p);
	if (!r)
		r = read_verdef(p);
	if (!r)
		r = read_verneed(p);
	return r ? r : read_symbols(p);
}

int shlib_parse(struct infile *f, struct names *names, struct diag *d, uint64_t place, struct shlib **ret_shlib)
{
	struct shlib *s = calloc(1, sizeof(*s));
	int r = -ENOMEM;
	if (s) {
		struct shlib_parser p = {
			.s = s, .data = f->data, .sz = f->sz, .names = names, .d = d, .place = place,
		};
		s->file = f;
		r = parse(&p);
		free(p.segments);
		free(p.section_p2);
	}
	if (r == -ENOMEM || r == -EOVERFLOW)
		diag_error(d, place, "%s: out of memory", f->path);
	if (r) {
		shlib_free(s);
		return r;
	}
	shlib_digest(s);
	*ret_shlib = s;
	return 0;
}

void shlib_free(void *shlib)
{
	struct shlib *s = shlib;
	if (!s)
		return;
	free(s->needed);
	free(s->versions);
	free(s->syms);
	free(s);
}
