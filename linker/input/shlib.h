/* shlib.h - what a link needs of a shared library: names it defines and wants, versions, soname, needed list.
 *
 * A product of its file, link-independent and frozen. Read from the section headers where present (SHT_DYNSYM,
 * SHT_GNU_versym, verdef, verneed, SHT_DYNAMIC); a library without section headers is read through PT_DYNAMIC.
 */
#ifndef LINKFS_SHLIB_H
#define LINKFS_SHLIB_H

#include <stdbool.h>
#include <stdint.h>

#include "diag.h"
#include "mapper.h"
#include "names.h"

struct shlib_sym {
	uint64_t value, size;
	name_id name;        /* "f" for an unversioned symbol, a default version (f@@V) or an undefined one, "f@V" for others */
	name_id base;        /* always the bare "f" */
	uint32_t align_shift; /* log2 of the alignment that its address and its section promise: for copy relocations */
	uint16_t version;    /* index into versions; 0 or 1: none (local, global) */
	uint8_t type, bind, vis; /* STT_, STB_, STV_ */
	bool is_undef;
	bool is_readonly;    /* lies in a non-writable segment: a copy goes to .bss.rel.ro */
	uint32_t dynsym_idx;
};

struct shlib {
	struct infile *file;   /* not counted */
	const char *soname;    /* DT_SONAME, or NULL: the name used on the command line counts */
	uint16_t machine;
	uint8_t elf_class;
	bool is_be;
	uint32_t needed_cnt;
	const char **needed;   /* DT_NEEDED, in order */
	const char *runpath, *rpath; /* for finding needed libraries; NULL: none */
	uint32_t version_cnt;  /* versions[i] is the name of version index i of its verdef or verneed; holes are NULL */
	const char **versions;
	uint32_t sym_cnt;
	struct shlib_sym *syms; /* global and weak ones, defined first or in table order */
	uint64_t digest[2];    /* of names, bindings, types and versions, among files of the same NAMES; not of addresses */
	_Atomic uint64_t whole[2]; /* shlib_whole_digest; both 0 until made */
};

/* Every offset is checked. Errors go to D with place PLACE. Names are interned, with room made inside: one at a time. */
int shlib_parse(struct infile *f, struct names *names, struct diag *d, uint64_t place, struct shlib **ret_shlib);
void shlib_free(void *shlib);
/* 128 bits over all that a link reads of it but its soname, for the build-id: a library that was made again with the same
 * symbols changes nothing. Made when first asked for, then kept with the library. Thread-safe. */
void shlib_whole_digest(struct shlib *s, const struct names *names, uint64_t *ret_low, uint64_t *ret_high);

#endif
