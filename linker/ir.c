/* ir.c - what intermediate code is told about the rest of the link, and the plan that its compilation gives.
 *
 * The passes are those of a link up to the symbols: extraction, COMDAT, providers, versions and exports are decided for
 * intermediate code by the code that decides them for objects. What a symbol means follows from its provider and from who
 * mentions it outside of intermediate code. inputs_ir.c reads the plan; linkfs_ir.h has the contract.
 * Source: GCC wiki "whopr/driver" (the linker plugin's resolutions), binutils' documentation of ld's plugin interface.
 */
#include "linkfs_ir.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

struct linkfs_ir {
	struct options *opt;
	struct inputs *in;
	struct symtab *st;
	uint8_t *outside;  /* by name: what those do with it who are not intermediate code; enum outside */
	uint32_t *claim;   /* by file: 1 + its claim */
};

enum outside {
	OUTSIDE_MENTION = 1,
	OUTSIDE_COMMON = 2, /* has it as a common symbol, which may be the larger one */
	OUTSIDE_GROUP = 4,  /* has, or may have, a COMDAT group of that signature */
};

/* ---- who mentions what ---- */

static void mention(struct linkfs_ir *ir, const char *name, size_t len)
{
	name_id id = names_find(ir->in->names, name, len);
	if (id && id < ir->st->cnt)
		ir->outside[id] |= OUTSIDE_MENTION;
}

static void mention_all(struct linkfs_ir *ir, const char *const *names, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		mention(ir, names[i], strlen(names[i]));
}

/* f, __wrap_f and __real_f stand for each other: who refers to one may mean another. */
static void mention_wraps(struct linkfs_ir *ir)
{
	for (uint32_t i = 0; i < ir->st->wrap_cnt; i++) {
		ir->outside[ir->st->wrap_from[i]] |= OUTSIDE_MENTION;
		ir->outside[ir->st->wrap_to[i]] |= OUTSIDE_MENTION;
	}
}

static void mention_expr(struct linkfs_ir *ir, const char *expr)
{
	while (*expr) {
		size_t n = strcspn(expr, "+-*/()&|~ \t");
		mention(ir, expr, n);
		expr += n ? n : 1;
	}
}

static void mention_options(struct linkfs_ir *ir)
{
	const struct options *opt = ir->in->opt;
	const char *entry = opt->entry ? opt->entry : ir->in->entry ? ir->in->entry : "_start";
	const char *const own[] = { entry, opt->init ? opt->init : "", opt->fini ? opt->fini : "" };
	mention_all(ir, own, sizeof(own) / sizeof(*own));
	mention_all(ir, opt->undefined, opt->undefined_cnt);
	mention_all(ir, opt->require_defined, opt->require_defined_cnt);
	mention_all(ir, ir->in->externs, ir->in->extern_cnt);
	for (size_t i = 0; i < opt->defsym_cnt; i++)
		mention_expr(ir, opt->defsyms[i].expr);
	mention_wraps(ir);
}

static void mention_object(struct linkfs_ir *ir, uint32_t file)
{
	const struct object *o = ir->in->files[file].obj;
	for (uint32_t i = o->first_global; i < o->sym_cnt; i++) {
		struct esym s;
		esym_get(o, i, &s);
		ir->outside[sym_name(ir->st, o, i, s.shndx == SHN_UNDEF)] |=
			OUTSIDE_MENTION | (s.shndx == OBJ_SHN_COMMON ? OUTSIDE_COMMON : 0);
	}
	for (uint32_t g = 0; g < o->group_cnt; g++)
		ir->outside[o->groups[g].signature] |= OUTSIDE_GROUP;
}

/* Members that are extracted later, for compiled code, may have groups; mostly of their symbols' names. */
static void mention_archive(struct linkfs_ir *ir, const struct archive *ar)
{
	for (uint32_t i = 0; i < ar->sym_cnt; i++)
		ir->outside[ar->syms[i].name] |= OUTSIDE_GROUP;
}

/* ---- what symbols mean ---- */

static bool is_of_ir(const struct linkfs_ir *ir, uint64_t win)
{
	return win != PROVIDER_NONE && provider_rank(win) < RANK_SHARED && ir->claim[provider_file(win)];
}

/* Section bounds and the like depend on sections, which are known when everything is compiled. */
static bool is_late(const struct linkfs_ir *ir, uint64_t win)
{
	return win != PROVIDER_NONE && !provider_file(win) && ir->st->linkdefs[provider_sym(win)].kind != LINKDEF_EXPR;
}

static enum linkfs_ir_meaning reference(const struct linkfs_ir *ir, name_id id)
{
	uint32_t fl = sym_flags(ir->st, id);
	uint64_t win = sym_win(ir->st, id);
	if (!(fl & (SYM_DEF | SYM_SHARED)) || is_late(ir, win))
		return LINKFS_IR_UNDEFINED;
	if (fl & SYM_DEF)
		return is_of_ir(ir, win) ? LINKFS_IR_FOUND_IR : LINKFS_IR_FOUND;
	return LINKFS_IR_FOUND_SHARED;
}

static enum linkfs_ir_meaning definition(const struct linkfs_ir *ir, uint32_t file, uint32_t i, name_id id, bool is_common)
{
	uint64_t win = sym_win(ir->st, id);
	if (is_common && provider_rank(win) == RANK_COMMON && (ir->outside[id] & OUTSIDE_COMMON))
		return LINKFS_IR_FOUND;
	if (provider_file(win) == file && provider_sym(win) == i && win != PROVIDER_NONE) {
		if (ir->outside[id] & OUTSIDE_MENTION)
			return LINKFS_IR_PREVAILS;
		return sym_flags(ir->st, id) & SYM_EXPORT ? LINKFS_IR_PREVAILS_EXPORTED : LINKFS_IR_PREVAILS_ALONE;
	}
	if (is_common)
		return reference(ir, id);
	return is_of_ir(ir, win) ? LINKFS_IR_PREEMPTED_IR : LINKFS_IR_PREEMPTED;
}

static void tell(struct linkfs_ir *ir, const struct ir_claim *c)
{
	c->claimed->is_linked = atomic_load(&ir->in->files[c->file].is_live);
	for (uint32_t i = 1; i < c->obj->sym_cnt; i++) {
		struct linkfs_ir_symbol *s = &c->claimed->symbols[i - 1];
		bool is_ref = s->kind == LINKFS_IR_UNDEF || s->kind == LINKFS_IR_WEAK_UNDEF;
		name_id id = sym_name(ir->st, c->obj, i, is_ref);
		if (!c->claimed->is_linked)
			s->meaning = is_ref ? LINKFS_IR_UNDEFINED : LINKFS_IR_PREEMPTED;
		else if (is_ref)
			s->meaning = reference(ir, id);
		else
			s->meaning = definition(ir, c->file, i, id, s->kind == LINKFS_IR_COMMON);
	}
}

static int tell_all(struct linkfs_ir *ir)
{
	const struct symtab *st = ir->st;
	ir->outside = calloc((size_t)st->cnt + 1, sizeof(*ir->outside));
	ir->claim = calloc((size_t)ir->in->file_cnt + 1, sizeof(*ir->claim));
	if (!ir->outside || !ir->claim)
		return -ENOMEM;
	for (uint32_t i = 0; i < ir->in->claim_cnt; i++)
		ir->claim[ir->in->claims[i].file] = i + 1;
	for (uint32_t k = 0; k < st->obj_cnt; k++)
		if (!ir->claim[st->objs[k]])
			mention_object(ir, st->objs[k]);
	for (uint32_t i = 1; i < ir->in->file_cnt; i++)
		if (inputs_archive(&ir->in->files[i]) && !ir->in->files[i].member)
			mention_archive(ir, inputs_archive(&ir->in->files[i]));
	mention_options(ir);
	for (uint32_t i = 0; i < ir->in->claim_cnt; i++)
		tell(ir, &ir->in->claims[i]);
	return 0;
}

static int resolve(struct linkfs_linker *l, const struct linkfs_opener *opener, const struct linkfs_ir_claimer *claimer,
		   struct diag *d, struct linkfs_ir *ir)
{
	struct inputs_config cfg = { .opt = ir->opt, .mapper = l->mapper, .names = l->names, .strings = l->strings,
				     .pool = l->pool, .diag = d,
				     .opener = opener, .parsed_objects = &l->parsed_objects,
				     .scanned_objects = &l->scanned_objects, .claimer = claimer };
	pthread_mutex_lock(&l->lock);
	int rc = inputs_load(&cfg, &ir->in);
	if (!rc)
		rc = symtab_resolve(ir->in, &ir->st);
	if (!rc)
		rc = diag_errors(d) ? -EINVAL : tell_all(ir);
	pthread_mutex_unlock(&l->lock);
	return rc;
}

int linkfs_ir_resolve(struct linkfs_linker *l, const struct linkfs_request *rq, const struct linkfs_ir_claimer *claimer,
		      struct diag *d, struct linkfs_ir **ret_ir)
{
	int cwd_fd = rq->cwd_fd;
	struct linkfs_opener plain = { .open = link_open_plain, .ctx = &cwd_fd };
	const struct linkfs_opener *opener = rq->opener ? rq->opener : &plain;
	struct linkfs_ir *ir = calloc(1, sizeof(*ir));
	char *text = NULL;
	int rc = ir ? link_read_options(rq, opener, d, &ir->opt, &text) : -ENOMEM;
	free(text); /* who made the link before has shown it */
	if (!rc)
		rc = resolve(l, opener, claimer, d, ir);
	if (rc) {
		if (!diag_errors(d))
			diag_error(d, 0, "resolving intermediate code: %s", strerror(-rc));
		linkfs_ir_free(ir);
		return rc;
	}
	*ret_ir = ir;
	return 0;
}

struct linkfs_ir *linkfs_ir_free(struct linkfs_ir *ir)
{
	if (!ir)
		return NULL;
	free(ir->outside);
	free(ir->claim);
	symtab_free(ir->st);
	inputs_free(ir->in);
	options_free(ir->opt);
	free(ir);
	return NULL;
}

/* ---- the plan ---- */

/* Where GNU ld puts what was compiled: where the first claimed object stood, before the archive if it was a member. */
static uint32_t place_of(const struct linkfs_ir *ir)
{
	uint32_t at = 0;
	for (uint32_t i = 0; i < ir->in->claim_cnt; i++) {
		const struct ir_claim *c = &ir->in->claims[i];
		const struct ifile *f = &ir->in->files[c->file];
		uint32_t first = c->file - (inputs_archive(f) ? f->member : 0);
		if (c->claimed->is_linked && (!at || first < at))
			at = first;
	}
	return at;
}

/* A list like 1-3,7 of the files that IS names. */
static void print_positions(FILE *f, const char *key, const struct linkfs_ir *ir,
			    bool (*is)(const struct linkfs_ir *ir, uint32_t file))
{
	bool any = false;
	fputs(key, f);
	for (uint32_t i = 1; i < ir->in->file_cnt; i++) {
		uint32_t end = i;
		while (end < ir->in->file_cnt && is(ir, end))
			end++;
		if (end == i)
			continue;
		fprintf(f, end - i > 1 ? "%s%u-%u" : "%s%u", any ? "," : "", i, end - 1);
		any = true;
		i = end;
	}
	fputc(0, f);
}

static bool is_claimed(const struct linkfs_ir *ir, uint32_t file)
{
	return ir->claim[file];
}

/* Linked because of intermediate code or not: it stays, since symbols were told what they are by it. */
static bool is_extracted(const struct linkfs_ir *ir, uint32_t file)
{
	const struct ifile *f = &ir->in->files[file];
	return f->kind == IFILE_OBJECT && f->is_lazy && atomic_load(&f->is_live) && !ir->claim[file];
}

/* The groups that intermediate code has and nobody else may: what is compiled of it need not be in a group any more. */
static size_t print_groups(FILE *f, const struct linkfs_ir *ir)
{
	size_t cnt = 0;
	for (uint32_t i = 0; i < ir->in->claim_cnt; i++) {
		const struct ir_claim *c = &ir->in->claims[i];
		for (uint32_t g = 0; c->claimed->is_linked && g < c->obj->group_cnt; g++) {
			const struct group *gr = &c->obj->groups[g];
			const struct name *n = names_get(ir->in->names, gr->signature);
			if (!(ir->outside[gr->signature] & OUTSIDE_GROUP) ||
			    sec_is(ir->st, gsec(ir->st, c->file, gr->members[0]), SEC_DEAD_COMDAT))
				continue;
			fprintf(f, "group:%.*s%c", (int)n->len, n->str, 0);
			cnt++;
		}
	}
	return cnt;
}

/* Words, each with its NUL. */
static char *print_plan(const struct linkfs_ir *ir, const struct linkfs_ir_yield *yields, size_t cnt, size_t *ret_cnt,
			size_t *ret_sz)
{
	static const char *const keys[] = {
		[LINKFS_IR_OBJECT] = "object", [LINKFS_IR_LIBRARY] = "library", [LINKFS_IR_LIBPATH] = "libpath"
	};
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_sz);
	if (!f)
		return NULL;
	fprintf(f, "check:%016" PRIx64 "%c", ir->in->fingerprint, 0);
	fprintf(f, "at:%u%c", place_of(ir), 0);
	print_positions(f, "claimed:", ir, is_claimed);
	print_positions(f, "linked:", ir, is_extracted);
	*ret_cnt = 4 + print_groups(f, ir) + cnt;
	for (size_t i = 0; i < cnt; i++)
		fprintf(f, "%s:%s%c", keys[yields[i].kind], yields[i].name, 0);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

int linkfs_ir_plan(const struct linkfs_ir *ir, const struct linkfs_ir_yield *yields, size_t yield_cnt, int *ret_cnt,
		   char ***ret_words)
{
	size_t sz = 0, cnt = 0;
	char *text = print_plan(ir, yields, yield_cnt, &cnt, &sz);
	char **words = text ? malloc((cnt + 1) * sizeof(*words) + sz) : NULL;
	if (!words) {
		free(text);
		return -ENOMEM;
	}
	char *at = memcpy(words + cnt + 1, text, sz);
	for (size_t i = 0; i < cnt; i++, at += strlen(at) + 1)
		words[i] = at;
	words[cnt] = NULL;
	free(text);
	*ret_cnt = (int)cnt;
	*ret_words = words;
	return 0;
}
