/* address.c - segments, addresses and file offsets.
 *
 * One PT_LOAD per protection, each starting on a page of its own in memory and in the file, so that a file page holds
 * bytes of one protection only; what RELRO protects is a segment of its own and padded to a page. .tbss takes no
 * address space. Sections without an address follow in the file, then the section header table.
 * Source: gABI ch. 5 "Program Header"; GNU ld manual -z relro, -z separate-code; psABI for page sizes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "layout_priv.h"

#define PHDR_MAX 32

static uint64_t max_page(const struct layout *l)
{
	return l->in->opt->max_page_size ? l->in->opt->max_page_size : l->in->arch->max_page_size;
}

static uint64_t common_page(const struct layout *l)
{
	uint64_t common = l->in->opt->common_page_size ? l->in->opt->common_page_size : l->in->arch->common_page_size;
	return common < max_page(l) ? common : max_page(l);
}

static uint32_t protection(const struct out *o)
{
	return PF_R | (o->flags & SHF_WRITE ? PF_W : 0) | (o->flags & SHF_EXECINSTR ? PF_X : 0);
}

static bool is_tbss(const struct out *o)
{
	return (o->flags & SHF_TLS) && o->type == SHT_NOBITS;
}

/* Does O need a PT_LOAD other than that of its predecessor? */
static bool starts_segment(const struct out *prev, const struct out *o)
{
	return !prev || protection(prev) != protection(o) || prev->is_relro != o->is_relro ||
	       (prev->type == SHT_NOBITS && !is_tbss(prev) && o->type != SHT_NOBITS);
}

static Elf64_Phdr *add_phdr(struct layout *l, uint32_t type, uint32_t flags, uint64_t align)
{
	if (l->phdr_cnt == PHDR_MAX - 1)
		return &l->phdrs[PHDR_MAX - 1]; /* counted and refused in address_assign */
	Elf64_Phdr *p = &l->phdrs[l->phdr_cnt++];
	*p = (Elf64_Phdr){ .p_type = type, .p_flags = flags, .p_align = align };
	return p;
}

/* How many program headers there will be, before any address is known. Walks as write_phdrs does. */
static uint32_t count_phdrs(const struct layout *l)
{
	const struct out *prev = NULL, *prev_note = NULL;
	bool tls = false, relro = false;
	uint32_t cnt = 2; /* PT_PHDR, PT_GNU_STACK */
	for (uint32_t i = 1; i < l->out_cnt; i++) {
		const struct out *o = &l->outs[i];
		if (!(o->flags & SHF_ALLOC))
			break;
		cnt += starts_segment(prev, o);
		prev = o;
		tls |= (o->flags & SHF_TLS) != 0;
		relro |= o->is_relro;
		if (o->type == SHT_NOTE) {
			cnt += !prev_note || prev_note->p2align != o->p2align || prev_note + 1 != o;
			prev_note = o;
		}
	}
	return cnt + !prev /* the headers' own */ + tls + relro + !!l->syn_out[SYN_INTERP] + !!l->syn_out[SYN_DYNAMIC] +
	       !!l->syn_out[SYN_EH_FRAME_HDR] + !!l->syn_out[SYN_PROPERTY];
}

struct cursor {
	uint64_t va, off;
	Elf64_Phdr *load;
};

/* What addresses and file offsets of a segment must agree modulo: a page, or the strictest of its sections. */
static uint64_t segment_align(const struct layout *l, const struct out *first)
{
	uint64_t align = max_page(l);
	const struct out *prev = NULL;
	for (const struct out *o = first; o < l->outs + l->out_cnt && (o->flags & SHF_ALLOC); prev = o++) {
		if (prev && starts_segment(prev, o))
			break;
		if (UINT64_C(1) << o->p2align > align)
			align = UINT64_C(1) << o->p2align;
	}
	return align;
}

static void open_segment(struct layout *l, struct cursor *c, const struct out *o)
{
	uint64_t page = max_page(l), in_file = page < 4096 ? page : 4096, align = segment_align(l, o);
	c->off = align_up(c->off, in_file);
	c->va = align_up(c->va, align) + (c->off & (align - 1));
	c->load = add_phdr(l, PT_LOAD, protection(o), align);
	c->load->p_vaddr = c->load->p_paddr = c->va;
	c->load->p_offset = c->off;
}

static void close_segment(struct layout *l, struct cursor *c, const struct out *last)
{
	if (!c->load)
		return;
	c->load->p_filesz = c->off - c->load->p_offset;
	/* The loader protects whole pages only: the segment that RELRO covers fills its last one. */
	if (last->is_relro)
		c->va = align_up(c->va, common_page(l));
	c->load->p_memsz = c->va - c->load->p_vaddr;
	c->load = NULL;
}

static int place_loaded(struct layout *l, struct cursor *c, uint32_t *ret_next)
{
	struct out *prev = NULL;
	uint32_t i;
	for (i = 1; i < l->out_cnt && (l->outs[i].flags & SHF_ALLOC); i++) {
		struct out *o = &l->outs[i];
		uint64_t align = UINT64_C(1) << o->p2align;
		if (prev && starts_segment(prev, o)) {
			close_segment(l, c, prev);
			open_segment(l, c, o);
		} else if (!prev) {
			c->load->p_flags = protection(o); /* opened for the headers */
		}
		prev = o;
		if (o->sz > UINT64_C(1) << 46) {
			diag_error(l->in->diag, 0, "%s: the output section is larger than an address space", o->name);
			return -EFBIG;
		}
		if (is_tbss(o)) { /* laid over what follows: its bytes exist per thread only */
			const struct out *before = i > 1 && (l->outs[i - 1].flags & SHF_TLS) ? &l->outs[i - 1] : NULL;
			uint64_t from = before && is_tbss(before) ? before->va + before->sz : c->va;
			o->va = align_up(from, align);
			o->off = c->off + (o->va - c->va);
			continue;
		}
		uint64_t va = align_up(c->va, align);
		if (o->type != SHT_NOBITS)
			c->off += va - c->va;
		o->va = c->va = va;
		o->off = c->off;
		c->va += o->sz;
		if (o->type != SHT_NOBITS)
			c->off += o->sz;
	}
	if (prev)
		close_segment(l, c, prev);
	*ret_next = i;
	return 0;
}

/* The TLS block must start at its alignment: the first TLS section takes the alignment of them all. */
static void align_tls(struct layout *l)
{
	struct out *first = NULL;
	for (uint32_t i = 1; i < l->out_cnt; i++) {
		struct out *o = &l->outs[i];
		if (!(o->flags & SHF_TLS) || !(o->flags & SHF_ALLOC))
			continue;
		first = first ? first : o;
		if (o->p2align > first->p2align)
			first->p2align = o->p2align;
	}
}

static void span(const struct layout *l, uint32_t first, uint32_t last, Elf64_Phdr *p)
{
	const struct out *a = &l->outs[first], *b = &l->outs[last];
	p->p_vaddr = p->p_paddr = a->va;
	p->p_offset = a->off;
	p->p_memsz = b->va + b->sz - a->va;
	p->p_filesz = b->type == SHT_NOBITS ? b->off - a->off : b->off + b->sz - a->off;
	for (uint32_t i = first; i <= last; i++)
		if (p->p_align < UINT64_C(1) << l->outs[i].p2align)
			p->p_align = UINT64_C(1) << l->outs[i].p2align;
}

static void add_tls(struct layout *l)
{
	uint32_t first = 0, last = 0;
	for (uint32_t i = 1; i < l->out_cnt; i++) {
		if (!(l->outs[i].flags & SHF_TLS) || !(l->outs[i].flags & SHF_ALLOC))
			continue;
		first = first ? first : i;
		last = i;
	}
	if (!first)
		return;
	Elf64_Phdr *p = add_phdr(l, PT_TLS, PF_R, 1);
	span(l, first, last, p);
	const struct out *b = &l->outs[last];
	p->p_filesz = is_tbss(&l->outs[first]) ? 0 : p->p_filesz;
	if (is_tbss(b)) /* file bytes end where .tdata does */
		for (uint32_t i = first; i <= last; i++)
			if (!is_tbss(&l->outs[i]))
				p->p_filesz = l->outs[i].off + l->outs[i].sz - p->p_offset;
	l->tls_va = p->p_vaddr;
	l->tls_sz = p->p_memsz;
	l->tls_align = p->p_align;
	/* psABI/ELF TLS: variant 1 has the block above TP, variant 2 ends it there, both at the block's alignment. */
	if (l->in->arch->tls_variant_1)
		l->tp = l->tls_va - align_up(l->in->arch->tcb_size, l->tls_align);
	else
		l->tp = align_up(l->tls_va + l->tls_sz, l->tls_align);
}

static void add_notes(struct layout *l)
{
	for (uint32_t i = 1, n; i < l->out_cnt; i = n) {
		const struct out *o = &l->outs[i];
		n = i + 1;
		if (o->type != SHT_NOTE || !(o->flags & SHF_ALLOC))
			continue;
		while (n < l->out_cnt && l->outs[n].type == SHT_NOTE && (l->outs[n].flags & SHF_ALLOC) &&
		       l->outs[n].p2align == o->p2align)
			n++;
		span(l, i, n - 1, add_phdr(l, PT_NOTE, PF_R, 1));
	}
}

static void add_relro(struct layout *l)
{
	uint32_t first = 0;
	for (uint32_t i = 1; i < l->out_cnt && !first; i++)
		first = l->outs[i].is_relro ? i : 0;
	if (!first)
		return;
	Elf64_Phdr *p = add_phdr(l, PT_GNU_RELRO, PF_R, 1);
	for (uint32_t i = 0; i < l->phdr_cnt; i++) { /* it is exactly one segment */
		const Elf64_Phdr *q = &l->phdrs[i];
		if (q->p_type == PT_LOAD && l->outs[first].va >= q->p_vaddr &&
		    l->outs[first].va - q->p_vaddr < q->p_memsz) {
			p->p_vaddr = p->p_paddr = q->p_vaddr;
			p->p_offset = q->p_offset;
			p->p_filesz = q->p_filesz;
			p->p_memsz = q->p_memsz;
		}
	}
}

static bool wants_exec_stack(const struct layout *l)
{
	const struct options *opt = l->in->opt;
	if (opt->z_execstack || opt->z_noexecstack)
		return opt->z_execstack;
	for (uint32_t k = 0; k < l->st->obj_cnt; k++)
		if (l->in->files[l->st->objs[k]].obj->exec_stack)
			return true;
	return false;
}

static void add_one(struct layout *l, enum syn_id id, uint32_t type, uint32_t flags)
{
	if (l->syn_out[id])
		span(l, l->syn_out[id], l->syn_out[id], add_phdr(l, type, flags, 1));
}

static void place_unloaded(struct layout *l, struct cursor *c, uint32_t first)
{
	for (uint32_t i = first; i < l->out_cnt; i++) {
		struct out *o = &l->outs[i];
		c->off = align_up(c->off, UINT64_C(1) << o->p2align);
		o->off = c->off;
		if (o->type != SHT_NOBITS)
			c->off += o->sz;
	}
	uint64_t shdr = l->in->arch->elf_class == ELFCLASS64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	l->shoff = align_up(c->off, word_sz(l));
	l->file_sz = l->shoff + shdr * l->out_cnt;
}

static int open_headers(struct layout *l)
{
	bool wide = l->in->arch->elf_class == ELFCLASS64;
	const struct options *opt = l->in->opt;
	uint32_t cnt = count_phdrs(l);
	if (cnt > PHDR_MAX) {
		diag_error(l->in->diag, 0, "the layout needs %u program headers, at most %u are possible", cnt, PHDR_MAX);
		return -E2BIG;
	}
	l->headers_sz = (wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)) +
			cnt * (wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));
	l->image_base = opt->has_image_base ? opt->image_base : l->st->is_pic ? 0 : l->in->arch->image_base;
	if (l->image_base & (max_page(l) - 1)) {
		diag_error(l->in->diag, 0, "image base 0x%llx is not a multiple of the page size 0x%llx",
			   (unsigned long long)l->image_base, (unsigned long long)max_page(l));
		return -EINVAL;
	}
	Elf64_Phdr *p = add_phdr(l, PT_PHDR, PF_R, word_sz(l));
	p->p_offset = wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	p->p_vaddr = p->p_paddr = l->image_base + p->p_offset;
	p->p_filesz = p->p_memsz = l->headers_sz - p->p_offset;
	return 0;
}

int address_assign(struct layout *l)
{
	struct cursor c = { 0 };
	uint32_t next;
	l->phdrs = arena_alloc_array(l->arena, PHDR_MAX, sizeof(*l->phdrs), 8);
	if (!l->phdrs)
		return -ENOMEM;
	align_tls(l);
	int rc = open_headers(l);
	if (rc)
		return rc;
	uint32_t expected = count_phdrs(l);
	/* PT_INTERP must precede every PT_LOAD (gABI). Its place is known only later. */
	Elf64_Phdr *interp = l->syn_out[SYN_INTERP] ? add_phdr(l, PT_INTERP, PF_R, 1) : NULL;
	c.va = l->image_base;
	c.load = add_phdr(l, PT_LOAD, PF_R, max_page(l));
	c.load->p_vaddr = c.load->p_paddr = c.va;
	c.va += l->headers_sz;
	c.off = l->headers_sz;
	if ((rc = place_loaded(l, &c, &next)))
		return rc;
	l->image_end = c.va;
	if (l->image_end < l->image_base) {
		diag_error(l->in->diag, 0, "image base 0x%llx: the output goes beyond the end of the address space",
			   (unsigned long long)l->image_base);
		return -EINVAL;
	}
	if (c.load) { /* nothing is loaded but the headers */
		c.load->p_filesz = c.load->p_memsz = l->headers_sz;
		c.load = NULL;
	}
	place_unloaded(l, &c, next);
	if (interp)
		span(l, l->syn_out[SYN_INTERP], l->syn_out[SYN_INTERP], interp);
	add_one(l, SYN_DYNAMIC, PT_DYNAMIC, PF_R | PF_W);
	add_notes(l);
	add_one(l, SYN_PROPERTY, PT_GNU_PROPERTY, PF_R);
	add_tls(l);
	add_one(l, SYN_EH_FRAME_HDR, PT_GNU_EH_FRAME, PF_R);
	Elf64_Phdr *stack = add_phdr(l, PT_GNU_STACK, PF_R | PF_W | (wants_exec_stack(l) ? PF_X : 0), 16);
	stack->p_memsz = l->in->opt->z_stack_size;
	add_relro(l);
	if (l->phdr_cnt > expected) {
		diag_error(l->in->diag, 0, "internal error: %u program headers, %u were counted", l->phdr_cnt, expected);
		return -EINVAL;
	}
	return 0;
}
