/* recipe.c - everything that the symbols stage reads, in one place (recipe.h).
 *
 * What the passes read, and where it is here:
 *
 *	symtab.c    options (kind, wraps, defsyms), the kinds of files                     hash_options, hash_files
 *	extract.c   options (entry, -u, --require-defined, --defsym), the scripts' entry   hash_options, hash_scripts
 *	            and EXTERN; each file's kind, laziness, liveness; indices of archives;  hash_files
 *	            names and bindings of globals, if they are defined; dynamic symbols    hash_symbols, shlib.digest
 *	comdat.c    groups: signature, COMDAT or not; members, and counts of sections      hash_groups; number_sections
 *	resolve.c   visibility, type, the group of the section, whether the value lies     hash_symbols
 *	            outside of it, size and alignment of commons; --exclude-libs by file   hash_files
 *	linkdefs.c  names of allocated sections that are C names; versions of libraries    hash_names, shlib.digest
 *	versions.c  the texts f@V and f@@V of symbols; scripts and lists                   hash_symbols, hash_scripts
 *	facts.c     options
 *
 * A pass that reads more has to add it here; tests/tidy/recipe.sh looks after the options.
 */
#include "recipe.h"

#include <stdlib.h>
#include <string.h>

#define XXH_STATIC_LINKING_ONLY /* the states live on the stack */
#include <xxhash.h>

#include "script.h"
#include "symtab_priv.h"

enum { BATCH = 64, FILES_GRAIN = 128 };

/* ---- what is not an object ---- */

static void hash_text(XXH3_state_t *h, const char *text)
{
	size_t sz = text ? strlen(text) + 1 : 0; /* the NUL ends it; NULL is no text */
	XXH3_128bits_update(h, &sz, sizeof(sz));
	if (sz)
		XXH3_128bits_update(h, text, sz);
}

static void hash_texts(XXH3_state_t *h, const char *const *texts, size_t cnt)
{
	XXH3_128bits_update(h, &cnt, sizeof(cnt));
	for (size_t i = 0; i < cnt; i++)
		hash_text(h, texts[i]);
}

static void hash_options(XXH3_state_t *h, const struct options *opt)
{
	const uint64_t words[] = {
		opt->kind, opt->is_static, opt->no_dynamic_linker, opt->export_dynamic, opt->bsymbolic,
		opt->allow_multiple_definition, opt->unresolved_object, opt->no_undefined, opt->no_undefined_version,
		opt->z_defs, opt->z_nodynamic_undefined_weak, opt->start_stop_visibility, opt->sort_common,
		opt->dynamic_list_cnt, opt->defsym_cnt,
	};
	XXH3_128bits_update(h, words, sizeof(words));
	hash_text(h, opt->entry);
	hash_texts(h, opt->undefined, opt->undefined_cnt);
	hash_texts(h, opt->require_defined, opt->require_defined_cnt);
	hash_texts(h, opt->wraps, opt->wrap_cnt);
	hash_texts(h, opt->export_symbols, opt->export_symbol_cnt);
	for (size_t i = 0; i < opt->defsym_cnt; i++) {
		hash_text(h, opt->defsyms[i].name);
		hash_text(h, opt->defsyms[i].expr);
	}
}

static void hash_scripts(XXH3_state_t *h, const struct inputs *in)
{
	hash_text(h, in->entry);
	hash_texts(h, in->externs, in->extern_cnt);
	XXH3_128bits_update(h, &in->list_cnt, sizeof(in->list_cnt));
	for (uint32_t i = 0; i < in->list_cnt; i++) {
		const struct version_script *s = in->lists[i].script;
		const uint64_t words[] = { in->lists[i].is_dynamic, s->node_cnt };
		XXH3_128bits_update(h, words, sizeof(words));
		for (size_t n = 0; n < s->node_cnt; n++) {
			const struct version_node *node = &s->nodes[n];
			hash_text(h, node->name);
			hash_texts(h, node->parents, node->parent_cnt);
			XXH3_128bits_update(h, &node->pattern_cnt, sizeof(node->pattern_cnt));
			for (size_t k = 0; k < node->pattern_cnt; k++) {
				const struct version_pattern *p = &node->patterns[k];
				const bool is[] = { p->is_cxx, p->is_exact, p->is_local, p->is_ext };
				XXH3_128bits_update(h, is, sizeof(is));
				hash_text(h, p->pattern);
			}
		}
	}
}

/* False: a thin archive, whose members are opened when they are wanted. */
static bool hash_files(XXH3_state_t *h, const struct inputs *in)
{
	for (uint32_t i = 1; i < in->file_cnt; i++) {
		const struct ifile *f = &in->files[i];
		const struct archive *ar = inputs_archive(f);
		bool has_index = ar && ar->has_index;
		uint64_t row[4] = { (uint64_t)f->member << 32 | f->kind | (uint64_t)f->is_lazy << 8 |
				    (uint64_t)atomic_load(&f->is_live) << 9 | (uint64_t)f->hides_symbols << 10 |
				    (uint64_t)(ar != NULL) << 11 | (uint64_t)has_index << 12 |
				    (uint64_t)(f->obj != NULL) << 13 };
		if (ar && ar->is_thin)
			return false;
		if (f->kind == IFILE_SHLIB)
			memcpy(row + 1, f->shlib->digest, sizeof(f->shlib->digest));
		else if (has_index && !f->member)
			memcpy(row + 1, ar->digest, sizeof(ar->digest));
		XXH3_128bits_update(h, row, sizeof(row));
	}
	return true;
}

struct recipe *recipe_new(const struct inputs *in)
{
	XXH3_state_t h;
	if (in->claimer || in->plan || in->taken_cnt || in->opt->trace_symbol_cnt)
		return NULL;
	struct recipe *r = calloc(1, sizeof(*r) + in->file_cnt * sizeof(*r->by_file));
	if (!r)
		return NULL;
	r->file_cnt = in->file_cnt;
	XXH3_128bits_reset(&h);
	XXH3_128bits_update(&h, &in->arch, sizeof(in->arch));
	XXH3_128bits_update(&h, &in->file_cnt, sizeof(in->file_cnt));
	hash_options(&h, in->opt);
	hash_scripts(&h, in);
	if (!hash_files(&h, in)) {
		free(r);
		return NULL;
	}
	XXH128_hash_t d = XXH3_128bits_digest(&h);
	r->key[0] = d.low64;
	r->key[1] = d.high64;
	return r;
}

/* ---- objects ---- */

/* Of a value only the fact counts that resolve.c asks, but for commons; of a section, what group it dies with. */
static void hash_symbols(XXH3_state_t *h, const struct object *o)
{
	struct {
		name_id name;
		uint32_t shndx, group, facts;
		uint64_t value, sz;
	} rows[BATCH];
	uint32_t n = 0;
	for (uint32_t i = o->first_global; i < o->sym_cnt; i++) {
		struct esym s;
		esym_get(o, i, &s);
		bool is_common = s.shndx == OBJ_SHN_COMMON;
		const struct isec *is = s.shndx != SHN_UNDEF && s.shndx < o->sec_cnt ? &o->secs[s.shndx] : NULL;
		bool is_outside = is && value_is_outside(is, s.value);
		rows[n].name = o->names[i - o->first_global];
		rows[n].shndx = is ? 1 : s.shndx;
		rows[n].group = is ? is->group : 0;
		rows[n].facts = s.bind | (uint32_t)s.type << 4 | (uint32_t)s.vis << 8 | (uint32_t)is_outside << 10;
		rows[n].value = is_common ? s.value : 0;
		rows[n].sz = is_common ? s.size : 0;
		if (++n == BATCH || i + 1 == o->sym_cnt) {
			XXH3_128bits_update(h, rows, n * sizeof(*rows));
			n = 0;
		}
		if (o->has_versions)
			hash_text(h, o->strtab + s.name);
	}
}

static void hash_groups(XXH3_state_t *h, const struct object *o)
{
	for (uint32_t i = 0; i < o->group_cnt; i++) {
		const uint32_t words[] = { o->groups[i].signature, o->groups[i].is_comdat };
		XXH3_128bits_update(h, words, sizeof(words));
	}
}

/* Those that a __start_NAME could mean: no C name begins with a dot. */
static void hash_names(XXH3_state_t *h, const struct object *o)
{
	for (uint32_t i = 1; i < o->sec_cnt; i++) {
		const char *name = isec_name(o, &o->secs[i]);
		if (!(o->secs[i].flags & SHF_ALLOC) || *name == '.')
			continue;
		XXH3_128bits_update(h, &o->secs[i].group, sizeof(o->secs[i].group));
		hash_text(h, name);
	}
}

static uint64_t number_sections(const struct object *o)
{
	XXH3_state_t h;
	XXH3_64bits_reset(&h);
	XXH3_64bits_update(&h, &o->sec_cnt, sizeof(o->sec_cnt));
	for (uint32_t i = 0; i < o->group_cnt; i++) {
		const struct group *g = &o->groups[i];
		XXH3_64bits_update(&h, &g->member_cnt, sizeof(g->member_cnt));
		XXH3_64bits_update(&h, g->members, g->member_cnt * sizeof(*g->members));
	}
	return XXH3_64bits_digest(&h);
}

/* Made when first asked for, then kept with the object. As object_digest: what is never 0 says that all is there. */
static struct recipe_object look_at(struct object *o)
{
	struct recipe_object row = { .first_global = o->first_global };
	row.digest[1] = atomic_load_explicit(&o->symbols[1], memory_order_acquire);
	row.digest[0] = atomic_load_explicit(&o->symbols[0], memory_order_relaxed);
	row.numbering = atomic_load_explicit(&o->symbols[2], memory_order_relaxed);
	if (row.digest[1])
		return row;
	const uint32_t words[] = { o->machine, o->elf_class, o->is_be, o->has_ir, o->sym_cnt - o->first_global,
				   o->has_versions, o->group_cnt };
	XXH3_state_t h;
	XXH3_128bits_reset(&h);
	XXH3_128bits_update(&h, words, sizeof(words));
	hash_symbols(&h, o);
	hash_groups(&h, o);
	hash_names(&h, o);
	XXH128_hash_t d = XXH3_128bits_digest(&h);
	row.digest[0] = d.low64;
	row.digest[1] = d.high64 | 1;
	row.numbering = number_sections(o);
	atomic_store_explicit(&o->symbols[0], row.digest[0], memory_order_relaxed);
	atomic_store_explicit(&o->symbols[2], row.numbering, memory_order_relaxed);
	atomic_store_explicit(&o->symbols[1], row.digest[1], memory_order_release);
	return row;
}

struct job {
	const struct inputs *in;
	struct recipe *to;           /* recipe_complete */
	const struct recipe *old;    /* recipe_fits */
	uint32_t *missing;           /* files whose objects nobody has parsed yet */
	_Atomic uint32_t missing_cnt;
	atomic_bool differs, globals, sections;
};

static void complete_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct job *j = ctx;
	(void)worker;
	for (size_t i = begin; i < end; i++) {
		struct object *o = j->in->files[i].obj;
		if (!o)
			continue;
		if (o->has_ir)
			atomic_store(&j->differs, true);
		j->to->by_file[i] = look_at(o);
	}
}

bool recipe_complete(struct recipe *r, const struct inputs *in)
{
	struct job j = { .in = in, .to = r };
	bool is_other;
	pool_for(in->pool, in->file_cnt, FILES_GRAIN, complete_range, &j);
	if (atomic_load(&j.differs))
		return false;
	/* The digests were made of the bytes that were resolved, if these are still those of the file that was opened. */
	for (uint32_t i = 0; i < in->held_cnt; i++)
		if (infile_check(in->held[i], &is_other) || is_other)
			return false;
	return true;
}

static void compare_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct job *j = ctx;
	(void)worker;
	for (size_t i = begin; i < end && !atomic_load_explicit(&j->differs, memory_order_relaxed); i++) {
		const struct recipe_object *old = &j->old->by_file[i];
		if (!old->digest[1])
			continue;
		struct object *o = inputs_resident(&j->in->files[i]);
		if (!o) {
			j->missing[atomic_fetch_add(&j->missing_cnt, 1)] = (uint32_t)i;
			continue;
		}
		struct recipe_object now = look_at(o);
		if (now.digest[0] != old->digest[0] || now.digest[1] != old->digest[1])
			atomic_store_explicit(&j->differs, true, memory_order_relaxed);
		if (now.first_global != old->first_global)
			atomic_store_explicit(&j->globals, true, memory_order_relaxed);
		if (now.numbering != old->numbering)
			atomic_store_explicit(&j->sections, true, memory_order_relaxed);
	}
}

bool recipe_fits(const struct recipe *old, const struct recipe *now, const struct inputs *in,
		 struct recipe_moves *ret_moves)
{
	if (old->key[0] != now->key[0] || old->key[1] != now->key[1] || old->file_cnt != now->file_cnt)
		return false;
	struct job j = { .in = in, .old = old, .missing = malloc(in->file_cnt * sizeof(*j.missing)) };
	if (!j.missing)
		return false;
	pool_for(in->pool, in->file_cnt, FILES_GRAIN, compare_range, &j);
	uint32_t cnt = atomic_load(&j.missing_cnt);
	if (cnt && !atomic_load(&j.differs)) {
		inputs_parse_ahead(in, j.missing, cnt);
		atomic_store(&j.missing_cnt, 0);
		pool_for(in->pool, in->file_cnt, FILES_GRAIN, compare_range, &j);
	}
	free(j.missing);
	*ret_moves = (struct recipe_moves){ atomic_load(&j.globals), atomic_load(&j.sections) };
	return !atomic_load(&j.differs) && !atomic_load(&j.missing_cnt);
}

void recipe_move(struct recipe *r, const struct inputs *in)
{
	for (uint32_t i = 1; i < r->file_cnt; i++)
		if (r->by_file[i].digest[1])
			r->by_file[i] = look_at(in->files[i].obj);
}
