/* syn_dynamic.c - .dynamic: what the dynamic loader needs to know, in a fixed order.
 *
 * One function lists the tags; it runs once to count (before addresses are known: what might be there counts) and
 * again to render. Unused room at the end is DT_NULL. Source: gABI ch. 5 "Dynamic Section"; GNU extensions as in glibc's
 * elf.h (DT_GNU_HASH, DT_FLAGS_1, DT_RELACOUNT).
 */
#include "render.h"

struct tags {
	const struct layout *l;
	bool counting;
	uint64_t cnt;
	uint64_t off, sz; /* of the range rendered */
	uint8_t *dst;
};

static void tag(struct tags *t, uint64_t tag_no, uint64_t value)
{
	unsigned w = word_sz(t->l);
	uint8_t b[16];
	if (!t->counting) {
		put_word(t->l, b, tag_no);
		put_word(t->l, b + w, value);
		put_piece(t->off, t->sz, t->dst, t->cnt * 2 * w, b, 2 * w);
	}
	t->cnt++;
}

static const struct out *out_named(const struct layout *l, const char *name)
{
	for (uint32_t i = 1; i < l->out_cnt; i++)
		if (!strcmp(l->outs[i].name, name) && (l->outs[i].flags & SHF_ALLOC))
			return &l->outs[i];
	return NULL;
}

static bool has_input(const struct layout *l, const char *name)
{
	for (uint32_t i = 0; i < l->s->out_cnt; i++)
		if (!strcmp(l->s->outs[i].name, name))
			return true;
	return false;
}

static void array_tags(struct tags *t, const char *name, uint64_t addr_tag, uint64_t sz_tag)
{
	const struct out *o = t->counting ? NULL : out_named(t->l, name);
	if (!(t->counting ? has_input(t->l, name) : o != NULL))
		return;
	tag(t, addr_tag, o ? o->va : 0);
	tag(t, sz_tag, o ? o->sz : 0);
}

static void function_tag(struct tags *t, name_id id, uint64_t tag_no)
{
	const struct layout *l = t->l;
	if (id && id < l->st->cnt && (sym_flags(l->st, id) & SYM_DEF))
		tag(t, tag_no, t->counting ? 0 : l->va[id]);
}

static void syn_tag(struct tags *t, uint64_t tag_no, enum syn_id id)
{
	tag(t, tag_no, t->counting ? 0 : syn_va(t->l, id));
}

static void flag_tags(struct tags *t)
{
	const struct options *opt = t->l->in->opt;
	uint64_t flags = 0, flags_1 = 0;
	flags |= opt->z_now ? DF_BIND_NOW : 0;
	flags |= opt->z_origin ? DF_ORIGIN : 0;
	flags |= opt->bsymbolic == BSYMBOLIC_ALL && t->l->st->is_shared ? DF_SYMBOLIC : 0;
	flags |= t->l->s->has_static_tls ? DF_STATIC_TLS : 0;
	flags |= t->l->s->has_textrel ? DF_TEXTREL : 0;
	flags_1 |= opt->z_now ? DF_1_NOW : 0;
	flags_1 |= opt->z_origin ? DF_1_ORIGIN : 0;
	flags_1 |= opt->z_nodelete ? DF_1_NODELETE : 0;
	flags_1 |= opt->z_nodlopen ? DF_1_NOOPEN : 0;
	flags_1 |= opt->z_initfirst ? DF_1_INITFIRST : 0;
	flags_1 |= opt->z_interpose ? DF_1_INTERPOSE : 0;
	flags_1 |= opt->z_nodump ? DF_1_NODUMP : 0;
	flags_1 |= opt->z_nodefaultlib ? DF_1_NODEFLIB : 0;
	flags_1 |= opt->z_global ? DF_1_GLOBAL : 0;
	flags_1 |= opt->kind == OUTPUT_PIE ? DF_1_PIE : 0;
	if (flags)
		tag(t, DT_FLAGS, flags);
	if (flags_1)
		tag(t, DT_FLAGS_1, flags_1);
}

static void table_tags(struct tags *t)
{
	const struct layout *l = t->l;
	const uint64_t *sz = l->syn_sz;
	uint64_t sym = word_sz(l) == 8 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	bool rela = l->in->arch->is_rela;
	uint64_t rel = word_sz(l) * (rela ? 3 : 2);
	if (sz[SYN_HASH])
		syn_tag(t, DT_HASH, SYN_HASH);
	if (sz[SYN_GNU_HASH])
		syn_tag(t, DT_GNU_HASH, SYN_GNU_HASH);
	syn_tag(t, DT_STRTAB, SYN_DYNSTR);
	syn_tag(t, DT_SYMTAB, SYN_DYNSYM);
	tag(t, DT_STRSZ, sz[SYN_DYNSTR]);
	tag(t, DT_SYMENT, sym);
	if (sz[SYN_RELA_PLT]) {
		syn_tag(t, DT_PLTGOT, SYN_GOTPLT);
		tag(t, DT_PLTRELSZ, sz[SYN_RELA_PLT]);
		tag(t, DT_PLTREL, rela ? DT_RELA : DT_REL);
		syn_tag(t, DT_JMPREL, SYN_RELA_PLT);
	}
	if (sz[SYN_RELA_DYN]) {
		syn_tag(t, rela ? DT_RELA : DT_REL, SYN_RELA_DYN);
		tag(t, rela ? DT_RELASZ : DT_RELSZ, sz[SYN_RELA_DYN]);
		tag(t, rela ? DT_RELAENT : DT_RELENT, rel);
		if (l->relative_total + l->s->got_relative)
			tag(t, rela ? DT_RELACOUNT : DT_RELCOUNT, l->relative_total + l->s->got_relative);
	}
	if (l->s->has_textrel)
		tag(t, DT_TEXTREL, 0);
	if (sz[SYN_VERSYM])
		syn_tag(t, DT_VERSYM, SYN_VERSYM);
	if (sz[SYN_VERDEF]) {
		syn_tag(t, DT_VERDEF, SYN_VERDEF);
		tag(t, DT_VERDEFNUM, l->st->version_cnt + 1);
	}
	if (sz[SYN_VERNEED]) {
		syn_tag(t, DT_VERNEED, SYN_VERNEED);
		tag(t, DT_VERNEEDNUM, l->s->verneed_cnt);
	}
}

static void list_tags(struct tags *t)
{
	const struct layout *l = t->l;
	const struct options *opt = l->in->opt;
	for (uint32_t i = 0; i < l->s->needed_cnt; i++)
		tag(t, DT_NEEDED, l->s->needed_str[i]);
	if (l->s->soname_str)
		tag(t, DT_SONAME, l->s->soname_str);
	if (l->s->rpath_str)
		tag(t, opt->new_dtags ? DT_RUNPATH : DT_RPATH, l->s->rpath_str);
	function_tag(t, l->init_id, DT_INIT);
	function_tag(t, l->fini_id, DT_FINI);
	if (!l->st->is_shared)
		array_tags(t, ".preinit_array", DT_PREINIT_ARRAY, DT_PREINIT_ARRAYSZ);
	array_tags(t, ".init_array", DT_INIT_ARRAY, DT_INIT_ARRAYSZ);
	array_tags(t, ".fini_array", DT_FINI_ARRAY, DT_FINI_ARRAYSZ);
	table_tags(t);
	if (!l->st->is_shared)
		tag(t, DT_DEBUG, 0);
	flag_tags(t);
	tag(t, DT_NULL, 0);
}

static uint64_t dynamic_size(const struct layout *l)
{
	struct tags t = { .l = l, .counting = true };
	if (!l->st->is_dynamic)
		return 0;
	list_tags(&t);
	return t.cnt * 2 * word_sz(l);
}

static int dynamic_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	struct tags t = { .l = l, .off = off, .sz = sz, .dst = dst };
	(void)f;
	memset(dst, 0, sz);
	list_tags(&t);
	return 0;
}

static void links(const struct layout *l, uint32_t *ret_link, uint32_t *ret_info)
{
	*ret_link = l->syn_out[SYN_DYNSTR];
	*ret_info = 0;
}

const struct synthetic syn_dynamic = {
	.name = ".dynamic", .type = SHT_DYNAMIC, .flags = SHF_ALLOC | SHF_WRITE, .entsize = 16, .size = dynamic_size,
	.align = syn_word_align, .links = links, .render = dynamic_render
};
