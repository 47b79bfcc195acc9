/* mapper.h - one read-only mapping per input file, shared by all links (SEEDS.md R1-R6, B1-B5).
 *
 * A file is known by its identity (dev, ino, size, mtime, ctime); archive members are slices of their archive's mapping.
 * Small files (under a threshold) are read into memory instead; so is a file when the budget of mappings is used up.
 * The descriptor stays open as long as the file is held, so that its inode cannot go away.
 */
#ifndef LINKFS_MAPPER_H
#define LINKFS_MAPPER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct mapper;
struct os;

/* One version of one file. Frozen once handed out, but for `product`. */
struct infile {
	const uint8_t *data;   /* SZ bytes, PROT_READ; NULL when SZ is 0 */
	uint64_t sz;           /* bytes */
	int fd;                /* read-only, owned */
	bool is_mapped;        /* else heap */
	struct stat st;        /* identity */
	char *path;            /* as first opened; for messages only */
	atomic_uint refs;
	/* Somebody sees to it that the bytes stay what they were: nobody need look again. Set once, by whoever knows. */
	atomic_bool is_kept;
	/* What was parsed from it (an object, archive or shared library), by whoever parses first, dropped with the file.
	 * Guarded by the mapper's user: links are made one at a time. */
	void *product;
	void (*product_free)(void *product);
	void *link; /* mapper's own list */
};

struct mapper_config {
	uint64_t heap_threshold; /* bytes; files smaller are read, not mapped; 0: 16 KiB */
	uint64_t budget;         /* mappings; 0: half of vm.max_map_count, 30000 where that cannot be read */
	uint64_t idle_max;       /* how many files without references a trim leaves; 0: 256 */
	struct os *os;           /* NULL: os_default() */
};

struct mapper_stats {
	uint64_t files, bytes, mappings, fallbacks; /* held now; fallbacks since start */
};

int mapper_new(const struct mapper_config *cfg, struct mapper **ret_mapper);
struct mapper *mapper_free(struct mapper *m);

/* Takes over FD (closed on failure and when the same version is already held). A directory is -EISDIR, a pipe or device
 * is read to its end into memory (1 GiB at most, else -EFBIG) and never shared. -ESTALE: the file shrank meanwhile.
 * *ret_file holds one reference. Thread-safe. */
int mapper_add(struct mapper *m, int fd, const char *path, struct infile **ret_file);
/* The same for a file whose identity is known: ST is believed, not fstat, whose size alone must agree (-ESTALE). IS_KEPT:
 * as after mapper_replace; then only a file already kept is taken for the same version. */
int mapper_add_as(struct mapper *m, int fd, const struct stat *st, bool is_kept, const char *path,
		  struct infile **ret_file);
/* The file with ST's identity, with one reference more; NULL: none is held. Thread-safe. */
struct infile *mapper_find(struct mapper *m, const struct stat *st);
/* The bytes of the file that has ST's identity come from FD now, a copy of the same size; it is put in place of the mapping, at
 * the same address and without a moment's gap, and of the descriptor; so the file is kept. FD stays the caller's. 0, also when
 * no such file is held, or -errno: then it may still be in use as it was. Thread-safe, while others read the mapping. */
int mapper_replace(struct mapper *m, const struct stat *st, int fd);
/* The files held that have a product, in no order, as a malloc-ed list; they stay until the next trim. 0 or -ENOMEM. */
int mapper_products(struct mapper *m, struct infile ***ret_list, size_t *ret_cnt);
void infile_ref(struct infile *f);
/* The last unref does not unmap at once: zero-reference files wait in an LRU for the next link. */
void mapper_unref(struct mapper *m, struct infile *f);
/* Unmaps zero-reference files beyond KEEP_BYTES or the configured count, the longest unused first; before these, and in
 * any case, those nobody can find again: replaced by a newer version, deleted, changed. */
void mapper_trim(struct mapper *m, uint64_t keep_bytes);
void mapper_stats(const struct mapper *m, struct mapper_stats *ret_stats);

/* A slice, overflow-checked against the file's size: false where it does not lie in the file. */
static inline bool infile_has(const struct infile *f, uint64_t off, uint64_t sz)
{
	return off <= f->sz && sz <= f->sz - off;
}

/* Is the file still what it was when opened (kept, or else by fstat of the descriptor)? -ESTALE if its bytes may have
 * changed, 0 if only names or modes did (ctime alone: then *ret_rehash is true and the caller compares contents if it can). */
int infile_check(const struct infile *f, bool *ret_rehash);

/* Runs FN(ctx) behind a guard: a SIGBUS inside [f->data, +sz) of any of the process's infiles makes it return -ESTALE
 * instead. Per thread, nestable; handlers are installed once by mapper_new. FN must not take locks. */
int mapper_guard(int (*fn)(void *ctx), void *ctx);

#endif
