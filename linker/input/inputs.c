/* inputs.c - from operands to the ordered list of files of a link.
 *
 * Opening is sequential (the opener belongs to one thread, and positions are an order); parsing is parallel. The search
 * itself is in search.c; formats are recognised by their first bytes, never by the file's name.
 * Source: GNU ld manual, "Command-line Options" (-l, -L, --start-group), "Implicit Linker Scripts".
 */
#include "inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inputs_ir.h"
#include "script.h"

#define SCRIPT_DEPTH_MAX 16
#define THIN_DEPTH_MAX 8
#define KNOWN_LINEAR 16

static void source_free(void *p)
{
	struct source *s = p;
	if (!s)
		return;
	if (s->archive && s->members)
		for (uint32_t i = 0; i < s->archive->member_cnt; i++)
			object_free(s->members[i]);
	free(s->members);
	archive_free(s->archive);
	object_free(s->obj);
	shlib_free(s->shlib);
	script_free(s->script);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

bool inputs_has_objects(const struct infile *f)
{
	const struct source *s = f->product;
	return s && (s->kind == SOURCE_OBJECT || s->kind == SOURCE_ARCHIVE);
}

const struct archive *inputs_archive(const struct ifile *f)
{
	return f->source ? f->source->archive : NULL;
}

const char *inputs_name(const struct ifile *f)
{
	if (f->kind == IFILE_INTERNAL)
		return "<linker-defined>";
	return f->obj ? f->obj->name : f->file->path;
}

/* ---- growing the lists ---- */

static int grow(void *list_ptr, uint32_t cnt, uint32_t *cap, size_t elem)
{
	void **list = list_ptr;
	if (cnt < *cap)
		return 0;
	uint32_t n = *cap ? *cap * 2 : 64;
	void *p = n > *cap ? realloc(*list, (size_t)n * elem) : NULL;
	if (!p)
		return -ENOMEM;
	*list = p;
	*cap = n;
	return 0;
}

static struct ifile *new_file(struct inputs *in)
{
	struct inputs_private *pv = in->priv;
	if (in->file_cnt >= INPUTS_FILE_MAX || grow(&in->files, in->file_cnt, &pv->file_cap, sizeof(*in->files)) < 0) {
		diag_error(in->diag, pv->place, "out of memory for the list of input files");
		return NULL;
	}
	struct ifile *f = &in->files[in->file_cnt++];
	memset(f, 0, sizeof(*f));
	return f;
}

int inputs_hold(struct inputs *in, struct infile *file)
{
	struct inputs_private *pv = in->priv;
	if (grow(&in->held, in->held_cnt, &pv->held_cap, sizeof(*in->held)) < 0) {
		mapper_unref(in->mapper, file);
		diag_error(in->diag, pv->place, "out of memory for the list of input files");
		return -ENOMEM;
	}
	in->held[in->held_cnt++] = file;
	return 0;
}

int inputs_add_fd(struct inputs *in, int fd, const char *path, struct infile **ret_file)
{
	const struct linkfs_opener *op = in->priv->opener;
	struct stat st;
	bool is_kept = false, is_told = op->identity && !op->identity(op->ctx, fd, &st, &is_kept);
	if (is_told && !is_kept && (*ret_file = mapper_find(in->mapper, &st))) { /* of a relink's inputs nearly all are */
		if (!op->lends)
			close(fd);
		return 0;
	}
	if (op->lends && (fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0)
		return -errno;
	return is_told ? mapper_add_as(in->mapper, fd, &st, is_kept, path, ret_file) :
			 mapper_add(in->mapper, fd, path, ret_file);
}

/* ---- recognising a file ---- */

static bool is_text(const uint8_t *data, uint64_t sz)
{
	for (uint64_t i = 0; i < sz && i < 512; i++)
		if (data[i] == 0 || (data[i] < ' ' && !strchr("\t\n\r\f\v", data[i])))
			return false;
	return true;
}

static struct source *source_new(struct inputs *in, struct infile *file)
{
	struct source *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->mapper = in->mapper;
	s->file = file;
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

static int recognise_archive(struct inputs *in, struct infile *file, struct source *s)
{
	uint64_t place = in->priv->place;
	int rc = archive_parse(file, in->names, in->diag, place, &s->archive);
	if (rc < 0)
		return rc;
	s->kind = SOURCE_ARCHIVE;
	s->members = calloc((size_t)s->archive->member_cnt + 1, sizeof(*s->members));
	if (!s->members) {
		diag_error(in->diag, place, "%s: out of memory for its members", file->path);
		return -ENOMEM;
	}
	return 0;
}

static int recognise_elf(struct inputs *in, struct infile *file, struct source *s)
{
	uint16_t type, machine;
	uint8_t class;
	bool be;
	int rc = object_peek(file->data, file->sz, &type, &machine, &class, &be);
	if (rc < 0) {
		diag_error(in->diag, in->priv->place, "%s: truncated elf header: %llu bytes", file->path,
			   (unsigned long long)file->sz);
		return rc;
	}
	if (type == ET_DYN) {
		s->kind = SOURCE_SHLIB;
		return shlib_parse(file, in->names, in->diag, in->priv->place, &s->shlib);
	}
	if (type != ET_REL) {
		diag_error(in->diag, in->priv->place,
			   "%s: cannot be an input: elf type %u, expected a relocatable object (1) or a shared "
			   "library (3)", file->path, type);
		return -EINVAL;
	}
	s->kind = SOURCE_OBJECT; /* parsed later, in parallel */
	return 0;
}

/* By path, the latest first. */
static int compare_known(const void *va, const void *vb)
{
	const struct infile *a = *(struct infile *const *)va, *b = *(struct infile *const *)vb;
	const struct timespec *x = &a->st.st_ctim, *y = &b->st.st_ctim;
	int c = strcmp(a->path, b->path);
	if (c)
		return c;
	return x->tv_sec != y->tv_sec ? (x->tv_sec > y->tv_sec ? -1 : 1)
	       : x->tv_nsec != y->tv_nsec ? (x->tv_nsec > y->tv_nsec ? -1 : 1)
					  : 0;
}

/* The latest file of links before that was called PATH, or NULL. Sorting pays from some questions on. */
static struct infile *find_known(struct inputs_private *pv, const char *path)
{
	struct infile *best = NULL;
	size_t lo = 0, hi = pv->known_cnt;
	if (pv->known_asked++ == KNOWN_LINEAR)
		qsort(pv->known, pv->known_cnt, sizeof(*pv->known), compare_known);
	if (pv->known_asked <= KNOWN_LINEAR) {
		for (size_t i = 0; i < pv->known_cnt; i++)
			if (!strcmp(pv->known[i]->path, path) && (!best || compare_known(&pv->known[i], &best) < 0))
				best = pv->known[i];
		return best;
	}
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (strcmp(pv->known[mid]->path, path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < pv->known_cnt && !strcmp(pv->known[lo]->path, path) ? pv->known[lo] : NULL;
}

/* The version before, whose products may fit this one's bytes as well; without memory it is done without. */
static void find_older(struct inputs *in, struct infile *file, struct source *s)
{
	struct inputs_private *pv = in->priv;
	if (s->kind != SOURCE_ARCHIVE && s->kind != SOURCE_OBJECT)
		return;
	if (!pv->known && mapper_products(in->mapper, &pv->known, &pv->known_cnt) < 0)
		return;
	struct infile *older = find_known(pv, file->path);
	const struct source *o = older ? older->product : NULL;
	if (!o || o->kind != s->kind || (s->archive && s->archive->is_thin != o->archive->is_thin) ||
	    grow(&pv->fresh, pv->fresh_cnt, &pv->fresh_cap, sizeof(*pv->fresh)) < 0)
		return;
	infile_ref(older);
	s->older = older;
	pv->fresh[pv->fresh_cnt++] = s;
}

void inputs_settle(struct inputs *in)
{
	struct inputs_private *pv = in->priv;
	for (uint32_t i = 0; i < pv->fresh_cnt; i++) {
		mapper_unref(in->mapper, pv->fresh[i]->older);
		pv->fresh[i]->older = NULL;
	}
	free(pv->fresh);
	free(pv->known);
	pv->fresh = NULL;
	pv->known = NULL;
	pv->known_cnt = 0;
	pv->fresh_cnt = pv->fresh_cap = 0;
}

/* What the file is; products of an earlier link are found on it. NULL: an error was reported. */
static struct source *recognise(struct inputs *in, struct infile *file)
{
	if (file->product)
		return file->product;
	struct source *s = source_new(in, file);
	int rc = -ENOMEM;
	if (!s)
		diag_error(in->diag, in->priv->place, "%s: out of memory", file->path);
	else if (archive_is(file->data, file->sz))
		rc = recognise_archive(in, file, s);
	else if (object_is_elf(file->data, file->sz))
		rc = recognise_elf(in, file, s);
	else if (object_is_bitcode(file->data, file->sz)) {
		s->kind = SOURCE_OBJECT;
		rc = 0;
	} else if (file->sz && is_text(file->data, file->sz)) {
		s->kind = SOURCE_SCRIPT;
		rc = script_parse((const char *)file->data, file->sz, file->path, in->diag, in->priv->place, &s->script);
	} else {
		diag_refuse(in->diag, in->priv->place,
			    "%s: file format not recognized: expected an elf object, archive, shared library or linker "
			    "script", file->path);
	}
	if (rc < 0) {
		source_free(s);
		return NULL;
	}
	find_older(in, file, s);
	file->product = s;
	file->product_free = source_free;
	return s;
}

/* The machine of a file where it can be told without parsing; false: not ELF. */
static bool machine_of(const struct infile *file, uint16_t *ret_machine, uint8_t *ret_class, bool *ret_be,
		       const char **ret_member)
{
	uint16_t type;
	const struct source *s = file->product;
	*ret_member = NULL;
	if (s && s->kind == SOURCE_ARCHIVE) {
		for (uint32_t i = 0; !s->archive->is_thin && i < s->archive->member_cnt && i < 8; i++) {
			const struct archive_member *m = &s->archive->members[i];
			*ret_member = m->name;
			if (object_is_elf(file->data + m->off, m->sz) &&
			    !object_peek(file->data + m->off, m->sz, &type, ret_machine, ret_class, ret_be))
				return true;
		}
		return false;
	}
	return object_is_elf(file->data, file->sz) &&
	       !object_peek(file->data, file->sz, &type, ret_machine, ret_class, ret_be);
}

static bool arch_accepts(struct inputs *in, const struct infile *file, bool may_choose)
{
	uint16_t machine;
	uint8_t class;
	bool be;
	const char *member;
	if (!machine_of(file, &machine, &class, &be, &member))
		return true;
	const struct arch *a = arch_find(machine, class, be);
	if (!in->arch && may_choose && a)
		in->arch = a;
	return a && a == in->arch;
}

static void report_machine(const struct inputs *in, const struct infile *file)
{
	uint16_t machine = 0;
	uint8_t class = 0;
	bool be = false;
	const char *member = NULL;
	machine_of(file, &machine, &class, &be, &member);
	diag_refuse(in->diag, in->priv->place, "%s%s%s%s: is incompatible with %s: elf machine %u, %u bit, %s-endian",
		   file->path, member ? "(" : "", member ? member : "", member ? ")" : "",
		   in->arch ? in->arch->emulations[0] : "every CPU of this linker", machine,
		   class == ELFCLASS64 ? 64 : 32, be ? "big" : "little");
}

/* ---- adding a file ---- */

static int add_script(struct inputs *in, struct infile *file, const struct script *script, const struct operand *op);

static bool excludes_libs(const struct options *opt, const char *path)
{
	const char *base = strrchr(path, '/');
	base = base ? base + 1 : path;
	for (size_t i = 0; i < opt->exclude_lib_cnt; i++)
		if (!strcmp(opt->exclude_libs[i], "ALL") || !strcmp(opt->exclude_libs[i], base))
			return true;
	return false;
}

static int add_archive(struct inputs *in, struct infile *file, struct source *s, const struct operand *op)
{
	bool hides = excludes_libs(in->opt, file->path);
	for (uint32_t i = 0; i < s->archive->member_cnt; i++) {
		struct ifile *f = new_file(in);
		if (!f)
			return -ENOMEM;
		f->kind = IFILE_OBJECT;
		f->is_lazy = !op->whole_archive;
		atomic_init(&f->is_live, op->whole_archive);
		f->hides_symbols = hides;
		f->member = i;
		f->file = file;
		f->source = s;
	}
	return 0;
}

static int add_shlib(struct inputs *in, struct infile *file, struct source *s, const struct operand *op)
{
	const char *base = strrchr(file->path, '/');
	const char *soname = s->shlib->soname;
	if (!soname) /* ld(1): without DT_SONAME the name given counts, for -l its base name */
		soname = op->kind == OPERAND_LIBRARY && base ? base + 1 : file->path;
	for (uint32_t i = 1; i < in->file_cnt; i++) {
		struct ifile *old = &in->files[i];
		if (old->kind == IFILE_SHLIB && !strcmp(old->soname, soname)) {
			if (!op->as_needed) {
				old->as_needed = false;
				atomic_store(&old->is_live, true);
			}
			return 0;
		}
	}
	if (in->opt->is_static && in->opt->kind == OUTPUT_EXEC) {
		diag_error(in->diag, in->priv->place,
			   "%s: attempted static link of a shared library: link its archive, or drop -static",
			   file->path);
		return -EINVAL;
	}
	struct ifile *f = new_file(in);
	if (!f)
		return -ENOMEM;
	f->kind = IFILE_SHLIB;
	f->as_needed = op->as_needed;
	atomic_init(&f->is_live, !op->as_needed);
	f->file = file;
	f->source = s;
	f->shlib = s->shlib;
	f->soname = soname;
	return 0;
}

static int add_object(struct inputs *in, struct infile *file, struct source *s, const struct operand *op)
{
	struct ifile *f = new_file(in);
	if (!f)
		return -ENOMEM;
	f->kind = IFILE_OBJECT;
	f->is_lazy = op->is_lib;
	atomic_init(&f->is_live, !op->is_lib);
	f->file = file;
	f->source = s;
	return 0;
}

/* SKIP_WRONG: a library search goes on where the file is of another machine (returns 1). */
static int add_fd(struct inputs *in, int fd, const char *path, const struct operand *op, bool skip_wrong)
{
	struct infile *file;
	int rc = inputs_add_fd(in, fd, path, &file);
	if (rc < 0) {
		diag_error(in->diag, in->priv->place, "%s: cannot read: %s", path, strerror(-rc));
		return rc;
	}
	struct source *s = recognise(in, file);
	if (!s) {
		mapper_unref(in->mapper, file);
		return -EINVAL;
	}
	if (s->kind != SOURCE_SCRIPT && !arch_accepts(in, file, true)) {
		if (!skip_wrong)
			report_machine(in, file);
		mapper_unref(in->mapper, file);
		return skip_wrong ? 1 : -EINVAL;
	}
	if ((rc = inputs_hold(in, file)) < 0)
		return rc;
	if (in->opt->trace)
		diag_note(in->diag, in->priv->place, "%s", path);
	switch (s->kind) {
	case SOURCE_ARCHIVE:
		return add_archive(in, file, s, op);
	case SOURCE_SHLIB:
		return add_shlib(in, file, s, op);
	case SOURCE_SCRIPT:
		return add_script(in, file, s->script, op);
	default:
		return add_object(in, file, s, op);
	}
}

int inputs_add_operand(struct inputs *in, const struct operand *op, const struct search_from *from)
{
	struct search_state st = { .in = in, .op = op, .from = from };
	char *path;
	int fd;
	while ((fd = search_next(&st, &path)) >= 0) {
		int rc = add_fd(in, fd, path, op, op->kind == OPERAND_LIBRARY);
		free(path);
		if (rc <= 0)
			return rc;
	}
	return fd; /* search_next has said what is missing */
}

static int add_script(struct inputs *in, struct infile *file, const struct script *script, const struct operand *op)
{
	struct inputs_private *pv = in->priv;
	struct search_from from = { .path = file->path, .dirs = script->search_dirs, .dir_cnt = script->search_dir_cnt };
	int rc = 0;
	if (pv->script_depth >= SCRIPT_DEPTH_MAX) {
		diag_error(in->diag, pv->place, "%s: linker scripts include each other more than %d deep", file->path,
			   SCRIPT_DEPTH_MAX);
		return -ELOOP;
	}
	pv->script_depth++;
	if (script->entry)
		in->entry = script->entry;
	for (size_t i = 0; i < script->extern_cnt; i++) {
		if ((rc = grow(&in->externs, in->extern_cnt, &pv->extern_cap, sizeof(*in->externs))) < 0)
			break;
		in->externs[in->extern_cnt++] = script->externs[i];
	}
	for (size_t i = 0; i < script->input_cnt && rc >= 0; i++) {
		struct operand sub = *op;
		sub.kind = OPERAND_FILE;
		sub.name = script->inputs[i].name;
		sub.as_needed = op->as_needed || script->inputs[i].as_needed;
		if (!strncmp(sub.name, "-l", 2)) {
			sub.kind = OPERAND_LIBRARY;
			sub.name += 2;
		}
		rc = inputs_add_operand(in, &sub, &from);
	}
	pv->script_depth--;
	return rc;
}

/* ---- parsing objects ---- */

struct parse_job {
	struct inputs *in;
	const uint32_t *files;
	atomic_size_t bound; /* of names that parsing may bring */
};

/* Opens what member M of the thin archive FILE names, anew for each link: it may have changed since the last. */
static struct infile *open_thin(struct inputs *in, const struct infile *file, const struct archive_member *m)
{
	struct infile *member = NULL;
	char *path = search_beside(file->path, m->name);
	int fd = path ? in->priv->opener->open(in->priv->opener->ctx, path) : -ENOMEM;
	int rc = fd < 0 ? fd : inputs_add_fd(in, fd, path, &member);
	free(path);
	if (rc < 0) {
		diag_error(in->diag, in->priv->place, "%s(%s): cannot open the member of the thin archive: %s", file->path,
			   m->name, strerror(-rc));
		return NULL;
	}
	return inputs_hold(in, member) < 0 ? NULL : member;
}

/* Where member M of the archive FILE has its bytes. Thin archives name files, which may be archives again. */
static int locate_member(struct inputs *in, struct ifile *f, struct infile *file, uint32_t m, int depth)
{
	struct source *s = file->product;
	const struct archive_member *mem = &s->archive->members[m];
	if (!s->archive->is_thin) {
		f->body = file;
		f->body_off = mem->off;
		f->body_sz = mem->sz;
		f->owner = s;
		f->owner_idx = m;
		return 0;
	}
	struct infile *member = depth < THIN_DEPTH_MAX ? open_thin(in, file, mem) : NULL;
	struct source *inner = member ? recognise(in, member) : NULL;
	if (!inner)
		return -EINVAL;
	if (!mem->nested_off && inner->kind != SOURCE_OBJECT) {
		diag_error(in->diag, in->priv->place, "%s(%s): is not a relocatable object", file->path, mem->name);
		return -EINVAL;
	}
	if (!mem->nested_off) {
		f->body = member;
		f->body_off = 0;
		f->body_sz = member->sz;
		f->owner = inner;
		return 0;
	}
	for (uint32_t i = 0; inner->kind == SOURCE_ARCHIVE && i < inner->archive->member_cnt; i++)
		if (inner->archive->members[i].header_off == mem->nested_off)
			return locate_member(in, f, member, i, depth + 1);
	diag_error(in->diag, in->priv->place, "%s(%s): the archive it names has no member at offset %llu", file->path,
		   mem->name, (unsigned long long)mem->nested_off);
	return -EINVAL;
}

/* Finds an ifile's bytes; from one thread, since thin archives open files. */
static int locate(struct inputs *in, struct ifile *f)
{
	in->priv->place = (uint64_t)(f - in->files) << 32;
	if (f->source->archive)
		return locate_member(in, f, f->file, f->member, 0);
	f->body = f->file;
	f->body_sz = f->file->sz;
	f->owner = f->source;
	return 0;
}

static struct object **product_slot(struct ifile *f)
{
	return f->owner->archive ? &f->owner->members[f->owner_idx] : &f->owner->obj;
}

bool inputs_object_fits(struct inputs *in, const struct object *o, uint64_t place)
{
	if (o->machine == in->arch->machine && o->elf_class == in->arch->elf_class && o->is_be == in->arch->is_be)
		return true;
	diag_error(in->diag, place, "%s: is incompatible with %s: elf machine %u, %u bit", o->name, in->arch->emulations[0],
		   o->machine, o->elf_class == ELFCLASS64 ? 64 : 32);
	return false;
}

/* What was parsed of F is O: its object, unless it is intermediate code. */
static void take_object(struct inputs *in, struct ifile *f, struct object *o)
{
	if (ir_is_wanted(in, o))
		f->aside = o;
	else if (inputs_object_fits(in, o, (uint64_t)(f - in->files) << 32))
		f->obj = o;
}

/* The same object may stand on the command line twice: the first to parse it wins, the other copy is dropped. */
static struct object *publish(struct ifile *f, struct object *o)
{
	struct object **slot = product_slot(f);
	pthread_mutex_lock(&f->owner->lock);
	if (*slot)
		object_free(o);
	else
		*slot = o;
	o = *slot;
	pthread_mutex_unlock(&f->owner->lock);
	return o;
}

struct same {
	const struct ifile *f;
	struct object *found;
};

static int look_for_same(void *ctx)
{
	struct same *s = ctx;
	const struct ifile *f = s->f;
	const struct source *old = f->owner->older->product;
	uint32_t cnt = old->archive ? old->archive->member_cnt : 1;
	bool rehash;
	for (uint32_t i = 0; i < cnt && !s->found; i++) {
		uint32_t m = (f->owner_idx + i) % cnt; /* most are where they were */
		struct object *o = old->archive ? old->members[m] : old->obj;
		if (o && o->sz == f->body_sz && !memcmp(o->data, f->body->data + f->body_off, o->sz) &&
		    !infile_check(f->owner->older, &rehash))
			s->found = o;
	}
	return 0;
}

/* The object of the same bytes in the version before, NULL: none. Its file must be what was parsed still; nobody keeps it so,
 * and it may end before the bytes do that are to be compared. */
static struct object *find_same(const struct ifile *f)
{
	struct same s = { .f = f };
	if (f->owner->older && mapper_guard(look_for_same, &s) < 0)
		return NULL;
	return s.found;
}

static void parse_one(struct inputs *in, struct ifile *f)
{
	if (!f->body || f->obj || f->aside)
		return;
	uint64_t place = (uint64_t)(f - in->files) << 32;
	const struct archive *ar = f->source->archive;
	struct object *o = NULL;
	char *name = NULL;
	if (ar && asprintf(&name, "%s(%s)", f->file->path, ar->members[f->member].name) < 0)
		name = NULL;
	const char *shown = name ? name : f->shown_as ? f->shown_as : f->file->path;
	struct object *same = find_same(f);
	if (same)
		o = object_clone(same, f->body, f->body_off, shown);
	bool is_new = !o;
	int rc = is_new ? object_parse(f->body, f->body_off, f->body_sz, shown, in->names, in->diag, place, &o) : 0;
	free(name);
	if (rc < 0)
		return;
	atomic_fetch_add(in->parsed_objects, is_new);
	take_object(in, f, publish(f, o));
}

static void parse_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct parse_job *job = ctx;
	(void)worker;
	for (size_t i = begin; i < end; i++)
		parse_one(job->in, &job->in->files[job->files[i]]);
}

/* Finds the bytes, and what an earlier link parsed from them. */
static void prepare_parse(struct inputs *in, struct ifile *f)
{
	if (f->kind != IFILE_OBJECT || f->obj || f->body || locate(in, f) < 0)
		return;
	struct object *o = *product_slot(f);
	if (o)
		take_object(in, f, o);
}

static void bound_range(void *ctx, size_t begin, size_t end, unsigned worker)
{
	struct parse_job *job = ctx;
	size_t sum = 0;
	(void)worker;
	for (size_t i = begin; i < end; i++) {
		const struct ifile *f = &job->in->files[job->files[i]];
		if (f->body && !f->obj && !f->aside)
			sum += object_sym_bound(f->body->data + f->body_off, f->body_sz);
	}
	atomic_fetch_add(&job->bound, sum);
}

void inputs_parse(struct inputs *in, const uint32_t *files, uint32_t cnt)
{
	struct parse_job job = { .in = in, .files = files };
	for (uint32_t i = 0; i < cnt; i++)
		prepare_parse(in, &in->files[files[i]]);
	pool_for(in->pool, cnt, 16, bound_range, &job);
	if (names_reserve(in->names, atomic_load(&job.bound)) < 0) {
		diag_error(in->diag, 0, "out of memory for %zu symbol names", atomic_load(&job.bound));
		return;
	}
	pool_for(in->pool, cnt, 4, parse_range, &job);
	ir_settle(in, files, cnt);
}

/* ---- the stage ---- */

static const struct arch *find_emulation(const char *name)
{
	for (const struct arch *const *a = arch_table; *a; a++)
		for (const char *const *e = (*a)->emulations; *e; e++)
			if (!strcmp(*e, name))
				return *a;
	return NULL;
}

static int choose_emulation(struct inputs *in)
{
	const char *name = in->opt->emulation;
	if (!name)
		return 0;
	in->arch = find_emulation(name);
	if (in->arch)
		return 0;
	diag_refuse(in->diag, 0, "-m %s: unrecognised emulation: this linker has %s (see --help)", name,
		   arch_table[0] ? arch_table[0]->emulations[0] : "none");
	return -EINVAL;
}

static int add_operands(struct inputs *in)
{
	const struct options *opt = in->opt;
	for (size_t i = 0; i < opt->operand_cnt; i++) {
		const struct operand *op = &opt->operands[i];
		in->priv->place = (uint64_t)in->file_cnt << 32;
		if (op->kind == OPERAND_SCRIPT) {
			diag_refuse(in->diag, in->priv->place,
				    "-T %s: linker scripts with SECTIONS are not supported in this version", op->name);
			continue;
		}
		if (op->kind == OPERAND_FILE || op->kind == OPERAND_LIBRARY)
			inputs_add_operand(in, op, NULL); /* reported; go on to find more */
	}
	return diag_errors(in->diag) ? -EINVAL : 0;
}

static int parse_live(struct inputs *in)
{
	uint32_t *live = malloc(((size_t)in->file_cnt + 1) * sizeof(*live)), cnt = 0;
	if (!live)
		return -ENOMEM;
	for (uint32_t i = 1; i < in->file_cnt; i++) {
		struct ifile *f = &in->files[i];
		/* Files without an index must show their symbols before anybody can ask for them. */
		const struct archive *ar = inputs_archive(f);
		bool must_look = f->is_lazy && (!ar || !ar->has_index || ar->members[f->member].is_unindexed_ir);
		if (f->kind == IFILE_OBJECT && (atomic_load(&f->is_live) || must_look))
			live[cnt++] = i;
	}
	inputs_parse(in, live, cnt);
	free(live);
	return diag_errors(in->diag) ? -EINVAL : 0;
}

int inputs_load(const struct inputs_config *cfg, struct inputs **ret_inputs)
{
	struct inputs *in = calloc(1, sizeof(*in));
	struct inputs_private *pv = calloc(1, sizeof(*pv));
	if (!in || !pv) {
		free(in);
		free(pv);
		return -ENOMEM;
	}
	*in = (struct inputs){ .opt = cfg->opt, .mapper = cfg->mapper, .names = cfg->names, .strings = cfg->strings,
			       .pool = cfg->pool, .shelf = cfg->shelf, .diag = cfg->diag,
			       .scanned_objects = cfg->scanned_objects, .scanned_names = cfg->scanned_names,
			       .parsed_objects = cfg->parsed_objects, .merge_table = cfg->merge_table,
			       .claimer = cfg->claimer, .plan = cfg->plan,
			       .never_compiles = cfg->never_compiles, .kept = cfg->kept, .priv = pv };
	pv->opener = cfg->opener;
	int rc = choose_emulation(in);
	if (!rc && !new_file(in))
		rc = -ENOMEM;
	if (!rc) {
		in->files[0].kind = IFILE_INTERNAL;
		atomic_init(&in->files[0].is_live, true);
		rc = add_operands(in);
	}
	if (!rc)
		rc = symbol_lists_load(in);
	int order = cfg->opt->byte_order;
	if (!rc && in->arch && order && in->arch->is_be != (order == 2)) {
		diag_error(in->diag, 0, "-E%c: the output's byte order is that of %s", order == 2 ? 'B' : 'L',
			   in->arch->emulations[0]);
		rc = -EINVAL;
	}
	if (!rc && !in->arch) {
		diag_refuse(in->diag, 0, "no input file tells the CPU: give an object, or -m EMULATION");
		rc = -EINVAL;
	}
	if (!rc && in->claimer)
		in->fingerprint = ir_fingerprint(in);
	if (!rc)
		rc = ir_apply(in);
	if (!rc)
		rc = parse_live(in);
	if (rc < 0) {
		rc = inputs_failure(in, rc);
		inputs_free(in);
		return rc;
	}
	*ret_inputs = in;
	return 0;
}

int inputs_failure(const struct inputs *in, int rc)
{
	return in->needs_ir && diag_errors(in->diag) == 1 ? -ENOEXEC : rc;
}

struct inputs *inputs_free(struct inputs *in)
{
	if (!in)
		return NULL;
	symbol_lists_free(in);
	inputs_settle(in);
	ir_claims_free(in);
	for (uint32_t i = 0; i < in->file_cnt; i++)
		free(in->files[i].shown_as);
	for (uint32_t i = 0; i < in->held_cnt; i++)
		mapper_unref(in->mapper, in->held[i]); /* a trim may end it from here on */
	free(in->priv);
	free(in->held);
	free(in->externs);
	free(in->files);
	free(in);
	return NULL;
}
