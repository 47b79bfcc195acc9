/* shelf.h - arenas between two links: what one link gives back the next one writes again, without faulting pages in.
 *
 * A relink needs as much memory as the link before it, for the same things; a fault costs some microseconds a page, clearing a
 * page that is there a tenth of that. What waits here is resident, so it is bounded (P7): one arena for each purpose, as links
 * are made one at a time, and some bytes in all; what is more goes back to the system at once. Nobody can tell an arena from
 * the shelf from a new one but by its statistics.
 *
 * A shelf of NULL keeps nothing: taking makes a new arena, giving frees it.
 * Threads: thread-safe. Errors: -errno.
 */
#ifndef LINKFS_SHELF_H
#define LINKFS_SHELF_H

#include <stdint.h>

struct arena;
struct shelf;

enum {
	SHELF_MAX_CNT = 4, /* purposes; a link has three */
};
/* A program of 165 MB takes 14 MB. Beside links so large that theirs do not fit, what is spared here is little. */
#define SHELF_MAX_BYTES ((uint64_t)32 << 20)

/* An empty one. -ENOMEM. */
int shelf_new(struct shelf **ret_shelf);
/* Frees what is on it. Takes NULL, returns NULL. */
struct shelf *shelf_free(struct shelf *s);

/* An arena with nothing handed out, the caller's. PURPOSE says what for, and shows in /proc/PID/maps; constant text: it is the
 * pointer that is compared, and what was given back for the same purpose has about the right size. */
int shelf_take(struct shelf *s, const char *purpose, struct arena **ret_arena);
/* Takes A, which was taken for PURPOSE; all it handed out becomes invalid. A may be NULL. Returns NULL. */
struct arena *shelf_give(struct shelf *s, const char *purpose, struct arena *a);

#endif
