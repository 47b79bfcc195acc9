/* layout_priv.h - the passes of this stage. */
#ifndef LINKFS_LAYOUT_PRIV_H
#define LINKFS_LAYOUT_PRIV_H

#include "layout.h"

int members_collect(struct layout *l);  /* members.c */
int order_sections(struct layout *l);   /* order.c */
int address_assign(struct layout *l);   /* address.c */
int values_compute(struct layout *l);   /* values.c */
int plain_mark(struct layout *l);        /* plain.c */
int reldyn_collect(struct layout *l);    /* reldyn.c */
int symcount_measure(struct layout *l); /* symcount.c */

/* ---- chunks.c, in this order ---- */

/* Numbers the live sections, and says how many chunks each output section has: added to chunk_cnt. */
int chunks_count(struct layout *l);
/* After order_sections: lists them behind the chunks each has (chunk_cnt), places those that are not by_chunk within their
 * run, and notes which have RELATIVE relocations and FDEs. */
int chunks_list(struct layout *l);
/* Frees what counting found kept and outdated; nothing is listed any more. Also after errors, and where nothing was counted. */
void chunks_done(struct layout *l);
/* Places the listed chunks of O, which is not by_chunk, from *AT on; *AT: their end. */
int chunks_join(struct layout *l, struct out *o, uint64_t *at);
/* Once the order of all chunks is final: how many relocations and FDEs come before each. */
void chunks_number(struct layout *l);
/* Is every row of .eh_frame_hdr certain to be in range? Needs addresses. */
bool chunks_frames_fit(const struct layout *l);
/* Offsets become addresses: those that several slabs ask for, then slab by slab. *RET_FIRST to *RET_END: its objects, by
 * position in st->objs. Slabs in parallel. */
void chunks_settle_shared(struct layout *l);
uint32_t chunks_slabs(const struct layout *l);
void chunks_settle(struct layout *l, uint32_t slab, uint32_t *ret_first, uint32_t *ret_end);

/* ---- members.c, for chunks.c ---- */

/* Sections of one rank are listed together; the last of these stands for all higher ones, which only sections with an order of
 * their own have. */
#define RANKS 8u
static inline outsec_rank rank_listed(outsec_rank rank)
{
	return rank < RANKS ? rank : RANKS - 1;
}

#define CHUNK_P2ALIGN_MAX 40
#define CHUNK_SZ_MAX (UINT64_MAX / 4)

/* Size and alignment of a live section in one word, which stands in its slot until it is placed; no section has 2^58 bytes
 * (input/object.c). */
static inline uint64_t chunk_pack(uint64_t sz, uint8_t p2align)
{
	return sz << 6 | p2align;
}

/* Places chunks [BEGIN, END) of O one by one from *AT on; *AT: their end. 0 or -errno, reported. */
int members_place(struct layout *l, struct out *o, uint32_t begin, uint32_t end, uint64_t *at);
/* Numbers the live sections: layout->live, and room for their addresses; NULL without memory. */
void members_number_live(struct layout *l);
/* Reports it; -EFBIG. */
int members_too_large(struct layout *l, const struct out *o);

#endif
