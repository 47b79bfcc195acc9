/* scanned.h - what scanning one object found, kept with it: the next link scans again only what looks different by then.
 *
 * A product of the object's bytes and of what scanning asks about its surroundings: the facts of the names it mentions,
 * the states of its sections, and how the output is made. Digests of these are its key, so a kept product is what
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

/* Of one object: (symbol index, NEED bits), (name, NEED bits), (section index, relocation, name), (section index,
 * relocation), (section index, count). Each kind is in order of its first two. */
struct scanned_row {
	uint32_t a, b, c;
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

struct scanned_digest {
	uint64_t low, high;
};
/* What scanning an object asks about its surroundings. */
struct scanned_key {
	struct scanned_digest facts, states, names;
};

struct scanned {
	struct object_product older; /* of the same object */
	struct scanned_key key;
	_Atomic uint64_t serial; /* key.names is right for the scanned_names with this number; 0: for none known */
	struct scanned_head head;
	uint32_t cnt[SCANNED_CNT];
	struct scanned_row rows[]; /* those of the first kind, then of the second ... */
};

/* What scanning asks of each name, as the last link had it. A memo: most links find all names as they were, compare them
 * with this one by one, and need not look at each object's. Grows with the process's names, two bytes for each. */
struct scanned_names {
	uint64_t serial;       /* another one whenever a name became different; those that are new had no object before */
	uint32_t cnt;
	uint16_t facts[];      /* by name_id */
};
/* Makes *MEMO what the link's names are. *MEMO is malloc-ed, starts as NULL, and belongs to one table of names. -ENOMEM leaves
 * it as it was. */
int scanned_names_update(const struct sections *s, struct scanned_names **memo);

/* What is the same for all objects of a link. */
struct scan_around {
	struct scanned_digest facts;
	const struct scanned_names *names;
	uint64_t serial;       /* that of NAMES, 0: they will not be remembered */
};
struct scanned_digest scanned_facts(const struct scan_facts *facts);
/* What FILE's object has for a link with AROUND; NULL: nothing, then it may be kept under *RET_KEY. */
const struct scanned *scanned_find(const struct sections *s, const struct scan_around *around, uint32_t file,
				   struct scanned_key *ret_key);
/* What was found, as one product. The lists are sorted for it, and equal rows of globals and locals joined. NULL
 * without memory. */
struct scanned *scanned_make(const struct scanned_head *head, struct list lists[SCANNED_CNT]);
/* Keeps X under KEY, whose names have SERIAL; what it replaces goes on *RETIRED. Thread-safe but for that. */
void scanned_keep(struct object *o, const struct scanned_key *key, uint64_t serial, struct scanned *x,
		  struct object_product **retired);

#endif
