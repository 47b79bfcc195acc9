/* image.c - the public face of a finished link: fills, sizes, inputs, counters; and of the process's linker.
 *
 * A fill checks the inputs' identities after it read them, behind a SIGBUS guard, so that an input that changed under a
 * generation gives -ESTALE and never wrong bytes. Making links is link.c's, writing files output.c's.
 */
#include "image.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IDLE_BYTES ((uint64_t)1 << 30) /* of inputs without an image, which page cache holds rather than we */
/* Free memory that malloc may keep: so much, and the eighth part of what it gave out. The next link takes it again; what was
 * given back it faults in again, page by page (900 faults, 2 ms of 32, in a relink of a program of 165 MB, which leaves 6 MB
 * free beside 82 MB used). */
#define FREE_BYTES ((size_t)512 << 10)
#define FREE_SHARE 8

int linkfs_linker_new(const struct linkfs_config *cfg, struct linkfs_linker **ret_linker)
{
	struct linkfs_linker *l = calloc(1, sizeof(*l));
	struct mapper_config mc = { .budget = cfg ? cfg->map_budget : 0 };
	int rc = l ? 0 : -ENOMEM;
	if (!l)
		return rc;
	pthread_mutex_init(&l->lock, NULL);
	if (!rc)
		rc = mapper_new(&mc, &l->mapper);
	if (!rc)
		rc = names_new(&l->names);
	if (!rc)
		rc = names_new(&l->strings);
	if (!rc && !(cfg && cfg->one_link))
		rc = kept_new(&l->kept);
	if (!rc && !(cfg && cfg->one_link))
		rc = shelf_new(&l->shelf);
	if (!rc)
		rc = pool_new(cfg ? cfg->threads : 0, &l->pool);
	if (rc) {
		linkfs_linker_free(l);
		return rc;
	}
	*ret_linker = l;
	return 0;
}

struct linkfs_linker *linkfs_linker_free(struct linkfs_linker *l)
{
	if (!l)
		return NULL;
	l->kept = kept_free(l->kept);
	free(l->scanned_names);
	free(l->merge_table);
	l->strings = names_free(l->strings);
	l->names = names_free(l->names);
	mapper_free(l->mapper);
	pool_free(l->pool);
	shelf_free(l->shelf);
	pthread_mutex_destroy(&l->lock);
	free(l);
	return NULL;
}

int linkfs_linker_keep(struct linkfs_linker *l, const struct stat *st, int fd)
{
	return mapper_replace(l->mapper, st, fd);
}

/* Tables of links come and go in all sizes: what they leave between others goes back as well. */
static void trim_heap(void)
{
	struct mallinfo2 m = mallinfo2();

	if (m.fordblks > FREE_BYTES + (m.uordblks + m.hblkhd) / FREE_SHARE)
		malloc_trim(0);
}

void linkfs_linker_trim(struct linkfs_linker *l)
{
	if (pthread_mutex_trylock(&l->lock))
		return; /* a link: it is trimmed after it */
	mapper_trim(l->mapper, IDLE_BYTES);
	trim_heap();
	pthread_mutex_unlock(&l->lock);
}

void linkfs_linker_stats(const struct linkfs_linker *l, struct linkfs_linker_stats *ret_stats)
{
	struct mapper_stats m;
	mapper_stats(l->mapper, &m);
	*ret_stats = (struct linkfs_linker_stats){ .inputs = m.files, .input_bytes = m.bytes, .mappings = m.mappings,
						   .parsed_objects = atomic_load(&l->parsed_objects),
						   .scanned_objects = atomic_load(&l->scanned_objects),
						   .resolutions = l->kept ? kept_made(l->kept) : 0 };
}

enum linkfs_doing linkfs_linker_doing(const struct linkfs_linker *l)
{
	/* Of what comes between two of these the first one tells enough. */
	static const struct {
		const char *pass;
		enum linkfs_doing doing;
	} rows[] = {
		{ "inputs_", LINKFS_DOING_INPUTS },  { "symtab_", LINKFS_DOING_SYMBOLS }, { "scan_", LINKFS_DOING_RELOCATIONS },
		{ "layout_", LINKFS_DOING_LAYOUT }, { "overflow_", LINKFS_DOING_LAYOUT }, { "image_", LINKFS_DOING_LAYOUT },
	};
	const char *pass = atomic_load(&l->pass);

	for (size_t i = 0; pass && i < sizeof(rows) / sizeof(*rows); i++)
		if (!strncmp(pass, rows[i].pass, strlen(rows[i].pass)))
			return rows[i].doing;
	return pass ? LINKFS_DOING_SECTIONS : LINKFS_DOING_NOTHING;
}

struct linkfs_image *linkfs_image_ref(struct linkfs_image *img)
{
	atomic_fetch_add(&img->refs, 1);
	return img;
}

struct linkfs_image *linkfs_image_unref(struct linkfs_image *img)
{
	if (!img || atomic_fetch_sub(&img->refs, 1) > 1)
		return NULL;
	layout_free(img->l);
	sections_free(img->s);
	symtab_free(img->st);
	inputs_free(img->in);
	options_free(img->opt);
	free(img);
	return NULL;
}

uint64_t linkfs_image_size(const struct linkfs_image *img)
{
	return img->l->file_sz;
}

const struct linkfs_verdict *linkfs_image_verdict(const struct linkfs_image *img)
{
	return &img->verdict;
}

static int compare_identities(const void *va, const void *vb)
{
	const struct stat *a = va, *b = vb;
	const uint64_t x[] = { a->st_ino, a->st_dev, (uint64_t)a->st_size, (uint64_t)a->st_mtim.tv_sec,
			       (uint64_t)a->st_mtim.tv_nsec, (uint64_t)a->st_ctim.tv_sec, (uint64_t)a->st_ctim.tv_nsec };
	const uint64_t y[] = { b->st_ino, b->st_dev, (uint64_t)b->st_size, (uint64_t)b->st_mtim.tv_sec,
			       (uint64_t)b->st_mtim.tv_nsec, (uint64_t)b->st_ctim.tv_sec, (uint64_t)b->st_ctim.tv_nsec };
	for (size_t i = 0; i < sizeof(x) / sizeof(*x); i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

void linkfs_image_keep(struct linkfs_image *img, struct stat *list, size_t cnt)
{
	qsort(list, cnt, sizeof(*list), compare_identities);
	for (uint32_t i = 0; i < img->in->held_cnt; i++) {
		struct infile *f = img->in->held[i];
		if (S_ISREG(f->st.st_mode) && bsearch(&f->st, list, cnt, sizeof(*list), compare_identities))
			atomic_store(&f->is_kept, true);
	}
}

/* ---- filling ---- */

struct guarded {
	struct linkfs_image *img;
	const struct linkfs_range *range;
	size_t cnt;
	uint8_t *dst;
	struct fill *f;
	uint64_t filled; /* < bytes */
};

static int fill_guarded(void *ctx)
{
	struct guarded *g = ctx;
	int rc = 0;
	for (size_t i = 0; !rc && i < g->cnt; g->filled += g->range[i++].sz)
		rc = plan_fill(g->img->l, g->range[i].off, g->range[i].sz, g->dst + g->filled, g->f);
	return rc;
}

int image_check_inputs(const struct linkfs_image *img, char *why, size_t why_sz)
{
	for (uint32_t i = 0; i < img->in->held_cnt; i++) {
		bool rehash = false;
		const struct infile *f = img->in->held[i];
		int rc = infile_check(f, &rehash);
		if (rc) {
			if (why && why_sz)
				snprintf(why, why_sz, "%s: the input changed after it was linked: link again", f->path);
			return -ESTALE;
		}
	}
	return 0;
}

int linkfs_image_fill_ranges(struct linkfs_image *img, const struct linkfs_range *range, size_t cnt, void *dst, char *why,
			     size_t why_sz)
{
	struct fill f = { .why = why, .why_sz = why_sz };
	struct guarded g = { .img = img, .range = range, .cnt = cnt, .dst = dst, .f = &f };
	int rc = mapper_guard(fill_guarded, &g);
	if (rc == -ESTALE && why && why_sz && !*why)
		snprintf(why, why_sz, "an input was truncated after it was linked: link again");
	/* Looking once, afterwards, is enough: it shows what changed before and meanwhile, and then neither the bytes nor
	 * an error found in them count. */
	int changed = img->is_writing || rc == -ESTALE ? 0 : image_check_inputs(img, why, why_sz);
	rc = changed ? changed : rc;
	if (rc)
		return rc;
	atomic_fetch_add_explicit(&img->relocs_applied, f.relocs, memory_order_relaxed);
	atomic_fetch_add_explicit(&img->filled_bytes, g.filled, memory_order_relaxed);
	return 0;
}

int linkfs_image_fill(struct linkfs_image *img, uint64_t off, uint64_t sz, void *dst, char *why, size_t why_sz)
{
	return linkfs_image_fill_ranges(img, &(struct linkfs_range){ off, sz }, 1, dst, why, why_sz);
}

uint64_t linkfs_image_cut(const struct linkfs_image *img, uint64_t off, uint64_t want)
{
	return plan_cut(img->l, off, want);
}

/* ---- questions ---- */

size_t linkfs_image_input_count(const struct linkfs_image *img)
{
	return img->in->held_cnt;
}

struct linkfs_input linkfs_image_input(const struct linkfs_image *img, size_t i)
{
	const struct infile *f = img->in->held[i];
	return (struct linkfs_input){ f->path, f->fd, f->st };
}

static void code_range(const struct layout *l, uint64_t *ret_off, uint64_t *ret_sz)
{
	uint64_t begin = UINT64_MAX, end = 0;
	for (uint32_t i = 0; i < l->phdr_cnt; i++) {
		const Elf64_Phdr *ph = &l->phdrs[i];
		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X))
			continue;
		begin = ph->p_offset < begin ? ph->p_offset : begin;
		end = ph->p_offset + ph->p_filesz > end ? ph->p_offset + ph->p_filesz : end;
	}
	*ret_off = end ? begin : 0;
	*ret_sz = end ? end - begin : 0;
}

void linkfs_image_stats(const struct linkfs_image *img, struct linkfs_image_stats *ret_stats)
{
	*ret_stats = (struct linkfs_image_stats){
		.input_bytes = img->input_bytes,
		.eager_bytes = img->eager_bytes,
		.relocs_total = img->s->relocs_total,
		.relocs_applied = atomic_load(&img->relocs_applied),
		.filled_bytes = atomic_load(&img->filled_bytes),
		.link_ms = img->link_ms,
	};
	code_range(img->l, &ret_stats->code_off, &ret_stats->code_sz);
}

bool linkfs_image_wants_timers(const struct linkfs_image *img)
{
	return img->opt->linkfs_time;
}

char *linkfs_image_timers(const struct linkfs_image *img)
{
	char *text = NULL;
	size_t sz = 0;
	FILE *f = open_memstream(&text, &sz);
	if (!f)
		return NULL;
	for (unsigned i = 0; i < img->timers.cnt; i++) {
		const char *name = img->timers.rows[i].name;
		fprintf(f, "%9.2f ms  %.*s\n", img->timers.rows[i].ms, (int)strcspn(name, "("), name);
	}
	fprintf(f, "%9.2f ms  link\n", img->link_ms);
	return fclose(f) ? NULL : text;
}
