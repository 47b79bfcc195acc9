/* object_pieces.c - mergeable sections of an object cut into pieces, each interned, once; kept with the object.
 *
 * A piece is a string with its terminator, or one constant: a function of the section's bytes and its entry size, so
 * all links share them. Equal pieces have equal ids, so that links compare no bytes. Which equal piece stands for the
 * others is each link's own (sections/merge.c).
 * Source: gABI ch. 4, SHF_MERGE and SHF_STRINGS.
 */
#include <stdlib.h>
#include <string.h>

#include "object_parse.h"

enum { INTERN_BATCH = 128 };

int object_list_merges(struct object *o)
{
	uint32_t cnt = 0;
	for (uint32_t i = 1; i < o->sec_cnt; i++)
		cnt += o->secs[i].kind == ISEC_MERGE;
	if (!cnt)
		return 0;
	o->merges = calloc(cnt, sizeof(*o->merges));
	if (!o->merges)
		return -ENOMEM;
	for (uint32_t i = 1; i < o->sec_cnt; i++)
		if (o->secs[i].kind == ISEC_MERGE)
			o->merges[o->merge_cnt++].sec = i;
	return 0;
}

void object_free_merges(struct object *o)
{
	for (uint32_t i = 0; i < o->merge_cnt; i++)
		free(atomic_load(&o->merges[i].pieces));
	free(o->merges);
}

/* The end of the string at AT, its terminator included. The section is known to end in one. */
static uint64_t string_end(const uint8_t *data, uint64_t at, uint64_t sz, uint32_t entsize)
{
	if (entsize == 1) {
		const uint8_t *nul = memchr(data + at, 0, sz - at);
		return nul ? (uint64_t)(nul - data) + 1 : sz;
	}
	for (; at < sz; at += entsize) {
		uint32_t i = 0;
		while (i < entsize && !data[at + i])
			i++;
		if (i == entsize)
			return at + entsize;
	}
	return sz;
}

/* Room for CNT pieces, with their starts or without. */
static struct pieces *pieces_new(uint32_t cnt, bool has_starts)
{
	size_t words = (size_t)cnt + (has_starts ? (size_t)cnt + 1 : 0);
	struct pieces *p = malloc(sizeof(*p) + words * sizeof(uint32_t));
	if (!p)
		return NULL;
	p->cnt = cnt;
	atomic_init(&p->is_interned, false);
	p->start = has_starts ? p->id + cnt : NULL;
	return p;
}

static struct pieces *split_strings(const uint8_t *data, const struct isec *is)
{
	uint32_t cnt = 0;
	for (uint64_t at = 0; at < is->sz; cnt++)
		at = string_end(data, at, is->sz, is->entsize);
	struct pieces *p = pieces_new(cnt, true);
	uint64_t at = 0;
	for (uint32_t i = 0; p && i < cnt; i++) {
		uint64_t end = string_end(data, at, is->sz, is->entsize);
		p->start[i] = (uint32_t)at;
		at = end;
	}
	if (p)
		p->start[cnt] = (uint32_t)is->sz;
	return p;
}

const struct pieces *object_pieces(struct object *o, uint32_t sec)
{
	const struct isec *is = &o->secs[sec];
	uint32_t lo = 0, hi = o->merge_cnt;
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (o->merges[mid].sec <= sec)
			lo = mid;
		else
			hi = mid;
	}
	struct pieces *old = atomic_load_explicit(&o->merges[lo].pieces, memory_order_acquire);
	if (old)
		return old;
	const uint8_t *data = isec_bytes(o, is);
	struct pieces *p = is->flags & SHF_STRINGS ? split_strings(data, is)
						   : pieces_new((uint32_t)(is->sz / is->entsize), false);
	/* The first to publish wins: the same object may stand on the command line twice. */
	if (!p || atomic_compare_exchange_strong_explicit(&o->merges[lo].pieces, &old, p, memory_order_release,
							  memory_order_acquire))
		return p;
	free(p);
	return old;
}

int object_intern_pieces(const struct object *o, uint32_t sec, const struct pieces *frozen, struct names *strings)
{
	struct pieces *p = (struct pieces *)frozen; /* but for this */
	const char *data = (const char *)isec_bytes(o, &o->secs[sec]);
	struct name_ref refs[INTERN_BATCH];
	if (atomic_exchange_explicit(&p->is_interned, true, memory_order_acq_rel))
		return 0;
	for (uint32_t done = 0, n; done < p->cnt; done += n) {
		n = p->cnt - done < INTERN_BATCH ? p->cnt - done : INTERN_BATCH;
		for (uint32_t i = 0; i < n; i++) {
			uint64_t each = o->secs[sec].entsize, at = p->start ? p->start[done + i] : (done + i) * each;
			refs[i] = (struct name_ref){ data + at, p->start ? p->start[done + i + 1] - at : each };
		}
		names_intern_many(strings, refs, n, p->id + done);
		for (uint32_t i = 0; i < n; i++)
			if (!p->id[done + i] && refs[i].len) {
				atomic_store_explicit(&p->is_interned, false, memory_order_release);
				return -ENOMEM;
			}
	}
	return 0;
}
