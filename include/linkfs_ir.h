/* linkfs_ir.h - inputs of intermediate code (link-time optimisation), for who can run the compiler that reads them.
 *
 * The linker runs no foreign code. To it such an input is an object of symbols alone, told by a *claimer* (the caller:
 * ld.linkfs, with the compiler's plugin). The story, the same in file mode and on a mount:
 *
 *     linkfs_link() --ENOEXEC: it needs such an input--> linkfs_ir_resolve(): claims, and what each symbol is to the rest
 *     of the link --> the caller compiles --> linkfs_ir_plan(): as words --> linkfs_link() with linkfs_request.lto
 *
 * With a plan the claimed inputs are left out; what was compiled stands where the first of them stood. The words name
 * positions on the command line, so they go with the same command line, and tell whether its inputs are still the same.
 *
 * Threads: calls are serialised with links of the same linker; claim comes from the caller's own thread.
 */
#ifndef LINKFS_IR_H
#define LINKFS_IR_H

#include "linkfs.h"

enum linkfs_ir_kind { LINKFS_IR_DEF, LINKFS_IR_WEAK, LINKFS_IR_UNDEF, LINKFS_IR_WEAK_UNDEF, LINKFS_IR_COMMON };

/* What a symbol of intermediate code is to the link. "Outside": files that are not intermediate code, the command line. */
enum linkfs_ir_meaning {
	LINKFS_IR_UNKNOWN,
	LINKFS_IR_UNDEFINED,
	LINKFS_IR_PREVAILS,        /* this is the definition, and somebody outside refers to it */
	LINKFS_IR_PREVAILS_ALONE,  /* ... nobody outside does, nor can */
	LINKFS_IR_PREVAILS_EXPORTED, /* ... nobody outside of the output's files does: it is exported */
	LINKFS_IR_PREEMPTED,       /* a definition that gives way to one outside, */
	LINKFS_IR_PREEMPTED_IR,    /* or to one in intermediate code */
	LINKFS_IR_FOUND,           /* a reference: defined in the output, outside; */
	LINKFS_IR_FOUND_IR,        /* in intermediate code; */
	LINKFS_IR_FOUND_SHARED,    /* in a shared library */
};

struct linkfs_ir_symbol {
	const char *name;    /* a version included: "f@V", "f@@V" */
	const char *comdat;  /* signature of its COMDAT group, NULL: it is in none */
	uint64_t size;
	uint8_t kind;        /* enum linkfs_ir_kind */
	uint8_t visibility;  /* STV_* */
	uint8_t type;        /* STT_* */
	uint8_t meaning;     /* < enum linkfs_ir_meaning: by linkfs_ir_resolve */
};

/* The claimer's, untouched by it until linkfs_ir_free. */
struct linkfs_ir_object {
	struct linkfs_ir_symbol *symbols;
	size_t symbol_cnt;
	bool is_linked;      /* < a lazy one (a member of an archive) need not be */
};

struct linkfs_ir_file {
	const char *path;    /* of the file; for a member of an archive the archive's */
	int fd;              /* of it, read-only, the linker's; its offset is nobody's */
	uint64_t off, sz;    /* of the object in it */
	const void *data;    /* its bytes */
	bool is_bitcode;     /* LLVM's, else an ELF object with sections of intermediate code */
	bool has_code;       /* machine code is in it too: it need not be claimed */
};

struct linkfs_ir_claimer {
	/* 1: claimed, *ret_object are its symbols; 0: it is not for us. F and what it points to stay until linkfs_ir_free. By
	 * order of position among what was found together, which depends on the inputs alone. */
	int (*claim)(void *ctx, const struct linkfs_ir_file *f, struct linkfs_ir_object **ret_object);
	void *ctx;
};

/* Resolves the link of RQ with the help of CLAIMER. 0: each claimed object knows what its symbols mean. Otherwise -errno
 * with errors in D. */
struct linkfs_ir;
int linkfs_ir_resolve(struct linkfs_linker *l, const struct linkfs_request *rq, const struct linkfs_ir_claimer *claimer,
		      struct diag *d, struct linkfs_ir **ret_ir);
struct linkfs_ir *linkfs_ir_free(struct linkfs_ir *ir); /* takes NULL, returns NULL */

/* What compiling gave: in order. */
enum linkfs_ir_yield_kind {
	LINKFS_IR_OBJECT,  /* a file */
	LINKFS_IR_LIBRARY, /* as after -l: it may define what compiled code calls */
	LINKFS_IR_LIBPATH, /* as after -L, for these libraries */
};
struct linkfs_ir_yield {
	enum linkfs_ir_yield_kind kind;
	const char *name;
};
/* The words for linkfs_request.lto; one allocation, the caller frees it. 0 or -ENOMEM. */
int linkfs_ir_plan(const struct linkfs_ir *ir, const struct linkfs_ir_yield *yields, size_t yield_cnt, int *ret_cnt,
		   char ***ret_words);

#endif
