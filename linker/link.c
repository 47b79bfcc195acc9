/* link.c - the story of a link, pass by pass.
 *
 * Each line makes one frozen product from those before it; the comments between say what can no longer change. What is
 * left to siblings: image.c fills ranges and answers questions about the result, output.c writes whole files, map.c the
 * link map.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "image.h"

double timer_now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

void timer_add(struct timers *t, const char *name, double since_ms)
{
	if (t->cnt < TIMER_MAX) {
		t->rows[t->cnt].name = name;
		t->rows[t->cnt++].ms = timer_now_ms() - since_ms;
	}
}

/* Runs a pass unless one before it failed, and notes its time. */
#define PASS(call)                                               \
	do {                                                     \
		if (!rc) {                                       \
			double start_ = timer_now_ms();          \
			atomic_store(&img->linker->pass, #call); \
			rc = (call);                             \
			timer_add(&img->timers, #call, start_);  \
			diag_pass(d);                            \
		}                                                \
	} while (0)

int link_open_plain(void *ctx, const char *path)
{
	int fd = openat(*(int *)ctx, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

#define TEXT_MAX ((size_t)64 << 20) /* of a response file */

/* As read(2), from a pipe as well; where there are offsets the descriptor's own is not used: it may be shared. */
static ssize_t read_at(int fd, char *to, size_t sz, size_t off)
{
	ssize_t n = pread(fd, to, sz, (off_t)off);

	return n < 0 && errno == ESPIPE ? read(fd, to, sz) : n;
}

/* For @FILE: the whole text, through the opener like every other file. */
static int read_text(void *ctx, const char *path, char **ret_text, size_t *ret_sz)
{
	const struct linkfs_opener *op = ctx;
	size_t sz = 0, cap = 4096;
	int fd = op->open(op->ctx, path), rc = fd < 0 ? fd : 0;
	char *text = rc ? NULL : malloc(cap + 1);
	while (!rc && text) {
		ssize_t n = read_at(fd, text + sz, cap - sz, sz);
		if (n < 0 && errno != EINTR)
			rc = -errno;
		if (n == 0)
			break;
		sz += n > 0 ? (size_t)n : 0;
		if (sz == cap && cap >= TEXT_MAX) {
			rc = -EFBIG; /* a device that never ends, most likely */
		} else if (sz == cap) {
			char *p = realloc(text, cap * 2 + 1);
			rc = p ? 0 : -ENOMEM;
			text = p ? p : text;
			cap *= 2;
		}
	}
	if (fd >= 0 && !op->lends)
		close(fd);
	if (rc || !text) {
		free(text);
		return rc ? rc : -ENOMEM;
	}
	text[sz] = 0;
	*ret_text = text;
	*ret_sz = sz;
	return 0;
}

static uint64_t sum_inputs(const struct inputs *in)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < in->held_cnt; i++)
		sum += in->held[i]->sz;
	return sum;
}

static uint64_t sum_eager(const struct layout *l)
{
	uint64_t sum = 0;
	for (int i = 0; i < SYN_CNT; i++)
		sum += l->syn[i]->is_eager ? l->syn_sz[i] : 0;
	return sum;
}

/* Options whose effect this linker does not have must not be ignored. */
static int check_supported(const struct options *opt, struct diag *d)
{
	const struct { bool asked; const char *what; } rows[] = {
		{ opt->kind == OUTPUT_RELOCATABLE, "-r (a relocatable output)" },
		{ opt->package_metadata != NULL, "--package-metadata" },
		{ opt->omagic, "-N (--omagic)" },
		{ opt->nmagic, "-n (--nmagic)" },
		{ opt->cref, "--cref" },
		{ opt->gc_keep_exported, "--gc-keep-exported" },
		{ opt->z_pack_relative_relocs, "-z pack-relative-relocs" },
		{ opt->z_shstk, "-z shstk" },
		{ opt->z_unique_symbol, "-z unique-symbol" },
		{ opt->z_keep_text_section_prefix, "-z keep-text-section-prefix" },
		{ opt->build_id == BUILD_ID_UUID, "--build-id=uuid (outputs are functions of their inputs)" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].asked)
			diag_refuse(d, 0, "%s: this option is not supported by linkfs", rows[i].what);
	for (size_t i = 0; i < opt->operand_cnt; i++)
		if (opt->operands[i].just_symbols)
			diag_refuse(d, 0, "-R %s: this option is not supported by linkfs", opt->operands[i].name);
	return diag_errors(d) ? -EINVAL : 0;
}

static int make(struct linkfs_image *img, const struct inputs_config *cfg, struct diag *d)
{
	int rc = 0;
	PASS(check_supported(img->opt, d));
	PASS(inputs_load(cfg, &img->in));
	PASS(symtab_resolve(img->in, &img->st));
	/* After this: no new files, no new symbols. */
	PASS(sections_new(img->st, &img->s));
	PASS(outsec_assign(img->s));
	PASS(ehframe_parse(img->s));
	PASS(gc_mark(img->s));
	PASS(inflate_sections(img->s));
	PASS(merge_pieces(img->s));
	PASS(ehframe_select(img->s));
	PASS(property_merge(img->s));
	/* After this: no new input sections, every one is live or dead. */
	PASS(scan_relocations(img->s));
	PASS(symtab_check_shared(img->st));
	PASS(slots_assign(img->s));
	PASS(dynsym_build(img->s));
	PASS(hash_build(img->s));
	/* After this: no new sections of any kind. */
	PASS(layout_make(img->s, synthetics, &img->l));
	/* After this: nothing moves, the size is exact. */
	PASS(overflow_prove(img->l, relocation_check));
	/* After this: every error of allocated sections has been reported; what is left is rendering. */
	PASS(image_trim(img));
	/* After this: only what fills read is there. */
	return rc ? rc : diag_errors(d) ? -EINVAL : 0;
}

int link_read_options(const struct linkfs_request *rq, const struct linkfs_opener *opener, struct diag *d,
		      struct options **ret_options, char **ret_text)
{
	struct options_reader reader = { read_text, (void *)opener };
	int rc = options_parse(rq->argc, rq->argv, &reader, d, ret_options, ret_text);
	if (!rc)
		diag_error_limit(d, (*ret_options)->error_limit);
	return rc;
}

static struct linkfs_verdict verdict_of(const struct options *opt)
{
	return (struct linkfs_verdict){
		.output = opt->output,
		.map_file = opt->map_file,
		.dependency_file = opt->dependency_file,
		.is_executable = opt->kind != OUTPUT_RELOCATABLE,
	};
}

static struct linkfs_plugin_args plugin_args_of(const struct options *opt)
{
	static const enum linkfs_output outputs[] = {
		[OUTPUT_EXEC] = LINKFS_OUTPUT_EXEC,
		[OUTPUT_PIE] = LINKFS_OUTPUT_PIE,
		[OUTPUT_SHARED] = LINKFS_OUTPUT_SHARED,
		[OUTPUT_RELOCATABLE] = LINKFS_OUTPUT_RELOCATABLE,
	};
	return (struct linkfs_plugin_args){
		.path = opt->plugin,
		.opts = opt->plugin_opts,
		.opt_cnt = opt->plugin_opt_cnt,
		.wraps = opt->wraps,
		.wrap_cnt = opt->wrap_cnt,
		.output = outputs[opt->kind],
	};
}

int linkfs_look(const struct linkfs_request *rq, struct diag *d, struct linkfs_look *ret_look, char **ret_text)
{
	int cwd_fd = rq->cwd_fd;
	struct linkfs_opener plain = { .open = link_open_plain, .ctx = &cwd_fd };
	struct options *opt;
	int rc = link_read_options(rq, rq->opener ? rq->opener : &plain, d, &opt, ret_text);
	if (!rc)
		*ret_look = (struct linkfs_look){ verdict_of(opt), plugin_args_of(opt), opt };
	return rc;
}

void linkfs_look_done(struct linkfs_look *look)
{
	look->options = options_free(look->options);
}

int linkfs_link(struct linkfs_linker *l, const struct linkfs_request *rq, struct diag *d, struct linkfs_image **ret_image,
		char **ret_text)
{
	int cwd_fd = rq->cwd_fd;
	struct linkfs_opener plain = { .open = link_open_plain, .ctx = &cwd_fd };
	const struct linkfs_opener *opener = rq->opener ? rq->opener : &plain;
	struct linkfs_image *img = calloc(1, sizeof(*img));
	double start = timer_now_ms();
	if (!img) {
		diag_error(d, 0, "out of memory");
		return -ENOMEM;
	}
	img->linker = l;
	atomic_init(&img->refs, 1);
	int rc = link_read_options(rq, opener, d, &img->opt, ret_text);
	if (rc) {
		linkfs_image_unref(img);
		return rc;
	}
	pthread_mutex_lock(&l->lock);
	struct ir_plan plan = { rq->lto_cnt, rq->lto };
	struct inputs_config cfg = { .opt = img->opt, .mapper = l->mapper, .names = l->names, .strings = l->strings,
				     .pool = l->pool, .shelf = l->shelf, .diag = d,
				     .opener = opener, .parsed_objects = &l->parsed_objects,
				     .scanned_objects = &l->scanned_objects, .scanned_names = &l->scanned_names,
				     .merge_table = &l->merge_table,
				     .kept = l->kept, .plan = rq->lto_cnt ? &plan : NULL,
				     .never_compiles = rq->never_compiles };
	rc = make(img, &cfg, d);
	atomic_store(&l->pass, NULL);
	if (rc && img->in)
		rc = inputs_failure(img->in, rc);
	if (img->in)
		img->in->plan = NULL; /* it is the request's */
	pthread_mutex_unlock(&l->lock);
	if (rc) {
		if (!diag_errors(d))
			diag_error(d, 0, "the link failed: %s", strerror(-rc));
		linkfs_image_unref(img);
		return rc;
	}
	img->verdict = verdict_of(img->opt);
	img->input_bytes = sum_inputs(img->in);
	img->eager_bytes = sum_eager(img->l) + img->s->inflated_sz;
	img->link_ms = timer_now_ms() - start;
	*ret_image = img;
	return 0;
}
