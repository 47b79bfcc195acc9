/* place.h - putting a finished file in the place of another, so that nobody sees less than one of them.
 *
 * The new file has no name until it is whole (where the file system can do that), so that whatever ends the process
 * leaves nothing behind.
 */
#ifndef FS_PLACE_H
#define FS_PLACE_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define PLACE_PREFIX ".linkfs-" /* of temporary names */

struct placing {
	int dir_fd; /* the caller's */
	int fd;	    /* the new file; -1: none */
	char tmp[48]; /* its name beside the target; "": none yet */
};

/* A new file in DIR_FD, or a name for a symbolic link. 0 or -errno. */
int placing_begin(struct placing *p, int dir_fd);
/* Copies [OFF, OFF + SZ) of SRC_FD to the same place of the new file */
int placing_copy(struct placing *p, int src_fd, uint64_t off, uint64_t sz);
/* The new file takes NAME's place, whatever stands there. */
int placing_end(struct placing *p, const char *name, mode_t mode, struct timespec mtime);
/* The same, but only if NAME is a symbolic link to TARGET: -ESTALE if it is something else, which is then untouched. */
int placing_end_over_link(struct placing *p, const char *name, const char *target, mode_t mode, struct timespec mtime);
/* Gives up what was begun, or closes what was ended. */
void placing_done(struct placing *p);

/* What the symbolic link NAME in DIR_FD says, terminated, in RET (PATH_MAX bytes): 0 or -errno (-EINVAL: it is none). */
int place_read_link(int dir_fd, const char *name, char *ret);
/* Is NAME a symbolic link to TARGET? 1, 0, or -errno: that can't be known now. */
int place_shows(int dir_fd, const char *name, const char *target);

/* A symbolic link to TARGET beside NAME; RET_TMP (48 bytes) is what it is called, *RET_TIME its time. */
int place_link_beside(int dir_fd, const char *target, char *ret_tmp, struct timespec *ret_time);

#endif
