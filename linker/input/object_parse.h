/* object_parse.h - what the files object*.c share while one object is parsed and freed. Nobody else includes it. */
#ifndef LINKFS_OBJECT_PARSE_H
#define LINKFS_OBJECT_PARSE_H

#include <errno.h>

#include "object.h"

enum { MAX_P2ALIGN = 32 }; /* of a section */

struct pending_group {
	uint32_t sec; /* SHT_GROUP section */
	uint32_t sym; /* signature, unchecked */
};

struct parser {
	struct object *o; /* not published yet */
	struct names *names;
	struct diag *d;
	uint64_t place;
	uint32_t symtab_idx, symtab_info, shndx_idx, shstrtab_idx; /* sections; 0: none */
	struct pending_group *groups;
	uint32_t group_cnt, group_cap;
};

/* Record an error about the object, or about a place in a section whose name is known, and give -EINVAL. */
#define fail(p, fmt, ...) fail_as(p, DIAG_ERROR, fmt __VA_OPT__(, ) __VA_ARGS__)
#define fail_as(p, level, fmt, ...)                                                                        \
	(diag_add((p)->d, level, (p)->place, "%s" fmt, (p)->o->name __VA_OPT__(, ) __VA_ARGS__), -EINVAL)
#define fail_sec(p, idx, sec_off, fmt, ...)                                                                           \
	(diag_error((p)->d, (p)->place, "%s:(%s+0x%llx): " fmt, (p)->o->name,                                         \
		    isec_name((p)->o, &(p)->o->secs[idx]), (unsigned long long)(sec_off)__VA_OPT__(, ) __VA_ARGS__), \
	 -EINVAL)

static inline bool slice_has(const struct object *o, uint64_t off, uint64_t sz)
{
	return off <= o->sz && sz <= o->sz - off;
}

static inline size_t sym_sz(const struct object *o)
{
	return o->elf_class == ELFCLASS64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
}

/* The kind of content section IDX by its name, type and flags alone (ISEC_REGULAR: nothing special); notes what it says
 * about the object. */
enum isec_kind object_special_kind(struct parser *p, uint32_t idx);
/* Is S compressed, by its flag, or by name and mark? Its bytes lie in the file. */
bool object_is_packed(const struct object *o, const struct isec *s);
/* Reads the header of the compressed section IDX and makes the section what it will be decompressed. */
int object_add_packed(struct parser *p, uint32_t idx);
void object_free_packed(struct object *o);
void object_free_frames(struct object *o);
/* Lists the ISEC_MERGE sections, once all kinds are known. 0 or -ENOMEM. */
int object_list_merges(struct object *o);
void object_free_merges(struct object *o);
/* Reads the .note.gnu.property section IDX. */
int object_read_properties(struct parser *p, uint32_t idx);

#endif
