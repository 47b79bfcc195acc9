/* trim.c - the last pass of a link: what only making it needed goes back, and a finished image keeps what fills read.
 *
 * Links stay for as long as their programs are used, many side by side, so what each keeps counts. Kept are: providers
 * and facts of names, states of sections, where pieces and call frame records went, slots, dynamic symbols, and the
 * layout. Dropped are: the scratch arena (ranks, counts of dynamic relocations per section, places of names in .dynsym)
 * and the lists that scanning made for later passes. What is a function of one object alone stays with the object
 * (object.h), for all links. The scratch arena waits for the next link (mem/shelf.h); the others give back the pages they
 * prepared and did not hand out, where these are many.
 */
#include "image.h"

/* Giving back takes a mapping, another name and two changes of protection at the next use: for much, or not at all. */
static void trim_waste(struct arena *a)
{
	struct arena_stats st;

	if (!a)
		return;
	arena_stats(a, &st);
	if (st.released > st.ready / 4)
		arena_trim(a);
}

int image_trim(struct linkfs_image *img)
{
	sections_trim(img->s);
	/* A failure costs nothing but that charge. */
	trim_waste(img->st->arena);
	trim_waste(img->s->arena);
	trim_waste(img->l->arena);
	return 0;
}
