/* defs.h - what laying out asks of an object that no other object decides: its definitions as dense rows, and how many call
 * frame records each of its sections has.
 *
 * Symbol tables lie in mapped files, half of their rows are references, and whether a section is copied whole is told
 * elsewhere; each link reads them more than once. A product of the object's bytes, made when first asked for and kept with
 * the object, as the rows of sections are (sections/content.h).
 */
#ifndef LINKFS_DEFS_H
#define LINKFS_DEFS_H

#include "layout.h"

/* A global symbol that the object defines: in a section, absolute or common. */
struct def {
	uint64_t value;
	name_id id;
	uint32_t sym;          /* index in the symbol table */
	uint32_t sec;          /* as struct esym has it */
	uint32_t len;          /* bytes of its name */
};

#define DEFS_MANY 255          /* FDEs: so many or more */

struct defs {
	struct object_product product; /* the object keeps one */
	uint32_t cnt;          /* rows */
	uint32_t frames_sec;   /* the .eh_frame section whose records were counted; 0: none */
	uint64_t pc_max;       /* the highest offset of the FDEs' code in its section */
	const struct def *rows; /* by ascending symbol; behind the counts */
	uint8_t fde_cnt[];     /* by row of sections/content.h */
};

/* Those of rows *AT and on that FILE provides, as indices; their names' facts then are those of these definitions. How many,
 * and *AT is where to go on, until it is cnt. The others are mixed with them beyond prediction: no branches. */
#define DEFS_BATCH 256
static inline uint32_t defs_provided(const struct symtab *st, uint32_t file, const struct defs *d, uint32_t *at,
				     uint32_t rows[DEFS_BATCH])
{
	uint32_t n = 0, end = d->cnt - *at < DEFS_BATCH ? d->cnt : *at + DEFS_BATCH;
	uint64_t of_file = provider(0, file, 0), no_rank = provider(15, 0, 0);
	for (uint32_t i = *at; i < end; i++) {
		rows[n] = i;
		n += (sym_win(st, d->rows[i].id) & ~no_rank) == (of_file | d->rows[i].sym);
	}
	*at = end;
	return n;
}

static inline const struct defs *defs_of(const struct object *o)
{
	return (const struct defs *)(const void *)atomic_load_explicit(&o->defs, memory_order_acquire);
}

/* Objects lie far apart in memory: a loop over those at [K, END) of st->objs asks for what it reads next. */
static inline void defs_prefetch(const struct layout *l, uint32_t k, uint32_t end)
{
	const struct ifile *files = l->in->files;
	const uint32_t *objs = l->st->objs;
	if (k + 3 < end)
		__builtin_prefetch(&files[objs[k + 3]].obj);
	if (k + 2 < end)
		__builtin_prefetch(&files[objs[k + 2]].obj->content);
	if (k + 1 >= end)
		return;
	const char *rows = (const char *)content_of(files[objs[k + 1]].obj);
	const char *defs = (const char *)defs_of(files[objs[k + 1]].obj);
	for (int i = 0; i < 4; i++) {
		__builtin_prefetch(rows + 64 * i);
		if (defs)
			__builtin_prefetch(defs + 64 * i);
	}
}

/* The object's, made if it is not there. NULL without memory. Thread-safe. */
const struct defs *defs_get(const struct layout *l, uint32_t file);

#endif
