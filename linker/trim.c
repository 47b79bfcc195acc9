/* trim.c - the last pass of a link: what only making it needed goes back, and a finished image keeps what fills read.
 *
 * Links stay for as long as their programs are used, many side by side, so what each keeps counts. Kept are: providers
 * and facts of names, states of sections, where pieces and call frame records went, slots, dynamic symbols, and the
 * layout. Dropped are: the scratch arena (ranks, counts of dynamic relocations per section, places of names in .dynsym)
 * and the lists that scanning made for later passes. What is a function of one object alone stays with the object
 * (object.h), for all links. Arenas give back the pages they prepared and did not hand out.
 */
#include "image.h"

int image_trim(struct linkfs_image *img)
{
	sections_trim(img->s);
	/* A failure costs nothing but that charge. */
	if (img->st->arena)
		arena_trim(img->st->arena);
	arena_trim(img->s->arena);
	arena_trim(img->l->arena);
	return 0;
}
