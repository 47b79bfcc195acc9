/* archive.h - ar archives: System V/GNU with /, //, /SYM64/; BSD #1/ names; thin and nested thin; empty; without index.
 *
 * A product of its file, link-independent and frozen. Members are slices of the archive's mapping, or for thin archives
 * file names relative to the archive's folder. The index maps names to members; an archive without one says so, and
 * whoever links scans the members' symbol tables (as lld does).
 * Source of the format: ar(5), the System V ABI's "archive file" chapter, GNU binutils' documentation of thin archives.
 */
#ifndef LINKFS_ARCHIVE_H
#define LINKFS_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "diag.h"
#include "mapper.h"
#include "names.h"

struct archive_member {
	const char *name;   /* NUL-terminated, in the archive's own memory */
	uint64_t off, sz;   /* bytes of the member in the archive's file; thin: off is 0 */
	uint64_t header_off; /* of its header: what the index refers to */
	/* Thin archives only: NAME is an archive itself, and the member is the one of it whose header_off this is (an
	 * archive added to a thin archive). 0: NAME is the member. */
	uint64_t nested_off;
	/* There is an index, but not of it: it was made without the compiler's plugin, and this is intermediate code. Its
	 * symbols are known when it is parsed. */
	bool is_unindexed_ir;
};

struct archive_sym {
	name_id name;
	uint32_t member;    /* index */
};

struct archive {
	struct infile *file;    /* not counted: the product lives with the file */
	bool is_thin, has_index;
	uint32_t member_cnt;
	struct archive_member *members; /* without the special ones (/, //, /SYM64/, __.SYMDEF) */
	uint32_t sym_cnt;
	struct archive_sym *syms;   /* in the index's order */
	uint64_t digest[2];     /* of SYMS; among files of the same NAMES */
};

/* Is it an archive by its first 8 bytes? */
bool archive_is(const uint8_t *data, uint64_t sz);
/* Parses F, interning the index's names into NAMES (room is reserved inside). Every offset is checked. Errors go to D
 * with place PLACE: "F->path: ..." and the file offset. */
int archive_parse(struct infile *f, struct names *names, struct diag *d, uint64_t place, struct archive **ret_archive);
void archive_digest(struct archive *a); /* archive_parse's last step: index_digest.c */
void archive_free(void *archive); /* the product_free of its file; takes NULL */

#endif
