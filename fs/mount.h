/* mount.h - the mount process: set up, serve, tear down.
 */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

struct mount_request {
	const char *mountpoint; /* absolute, as the kernel shows it */
	const char *cache_dir;	/* made when missing */
	uint64_t cache_limit;
	unsigned threads; /* 0: one per CPU */
	bool allow_other;
	bool is_foreground;
	int64_t settle_ms; /* negative: never */
	int64_t link_timeout_ms, fill_timeout_ms; /* 0: the defaults */
	int64_t watches; /* at most; negative: the default */
};

/* Serves until the mount ends. READY_FD (taken; -1: none) gets "ok" once the mount answers, or a line of text why it
 * never will; the same line goes into ERR when the result is not 0. 0 or -errno. */
int mount_serve(const struct mount_request *rq, int ready_fd, char *err, unsigned err_sz);

#endif
