/* object_clone.c - an object's product for the same bytes in another file: a newer archive that kept the member, a file
 * that was written once more.
 *
 * Nothing is parsed: what was read from the bytes is copied, and what points into the old file points into the new one.
 * Decompressed sections and what cannot be moved are made again when asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "object_parse.h"

struct cloning {
	const struct object *from;
	struct object *to;
	bool no_memory;
};

static void *copy(struct cloning *c, const void *bytes, size_t sz)
{
	void *to = bytes ? malloc(sz ? sz : 1) : NULL;
	if (to)
		memcpy(to, bytes, sz);
	c->no_memory |= bytes && !to;
	return to;
}

/* What lay in the old file lies in the new one; the rest is constant. */
static const void *moved(const struct cloning *c, const void *p)
{
	uintptr_t at = (uintptr_t)p, old = (uintptr_t)c->from->data;
	return at >= old && at - old < c->from->sz ? c->to->data + (at - old) : p;
}

static void clone_groups(struct cloning *c)
{
	const struct object *from = c->from;
	size_t members = 0;
	for (uint32_t i = 0; i < from->group_cnt; i++)
		members += from->groups[i].member_cnt;
	c->to->groups = copy(c, from->groups, from->group_cnt * sizeof(*from->groups) + members * sizeof(uint32_t));
	uint32_t *at = (uint32_t *)(c->to->groups + from->group_cnt); /* members lie behind */
	for (uint32_t i = 0; c->to->groups && i < from->group_cnt; i++) {
		c->to->groups[i].members = at;
		at += from->groups[i].member_cnt;
	}
}

static void clone_packed(struct cloning *c)
{
	c->to->packed = copy(c, c->from->packed, c->from->packed_cnt * sizeof(*c->from->packed));
	for (uint32_t i = 0; c->to->packed && i < c->from->packed_cnt; i++) {
		struct packed *k = &c->to->packed[i];
		atomic_init(&k->data, NULL);
		k->name = k->name ? strdup(k->name) : NULL;
		c->no_memory |= !k->name != !c->from->packed[i].name;
	}
}

static void clone_merges(struct cloning *c)
{
	c->to->merges = copy(c, c->from->merges, c->from->merge_cnt * sizeof(*c->from->merges));
	for (uint32_t i = 0; c->to->merges && i < c->from->merge_cnt; i++) {
		const struct pieces *p = atomic_load_explicit(&c->from->merges[i].pieces, memory_order_acquire);
		size_t words = p ? (size_t)p->cnt + (p->start ? (size_t)p->cnt + 1 : 0) : 0;
		struct pieces *q = copy(c, p, sizeof(*p) + words * sizeof(uint32_t));
		if (q && p->start)
			q->start = q->id + q->cnt;
		atomic_init(&c->to->merges[i].pieces, q);
	}
}

static void clone_frames(struct cloning *c)
{
	atomic_init(&c->to->frames, NULL);
	for (const struct frames *fr = atomic_load_explicit(&c->from->frames, memory_order_acquire); fr; fr = fr->next) {
		struct frames *q = copy(c, fr, sizeof(*fr));
		if (!q)
			return;
		q->cies = copy(c, fr->cies, fr->cie_cnt * sizeof(*fr->cies));
		q->fdes = copy(c, fr->fdes, fr->fde_cnt * sizeof(*fr->fdes));
		q->by_sec = copy(c, fr->by_sec, fr->fde_cnt * sizeof(*fr->by_sec));
		q->next = atomic_load(&c->to->frames);
		atomic_store(&c->to->frames, q);
	}
}

static void clone_products(struct cloning *c)
{
	const struct object_product *pointers = atomic_load(&c->from->pointers);
	struct object_product *last = NULL;
	atomic_init(&c->to->content, NULL);
	atomic_init(&c->to->assigned, NULL);
	atomic_init(&c->to->selected, NULL);
	atomic_init(&c->to->scanned, NULL);
	atomic_init(&c->to->defs, NULL);
	atomic_init(&c->to->laid, NULL);
	atomic_init(&c->to->provided, NULL);
	/* Made where an object is scanned, which this one will not be. */
	atomic_init(&c->to->pointers, copy(c, pointers, pointers ? pointers->sz : 0));
	for (const struct object_product *p = atomic_load(&c->from->scanned); p; p = atomic_load(&p->next)) {
		struct object_product *q = copy(c, p, p->sz);
		if (!q)
			return;
		atomic_init(&q->next, NULL);
		if (last)
			atomic_store(&last->next, q);
		else
			atomic_store(&c->to->scanned, q);
		last = q;
	}
}

struct object *object_clone(struct object *from, struct infile *f, uint64_t off, const char *name)
{
	struct object *to = malloc(sizeof(*to));
	struct cloning c = { .from = from, .to = to };
	if (!to)
		return NULL;
	memcpy(to, from, sizeof(*to)); /* what has a pointer is set below */
	to->file = f;
	to->data = f->data + off;
	to->file_off = off;
	to->name = strdup(name);
	c.no_memory = !to->name;
	to->shstrtab = moved(&c, from->shstrtab);
	to->strtab = moved(&c, from->strtab);
	to->symtab = moved(&c, from->symtab);
	to->shndx = moved(&c, from->shndx);
	to->secs = copy(&c, from->secs, from->sec_cnt * sizeof(*from->secs));
	to->names = copy(&c, from->names, (from->sym_cnt - from->first_global) * sizeof(*from->names));
	to->properties = copy(&c, from->properties, from->property_cnt * sizeof(*from->properties));
	clone_groups(&c);
	clone_packed(&c);
	clone_merges(&c);
	clone_frames(&c);
	clone_products(&c);
	return c.no_memory ? object_free(to) : to;
}
