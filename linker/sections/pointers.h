/* pointers.h - tables of pointers: sections whose relocations are all plain addresses, as dense rows.
 *
 * Most relocations that the loader gets to see are such: tables of functions, of strings, of each other. To make a row of
 * .rela.dyn from the input means to read the relocation, its symbol and that symbol's section, all over mapped files; here
 * is what these say, in the order of the table. What becomes of a row is judge.h's to say, and where targets went the
 * link's: this is a product of the object's bytes alone, kept with the object, made when scanning first finds that it
 * needs RELATIVE relocations. 12 bytes for each relocation, and 8 more for one into a merged section.
 *
 * It may be missing (no memory), and so may a section's table: then relocations are read where they lie.
 */
#ifndef LINKFS_POINTERS_H
#define LINKFS_POINTERS_H

#include "object.h"

enum pointer_kind {
	POINTER_NAME,    /* a name_id */
	POINTER_SECTION, /* a section index: an ISEC_REGULAR one; the symbol's value is part of the addend */
	POINTER_PIECE,   /* index in pointers_pieces; the distance from the piece's start is the addend */
	POINTER_OTHER,   /* read the relocation, which has the row's index */
};

struct pointer {
	uint32_t off;          /* of the word in its section */
	uint32_t target;       /* kind << POINTER_SHIFT | index */
	int32_t addend;
};
#define POINTER_SHIFT 30
static inline enum pointer_kind pointer_kind(const struct pointer *p)
{
	return (enum pointer_kind)(p->target >> POINTER_SHIFT);
}
static inline uint32_t pointer_index(const struct pointer *p)
{
	return p->target & ((UINT32_C(1) << POINTER_SHIFT) - 1);
}

/* What a row of POINTER_PIECE points into: a section of the object and a piece of it (object_pieces). */
struct pointer_piece {
	uint32_t sec, piece;
};

/* What all sections with tables are, of that which judge.h asks: so nobody has to look. */
#define POINTER_FLAGS (SHF_ALLOC | SHF_WRITE)

/* A section of less than 4 GiB that is allocated and writable, and whose relocations, with addends of their own (RELA), all
 * say that a word of it is an address. They may overlap. */
struct pointer_table {
	uint32_t sec;          /* section index */
	uint32_t first, cnt;   /* rows: those of all the section's relocations, in their order */
	uint16_t type;         /* of all of them */
	bool is_sorted : 1;    /* by offset */
	bool is_zero : 1;      /* all these words are zero in the input, */
	bool is_blank : 1;     /* and all the other bytes of the section; false: maybe */
};

struct pointers {
	struct object_product product; /* the object keeps one */
	uint32_t table_cnt, row_cnt;
	/* Behind: tables by ascending section, rows, pieces. */
};

static inline const struct pointer_table *pointers_tables(const struct pointers *p)
{
	return (const struct pointer_table *)(const void *)(p + 1);
}
static inline const struct pointer *pointers_rows(const struct pointers *p)
{
	return (const struct pointer *)(const void *)(pointers_tables(p) + p->table_cnt);
}
static inline const struct pointer_piece *pointers_pieces(const struct pointers *p)
{
	return (const struct pointer_piece *)(const void *)(pointers_rows(p) + p->row_cnt);
}

/* The object's; NULL: not made. */
static inline const struct pointers *pointers_of(const struct object *o)
{
	return (const struct pointers *)(const void *)atomic_load_explicit(&o->pointers, memory_order_acquire);
}

/* That of section SEC; NULL: it has none. *AT: where to look first, any number; becomes where it is. */
static inline const struct pointer_table *pointers_find(const struct pointers *p, uint32_t sec, uint32_t *at)
{
	const struct pointer_table *t = pointers_tables(p);
	uint32_t lo = 0, hi = p->table_cnt;
	for (uint32_t i = *at; i < hi && i - *at < 4; i++)
		if (t[i].sec == sec) {
			*at = i;
			return &t[i];
		}
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (t[mid].sec < sec)
			lo = mid + 1;
		else
			hi = mid;
	}
	*at = lo;
	return lo < p->table_cnt && t[lo].sec == sec ? &t[lo] : NULL;
}

/* Makes the object's, which is of ARCH, if it is not there. Thread-safe. */
void pointers_make(struct object *o, const struct arch *arch);

#endif
