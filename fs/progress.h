/* progress.h - one line on the terminal about what takes long: after a second, until it is over, then it is gone.
 *
 * On standard error, and only where that is a terminal, neither TERM=dumb nor LINKFS_PROGRESS=0. A thread of its own draws
 * it, so that whoever works need not think of it.
 */
#ifndef FS_PROGRESS_H
#define FS_PROGRESS_H

#include <stddef.h>

struct progress;

/* What is being done, as text, in BUF. Called by the thread, now and then; it may block, even for ever: then it must use
 * nothing but CTX, which is never freed. */
typedef void progress_what_fn(void *ctx, char *buf, size_t sz);

/* NAME: what is made; copied; NULL: not known. CTX is free-d where there is no progress to be shown. NULL then. */
struct progress *progress_start(const char *name, progress_what_fn *what, void *ctx);
/* Erases the line; after this nothing is drawn. Takes NULL, returns NULL. */
struct progress *progress_stop(struct progress *p);

#endif
