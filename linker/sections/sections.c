/* sections.c - birth and death of the sections stage; its passes are in the files named after them. */
#include "sections.h"

#include <errno.h>
#include <stdlib.h>

#include "sections_priv.h"
#include "shelf.h"

static const char arena_purpose[] = "linkfs sections", scratch_purpose[] = "linkfs scratch";

int sections_new(struct symtab *st, struct sections **ret_sections)
{
	struct sections *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->st = st;
	s->in = st->in;
	s->priv = calloc(1, sizeof(*s->priv));
	if (!s->priv || shelf_take(s->in->shelf, arena_purpose, &s->arena) < 0 ||
	    shelf_take(s->in->shelf, scratch_purpose, &s->scratch) < 0) {
		shelf_give(s->in->shelf, arena_purpose, s->arena);
		free(s->priv);
		free(s);
		return -ENOMEM;
	}
	pthread_mutex_init(&s->priv->lock, NULL);
	*ret_sections = s;
	return 0;
}

void sections_trim(struct sections *s)
{
	s->scratch = shelf_give(s->in->shelf, scratch_purpose, s->scratch);
	s->local_counts = NULL;
	s->rel_relative = s->dynsym_of = NULL;
	free(s->priv->asked);
	s->priv->asked = NULL;
	free(s->dynrels);
	free(s->suspects);
	s->dynrels = NULL;
	s->suspects = NULL;
}

struct sections *sections_free(struct sections *s)
{
	if (!s)
		return NULL;
	free(s->merge_sets);
	sections_trim(s);
	free(s->dynstr.data);
	shelf_give(s->in->shelf, arena_purpose, s->arena);
	pthread_mutex_destroy(&s->priv->lock);
	free(s->priv);
	free(s);
	return NULL;
}
