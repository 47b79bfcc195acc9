/* render.h - bytes: any range of the output as a pure function of the layout.
 *
 * plan.c finds what lies at a file offset; section.c copies and relocates input sections; evaluate.c computes what a
 * relocation stores; syn_*.c render one synthetic section each. Nothing here allocates, takes a lock or remembers: the
 * same range gives the same bytes in any order and from any thread.
 */
#ifndef LINKFS_RENDER_H
#define LINKFS_RENDER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "layout.h"
#include "pointers.h"

/* What one fill reports. */
struct fill {
	uint64_t relocs;  /* applied */
	char *why;        /* text of the first error, WHY_SZ bytes; may be NULL */
	size_t why_sz;
};

/* The bytes [off, off+sz) of the output file. 0; -EINVAL beyond its end; -EIO a relocation outside allocated sections
 * cannot be applied. */
int plan_fill(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f);
/* A file offset near off + want, at or after it by less than WANT, where no section is cut; at most the file's size. */
uint64_t plan_cut(const struct layout *l, uint64_t off, uint64_t want);

/* No relocation's footprint is longer, in bytes: what lies further from a cut is not touched by one that crosses it. */
#define RENDER_EDGE 32
/* The bytes [begin, end) of an input section as they are in the output. */
int section_render(const struct layout *l, uint32_t file, uint32_t shndx, uint64_t begin, uint64_t end, uint8_t *dst,
		   struct fill *f);
/* The same of a section with a usable table of pointers (plain.h), where the loader writes all those that meet the range
 * and the input has zeros there already: a copy. false: not so, and nothing was done. IS_RELATIVE: all rows of the table
 * are RELATIVE. */
bool section_render_zeros(const struct layout *l, const struct object *o, const struct pointer_table *t, bool is_relative,
			  uint64_t begin, uint64_t end, uint8_t *dst, struct fill *f);

/* Where a relocation being applied lies. */
struct spot {
	const struct layout *l;
	const struct object *o;
	const struct isec *is;
	uint32_t file, shndx;
	uint64_t va;           /* of the section's first byte */
	bool is_alloc;
	bool may_be_plain;     /* the short way (plain.h) may be tried */
	bool is_word_dynamic;  /* words with plain targets are the loader's to write, and zero here */
	uint64_t tombstone;    /* not allocated: what stands for a discarded target */
	name_id tls_get_addr;
};
void spot_init(struct spot *sp, const struct layout *l, uint32_t file, uint32_t shndx);

/* Applies relocation I, whose bytes LOC points to (the field itself; the row's footprint around it may be changed).
 * *ret_consumed: it did the work of the next one too. 0 or -EIO. ADDRESS: of the field. */
int relocation_apply(const struct spot *sp, uint32_t i, const struct rel *r, uint64_t address, uint8_t *loc,
		     bool *ret_consumed, struct fill *f);
/* The short way of one that loads from the GOT (REL_GOT_PC), of ID, which is plain (plain.h). false: the long way, please. */
bool relocation_relax_plain(const struct spot *sp, const struct rel *r, const struct rel_row *row, name_id id, uint8_t *loc,
			    struct fill *f);
/* Reports one whose field lies outside its section: -EIO. */
int relocation_outside(const struct spot *sp, const struct rel *r, struct fill *f);
/* Does relocation I, relaxed, consume the next one? */
bool relocation_consumes(const struct spot *sp, uint32_t i);
/* Evaluates for overflow_prove: reports to the link's sink what does not fit. */
int relocation_check(const struct layout *l, uint32_t file, uint32_t shndx, uint32_t rel);
/* S of a relocation's symbol, with what of the addend belongs to it taken out of *A. */
uint64_t target_va(const struct layout *l, const struct object *o, uint32_t file, const struct rel *r, int64_t *A);

/* The table layout is given: SYN_CNT entries. */
extern const struct synthetic *const synthetics[];
/* One each, in syn_*.c. */
extern const struct synthetic syn_interp, syn_property, syn_build_id, syn_hash, syn_gnu_hash, syn_dynsym, syn_dynstr,
	syn_versym, syn_verdef, syn_verneed, syn_rela_dyn, syn_rela_plt, syn_eh_frame_hdr, syn_eh_frame, syn_plt,
	syn_pltgot, syn_dynamic, syn_got, syn_gotplt, syn_copy_ro, syn_copy, syn_common, syn_tls_common, syn_comment,
	syn_symtab, syn_strtab, syn_shstrtab;

/* The alignment of tables of words, as a power of two: a `synthetic.align`. */
uint8_t syn_word_align(const struct layout *l);

/* Copies the part of [at, at+len) that meets [off, off+sz) to its place in DST: for pieces made whole. */
static inline void put_piece(uint64_t off, uint64_t sz, uint8_t *dst, uint64_t at, const void *piece, uint64_t len)
{
	uint64_t lo = at > off ? at : off, hi = at + len < off + sz ? at + len : off + sz;
	if (lo < hi)
		memcpy(dst + (lo - off), (const uint8_t *)piece + (lo - at), hi - lo);
}
/* A word of the output's class and byte order. */
static inline void put_word(const struct layout *l, uint8_t *p, uint64_t v)
{
	if (word_sz(l) == 8)
		store64(p, v, l->in->arch->is_be);
	else
		store32(p, (uint32_t)v, l->in->arch->is_be);
}

#endif
