/* content.h - the sections of an object that an output can have, as dense rows: what the passes of every link walk.
 *
 * Half of an object's section headers are tables of relocations and groups, and each is read in several passes; a row has
 * what these ask. Which output section a section's name means is decided here, once: sections of equal name and kind are a
 * class. A product of the object's bytes alone, made when first asked for and kept with the object.
 */
#ifndef LINKFS_CONTENT_H
#define LINKFS_CONTENT_H

#include "object.h"

/* How sections of one output section follow each other, before their position: .text.hot, .init_array.N. */
typedef uint16_t outsec_rank;

struct content_class {
	const char *out;       /* name of the output section; lives as long as the object */
	uint32_t hash;         /* of that name, by outsec_hash */
	uint32_t flags, type;  /* SHF_, SHT_ */
	bool is_debug;         /* dropped by -S */
};

struct content_row {
	uint32_t sec;          /* section index */
	uint32_t rel_cnt;
	uint64_t sz;
	uint32_t class;
	outsec_rank rank;
	uint8_t p2align;
	uint8_t kind;          /* enum isec_kind */
};

struct content {
	struct object_product product; /* the object keeps one */
	uint32_t cnt, class_cnt;
	uint32_t first_eh;     /* the first row that is an ISEC_EH_FRAME; cnt: none */
	struct content_class *classes; /* behind the rows */
	struct content_row rows[]; /* by ascending section */
};

/* For comparing names of output sections by more than their text. */
uint32_t outsec_hash(const char *name);

/* The object's; made by outsec_assign for every object of the link, NULL before. */
static inline const struct content *content_of(const struct object *o)
{
	return (const struct content *)(const void *)atomic_load_explicit(&o->content, memory_order_acquire);
}

/* The same, made if it is not there. NULL without memory. Thread-safe. */
const struct content *content_get(struct object *o);

#endif
