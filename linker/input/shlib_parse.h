/* shlib_parse.h - what shlib.c and shlib_find.c share while one shared library is parsed. Nobody else includes it. */
#ifndef LINKFS_SHLIB_PARSE_H
#define LINKFS_SHLIB_PARSE_H

#include <elf.h>
#include <errno.h>

#include "elfbytes.h"
#include "shlib.h"

/* Part of the file, checked to lie in it; sz 0: absent. */
struct span {
	uint64_t off, sz;
};

struct segment {
	uint64_t va, mem_sz, off, file_sz, align;
	uint32_t type, flags;
};

struct shlib_parser {
	struct shlib *s;
	const uint8_t *data;
	uint64_t sz;
	bool be, is_64;
	struct names *names;
	struct diag *d;
	uint64_t place;
	struct segment *segments;
	uint32_t segment_cnt;
	uint8_t *section_p2; /* log2 of each section's alignment; NULL without section headers */
	uint32_t section_cnt;
	/* Found through the sections or, where there are none, the dynamic segment. Strings: one table for all. */
	struct span dynamic, syms, strs, versym, verdef, verneed;
	uint32_t verdef_cnt, verneed_cnt;
};

/* Records an error about the library and gives -EINVAL. */
#define fail(p, fmt, ...)                                                                                  \
	(diag_error((p)->d, (p)->place, "%s: " fmt, (p)->s->file->path __VA_OPT__(, ) __VA_ARGS__), -EINVAL)

static inline bool has_bytes(const struct shlib_parser *p, uint64_t off, uint64_t sz)
{
	return off <= p->sz && sz <= p->sz - off;
}

static inline uint64_t load_word(const struct shlib_parser *p, const uint8_t *at)
{
	return p->is_64 ? load64(at, p->be) : load32(at, p->be);
}

static inline uint64_t shlib_sym_sz(const struct shlib_parser *p)
{
	return p->is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
}

/* Fills in the segments and all the spans. The spans lie in the file, the strings end in a NUL. */
int shlib_find(struct shlib_parser *p);

/* The last step: index_digest.c. */
void shlib_digest(struct shlib *s);

#endif
