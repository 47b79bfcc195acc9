/* worker_own.h - outputs of the own mount as inputs of a link: without ever reading the mount.
 */
#ifndef FS_WORKER_OWN_H
#define FS_WORKER_OWN_H

#include <stddef.h>
#include <stdint.h>

struct linkfs_image;

/* What stands at a path below the mount point. One of the three. */
struct own {
	uint64_t gen; /* a generation's number of this load; 0: not that */
	uint64_t id;  /* and the one it always has */
	int fd;	      /* a private copy: the caller's; -1: not that */
	char *real;   /* another path: the caller frees */
};

/* Asks the mount process. Control thread, while it makes the link with this ID. 0, or -errno: there is nothing. */
int own_ask(uint64_t link_id, const char *rest, struct own *ret);

/* A file that stands for the output of IMG in a link against it. The descriptor or -errno. */
int own_face(struct linkfs_image *img);

#endif
