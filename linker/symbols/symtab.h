/* symtab.h - the symbols of one link: who provides each name, and what follows from that.
 *
 * Structure of arrays, indexed by name_id (the process-wide id of the name). The provider of a name is the minimum of a
 * total rank, so it depends on no traversal order, thread or history:
 *
 *   kind (see below), then command-line position of the file, then index in its symbol table.
 *
 * Two rankings are used. While members are extracted, what a file *could* define counts, and stays fixed meanwhile:
 *   strong definition in an object < weak definition in an object < definition in a shared library or lazy member
 *   < common symbol.
 * So the set of extracted members is the least fixed point of "strong reference -> top provider". A common symbol asks a
 * lazy member only when that has a strong definition (GNU ld, lld). Weak references extract nothing and need no library.
 * Afterwards, over the files that are part of the link:
 *   strong < common < weak < shared library.
 * with one exception, GNU ld's: a shared definition beats a common symbol where no object has a weak definition. (GNU ld's
 * action table lets common beat weak, weak beat shared and shared beat common; lld lets common beat shared always.)
 *
 * COMDAT groups: the earliest file with a signature keeps it; sections of the others are dead and define nothing.
 */
#ifndef LINKFS_SYMTAB_H
#define LINKFS_SYMTAB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "inputs.h"

/* A provider: rank (4 bits) | file (28 bits) | symbol index (32 bits); for file 0 the index is into linkdefs. */
#define PROVIDER_NONE UINT64_MAX
enum provider_rank { RANK_STRONG = 1, RANK_COMMON, RANK_WEAK, RANK_SHARED, RANK_LAZY = 5, RANK_LAST };
static inline uint64_t provider(unsigned rank, uint32_t file, uint32_t sym)
{
	return (uint64_t)rank << 60 | (uint64_t)file << 32 | sym;
}
static inline unsigned provider_rank(uint64_t p)
{
	return (unsigned)(p >> 60);
}
static inline uint32_t provider_file(uint64_t p)
{
	return (uint32_t)(p >> 32) & ((1u << 28) - 1);
}
static inline uint32_t provider_sym(uint64_t p)
{
	return (uint32_t)p;
}

/* Facts of a name; the NEED bits are set while relocations are scanned. */
enum sym_flag {
	SYM_REF_OBJ = 1 << 0,      /* an object of the link mentions it without defining it */
	SYM_REF_STRONG = 1 << 1,   /* ... not only weakly */
	SYM_REF_DSO = 1 << 2,      /* a shared library of the link mentions or defines it */
	SYM_HIDDEN = 1 << 3,       /* visibilities asked for by objects; the strictest counts */
	SYM_INTERNAL = 1 << 4,
	SYM_PROTECTED = 1 << 5,
	SYM_DEF = 1 << 6,          /* defined in the output */
	SYM_SHARED = 1 << 7,       /* provided by a shared library */
	SYM_ABS = 1 << 8,          /* its value is no address: SHN_ABS, or undefined weak = 0 */
	SYM_IFUNC = 1 << 9,        /* defined here as STT_GNU_IFUNC */
	SYM_TLS = 1 << 10,
	SYM_FUNC = 1 << 11,        /* STT_FUNC or STT_GNU_IFUNC of the provider */
	SYM_EXPORT = 1 << 12,      /* defined here and in .dynsym */
	SYM_PREEMPT = 1 << 13,     /* bound by the dynamic loader: imported, or defined here and interposable */
	SYM_UNDEF_WEAK = 1 << 14,  /* nobody defines it and that is allowed: value 0 unless the loader finds one */
	SYM_UNDEF = 1 << 15,       /* nobody defines it: an error where a live section uses it (a warning with UNDEF_WEAK) */
	NEED_GOT = 1 << 16,
	NEED_PLT = 1 << 17,
	NEED_GOTTP = 1 << 18,      /* GOT entry with its TP offset */
	NEED_TLSGD = 1 << 19,
	NEED_TLSDESC = 1 << 20,
	NEED_COPY = 1 << 21,       /* copy relocation: it gets an address here */
	NEED_CPLT = 1 << 22,       /* canonical PLT entry: its address is that of the entry */
	NEED_DYNSYM = 1 << 23,     /* some dynamic relocation names it */
	SYM_LOCAL_VERSION = 1 << 24, /* a version script or --exclude-libs made it local */
	SYM_OUTSIDE = 1 << 25,     /* its value lies outside its section */
	SYM_WEAK_LOST = 1 << 26,   /* a common symbol beat a weak definition of an object */
	SYM_TLS_REF = 1 << 27,     /* some object mentions it as thread-local */
	SYM_LISTED = 1 << 28,      /* --dynamic-list or --export-dynamic-symbol names it */
	SYM_VERSIONED = 1 << 29,   /* its object gives its version: f@V, f@@V */
	NEED_ANY = NEED_GOT | NEED_PLT | NEED_GOTTP | NEED_TLSGD | NEED_TLSDESC | NEED_COPY | NEED_CPLT | NEED_DYNSYM,
};

/* What the linker defines, where an object mentions it and none defines it. */
enum linkdef_kind {
	LINKDEF_EHDR,          /* __ehdr_start, __executable_start, __dso_handle */
	LINKDEF_GOT,           /* _GLOBAL_OFFSET_TABLE_ */
	LINKDEF_DYNAMIC,       /* _DYNAMIC */
	LINKDEF_EH_FRAME_HDR,  /* __GNU_EH_FRAME_HDR */
	LINKDEF_ETEXT, LINKDEF_EDATA, LINKDEF_END, LINKDEF_BSS_START,
	LINKDEF_START, LINKDEF_STOP, /* of the output section `section` */
	LINKDEF_IRELA_START, LINKDEF_IRELA_END, /* static executables: the IRELATIVE relocations */
	LINKDEF_TLS_MODULE_BASE,
	LINKDEF_EXPR,          /* --defsym */
};
struct linkdef {
	name_id name;
	uint8_t kind;
	bool is_hidden;
	bool is_abs;
	const char *section;   /* LINKDEF_START, _STOP */
	const char *expr;      /* LINKDEF_EXPR */
};

struct common {
	name_id name;
	uint64_t sz, align;    /* bytes */
	bool is_tls;
};

/* A version that the output defines. */
struct version_def {
	const char *name;
	const char *const *parents;
	size_t parent_cnt;
	bool is_weak;          /* no symbol can have it */
};
#define SYM_VERSION_FIRST 2       /* index in .gnu.version of versions[0]; 1: the output itself, no version */
#define SYM_VERSION_HIDDEN 0x8000 /* not the default: f@V */

/* States of a section, by global section number. */
enum sec_state {
	SEC_LIVE = 1,          /* in the output */
	SEC_DEAD_COMDAT = 2,   /* another file's group won */
	SEC_SORTED = 4,        /* its relocation table ascends; looked at when first read, where it is not allocated */
	SEC_UNSORTED = 8,
	SEC_FRAMES = 16,       /* it is live and has FDEs */
	SEC_RELATIVE = 32,     /* it is live and needs RELATIVE dynamic relocations */
};

struct symtab {
	const struct inputs *in;
	bool is_dynamic;       /* the output has a dynamic section */
	bool is_pic;
	bool is_shared;
	atomic_bool has_gnu_abi;  /* it defines a unique name or an IFUNC: ELFOSABI_GNU (gABI: extensions of the ABI) */

	/* By name_id, in an arena: zeroed, so that pages of names which only other links have stay untouched. */
	struct arena *arena;
	uint32_t cnt;
	_Atomic uint64_t *win; /* the complement of the provider, so that zero is none; sym_win and sym_set_win know */
	_Atomic uint32_t *flags;

	/* Files of the link, ascending. */
	uint32_t *objs, obj_cnt;
	uint32_t *dsos, dso_cnt;

	/* Global section numbers: sec_base[file] + section index, for the files in objs. */
	uint32_t *sec_base;
	uint32_t sec_cnt;
	_Atomic uint8_t *sec_state;

	struct linkdef *linkdefs;
	uint32_t linkdef_cnt;
	struct common *commons;    /* by their providers' order, or as --sort-common has it */
	uint32_t common_cnt;

	struct version_def *versions;
	uint32_t version_cnt;
	uint16_t *version;         /* by name_id: its entry of .gnu.version, 0: like 1; NULL: no name has a version */

	/* References to FROM mean TO, FROM ascending: --wrap and __real_; f@V for a default f@@V defined here. */
	name_id *wrap_from, *wrap_to;
	uint32_t wrap_cnt;
	struct symtab_private *priv; /* NULL where no pass ran */
	struct resolution *shared;   /* kept.h: whose all arrays are but flags and sec_state; NULL: this symtab's own */
	uint64_t serial;       /* of SHARED: links of one serial have the same winners and, but for NEED bits, facts; 0: none */
};

/* Extraction, COMDAT, resolution, linker-defined names, versions, facts; or what a link before made of the same (kept.h),
 * which nothing shows but the time. Afterwards only NEED bits, SEC_LIVE, SEC_FRAMES, SEC_RELATIVE and (once) SEC_SORTED
 * change. 0, or -errno with errors in the sink of IN. */
int symtab_resolve(struct inputs *in, struct symtab **ret_symtab);
struct symtab *symtab_free(struct symtab *st);

/* Reports names that a shared library of the link wants and nobody defines. -EINVAL if there are any. */
int symtab_check_shared(struct symtab *st);

static inline uint32_t sym_flags(const struct symtab *st, name_id id)
{
	return atomic_load_explicit(&st->flags[id], memory_order_relaxed);
}
static inline uint64_t sym_win(const struct symtab *st, name_id id)
{
	return ~atomic_load_explicit(&st->win[id], memory_order_relaxed);
}
static inline void sym_set_win(struct symtab *st, name_id id, uint64_t p)
{
	atomic_store_explicit(&st->win[id], ~p, memory_order_relaxed);
}
/* Sets flags from many threads; cheap where they are set already. */
static inline void sym_add_flags(struct symtab *st, name_id id, uint32_t flags)
{
	if ((sym_flags(st, id) & flags) != flags)
		atomic_fetch_or_explicit(&st->flags[id], flags, memory_order_relaxed);
}
static inline uint32_t gsec(const struct symtab *st, uint32_t file, uint32_t shndx)
{
	return st->sec_base[file] + shndx;
}
static inline bool sec_is(const struct symtab *st, uint32_t gs, uint8_t state)
{
	return atomic_load_explicit(&st->sec_state[gs], memory_order_relaxed) & state;
}

name_id symtab_wrap(const struct symtab *st, name_id id);

/* The name an object's global symbol I stands for; --wrap applied to references. */
static inline name_id sym_name(const struct symtab *st, const struct object *o, uint32_t i, bool is_ref)
{
	name_id id = o->names[i - o->first_global];
	return is_ref && st->wrap_cnt ? symtab_wrap(st, id) : id;
}

/* "defined here": a definition whose section, if any, is not a dead COMDAT copy. */
static inline bool esym_defines(const struct symtab *st, uint32_t file, const struct esym *s)
{
	if (s->shndx == SHN_UNDEF)
		return false;
	return s->shndx >= SHN_LORESERVE + UINT32_C(0xffff0000) || !sec_is(st, gsec(st, file, s->shndx), SEC_DEAD_COMDAT);
}

static inline void sec_set(const struct symtab *st, uint32_t gs, uint8_t state)
{
	if (!sec_is(st, gs, state))
		atomic_fetch_or_explicit(&st->sec_state[gs], state, memory_order_relaxed);
}

/* The strictest visibility, STV_. */
static inline uint8_t sym_visibility(uint32_t flags)
{
	return flags & SYM_INTERNAL ? STV_INTERNAL : flags & SYM_HIDDEN ? STV_HIDDEN : flags & SYM_PROTECTED ? STV_PROTECTED
													 : STV_DEFAULT;
}

/* The name's text, demangled if the options say so; in BUF or longer-lived memory of the caller's (SZ bytes). */
const char *symtab_text(const struct symtab *st, name_id id, char *buf, size_t sz);

#endif
