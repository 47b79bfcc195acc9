/* scanned.h - what scanning one object found, kept with it: the next link scans again only what looks different by then.
 *
 * A product of the object's bytes and of what scanning asks about its surroundings: the facts of the names it mentions,
 * the states of its sections, and how the output is made. A digest of these is its key, so a kept product is what
 * scanning would find, whatever was linked meanwhile. Objects with something to report are scanned each time.
 */
#ifndef LINKFS_SCANNED_H
#define LINKFS_SCANNED_H

#include "sections.h"

/* A growing array. */
struct list {
	void *data;
	size_t cnt, cap;
};

/* Room for one more element of ELEM bytes; NULL without memory, and *no_memory is set. */
void *list_push(struct list *l, size_t elem, bool *no_memory);

/* Of one object. Pairs: (symbol index, NEED bits), (name, NEED bits), (section index, relocation), (section index, count). */
struct pair {
	uint32_t a, b;
};
enum { SCANNED_LOCALS, SCANNED_GLOBALS, SCANNED_DYNRELS, SCANNED_SUSPECTS, SCANNED_RELATIVES, SCANNED_CNT };

/* The facts about a link in a few words; all of it counts. Zeroed before it is filled in. */
struct scan_facts {
	const struct arch *arch;
	name_id tls_get_addr;
	bool is_pic, is_shared, is_dynamic, small_image, low_image, z_notext, has_frames;
	uint8_t discard;
};

struct scanned_head {
	struct addend_range addends;
	uint64_t total;        /* relocations of live sections */
	struct local_count locals;
	bool got_base, static_tls, textrel, tlsld;
};

struct scanned {
	struct object_product older; /* of the same object */
	uint64_t key[2];
	struct scanned *retired; /* the list it is on when it is replaced */
	struct scanned_head head;
	uint32_t cnt[SCANNED_CNT];
	struct pair rows[];    /* those of the first kind, then of the second ... */
};

/* The key of FILE for a link with FACTS. */
void scanned_key(const struct sections *s, const struct scan_facts *facts, uint32_t file, uint64_t key[2]);
/* The object's with that KEY, NULL: none. */
const struct scanned *scanned_find(const struct object *o, const uint64_t key[2]);
/* Keeps what was found. Equal rows of globals and locals are joined (the lists are sorted for that). What it replaces stays
 * readable until scanned_retire is called with *RETIRED: others may use it. Thread-safe. Without memory nothing is kept. */
void scanned_keep(struct object *o, const uint64_t key[2], const struct scanned_head *head,
		  struct list lists[SCANNED_CNT], struct scanned **retired);
void scanned_retire(struct scanned *retired);

#endif
