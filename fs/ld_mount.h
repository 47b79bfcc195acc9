/* ld_mount.h - ld.linkfs in mount and auto mode: has the mount make the link, and puts it in place.
 */
#ifndef FS_LD_MOUNT_H
#define FS_LD_MOUNT_H

#include <stdbool.h>

#include "enabled.h"
#include "lto.h"

enum { LD_FILE = -1, LD_REFUSED = -2 };

struct ld_asked {
	bool must;		       /* mount mode, where auto would fall back to a file */
	const struct enabled *enabled; /* only what lies below one of these; NULL: every output */
	struct lto *lto;	       /* for the intermediate code of a link; a file can be made with the same plan */
	const char *why_file;	       /* < of LD_FILE: where ld_mount has not told it; static text */
	char *refusal;		       /* < of LD_REFUSED: what would have been printed, the caller frees */
	bool wants_refusal;
};

/* ARGV is the whole command line. The exit status, with everything printed; LD_FILE: make a file instead, why was told
 * where it is looked for; LD_REFUSED, where it is wanted: this linker can't make it, nothing is printed. */
int ld_mount(int argc, char **argv, struct ld_asked *asked);

/* Tells the mount, if there is one, why OUTPUT was not made on it. */
void ld_mount_note(const char *output, const char *why);

#endif
