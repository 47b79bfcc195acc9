/* kept.c - keeps and gives out products of the symbols stage (kept.h).
 *
 * A product is a whole symtab that nobody writes to any more. Links share its arrays; the facts of names and the states of
 * sections, where later stages add NEED bits and liveness, they copy. An object may have come to have more local symbols or
 * more sections, with the same globals: then what counts symbols or sections is derived from the product.
 */
#include "kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "recipe.h"
#include "symtab_priv.h"

/* An edit is followed by links of the programs that share the file: the list should have them all, in an edit loop it does
 * with a few. What is kept beyond what the programs' own links share with it is some 5 bytes a name and 1 a section; these
 * are bounds for fan-outs, where the rest resolve anew. */
enum { KEPT_MAX = 32 };
#define KEPT_BYTES ((uint64_t)128 << 20)

struct resolution {
	atomic_uint refs;
	struct symtab st;        /* without inputs */
	struct resolution *base; /* whose arrays these are, but for win, sec_base and sec_state; NULL: all are its own */
	uint64_t sz;             /* bytes of its own */
};

/* Each resolution's own, while the process lives. */
static uint64_t next_serial(void)
{
	static atomic_uint_fast64_t last;
	return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

struct kept {
	atomic_uint_fast64_t made;
	uint32_t cnt;
	struct {
		struct recipe *recipe;
		struct resolution *res;
	} rows[KEPT_MAX];        /* the last used first */
};

static struct resolution *ref(struct resolution *r)
{
	atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

static void unref(struct resolution *r)
{
	if (!r || atomic_fetch_sub(&r->refs, 1) > 1)
		return;
	if (r->base) {
		free((void *)r->st.win);
		free(r->st.sec_base);
		free((void *)r->st.sec_state);
	} else {
		symtab_clear(&r->st);
	}
	unref(r->base);
	free(r);
}

/* Where there are zeros, pages stay untouched. */
static void *copy(const void *from, size_t sz)
{
	enum { STEP = 4096 };
	const char *f = from;
	char *to = calloc(sz ? sz : 1, 1);
	for (size_t at = 0; to && at < sz; at += STEP) {
		size_t n = sz - at < STEP ? sz - at : STEP;
		if (f[at] || memcmp(f + at, f + at + 1, n - 1))
			memcpy(to + at, f + at, n);
	}
	return to;
}

/* A symtab of the link IN that shares R. */
static int share(struct resolution *r, struct inputs *in, struct symtab **ret_symtab)
{
	struct symtab *st = malloc(sizeof(*st));
	if (!st)
		return -ENOMEM;
	*st = r->st;
	st->in = in;
	st->arena = NULL;
	st->flags = copy((const void *)r->st.flags, st->cnt * sizeof(*st->flags));
	st->sec_state = copy((const void *)r->st.sec_state, st->sec_cnt);
	st->shared = ref(r);
	if (!st->flags || !st->sec_state) {
		kept_release(st);
		return -ENOMEM;
	}
	*ret_symtab = st;
	return 0;
}

void kept_release(struct symtab *st)
{
	free((void *)st->flags);
	free((void *)st->sec_state);
	unref(st->shared);
	free(st);
}

/* ---- the list ---- */

static void drop_last(struct kept *k)
{
	k->cnt--;
	free(k->rows[k->cnt].recipe);
	unref(k->rows[k->cnt].res);
}

static uint64_t total(const struct kept *k)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < k->cnt; i++) {
		const struct resolution *r = k->rows[i].res;
		sum += r->sz + (r->base ? r->base->sz : 0) + k->rows[i].recipe->file_cnt * sizeof(struct recipe_object);
	}
	return sum;
}

static void put_first(struct kept *k, uint32_t i)
{
	typeof(k->rows[0]) row = k->rows[i];
	memmove(k->rows + 1, k->rows, i * sizeof(*k->rows));
	k->rows[0] = row;
}

int kept_new(struct kept **ret_kept)
{
	*ret_kept = calloc(1, sizeof(**ret_kept));
	return *ret_kept ? 0 : -ENOMEM;
}

struct kept *kept_free(struct kept *k)
{
	while (k && k->cnt)
		drop_last(k);
	free(k);
	return NULL;
}

uint64_t kept_made(const struct kept *k)
{
	return atomic_load_explicit(&k->made, memory_order_relaxed);
}

/* ---- taking ---- */

/* The objects that the product was made of, and what is part of the link: as extraction leaves it. */
static int take_files(struct inputs *in, const struct recipe *r, const struct symtab *st)
{
	uint32_t *want = malloc(in->file_cnt * sizeof(*want)), cnt = 0;
	int rc = want ? 0 : -ENOMEM;
	for (uint32_t i = 1; !rc && i < in->file_cnt; i++)
		if (r->by_file[i].digest[1] && !in->files[i].obj)
			want[cnt++] = i;
	if (cnt)
		inputs_parse(in, want, cnt);
	for (uint32_t i = 0; i < cnt; i++)
		if (!in->files[want[i]].obj)
			rc = -ENOMEM; /* or an error was reported */
	free(want);
	for (uint32_t i = 0; i < st->obj_cnt; i++)
		atomic_store_explicit(&in->files[st->objs[i]].is_live, true, memory_order_relaxed);
	for (uint32_t i = 0; i < st->dso_cnt; i++)
		atomic_store_explicit(&in->files[st->dsos[i]].is_live, true, memory_order_relaxed);
	inputs_settle(in);
	return rc;
}

/* The globals of FILE begin at another index. */
static void move_providers(struct symtab *st, uint32_t file, const struct object *o, uint32_t old_first)
{
	for (uint32_t i = 0; o->first_global != old_first && i < o->sym_cnt - o->first_global; i++) {
		uint64_t p = sym_win(st, o->names[i]);
		if (provider_file(p) == file && provider_sym(p) == old_first + i)
			sym_set_win(st, o->names[i], provider(provider_rank(p), file, o->first_global + i));
	}
}

/* What R is with the objects of IN, which has the recipe but for MOVES; R itself stays, others use it. */
static int derive(struct resolution *r, struct recipe *recipe, const struct recipe_moves *moves, struct inputs *in,
		  struct resolution **ret_derived)
{
	struct resolution *to = malloc(sizeof(*to));
	int rc = 0;
	if (!to)
		return -ENOMEM;
	atomic_init(&to->refs, 1);
	to->base = ref(r->base ? r->base : r);
	to->st = r->st;
	to->st.serial = next_serial();
	to->st.win = copy((const void *)r->st.win, r->st.cnt * sizeof(*r->st.win));
	to->st.sec_base = moves->sections ? NULL : copy(r->st.sec_base, (in->file_cnt + 1) * sizeof(*r->st.sec_base));
	to->st.sec_state = moves->sections ? NULL : copy((const void *)r->st.sec_state, r->st.sec_cnt);
	to->st.in = in;
	if (moves->sections) /* the same groups win */
		rc = comdat_choose(&to->st);
	to->st.in = NULL;
	to->sz = to->st.cnt * sizeof(*to->st.win) + to->st.sec_cnt + in->file_cnt * sizeof(*to->st.sec_base);
	if (!rc && (!to->st.win || !to->st.sec_base || !to->st.sec_state))
		rc = -ENOMEM;
	if (rc) {
		unref(to);
		return rc;
	}
	for (uint32_t i = 1; moves->globals && i < in->file_cnt; i++)
		if (recipe->by_file[i].digest[1])
			move_providers(&to->st, i, in->files[i].obj, recipe->by_file[i].first_global);
	recipe_move(recipe, in);
	*ret_derived = to;
	return 0;
}

int kept_find(struct kept *k, struct inputs *in, const struct recipe *now, struct symtab **ret_symtab)
{
	struct recipe_moves moves = { 0 };
	struct resolution *derived;
	uint32_t i = 0;
	while (now && i < k->cnt && !recipe_fits(k->rows[i].recipe, now, in, &moves))
		i++;
	if (!now || i == k->cnt) {
		atomic_fetch_add_explicit(&k->made, 1, memory_order_relaxed);
		return 0;
	}
	put_first(k, i);
	int rc = take_files(in, k->rows[0].recipe, &k->rows[0].res->st);
	if (!rc && (moves.globals || moves.sections)) {
		rc = derive(k->rows[0].res, k->rows[0].recipe, &moves, in, &derived);
		if (!rc) {
			unref(k->rows[0].res);
			k->rows[0].res = derived;
		}
	}
	if (!rc)
		rc = share(k->rows[0].res, in, ret_symtab);
	return rc ? rc : 1;
}

/* ---- adding ---- */

static const char *own_text(struct symtab *st, const char *text, bool *no_memory)
{
	const char *own = text ? arena_strdup(st->arena, text) : NULL;
	*no_memory |= text && !own;
	return own ? own : text;
}

/* Texts that lie in inputs and options get into the product's own memory: it outlives them. */
static bool own_texts(struct symtab *st)
{
	bool no_memory = false;
	for (uint32_t i = 0; i < st->linkdef_cnt; i++) {
		st->linkdefs[i].section = own_text(st, st->linkdefs[i].section, &no_memory);
		st->linkdefs[i].expr = own_text(st, st->linkdefs[i].expr, &no_memory);
	}
	for (uint32_t i = 0; i < st->version_cnt; i++) {
		struct version_def *v = &st->versions[i];
		const char **parents = arena_alloc_array(st->arena, v->parent_cnt, sizeof(*parents), 8);
		if (!parents)
			return false;
		for (size_t p = 0; p < v->parent_cnt; p++)
			parents[p] = own_text(st, v->parents[p], &no_memory);
		v->name = own_text(st, v->name, &no_memory);
		v->parents = parents;
	}
	return !no_memory;
}

static uint64_t size_of(const struct symtab *st)
{
	uint64_t each = sizeof(*st->win) + sizeof(*st->flags) + (st->version ? sizeof(*st->version) : 0);
	return st->cnt * each + st->sec_cnt + st->in->file_cnt * sizeof(*st->sec_base);
}

void kept_add(struct kept *k, struct recipe *now, struct symtab **symtab)
{
	struct symtab *st = *symtab, *mine;
	struct resolution *r = recipe_complete(now, st->in) && own_texts(st) ? malloc(sizeof(*r)) : NULL;
	if (r) {
		atomic_init(&r->refs, 1);
		r->base = NULL;
		r->sz = size_of(st);
		r->st = *st;
		r->st.in = NULL;
		r->st.priv = NULL;
		r->st.serial = next_serial();
	}
	if (!r || share(r, st->priv->in, &mine)) {
		free(r);
		free(now);
		return;
	}
	symtab_end_passes(st);
	free(st);
	*symtab = mine;
	if (k->cnt == KEPT_MAX)
		drop_last(k);
	k->rows[k->cnt].recipe = now;
	k->rows[k->cnt].res = r;
	put_first(k, k->cnt++);
	while (k->cnt && total(k) > KEPT_BYTES)
		drop_last(k);
}
