/* object.c - reads one relocatable object: everything object.h promises to have been checked is checked here.
 *
 * The section headers come from libelf, by elf_memory over the slice; the handle is closed before the object is
 * published. elf_getdata is never called: it would copy the tables of members that do not lie aligned in their archive,
 * and libelf checks none of the indices in them. Symbols and groups are read in place by elfbytes.h.
 *
 * The order: headers in one pass (a relocation table announces itself to its section whichever comes first), then the
 * symbol table with the names of the globals, then groups, then what needs all of that. object_notes.c reads notes and
 * knows which sections the linker itself consumes, object_packed.c knows compressed ones.
 */
#include "object_parse.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

enum {
	INTERN_BATCH = 128,
	MAX_SECTION_P2 = 56, /* no address space is larger */
	SHT_CREL_ = 0x40000014, /* not in every elf.h */
};

static void elf_done(Elf **elf)
{
	elf_end(*elf);
}

bool object_is_elf(const uint8_t *data, uint64_t sz)
{
	return sz >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG);
}

int object_peek(const uint8_t *data, uint64_t sz, uint16_t *ret_type, uint16_t *ret_machine, uint8_t *ret_class,
		bool *ret_be)
{
	if (!object_is_elf(data, sz) || sz < EI_NIDENT)
		return -EINVAL;
	uint8_t class = data[EI_CLASS], order = data[EI_DATA];
	if (class != ELFCLASS32 && class != ELFCLASS64)
		return -EINVAL;
	if ((order != ELFDATA2LSB && order != ELFDATA2MSB) || data[EI_VERSION] != EV_CURRENT)
		return -EINVAL;
	if (sz < (class == ELFCLASS64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
		return -EINVAL;
	*ret_type = load16(data + 16, order == ELFDATA2MSB);
	*ret_machine = load16(data + 18, order == ELFDATA2MSB);
	*ret_class = class;
	*ret_be = order == ELFDATA2MSB;
	return 0;
}

int object_sections(const uint8_t *data, uint64_t sz, uint64_t *ret_off, uint64_t *ret_cnt)
{
	uint16_t type, machine;
	uint8_t class;
	bool be;
	if (object_peek(data, sz, &type, &machine, &class, &be))
		return -EINVAL;
	bool is_64 = class == ELFCLASS64;
	uint64_t each = is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	uint64_t off = is_64 ? load64(data + 40, be) : load32(data + 32, be);
	uint64_t cnt = load16(data + (is_64 ? 60 : 48), be);
	if (!off && cnt)
		return -EINVAL;
	if (off) {
		if (load16(data + (is_64 ? 58 : 46), be) != each || off > sz || sz - off < each)
			return -EINVAL;
		if (!cnt) /* too many for the field: in the first header */
			cnt = is_64 ? load64(data + off + 32, be) : load32(data + off + 20, be);
		if (cnt > (sz - off) / each)
			return -EINVAL;
	}
	*ret_off = off;
	*ret_cnt = cnt;
	return 0;
}

uint32_t object_sym_bound(const uint8_t *data, uint64_t sz)
{
	uint64_t shoff, cnt;
	if (object_sections(data, sz, &shoff, &cnt))
		return 0;
	bool is_64 = data[EI_CLASS] == ELFCLASS64, be = data[EI_DATA] == ELFDATA2MSB;
	uint64_t shentsize = is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	/* The symbol table is among the last ones with the usual assemblers. A group's signature may be a local symbol. */
	uint64_t first = 0, bound = 0, local_groups = 0;
	for (uint64_t i = cnt; i-- > 1;) {
		const uint8_t *sh = data + shoff + i * shentsize;
		uint32_t sh_type = load32(sh + 4, be), info = load32(sh + (is_64 ? 44 : 28), be);
		if (sh_type == SHT_GROUP)
			local_groups += !bound || info < first;
		if (sh_type != SHT_SYMTAB)
			continue;
		uint64_t syms_sz = is_64 ? load64(sh + 32, be) : load32(sh + 20, be);
		uint64_t sym_cnt = syms_sz / (is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym));
		first = info;
		if (bound || syms_sz > sz || first > sym_cnt)
			return 0;
		bound = sym_cnt - first;
	}
	return bound + local_groups <= UINT32_MAX ? (uint32_t)(bound + local_groups) : 0;
}

static int check_strtab(struct parser *p, uint32_t idx, const char *what, uint64_t off, uint64_t sz, uint32_t type)
{
	if (type != SHT_STRTAB)
		return fail(p, ": %s: section %u is not a string table", what, idx);
	if (!slice_has(p->o, off, sz))
		return fail(p, ": %s: section %u does not lie in the file", what, idx);
	if (!sz || p->o->data[off + sz - 1])
		return fail(p, ": %s: section %u does not end in a NUL", what, idx);
	return 0;
}

/* The name of a section may be asked for once this has run. */
static int load_shstrtab(struct parser *p, Elf *elf)
{
	struct object *o = p->o;
	size_t idx;
	GElf_Shdr sh;
	o->shstrtab = "";
	o->shstrtab_sz = 1;
	if (elf_getshdrstrndx(elf, &idx))
		return fail(p, ": section names: %s", elf_errmsg(-1));
	if (idx == SHN_UNDEF)
		return 0;
	if (idx >= o->sec_cnt)
		return fail(p, ": section names: index %zu: there are %u sections", idx, o->sec_cnt);
	if (!gelf_getshdr(elf_getscn(elf, idx), &sh))
		return fail(p, ": section names: %s", elf_errmsg(-1));
	int r = check_strtab(p, (uint32_t)idx, "section names", sh.sh_offset, sh.sh_size, sh.sh_type);
	if (r)
		return r;
	o->shstrtab = (const char *)o->data + sh.sh_offset;
	o->shstrtab_sz = sh.sh_size;
	p->shstrtab_idx = (uint32_t)idx;
	return 0;
}

static int add_rel_table(struct parser *p, uint32_t idx, const GElf_Shdr *sh)
{
	struct object *o = p->o;
	bool is_rel = sh->sh_type == SHT_REL, is_64 = o->elf_class == ELFCLASS64;
	uint64_t each = is_64 ? (is_rel ? sizeof(Elf64_Rel) : sizeof(Elf64_Rela))
			      : (is_rel ? sizeof(Elf32_Rel) : sizeof(Elf32_Rela));
	if (!sh->sh_size)
		return 0;
	if (sh->sh_entsize != each || sh->sh_size % each || sh->sh_size / each > UINT32_MAX)
		return fail_sec(p, idx, 0, "relocation table: 0x%llx bytes of entries of %llu: expected entries of %llu",
				(unsigned long long)sh->sh_size, (unsigned long long)sh->sh_entsize,
				(unsigned long long)each);
	if (!sh->sh_info || sh->sh_info >= o->sec_cnt || sh->sh_info == idx)
		return fail_sec(p, idx, 0, "relocation table: applies to section %u: there are %u sections", sh->sh_info,
				o->sec_cnt);
	struct isec *target = &o->secs[sh->sh_info];
	if (target->rel_cnt)
		return fail_sec(p, idx, 0, "relocation table: section %u has one already", sh->sh_info);
	target->rel_off = sh->sh_offset;
	target->rel_cnt = (uint32_t)(sh->sh_size / each);
	target->is_rel = is_rel;
	target->rel_unchecked = true;
	o->rel_cnt += target->rel_cnt;
	return 0;
}

static int add_group(struct parser *p, uint32_t idx, const GElf_Shdr *sh)
{
	if (p->group_cnt == p->group_cap) {
		uint32_t cap = p->group_cap ? 2 * p->group_cap : 64;
		struct pending_group *groups = reallocarray(p->groups, cap, sizeof(*groups));
		if (!groups)
			return -ENOMEM;
		p->groups = groups;
		p->group_cap = cap;
	}
	if (sh->sh_size < 4 || sh->sh_size % 4 || sh->sh_size / 4 > UINT32_MAX)
		return fail_sec(p, idx, 0, "section group: 0x%llx bytes: expected some 4-byte words",
				(unsigned long long)sh->sh_size);
	p->groups[p->group_cnt++] = (struct pending_group){ .sec = idx, .sym = sh->sh_info };
	return 0;
}

static bool is_mergeable(const struct isec *s)
{
	return (s->flags & SHF_MERGE) && !(s->flags & (SHF_WRITE | SHF_TLS)) && s->type != SHT_NOBITS && s->sz &&
	       s->entsize && s->sz % s->entsize == 0;
}

static int refuse_compressed(struct parser *p, uint32_t idx)
{
	return fail_sec(p, idx, 0, "compressed section: the linker itself reads it: expected one that it copies");
}

static int add_content(struct parser *p, uint32_t idx)
{
	struct object *o = p->o;
	struct isec *s = &o->secs[idx];
	int r = object_is_packed(o, s) ? object_add_packed(p, idx) : 0;
	if (r)
		return r;
	s->kind = object_special_kind(p, idx);
	if (s->is_compressed && (s->kind == ISEC_EH_FRAME || s->kind == ISEC_PROPERTY))
		return refuse_compressed(p, idx);
	if (s->kind == ISEC_REGULAR && is_mergeable(s))
		s->kind = ISEC_MERGE;
	return 0;
}

static bool is_table(uint32_t type)
{
	return type == SHT_SYMTAB || type == SHT_SYMTAB_SHNDX || type == SHT_STRTAB || type == SHT_REL ||
	       type == SHT_RELA || type == SHT_CREL_ || type == SHT_GROUP;
}

static int check_header(struct parser *p, uint32_t idx, const GElf_Shdr *sh)
{
	struct object *o = p->o;
	if (sh->sh_name >= o->shstrtab_sz)
		return fail(p, ": section %u: name at 0x%x: the names have 0x%llx bytes", idx, sh->sh_name,
			    (unsigned long long)o->shstrtab_sz);
	o->secs[idx].name = sh->sh_name;
	if (sh->sh_type == SHT_NOBITS ? sh->sh_size >> MAX_SECTION_P2 : !slice_has(o, sh->sh_offset, sh->sh_size))
		return fail_sec(p, idx, 0, "section: 0x%llx bytes at 0x%llx: the file has 0x%llx",
				(unsigned long long)sh->sh_size, (unsigned long long)sh->sh_offset,
				(unsigned long long)o->sz);
	uint64_t align = sh->sh_addralign;
	if ((align & (align - 1)) || align > UINT64_C(1) << MAX_P2ALIGN)
		return fail_sec(p, idx, 0, "alignment is 0x%llx: expected a power of two, at most 2^%d",
				(unsigned long long)align, MAX_P2ALIGN);
	return 0;
}

static int add_section(struct parser *p, uint32_t idx, const GElf_Shdr *sh)
{
	struct isec *s = &p->o->secs[idx];
	if (sh->sh_type == SHT_NULL)
		return 0;
	int r = check_header(p, idx, sh);
	if (r)
		return r;
	if ((sh->sh_flags & SHF_COMPRESSED) && is_table(sh->sh_type))
		return refuse_compressed(p, idx);
	s->off = sh->sh_type == SHT_NOBITS ? 0 : sh->sh_offset;
	s->sz = sh->sh_size;
	s->flags = (uint32_t)sh->sh_flags;
	s->type = sh->sh_type;
	s->link = sh->sh_link;
	s->entsize = sh->sh_entsize <= UINT32_MAX ? (uint32_t)sh->sh_entsize : 0;
	s->p2align = sh->sh_addralign ? (uint8_t)__builtin_ctzll(sh->sh_addralign) : 0;
	switch (sh->sh_type) {
	case SHT_SYMTAB:
		if (p->symtab_idx)
			return fail_sec(p, idx, 0, "a second symbol table");
		p->symtab_idx = idx;
		p->symtab_info = sh->sh_info;
		return sh->sh_entsize == sym_sz(p->o) ? 0 : fail_sec(p, idx, 0, "entries of %llu bytes: expected %zu",
								     (unsigned long long)sh->sh_entsize, sym_sz(p->o));
	case SHT_SYMTAB_SHNDX:
		if (p->shndx_idx)
			return fail_sec(p, idx, 0, "a second table of extended section indices");
		p->shndx_idx = idx;
		return 0;
	case SHT_REL:
	case SHT_RELA:
		return add_rel_table(p, idx, sh);
	case SHT_CREL_:
		return fail_as(p, DIAG_REFUSAL, ":(%s): compact relocations (crel) are not supported: compile without them",
			       isec_name(p->o, &p->o->secs[idx]));
	case SHT_GROUP:
		return add_group(p, idx, sh);
	default:
		return add_content(p, idx);
	}
}

static int load_sections(struct parser *p, uint64_t expected)
{
	struct object *o = p->o;
	size_t cnt;
	elf_version(EV_CURRENT);
	__attribute__((cleanup(elf_done))) Elf *elf = elf_memory((char *)o->data, o->sz);
	if (!elf || elf_kind(elf) != ELF_K_ELF || elf_getshdrnum(elf, &cnt))
		return fail(p, ": not a readable elf file: %s", elf_errmsg(-1));
	if (cnt != expected || cnt > UINT32_MAX)
		return fail(p, ": %zu sections: expected %llu", cnt, (unsigned long long)expected);
	if (!cnt)
		return 0;
	o->secs = calloc(cnt, sizeof(*o->secs));
	if (!o->secs)
		return -ENOMEM;
	o->sec_cnt = (uint32_t)cnt;
	int r = load_shstrtab(p, elf);
	for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn && !r; scn = elf_nextscn(elf, scn)) {
		GElf_Shdr sh;
		if (!gelf_getshdr(scn, &sh) || elf_ndxscn(scn) >= cnt)
			return fail(p, ": section %zu: %s", elf_ndxscn(scn), elf_errmsg(-1));
		r = add_section(p, (uint32_t)elf_ndxscn(scn), &sh);
	}
	return r;
}

static int check_symbol(struct parser *p, uint32_t i, const struct esym *e)
{
	const struct object *o = p->o;
	bool is_global = i >= o->first_global;
	if (e->name >= o->strtab_sz)
		return fail(p, ": symbol %u: name at 0x%x: the names have 0x%llx bytes", i, e->name,
			    (unsigned long long)o->strtab_sz);
	const char *name = o->strtab + e->name;
	if (e->shndx >= o->sec_cnt && e->shndx != OBJ_SHN_ABS && !(e->shndx == OBJ_SHN_COMMON && is_global))
		return fail(p, ": symbol %u (%s): section index 0x%x: there are %u sections", i, name, e->shndx,
			    o->sec_cnt);
	if (e->shndx == OBJ_SHN_COMMON && (e->value & (e->value - 1)))
		return fail(p, ": common symbol %s: alignment is 0x%llx: expected a power of two", name,
			    (unsigned long long)e->value);
	if ((e->bind != STB_LOCAL) != is_global)
		return fail(p, ": symbol %u (%s): %s among the %s ones", i, name, is_global ? "local" : "global",
			    is_global ? "global" : "local");
	if (is_global && e->bind != STB_GLOBAL && e->bind != STB_WEAK && e->bind != STB_GNU_UNIQUE)
		return fail(p, ": symbol %u (%s): unknown binding %u", i, name, e->bind);
	if (is_global && !*name)
		return fail(p, ": symbol %u: a global symbol without a name", i);
	return 0;
}

static int intern_globals(struct parser *p)
{
	struct object *o = p->o;
	uint32_t cnt = o->sym_cnt - o->first_global;
	struct name_ref refs[INTERN_BATCH];
	o->names = malloc((cnt ? cnt : 1) * sizeof(*o->names));
	if (!o->names)
		return -ENOMEM;
	for (uint32_t done = 0, batch; done < cnt; done += batch) {
		batch = cnt - done < INTERN_BATCH ? cnt - done : INTERN_BATCH;
		for (uint32_t i = 0; i < batch; i++) {
			uint64_t at = (uint64_t)(o->first_global + done + i) * sym_sz(o);
			refs[i].str = o->strtab + load32(o->symtab + at, o->is_be);
			refs[i].len = name_defined_len(refs[i].str, strlen(refs[i].str), &o->has_versions);
		}
		names_intern_many(p->names, refs, batch, o->names + done);
		for (uint32_t i = 0; i < batch; i++) {
			if (!o->names[done + i])
				return fail(p, ": no memory for the names of its symbols");
			if (o->has_ir && refs[i].len == strlen("__gnu_lto_slim") &&
			    !memcmp(refs[i].str, "__gnu_lto_slim", refs[i].len))
				o->is_lto = true;
		}
	}
	return 0;
}

static int load_shndx(struct parser *p)
{
	struct object *o = p->o;
	if (!p->shndx_idx)
		return 0;
	const struct isec *s = &o->secs[p->shndx_idx];
	if (s->link != p->symtab_idx || s->sz / 4 < o->sym_cnt)
		return fail_sec(p, p->shndx_idx, 0, "extended section indices: 0x%llx bytes for %u symbols",
				(unsigned long long)s->sz, o->sym_cnt);
	o->shndx = o->data + s->off;
	return 0;
}

static int load_symbols(struct parser *p)
{
	struct object *o = p->o;
	if (!p->symtab_idx)
		return 0;
	const struct isec *s = &o->secs[p->symtab_idx];
	if (s->sz % sym_sz(o) || s->sz / sym_sz(o) > UINT32_MAX)
		return fail_sec(p, p->symtab_idx, 0, "symbol table: 0x%llx bytes of entries of %zu",
				(unsigned long long)s->sz, sym_sz(o));
	if (!s->link || s->link >= o->sec_cnt)
		return fail_sec(p, p->symtab_idx, 0, "symbol names: section %u: there are %u sections", s->link,
				o->sec_cnt);
	struct isec *str = &o->secs[s->link];
	str->kind = ISEC_NONE;
	if (!s->sz)
		return 0;
	o->symtab = o->data + s->off;
	o->sym_cnt = (uint32_t)(s->sz / sym_sz(o));
	o->first_global = p->symtab_info;
	if (!o->first_global || o->first_global > o->sym_cnt)
		return fail_sec(p, p->symtab_idx, 0, "the first global symbol is %u: there are %u", o->first_global,
				o->sym_cnt);
	int r = check_strtab(p, s->link, "symbol names", str->off, str->sz, str->type);
	if (!r)
		r = load_shndx(p);
	if (r)
		return r;
	o->strtab = (const char *)o->data + str->off;
	o->strtab_sz = str->sz;
	struct esym none;
	esym_get(o, 0, &none); /* gABI, Symbol Table: STN_UNDEF, of which relocations may make use */
	if (none.shndx != SHN_UNDEF || none.value || none.type)
		return fail(p, ": symbol 0 is not the undefined symbol: section index 0x%x, value 0x%llx: expected zeros",
			    none.shndx, (unsigned long long)none.value);
	for (uint32_t i = 1; i < o->sym_cnt; i++) {
		struct esym e;
		esym_get(o, i, &e);
		r = check_symbol(p, i, &e);
		if (r)
			return r;
	}
	return intern_globals(p);
}

/* The name that makes groups equal: its symbol's; a section symbol stands for its section's. */
static int group_signature(struct parser *p, const struct pending_group *g, name_id *ret_name)
{
	struct object *o = p->o;
	if (!p->symtab_idx || o->secs[g->sec].link != p->symtab_idx || !g->sym || g->sym >= o->sym_cnt)
		return fail_sec(p, g->sec, 0, "section group: its signature is symbol %u of section %u: there are %u",
				g->sym, o->secs[g->sec].link, o->sym_cnt);
	if (g->sym >= o->first_global) {
		*ret_name = o->names[g->sym - o->first_global];
		return 0;
	}
	struct esym e;
	esym_get(o, g->sym, &e);
	const char *name = o->strtab + e.name;
	if (e.type == STT_SECTION && !*name && e.shndx < o->sec_cnt)
		name = isec_name(o, &o->secs[e.shndx]);
	*ret_name = names_intern(p->names, name, strlen(name));
	if (!*ret_name)
		return fail_sec(p, g->sec, 0, "section group: its signature has no name, or there is no memory for it");
	return 0;
}

static int load_group(struct parser *p, uint32_t idx, const struct pending_group *pending, uint32_t *members)
{
	struct object *o = p->o;
	const struct isec *s = &o->secs[pending->sec];
	struct group *g = &o->groups[idx];
	int r = group_signature(p, pending, &g->signature);
	if (r)
		return r;
	uint32_t flags = load32(o->data + s->off, o->is_be);
	if (flags & ~(uint32_t)GRP_COMDAT)
		return fail_sec(p, pending->sec, 0, "section group: unknown flags 0x%x", flags);
	g->is_comdat = flags & GRP_COMDAT;
	g->members = members;
	g->member_cnt = (uint32_t)(s->sz / 4 - 1);
	for (uint32_t i = 0; i < g->member_cnt; i++) {
		uint32_t off = 4 * (i + 1);
		members[i] = load32(o->data + s->off + off, o->is_be);
		if (!members[i] || members[i] >= o->sec_cnt || o->secs[members[i]].type == SHT_GROUP)
			return fail_sec(p, pending->sec, off, "section group: member %u: there are %u sections",
					members[i], o->sec_cnt);
		if (o->secs[members[i]].group)
			return fail_sec(p, pending->sec, off, "section group: section %u is in two groups", members[i]);
		o->secs[members[i]].group = idx + 1;
	}
	return 0;
}

/* After this: no section changes its group. */
static int load_groups(struct parser *p)
{
	struct object *o = p->o;
	uint64_t member_cnt = 0;
	if (!p->group_cnt)
		return 0;
	for (uint32_t i = 0; i < p->group_cnt; i++)
		member_cnt += o->secs[p->groups[i].sec].sz / 4 - 1;
	o->groups = malloc(p->group_cnt * sizeof(*o->groups) + member_cnt * sizeof(uint32_t));
	if (!o->groups)
		return -ENOMEM;
	o->group_cnt = p->group_cnt;
	uint32_t *members = (uint32_t *)(o->groups + o->group_cnt);
	for (uint32_t i = 0; i < o->group_cnt; i++) {
		int r = load_group(p, i, &p->groups[i], members);
		if (r)
			return r;
		members += o->groups[i].member_cnt;
	}
	return 0;
}

static int finish_merge(struct parser *p, uint32_t idx)
{
	struct isec *s = &p->o->secs[idx];
	if (s->rel_cnt) { /* equal bytes need not be equal once relocated */
		s->kind = ISEC_REGULAR;
		return 0;
	}
	if (!(s->flags & SHF_STRINGS) || s->is_compressed) /* compressed strings: by object_unpack */
		return 0;
	const uint8_t *last = isec_bytes(p->o, s) + s->sz - s->entsize;
	for (uint32_t i = 0; i < s->entsize; i++)
		if (last[i])
			return fail_sec(p, idx, s->sz - s->entsize, "string is not null terminated");
	return 0;
}

/* What needs all sections and the symbol table. */
static int finish_sections(struct parser *p)
{
	struct object *o = p->o;
	for (uint32_t i = 1; i < o->sec_cnt; i++) {
		struct isec *s = &o->secs[i];
		int r = 0;
		if (s->rel_cnt && s->type == SHT_NOBITS)
			r = fail_sec(p, i, 0, "relocations against a section without bytes");
		else if ((s->type == SHT_REL || s->type == SHT_RELA) && s->sz && s->link != p->symtab_idx)
			r = fail_sec(p, i, 0, "relocation table: its symbol table is section %u: expected %u", s->link,
				     p->symtab_idx);
		else if (s->kind == ISEC_MERGE)
			r = finish_merge(p, i);
		else if (s->kind == ISEC_PROPERTY)
			r = object_read_properties(p, i);
		if (r)
			return r;
		if (s->rel_cnt && (s->flags & SHF_ALLOC)) { /* the others may never be read: later, by who does */
			s->rel_unsorted = !object_rel_is_sorted(o, s);
			s->rel_unchecked = false;
		}
		if (!(s->flags & SHF_LINK_ORDER))
			s->link = 0;
		if (s->link >= o->sec_cnt)
			return fail_sec(p, i, 0, "goes with section %u: there are %u sections", s->link, o->sec_cnt);
	}
	return 0;
}

static int parse(struct parser *p)
{
	struct object *o = p->o;
	uint16_t type;
	if (object_is_bitcode(o->data, o->sz)) {
		o->has_ir = o->is_lto = o->is_bitcode = true;
		return 0;
	}
	if (object_peek(o->data, o->sz, &type, &o->machine, &o->elf_class, &o->is_be))
		return fail(p, ": not an elf file of a known class, byte order and version");
	if (type != ET_REL)
		return fail(p, ": not a relocatable object: its type is %u", type);
	bool is_64 = o->elf_class == ELFCLASS64;
	uint64_t shoff, cnt;
	/* libelf takes a table that does not lie in the file for none at all. */
	if (object_sections(o->data, o->sz, &shoff, &cnt))
		return fail(p, ": truncated or damaged: its section headers do not lie in its 0x%llx bytes",
			    (unsigned long long)o->sz);
	o->e_flags = load32(o->data + (is_64 ? 48 : 36), o->is_be);
	int r = load_sections(p, cnt);
	if (!r)
		r = load_symbols(p);
	if (!r)
		r = load_groups(p);
	if (!r)
		r = finish_sections(p);
	return r ? r : object_list_merges(o);
}

int object_parse(struct infile *f, uint64_t off, uint64_t sz, const char *name, struct names *names, struct diag *d,
		 uint64_t place, struct object **ret_object)
{
	struct object *o = calloc(1, sizeof(*o));
	if (!o) {
		diag_error(d, place, "%s: out of memory", name);
		return -ENOMEM;
	}
	struct parser p = { .o = o, .names = names, .d = d, .place = place };
	o->file = f;
	o->name = strdup(name);
	o->shstrtab = o->strtab = "";
	int r = -ENOMEM;
	if (o->name && !infile_has(f, off, sz)) {
		r = fail(&p, ": 0x%llx bytes at 0x%llx: the file has 0x%llx", (unsigned long long)sz,
			 (unsigned long long)off, (unsigned long long)f->sz);
	} else if (o->name) {
		o->data = f->data + off;
		o->sz = sz;
		o->file_off = off;
		r = parse(&p);
	}
	free(p.groups);
	if (r == -ENOMEM)
		diag_error(d, place, "%s: out of memory", name);
	if (r) {
		object_free(o);
		return r;
	}
	*ret_object = o;
	return 0;
}

void object_products_retire(struct object_product *p, struct object_product **retired)
{
	for (; p; p = atomic_load(&p->next)) {
		p->retired = *retired;
		*retired = p;
	}
}

void object_products_free(struct object_product *retired)
{
	for (struct object_product *next; retired; retired = next) {
		next = retired->retired;
		free(retired);
	}
}

struct object *object_free(struct object *o)
{
	if (!o)
		return NULL;
	free(o->properties);
	object_free_packed(o);
	object_free_frames(o);
	object_free_merges(o);
	struct object_product *products = NULL;
	object_products_retire(atomic_load(&o->content), &products);
	object_products_retire(atomic_load(&o->assigned), &products);
	object_products_retire(atomic_load(&o->selected), &products);
	object_products_retire(atomic_load(&o->scanned), &products);
	object_products_retire(atomic_load(&o->defs), &products);
	object_products_retire(atomic_load(&o->laid), &products);
	object_products_retire(atomic_load(&o->provided), &products);
	object_products_retire(atomic_load(&o->pointers), &products);
	object_products_free(products);
	free(o->groups); /* their members lie behind them */
	free(o->names);
	free(o->secs);
	free(o->name);
	free(o);
	return NULL;
}
