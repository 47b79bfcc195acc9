/* inputs_ir.h - what inputs.c and inputs_ir.c share about intermediate code (linkfs_ir.h). */
#ifndef LINKFS_INPUTS_IR_H
#define LINKFS_INPUTS_IR_H

#include "inputs_priv.h"
#include "search.h"

/* Is O something for the claimer, rather than to be linked as it is? */
bool ir_is_wanted(const struct inputs *in, const struct object *o);
/* Gives those of FILES that were set aside their objects, or reports why not. From one thread. */
void ir_settle(struct inputs *in, const uint32_t *files, uint32_t cnt);
void ir_claims_free(struct inputs *in);
/* Of the identities of the files with objects that the operands gave: before anything is parsed. */
uint64_t ir_fingerprint(const struct inputs *in);
/* Does what the plan of IN says, if there is one. 0 or -errno, reported but for -ENOMEM. */
int ir_apply(struct inputs *in);

/* inputs.c */
/* Is F an object or an archive? It was recognised. */
bool inputs_has_objects(const struct infile *f);
/* Is O for this link's machine? If not that is reported. */
bool inputs_object_fits(struct inputs *in, const struct object *o, uint64_t place);
/* Opens what OP names, and lists it. -errno: reported. */
int inputs_add_operand(struct inputs *in, const struct operand *op, const struct search_from *from);

#endif
