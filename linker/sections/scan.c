/* scan.c - one walk over the relocations of all allocated live sections: needs, dynamic relocations, errors.
 *
 * Everything later stages must know is learnt here, so every error of allocated sections is found when the link is made
 * (P5). The walk is parallel by object; what each asks for is a product of its own (scanned.h), and goes to its place
 * behind what the objects before it ask for, so nothing depends on which worker saw it. For the overflow proof it keeps
 * the extreme addends of 32-bit relative rows and a list of suspects, which are checked one by one after layout
 * (layout/overflow.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "judge.h"
#include "outsyms.h"
#include "pointers.h"
#include "scanned.h"

struct undefined {
	name_id id;
	uint32_t file, shndx;
	uint64_t off;
};

/* What one worker found. */
struct finding {
	struct list undefs;
	struct scanned_head sum;
	struct list own[SCANNED_CNT]; /* of the object at hand */
	struct scanned_head head;     /* of it */
	struct object_product *retired;
	uint64_t scanned;             /* objects */
	uint64_t relative_total;
	bool no_memory;
	bool has_report;              /* the object at hand */
} __attribute__((aligned(64)));

/* What one object asks for, and where that goes. */
struct share {
	const struct scanned *found;
	uint32_t local, dynrel, suspect; /* the first of it in s->aux, s->dynrels, s->suspects */
};

struct scan {
	struct sections *s;
	struct finding *found; /* by worker */
	struct share *shares;  /* by index in objs */
	struct scan_around around;
	name_id tls_get_addr;
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

static void push_own(struct finding *f, int kind, uint32_t a, uint32_t b, uint32_t c)
{
	struct scanned_row *row = list_push(&f->own[kind], sizeof(*row), &f->no_memory);
	if (row)
		*row = (struct scanned_row){ a, b, c };
}

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
		push_own(p->f, SCANNED_GLOBALS, t->id, needs, 0);
	else
		push_own(p->f, SCANNED_LOCALS, r->sym, needs, 0);
}

/* Does it hold the distance of two places in the image? GD_TO_IE: of a GOT slot from the end of the sequence, which lies whole
 * in its section. */
static bool stays_relative(uint8_t rx)
{
	return rx == RELAX_NO || rx == RELAX_GOT_TO_PC || rx == RELAX_GD_TO_IE;
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
	    (t->flags & (SYM_ABS | SYM_UNDEF_WEAK | SYM_OUTSIDE)) || !stays_relative(rx)) {
		push_own(p->f, SCANNED_SUSPECTS, p->shndx, i, 0);
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
		struct undefined *u = list_push(&p->f->undefs, sizeof(*u), &p->f->no_memory);
		if (u)
			*u = (struct undefined){ t->id, p->file, p->shndx, r->off };
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
			   judge_next_is_tls_call(p->s, p->o, p->is, i, row, p->tls_get_addr), &facts, &bad);
	if (bad)
		report(p, r, row, t, bad);
	return !bad;
}

/* Counts one of the section's. */
static void add_relative(const struct place *p)
{
	const struct list *l = &p->f->own[SCANNED_RELATIVES];
	struct scanned_row *last = l->cnt ? (struct scanned_row *)l->data + l->cnt - 1 : NULL;
	if (last && last->a == p->shndx)
		last->b++;
	else
		push_own(p->f, SCANNED_RELATIVES, p->shndx, 1, 0);
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
			push_own(p->f, SCANNED_DYNRELS, p->shndx, i, t.id);
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
		struct place p = { s, f, o, is, file, i, gs, c->tls_get_addr };
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

/* The rows of one kind. */
static const struct scanned_row *rows_of(const struct scanned *x, int kind)
{
	const struct scanned_row *row = x->rows;
	for (int i = 0; i < kind; i++)
		row += x->cnt[i];
	return row;
}

/* What one object asks for becomes the link's, as far as nobody else has to be known for it. */
static void take_found(struct sections *s, struct finding *f, uint32_t file, const struct scanned *x)
{
	uint32_t *relative = s->rel_relative + s->st->sec_base[file];
	const struct scanned_row *row = rows_of(x, SCANNED_GLOBALS);
	for (uint32_t i = 0; i < x->cnt[SCANNED_GLOBALS]; i++)
		sym_add_flags(s->st, row[i].a, row[i].b);
	row = rows_of(x, SCANNED_RELATIVES);
	for (uint32_t i = 0; i < x->cnt[SCANNED_RELATIVES]; i++)
		relative[row[i].a] = 0;
	for (uint32_t i = 0; i < x->cnt[SCANNED_RELATIVES]; i++) {
		relative[row[i].a] += row[i].b;
		sec_set(s->st, s->st->sec_base[file] + row[i].a, SEC_RELATIVE);
		f->relative_total += row[i].b;
	}
	add_head(&f->sum, &x->head);
	s->local_counts[file] = x->head.locals;
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

/* Scans FILE, whose key is KEY; NULL: what is found is of use to no other link. NULL without memory. */
static const struct scanned *scan_anew(struct scan *c, struct finding *f, uint32_t file, const struct scanned_key *key)
{
	f->scanned++;
	f->has_report = false;
	f->head = (struct scanned_head){ 0 };
	for (int i = 0; i < SCANNED_CNT; i++)
		f->own[i].cnt = 0;
	scan_object(c, f, file);
	if (key && f->own[SCANNED_RELATIVES].cnt)
		pointers_make(c->s->in->files[file].obj, c->s->in->arch);
	f->head.locals = count_locals(c->s, file);
	struct scanned *x = f->no_memory ? NULL : scanned_make(&f->head, f->own);
	if (!x)
		f->no_memory = true;
	else if (key && !f->has_report)
		scanned_keep(c->s->in->files[file].obj, key, c->around.serial, x, &f->retired);
	else
		object_products_retire(&x->older, &f->retired);
	return x;
}

static const struct scanned *scan_file(struct scan *c, struct finding *f, uint32_t file)
{
	if (c->s->st->wrap_cnt) /* names mean others */
		return scan_anew(c, f, file, NULL);
	struct scanned_key key;
	const struct scanned *kept = scanned_find(c->s, &c->around, file, &key);
	return kept ? kept : scan_anew(c, f, file, &key);
}

static void scan_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct scan *c = ctx;
	struct finding *f = &c->found[worker];
	for (size_t k = begin; k < end; k++) {
		uint32_t file = c->s->st->objs[k];
		const struct scanned *x = c->shares[k].found = scan_file(c, f, file);
		if (x)
			take_found(c->s, f, file, x);
	}
}

/* ---- bringing the findings together ---- */

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
	unsigned workers = pool_threads(c->s->in->pool);
	struct list all = { 0 };
	bool no_memory = false;
	for (unsigned w = 0; w < workers; w++) {
		const struct list *l = &c->found[w].undefs;
		for (size_t i = 0; i < l->cnt; i++) {
			struct undefined *u = list_push(&all, sizeof(*u), &no_memory);
			if (u)
				*u = ((const struct undefined *)l->data)[i];
		}
		c->found[w].no_memory |= no_memory;
		free(l->data);
	}
	const struct undefined *u = all.data;
	if (all.cnt)
		qsort(all.data, all.cnt, sizeof(*u), by_reference);
	for (size_t i = 0, n; i < all.cnt; i += n) {
		for (n = 1; i + n < all.cnt && u[i + n].id == u[i].id; n++)
			;
		report_undefined(c->s, u + i, n);
	}
	free(all.data);
}

/* Everything by (file, section, relocation) or (file, symbol), as objects and their rows are in order. */
static void place_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct scan *c = ctx;
	struct sections *s = c->s;
	(void)worker;
	for (size_t k = begin; k < end; k++) {
		const struct share *sh = &c->shares[k];
		uint32_t file = s->st->objs[k], base = s->st->sec_base[file];
		const struct object *o = s->in->files[file].obj;
		const struct scanned_row *row = rows_of(sh->found, SCANNED_LOCALS);
		for (uint32_t i = 0; i < sh->found->cnt[SCANNED_LOCALS]; i++)
			s->aux[sh->local + i] = (struct aux){ .key = (uint64_t)file << 32 | row[i].a, .needs = row[i].b };
		row = rows_of(sh->found, SCANNED_DYNRELS);
		for (uint32_t i = 0; i < sh->found->cnt[SCANNED_DYNRELS]; i++) {
			struct rel r;
			rel_get(o, &o->secs[row[i].a], row[i].b, &r);
			s->dynrels[sh->dynrel + i] =
				(struct dynrel){ base + row[i].a, row[i].b, file, row[i].c, r.off, r.addend };
		}
		row = rows_of(sh->found, SCANNED_SUSPECTS);
		for (uint32_t i = 0; i < sh->found->cnt[SCANNED_SUSPECTS]; i++)
			s->suspects[sh->suspect + i] = (struct suspect){ base + row[i].a, row[i].b, file };
	}
}

/* Local symbols with needs become aux rows at once; globals are found by their flags (slots.c). */
static int place_rows(struct scan *c)
{
	struct sections *s = c->s;
	for (uint32_t k = 0; k < s->st->obj_cnt; k++) {
		struct share *sh = &c->shares[k];
		sh->local = s->aux_cnt;
		sh->dynrel = s->dynrel_cnt;
		sh->suspect = s->suspect_cnt;
		s->aux_cnt += sh->found->cnt[SCANNED_LOCALS];
		s->dynrel_cnt += sh->found->cnt[SCANNED_DYNRELS];
		s->suspect_cnt += sh->found->cnt[SCANNED_SUSPECTS];
	}
	s->aux = arena_alloc_array(s->arena, (size_t)s->aux_cnt + 1, sizeof(*s->aux), 8);
	s->dynrels = malloc(((size_t)s->dynrel_cnt + 1) * sizeof(*s->dynrels));
	s->suspects = malloc(((size_t)s->suspect_cnt + 1) * sizeof(*s->suspects));
	if (!s->aux || !s->dynrels || !s->suspects)
		return -ENOMEM;
	pool_for(s->in->pool, s->st->obj_cnt, 64, place_range, c);
	return 0;
}

static int merge_findings(struct scan *c)
{
	struct sections *s = c->s;
	bool no_memory = false;
	struct scanned_head sum = { 0 };
	report_all_undefined(c);
	for (unsigned w = 0; w < pool_threads(s->in->pool); w++) {
		const struct finding *f = &c->found[w];
		no_memory |= f->no_memory;
		add_head(&sum, &f->sum);
		s->relative_total += f->relative_total;
		atomic_fetch_add(s->in->scanned_objects, f->scanned);
	}
	s->relocs_total = sum.total;
	s->needs_got_base = sum.got_base;
	s->needs_tlsld = sum.tlsld;
	s->has_static_tls = sum.static_tls;
	s->has_textrel = sum.textrel;
	s->addends = sum.addends;
	if (no_memory || place_rows(c)) {
		diag_error(s->in->diag, 0, "out of memory while scanning relocations");
		return -ENOMEM;
	}
	return diag_errors(s->in->diag) ? -EINVAL : 0;
}

static void findings_free(struct scan *c)
{
	for (unsigned w = 0; w < pool_threads(c->s->in->pool); w++) {
		object_products_free(c->found[w].retired);
		for (int i = 0; i < SCANNED_CNT; i++)
			free(c->found[w].own[i].data);
	}
	free(c->found);
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

static struct scanned_digest digest_facts(const struct sections *s)
{
	struct scan_facts facts;
	memset(&facts, 0, sizeof(facts)); /* its padding counts, too */
	facts.arch = s->in->arch;
	facts.tls_get_addr = s->tls_get_addr;
	facts.is_pic = s->st->is_pic;
	facts.is_shared = s->st->is_shared;
	facts.is_dynamic = s->st->is_dynamic;
	facts.small_image = s->small_image;
	facts.low_image = s->low_image;
	facts.z_notext = s->in->opt->z_notext;
	facts.has_frames = s->eh_sz;
	facts.discard = (uint8_t)s->in->opt->discard;
	return scanned_facts(&facts);
}

int scan_relocations(struct sections *s)
{
	unsigned workers = pool_threads(s->in->pool);
	struct scan c = { .s = s };
	struct scanned_names *own = NULL, **names = s->in->scanned_names ? s->in->scanned_names : &own;
	if (scanned_names_update(s, names))
		return -ENOMEM;
	c.around.names = *names;
	c.around.serial = own ? 0 : (*names)->serial;
	s->tls_get_addr = c.tls_get_addr = names_find(s->in->names, "__tls_get_addr", 14);
	bound_image(s);
	c.around.facts = digest_facts(s);
	s->rel_relative = arena_alloc_raw_array(s->scratch, s->st->sec_cnt, sizeof(*s->rel_relative), 64);
	s->local_counts = arena_alloc_array(s->scratch, (size_t)s->in->file_cnt + 1, sizeof(*s->local_counts), 64);
	c.shares = malloc(((size_t)s->st->obj_cnt + 1) * sizeof(*c.shares));
	c.found = aligned_alloc(64, workers * sizeof(*c.found));
	if (!s->rel_relative || !s->local_counts || !c.shares || !c.found) {
		free(own);
		free(c.shares);
		free(c.found);
		return -ENOMEM;
	}
	memset(c.found, 0, workers * sizeof(*c.found));
	pool_for(s->in->pool, s->st->obj_cnt, 8, scan_range, &c);
	int rc = merge_findings(&c);
	findings_free(&c);
	free(own);
	free(c.shares);
	return rc;
}
