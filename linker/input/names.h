/* names.h - symbol names as 32-bit ids, shared by all links of the process.
 *
 * An id is dense (0 is no name) but its number depends on history: it may index tables, never decide an order that shows
 * in an output (P1). Their bytes are copied: an input may change under a link, which is then made again, but its names
 * stay known to all links that come. A name is never forgotten.
 *
 * Threads: names_intern may run from many threads after names_reserve made room, and others may read names meanwhile;
 * names_reserve runs alone.
 */
#ifndef LINKFS_NAMES_H
#define LINKFS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint32_t name_id;

struct names;

struct name {
	const char *str; /* LEN bytes, not NUL-terminated in general */
	uint32_t len;
	uint32_t hash;   /* low half of XXH3, whatever it is good for */
};

int names_new(struct names **ret_names);
struct names *names_free(struct names *n);
/* Room for MORE names that may be new. -ENOMEM, or -EOVERFLOW at 2^32. */
int names_reserve(struct names *n, size_t more);
/* The id of the LEN bytes at STR. Needs the room reserved before, each call uses up at most one; 0 where there is none
 * left, or no memory for the bytes. The empty name is 0. */
name_id names_intern(struct names *n, const char *str, size_t len);
/* names_intern for CNT names at once, several times faster where the table does not fit the caches. */
struct name_ref {
	const char *str;
	size_t len;
};
void names_intern_many(struct names *n, const struct name_ref *refs, size_t cnt, name_id *ret_ids);
/* Like intern, but room is made: for few names, from one thread at a time. 0 without memory. */
name_id names_intern_one(struct names *n, const char *str, size_t len);
/* 0 where the name was never seen. */
name_id names_find(const struct names *n, const char *str, size_t len);
/* One past the highest id. */
uint32_t names_cnt(const struct names *n);
const struct name *names_get(const struct names *n, name_id id);
/* Orders two names by their bytes, shorter first where one begins the other: an order that shows in outputs. */
int names_compare(const struct names *n, name_id a, name_id b);

/* How much of a symbol's text is its name: "f@@V" defines f, and V its version. *ret_has_version becomes true where there
 * is one, f@V included; else it stays. */
static inline size_t name_defined_len(const char *str, size_t len, bool *ret_has_version)
{
	const char *at = memchr(str, '@', len);
	*ret_has_version |= at != NULL;
	return at && at != str && (size_t)(at - str) + 1 < len && at[1] == '@' ? (size_t)(at - str) : len;
}

#endif
