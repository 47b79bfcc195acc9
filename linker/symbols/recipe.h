/* recipe.h - what the symbols stage reads of a link, in a form that two links can be compared by.
 *
 * Equal recipes mean equal products of the stage (symtab.h), whatever else differs: bodies, relocations, local symbols, how
 * many sections there are, their sizes, names of files. Everything in it is by value or by digest (128 bits where nothing else
 * tells), nothing points into an input.
 */
#ifndef LINKFS_RECIPE_H
#define LINKFS_RECIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "inputs.h"

struct recipe {
	uint64_t key[2];       /* all but the objects */
	uint32_t file_cnt;
	struct recipe_object {
		uint64_t digest[2];    /* [1] is 0: nothing of this file's object was read */
		/* What may differ, since a product can be moved to it (kept.c). */
		uint64_t numbering;    /* a digest: how many sections, and which are in what group */
		uint32_t first_global; /* counted from there the symbols are the same */
	} by_file[];
};

/* The recipe of IN before its symbols are resolved, without objects. NULL: rare things are in it that are not compared (a
 * compiler's code, thin archives, -y), or there is no memory; then the stage runs. */
struct recipe *recipe_new(const struct inputs *in);
/* Adds the objects that the stage has read by now. False: one is intermediate code too, or a file is not what was opened
 * any more: the recipe says nothing. */
bool recipe_complete(struct recipe *r, const struct inputs *in);
/* Has the link IN with the recipe NOW the complete recipe OLD? Archive members that OLD's link took are parsed for that, which
 * shows in no other way (inputs_parse_ahead). *ret_moves: what is not where it was in some object. */
struct recipe_moves {
	bool globals;          /* they begin at another index */
	bool sections;         /* they are numbered otherwise */
};
bool recipe_fits(const struct recipe *old, const struct recipe *now, const struct inputs *in,
		 struct recipe_moves *ret_moves);
/* Where things are from now on: as in the link IN, which has the recipe R. */
void recipe_move(struct recipe *r, const struct inputs *in);

#endif
