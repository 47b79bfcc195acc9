/* ld_mount.h - ld.linkfs in mount and auto mode: has the mount make the link, and puts it in place.
 */
#ifndef FS_LD_MOUNT_H
#define FS_LD_MOUNT_H

#include <stdbool.h>

#include "lto.h"

/* ARGV is the whole command line. MUST: mount mode, where auto would fall back to a file. The exit status, with
 * everything printed; -1: make a file instead, why was told where it is looked for. LTO: intermediate code is compiled here, where a
 * link needs that; a file can be made with the same plan. */
int ld_mount(int argc, char **argv, bool must, struct lto *lto);

#endif
