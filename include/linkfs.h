/* linkfs.h - the linker as a library: make a link, learn its size, fill any range of its bytes.
 *
 * Everything here is what ld.linkfs (file mode, in-process), the linker process of a mount, and the tests use; nothing
 * of linker/ is visible beyond it. Libraries return 0 or -errno and put the text into a diag sink; they never print,
 * exit or abort.
 *
 * Threads: one linker may serve several threads; making links is serialised inside, filling is not: linkfs_image_fill
 * is pure, allocation-free and may run from any number of threads at once, as long as the image is referenced.
 */
#ifndef LINKFS_H
#define LINKFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "diag.h"

#define LINKFS_VERSION "0.1.0"

/* Keeps inputs parsed: mapped files, parsed objects, interned names. One per process is the rule. */
struct linkfs_linker;
/* One finished link: frozen, immutable, its bytes a pure function of (file offset). Reference counted. */
struct linkfs_image;

struct linkfs_config {
	unsigned threads;      /* worker threads of one link; 0: one per online CPU */
	unsigned map_budget;   /* how many input mappings at most; 0: half of vm.max_map_count */
	bool one_link;         /* the process ends with the link: keep nothing for the next one that costs time to keep */
};

/* Where files come from. A link opens nothing behind this interface's back, so that the owner of a mount can answer
 * from descriptors it holds (replay after a crash) and learn every name that was probed, found or not (freshness).
 * open: a read-only descriptor, or -errno; PATH is absolute or relative to the request's cwd_fd. It may be called from one
 * thread at a time only. NULL: openat(cwd_fd, path, O_RDONLY | O_CLOEXEC). */
struct linkfs_opener {
	int (*open)(void *ctx, const char *path);
	void *ctx;
	/* What open gives stays the opener's, and open until the link is made: the linker duplicates what it keeps. Else it
	 * closes them. */
	bool lends;
	/* What to believe of FD, which open has just given, instead of fstat: its identity (a copy stands for the original,
	 * a file for what it was), and is_kept: it is a copy, as after
	 * linkfs_linker_keep. Not 0: nothing special. NULL: never. */
	int (*identity)(void *ctx, int fd, struct stat *ret_st, bool *ret_is_kept);
};

struct linkfs_request {
	int argc;                       /* as an ld command line, argv[0] being the program's name */
	const char *const *argv;
	int cwd_fd;                     /* relative names are looked up here; AT_FDCWD: the process's own */
	const struct linkfs_opener *opener; /* NULL: plain openat */
	int lto_cnt;                    /* words of a plan, if intermediate code was compiled: linkfs_ir.h */
	const char *const *lto;
	bool never_compiles;            /* nobody will: objects with machine code beside the intermediate are linked by that */
};

/* What a command line asks for, known without opening an input. The strings belong to who gave the struct. */
struct linkfs_verdict {
	const char *output;          /* -o, "a.out" by default */
	const char *map_file;        /* -Map, NULL: none; "-": standard output */
	const char *dependency_file; /* --dependency-file, NULL: none */
	bool is_executable;          /* an executable or shared object: what may live on a mount */
};

/* What a compiler's plugin is to know of the command line. */
enum linkfs_output { LINKFS_OUTPUT_RELOCATABLE, LINKFS_OUTPUT_EXEC, LINKFS_OUTPUT_SHARED, LINKFS_OUTPUT_PIE };
struct linkfs_plugin_args {
	const char *path;            /* -plugin, NULL: none was given */
	const char *const *opts;     /* -plugin-opt */
	size_t opt_cnt;
	const char *const *wraps;    /* --wrap */
	size_t wrap_cnt;
	enum linkfs_output output;
};

/* What linkfs_look found: the caller ends it with linkfs_look_done. */
struct linkfs_look {
	struct linkfs_verdict verdict;
	struct linkfs_plugin_args plugin;
	struct options *options; /* the strings' memory; private */
};

int linkfs_linker_new(const struct linkfs_config *cfg, struct linkfs_linker **ret_linker);
struct linkfs_linker *linkfs_linker_free(struct linkfs_linker *l); /* after the last image is gone */

/* Makes a link: reads headers, symbols and relocations; resolves, lays out, checks. Copies no section byte.
 * 0: *ret_image is new with one reference. -ECANCELED: the command line asked only for text (--help, --version, -v alone),
 * *ret_text (caller frees) is what goes to standard output. -ENOEXEC: an input is intermediate code that has to be compiled
 * first (linkfs_ir.h), which is the only error in D. Otherwise -errno, with at least one error in D; with -v and inputs
 * *ret_text is the version line and the link goes on. */
int linkfs_link(struct linkfs_linker *l, const struct linkfs_request *rq, struct diag *d, struct linkfs_image **ret_image,
		char **ret_text);

/* Reads the command line alone (and the response files it names). Results as linkfs_link's. */
int linkfs_look(const struct linkfs_request *rq, struct diag *d, struct linkfs_look *ret_look, char **ret_text);
void linkfs_look_done(struct linkfs_look *look);

struct linkfs_image *linkfs_image_ref(struct linkfs_image *img);
struct linkfs_image *linkfs_image_unref(struct linkfs_image *img); /* takes NULL, returns NULL */

/* The exact size in bytes of the output file: known before any byte is made. */
uint64_t linkfs_image_size(const struct linkfs_image *img);
const struct linkfs_verdict *linkfs_image_verdict(const struct linkfs_image *img);

/* Writes the bytes [off, off+sz) of the output file to DST (file offsets, bytes). Pure: any order, any thread, any cut.
 * Errors: -EINVAL beyond the size; -ESTALE an input changed since it was opened (dst is then undefined and must not be
 * shown); -EIO an error in a non-allocated section. WHY (may be NULL, else WHY_SZ bytes) gets one line of text then. */
int linkfs_image_fill(struct linkfs_image *img, uint64_t off, uint64_t sz, void *dst, char *why, size_t why_sz);
/* The same of CNT ranges, one behind the other in DST: cheaper than one by one. */
struct linkfs_range {
	uint64_t off, sz;
};
int linkfs_image_fill_ranges(struct linkfs_image *img, const struct linkfs_range *range, size_t cnt, void *dst, char *why,
			     size_t why_sz);

/* For a link against the output, a shared object: writes to FD, a file of the output's size without blocks, all that such
 * a link reads of it (headers, dynamic symbols and versions, the dynamic section); nothing else. 0 or -errno; WHY as
 * above. */
int linkfs_image_face(struct linkfs_image *img, int fd, char *why, size_t why_sz);

/* A good end for a fill that starts at off and should be about WANT bytes: rounded so that a section is not cut where
 * that is cheap. For whole-file writers. */
uint64_t linkfs_image_cut(const struct linkfs_image *img, uint64_t off, uint64_t want);

/* File mode: writes the whole output to PATH (below DIR_FD) in parallel: blocks allocated first, renamed over the
 * target, mode 0777 less umask; a device, a pipe or "-" (standard output) is written to, never replaced. On failure the
 * old file is untouched. */
int linkfs_image_write(struct linkfs_image *img, int dir_fd, const char *path, struct diag *d);
/* The same with the command line's own names: -o, and -Map where one was asked for ("-": standard output). */
int linkfs_image_write_outputs(struct linkfs_image *img, int dir_fd, struct diag *d);

/* The link map, as -Map writes it. The caller frees; NULL without memory. */
char *linkfs_image_map(struct linkfs_image *img, size_t *ret_sz);

/* The inputs as a rule for make, as --dependency-file writes it. The caller frees; NULL without memory. */
char *linkfs_image_dependencies(struct linkfs_image *img, size_t *ret_sz);

/* The inputs by their position on the command line, searched libraries resolved. I < count. */
struct linkfs_input {
	const char *path;      /* as opened */
	int fd;                /* owned by the image: dup it to keep it */
	struct stat st;        /* at the time it was opened: dev, ino, size, mtime and ctime are its identity */
};
size_t linkfs_image_input_count(const struct linkfs_image *img);
struct linkfs_input linkfs_image_input(const struct linkfs_image *img, size_t i);

struct linkfs_image_stats {
	uint64_t input_bytes;    /* bytes of the files used */
	uint64_t eager_bytes;    /* output bytes computed at link time */
	uint64_t relocs_total;   /* relocations of live sections: what a whole output applies */
	uint64_t relocs_applied; /* so far, by fills of this image (a range filled twice counts twice) */
	uint64_t filled_bytes;   /* so far */
	double link_ms;
	uint64_t code_off, code_sz; /* of the file, from the first to the last byte that is mapped executable; 0, 0: none is */
};
void linkfs_image_stats(const struct linkfs_image *img, struct linkfs_image_stats *ret_stats);

struct linkfs_linker_stats {
	uint64_t inputs, input_bytes, mappings; /* held now */
	uint64_t parsed_objects; /* since start: a relink that parses nothing leaves it unchanged */
	uint64_t scanned_objects; /* of which a link walked the relocations; else it took what a link before found */
	uint64_t resolutions;    /* links that resolved their symbols; the others took what a link before found */
};
void linkfs_linker_stats(const struct linkfs_linker *l, struct linkfs_linker_stats *ret_stats);

/* What the linker is at with the link being made, to be shown to people. Any thread may ask. */
enum linkfs_doing {
	LINKFS_DOING_NOTHING,
	LINKFS_DOING_INPUTS,
	LINKFS_DOING_SYMBOLS,
	LINKFS_DOING_SECTIONS,
	LINKFS_DOING_RELOCATIONS,
	LINKFS_DOING_LAYOUT,
	LINKFS_DOING_END,
};
enum linkfs_doing linkfs_linker_doing(const struct linkfs_linker *l);
static inline const char *linkfs_doing_text(uint64_t doing)
{
	static const char *const texts[LINKFS_DOING_END] = {
		[LINKFS_DOING_NOTHING] = "nothing",
		[LINKFS_DOING_INPUTS] = "reading inputs",
		[LINKFS_DOING_SYMBOLS] = "resolving symbols",
		[LINKFS_DOING_SECTIONS] = "choosing sections",
		[LINKFS_DOING_RELOCATIONS] = "scanning relocations",
		[LINKFS_DOING_LAYOUT] = "laying out",
	};
	return doing < LINKFS_DOING_END ? texts[doing] : "something";
}

/* Custody: the caller sees to it that the bytes of inputs stay what they are, and knows that they were so all along; fills no
 * longer look. Identities: dev, ino, size, mtime, ctime. Both are thread-safe, and may come under running fills.
 * linkfs_image_keep: those of IMG's inputs that are among LIST (CNT, sorted by it).
 * linkfs_linker_keep: the input with ST's identity, whoever uses it; its bytes come from FD now, a copy of the same size, which
 * takes the original's place at once; after this nothing reads that (FD stays the caller's). 0, also when no such input is
 * held; -errno: the original may still be read. */
void linkfs_image_keep(struct linkfs_image *img, struct stat *list, size_t cnt);
int linkfs_linker_keep(struct linkfs_linker *l, const struct stat *st, int fd);

/* Gives back inputs that no image uses and that are unlikely to be wanted again. Does nothing while a link is made, nor where
 * fills leave no gap; for a process that serves many links: after each link, and after the last unref of an image. */
void linkfs_linker_trim(struct linkfs_linker *l);

/* Timers per pass of the link that made the image and of its last write, as --linkfs-time prints them. Caller frees. */
char *linkfs_image_timers(const struct linkfs_image *img);
/* Did the command line ask for --linkfs-time? */
bool linkfs_image_wants_timers(const struct linkfs_image *img);

/* Splits the text of a response file or a recipe (GNU @file rules: white space separates, quotes and backslash protect)
 * into arguments. *ret_argv is one allocation, NULL-terminated; the caller frees it. -EINVAL: an open quote. */
int linkfs_split_args(const char *text, size_t sz, int *ret_argc, char ***ret_argv);

#endif
