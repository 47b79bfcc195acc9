/* order.c - the order of output sections: the built-in layout, as a table.
 *
 * Read-only, then executable, then writable (first what RELRO protects), then without bytes, then what is not
 * loaded; inside a class the names below first, everything else by where it first appeared. Segments follow from it.
 * Source: gABI ch. 5; GNU ld's -z separate-code and lld agree on one segment per protection.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "layout_priv.h"

enum order_class {
	ORDER_INTERP, ORDER_NOTE, ORDER_READ, ORDER_EXEC, ORDER_TLS, ORDER_TLS_BSS, ORDER_RELRO, ORDER_RELRO_BSS, ORDER_WRITE,
	ORDER_BSS, ORDER_FILE
};

/* Positions inside a class; what is not named gets the place of "". */
static const struct {
	uint8_t class;
	const char *name;
} places[] = {
	{ ORDER_READ, ".hash" },          { ORDER_READ, ".gnu.hash" },     { ORDER_READ, ".dynsym" },
	{ ORDER_READ, ".dynstr" },        { ORDER_READ, ".gnu.version" },  { ORDER_READ, ".gnu.version_d" },
	{ ORDER_READ, ".gnu.version_r" },
	{ ORDER_READ, ".rela.dyn" },      { ORDER_READ, ".rela.plt" },     { ORDER_READ, ".rodata" },
	{ ORDER_READ, "" },               { ORDER_READ, ".eh_frame_hdr" }, { ORDER_READ, ".eh_frame" },
	{ ORDER_READ, ".gcc_except_table" },
	{ ORDER_EXEC, ".init" },          { ORDER_EXEC, ".plt" },          { ORDER_EXEC, ".plt.got" },
	{ ORDER_EXEC, ".text" },          { ORDER_EXEC, "" },              { ORDER_EXEC, ".fini" },
	{ ORDER_RELRO, ".preinit_array" }, { ORDER_RELRO, ".init_array" }, { ORDER_RELRO, ".fini_array" },
	{ ORDER_RELRO, ".ctors" },        { ORDER_RELRO, ".dtors" },       { ORDER_RELRO, ".data.rel.ro" },
	{ ORDER_RELRO, "" },              { ORDER_RELRO, ".dynamic" },     { ORDER_RELRO, ".got" },
	{ ORDER_RELRO, ".got.plt" },
	{ ORDER_WRITE, ".got.plt" },      { ORDER_WRITE, ".data" },        { ORDER_WRITE, "" },
	{ ORDER_BSS, ".bss" },            { ORDER_BSS, "" },
	{ ORDER_FILE, ".comment" },       { ORDER_FILE, "" },              { ORDER_FILE, ".symtab" },
	{ ORDER_FILE, ".strtab" },        { ORDER_FILE, ".shstrtab" },
};

static bool is_relro(const struct layout *l, const struct out *o)
{
	static const char *const names[] = { ".preinit_array", ".init_array", ".fini_array", ".ctors", ".dtors", ".jcr",
					     ".data.rel.ro", ".bss.rel.ro", ".dynamic", ".got" };
	if (!l->in->opt->z_relro || !(o->flags & SHF_ALLOC) || !(o->flags & SHF_WRITE))
		return false;
	if ((o->flags & SHF_TLS) || (l->in->opt->z_now && !strcmp(o->name, ".got.plt")))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(o->name, names[i]))
			return true;
	return false;
}

static uint8_t class_of(const struct out *o)
{
	bool nobits = o->type == SHT_NOBITS;
	if (!(o->flags & SHF_ALLOC))
		return ORDER_FILE;
	if (!strcmp(o->name, ".interp"))
		return ORDER_INTERP;
	if (o->flags & SHF_TLS)
		return nobits ? ORDER_TLS_BSS : ORDER_TLS;
	if (o->flags & SHF_EXECINSTR)
		return o->flags & SHF_WRITE ? ORDER_WRITE : ORDER_EXEC;
	if (!(o->flags & SHF_WRITE))
		return o->type == SHT_NOTE ? ORDER_NOTE : ORDER_READ;
	if (o->is_relro)
		return nobits ? ORDER_RELRO_BSS : ORDER_RELRO;
	return nobits ? ORDER_BSS : ORDER_WRITE;
}

static uint32_t rank_of(const struct out *o)
{
	uint8_t class = class_of(o);
	uint32_t other = 0;
	for (uint32_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (places[i].class != class)
			continue;
		if (!strcmp(places[i].name, o->name))
			return (uint32_t)class << 8 | i;
		if (!*places[i].name)
			other = i;
	}
	return (uint32_t)class << 8 | other;
}

static int by_rank(const void *x, const void *y)
{
	const struct out *a = x, *b = y;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* An output section, and where it was before. */
struct ordered {
	struct out o;          /* first: by_rank compares it */
	uint32_t was;
};

int order_sections(struct layout *l)
{
	struct ordered *list = malloc(l->out_cnt * sizeof(*list));
	uint32_t *moved = calloc(l->out_cnt, sizeof(*moved));
	for (uint32_t i = 1; list && moved && i < l->out_cnt; i++) {
		l->outs[i].is_relro = is_relro(l, &l->outs[i]);
		l->outs[i].rank = rank_of(&l->outs[i]);
		list[i] = (struct ordered){ l->outs[i], i };
	}
	if (list && moved) {
		qsort(list + 1, l->out_cnt - 1, sizeof(*list), by_rank);
		for (uint32_t i = 1; i < l->out_cnt; i++) {
			l->outs[i] = list[i].o;
			moved[list[i].was] = i;
		}
		for (uint32_t i = 0; i < l->s->out_cnt; i++)
			l->out_index[i] = (uint16_t)moved[l->out_index[i]];
		for (int i = 0; i < SYN_CNT; i++)
			l->syn_out[i] = moved[l->syn_out[i]];
	}
	int rc = list && moved ? 0 : -ENOMEM;
	free(list);
	free(moved);
	return rc;
}
