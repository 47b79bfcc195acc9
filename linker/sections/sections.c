/* sections.c - birth and death of the sections stage; its passes are in the files named after them. */
#include "sections.h"

#include <errno.h>
#include <stdlib.h>

#include "sections_priv.h"

int sections_new(struct symtab *st, struct sections **ret_sections)
{
	struct sections *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->st = st;
	s->in = st->in;
	s->priv = calloc(1, sizeof(*s->priv));
	if (!s->priv || arena_new(NULL, &s->arena) < 0) {
		free(s->priv);
		free(s);
		return -ENOMEM;
	}
	pthread_mutex_init(&s->priv->lock, NULL);
	*ret_sections = s;
	return 0;
}

static void free_merges(struct sections *s)
{
	for (uint32_t i = 0; i < s->merge_sec_cnt; i++) {
		free(s->merge_secs[i].start);
		free(s->merge_secs[i].entry);
	}
	for (uint32_t t = 0; t < s->merge_set_cnt; t++) {
		for (uint32_t i = 0; s->merge_sets[t].shards && i < s->merge_sets[t].shard_cnt; i++) {
			free(s->merge_sets[t].shards[i].owner_sec);
			free(s->merge_sets[t].shards[i].owner_piece);
			free(s->merge_sets[t].shards[i].off);
		}
	}
	free(s->merge_secs);
	free(s->merge_sets);
}

struct sections *sections_free(struct sections *s)
{
	if (!s)
		return NULL;
	for (uint32_t i = 0; s->eh && i < s->in->file_cnt; i++) {
		free(s->eh[i].cies);
		free(s->eh[i].fdes);
		free(s->eh[i].by_sec);
		free(s->eh[i].fde_off);
	}
	free(s->eh);
	free_merges(s);
	free(s->dynrels);
	free(s->suspects);
	free(s->dynstr.data);
	arena_free(s->arena);
	pthread_mutex_destroy(&s->priv->lock);
	free(s->priv);
	free(s);
	return NULL;
}
