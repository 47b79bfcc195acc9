/* inputs_priv.h - what inputs.c and search.c share and nobody else sees. */
#ifndef LINKFS_INPUTS_PRIV_H
#define LINKFS_INPUTS_PRIV_H

#include <pthread.h>

#include "inputs.h"
#include "script.h"

#define INPUTS_FILE_MAX (1u << 28) /* positions take 28 bits of a provider's rank */

enum source_kind { SOURCE_OBJECT, SOURCE_ARCHIVE, SOURCE_SHLIB, SOURCE_SCRIPT };

/* What a mapped file is: the product that stays with it from link to link. */
struct source {
	enum source_kind kind;
	struct mapper *mapper;
	struct infile *file;
	struct archive *archive;
	struct object **members;     /* by member index, NULL until parsed; by lock */
	struct object *obj;          /* by lock */
	struct infile *older;        /* while it is new: the version before, held; its product is of the same kind */
	struct shlib *shlib;
	struct script *script;
	pthread_mutex_t lock;
};

struct inputs_private {
	const struct linkfs_opener *opener;
	uint64_t place;            /* for messages: position of the operand being added */
	uint32_t file_cap, held_cap, extern_cap;
	int script_depth;
	struct source **fresh;       /* those with an older one, until inputs_settle */
	uint32_t fresh_cnt, fresh_cap;
	struct infile **known;       /* files of links before, once the first new one came; NULL: none yet */
	size_t known_cnt;
	uint32_t known_asked;        /* how often; by path when that is worth it */
};

/* The mapper's file of FD, which the opener gave: whose it is, that says. 0 or -errno, not reported. */
int inputs_add_fd(struct inputs *in, int fd, const char *path, struct infile **ret_file);
/* Hands a file's reference over to the inputs. 0, or -ENOMEM, reported. */
int inputs_hold(struct inputs *in, struct infile *file);
/* symbol_lists.c: opens and parses what --version-script and --dynamic-list name. 0 or -errno, reported. */
int symbol_lists_load(struct inputs *in);
void symbol_lists_free(struct inputs *in);

#endif
