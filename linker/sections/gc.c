/* gc.c - which sections live with --gc-sections: what the roots reach, of those that outsec.c has not made live.
 *
 * Roots: the entry, -u, exported symbols, arrays of initialisers, SHF_GNU_RETAIN, notes, and sections whose bounds are
 * mentioned. A section keeps its group, the sections that SHF_LINK_ORDER ties to it, and through its FDEs the handlers
 * and tables of its exceptions. The marking is a reachable set, so the order of visits does not matter.
 * Source: GNU ld manual, --gc-sections; gABI "Section Groups", SHF_LINK_ORDER.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sections_priv.h"

struct stack {
	uint64_t *item; /* file << 32 | section index */
	size_t cnt, cap;
	uint64_t bound; /* of sections pushed: their share of alloc_bound */
};

struct mark {
	struct sections *s;
	struct stack *stacks; /* by worker */
	struct stack roots;
	atomic_bool no_memory;
};

static void push(struct mark *m, struct stack *st, uint32_t file, uint32_t shndx)
{
	if (st->cnt == st->cap) {
		size_t cap = st->cap ? st->cap * 2 : 256;
		uint64_t *p = realloc(st->item, cap * sizeof(*p));
		if (!p) {
			atomic_store(&m->no_memory, true);
			return;
		}
		st->item = p;
		st->cap = cap;
	}
	st->item[st->cnt++] = (uint64_t)file << 32 | shndx;
}

static void mark_section(struct mark *m, struct stack *st, uint32_t file, uint32_t shndx)
{
	struct sections *s = m->s;
	const struct object *o = s->in->files[file].obj;
	if (!o || !shndx || shndx >= o->sec_cnt)
		return;
	uint32_t gs = gsec(s->st, file, shndx);
	if (s->out_of[gs] == OUT_NONE || sec_is(s->st, gs, SEC_LIVE | SEC_DEAD_COMDAT) ||
	    (atomic_fetch_or(&s->st->sec_state[gs], SEC_LIVE) & SEC_LIVE))
		return;
	if (o->secs[shndx].flags & SHF_ALLOC)
		st->bound += section_bound(o->secs[shndx].sz, o->secs[shndx].p2align);
	push(m, st, file, shndx);
}

static void mark_name(struct mark *m, struct stack *st, name_id id)
{
	uint64_t win = id && id < m->s->st->cnt ? sym_win(m->s->st, id) : PROVIDER_NONE;
	struct esym s;
	if (win == PROVIDER_NONE || m->s->in->files[provider_file(win)].kind != IFILE_OBJECT)
		return;
	esym_get(m->s->in->files[provider_file(win)].obj, provider_sym(win), &s);
	mark_section(m, st, provider_file(win), s.shndx);
}

static void mark_relocs(struct mark *m, struct stack *st, uint32_t file, const struct isec *is, uint32_t first,
			uint32_t cnt)
{
	const struct object *o = m->s->in->files[file].obj;
	for (uint32_t i = first; i < first + cnt; i++) {
		struct rel r;
		struct esym s;
		rel_get(o, is, i, &r);
		if (r.sym >= o->sym_cnt)
			continue; /* reported while scanning */
		esym_get(o, r.sym, &s);
		if (r.sym >= o->first_global)
			mark_name(m, st, sym_name(m->s->st, o, r.sym, s.shndx == SHN_UNDEF));
		else
			mark_section(m, st, file, s.shndx);
	}
}

static void mark_frames(struct mark *m, struct stack *st, uint32_t file, uint32_t shndx)
{
	struct eh_range range = ehframe_of(m->s, file, shndx);
	const struct eh_object *eh = range.eh;
	const struct isec *is = &m->s->in->files[file].obj->secs[eh->frames->sec];
	for (uint32_t i = range.begin; i < range.end; i++) {
		const struct fde *f = &eh->frames->fdes[eh->frames->by_sec[i]];
		const struct cie *c = &eh->frames->cies[f->cie];
		mark_relocs(m, st, file, is, f->rel + 1, f->rel_cnt - 1);
		mark_relocs(m, st, file, is, c->rel, c->rel_cnt);
	}
}

static void visit(struct mark *m, struct stack *st, uint32_t file, uint32_t shndx)
{
	const struct object *o = m->s->in->files[file].obj;
	const struct isec *is = &o->secs[shndx];
	if (is->kind != ISEC_EH_FRAME)
		mark_relocs(m, st, file, is, 0, is->rel_cnt);
	if (is->flags & SHF_EXECINSTR)
		mark_frames(m, st, file, shndx);
	if (is->group) {
		const struct group *g = &o->groups[is->group - 1];
		for (uint32_t i = 0; i < g->member_cnt; i++)
			mark_section(m, st, file, g->members[i]);
	}
}

static void drain(struct mark *m, struct stack *st)
{
	while (st->cnt) {
		uint64_t top = st->item[--st->cnt];
		visit(m, st, (uint32_t)(top >> 32), (uint32_t)top);
	}
}

static void drain_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct mark *m = ctx;
	for (size_t i = begin; i < end; i++)
		visit(m, &m->stacks[worker], (uint32_t)(m->roots.item[i] >> 32), (uint32_t)m->roots.item[i]);
	drain(m, &m->stacks[worker]);
}

static bool is_bounded(const struct sections *s, const char *name)
{
	for (uint32_t i = 0; i < s->st->linkdef_cnt; i++)
		if (s->st->linkdefs[i].section && !strcmp(s->st->linkdefs[i].section, name))
			return true;
	return false;
}

static bool is_root(const struct sections *s, const struct object *o, const struct isec *is)
{
	static const char *const kept[] = { ".init", ".fini", ".ctors", ".dtors", ".jcr", ".interp" };
	const char *name = isec_name(o, is);
	if ((is->flags & SHF_LINK_ORDER) && is->link)
		return false; /* lives and dies with what it is linked to */
	if ((is->flags & SHF_GNU_RETAIN) || is->type == SHT_INIT_ARRAY || is->type == SHT_FINI_ARRAY ||
	    is->type == SHT_PREINIT_ARRAY || is->kind == ISEC_EH_FRAME)
		return true;
	if (is->type == SHT_NOTE && !is->group)
		return true;
	if (!strncmp(name, ".init_array", 11) || !strncmp(name, ".fini_array", 11) ||
	    !strncmp(name, ".preinit_array", 14) || !strncmp(name, ".ctors.", 7) || !strncmp(name, ".dtors.", 7))
		return true;
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (!strcmp(name, kept[i]))
			return true;
	return name[0] != '.' && is_bounded(s, name);
}

static void mark_roots(struct mark *m)
{
	struct sections *s = m->s;
	const struct options *opt = s->in->opt;
	struct names *names = s->in->names;
	const char *entry = opt->entry ? opt->entry : s->in->entry ? s->in->entry : "_start";
	mark_name(m, &m->roots, names_find(names, entry, strlen(entry)));
	const char *lists[] = { opt->init ? opt->init : "_init", opt->fini ? opt->fini : "_fini" };
	for (int i = 0; i < 2; i++)
		mark_name(m, &m->roots, names_find(names, lists[i], strlen(lists[i])));
	for (size_t i = 0; i < opt->undefined_cnt; i++)
		mark_name(m, &m->roots, names_find(names, opt->undefined[i], strlen(opt->undefined[i])));
	for (size_t i = 0; i < opt->require_defined_cnt; i++)
		mark_name(m, &m->roots,
			  names_find(names, opt->require_defined[i], strlen(opt->require_defined[i])));
	for (name_id id = 1; id < s->st->cnt; id++)
		if (sym_flags(s->st, id) & SYM_EXPORT)
			mark_name(m, &m->roots, id);
	for (uint32_t k = 0; k < s->st->obj_cnt; k++) {
		uint32_t file = s->st->objs[k];
		const struct object *o = s->in->files[file].obj;
		for (uint32_t i = 1; i < o->sec_cnt; i++)
			if ((o->secs[i].flags & SHF_ALLOC) && is_root(s, o, &o->secs[i]))
				mark_section(m, &m->roots, file, i);
	}
}

/* Sections tied to live ones; each round may make more live. */
static bool mark_tied(struct mark *m)
{
	struct sections *s = m->s;
	bool any = false;
	for (uint32_t k = 0; k < s->st->obj_cnt; k++) {
		uint32_t file = s->st->objs[k];
		const struct object *o = s->in->files[file].obj;
		for (uint32_t i = 1; i < o->sec_cnt; i++) {
			const struct isec *is = &o->secs[i];
			if (!(is->flags & SHF_LINK_ORDER) || !(is->flags & SHF_ALLOC) || !is->link ||
			    is->link >= o->sec_cnt || sec_is(s->st, gsec(s->st, file, i), SEC_LIVE) ||
			    !sec_is(s->st, gsec(s->st, file, is->link), SEC_LIVE))
				continue;
			mark_section(m, &m->roots, file, i); /* unless it is no part of the output */
			any |= sec_is(s->st, gsec(s->st, file, i), SEC_LIVE);
		}
	}
	drain(m, &m->roots);
	return any && m->roots.cnt == 0;
}

static void print_dead(const struct sections *s)
{
	for (uint32_t k = 0; k < s->st->obj_cnt; k++) {
		uint32_t file = s->st->objs[k];
		const struct object *o = s->in->files[file].obj;
		for (uint32_t i = 1; i < o->sec_cnt; i++) {
			uint32_t gs = gsec(s->st, file, i);
			if (s->out_of[gs] != OUT_NONE && !sec_is(s->st, gs, SEC_LIVE | SEC_DEAD_COMDAT))
				diag_note(s->in->diag, (uint64_t)file << 32 | i, "removing unused section %s:(%s)",
					  o->name, isec_name(o, &o->secs[i]));
		}
	}
}

int gc_mark(struct sections *s)
{
	unsigned workers = pool_threads(s->in->pool);
	struct mark m = { .s = s };
	if (!s->in->opt->gc_sections)
		return 0;
	m.stacks = calloc(workers, sizeof(*m.stacks));
	if (!m.stacks)
		return -ENOMEM;
	mark_roots(&m);
	pool_for(s->in->pool, m.roots.cnt, 16, drain_range, &m);
	m.roots.cnt = 0;
	while (mark_tied(&m))
		;
	for (unsigned w = 0; w < workers; w++) {
		s->alloc_bound += m.stacks[w].bound;
		free(m.stacks[w].item);
	}
	s->alloc_bound += m.roots.bound;
	free(m.stacks);
	free(m.roots.item);
	if (s->in->opt->print_gc_sections)
		print_dead(s);
	return atomic_load(&m.no_memory) ? -ENOMEM : 0;
}
