/* laid.h - the chunks of an object by output section and rank, and where each starts among them: what listing them finds
 * (chunks.c), kept with the object.
 *
 * A function of the object's bytes and of the states of its sections: it says nothing of what lies before the object in an
 * output section, nor of its number. Kept in a process that links again, under all the states byte by byte, so what is kept
 * is what listing would find. Objects whose merged sections lead a set are not laid: where the set stands is up to the link.
 */
#ifndef LINKFS_LAID_H
#define LINKFS_LAID_H

#include "layout.h"

struct laid_chunk {
	uint32_t sec;          /* section index */
	uint32_t row;          /* of sections/content.h */
	uint64_t off;          /* from the first of the strictest alignment on; 0 before it */
};

/* A chunk with FDEs, and how many the chunks before it have. */
struct laid_frames {
	uint32_t at;           /* of the bin's chunks */
	uint32_t before;
};

/* A chunk with RELATIVE relocations. */
struct laid_relative {
	uint32_t at;           /* of the bin's chunks */
	uint32_t blank;        /* all its relocations, if they are of words and its bytes are zero; 0: not so, or not known */
};

/* What an object adds to an output section at a rank; the section is that of its first chunk. */
struct laid_bin {
	outsec_rank rank;      /* rank_listed */
	uint8_t p2align;       /* the strictest */
	uint32_t first, cnt;   /* of the chunks, by ascending section */
	uint32_t head;         /* so many come before the first of the strictest alignment */
	uint32_t framed_first, framed; /* of the frames */
	uint32_t relative_first, relative; /* of the relatives */
	uint32_t fdes;
	uint64_t sz;           /* bytes from that one on */
};

struct laid {
	struct object_product product; /* the object keeps one */
	uint32_t sec_cnt, frames_sec; /* key, with the states; */
	uint32_t merged_cnt;   /* and how many sections are merged: none with -O0, else the states tell */
	const uint8_t *states;
	uint32_t bin_cnt;
	const struct laid_bin *bins;
	const struct laid_chunk *chunks;
	const struct laid_frames *frames;
	const struct laid_relative *relatives;
};

/* FILE's object as it is in L's link, made where something else is kept, which goes on *RETIRED. NULL: it has to be walked.
 * Thread-safe, but for *RETIRED. */
const struct laid *laid_get(const struct layout *l, uint32_t file, struct object_product **retired);

#endif
