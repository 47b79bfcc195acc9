/* layout.h - addresses and file offsets of everything; the last stage that decides.
 *
 * Passes: members (members.c, chunks.c: which chunks an output section has, in order (order.c)), addresses and segments
 * (address.c), values of symbols (values.c), the overflow proof (overflow.c). After it nothing moves, the size of the
 * output is exact, and rendering is a pure function of this product.
 *
 * Synthetic sections (.dynsym, .got, ...) are one file each in render/; layout sees them as a table of descriptions that
 * link.c hands in: name, flags, size.
 */
#ifndef LINKFS_LAYOUT_H
#define LINKFS_LAYOUT_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

#include "sections.h"

/* ORDER syn: the table in render/synthetics.c has one entry each. */
enum syn_id {
	SYN_INTERP, SYN_PROPERTY, SYN_BUILD_ID, SYN_HASH, SYN_GNU_HASH, SYN_DYNSYM, SYN_DYNSTR, SYN_VERSYM,
	SYN_VERDEF, SYN_VERNEED, SYN_RELA_DYN, SYN_RELA_PLT, SYN_EH_FRAME_HDR, SYN_EH_FRAME, SYN_PLT, SYN_PLTGOT,
	SYN_DYNAMIC, SYN_GOT, SYN_GOTPLT, SYN_COPY_RO, SYN_COPY, SYN_COMMON, SYN_TLS_COMMON, SYN_COMMENT, SYN_SYMTAB,
	SYN_STRTAB, SYN_SHSTRTAB,
	SYN_CNT
};

struct layout;
struct fill; /* render.h: what a fill reports */

/* A synthetic section: how large, then how it looks. */
struct synthetic {
	const char *name;      /* of the output section it is, or is a chunk of */
	uint32_t type, flags;  /* SHT_, SHF_ */
	uint8_t p2align;
	uint8_t entsize;
	/* Bytes; 0: the link has none. Called once all sizes it asks for itself are known (in table order). */
	uint64_t (*size)(const struct layout *l);
	/* Optional: alignment where it is not fixed, as a power of two. */
	uint8_t (*align)(const struct layout *l);
	/* sh_link and sh_info of an output section that is this alone; NULL: 0. */
	void (*links)(const struct layout *l, uint32_t *ret_link, uint32_t *ret_info);
	/* The bytes [off, off+sz) of it; pure. NULL for NOBITS. 0 or -errno. */
	int (*render)(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f);
	/* Its size was found by making it whole: counts as eager_bytes. */
	bool is_eager;
	/* .render stores every byte it is asked for; else what it leaves is zero. */
	bool is_dense;
};

/* A chunk of an output section: an input section (its global number), a merge set, or a synthetic section. */
#define CHUNK_SYN (UINT32_C(1) << 31)
#define CHUNK_MERGE (UINT32_C(1) << 30)
#define CHUNK_INDEX (CHUNK_MERGE - 1)

struct out {
	const char *name;
	uint32_t name_off;     /* in .shstrtab */
	uint32_t type, flags, link, info, entsize;
	uint8_t p2align;
	uint16_t outsec;       /* index in sections->outs, OUT_NONE: synthetic only */
	uint32_t first;        /* lowest global section number, for ties of order */
	uint32_t rank;         /* order.c */
	uint64_t va;           /* address; 0 where not allocated */
	uint64_t off;          /* file offset */
	uint64_t sz;           /* bytes in memory */
	uint32_t chunk_cnt;
	uint32_t *chunk;       /* in order */
	uint32_t *chunk_file;  /* of input sections; where they start: chunk_off */
	uint64_t rel_before;   /* RELATIVE relocations of sections laid out before this one (prefix sums) */
	bool is_relro;
	bool by_chunk;         /* its chunks have an order of their own (chunks.c) */
};

/* Chunks that need RELATIVE dynamic relocations, in layout order, and how many come before each. */
struct relative_run {
	uint32_t out : 31;
	uint32_t is_blank : 1; /* all bytes of it are zero in the output; false: maybe */
	uint32_t chunk;
	uint64_t before;
};

/* A chunk with FDEs, and how many FDEs belong to chunks before it: .eh_frame_hdr is sorted as the layout is. Every
 * FDE_STEP-th such chunk is noted, from there one walks. */
struct fde_run {
	uint32_t out, chunk;
	uint32_t before;
};
#define FDE_STEP 32

/* LIVE_STEP global section numbers: which are live, and how many before them are. */
struct live_word {
	uint32_t bits;
	uint32_t before;
};
#define LIVE_STEP 32

/* A symbolic dynamic relocation, in the order of .rela.dyn. */
struct dyn_row {
	uint32_t dynsym, type;
	uint64_t va;
	int64_t addend;
};

struct layout {
	const struct sections *s;
	const struct symtab *st;
	const struct inputs *in;
	const struct synthetic *const *syn; /* SYN_CNT of them */
	struct arena *arena;
	struct chunks *chunks; /* while the layout is made: chunks.c */
	const struct provided **provided; /* likewise, by index in st->objs; NULL: not known (provided.h) */
	struct object_product **provided_old; /* by worker: object_products_retire */

	struct out *outs;      /* [1..out_cnt): section header order; [0] is the null section */
	uint32_t out_cnt;
	uint32_t syn_out[SYN_CNT];     /* output section of a synthetic one, 0: absent */
	uint64_t syn_off[SYN_CNT];     /* its start within that section */
	uint64_t syn_sz[SYN_CNT];
	uint16_t *out_index;   /* by sections->outs index: index in outs, 0: not in the output */

	struct live_word *live; /* most sections of the inputs are not: what is known of those that are is dense */
	uint64_t *live_va;     /* by live section: address, or offset in its output section if not allocated */
	uint64_t *merge_va;    /* by merge set: address of its chunk (offset in the output section, as live_va) */
	name_id init_id, fini_id; /* of DT_INIT and DT_FINI: fills do not search the table of names. 0: no such name */
	uint64_t *va;          /* by name_id: address (or absolute value) in this output; TLS symbols: address in the image */

	uint64_t *plain;       /* by name_id, a bit each: defined here, and nothing special about it (plain.c) */
	uint64_t plain_types;  /* by relocation type, a bit each: S + A - P as a 32-bit integer, and nothing else */
	uint64_t plain_branches; /* those of them where L stands for S, if there is one */
	struct relative_run *relatives;
	uint32_t relative_cnt;
	uint64_t relative_total; /* of sections; those of GOT slots are s->got_relative */
	struct fde_run *fde_runs;
	uint32_t fde_run_cnt;
	struct dyn_row *dyn_rows; /* grouped by symbol, then by address */
	uint32_t dyn_row_cnt;

	Elf64_Phdr *phdrs;     /* host order; narrowed when rendered for 32-bit */
	uint32_t phdr_cnt;
	uint64_t headers_sz;   /* ELF header and program headers */
	uint64_t shoff, file_sz;
	uint64_t image_base, image_end;
	uint64_t tls_va, tls_sz, tls_align;
	uint64_t tp;           /* what the thread pointer corresponds to in the image's TLS block addresses */
	uint64_t got_base;     /* _GLOBAL_OFFSET_TABLE_ */
	uint64_t entry;
	char *shstrtab;
	uint32_t shstrtab_sz;

	/* Per file, prefix sums of what each contributes to .symtab and .strtab. */
	struct symtab_part {
		uint32_t locals, globals;       /* index of the first symbol */
		uint64_t local_str, global_str; /* offset of the first string */
	} *sym_parts;          /* by position in st->objs; obj_cnt + 1 of them */
	uint32_t *sym_extra;   /* name_ids with no object: linker-defined and imported; local ones first */
	uint32_t sym_extra_cnt, sym_extra_locals;
	uint64_t sym_extra_str; /* offset of the first name of the local ones */
	uint32_t symtab_locals, symtab_cnt;
	uint64_t strtab_sz;
	atomic_bool has_gnu_abi; /* some symbol of .symtab is a local IFUNC */
};

int layout_make(struct sections *s, const struct synthetic *const *syn, struct layout **ret_layout);
struct layout *layout_free(struct layout *l);

/* Which symbols .symtab has: its size (symcount.c); used when rendering, too. */
struct out_sym {
	const char *name;      /* LEN bytes */
	uint32_t len;
	uint32_t file;         /* 0: no object provides it */
	name_id id;            /* 0: local in its object */
	struct esym e;
};
typedef void (*sym_visit)(void *ctx, const struct out_sym *s);
/* Calls VISIT for each symbol of .symtab that the object at position K of st->objs contributes, in order: its locals
 * (hidden names of it included: they are local in the output), or its globals. */
void symtab_walk(const struct layout *l, uint32_t k, bool locals, sym_visit visit, void *ctx);

/* The first relocation that does not fit is an error; all checked that may not fit. `check` evaluates one relocation of
 * a section (given by render/, which owns evaluation) and reports it. */
typedef int (*overflow_check)(const struct layout *l, uint32_t file, uint32_t shndx, uint32_t rel);
int overflow_prove(struct layout *l, overflow_check check);

static inline uint64_t syn_va(const struct layout *l, enum syn_id id)
{
	return l->syn_out[id] ? l->outs[l->syn_out[id]].va + l->syn_off[id] : 0;
}

static inline uint64_t align_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) & ~(align - 1);
}

/* Bytes of a slot, a symbol and so on in this output. */
static inline unsigned word_sz(const struct layout *l)
{
	return l->in->arch->elf_class == ELFCLASS64 ? 8 : 4;
}

/* How many bits are set: without a call, where the compiler may not assume an instruction. */
static inline uint32_t count_bits(uint32_t v)
{
	v -= v >> 1 & 0x55555555;
	v = (v & 0x33333333) + (v >> 2 & 0x33333333);
	return ((v + (v >> 4)) & 0x0f0f0f0f) * 0x01010101 >> 24;
}

/* Where the address of a live section is kept; NULL: it is not live. */
static inline uint64_t *section_slot(const struct layout *l, uint32_t gs)
{
	const struct live_word *w = &l->live[gs / LIVE_STEP];
	uint32_t bit = UINT32_C(1) << gs % LIVE_STEP;
	return w->bits & bit ? &l->live_va[w->before + count_bits(w->bits & (bit - 1))] : NULL;
}
/* Address of an input section that is copied whole (offset in the output section where not allocated); 0: not in it. */
static inline uint64_t section_start(const struct layout *l, uint32_t gs)
{
	const uint64_t *slot = section_slot(l, gs);
	return slot ? *slot : 0;
}

/* Bytes from the start of O to its chunk C, ascending; C may be chunk_cnt: the end. */
static inline uint64_t chunk_off(const struct layout *l, const struct out *o, uint32_t c)
{
	if (c == o->chunk_cnt)
		return o->sz;
	uint32_t chunk = o->chunk[c];
	if (chunk & CHUNK_SYN)
		return l->syn_off[chunk & CHUNK_INDEX];
	return (chunk & CHUNK_MERGE ? l->merge_va[chunk & CHUNK_INDEX] : section_start(l, chunk)) - o->va;
}
static inline bool chunk_has_frames(const struct layout *l, const struct out *o, uint32_t c)
{
	return !(o->chunk[c] & (CHUNK_SYN | CHUNK_MERGE)) && sec_is(l->st, o->chunk[c], SEC_FRAMES);
}

/* Address of a PLT entry that calls to A go to; 0: none. */
uint64_t aux_plt_va(const struct layout *l, const struct aux *a);
static inline uint64_t got_slot_va(const struct layout *l, uint32_t slot)
{
	return syn_va(l, SYN_GOT) + (uint64_t)slot * word_sz(l);
}

/* How many relocations of its section run R of l->relatives stands for. */
static inline uint64_t relative_cnt(const struct layout *l, uint32_t r)
{
	return (r + 1 < l->relative_cnt ? l->relatives[r + 1].before : l->relative_total) - l->relatives[r].before;
}

/* Address of byte OFF of an input section; merged and call frame sections are mapped piece by piece. Not allocated: the
 * offset in the output section. */
uint64_t section_va(const struct layout *l, uint32_t file, uint32_t shndx, uint64_t off);

#endif
