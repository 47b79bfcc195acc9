/* layout.c - the layout stage as a list of passes. */
#include "layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "layout_priv.h"
#include "shelf.h"

static const char arena_purpose[] = "linkfs layout";

static void measure_synthetics(struct layout *l)
{
	for (int i = 0; i < SYN_CNT; i++)
		l->syn_sz[i] = l->syn[i]->size(l);
}

/* Names of output sections; .shstrtab's own size must be known before it is placed. */
static int name_sections(struct layout *l)
{
	struct strbuf b = { 0 };
	int rc = strbuf_add(&b, "", 0) == UINT32_MAX ? -ENOMEM : 0;
	for (uint32_t i = 1; i < l->out_cnt && !rc; i++) {
		l->outs[i].name_off = strbuf_add(&b, l->outs[i].name, strlen(l->outs[i].name));
		rc = l->outs[i].name_off == UINT32_MAX ? -ENOMEM : 0;
	}
	l->shstrtab = b.data;
	l->shstrtab_sz = b.sz;
	l->syn_sz[SYN_SHSTRTAB] = b.sz;
	if (!rc) {
		struct out *o = &l->outs[l->syn_out[SYN_SHSTRTAB]];
		o->sz = b.sz;
	}
	return rc;
}

static void link_headers(struct layout *l)
{
	for (int i = 0; i < SYN_CNT; i++) {
		struct out *o = &l->outs[l->syn_out[i]];
		if (!l->syn_out[i])
			continue;
		if (l->syn[i]->links && o->chunk_cnt == 1)
			l->syn[i]->links(l, &o->link, &o->info);
		if (o->chunk_cnt == 1)
			o->entsize = l->syn[i]->entsize;
	}
	for (uint32_t i = 1; i < l->out_cnt; i++) {
		struct out *o = &l->outs[i];
		uint32_t gs = o->chunk_cnt ? o->chunk[0] : 0;
		if (!(o->flags & SHF_LINK_ORDER) || (gs & (CHUNK_SYN | CHUNK_MERGE)))
			continue;
		uint32_t file = o->chunk_file[0];
		const struct object *obj = l->in->files[file].obj;
		uint32_t to = obj->secs[gs - l->st->sec_base[file]].link;
		uint16_t out = to && to < obj->sec_cnt ? l->s->out_of[gsec(l->st, file, to)] : OUT_NONE;
		o->link = out != OUT_NONE ? l->out_index[out] : 0;
	}
}

int layout_make(struct sections *s, const struct synthetic *const *syn, struct layout **ret_layout)
{
	struct layout *l = calloc(1, sizeof(*l));
	int rc = -ENOMEM;
	if (!l || shelf_take(s->in->shelf, arena_purpose, &l->arena) < 0) {
		free(l);
		return rc;
	}
	l->s = s;
	l->st = s->st;
	l->in = s->in;
	const char *init = s->in->opt->init ? s->in->opt->init : "_init";
	const char *fini = s->in->opt->fini ? s->in->opt->fini : "_fini";
	l->init_id = names_find(s->in->names, init, strlen(init));
	l->fini_id = names_find(s->in->names, fini, strlen(fini));
	l->syn = syn;
	l->relative_total = s->relative_total; /* what sizes .rela.dyn */
	if ((rc = symcount_measure(l)))
		goto out;
	measure_synthetics(l);
	/* After this: no new synthetic sections, every size is known. */
	if ((rc = members_collect(l)) || (rc = name_sections(l)) || (rc = address_assign(l)))
		goto out;
	/* After this: nothing moves. */
	link_headers(l);
	if (!(rc = values_compute(l)) && !(rc = plain_mark(l)))
		rc = reldyn_collect(l);
out:
	chunks_done(l);
	for (unsigned w = 0; l->provided_old && w < pool_threads(s->in->pool); w++)
		object_products_free(l->provided_old[w]);
	l->provided = NULL;
	l->provided_old = NULL;
	if (!rc && diag_errors(s->in->diag))
		rc = -EINVAL;
	if (rc < 0) {
		if (!diag_errors(s->in->diag))
			diag_error(s->in->diag, 0, "laying out: %s", strerror(-rc));
		layout_free(l);
		return rc;
	}
	*ret_layout = l;
	return 0;
}

struct layout *layout_free(struct layout *l)
{
	if (!l)
		return NULL;
	free(l->shstrtab);
	shelf_give(l->in->shelf, arena_purpose, l->arena);
	free(l);
	return NULL;
}
