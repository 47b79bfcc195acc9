/* guard.h - the ranges whose SIGBUS mapper_guard turns into -ESTALE. Only mapper.c and guard.c use it. */
#ifndef LINKFS_GUARD_H
#define LINKFS_GUARD_H

#include <stddef.h>

struct guard_range;

/* Installs the handler, once per process. 0 or -errno. */
int guard_init(void);
/* From now on a SIGBUS in [addr, addr+sz) is an input's. Thread-safe. 0 or -ENOMEM. */
int guard_add(const void *addr, size_t sz, struct guard_range **ret_range);
/* Before the range is unmapped. */
void guard_remove(struct guard_range *range);

#endif
