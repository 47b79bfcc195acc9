/* syn_note.c - .note.gnu.property and .note.gnu.build-id.
 *
 * The build-id is a function of the options that change bytes and of the inputs' bytes, never of the output's: nothing
 * may need finished bytes (P2). The digest of each object and library is made once and kept with it, so that a relink hashes
 * what is new; who reads the note waits for it.
 * Source: "Linux Extensions to gABI" (NT_GNU_PROPERTY_TYPE_0); GNU ld manual --build-id.
 */
#include <elf.h>
#include <stdatomic.h>

#include "render.h"

#define XXH_STATIC_LINKING_ONLY /* the state lives on the stack */
#include <xxhash.h>

#define PROPERTY_TYPE_0 5

static void note_header(const struct layout *l, uint8_t *p, uint32_t desc_sz, uint32_t type)
{
	bool be = l->in->arch->is_be;
	store32(p, 4, be);
	store32(p + 4, desc_sz, be);
	store32(p + 8, type, be);
	memcpy(p + 12, "GNU", 4);
}

/* ---- properties ---- */

static uint32_t property_row_sz(const struct layout *l)
{
	return (uint32_t)align_up(12, word_sz(l));
}

static uint64_t property_size(const struct layout *l)
{
	uint32_t rows = !!l->s->property_and + !!l->s->property_or;
	return rows ? 16 + rows * property_row_sz(l) : 0;
}

static int property_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	uint8_t buf[64] = { 0 }, *p = buf + 16;
	const struct arch *a = l->in->arch;
	const uint32_t rows[2][2] = { { a->property_and, l->s->property_and }, { a->property_or, l->s->property_or } };
	(void)f;
	note_header(l, buf, (uint32_t)property_size(l) - 16, PROPERTY_TYPE_0);
	for (int i = 0; i < 2; i++) {
		if (!rows[i][1])
			continue;
		store32(p, rows[i][0], a->is_be);
		store32(p + 4, 4, a->is_be);
		store32(p + 8, rows[i][1], a->is_be);
		p += property_row_sz(l);
	}
	memcpy(dst, buf + off, sz);
	return 0;
}

const struct synthetic syn_property = {
	.name = ".note.gnu.property", .type = SHT_NOTE, .flags = SHF_ALLOC, .size = property_size,
	.align = syn_word_align, .render = property_render
};

/* ---- build-id ---- */

static uint32_t build_id_bytes(const struct layout *l)
{
	switch (l->in->opt->build_id) {
	case BUILD_ID_NONE:
		return 0;
	case BUILD_ID_FAST:
		return 8;
	case BUILD_ID_SHA1:
		return 20;
	case BUILD_ID_HEX:
		return (uint32_t)l->in->opt->build_id_hex_sz;
	default:
		return 16;
	}
}

static uint64_t build_id_size(const struct layout *l)
{
	return build_id_bytes(l) ? 16 + build_id_bytes(l) : 0;
}

static void add_digest(XXH3_state_t *h, uint64_t low, uint64_t high)
{
	uint8_t b[16];
	store64(b, low, false);
	store64(b + 8, high, false);
	XXH3_128bits_update(h, b, sizeof(b));
}

static void add_file(XXH3_state_t *h, const struct infile *f)
{
	XXH128_hash_t d = XXH3_128bits(f->data, f->sz);
	add_digest(h, d.low64, d.high64);
}

static void hash_all(const struct layout *l, uint64_t seed, uint8_t ret_id[16])
{
	XXH3_state_t h;
	uint64_t low, high;
	XXH3_INITSTATE(&h);
	XXH3_128bits_reset_withSeed(&h, seed);
	XXH3_128bits_update(&h, LINKFS_VERSION, sizeof(LINKFS_VERSION));
	XXH3_128bits_update(&h, l->in->opt->semantic, l->in->opt->semantic_sz);
	for (uint32_t k = 0; k < l->st->obj_cnt; k++) {
		object_digest(l->in->files[l->st->objs[k]].obj, &low, &high);
		add_digest(&h, low, high);
	}
	for (uint32_t k = 0; k < l->st->dso_cnt; k++) {
		const struct ifile *f = &l->in->files[l->st->dsos[k]];
		shlib_whole_digest(f->shlib, l->in->names, &low, &high);
		add_digest(&h, low, high);
		XXH3_128bits_update(&h, f->soname, strlen(f->soname) + 1);
	}
	for (uint32_t k = 0; k < l->in->list_cnt; k++)
		add_file(&h, l->in->lists[k].file);
	if (l->s->verdef_base)
		XXH3_128bits_update(&h, l->s->verdef_base, strlen(l->s->verdef_base) + 1);
	XXH128_canonical_t id;
	XXH128_canonicalFromHash(&id, XXH3_128bits_digest(&h));
	memcpy(ret_id, id.digest, 16);
}

static int build_id_render(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	uint8_t buf[16 + 64] = { 0 };
	uint32_t bytes = build_id_bytes(l);
	(void)f;
	note_header(l, buf, bytes, NT_GNU_BUILD_ID);
	if (l->in->opt->build_id == BUILD_ID_HEX) {
		memcpy(buf + 16, l->in->opt->build_id_hex, bytes);
	} else if (off + sz > 16) {
		uint8_t id[32];
		hash_all(l, 0, id);
		if (bytes > 16)
			hash_all(l, 1, id + 16);
		memcpy(buf + 16, id, bytes);
	}
	memcpy(dst, buf + off, sz);
	return 0;
}

const struct synthetic syn_build_id = {
	.name = ".note.gnu.build-id", .type = SHT_NOTE, .flags = SHF_ALLOC, .p2align = 2, .size = build_id_size,
	.render = build_id_render
};
