/* syn_misc.c - sections that are a string or nothing: .interp, the linker's line in .comment, .shstrtab, and the chunks
 * without bytes (copies, commons). */
#include "render.h"

static int render_string(const char *str, uint64_t off, uint64_t sz, uint8_t *dst)
{
	memcpy(dst, str + off, sz);
	return 0;
}

/* ---- .interp ---- */

static const char *interp(const struct layout *l)
{
	return l->in->opt->dynamic_linker ? l->in->opt->dynamic_linker : l->in->arch->default_interp;
}

static uint64_t interp_size(const struct layout *l)
{
	bool wanted = l->st->is_dynamic && !l->st->is_shared && !l->in->opt->no_dynamic_linker;
	return wanted || (l->st->is_shared && l->in->opt->dynamic_linker) ? strlen(interp(l)) + 1 : 0;
}

static int interp_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	(void)f;
	return render_string(interp(l), off, sz, dst);
}

const struct synthetic syn_interp = {
	.name = ".interp", .type = SHT_PROGBITS, .flags = SHF_ALLOC, .size = interp_size, .render = interp_render
};

/* ---- .comment ---- */

#define COMMENT "Linker: linkfs " LINKFS_VERSION

static uint64_t comment_size(const struct layout *l)
{
	return l->in->opt->strip == STRIP_ALL ? 0 : sizeof(COMMENT);
}

static int comment_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	(void)l;
	(void)f;
	return render_string(COMMENT, off, sz, dst);
}

const struct synthetic syn_comment = {
	.name = ".comment", .type = SHT_PROGBITS, .flags = 0, .entsize = 1, .size = comment_size, .render = comment_render
};

/* ---- .shstrtab ---- */

/* Its true size is known when output sections are named (layout.c); this says only that there is one. */
static uint64_t shstrtab_size(const struct layout *l)
{
	(void)l;
	return 1;
}

static int shstrtab_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	(void)f;
	return render_string(l->shstrtab, off, sz, dst);
}

const struct synthetic syn_shstrtab = {
	.name = ".shstrtab", .type = SHT_STRTAB, .size = shstrtab_size, .render = shstrtab_render
};

/* ---- copies of shared objects' data, common symbols: addresses only ---- */

static uint8_t log2_of(uint64_t align)
{
	return (uint8_t)(align > 1 ? 63 - __builtin_clzll(align) : 0);
}

static uint64_t copy_size(const struct layout *l)
{
	return l->s->copy_sz[0];
}

static uint8_t copy_align(const struct layout *l)
{
	return log2_of(l->s->copy_align[0]);
}

static uint64_t copy_ro_size(const struct layout *l)
{
	return l->s->copy_sz[1];
}

static uint8_t copy_ro_align(const struct layout *l)
{
	return log2_of(l->s->copy_align[1]);
}

static uint64_t commons_size(const struct layout *l, bool tls)
{
	uint64_t at = 0;
	for (uint32_t i = 0; i < l->st->common_cnt; i++)
		if (l->st->commons[i].is_tls == tls)
			at = align_up(at, l->st->commons[i].align) + l->st->commons[i].sz;
	return at;
}

static uint8_t commons_align(const struct layout *l, bool tls)
{
	uint64_t align = 1;
	for (uint32_t i = 0; i < l->st->common_cnt; i++)
		if (l->st->commons[i].is_tls == tls && l->st->commons[i].align > align)
			align = l->st->commons[i].align;
	return log2_of(align);
}

static uint64_t common_size(const struct layout *l)
{
	return commons_size(l, false);
}

static uint8_t common_align(const struct layout *l)
{
	return commons_align(l, false);
}

static uint64_t tls_common_size(const struct layout *l)
{
	return commons_size(l, true);
}

static uint8_t tls_common_align(const struct layout *l)
{
	return commons_align(l, true);
}

const struct synthetic syn_copy = {
	.name = ".bss", .type = SHT_NOBITS, .flags = SHF_ALLOC | SHF_WRITE, .size = copy_size, .align = copy_align
};
const struct synthetic syn_copy_ro = {
	.name = ".bss.rel.ro", .type = SHT_NOBITS, .flags = SHF_ALLOC | SHF_WRITE, .size = copy_ro_size,
	.align = copy_ro_align
};
const struct synthetic syn_common = {
	.name = ".bss", .type = SHT_NOBITS, .flags = SHF_ALLOC | SHF_WRITE, .size = common_size, .align = common_align
};
const struct synthetic syn_tls_common = {
	.name = ".tbss", .type = SHT_NOBITS, .flags = SHF_ALLOC | SHF_WRITE | SHF_TLS, .size = tls_common_size,
	.align = tls_common_align
};
