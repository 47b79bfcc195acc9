/* image.h - a finished link and the process's linker, as linkfs.h's functions see them. For this folder's files only. */
#ifndef LINKFS_IMAGE_H
#define LINKFS_IMAGE_H

#include <pthread.h>
#include <stdatomic.h>

#include "kept.h"
#include "linkfs.h"
#include "render.h"
#include "shelf.h"

struct linkfs_linker {
	struct mapper *mapper;
	struct names *names;
	struct names *strings; /* pieces of merged sections */
	struct scanned_names *scanned_names; /* by lock */
	struct merge_table *merge_table;     /* likewise */
	struct pool *pool;
	struct shelf *shelf; /* arenas for the next link; NULL: one link is all there will be */
	pthread_mutex_t lock; /* links are made one at a time */
	atomic_uint_fast64_t parsed_objects, scanned_objects;
	struct kept *kept; /* products of the symbols stage; NULL: one link is all there will be */
	_Atomic(const char *) pass; /* of the link being made; NULL: none is */
};

/* Time of each pass, in order. */
#define TIMER_MAX 40
struct timers {
	unsigned cnt;
	struct {
		const char *name;
		double ms;
	} rows[TIMER_MAX];
};
double timer_now_ms(void);
void timer_add(struct timers *t, const char *name, double since_ms);

struct linkfs_image {
	struct linkfs_linker *linker;
	struct options *opt;
	struct inputs *in;
	struct symtab *st;
	struct sections *s;
	struct layout *l;
	struct linkfs_verdict verdict;
	atomic_uint refs;
	atomic_uint_fast64_t relocs_applied, filled_bytes;
	uint64_t input_bytes, eager_bytes;
	double link_ms;
	struct timers timers;
	bool is_writing;   /* whole-file writers check inputs once, not around each range */
};

/* link.c, for ir.c: the opener where a request has none (CTX: its cwd_fd), and the options of a request, its response files
 * read through OPENER. */
int link_open_plain(void *ctx, const char *path);
int link_read_options(const struct linkfs_request *rq, const struct linkfs_opener *opener, struct diag *d,
		      struct options **ret_options, char **ret_text);

/* trim.c: drops what fills do not read. After it nothing of the link changes but counters. */
int image_trim(struct linkfs_image *img);

/* Are all inputs still what was linked? 0 or -ESTALE with one line of text. */
int image_check_inputs(const struct linkfs_image *img, char *why, size_t why_sz);

#endif
