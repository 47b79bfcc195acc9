/* map.c - the link map: output sections, what each is made of, and the symbols in it, by address. */
#include <stdio.h>
#include <stdlib.h>

#include "image.h"

struct sym_row {
	uint64_t va;
	name_id id;
};

static int by_va(const void *x, const void *y, void *ctx)
{
	const struct sym_row *a = x, *b = y;
	const struct names *names = ctx;
	if (a->va != b->va)
		return a->va < b->va ? -1 : 1;
	return names_compare(names, a->id, b->id);
}

static struct sym_row *list_symbols(const struct linkfs_image *img, size_t *ret_cnt)
{
	const struct symtab *st = img->st;
	size_t cnt = 0;
	struct sym_row *rows = malloc(((size_t)st->cnt + 1) * sizeof(*rows));
	for (name_id id = 1; rows && id < st->cnt; id++) {
		uint32_t fl = sym_flags(st, id);
		if ((fl & SYM_DEF) && !(fl & SYM_ABS) && img->l->va[id])
			rows[cnt++] = (struct sym_row){ img->l->va[id], id };
	}
	if (rows)
		qsort_r(rows, cnt, sizeof(*rows), by_va, img->in->names);
	*ret_cnt = cnt;
	return rows;
}

static void print_chunk(FILE *f, const struct linkfs_image *img, const struct out *o, uint32_t c)
{
	const struct layout *l = img->l;
	uint32_t chunk = o->chunk[c], file = o->chunk_file[c];
	uint64_t va = o->va + chunk_off(l, o, c);
	if (chunk & CHUNK_SYN) {
		fprintf(f, "%16llx %8llx         <linker>:(%s)\n", (unsigned long long)va,
			(unsigned long long)l->syn_sz[chunk & CHUNK_INDEX], l->syn[chunk & CHUNK_INDEX]->name);
	} else if (chunk & CHUNK_MERGE) {
		fprintf(f, "%16llx %8llx         <merged pieces of %u sections>\n", (unsigned long long)va,
			(unsigned long long)l->s->merge_sets[chunk & CHUNK_INDEX].sz,
			l->s->merge_sets[chunk & CHUNK_INDEX].sec_cnt);
	} else {
		const struct object *obj = l->in->files[file].obj;
		const struct isec *is = &obj->secs[chunk - l->st->sec_base[file]];
		fprintf(f, "%16llx %8llx %5u         %s:(%s)\n", (unsigned long long)va, (unsigned long long)is->sz,
			1u << (is->p2align & 31), obj->name, isec_name(obj, is));
	}
}

static char *render(const struct linkfs_image *img, size_t *ret_sz)
{
	char *text = NULL;
	size_t sz = 0, cnt, at = 0;
	FILE *f = open_memstream(&text, &sz);
	struct sym_row *rows = list_symbols(img, &cnt);
	if (!f || !rows) {
		if (f)
			fclose(f);
		free(text);
		free(rows);
		return NULL;
	}
	fprintf(f, "             VMA     Size Align Out     In      Symbol\n");
	for (uint32_t i = 1; i < img->l->out_cnt; i++) {
		const struct out *o = &img->l->outs[i];
		fprintf(f, "%16llx %8llx %5u %s\n", (unsigned long long)o->va, (unsigned long long)o->sz,
			1u << (o->p2align & 31), o->name);
		for (uint32_t c = 0; c < o->chunk_cnt; c++) {
			print_chunk(f, img, o, c);
			uint64_t end = o->va + chunk_off(img->l, o, c + 1);
			while (at < cnt && o->va && rows[at].va < o->va + chunk_off(img->l, o, c))
				at++;
			for (; at < cnt && o->va && rows[at].va < end; at++) {
				const struct name *n = names_get(img->in->names, rows[at].id);
				fprintf(f, "%16llx %8x %5u                 %.*s\n", (unsigned long long)rows[at].va, 0, 0,
					(int)n->len, n->str);
			}
		}
	}
	free(rows);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	*ret_sz = sz;
	return text;
}

char *linkfs_image_map(struct linkfs_image *img, size_t *ret_sz)
{
	return render(img, ret_sz);
}
