/* provided.h - the definitions of an object that the output has: how many symbols they are, and which; kept with the object.
 *
 * Who provides a name and whether it is local are answers of the symbols stage; where two links share these (symtab->serial),
 * the rest is the object's bytes, its place among the files, and the states of its sections, which are compared. So what is
 * kept is what looking at each name would find: names lie all over large tables, a list does not.
 */
#ifndef LINKFS_PROVIDED_H
#define LINKFS_PROVIDED_H

#include "layout.h"

struct defs; /* defs.h */

struct provided {
	struct object_product product; /* the object keeps one */
	uint64_t serial;       /* key: of the names, */
	uint32_t file;         /* the file, */
	bool with_frames;      /* whether .eh_frame is there, */
	uint32_t sec_cnt;
	const uint8_t *states; /* and the sections' states */
	struct local_count locals, globals; /* without symbols that are local in the object */
	uint32_t cnt;
	uint32_t rows[];       /* of defs: those provided whose names have SYM_DEF, ascending. Behind them the states */
};

/* What FILE, whose definitions are D, provides in L's link: what is kept, or what COUNT adds up, which gets all rows that are
 * provided, batch by batch. What it replaces goes on *RETIRED. NULL: nothing can be kept, or no memory. Thread-safe, but for
 * *RETIRED. */
struct provided_count {
	struct local_count locals, globals;
};
typedef void (*provided_counter)(const struct layout *l, uint32_t file, const struct defs *d, const uint32_t *rows,
				 uint32_t cnt, struct provided_count *at);
const struct provided *provided_get(const struct layout *l, uint32_t file, const struct defs *d, provided_counter count,
				    struct object_product **retired);

#endif
