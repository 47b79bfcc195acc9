/* object.h - a relocatable object as a link-independent, frozen product.
 *
 * Everything that steers a later store is checked here, once, at the door: header, section table, names, symbol table,
 * groups, and that each relocation table's section, symbol table and size make sense. Relocations themselves stay in the
 * file and are read in place by `rel_get`; their symbol indices and offsets are checked while scanning, by every reader.
 * Both classes and byte orders are read through the same accessors.
 * Source: System V gABI chapter 4 ("Object Files"), psABI supplements for the flags.
 */
#ifndef LINKFS_OBJECT_H
#define LINKFS_OBJECT_H

#include <elf.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arch.h"
#include "diag.h"
#include "elfbytes.h"
#include "mapper.h"
#include "names.h"

enum isec_kind {
	ISEC_NONE,     /* not content: symbol and string tables, relocation tables, groups, notes consumed by the linker */
	ISEC_REGULAR,  /* copied and relocated; NOBITS too */
	ISEC_MERGE,    /* SHF_MERGE: split into pieces, one copy each */
	ISEC_EH_FRAME, /* split into CIEs and FDEs */
	ISEC_PROPERTY, /* .note.gnu.property: read here, merged by the linker */
	ISEC_DISCARD,  /* SHF_EXCLUDE, .gnu.warning.*, LTO leftovers: never in the output */
};

/* One section, indexed by its ELF section index. */
struct isec {
	uint64_t off;       /* of its bytes, from the object's start; compressed: index into `packed` */
	uint64_t sz;        /* bytes in memory */
	uint64_t rel_off;   /* of its relocation table, from the object's start */
	uint32_t rel_cnt;   /* entries */
	uint32_t name;      /* offset in shstrtab */
	uint32_t flags;     /* SHF_..., low 32 bits */
	uint32_t type;      /* SHT_... */
	uint32_t link;      /* SHF_LINK_ORDER: the section it goes with */
	uint32_t group;     /* 1 + index into groups, 0: none */
	uint32_t entsize;
	uint8_t p2align;
	uint8_t kind;       /* enum isec_kind */
	bool is_rel : 1;         /* its table is SHT_REL */
	bool rel_unsorted : 1;   /* offsets do not ascend: readers use object_rel_order */
	bool rel_unchecked : 1;  /* not SHF_ALLOC: nobody looked yet; a reader that cares asks object_rel_is_sorted */
	bool is_compressed : 1;  /* in the file; sz, p2align and flags are what they are once decompressed */
};

struct group {
	name_id signature;
	bool is_comdat;
	uint32_t member_cnt;
	uint32_t *members;  /* section indices, checked */
};

/* A compressed section: where its stream lies, and its bytes once somebody asked. */
struct packed {
	uint64_t off, sz;        /* of the stream, from the object's start */
	uint32_t sec;            /* section index */
	bool is_zstd;            /* else zlib */
	char *name;              /* of an old .zdebug_x: .debug_x; NULL: its own is right */
	_Atomic(uint8_t *) data; /* isec.sz bytes, or NULL until object_unpack */
};

/* Call frame records: of a function ... */
struct fde {
	uint32_t off, sz;      /* bytes in the input .eh_frame */
	uint32_t rel, rel_cnt; /* its relocations: [rel, rel+rel_cnt) */
	uint32_t cie;          /* index */
	uint32_t sec;          /* section index of the code it describes */
	uint64_t pc;           /* offset of that code in the section */
};

/* ... and what several have in common. */
#define CIE_HEAD 32
struct cie {
	uint32_t off, sz, rel, rel_cnt;
	uint8_t fde_enc;       /* DW_EH_PE_ of FDE pointers, 0xff: an augmentation nobody knows (no search table) */
	uint8_t head[CIE_HEAD]; /* its first bytes, then zeros: all of most, so that links compare without reading the file */
};

/* One .eh_frame section; frozen once it is made. */
struct frames {
	uint32_t sec;          /* section index; 0: none */
	uint32_t cie_cnt, fde_cnt;
	struct cie *cies;
	struct fde *fdes;      /* in file order */
	uint32_t *by_sec;      /* FDE indices ordered by (section, pc) */
	struct frames *next;   /* of another section of the object */
};

/* A mergeable section's pieces; frozen once they are made, and interned once. */
struct pieces {
	uint32_t cnt;
	atomic_bool is_interned; /* ID is there, or somebody is at it */
	uint32_t *start;       /* cnt + 1 offsets in the section; NULL: all pieces are entsize long */
	name_id id[];          /* by piece, equal for equal bytes; START lies behind */
};

/* Where those of section `sec` are. */
struct mergeable {
	uint32_t sec;
	_Atomic(struct pieces *) pieces; /* NULL until object_pieces */
};

/* What a later stage keeps with the object: one allocation, which starts with this, freed with the object. */
struct object_product {
	_Atomic(struct object_product *) next; /* another of its kind */
	struct object_product *retired; /* the next on the list it is on when nobody will find it any more */
	size_t sz;             /* bytes of all of it */
};
/* P and those behind it go on the list *RETIRED: an object may stand on the command line twice, and another thread still be
 * reading what one has replaced. When none is, the list is freed. Both take NULL. */
void object_products_retire(struct object_product *p, struct object_product **retired);
void object_products_free(struct object_product *retired);

struct object {
	struct infile *file;     /* not counted here; the input that made it holds it */
	const uint8_t *data;     /* its first byte in the file's mapping */
	uint64_t sz;
	uint64_t file_off;       /* where in the file */
	char *name;              /* "path" or "path(member)" */
	uint16_t machine;
	uint8_t elf_class;
	bool is_be;
	uint32_t e_flags;
	bool has_ir;             /* intermediate code inside, for a compiler's plugin; */
	bool is_lto;             /* and nothing else */
	bool is_bitcode;         /* it is LLVM's: no section, no symbol, no machine is known */
	bool has_gnu_stack, exec_stack;
	bool has_split_stack;
	uint32_t sec_cnt;
	struct isec *secs;
	const char *shstrtab;    /* NUL-terminated inside its bounds */
	uint64_t shstrtab_sz;
	uint32_t sym_cnt, first_global;
	const uint8_t *symtab;   /* raw, in the file */
	const uint8_t *shndx;    /* SHT_SYMTAB_SHNDX, NULL: none */
	const char *strtab;
	uint64_t strtab_sz;
	name_id *names;          /* of the globals: names[i - first_global]; a trailing @@V is cut off, @V stays */
	bool has_versions;       /* some global is called f@V or f@@V in strtab */
	uint32_t group_cnt;
	struct group *groups;
	uint32_t property_cnt;   /* .note.gnu.property entries, in order */
	struct object_property {
		uint32_t type;
		uint32_t value;
	} *properties;
	uint32_t packed_cnt;
	struct packed *packed;   /* by ascending section */
	uint32_t merge_cnt;
	struct mergeable *merges; /* the ISEC_MERGE sections, ascending */
	uint64_t rel_cnt;        /* all tables */
	_Atomic(struct frames *) frames; /* made when first asked for */
	_Atomic(struct object_product *) content; /* sections/content.h */
	_Atomic(struct object_product *) assigned; /* sections/outsec.c */
	_Atomic(struct object_product *) selected; /* sections/ehframe.c */
	_Atomic(struct object_product *) scanned; /* sections/scanned.h */
	_Atomic(struct object_product *) defs; /* layout/defs.h */
	_Atomic(struct object_product *) laid; /* layout/laid.h */
	_Atomic(struct object_product *) provided; /* layout/provided.h */
	_Atomic(struct object_product *) pointers; /* sections/pointers.h */
	_Atomic uint64_t digest[2]; /* object_digest; both 0 until made */
	_Atomic uint64_t symbols[3]; /* digests of what symbols/recipe.c reads, likewise */
};

/* A symbol, host order. shndx: section index with extended ones resolved; reserved ones keep SHN_ABS and SHN_COMMON + the
 * 0xffff0000 that makes them unmistakable. */
#define OBJ_SHN_ABS (UINT32_C(0xffff0000) | SHN_ABS)
#define OBJ_SHN_COMMON (UINT32_C(0xffff0000) | SHN_COMMON)
struct esym {
	uint64_t value, size;
	uint32_t name;  /* offset in strtab */
	uint32_t shndx;
	uint8_t type, bind, vis;
};

/* A relocation, host order. */
struct rel {
	uint64_t off;   /* bytes from the section's start */
	int64_t addend; /* RELA; 0 for REL: it lies in the field */
	uint32_t type, sym;
};

/* I < sym_cnt. CLASS and IS_BE are the object's: constants where a loop is made for one format. */
static inline void esym_get_as(const struct object *o, uint32_t i, uint8_t class, bool is_be, struct esym *ret)
{
	uint8_t info;
	uint16_t shndx;
	if (class == ELFCLASS64) {
		const uint8_t *p = o->symtab + (uint64_t)i * sizeof(Elf64_Sym);
		ret->name = load32(p, is_be);
		info = p[4];
		ret->vis = p[5] & 3;
		shndx = load16(p + 6, is_be);
		ret->value = load64(p + 8, is_be);
		ret->size = load64(p + 16, is_be);
	} else {
		const uint8_t *p = o->symtab + (uint64_t)i * sizeof(Elf32_Sym);
		ret->name = load32(p, is_be);
		ret->value = load32(p + 4, is_be);
		ret->size = load32(p + 8, is_be);
		info = p[12];
		ret->vis = p[13] & 3;
		shndx = load16(p + 14, is_be);
	}
	ret->type = info & 15;
	ret->bind = info >> 4;
	if (shndx == SHN_XINDEX && o->shndx)
		ret->shndx = load32(o->shndx + (uint64_t)i * 4, is_be);
	else
		ret->shndx = shndx >= SHN_LORESERVE ? UINT32_C(0xffff0000) | shndx : shndx;
}
static inline void esym_get(const struct object *o, uint32_t i, struct esym *ret)
{
	esym_get_as(o, i, o->elf_class, o->is_be, ret);
}

/* I < s->rel_cnt, in the table's order. CLASS, IS_BE and IS_REL are what the object and S say, as above. */
static inline void rel_get_as(const struct object *o, const struct isec *s, uint32_t i, uint8_t class, bool is_be, bool is_rel,
			      struct rel *ret)
{
	const uint8_t *p = o->data + s->rel_off;
	if (class == ELFCLASS64) {
		p += (uint64_t)i * (is_rel ? sizeof(Elf64_Rel) : sizeof(Elf64_Rela));
		uint64_t info = load64(p + 8, is_be);
		ret->off = load64(p, is_be);
		ret->type = (uint32_t)info;
		ret->sym = (uint32_t)(info >> 32);
		ret->addend = is_rel ? 0 : (int64_t)load64(p + 16, is_be);
	} else {
		p += (uint64_t)i * (is_rel ? sizeof(Elf32_Rel) : sizeof(Elf32_Rela));
		uint32_t info = load32(p + 4, is_be);
		ret->off = load32(p, is_be);
		ret->type = info & 0xff;
		ret->sym = info >> 8;
		ret->addend = is_rel ? 0 : (int32_t)load32(p + 8, is_be);
	}
}
static inline void rel_get(const struct object *o, const struct isec *s, uint32_t i, struct rel *ret)
{
	rel_get_as(o, s, i, o->elf_class, o->is_be, s->is_rel, ret);
}

static inline const char *isec_name(const struct object *o, const struct isec *s)
{
	return o->shstrtab + s->name;
}

/* The name that counts for the output: an old .zdebug_x is a .debug_x. */
static inline const char *isec_plain_name(const struct object *o, const struct isec *s)
{
	const char *name = s->is_compressed ? o->packed[s->off].name : NULL;
	return name ? name : isec_name(o, s);
}

/* Of a compressed section: NULL until object_unpack has made them. */
static inline const uint8_t *isec_bytes(const struct object *o, const struct isec *s)
{
	if (__builtin_expect(s->is_compressed, false))
		return atomic_load_explicit(&o->packed[s->off].data, memory_order_acquire);
	return o->data + s->off; /* SHT_NOBITS has none: callers ask first */
}

/* 128 bits over the object's bytes, for the build-id: made when first asked for, then kept. Thread-safe. */
void object_digest(struct object *o, uint64_t *ret_low, uint64_t *ret_high);

bool object_is_elf(const uint8_t *data, uint64_t sz);
/* Is it LLVM bitcode, bare or wrapped? */
bool object_is_bitcode(const uint8_t *data, uint64_t sz);
/* e_type, e_machine, class and order of anything ELF, checked for length: what a link asks before it parses. */
int object_peek(const uint8_t *data, uint64_t sz, uint16_t *ret_type, uint16_t *ret_machine, uint8_t *ret_class,
		bool *ret_be);

/* Where the section headers of anything ELF lie and how many there are (0: none). -EINVAL where they do not lie in the
 * SZ bytes, as in a truncated file, or have an odd size. */
int object_sections(const uint8_t *data, uint64_t sz, uint64_t *ret_off, uint64_t *ret_cnt);

/* Parses the SZ bytes at OFF of F. NAME is copied. Names are interned; room for the symbols must have been reserved
 * (object_sym_bound tells how much). Many threads at once, each its own object. */
int object_parse(struct infile *f, uint64_t off, uint64_t sz, const char *name, struct names *names, struct diag *d,
		 uint64_t place, struct object **ret_object);
struct object *object_free(struct object *o);
/* The product of the same bytes at OFF of F, made of FROM, which no link is changing, without parsing. NAME is copied. NULL
 * without memory. */
struct object *object_clone(struct object *from, struct infile *f, uint64_t off, const char *name);
/* Decompresses packed[I], which must be there, unless that was done before: from then on isec_bytes gives its bytes,
 * until the object is freed. *ret_made: bytes that this call made. Thread-safe. 0, -ENOMEM, or -EINVAL, reported to D
 * at PLACE: a damaged stream, or strings to be merged that do not end in a NUL. */
int object_unpack(struct object *o, uint32_t i, struct diag *d, uint64_t place, uint64_t *ret_made);
/* The records of the .eh_frame section SEC, whose bytes must be there: parsed when first asked for, then kept until the
 * object is freed. ARCH: the object's. Errors are reported to D at PLACE, each time. Thread-safe. 0, -ENOMEM (not
 * reported) or -EINVAL. */
int object_frames(struct object *o, uint32_t sec, const struct arch *arch, struct diag *d, uint64_t place,
		  const struct frames **ret_frames);
/* The pieces of section SEC, an ISEC_MERGE one of less than 4 GiB whose bytes must be there: made when first asked for,
 * then kept. NULL without memory. Thread-safe. */
const struct pieces *object_pieces(struct object *o, uint32_t sec);
/* Interns the pieces P of section SEC, unless that was done; room for them must have been reserved in STRINGS, which is to be
 * the same each time. 0 or -ENOMEM. Thread-safe; who comes while another is at it goes on at once. */
int object_intern_pieces(const struct object *o, uint32_t sec, const struct pieces *p, struct names *strings);
/* Do the offsets of S's relocations ascend? Reads them all. */
bool object_rel_is_sorted(const struct object *o, const struct isec *s);
/* The indices of S's relocations by ascending offset, equal offsets in the table's order: rel_cnt of them, malloc'd. */
int object_rel_order(const struct object *o, const struct isec *s, uint32_t **ret_order);
/* How many global symbols at most, from the section headers alone; 0 where they make no sense. */
uint32_t object_sym_bound(const uint8_t *data, uint64_t sz);

#endif
