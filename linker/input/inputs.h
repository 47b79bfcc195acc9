/* inputs.h - the command line's files, opened, recognised and put in order: the first frozen product of a link.
 *
 * inputs_load walks the operands, finds libraries, reads linker scripts and lists every file that could provide a
 * symbol, archive members included, in command-line order: the index of a file here is its position, and positions are
 * what the provider rule compares. Objects that are certainly part of the link are parsed at once, members when
 * something needs them (inputs_parse). After inputs_load: no new files; after extraction only is_live has changed.
 *
 * What was parsed hangs on the mapped file (struct infile, `product`), so the next link of the process finds it there.
 */
#ifndef LINKFS_INPUTS_H
#define LINKFS_INPUTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arch.h"
#include "archive.h"
#include "diag.h"
#include "linkfs_ir.h"
#include "mapper.h"
#include "names.h"
#include "object.h"
#include "options.h"
#include "pool.h"
#include "shlib.h"

enum ifile_kind {
	IFILE_INTERNAL, /* index 0: what the linker itself defines */
	IFILE_OBJECT,   /* an object, or a member of an archive */
	IFILE_SHLIB,
	IFILE_IR,       /* intermediate code that was compiled: it stands for nothing, the plan brought objects instead */
};

/* One possible provider of symbols; its index is its position on the command line. */
struct ifile {
	uint8_t kind;
	bool is_lazy;          /* a member, or between --start-lib and --end-lib: part of the link when extracted */
	bool as_needed;        /* shared library: DT_NEEDED only if used */
	bool hides_symbols;    /* --exclude-libs */
	atomic_bool is_live;   /* set once, by extraction; lazy files start false */
	uint32_t member;       /* index into the archive's members, where there is one */
	struct infile *file;   /* the file or the archive, held by the inputs */
	struct source *source; /* what the file is */
	/* Where the object's bytes are and who keeps what is parsed from them: the file itself, a member of it, or for thin
	 * archives another file. Set before parsing (NULL until then). */
	struct infile *body;
	uint64_t body_off, body_sz;
	struct source *owner;
	uint32_t owner_idx;    /* member of the owner, where that is an archive */
	struct object *obj;    /* NULL until parsed */
	struct object *aside;  /* parsed, but it is intermediate code: while inputs_parse runs */
	char *shown_as;        /* in messages, NULL: by its path */
	struct shlib *shlib;
	const char *soname;    /* shared library: DT_NEEDED's text */
};

struct version_script; /* script.h */
struct kept;           /* symbols/kept.h */

/* --version-script, --dynamic-list. */
struct symbol_list {
	struct infile *file;   /* held by the inputs */
	struct version_script *script;
	bool is_dynamic;
};

/* A file whose symbols the claimer told (linkfs_ir.h). */
struct ir_claim {
	uint32_t file;
	struct linkfs_ir_object *claimed; /* the claimer's: symbol I is symbol I + 1 of obj */
	struct linkfs_ir_file *told;
	struct object *obj;
	void *tables;          /* that obj points into */
};

/* linkfs_request.lto */
struct ir_plan {
	int cnt;
	const char *const *words;
};

struct inputs {
	const struct options *opt;
	const struct arch *arch;
	struct mapper *mapper;
	struct names *names;
	struct names *strings;     /* pieces of merged sections */
	struct pool *pool;
	struct shelf *shelf;       /* the process's; NULL: none */
	struct diag *diag;
	struct ifile *files;       /* [0] is IFILE_INTERNAL */
	uint32_t file_cnt;
	struct infile **held;      /* every file opened, in order; one reference each */
	uint32_t held_cnt;
	const char *entry;         /* from a script's ENTRY, NULL: none */
	const char **externs;      /* from scripts' EXTERN */
	uint32_t extern_cnt;
	struct symbol_list *lists; /* in order: version scripts, then dynamic lists */
	uint32_t list_cnt;
	atomic_uint_fast64_t *parsed_objects, *scanned_objects; /* the process's counters */
	struct kept *kept;         /* symbols/kept.h: the process's, NULL: none */
	struct scanned_names **scanned_names; /* the process's (sections/scanned.h); NULL: it has none */
	struct merge_table **merge_table; /* the process's, of sections/merge.c, malloc-ed; NULL: it has none */
	const struct linkfs_ir_claimer *claimer; /* NULL: intermediate code is refused */
	const struct ir_plan *plan; /* NULL: none */
	struct ir_claim *claims;
	uint32_t claim_cnt;
	uint64_t fingerprint;      /* with a claimer: for its plan */
	bool never_compiles;       /* where there is machine code too, the intermediate is not asked for */
	bool needs_ir;             /* intermediate code was refused, and is the reason to fail */
	uint32_t compiled_first, compiled_cnt; /* in held: what the plan brought */
	uint32_t compiled_end;     /* in files: one past it */
	name_id *taken;            /* groups that no file behind it may have: intermediate code had them */
	uint32_t taken_cnt;
	struct inputs_private *priv;
};

struct inputs_config {
	const struct options *opt;
	struct mapper *mapper;
	struct names *names, *strings; /* the process's */
	struct pool *pool;
	struct shelf *shelf;       /* mem/shelf.h, where the link's arenas come from; NULL: each is new */
	struct diag *diag;
	const struct linkfs_opener *opener; /* never NULL here */
	atomic_uint_fast64_t *parsed_objects, *scanned_objects;
	struct kept *kept;
	struct scanned_names **scanned_names; /* or NULL */
	struct merge_table **merge_table; /* or NULL */
	const struct linkfs_ir_claimer *claimer; /* or */
	const struct ir_plan *plan;              /* or neither */
	bool never_compiles;       /* linkfs_request's */
};

/* 0, or -errno with errors in the sink. Frees nothing it does not own: options, mapper, names outlive it. */
int inputs_load(const struct inputs_config *cfg, struct inputs **ret_inputs);
struct inputs *inputs_free(struct inputs *in);

/* What a link that failed with RC fails with: -ENOEXEC where nothing but intermediate code was in its way. */
int inputs_failure(const struct inputs *in, int rc);

/* Parses the objects FILES[0..cnt) (indices) that are not parsed yet, in parallel. Errors go to the sink. */
void inputs_parse(struct inputs *in, const uint32_t *files, uint32_t cnt);

/* The object of an input that no thin archive has, if any link has parsed it; else NULL. */
struct object *inputs_resident(const struct ifile *f);
/* Parses members FILES[0..cnt) of archives that are not thin, which the link may turn out not to want: inputs_resident has
 * them, and the link shows no trace of it, not even errors; a damaged one is left out. */
void inputs_parse_ahead(const struct inputs *in, const uint32_t *files, uint32_t cnt);

/* No more objects will be parsed: lets go of older versions of files, whose products new ones could take over. */
void inputs_settle(struct inputs *in);

/* The archive an ifile is a member of, NULL otherwise. */
const struct archive *inputs_archive(const struct ifile *f);
/* Its display name: "path", "path(member)". */
const char *inputs_name(const struct ifile *f);

#endif
