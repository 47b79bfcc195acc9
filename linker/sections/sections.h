/* sections.h - which input sections live, where they go, and what the link must make because of their relocations.
 *
 * Products, in the order they are made: output sections (outsec.c), call frame records (ehframe.c), liveness (gc.c),
 * bytes of compressed sections (inflate.c), merged pieces (merge.c), needs and dynamic relocations (scan.c), slots
 * (slots.c), dynamic symbols (dynsym.c). All are functions of the symbols and the inputs; arrays are indexed by global
 * section number (symtab.h) or name_id.
 * After this stage: no new sections; only addresses are missing.
 */
#ifndef LINKFS_SECTIONS_H
#define LINKFS_SECTIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "content.h"
#include "symtab.h"

#define OUT_NONE UINT16_MAX
#define SLOT_NONE UINT32_MAX

/* ---- output sections ---- */

/* One output section by name. Order among them is decided in layout/order.c. */
struct outsec {
	const char *name;
	uint32_t hash;               /* of the name, by outsec_hash */
	_Atomic uint32_t flags;      /* SHF_..., of all members ORed */
	_Atomic uint32_t type;       /* SHT_... */
	_Atomic uint32_t first;      /* the lowest global section number in it: what ties are ordered by */
	uint32_t member_cnt;
};

/* ---- call frames ---- */

/* What this link makes of a CIE. */
struct cie_use {
	uint32_t leader_file, leader; /* the earliest equal CIE of the link; itself when it leads */
	uint32_t out_off;      /* of the leader in the output's .eh_frame; UINT32_MAX: not in it */
	bool is_used;
};

/* The .eh_frame of one object: its records, which all links share, and what this one makes of them. */
struct eh_object {
	const struct frames *frames; /* the object's; frames->sec is 0 where it has none */
	struct cie_use *cies;  /* by CIE */
	uint32_t *fde_off;     /* by FDE: its offset in the output's .eh_frame; UINT32_MAX: dead */
	uint64_t out_off, out_sz; /* this object's part of the output's .eh_frame */
};

/* ---- merged pieces ---- */

/* One mergeable input section: its pieces, which all links share, and where each is in this one's chunk. */
struct merge_sec {
	uint32_t file, shndx;
	uint32_t set;
	const struct pieces *pieces; /* the object's */
	uint32_t *off;         /* by piece: in the set's chunk, of the equal piece that stands for it */
	uint64_t *far_off;     /* the same, where the chunk is larger than 4 GiB; else NULL */
};

/* All mergeable sections of one output section with equal entry size and kind: one chunk of it. */
struct merge_set {
	uint16_t outsec;
	bool is_strings;
	uint32_t entsize;
	uint8_t p2align;
	uint32_t first;        /* lowest global section number */
	uint32_t sec_cnt;
	uint32_t *secs;        /* indices into merge_secs, ascending position */
	uint64_t *sec_off;     /* where the pieces that the section owns start in the chunk; sec_cnt + 1 of them */
	uint64_t sz;           /* bytes of the chunk */
};

/* ---- slots ---- */

/* A symbol that needs something made: global (name) or local (name 0). Ordered by provider file and symbol. */
struct aux {
	uint64_t key;          /* file << 32 | symbol index; UINT64_MAX: nobody provides it */
	name_id name;
	uint32_t needs;        /* NEED_ bits */
	uint32_t got, gottp, tlsgd, tlsdesc; /* first slot (words) in .got, SLOT_NONE: none */
	uint32_t got_ifunc;    /* slot that holds the function an IFUNC chose: what its PLT entry jumps through */
	uint32_t plt;          /* entry in .plt, SLOT_NONE */
	uint32_t pltgot;       /* entry in .plt.got, SLOT_NONE */
	uint32_t dynsym;       /* index in .dynsym; 0: not in it */
	uint64_t copy_off;     /* NEED_COPY: offset in its copy chunk */
	bool copy_ro, copy_lead; /* of several names of one object, the one that the COPY relocation uses */
};

enum got_kind { GOT_ADDR, GOT_IFUNC, GOT_TPOFF, GOT_DTPMOD, GOT_DTPOFF, GOT_DESC, GOT_DESC_2, GOT_LD, GOT_LD_2 };
struct got_slot {
	uint32_t aux;          /* index; unused for GOT_LD */
	uint8_t kind;
};

/* ---- dynamic relocations ---- */

/* A symbolic one, found while scanning; RELATIVE ones are only counted. */
struct dynrel {
	uint32_t gsec, rel;    /* section and index of the static relocation */
	uint32_t file;
	name_id name;
	uint64_t off;          /* of the static relocation */
	int64_t addend;
};

/* ---- symbols ---- */

/* Local symbols of an object that .symtab has. */
struct local_count {
	uint64_t str;          /* bytes of their names */
	uint32_t cnt;
	bool has_ifunc;
};

struct dynsym {
	name_id name;
	uint32_t hash;         /* of .gnu.hash */
	uint16_t version;      /* index for .gnu.version */
	uint32_t str;          /* offset in .dynstr */
};

/* A version that the output defines. */
struct verdef {
	uint32_t str;          /* offset of its name in .dynstr */
	uint32_t hash;         /* System V hash of the name */
};

struct verneed_version {
	const char *name;
	uint32_t hash;         /* System V hash of the name */
	uint16_t index;        /* in .gnu.version */
	uint32_t str;
	bool is_weak;
};
struct verneed {
	uint32_t file;         /* shared library */
	uint32_t str;
	uint32_t version_cnt;
	struct verneed_version *versions;
};

struct strbuf {
	char *data;
	uint32_t sz, cap;
};

struct suspect {
	uint32_t gsec, rel, file;
};

/* Extremes of the addends a class of rows carries: what the overflow proof needs (layout/overflow.c). */
struct addend_range {
	int64_t min, max;
};

struct sections {
	struct symtab *st;
	const struct inputs *in;
	struct arena *arena;         /* everything below that is not noted otherwise */
	struct arena *scratch;       /* what is noted so: gone, and NULL, once the link is made (sections_trim) */

	struct outsec *outs;         /* capacity OUT_NONE */
	_Atomic uint32_t out_cnt;
	_Atomic uint16_t *out_of;    /* by global section number */

	struct eh_object *eh;        /* by file */
	uint64_t eh_sz;              /* of the output's .eh_frame, with its terminator */
	uint32_t fde_cnt;            /* live ones */
	bool eh_has_unknown;         /* some CIE cannot be searched: no table in .eh_frame_hdr */

	uint64_t inflated_sz;        /* bytes of compressed sections that this link decompressed */

	struct merge_sec *merge_secs; /* by position */
	uint32_t merge_sec_cnt;
	struct merge_range {
		uint32_t first, end; /* of the file's in merge_secs */
	} *merge_of;                 /* by file */
	struct merge_set *merge_sets; /* malloc-ed */
	uint32_t merge_set_cnt;

	struct local_count *local_counts; /* by file; scratch */
	uint32_t *rel_relative;      /* by global section number: of SEC_RELATIVE ones: how many they need; scratch */
	uint64_t relative_total;     /* their sum */
	uint64_t relocs_total;
	struct dynrel *dynrels;      /* symbolic, by (file, section, relocation); malloc-ed, until sections_trim */
	uint32_t dynrel_cnt;
	struct suspect *suspects;    /* malloc-ed, until sections_trim */
	uint32_t suspect_cnt;
	struct addend_range addends; /* of all 32-bit PC- and GOT-relative rows */
	uint64_t alloc_bound;        /* at least the bytes all allocated sections take that live so far; scanning adds what
				      * else there can be: an upper bound of the image */
	bool small_image, low_image; /* what relaxations may rely on (arch.h), decided from alloc_bound */
	bool needs_got_base;         /* somebody mentions the GOT itself */
	bool has_static_tls;         /* DF_STATIC_TLS: initial-exec in a shared object */
	bool has_textrel;
	bool needs_tlsld;
	name_id tls_get_addr;        /* 0: nobody mentions it */

	struct aux *aux;
	uint32_t aux_cnt;
	uint32_t *aux_slots, aux_mask; /* hash table of the named ones: index + 1; 0: free */
	struct got_slot *got;
	uint32_t got_cnt;
	uint32_t tlsld_slot;
	uint32_t *plt, plt_cnt;      /* aux indices, in order of entries */
	uint32_t *pltgot, pltgot_cnt;
	bool plt_ibt;
	uint64_t copy_sz[2], copy_align[2]; /* [1]: read-only ones */
	uint32_t copy_cnt;           /* COPY relocations */
	uint64_t got_relative, got_irelative, got_symbolic; /* dynamic relocations of GOT slots */

	struct dynsym *dynsyms;      /* [0] is the null symbol; imports, then hashed ones in .gnu.hash order */
	uint32_t dynsym_cnt, dynsym_hashed; /* index of the first hashed one */
	uint32_t *dynsym_of;         /* by name_id; 0: none; scratch */
	uint32_t gnu_buckets;
	uint8_t *gnu_hash, *sysv_hash; /* the finished bytes of .gnu.hash and .hash; NULL: not wanted */
	uint32_t gnu_hash_sz, sysv_hash_sz;
	struct strbuf dynstr;        /* malloc-ed */
	struct verneed *verneeds;
	uint32_t verneed_cnt;
	const char *verdef_base;     /* what the versions defined here belong to: the soname, or the file's name */
	struct verdef *verdefs;      /* [0]: that name; then st->versions */
	uint32_t soname_str, rpath_str;
	uint32_t *needed_str, needed_cnt;

	struct sections_private *priv;
	uint32_t property_and, property_or; /* merged .note.gnu.property values; 0: no note */
	bool has_property;
};

int sections_new(struct symtab *st, struct sections **ret_sections);
struct sections *sections_free(struct sections *s);
/* The link is made: drops what is noted as scratch, and the lists of dynamic relocations and of suspects. */
void sections_trim(struct sections *s);

/* The passes, in order. 0 or -errno with errors in the sink. */
int outsec_assign(struct sections *s);
int ehframe_parse(struct sections *s);
int gc_mark(struct sections *s);
int inflate_sections(struct sections *s);
int merge_pieces(struct sections *s);
int ehframe_select(struct sections *s);
int property_merge(struct sections *s);
int scan_relocations(struct sections *s);
int slots_assign(struct sections *s);
int dynsym_build(struct sections *s);
int hash_build(struct sections *s);

/* What a live allocated section can add to the image. */
static inline uint64_t section_bound(uint64_t sz, uint8_t p2align)
{
	return sz + (UINT64_C(1) << p2align);
}

/* What section SHNDX of FILE is as a merged one; NULL: it is not merged. */
const struct merge_sec *merge_find(const struct sections *s, uint32_t file, uint32_t shndx);
/* Where piece P is in its set's chunk. */
static inline uint64_t merge_piece_off(const struct merge_sec *m, uint32_t p)
{
	return m->far_off ? m->far_off[p] : m->off[p];
}
/* Offset, in its set's chunk, of byte OFF of a merged section. false: no piece there. */
bool merge_offset(const struct sections *s, const struct merge_sec *m, uint64_t off, uint64_t *ret_off);
/* The FDEs of code section SHNDX of FILE, by their offset in it. */
struct eh_range {
	const struct eh_object *eh;
	uint32_t begin, end;         /* in frames->by_sec */
};
struct eh_range ehframe_of(const struct sections *s, uint32_t file, uint32_t shndx);
/* The same, quicker where *at holds the section before it; *at becomes the answer. Starts as all zeros. */
void ehframe_next(const struct sections *s, uint32_t file, uint32_t shndx, struct eh_range *at);

/* The bytes of piece P. */
const uint8_t *merge_piece(const struct sections *s, const struct merge_sec *m, uint32_t p, uint32_t *ret_sz);

/* The local aux of symbol SYM of FILE, NULL: none. */
const struct aux *aux_local(const struct sections *s, uint32_t file, uint32_t sym);
static inline uint32_t aux_hash(name_id id)
{
	return id * UINT32_C(0x9e3779b1) >> 7; /* its high bits are the well mixed ones */
}
static inline const struct aux *aux_global(const struct sections *s, name_id id)
{
	for (uint32_t k = aux_hash(id) & s->aux_mask; s->aux_slots[k]; k = (k + 1) & s->aux_mask)
		if (s->aux[s->aux_slots[k] - 1].name == id)
			return &s->aux[s->aux_slots[k] - 1];
	return NULL;
}

/* Adds a string, NUL included; its offset. UINT32_MAX without memory. */
uint32_t strbuf_add(struct strbuf *b, const char *str, size_t len);

/* What a GOT slot asks of the dynamic loader. TYPE is the arch's number where SYMBOLIC. */
enum got_rel { GOT_REL_NONE, GOT_REL_RELATIVE, GOT_REL_SYMBOLIC, GOT_REL_IRELATIVE };
enum got_rel got_relocation(const struct sections *s, const struct got_slot *slot, uint32_t *ret_type,
			    bool *ret_by_name);
/* The facts of an aux: the name's, or those of the local symbol. */
uint32_t aux_flags(const struct sections *s, const struct aux *a);

#endif
