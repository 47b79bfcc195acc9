/* layout_priv.h - the passes of this stage. */
#ifndef LINKFS_LAYOUT_PRIV_H
#define LINKFS_LAYOUT_PRIV_H

#include "layout.h"

int members_collect(struct layout *l);  /* members.c */
void order_sections(struct layout *l);  /* order.c */
int address_assign(struct layout *l);   /* address.c */
int values_compute(struct layout *l);   /* values.c */
int plain_mark(struct layout *l);        /* plain.c */
int reldyn_collect(struct layout *l);    /* reldyn.c */
int symcount_measure(struct layout *l); /* symcount.c */

#endif
