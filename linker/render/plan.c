/* plan.c - from a file offset to what lies there: headers, chunks of output sections, gaps.
 *
 * The extents are the layout's own sorted arrays: sections by file offset, chunks by offset within a section. Gaps in
 * executable sections are filled with the CPU's no-operations by file offset, others with zeros.
 * Source: gABI ch. 4 "ELF Header", "Section Header"; ch. 5 "Program Header".
 */
#include <errno.h>
#include <stdio.h>

#include "plain.h"
#include "render.h"

/* What is asked for. It is made from its begin to its end; what nobody makes is zero. */
struct range {
	const struct layout *l;
	uint64_t off, sz;
	uint8_t *dst;
	uint64_t made; /* bytes of it so far */
	struct fill *f;
};

/* Zeros up to file offset END. */
static void clear_to(struct range *r, uint64_t end)
{
	uint64_t upto = end < r->off ? 0 : end - r->off < r->sz ? end - r->off : r->sz;
	if (upto <= r->made)
		return;
	memset(r->dst + r->made, 0, upto - r->made);
	r->made = upto;
}

/* ---- headers ---- */

static void put_ehdr(const struct range *r)
{
	const struct layout *l = r->l;
	const struct arch *a = l->in->arch;
	bool be = a->is_be, wide = a->elf_class == ELFCLASS64;
	uint8_t b[sizeof(Elf64_Ehdr)] = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, a->elf_class, be ? ELFDATA2MSB : ELFDATA2LSB,
					  EV_CURRENT };
	unsigned w = word_sz(l), at = 24;
	bool gnu = atomic_load(&l->st->has_gnu_abi) || atomic_load(&l->has_gnu_abi);
	b[EI_OSABI] = gnu ? ELFOSABI_GNU : ELFOSABI_NONE;
	store16(b + 16, l->st->is_pic ? ET_DYN : ET_EXEC, be);
	store16(b + 18, a->machine, be);
	store32(b + 20, EV_CURRENT, be);
	put_word(l, b + at, l->entry);
	put_word(l, b + at + w, wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr));
	put_word(l, b + at + 2 * w, l->shoff);
	at += 3 * w;
	store32(b + at, 0, be);
	store16(b + at + 4, wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr), be);
	store16(b + at + 6, wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr), be);
	store16(b + at + 8, (uint16_t)l->phdr_cnt, be);
	store16(b + at + 10, wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr), be);
	store16(b + at + 12, (uint16_t)l->out_cnt, be);
	store16(b + at + 14, (uint16_t)l->syn_out[SYN_SHSTRTAB], be);
	put_piece(r->off, r->sz, r->dst, 0, b, at + 16);
}

static void put_phdrs(const struct range *r)
{
	const struct layout *l = r->l;
	bool be = l->in->arch->is_be, wide = word_sz(l) == 8;
	uint64_t at = wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	for (uint32_t i = 0; i < l->phdr_cnt; i++) {
		const Elf64_Phdr *p = &l->phdrs[i];
		const uint64_t words[] = { p->p_offset, p->p_vaddr, p->p_paddr, p->p_filesz, p->p_memsz };
		uint8_t b[sizeof(Elf64_Phdr)];
		unsigned w = word_sz(l), pos = wide ? 8 : 4;
		store32(b, p->p_type, be);
		if (wide)
			store32(b + 4, p->p_flags, be);
		for (int k = 0; k < 5; k++, pos += w)
			put_word(l, b + pos, words[k]);
		if (!wide) {
			store32(b + pos, p->p_flags, be);
			pos += 4;
		}
		put_word(l, b + pos, p->p_align);
		put_piece(r->off, r->sz, r->dst, at, b, pos + w);
		at += pos + w;
	}
}

static void put_shdrs(const struct range *r)
{
	const struct layout *l = r->l;
	bool be = l->in->arch->is_be;
	unsigned w = word_sz(l);
	uint64_t each = w == 8 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	for (uint32_t i = 0; i < l->out_cnt; i++) {
		const struct out *o = &l->outs[i];
		uint8_t b[sizeof(Elf64_Shdr)] = { 0 }, *p = b + 8;
		if (i) {
			const uint64_t words[] = { o->flags, o->va, o->off, o->sz };
			store32(b, o->name_off, be);
			store32(b + 4, o->type, be);
			for (int k = 0; k < 4; k++, p += w)
				put_word(l, p, words[k]);
			store32(p, o->link, be);
			store32(p + 4, o->info, be);
			put_word(l, p + 8, UINT64_C(1) << o->p2align);
			put_word(l, p + 8 + w, o->entsize);
		}
		put_piece(r->off, r->sz, r->dst, l->shoff + i * each, b, each);
	}
}

/* ---- sections ---- */

static void fill_gap(struct range *r, const struct out *o, uint64_t begin, uint64_t end)
{
	const uint8_t *gap = r->l->in->arch->gap;
	uint64_t lo = begin > r->off ? begin : r->off, hi = end < r->off + r->sz ? end : r->off + r->sz;
	clear_to(r, end);
	if (!(o->flags & SHF_EXECINSTR))
		return;
	if (lo < hi && gap[0] == gap[1] && gap[1] == gap[2] && gap[2] == gap[3]) {
		memset(r->dst + (lo - r->off), gap[0], hi - lo);
		return;
	}
	for (; lo < hi; lo++)
		r->dst[lo - r->off] = gap[lo & 3];
}

/* The pieces of M that it owns, which are [first, last) of its set's chunk: those of other sections lie elsewhere, equal
 * ones of this section are the same bytes. Pieces that follow each other as they do in the input are copied together. */
static void put_pieces(const struct layout *l, const struct merge_sec *m, uint64_t first, uint64_t last, uint64_t begin,
		       uint64_t end, uint8_t *dst)
{
	const struct pieces *pc = m->pieces;
	const uint32_t *start = pc->start;
	uint32_t each, next;
	const uint8_t *data = merge_piece(l->s, m, 0, &each);
	for (uint32_t p = 0; p < pc->cnt; p = next) {
		uint64_t at = merge_piece_off(m, p), from = start ? start[p] : (uint64_t)p * each, len = 0;
		next = p + 1;
		if (at < first || at >= last)
			continue;
		if (at >= end)
			return; /* its own ascend, but for the equal ones, which are there already */
		for (;; next++) {
			len = (start ? start[next] : (uint64_t)next * each) - from;
			if (next == pc->cnt || merge_piece_off(m, next) != at + len || at + len >= last)
				break;
		}
		put_piece(begin, end - begin, dst, at, data + from, len);
	}
}

static int put_merge(const struct layout *l, uint32_t set_idx, uint64_t begin, uint64_t end, uint8_t *dst)
{
	const struct merge_set *t = &l->s->merge_sets[set_idx];
	uint32_t lo = 0, hi = t->sec_cnt;
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (t->sec_off[mid] <= begin)
			lo = mid;
		else
			hi = mid;
	}
	for (; lo < t->sec_cnt && t->sec_off[lo] < end; lo++)
		if (t->sec_off[lo + 1] > begin && t->sec_off[lo] < t->sec_off[lo + 1])
			put_pieces(l, &l->s->merge_secs[t->secs[lo]], t->sec_off[lo], t->sec_off[lo + 1], begin, end, dst);
	return 0;
}

/* Where a walk over the chunks of a section is. */
struct walk {
	const struct out *o;
	uint32_t c;     /* chunk */
	uint32_t run;   /* of l->relatives: the first of this chunk or of one behind it */
	uint32_t table; /* where an object's tables of pointers were looked at */
};

/* The run of relocations that its chunk has; NULL: it has none. */
static const struct relative_run *run_of(const struct layout *l, const struct walk *w)
{
	const struct relative_run *run = w->run < l->relative_cnt ? &l->relatives[w->run] : NULL;
	return run && run->chunk == w->c && &l->outs[run->out] == w->o ? run : NULL;
}

/* An input section's bytes [begin, end). */
static int put_input(const struct layout *l, struct walk *w, uint64_t begin, uint64_t end, uint8_t *dst, struct fill *f)
{
	uint32_t file = w->o->chunk_file[w->c], shndx = w->o->chunk[w->c] - l->st->sec_base[file];
	if (run_of(l, w)) {
		const struct object *o = l->in->files[file].obj;
		const struct pointers *p = pointers_usable(l, o);
		const struct pointer_table *t = p ? pointers_find(p, shndx, &w->table) : NULL;
		if (t && section_render_zeros(l, o, t, relative_cnt(l, w->run) == t->cnt, begin, end, dst, f))
			return 0;
	}
	return section_render(l, file, shndx, begin, end, dst, f);
}

static bool has_bytes(const struct layout *l, const struct out *o, uint32_t c)
{
	uint32_t file = o->chunk_file[c];
	return l->in->files[file].obj->secs[o->chunk[c] - l->st->sec_base[file]].type != SHT_NOBITS;
}

/* The bytes [begin, end) of chunk C, whose own bytes start at 0, and which lie at file offset OFF. */
static int put_chunk(struct range *r, struct walk *w, uint64_t begin, uint64_t end, uint64_t off)
{
	const struct layout *l = r->l;
	uint32_t chunk = w->o->chunk[w->c];
	const struct synthetic *y = chunk & CHUNK_SYN ? l->syn[chunk & CHUNK_INDEX] : NULL;
	bool is_input = !(chunk & (CHUNK_SYN | CHUNK_MERGE)), is_dense = y ? y->is_dense : is_input && has_bytes(l, w->o, w->c);
	uint8_t *dst = r->dst + (off - r->off);
	clear_to(r, is_dense ? off : off + (end - begin));
	r->made = off + (end - begin) - r->off;
	if (y)
		return y->render ? y->render(l, begin, end - begin, dst, r->f) : 0;
	if (!is_input)
		return put_merge(l, chunk & CHUNK_INDEX, begin, end, dst);
	return is_dense ? put_input(l, w, begin, end, dst, r->f) : 0;
}

static uint64_t chunk_sz(const struct layout *l, const struct out *o, uint32_t c)
{
	uint32_t chunk = o->chunk[c];
	if (chunk & CHUNK_SYN)
		return (chunk & CHUNK_INDEX) == SYN_SHSTRTAB ? l->shstrtab_sz : l->syn_sz[chunk & CHUNK_INDEX];
	if (chunk & CHUNK_MERGE)
		return l->s->merge_sets[chunk & CHUNK_INDEX].sz;
	uint32_t file = o->chunk_file[c];
	return l->in->files[file].obj->secs[chunk - l->st->sec_base[file]].sz;
}

/* The last chunk that starts at or before OFF of the section. */
static uint32_t chunk_at(const struct layout *l, const struct out *o, uint64_t off)
{
	uint32_t lo = 0, hi = o->chunk_cnt;
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (chunk_off(l, o, mid) <= off)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* The first run of RELATIVE relocations in chunk C of O or behind it. */
static uint32_t run_at(const struct layout *l, const struct out *o, uint32_t c)
{
	uint32_t lo = 0, hi = l->relative_cnt, out = (uint32_t)(o - l->outs);
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct relative_run *run = &l->relatives[mid];
		if (run->out < out || (run->out == out && run->chunk < c))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int put_section(struct range *r, const struct out *o)
{
	const struct layout *l = r->l;
	uint64_t begin = r->off > o->off ? r->off - o->off : 0;
	uint64_t end = r->off + r->sz - o->off < o->sz ? r->off + r->sz - o->off : o->sz;
	struct walk w = { .o = o, .c = chunk_at(l, o, begin) };
	w.run = run_at(l, o, w.c);
	/* Chunks of no bytes share their start with the next. */
	for (uint64_t at = chunk_off(l, o, w.c), next; w.c < o->chunk_cnt && at < end; w.c++, at = next) {
		next = chunk_off(l, o, w.c + 1);
		while (w.run < l->relative_cnt && &l->outs[l->relatives[w.run].out] == o && l->relatives[w.run].chunk < w.c)
			w.run++;
		const struct relative_run *run = run_of(l, &w);
		if (run && run->is_blank && begin <= at && next <= end && !(o->flags & SHF_EXECINSTR)) {
			r->f->relocs += relative_cnt(l, w.run); /* and nobody looks at the object */
			continue;
		}
		uint64_t sz = chunk_sz(l, o, w.c);
		uint64_t lo = begin > at ? begin : at, hi = end < at + sz ? end : at + sz;
		if (lo < hi) {
			int rc = put_chunk(r, &w, lo - at, hi - at, o->off + lo);
			if (rc)
				return rc;
		}
		fill_gap(r, o, o->off + at + sz, o->off + next);
	}
	return 0;
}

int plan_fill(const struct layout *l, uint64_t off, uint64_t sz, uint8_t *dst, struct fill *f)
{
	struct range r = { .l = l, .off = off, .sz = sz, .dst = dst, .f = f };
	if (off > l->file_sz || sz > l->file_sz - off) {
		if (f->why)
			snprintf(f->why, f->why_sz, "the range is beyond the end of the output");
		return -EINVAL;
	}
	if (off < l->headers_sz) {
		clear_to(&r, l->headers_sz);
		put_ehdr(&r);
		put_phdrs(&r);
	}
	for (uint32_t i = 1; i < l->out_cnt; i++) { /* ascending */
		const struct out *o = &l->outs[i];
		if (o->type == SHT_NOBITS || o->off >= off + sz || o->off + o->sz <= off)
			continue;
		int rc = put_section(&r, o);
		if (rc)
			return rc;
	}
	clear_to(&r, off + sz);
	if (off + sz > l->shoff)
		put_shdrs(&r);
	return 0;
}

uint64_t plan_cut(const struct layout *l, uint64_t off, uint64_t want)
{
	uint64_t end = off + want;
	if (want >= l->file_sz || end >= l->file_sz)
		return l->file_sz;
	for (uint32_t i = 1; i < l->out_cnt; i++) {
		const struct out *o = &l->outs[i];
		if (o->type == SHT_NOBITS || o->off > end || o->off + o->sz <= end)
			continue;
		uint32_t c = chunk_at(l, o, end - o->off);
		uint64_t next = o->off + chunk_off(l, o, c + 1);
		return next < end + want ? next : end;
	}
	return end;
}
