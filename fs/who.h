/* who.h - who linked a file: what the linker left of its name in .comment, or gold in a note.
 *
 * Reads ELF files of either class and byte order, whatever is in them, with a few reads.
 */
#ifndef FS_WHO_H
#define FS_WHO_H

#include <stddef.h>

enum who_kind {
	WHO_NO_ELF,
	WHO_NOT_LINKED, /* a relocatable object, a core file */
	WHO_LINKED,	/* an executable or a shared object */
};

#define WHO_SZ 64

/* RET_LINKER: "linkfs 0.1.0", "LLD 14.0.6", "mold 1.10.1"...; "": none names itself (GNU ld does not; or it was stripped).
 * 0, or -errno: the file can't be read. */
int who_linked(int fd, enum who_kind *ret_kind, char ret_linker[WHO_SZ]);
/* Is that us? */
int who_is_linkfs(const char *linker);

#endif
