/* enabled.h - the directories below which ld.linkfs puts its outputs on a mount unasked (`linkfs enable`).
 *
 * Kept in ${XDG_CONFIG_HOME:-~/.config}/linkfs/enabled: a line per directory, which a tab and a mount point may follow.
 * Only a file that belongs to the user, and that nobody else may write, is believed.
 */
#ifndef FS_ENABLED_H
#define FS_ENABLED_H

#include <stdbool.h>
#include <stddef.h>

struct enabled_entry {
	char *dir;   /* absolute, without symbolic links */
	char *mount; /* NULL: the default one */
};

struct enabled {
	struct enabled_entry *entries; /* sorted by dir */
	size_t cnt;
};

/* 0 (also where there is no such file: nothing is enabled), or -errno with one line in WHY. */
int enabled_load(struct enabled *ret, char *why, size_t why_sz);
void enabled_done(struct enabled *e);
/* The innermost directory that PATH (absolute) lies in; NULL: none. */
const struct enabled_entry *enabled_find(const struct enabled *e, const char *path);
/* DIR is enabled (MOUNT: NULL, or where) or no longer, on disk: 1: done; 0: it was so already; -errno with WHY. */
int enabled_change(const char *dir, bool on, const char *mount, char *why, size_t why_sz);

#endif
