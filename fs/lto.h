/* lto.h - link-time optimisation in ld.linkfs: has intermediate code compiled, once for whoever then makes the link.
 *
 * File mode and mount mode ask the same, with the same command line: what comes of it is a plan, words that go with the
 * request of the link (linkfs_ir.h). Between lto_compile and lto_done there are temporary files, which the link reads.
 * One per process; errors are printed.
 */
#ifndef FS_LTO_H
#define FS_LTO_H

#include <stdbool.h>

struct lto {
	int word_cnt;
	char **words; /* of the plan; NULL: nothing was compiled yet */
	struct plugins *plugins; /* private */
	bool wants_refusal; /* by the caller */
	char *refusal;	    /* < of -ENOTSUP: what would have been printed; to be freed */
};

/* 0: *LTO has a plan for the link of ARGV; it had one already, or the compiler was run. -EINVAL: that failed, and why was
 * printed. -ENOTSUP, where it is wanted: this linker can't do it, another may. */
int lto_compile(struct lto *lto, int argc, const char *const *argv);
/* The link has opened its inputs: the temporary files go. */
void lto_done(struct lto *lto);

#endif
