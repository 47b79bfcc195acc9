/* object_notes.c - sections that speak to the linker: notes, markers, and leftovers of link-time optimisation.
 *
 * A section is known by its name as far as the ABI says so (the stack notes have no bytes at all). Nothing here is
 * particular to a CPU: the property types are passed on as numbers, and .eh_frame is known by name, whatever section
 * type the CPU's ABI gives it.
 * Sources: gABI supplement "Linux Extensions to gABI" (.note.gnu.property), GCC internals "LTO file layout",
 * LLVM "Extensions" (section types 0x6fff4c00 and on). It also orders unsorted relocations.
 */
#include "object_parse.h"

#include <stdlib.h>
#include <string.h>

enum {
	LLVM_LINKER_OPTIONS = 0x6fff4c01,
	LLVM_CALL_GRAPH_1 = 0x6fff4c02,
	LLVM_ADDRSIG = 0x6fff4c03,
	LLVM_DEPENDENT_LIBRARIES = 0x6fff4c04,
	LLVM_CALL_GRAPH = 0x6fff4c09,
	PROPERTY_NOTE = 5, /* NT_GNU_PROPERTY_TYPE_0 */
	LTO_SLIM_OFF = 4,  /* in .gnu.lto_.lto.*: version (2 x 16 bits), then "slim" */
};

static bool starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool object_is_bitcode(const uint8_t *data, uint64_t sz)
{
	return sz >= 4 && (!memcmp(data, "BC\xc0\xde", 4) || !memcmp(data, "\xde\xc0\x17\x0b", 4));
}

static enum isec_kind note_kind(struct parser *p, const struct isec *s, const char *name)
{
	struct object *o = p->o;
	if (!strcmp(name, ".note.GNU-stack")) {
		o->has_gnu_stack = true;
		o->exec_stack = s->flags & SHF_EXECINSTR;
		return ISEC_NONE;
	}
	if (!strcmp(name, ".note.GNU-split-stack")) {
		o->has_split_stack = true;
		return ISEC_NONE;
	}
	if (!strcmp(name, ".note.GNU-no-split-stack"))
		return ISEC_NONE;
	if (!strcmp(name, ".note.gnu.property") && s->type == SHT_NOTE)
		return ISEC_PROPERTY;
	return ISEC_REGULAR;
}

static enum isec_kind lto_kind(struct parser *p, const struct isec *s, const char *name)
{
	p->o->has_ir |= starts(name, ".gnu.lto_");
	if (starts(name, ".gnu.lto_.lto.") && s->type != SHT_NOBITS && !s->is_compressed && s->sz > LTO_SLIM_OFF &&
	    isec_bytes(p->o, s)[LTO_SLIM_OFF])
		p->o->is_lto = true;
	return ISEC_DISCARD;
}

static enum isec_kind kind_by_name(struct parser *p, const struct isec *s, const char *name)
{
	if (name[0] != '.')
		return ISEC_REGULAR;
	switch (name[1]) {
	case 'n':
		return starts(name, ".note.") ? note_kind(p, s, name) : ISEC_REGULAR;
	case 'e':
		if (strcmp(name, ".eh_frame") || !(s->flags & SHF_ALLOC))
			return ISEC_REGULAR;
		return s->type != SHT_NOBITS ? ISEC_EH_FRAME : ISEC_DISCARD; /* stripped to debugging information */
	case 'g':
		if (starts(name, ".gnu.lto_") || starts(name, ".gnu.debuglto_") || starts(name, ".gnu.offload_lto_"))
			return lto_kind(p, s, name);
		return starts(name, ".gnu.warning.") ? ISEC_DISCARD : ISEC_REGULAR;
	case 'l':
		return !strcmp(name, ".llvm_addrsig") || !strcmp(name, ".llvmbc") || !strcmp(name, ".llvmcmd") ? ISEC_NONE
													       : ISEC_REGULAR;
	default:
		return ISEC_REGULAR;
	}
}

enum isec_kind object_special_kind(struct parser *p, uint32_t idx)
{
	const struct isec *s = &p->o->secs[idx];
	const char *name = isec_name(p->o, s);
	if (idx == p->shstrtab_idx)
		return ISEC_NONE;
	switch (s->type) {
	case LLVM_ADDRSIG:
	case LLVM_CALL_GRAPH:
	case LLVM_CALL_GRAPH_1:
		return ISEC_NONE;
	case LLVM_DEPENDENT_LIBRARIES:
	case LLVM_LINKER_OPTIONS:
		diag_warn(p->d, p->place,
			  "%s:(%s+0x0): names of libraries to link are not followed: name them on the command line",
			  p->o->name, name);
		return ISEC_DISCARD;
	}
	enum isec_kind kind = kind_by_name(p, s, name);
	return kind != ISEC_NONE && (s->flags & SHF_EXCLUDE) ? ISEC_DISCARD : kind;
}

static int add_property(struct parser *p, uint32_t type, const uint8_t *value, uint32_t sz)
{
	struct object *o = p->o;
	struct object_property *more = reallocarray(o->properties, o->property_cnt + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	o->properties = more;
	uint64_t v = 0;
	if (sz == 4)
		v = load32(value, o->is_be);
	else if (sz == 8)
		v = load64(value, o->is_be);
	more[o->property_cnt].type = type;
	more[o->property_cnt++].value = v <= UINT32_MAX ? (uint32_t)v : UINT32_MAX;
	return 0;
}

/* The properties in the SZ bytes at OFF of section IDX: type, size, and a value padded to the class's word. */
static int read_property_list(struct parser *p, uint32_t idx, uint64_t off, uint64_t sz)
{
	const struct object *o = p->o;
	uint64_t word = o->elf_class == ELFCLASS64 ? 8 : 4;
	while (sz) {
		const uint8_t *at = isec_bytes(o, &o->secs[idx]) + off;
		if (sz < 8)
			return fail_sec(p, idx, off, "property: %llu bytes left: expected 8 at least",
					(unsigned long long)sz);
		uint32_t type = load32(at, o->is_be), value_sz = load32(at + 4, o->is_be);
		uint64_t step = 8 + ((uint64_t)value_sz + word - 1) / word * word;
		if (step > sz)
			return fail_sec(p, idx, off, "property 0x%x: a value of %u bytes does not fit", type, value_sz);
		int r = add_property(p, type, at + 8, value_sz);
		if (r)
			return r;
		off += step;
		sz -= step;
	}
	return 0;
}

int object_read_properties(struct parser *p, uint32_t idx)
{
	const struct object *o = p->o;
	const struct isec *s = &o->secs[idx];
	uint64_t word = o->elf_class == ELFCLASS64 ? 8 : 4;
	for (uint64_t off = 0; off < s->sz;) {
		const uint8_t *at = isec_bytes(o, s) + off;
		uint64_t left = s->sz - off;
		if (left < 12)
			return fail_sec(p, idx, off, "note: %llu bytes left: expected 12 at least",
					(unsigned long long)left);
		uint64_t name_sz = load32(at, o->is_be), desc_sz = load32(at + 4, o->is_be);
		uint64_t desc_off = (12 + name_sz + word - 1) / word * word;
		uint64_t step = desc_off + (desc_sz + word - 1) / word * word;
		if (step > left)
			return fail_sec(p, idx, off, "note: name of %llu and data of %llu bytes do not fit",
					(unsigned long long)name_sz, (unsigned long long)desc_sz);
		if (name_sz == 4 && !memcmp(at + 12, "GNU", 4) && load32(at + 8, o->is_be) == PROPERTY_NOTE) {
			int r = read_property_list(p, idx, off + desc_off, desc_sz);
			if (r)
				return r;
		}
		off += step;
	}
	return 0;
}

bool object_rel_is_sorted(const struct object *o, const struct isec *s)
{
	uint64_t last = 0;
	for (uint32_t i = 0; i < s->rel_cnt; i++) {
		struct rel rel;
		rel_get(o, s, i, &rel);
		if (rel.off < last)
			return false;
		last = rel.off;
	}
	return true;
}

struct rel_key {
	uint64_t off;
	uint32_t idx;
};

static int compare_rel_keys(const void *va, const void *vb)
{
	const struct rel_key *a = va, *b = vb;
	if (a->off != b->off)
		return a->off < b->off ? -1 : 1;
	return (a->idx > b->idx) - (a->idx < b->idx);
}

int object_rel_order(const struct object *o, const struct isec *s, uint32_t **ret_order)
{
	uint32_t *order = malloc((s->rel_cnt + UINT64_C(1)) * sizeof(*order));
	struct rel_key *keys = malloc((s->rel_cnt + UINT64_C(1)) * sizeof(*keys));
	if (!order || !keys) {
		free(order);
		free(keys);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < s->rel_cnt; i++) {
		struct rel rel;
		rel_get(o, s, i, &rel);
		keys[i] = (struct rel_key){ .off = rel.off, .idx = i };
	}
	qsort(keys, s->rel_cnt, sizeof(*keys), compare_rel_keys);
	for (uint32_t i = 0; i < s->rel_cnt; i++)
		order[i] = keys[i].idx;
	free(keys);
	*ret_order = order;
	return 0;
}
