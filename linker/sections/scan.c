/* scan.c - one walk over the relocations of all allocated live sections: needs, dynamic relocations, errors.
 *
 * Everything later stages must know is learnt here, so every error of allocated sections is found when the link is made
 * (P5). The walk is parallel by object; what it collects per worker is sorted afterwards by place, so nothing depends
 * on which worker saw it. For the overflow proof it keeps the extreme addends of 32-bit relative rows and a list of
 * suspects, which are checked one by one after layout (layout/overflow.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "judge.h"
#include "outsyms.h"
#include "scanned.h"

struct local_need {
	uint64_t key;
	uint32_t needs;
};

struct undefined {
	name_id id;
	uint32_t file, shndx;
	uint64_t off;
};

/* What one worker found. */
struct finding {
	struct list locals, dynrels, suspects, undefs;
	struct scanned_head sum;
	struct list own[SCANNED_CNT]; /* of the object at hand */
	struct scanned_head head;     /* of it */
	struct scanned *retired;
	uint64_t scanned;             /* objects */
	uint64_t relative_total;
	bool no_memory;
	bool has_report;              /* the object at hand */
} __attribute__((aligned(64)));

struct scan {
	struct sections *s;
	struct finding *found; /* by worker */
	struct scan_facts facts;
};

/* One section being scanned. */
struct place {
	struct sections *s;
	struct finding *f;
	const struct object *o;
	const struct isec *is;
	uint32_t file, shndx, gs;
	name_id tls_get_addr;
};

#define PUSH(f, list, type, ...)                                                                 \
	do {                                                                                     \
		type *p_ = list_push(&(f)->list, sizeof(type), &(f)->no_memory);                 \
		if (p_)                                                                          \
			*p_ = (type)__VA_ARGS__;                                                 \
	} while (0)
#define PUSH_OWN(f, kind, x, y)                                                                          \
	do {                                                                                             \
		struct pair *p_ = list_push(&(f)->own[kind], sizeof(struct pair), &(f)->no_memory);      \
		if (p_)                                                                                  \
			*p_ = (struct pair){ (x), (y) };                                                 \
	} while (0)

static uint64_t place_key(const struct place *p)
{
	return (uint64_t)p->file << 32 | p->shndx;
}

static void report(const struct place *p, const struct rel *r, const struct rel_row *row, const struct target *t,
		   const char *what)
{
	char buf[256] = "a local symbol";
	p->f->has_report = true;
	if (t && t->id)
		symtab_text(p->s->st, t->id, buf, sizeof(buf));
	else if (t && t->s.type != STT_SECTION && t->s.name < p->o->strtab_sz)
		snprintf(buf, sizeof(buf), "%s", p->o->strtab + t->s.name);
	if (row)
		diag_error(p->s->in->diag, place_key(p), "%s:(%s+0x%llx): relocation %s against '%s' %s", p->o->name,
			   isec_name(p->o, p->is), (unsigned long long)r->off, row->name, buf, what);
	else
		diag_error(p->s->in->diag, place_key(p), "%s:(%s+0x%llx): %s", p->o->name, isec_name(p->o, p->is),
			   (unsigned long long)r->off, what);
}

static void need(const struct place *p, const struct rel *r, const struct target *t, uint32_t needs)
{
	if (t->id)
		PUSH_OWN(p->f, SCANNED_GLOBALS, t->id, needs);
	else
		PUSH_OWN(p->f, SCANNED_LOCALS, r->sym, needs);
}

/* Must this one be looked at after layout, whatever the proof says? Else its addend joins the extremes. */
static void watch_overflow(const struct place *p, const struct rel *r, uint32_t i, const struct rel_row *row,
			   const struct target *t, uint8_t rx)
{
	bool relative = row->kind == REL_PC || row->kind == REL_PLT_PC || row->kind == REL_GOT_PC ||
			row->kind == REL_GOTBASE_PC || row->kind == REL_TLS_IE_PC || row->kind == REL_TLS_GD_PC ||
			row->kind == REL_TLS_LD_PC || row->kind == REL_TLS_DESC_PC;
	if (row->check == CHECK_NONE && rx == RELAX_NO)
		return;
	if (!relative || (row->flags & ROW_SUSPECT) || row->bits != 32 || p->is->is_rel ||
	    (t->flags & (SYM_ABS | SYM_UNDEF_WEAK | SYM_OUTSIDE)) || (rx != RELAX_NO && rx != RELAX_GOT_TO_PC)) {
		PUSH_OWN(p->f, SCANNED_SUSPECTS, p->shndx, i);
		return;
	}
	if (r->addend < p->f->head.addends.min)
		p->f->head.addends.min = r->addend;
	if (r->addend > p->f->head.addends.max)
		p->f->head.addends.max = r->addend;
}

static bool check_target(const struct place *p, const struct rel *r, const struct rel_row *row, const struct target *t)
{
	if (t->flags & SYM_UNDEF) {
		PUSH(p->f, undefs, struct undefined, { t->id, p->file, p->shndx, r->off });
		p->f->has_report = true;
		if (!(t->flags & SYM_UNDEF_WEAK))
			return false;
	}
	bool is_tls_row = row->kind >= REL_TLS_LE && row->kind <= REL_TLS_DESC_CALL;
	if (is_tls_row && !(t->flags & (SYM_TLS | SYM_UNDEF_WEAK)) && r->sym && row->kind != REL_TLS_LD_PC &&
	    !(t->id == 0 && t->s.type == STT_SECTION)) {
		report(p, r, row, t, "is for thread-local symbols, but the symbol is not one");
		return false;
	}
	bool is_plain_row = row->kind != REL_SIZE && row->kind < REL_TLS_LE && row->kind != REL_NONE;
	if (is_plain_row && (t->flags & SYM_TLS) && (t->flags & (SYM_DEF | SYM_SHARED)) &&
	    (t->id || t->s.type == STT_TLS)) {
		report(p, r, row, t, "takes the address of a thread-local symbol as if it were an ordinary one");
		return false;
	}
	if (t->id || t->s.shndx >= p->o->sec_cnt || !t->s.shndx)
		return true;
	uint32_t gs = gsec(p->s->st, p->file, t->s.shndx);
	if (sec_is(p->s->st, gs, SEC_DEAD_COMDAT)) {
		report(p, r, row, t, "refers to a section discarded as a duplicate COMDAT: another file's copy was kept");
		return false;
	}
	if (!t->id && t->s.type == STT_SECTION && p->o->secs[t->s.shndx].kind == ISEC_MERGE && !p->is->is_rel &&
	    t->s.value + (uint64_t)r->addend > p->o->secs[t->s.shndx].sz) {
		report(p, r, row, t, "points outside a section whose pieces are merged");
		return false;
	}
	if (!sec_is(p->s->st, gs, SEC_LIVE)) {
		report(p, r, row, t, "refers to a section that is no part of the output");
		return false;
	}
	return true;
}

/* What arch->relax says; false: an error was reported. */
static bool ask_relax(const struct place *p, const struct rel *r, uint32_t i, const struct rel_row *row,
		      const struct target *t, uint8_t *ret_rx)
{
	const struct arch *a = p->s->in->arch;
	const char *bad = NULL;
	*ret_rx = RELAX_NO;
	if (!(row->flags & ROW_MAY_RELAX) || !a->relax || p->is->kind == ISEC_EH_FRAME)
		return true;
	struct relax_facts facts = judge_facts(p->s, t->flags);
	*ret_rx = a->relax(r->type, isec_bytes(p->o, p->is), p->is->sz, r->off, r->addend,
			   judge_next_is_tls_call(p->s, p->o, p->is, i, p->tls_get_addr), &facts, &bad);
	if (bad)
		report(p, r, row, t, bad);
	return !bad;
}

/* Counts one of the section's. */
static void add_relative(const struct place *p)
{
	const struct list *l = &p->f->own[SCANNED_RELATIVES];
	struct pair *last = l->cnt ? (struct pair *)l->data + l->cnt - 1 : NULL;
	if (last && last->a == p->shndx)
		last->b++;
	else
		PUSH_OWN(p->f, SCANNED_RELATIVES, p->shndx, 1);
}

/* Scans relocation I; returns how many relocations it consumed beyond itself. */
static uint32_t scan_one(const struct place *p, uint32_t i)
{
	struct sections *s = p->s;
	struct target t;
	struct rel r;
	uint8_t rx;
	rel_get(p->o, p->is, i, &r);
	const struct rel_row *row = arch_row(s->in->arch, r.type);
	if (!row) {
		char what[96];
		snprintf(what, sizeof(what), "unknown relocation type %u for %s", r.type, s->in->arch->name);
		report(p, &r, NULL, NULL, what);
		return 0;
	}
	if (row->kind == REL_NONE)
		return 0;
	if (!target_get(s->st, p->o, r.sym, &t)) {
		report(p, &r, NULL, NULL, "relocation with a symbol index beyond the symbol table");
		return 0;
	}
	uint8_t width = s->in->arch->fields[row->field].size;
	if (r.off > p->is->sz || width > p->is->sz - r.off) {
		report(p, &r, row, &t, "lies outside its section");
		return 0;
	}
	if (!check_target(p, &r, row, &t) || !ask_relax(p, &r, i, row, &t, &rx))
		return 0;
	struct verdict v = judge(s, row, t.flags, p->is->flags, rx);
	if (v.act == ACT_ERROR) {
		report(p, &r, row, &t, v.why);
		return 0;
	}
	if (v.needs)
		need(p, &r, &t, v.needs);
	if (v.act == ACT_RELATIVE || v.act == ACT_SYMBOLIC) {
		if (p->is->kind == ISEC_EH_FRAME) { /* its records move and are shared */
			report(p, &r, row, &t, "needs a dynamic relocation in .eh_frame; recompile with -fPIC");
			return 0;
		}
		p->f->head.textrel |= !(p->is->flags & SHF_WRITE);
		if (v.act == ACT_RELATIVE)
			add_relative(p);
		else
			PUSH_OWN(p->f, SCANNED_DYNRELS, p->shndx, i);
	} else {
		watch_overflow(p, &r, i, row, &t, rx);
	}
	p->f->head.got_base |= row->kind == REL_GOTBASE_PC || row->kind == REL_GOTBASE_REL || row->kind == REL_GOT_OFF ||
			  row->kind == REL_PLT_GOTREL;
	p->f->head.tlsld |= row->kind == REL_TLS_LD_PC && rx == RELAX_NO;
	p->f->head.static_tls |= s->st->is_shared && (v.needs & NEED_GOTTP);
	return rx != RELAX_NO && (row->flags & ROW_CONSUMES_NEXT) ? 1 : 0;
}

/* In .eh_frame only the records that stay count; their relocations are contiguous. */
static void scan_eh(const struct place *p)
{
	const struct eh_object *eh = &p->s->eh[p->file];
	const struct frames *fr = eh->frames;
	for (uint32_t i = 0; i < fr->cie_cnt; i++)
		for (uint32_t k = 0; eh->cies[i].is_used && k < fr->cies[i].rel_cnt; k++)
			scan_one(p, fr->cies[i].rel + k);
	for (uint32_t i = 0; i < fr->fde_cnt; i++)
		for (uint32_t k = 0; eh->fde_off[i] != UINT32_MAX && k < fr->fdes[i].rel_cnt; k++)
			scan_one(p, fr->fdes[i].rel + k);
}

static void scan_object(struct scan *c, struct finding *f, uint32_t file)
{
	struct sections *s = c->s;
	const struct object *o = s->in->files[file].obj;
	for (uint32_t i = 1; i < o->sec_cnt; i++) {
		const struct isec *is = &o->secs[i];
		uint32_t gs = gsec(s->st, file, i);
		if (!is->rel_cnt || !sec_is(s->st, gs, SEC_LIVE))
			continue;
		f->head.total += is->rel_cnt;
		if (!(is->flags & SHF_ALLOC))
			continue;
		struct place p = { s, f, o, is, file, i, gs, c->facts.tls_get_addr };
		if (is->type == SHT_NOBITS)
			report(&p, &(struct rel){ 0 }, NULL, NULL, "a section without bytes has relocations");
		else if (is->kind == ISEC_EH_FRAME)
			scan_eh(&p);
		else
			for (uint32_t k = 0; k < is->rel_cnt; k++)
				k += scan_one(&p, k);
	}
}

static void add_head(struct scanned_head *sum, const struct scanned_head *h)
{
	sum->total += h->total;
	sum->got_base |= h->got_base;
	sum->tlsld |= h->tlsld;
	sum->static_tls |= h->static_tls;
	sum->textrel |= h->textrel;
	sum->addends.min = h->addends.min < sum->addends.min ? h->addends.min : sum->addends.min;
	sum->addends.max = h->addends.max > sum->addends.max ? h->addends.max : sum->addends.max;
}

/* What one object asks for becomes the link's. */
static void take_rows(struct sections *s, struct finding *f, uint32_t file, int kind, const struct pair *row, size_t cnt)
{
	const struct object *o = s->in->files[file].obj;
	uint32_t base = s->st->sec_base[file];
	for (; cnt; row++, cnt--) {
		struct target t = { 0 };
		struct rel r;
		switch (kind) {
		case SCANNED_LOCALS:
			PUSH(f, locals, struct local_need, { (uint64_t)file << 32 | row->a, row->b });
			break;
		case SCANNED_GLOBALS:
			sym_add_flags(s->st, row->a, row->b);
			break;
		case SCANNED_DYNRELS:
			rel_get(o, &o->secs[row->a], row->b, &r);
			target_get(s->st, o, r.sym, &t);
			PUSH(f, dynrels, struct dynrel, { base + row->a, row->b, file, t.id, r.off, r.addend });
			break;
		case SCANNED_SUSPECTS:
			PUSH(f, suspects, struct suspect, { base + row->a, row->b, file });
			break;
		case SCANNED_RELATIVES:
			s->rel_relative[base + row->a] += row->b;
			sec_set(s->st, base + row->a, SEC_RELATIVE);
			f->relative_total += row->b;
			break;
		}
	}
}

static struct local_count count_locals(const struct sections *s, uint32_t file)
{
	const struct object *o = s->in->files[file].obj;
	struct local_count c = { 0 };
	for (uint32_t i = 1; i < o->first_global && i < o->sym_cnt; i++) {
		struct esym e;
		esym_get(o, i, &e);
		if (!outsym_keeps_local(s, file, o, &e))
			continue;
		c.cnt++;
		c.str += strlen(o->strtab + e.name) + 1;
		c.has_ifunc |= e.type == STT_GNU_IFUNC;
	}
	return c;
}

static void take_kept(struct sections *s, struct finding *f, uint32_t file, const struct scanned *x)
{
	const struct pair *row = x->rows;
	for (int kind = 0; kind < SCANNED_CNT; kind++) {
		take_rows(s, f, file, kind, row, x->cnt[kind]);
		row += x->cnt[kind];
	}
	add_head(&f->sum, &x->head);
	s->local_counts[file] = x->head.locals;
}

static void scan_file(struct scan *c, struct finding *f, uint32_t file)
{
	struct sections *s = c->s;
	struct object *o = s->in->files[file].obj;
	bool may_keep = !s->st->wrap_cnt; /* names would mean others */
	uint64_t key[2];
	if (may_keep)
		scanned_key(s, &c->facts, file, key);
	const struct scanned *kept = may_keep ? scanned_find(o, key) : NULL;
	if (kept) {
		take_kept(s, f, file, kept);
		return;
	}
	f->scanned++;
	f->has_report = false;
	f->head = (struct scanned_head){ 0 };
	for (int i = 0; i < SCANNED_CNT; i++)
		f->own[i].cnt = 0;
	scan_object(c, f, file);
	s->local_counts[file] = f->head.locals = count_locals(s, file);
	for (int i = 0; i < SCANNED_CNT; i++)
		take_rows(s, f, file, i, f->own[i].data, f->own[i].cnt);
	add_head(&f->sum, &f->head);
	if (may_keep && !f->has_report && !f->no_memory)
		scanned_keep(o, key, &f->head, f->own, &f->retired);
}

static void scan_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct scan *c = ctx;
	for (size_t i = begin; i < end; i++)
		scan_file(c, &c->found[worker], c->s->st->objs[i]);
}

/* ---- bringing the workers' findings together ---- */

static int by_place(const void *a, const void *b)
{
	const struct dynrel *x = a, *y = b;
	if (x->gsec != y->gsec)
		return x->gsec < y->gsec ? -1 : 1;
	return x->rel < y->rel ? -1 : x->rel > y->rel;
}

static int by_suspect(const void *a, const void *b)
{
	const struct suspect *x = a, *y = b;
	if (x->gsec != y->gsec)
		return x->gsec < y->gsec ? -1 : 1;
	return x->rel < y->rel ? -1 : x->rel > y->rel;
}

static int by_key(const void *a, const void *b)
{
	const struct local_need *x = a, *y = b;
	return x->key < y->key ? -1 : x->key > y->key;
}

static int by_reference(const void *a, const void *b)
{
	const struct undefined *x = a, *y = b;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->shndx != y->shndx)
		return x->shndx < y->shndx ? -1 : 1;
	return x->off < y->off ? -1 : x->off > y->off;
}

/* The workers' lists of one kind as one sorted array, malloc-ed. */
static void *gather(struct scan *c, size_t list_offset, size_t elem, int (*cmp)(const void *, const void *),
		    size_t *ret_cnt)
{
	unsigned workers = pool_threads(c->s->in->pool);
	size_t cnt = 0, at = 0;
	for (unsigned w = 0; w < workers; w++)
		cnt += ((struct list *)((char *)&c->found[w] + list_offset))->cnt;
	char *all = malloc((cnt + 1) * elem);
	for (unsigned w = 0; w < workers; w++) {
		struct list *l = (struct list *)((char *)&c->found[w] + list_offset);
		if (all && l->cnt)
			memcpy(all + at, l->data, l->cnt * elem);
		at += l->cnt * elem;
		free(l->data);
		l->data = NULL;
	}
	if (all && cnt)
		qsort(all, cnt, elem, cmp);
	*ret_cnt = all ? cnt : 0;
	return all;
}
#define GATHER(c, field, type, cmp, ret_cnt) gather((c), offsetof(struct finding, field), sizeof(type), (cmp), (ret_cnt))

/* The function or object around a place, for messages: the last symbol at or before it. */
static const char *enclosing(const struct object *o, uint32_t shndx, uint64_t off, char *buf, size_t sz)
{
	uint64_t best = 0;
	const char *name = NULL;
	for (uint32_t i = 1; i < o->sym_cnt; i++) {
		struct esym s;
		esym_get(o, i, &s);
		if (s.shndx == shndx && (s.type == STT_FUNC || s.type == STT_OBJECT) && s.value <= off &&
		    (!name || s.value >= best) && s.name < o->strtab_sz) {
			best = s.value;
			name = o->strtab + s.name;
		}
	}
	snprintf(buf, sz, "%s", name ? name : "");
	return buf;
}

static void report_undefined(struct sections *s, const struct undefined *u, size_t cnt)
{
	char name[256], func[256], text[2048];
	size_t at = 0, shown = 0;
	text[0] = 0;
	for (size_t i = 0; i < cnt && shown < 3; i++, shown++) {
		const struct object *o = s->in->files[u[i].file].obj;
		enclosing(o, u[i].shndx, u[i].off, func, sizeof(func));
		if (s->in->opt->demangle)
			demangle_in_place(func, sizeof(func));
		at += (size_t)snprintf(text + at, sizeof(text) - at, "\n>>> referenced by %.200s:(%.100s+0x%llx)%s%.150s",
				       o->name, isec_name(o, &o->secs[u[i].shndx]), (unsigned long long)u[i].off,
				       *func ? " in " : "", func);
	}
	if (cnt > shown)
		snprintf(text + at, sizeof(text) - at, "\n>>> referenced %zu more times", cnt - shown);
	diag_add(s->in->diag, sym_flags(s->st, u->id) & SYM_UNDEF_WEAK ? DIAG_WARNING : DIAG_ERROR,
		 (uint64_t)u->file << 32 | u->shndx, "undefined %s: %s%s",
		   sym_visibility(sym_flags(s->st, u->id)) == STV_HIDDEN ? "hidden symbol" : "symbol",
		   symtab_text(s->st, u->id, name, sizeof(name)), text);
}

static void report_all_undefined(struct scan *c)
{
	size_t cnt;
	struct undefined *u = GATHER(c, undefs, struct undefined, by_reference, &cnt);
	for (size_t i = 0, n; u && i < cnt; i += n) {
		for (n = 1; i + n < cnt && u[i + n].id == u[i].id; n++)
			;
		report_undefined(c->s, u + i, n);
	}
	free(u);
}

/* Local symbols with needs become aux rows at once; globals are found by their flags (slots.c). */
static int keep_locals(struct scan *c)
{
	size_t cnt, n = 0;
	struct local_need *l = GATHER(c, locals, struct local_need, by_key, &cnt);
	if (!l)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++) {
		if (n && l[n - 1].key == l[i].key)
			l[n - 1].needs |= l[i].needs;
		else
			l[n++] = l[i];
	}
	c->s->aux = arena_alloc_array(c->s->arena, n + 1, sizeof(*c->s->aux), 8);
	for (size_t i = 0; c->s->aux && i < n; i++)
		c->s->aux[i] = (struct aux){ .key = l[i].key, .needs = l[i].needs };
	c->s->aux_cnt = (uint32_t)n;
	free(l);
	return c->s->aux ? 0 : -ENOMEM;
}

static int merge_findings(struct scan *c)
{
	struct sections *s = c->s;
	size_t cnt;
	bool no_memory = false;
	struct scanned_head sum = { 0 };
	for (unsigned w = 0; w < pool_threads(s->in->pool); w++) {
		struct finding *f = &c->found[w];
		no_memory |= f->no_memory;
		add_head(&sum, &f->sum);
		s->relative_total += f->relative_total;
		atomic_fetch_add(s->in->scanned_objects, f->scanned);
		scanned_retire(f->retired);
		for (int i = 0; i < SCANNED_CNT; i++)
			free(f->own[i].data);
	}
	s->relocs_total = sum.total;
	s->needs_got_base = sum.got_base;
	s->needs_tlsld = sum.tlsld;
	s->has_static_tls = sum.static_tls;
	s->has_textrel = sum.textrel;
	s->addends = sum.addends;
	report_all_undefined(c);
	s->dynrels = GATHER(c, dynrels, struct dynrel, by_place, &cnt);
	s->dynrel_cnt = (uint32_t)cnt;
	s->suspects = GATHER(c, suspects, struct suspect, by_suspect, &cnt);
	s->suspect_cnt = (uint32_t)cnt;
	int rc = keep_locals(c);
	if (no_memory || !s->dynrels || !s->suspects || rc < 0) {
		diag_error(s->in->diag, 0, "out of memory while scanning relocations");
		return -ENOMEM;
	}
	return diag_errors(s->in->diag) ? -EINVAL : 0;
}

/* An upper bound of the image: what every relaxation that must hold at any distance is decided by. */
static void bound_image(struct sections *s)
{
	uint64_t bound = s->alloc_bound + (UINT64_C(1) << 24); /* headers, tables and slots; checked again after layout */
	const struct options *opt = s->in->opt;
	for (uint32_t i = 0; i < s->st->common_cnt; i++)
		bound += s->st->commons[i].sz + s->st->commons[i].align;
	uint64_t base = opt->has_image_base ? opt->image_base : s->in->arch->image_base;
	s->alloc_bound = bound;
	s->small_image = opt->relax && bound < (UINT64_C(1) << 31) - (UINT64_C(1) << 26);
	s->low_image = s->small_image && !s->st->is_pic && base < UINT64_C(1) << 31 &&
		       base + bound < (UINT64_C(1) << 31) - (UINT64_C(1) << 26);
}

int scan_relocations(struct sections *s)
{
	unsigned workers = pool_threads(s->in->pool);
	struct scan c = { .s = s };
	s->tls_get_addr = names_find(s->in->names, "__tls_get_addr", 14);
	bound_image(s);
	memset(&c.facts, 0, sizeof(c.facts)); /* its padding counts, too */
	c.facts.arch = s->in->arch;
	c.facts.tls_get_addr = s->tls_get_addr;
	c.facts.is_pic = s->st->is_pic;
	c.facts.is_shared = s->st->is_shared;
	c.facts.is_dynamic = s->st->is_dynamic;
	c.facts.small_image = s->small_image;
	c.facts.low_image = s->low_image;
	c.facts.z_notext = s->in->opt->z_notext;
	c.facts.has_frames = s->eh_sz;
	c.facts.discard = (uint8_t)s->in->opt->discard;
	s->rel_relative = arena_alloc_array(s->scratch, s->st->sec_cnt, sizeof(*s->rel_relative), 64);
	s->local_counts = arena_alloc_array(s->scratch, (size_t)s->in->file_cnt + 1, sizeof(*s->local_counts), 64);
	c.found = aligned_alloc(64, workers * sizeof(*c.found));
	if (!s->rel_relative || !s->local_counts || !c.found) {
		free(c.found);
		return -ENOMEM;
	}
	memset(c.found, 0, workers * sizeof(*c.found));
	pool_for(s->in->pool, s->st->obj_cnt, 4, scan_range, &c);
	int rc = merge_findings(&c);
	free(c.found);
	return rc;
}
