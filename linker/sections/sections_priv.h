/* sections_priv.h - what the passes of this stage share and later stages do not see. */
#ifndef LINKFS_SECTIONS_PRIV_H
#define LINKFS_SECTIONS_PRIV_H

#include <pthread.h>

#include "sections.h"

#define OUTSEC_MAX 16384 /* names of output sections; found by a linear search, which dozens make cheap */

struct sections_private {
	pthread_mutex_t lock; /* of adding output sections */
	name_id *asked;       /* names with NEED bits or SYM_EXPORT, ascending; from slots_assign on, malloc-ed */
	uint32_t asked_cnt;
};

/* gABI ch. 5: the hash of .hash and of version names. */
uint32_t sysv_hash(const char *str);

#endif
