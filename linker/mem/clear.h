/* clear.h - zeros in anonymous memory that was used before, without making resident what is not. */
#ifndef LINKFS_CLEAR_H
#define LINKFS_CLEAR_H

#include <stddef.h>

struct os;

/* [P, P+SZ), private anonymous memory of the caller alone, reads as zeros then. In large ranges only pages that are there are
 * written: tables by name are large, and mostly never touched. Thread-safe; always succeeds. */
void mem_clear(struct os *os, void *p, size_t sz);
/* The opposite, for debugging: [P, P+SZ), no longer in use, reads as rubbish where pages are there. */
void mem_spoil(struct os *os, void *p, size_t sz);

#endif
