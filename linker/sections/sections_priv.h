/* sections_priv.h - what the passes of this stage share and later stages do not see. */
#ifndef LINKFS_SECTIONS_PRIV_H
#define LINKFS_SECTIONS_PRIV_H

#include <pthread.h>

#include "sections.h"

#define OUTSEC_MAX 16384 /* names of output sections; found by a linear search, which dozens make cheap */

struct sections_private {
	pthread_mutex_t lock; /* of adding output sections and merge sets */
};

/* gABI ch. 5: the hash of .hash and of version names. */
uint32_t sysv_hash(const char *str);

#endif
