/* users.h - who uses a mount, found without touching it.
 */
#ifndef FS_USERS_H
#define FS_USERS_H

#include "mountinfo.h"

/* Calls SHOW once per process that has something open, mapped, or as its directory there: its id, its name, and one
 * example. What other users' processes do can't be seen without privilege. Returns how many. */
int users_list(const char *mountpoint, const struct mount_entry *at,
	       void (*show)(int pid, const char *name, const char *what));

#endif
