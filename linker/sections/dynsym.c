/* dynsym.c - which names the dynamic loader sees: imports, exports, their versions, and the strings of .dynstr.
 *
 * .gnu.hash wants the names it finds grouped by bucket at the end of .dynsym; imports come before. Within a bucket and
 * among imports the order is that of the providers, so nothing depends on name ids. Versions needed are numbered per
 * library in command-line order. Bytes are rendered elsewhere (render/dyn*.c); this file decides.
 * Source: gABI ch. 5 "Dynamic Section"; LSB Core "Symbol Versioning"; the GNU hash section as glibc reads it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sections_priv.h"

#define VERSIONS_MAX 0x8000 /* .gnu.version has 15 bits for them */

uint32_t strbuf_add(struct strbuf *b, const char *str, size_t len)
{
	if (len >= UINT32_MAX - b->sz - 1)
		return UINT32_MAX;
	if (b->sz + len + 1 > b->cap) {
		size_t cap = ((size_t)b->sz + len + 1) * 2;
		char *p = cap < UINT32_MAX ? realloc(b->data, cap) : NULL;
		if (!p)
			return UINT32_MAX;
		b->data = p;
		b->cap = (uint32_t)cap;
	}
	uint32_t at = b->sz;
	memcpy(b->data + at, str, len);
	b->data[at + len] = 0;
	b->sz += (uint32_t)len + 1;
	return at;
}

static uint32_t gnu_hash(const char *str, size_t len)
{
	uint32_t h = 5381;
	for (size_t i = 0; i < len; i++)
		h = h * 33 + (unsigned char)str[i];
	return h;
}

uint32_t sysv_hash(const char *str)
{
	uint32_t h = 0;
	for (; *str; str++) {
		h = (h << 4) + (unsigned char)*str;
		uint32_t g = h & 0xf0000000;
		h ^= g >> 24;
		h &= ~g;
	}
	return h;
}

/* A name without its version. */
static size_t bare_len(const struct name *n)
{
	const char *at = memchr(n->str, '@', n->len);
	return at && at != n->str ? (size_t)(at - n->str) : n->len;
}

static bool is_import(uint32_t fl)
{
	return (fl & SYM_PREEMPT) && !(fl & SYM_DEF) && (fl & NEED_ANY);
}

/* Found by name at run time: exports, copies and canonical PLT entries. */
static bool is_hashed(uint32_t fl)
{
	return (fl & SYM_EXPORT) || ((fl & SYM_PREEMPT) && (fl & (NEED_COPY | NEED_CPLT)));
}

static int by_provider(const void *x, const void *y, void *ctx)
{
	const struct sections *s = ctx;
	name_id a = ((const struct dynsym *)x)->name, b = ((const struct dynsym *)y)->name;
	uint64_t wa = sym_win(s->st, a), wb = sym_win(s->st, b);
	if (wa != wb)
		return wa < wb ? -1 : 1;
	return names_compare(s->in->names, a, b);
}

static int by_bucket(const void *x, const void *y, void *ctx)
{
	const struct sections *s = ctx;
	const struct dynsym *a = x, *b = y;
	uint32_t ba = a->hash % s->gnu_buckets, bb = b->hash % s->gnu_buckets;
	return ba != bb ? (ba < bb ? -1 : 1) : by_provider(x, y, ctx);
}

static int collect(struct sections *s)
{
	uint32_t cnt = 1, at = 1;
	for (uint32_t i = 0; s->st->is_dynamic && i < s->priv->asked_cnt; i++) {
		uint32_t fl = sym_flags(s->st, s->priv->asked[i]);
		cnt += is_import(fl) || is_hashed(fl);
	}
	s->dynsyms = arena_alloc_array(s->arena, cnt, sizeof(*s->dynsyms), 8);
	s->dynsym_of = arena_alloc_array(s->scratch, s->st->cnt, sizeof(*s->dynsym_of), 64);
	if (!s->dynsyms || !s->dynsym_of)
		return -ENOMEM;
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; cnt > 1 && i < s->priv->asked_cnt; i++) {
			name_id id = s->priv->asked[i];
			uint32_t fl = sym_flags(s->st, id);
			bool hashed = is_hashed(fl);
			if (pass ? hashed : is_import(fl) && !hashed) {
				const struct name *n = names_get(s->in->names, id);
				uint16_t version = s->st->version && (fl & SYM_DEF) ? s->st->version[id] : 0;
				s->dynsyms[at++] = (struct dynsym){ .name = id, .version = version ? version : 1,
								    .hash = gnu_hash(n->str, bare_len(n)) };
			}
		}
		if (!pass)
			s->dynsym_hashed = at;
	}
	s->dynsym_cnt = cnt;
	s->gnu_buckets = (cnt - s->dynsym_hashed) / 4 + 1;
	qsort_r(s->dynsyms + 1, s->dynsym_hashed - 1, sizeof(*s->dynsyms), by_provider, s);
	qsort_r(s->dynsyms + s->dynsym_hashed, cnt - s->dynsym_hashed, sizeof(*s->dynsyms), by_bucket, s);
	for (uint32_t i = 1; i < cnt; i++)
		s->dynsym_of[s->dynsyms[i].name] = i;
	for (uint32_t i = 0; i < s->aux_cnt; i++)
		s->aux[i].dynsym = s->aux[i].name ? s->dynsym_of[s->aux[i].name] : 0;
	return 0;
}

static int add_names(struct sections *s)
{
	for (uint32_t i = 1; i < s->dynsym_cnt; i++) {
		const struct name *n = names_get(s->in->names, s->dynsyms[i].name);
		s->dynsyms[i].str = strbuf_add(&s->dynstr, n->str, bare_len(n));
		if (s->dynsyms[i].str == UINT32_MAX)
			return -ENOMEM;
	}
	return 0;
}

static struct verdef make_verdef(struct sections *s, const char *name)
{
	return (struct verdef){ .str = strbuf_add(&s->dynstr, name, strlen(name)), .hash = sysv_hash(name) };
}

/* The names of the versions that the output defines; the first one is that of the output itself. */
static int add_verdefs(struct sections *s)
{
	const struct symtab *st = s->st;
	const char *slash = strrchr(s->in->opt->output, '/');
	if (!st->version_cnt)
		return 0;
	s->verdef_base = s->in->opt->soname ? s->in->opt->soname : slash ? slash + 1 : s->in->opt->output;
	s->verdefs = arena_alloc_array(s->arena, (size_t)st->version_cnt + 1, sizeof(*s->verdefs), 4);
	if (!s->verdefs)
		return -ENOMEM;
	s->verdefs[0] = make_verdef(s, s->verdef_base);
	for (uint32_t i = 0; i < st->version_cnt; i++)
		s->verdefs[i + 1] = make_verdef(s, st->versions[i].name);
	return s->verdefs[st->version_cnt].str == UINT32_MAX ? -ENOMEM : 0;
}

/* The library and version index a dynamic symbol is bound to, false: none. */
static bool bound_version(const struct sections *s, const struct dynsym *d, uint32_t *ret_file, uint16_t *ret_version)
{
	uint64_t win = sym_win(s->st, d->name);
	if (win == PROVIDER_NONE || provider_rank(win) != RANK_SHARED)
		return false;
	const struct shlib *so = s->in->files[provider_file(win)].shlib;
	*ret_file = provider_file(win);
	*ret_version = so->syms[provider_sym(win)].version;
	return *ret_version > 1 && *ret_version < so->version_cnt && so->versions[*ret_version];
}

static int build_versions(struct sections *s)
{
	/* For each library, which of its versions are used; then numbers in order. */
	uint16_t **used = calloc((size_t)s->in->file_cnt + 1, sizeof(*used));
	uint16_t next = (uint16_t)(SYM_VERSION_FIRST + s->st->version_cnt), v;
	uint32_t file;
	int rc = used ? 0 : -ENOMEM;
	for (uint32_t i = 1; i < s->dynsym_cnt && !rc; i++) {
		if (!bound_version(s, &s->dynsyms[i], &file, &v))
			continue;
		if (!used[file])
			used[file] = calloc(s->in->files[file].shlib->version_cnt, sizeof(**used));
		rc = used[file] ? 0 : -ENOMEM;
		if (!rc)
			used[file][v] = 1;
	}
	s->verneeds = arena_alloc_array(s->arena, (size_t)s->st->dso_cnt + 1, sizeof(*s->verneeds), 8);
	rc = rc ? rc : s->verneeds ? 0 : -ENOMEM;
	for (uint32_t k = 0; k < s->st->dso_cnt && !rc; k++) {
		file = s->st->dsos[k];
		const struct shlib *so = s->in->files[file].shlib;
		if (!used[file])
			continue;
		struct verneed *vn = &s->verneeds[s->verneed_cnt++];
		vn->file = file;
		vn->str = s->needed_str[k];
		vn->versions = arena_alloc_array(s->arena, so->version_cnt, sizeof(*vn->versions), 8);
		for (v = 2; vn->versions && v < so->version_cnt && !rc; v++) {
			if (!used[file][v])
				continue;
			used[file][v] = next;
			vn->versions[vn->version_cnt++] = (struct verneed_version){
				.name = so->versions[v], .hash = sysv_hash(so->versions[v]), .index = next++,
				.str = strbuf_add(&s->dynstr, so->versions[v], strlen(so->versions[v])),
			};
			if (vn->versions[vn->version_cnt - 1].str == UINT32_MAX)
				rc = -ENOMEM;
			if (next > VERSIONS_MAX) {
				diag_error(s->in->diag, 0, "more than %d versions of symbols are needed", VERSIONS_MAX - 2);
				rc = -EOVERFLOW;
			}
		}
		rc = rc ? rc : vn->versions ? 0 : -ENOMEM;
	}
	for (uint32_t i = 1; i < s->dynsym_cnt && !rc; i++)
		if (bound_version(s, &s->dynsyms[i], &file, &v))
			s->dynsyms[i].version = used[file][v];
	for (uint32_t k = 0; used && k < s->in->file_cnt; k++)
		free(used[k]);
	free(used);
	return rc;
}

static int add_needed(struct sections *s)
{
	const struct options *opt = s->in->opt;
	s->needed_cnt = s->st->dso_cnt;
	s->needed_str = arena_alloc_array(s->arena, (size_t)s->needed_cnt + 1, sizeof(*s->needed_str), 4);
	if (!s->needed_str || strbuf_add(&s->dynstr, "", 0) == UINT32_MAX)
		return -ENOMEM;
	for (uint32_t k = 0; k < s->needed_cnt; k++) {
		const char *soname = s->in->files[s->st->dsos[k]].soname;
		s->needed_str[k] = strbuf_add(&s->dynstr, soname, strlen(soname));
		if (s->needed_str[k] == UINT32_MAX)
			return -ENOMEM;
	}
	if (opt->soname && s->st->is_shared)
		s->soname_str = strbuf_add(&s->dynstr, opt->soname, strlen(opt->soname));
	if (opt->rpath && *opt->rpath)
		s->rpath_str = strbuf_add(&s->dynstr, opt->rpath, strlen(opt->rpath));
	return s->soname_str == UINT32_MAX || s->rpath_str == UINT32_MAX ? -ENOMEM : 0;
}

int dynsym_build(struct sections *s)
{
	int rc = add_needed(s);
	if (!rc)
		rc = collect(s);
	if (!rc)
		rc = add_verdefs(s);
	if (!rc)
		rc = build_versions(s);
	return rc ? rc : add_names(s);
}
