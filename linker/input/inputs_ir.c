/* inputs_ir.c - inputs of intermediate code: objects of symbols alone, told by the link's claimer, or left out by a plan.
 *
 * Whoever parses an object that holds such code sets it aside; ir_settle then asks the claimer, one after the other and by
 * position, and gives the file an object made of the symbols it is told: from there on it is like any other for the symbols
 * stage, the only one that ever sees it. In a link with a plan the claimed files are IFILE_IR and nothing looks at them; what
 * was compiled is opened here (ir_apply) and moved to its place. What plans are made of: linkfs_ir.h, linker/ir.c.
 */
#include "inputs_ir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* ---- an object made of symbols ---- */

static int by_id(const void *a, const void *b)
{
	name_id x = *(const name_id *)a, y = *(const name_id *)b;
	return x < y ? -1 : x > y;
}

static bool is_undef(const struct linkfs_ir_symbol *s)
{
	return s->kind == LINKFS_IR_UNDEF || s->kind == LINKFS_IR_WEAK_UNDEF;
}

/* The groups: one section each, numbered from 2. KEYS: by symbol, 0: it is in none. Section 1 is everything else. */
static int add_groups(struct object *o, const name_id *keys, uint32_t cnt)
{
	name_id *ids = malloc(((size_t)cnt + 1) * sizeof(*ids));
	uint32_t n = 0, groups = 0;
	if (!ids)
		return -ENOMEM;
	for (uint32_t i = 0; i < cnt; i++)
		if (keys[i])
			ids[n++] = keys[i];
	qsort(ids, n, sizeof(*ids), by_id);
	for (uint32_t i = 0; i < n; i++)
		if (!groups || ids[groups - 1] != ids[i])
			ids[groups++] = ids[i];
	o->secs = calloc((size_t)groups + 2, sizeof(*o->secs));
	o->groups = calloc((size_t)groups + 1, sizeof(*o->groups) + sizeof(uint32_t));
	if (!o->secs || !o->groups) {
		free(ids);
		return -ENOMEM;
	}
	o->sec_cnt = groups + 2;
	o->group_cnt = groups;
	uint32_t *members = (uint32_t *)(o->groups + groups + 1);
	for (uint32_t i = 1; i < o->sec_cnt; i++)
		o->secs[i] = (struct isec){ .flags = SHF_ALLOC, .type = SHT_PROGBITS, .kind = ISEC_REGULAR,
					    .group = i > 1 ? i - 1 : 0 };
	for (uint32_t g = 0; g < groups; g++) {
		members[g] = g + 2;
		o->groups[g] = (struct group){ ids[g], true, 1, &members[g] };
	}
	free(ids);
	return 0;
}

static uint16_t section_of(const struct object *o, name_id key)
{
	uint32_t lo = 0, hi = o->group_cnt;
	while (key && lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (o->groups[mid].signature == key)
			return (uint16_t)(mid + 2);
		if (o->groups[mid].signature < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 1;
}

/* Symbol S as an object file would have it. Section numbers beyond 16 bits are in SHNDX. */
static void put_symbol(const struct object *o, uint32_t i, const struct linkfs_ir_symbol *s, name_id key, uint32_t name)
{
	bool is_weak = s->kind == LINKFS_IR_WEAK || s->kind == LINKFS_IR_WEAK_UNDEF;
	bool is_common = s->kind == LINKFS_IR_COMMON;
	Elf64_Sym e = { .st_name = name, .st_size = s->size, .st_value = is_common,
			.st_info = ELF64_ST_INFO(is_weak ? STB_WEAK : STB_GLOBAL, s->type), .st_other = s->visibility };
	e.st_shndx = is_undef(s) ? SHN_UNDEF : is_common ? SHN_COMMON : SHN_XINDEX;
	uint32_t sec = e.st_shndx == SHN_XINDEX ? section_of(o, key) : 0;
	memcpy((uint8_t *)o->symtab + (uint64_t)i * sizeof(e), &e, sizeof(e));
	memcpy((uint8_t *)o->shndx + (uint64_t)i * sizeof(sec), &sec, sizeof(sec));
}

static int intern_symbol(struct names *names, const struct linkfs_ir_symbol *s, struct object *o, uint32_t i, name_id *ret_key)
{
	size_t len = name_defined_len(s->name, strlen(s->name), &o->has_versions);
	o->names[i] = names_intern_one(names, s->name, len);
	*ret_key = s->comdat && *s->comdat && !is_undef(s) ? names_intern_one(names, s->comdat, strlen(s->comdat)) : 0;
	return o->names[i] ? 0 : -ENOMEM;
}

/* The tables behind a symbol-only object, in one piece: symbols, their section numbers, texts. */
static int fill_tables(struct object *o, const struct linkfs_ir_object *claimed, const name_id *keys, void **ret_tables)
{
	uint32_t cnt = o->sym_cnt;
	size_t text_sz = 1;
	for (uint32_t i = 1; i < cnt; i++)
		text_sz += strlen(claimed->symbols[i - 1].name) + 1;
	if (text_sz > UINT32_MAX)
		return -EOVERFLOW;
	size_t syms_sz = (size_t)cnt * (sizeof(Elf64_Sym) + sizeof(uint32_t));
	uint8_t *tables = calloc(1, syms_sz + text_sz);
	if (!tables)
		return -ENOMEM;
	char *text = (char *)tables + syms_sz;
	o->symtab = tables;
	o->shndx = tables + (size_t)cnt * sizeof(Elf64_Sym);
	o->strtab = text;
	o->strtab_sz = text_sz;
	uint32_t at = 1;
	for (uint32_t i = 1; i < cnt; i++) {
		const struct linkfs_ir_symbol *s = &claimed->symbols[i - 1];
		size_t len = strlen(s->name) + 1;
		memcpy(text + at, s->name, len);
		put_symbol(o, i, s, keys[i - 1], at);
		at += (uint32_t)len;
	}
	*ret_tables = tables;
	return 0;
}

/* In this machine's own byte order, whatever the link's: nobody but esym_get reads it. */
static int object_of_symbols(struct inputs *in, const char *name, const struct linkfs_ir_object *claimed,
			     struct object **ret_object, void **ret_tables)
{
	if (claimed->symbol_cnt >= UINT32_MAX)
		return -EOVERFLOW;
	uint32_t cnt = (uint32_t)claimed->symbol_cnt;
	struct object *o = calloc(1, sizeof(*o));
	name_id *keys = calloc((size_t)cnt + 1, sizeof(*keys));
	int rc = -ENOMEM;
	if (o && keys) {
		*o = (struct object){ .name = strdup(name), .machine = in->arch->machine, .elf_class = ELFCLASS64,
				      .is_be = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__, .has_ir = true, .shstrtab = "",
				      .shstrtab_sz = 1, .sym_cnt = cnt + 1, .first_global = 1 };
		o->names = calloc((size_t)cnt + 1, sizeof(*o->names));
		rc = o->name && o->names ? 0 : -ENOMEM;
	}
	for (uint32_t i = 0; i < cnt && !rc; i++)
		rc = intern_symbol(in->names, &claimed->symbols[i], o, i, &keys[i]);
	if (!rc)
		rc = add_groups(o, keys, cnt);
	if (!rc)
		rc = fill_tables(o, claimed, keys, ret_tables);
	free(keys);
	if (rc) {
		object_free(o);
		return rc;
	}
	*ret_object = o;
	return 0;
}

/* ---- claiming ---- */

bool ir_is_wanted(const struct inputs *in, const struct object *o)
{
	return o->has_ir && (o->is_lto || (in->opt->plugin && !in->plan && !in->never_compiles));
}

static struct linkfs_ir_file file_of(const struct ifile *f, const struct object *o)
{
	return (struct linkfs_ir_file){
		.path = f->body->path,
		.fd = f->body->fd,
		.off = f->body_off,
		.sz = f->body_sz,
		.data = f->body->data + f->body_off,
		.is_bitcode = o->is_bitcode,
		.has_code = !o->is_lto,
	};
}

static struct ir_claim *new_claim(struct inputs *in)
{
	if (!(in->claim_cnt & (in->claim_cnt + 1)) || !in->claims) {
		struct ir_claim *p = realloc(in->claims, ((size_t)in->claim_cnt * 2 + 2) * sizeof(*p));
		if (!p)
			return NULL;
		in->claims = p;
	}
	return &in->claims[in->claim_cnt];
}

/* The claimer keeps the description: it lives as long as the inputs, in a block of its own. */
static int claim(struct inputs *in, uint32_t file, const struct object *o)
{
	struct ifile *f = &in->files[file];
	struct linkfs_ir_file *told = malloc(sizeof(*told));
	struct ir_claim *c = told ? new_claim(in) : NULL;
	struct linkfs_ir_object *claimed;
	int rc = -ENOMEM;
	if (c) {
		*told = file_of(f, o);
		*c = (struct ir_claim){ .file = file, .told = told };
		rc = in->claimer->claim(in->claimer->ctx, told, &claimed);
	}
	if (rc <= 0) {
		free(told);
		return rc;
	}
	c->claimed = claimed;
	rc = object_of_symbols(in, o->name, claimed, &c->obj, &c->tables);
	if (rc) {
		free(told);
		return rc;
	}
	in->claim_cnt++;
	f->obj = c->obj;
	return 1;
}

static void settle_one(struct inputs *in, uint32_t file)
{
	struct ifile *f = &in->files[file];
	struct object *o = f->aside;
	uint64_t place = (uint64_t)file << 32;
	f->aside = NULL;
	if (!o->is_bitcode && !inputs_object_fits(in, o, place))
		return;
	int rc = claim(in, file, o);
	if (rc < 0)
		diag_error(in->diag, place, "%s: reading its intermediate code: %s", o->name, strerror(-rc));
	else if (!rc && o->is_lto && !in->opt->plugin)
		diag_refuse(in->diag, place,
			    "%s: is an LTO object without machine code, and no -plugin was given to read it: link with the "
			    "compiler that made it, or compile with -fno-lto or -ffat-lto-objects", o->name);
	else if (!rc && o->is_lto)
		diag_error(in->diag, place,
			   "%s: intermediate code that the compiler's plugin does not know: is it another compiler's, or of "
			   "another version: compile it with the compiler that links", o->name);
	else if (!rc)
		f->obj = o;
}

static void refuse(struct inputs *in, uint32_t file)
{
	const struct object *o = in->files[file].aside;
	uint64_t place = (uint64_t)file << 32;
	if (in->plan) {
		diag_error(in->diag, place,
			   "%s: an LTO object that only compiled code refers to, when it is too late to compile it: ask for "
			   "it with -u SYMBOL, or compile it with -fno-lto", o->name);
	} else if (!in->needs_ir) {
		in->needs_ir = true;
		diag_error(in->diag, place,
			   "%s: is an LTO object%s: what links it has to run the compiler's plugin, which ld.linkfs does: "
			   "otherwise compile with -fno-lto or -ffat-lto-objects", o->name,
			   o->is_lto ? " without machine code" : "");
	}
}

static int by_position(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

void ir_settle(struct inputs *in, const uint32_t *files, uint32_t cnt)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < cnt; i++)
		n += in->files[files[i]].aside != NULL;
	uint32_t *aside = n ? malloc(n * sizeof(*aside)) : NULL;
	if (!n)
		return;
	if (!aside) {
		diag_error(in->diag, 0, "out of memory for the list of input files");
		return;
	}
	n = 0;
	for (uint32_t i = 0; i < cnt; i++)
		if (in->files[files[i]].aside)
			aside[n++] = files[i];
	qsort(aside, n, sizeof(*aside), by_position);
	for (uint32_t i = 0; i < n; i++) {
		if (in->claimer)
			settle_one(in, aside[i]);
		else
			refuse(in, aside[i]);
		in->files[aside[i]].aside = NULL;
	}
	free(aside);
}

void ir_claims_free(struct inputs *in)
{
	for (uint32_t i = 0; i < in->claim_cnt; i++) {
		object_free(in->claims[i].obj);
		free(in->claims[i].tables);
		free(in->claims[i].told);
	}
	free(in->claims);
	free(in->taken);
}

/* ---- plans ---- */

uint64_t ir_fingerprint(const struct inputs *in)
{
	uint64_t h = 0;
	for (uint32_t i = 0; i < in->held_cnt; i++) {
		const struct infile *f = in->held[i];
		const uint64_t id[] = { f->st.st_dev, f->st.st_ino, f->sz, (uint64_t)f->st.st_mtim.tv_sec,
					(uint64_t)f->st.st_mtim.tv_nsec };
		if (inputs_has_objects(f))
			h = XXH3_64bits_withSeed(id, sizeof(id), h);
	}
	return h;
}

/* After *IO_AT: the next number and what follows it; false: there is none. */
static bool next_number(const char **io_at, uint32_t *ret)
{
	char *end;
	if (**io_at < '0' || **io_at > '9')
		return false;
	errno = 0;
	unsigned long long v = strtoull(*io_at, &end, 10);
	if (errno || v > UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	*io_at = end;
	return true;
}

/* Calls FN for each position of a list like 1-3,7. False: it is none, or one is beyond the files. */
static bool each_position(struct inputs *in, const char *list, void (*fn)(struct ifile *f))
{
	uint32_t from, to;
	while (*list) {
		if (!next_number(&list, &from))
			return false;
		to = from;
		if (*list == '-' && (list++, !next_number(&list, &to)))
			return false;
		if (!from || from > to || to >= in->file_cnt)
			return false;
		for (uint32_t i = from; i <= to; i++)
			fn(&in->files[i]);
		if (*list == ',')
			list++;
		else if (*list)
			return false;
	}
	return true;
}

static void leave_out(struct ifile *f)
{
	f->kind = IFILE_IR;
	atomic_store(&f->is_live, false);
}

static void keep_linked(struct ifile *f)
{
	if (f->kind == IFILE_OBJECT)
		atomic_store(&f->is_live, true);
}

static bool word_is(const char *word, const char *key, const char **ret_value)
{
	size_t n = strlen(key);
	*ret_value = word + n;
	return !strncmp(word, key, n);
}

static bool is_operand(const struct inputs *in, const char *library)
{
	for (size_t i = 0; i < in->opt->operand_cnt; i++)
		if (in->opt->operands[i].kind == OPERAND_LIBRARY && !strcmp(in->opt->operands[i].name, library))
			return true;
	return false;
}

/* Moves the files from FIRST on to position AT. */
static int move_files(struct inputs *in, uint32_t first, uint32_t at)
{
	uint32_t cnt = in->file_cnt - first;
	struct ifile *moved = malloc(((size_t)cnt + 1) * sizeof(*moved));
	if (!moved)
		return -ENOMEM;
	memcpy(moved, &in->files[first], cnt * sizeof(*moved));
	memmove(&in->files[at + cnt], &in->files[at], (first - at) * sizeof(*moved));
	memcpy(&in->files[at], moved, cnt * sizeof(*moved));
	free(moved);
	return 0;
}

/* Opens what was compiled. It is shown by the output's name and a number: its own name is another one each time. */
static int add_compiled(struct inputs *in, const char *path, unsigned number)
{
	struct operand op = { .kind = OPERAND_FILE, .name = path };
	uint32_t before = in->file_cnt;
	int rc = inputs_add_operand(in, &op, NULL);
	if (rc < 0)
		return rc;
	for (uint32_t i = before; i < in->file_cnt; i++)
		if (!in->files[i].source->archive &&
		    asprintf(&in->files[i].shown_as, "%s.ltrans%u.o", in->opt->output, number) < 0) {
			in->files[i].shown_as = NULL;
			return -ENOMEM;
		}
	return 0;
}

static int add_yields(struct inputs *in, uint32_t at)
{
	const char **dirs = calloc((size_t)in->plan->cnt + 1, sizeof(*dirs)), *value;
	struct search_from from = { .path = "", .dirs = dirs };
	uint32_t first = in->file_cnt;
	unsigned number = 0;
	int rc = dirs ? 0 : -ENOMEM;
	in->compiled_first = in->held_cnt;
	for (int i = 0; i < in->plan->cnt && rc >= 0; i++) {
		if (word_is(in->plan->words[i], "libpath:", &value))
			dirs[from.dir_cnt++] = value;
		if (word_is(in->plan->words[i], "object:", &value))
			rc = add_compiled(in, value, number++);
	}
	in->compiled_cnt = in->held_cnt - in->compiled_first;
	if (rc >= 0 && at)
		rc = move_files(in, first, at);
	in->compiled_end = at ? at + in->file_cnt - first : in->file_cnt;
	for (int i = 0; i < in->plan->cnt && rc >= 0; i++) {
		struct operand op = { .kind = OPERAND_LIBRARY };
		if (word_is(in->plan->words[i], "library:", &op.name) && !is_operand(in, op.name))
			rc = inputs_add_operand(in, &op, &from);
	}
	free(dirs);
	return rc < 0 ? rc : 0;
}

static int take_groups(struct inputs *in)
{
	const char *value;
	in->taken = calloc((size_t)in->plan->cnt + 1, sizeof(*in->taken));
	if (!in->taken)
		return -ENOMEM;
	for (int i = 0; i < in->plan->cnt; i++) {
		if (!word_is(in->plan->words[i], "group:", &value) || !*value)
			continue;
		name_id id = names_intern_one(in->names, value, strlen(value));
		if (!id)
			return -ENOMEM;
		in->taken[in->taken_cnt++] = id;
	}
	return 0;
}

/* Once for all positions, before anything moves; then what was compiled. */
int ir_apply(struct inputs *in)
{
	const struct ir_plan *plan = in->plan;
	uint32_t at = 0;
	bool is_good = true;
	const char *value;
	for (int i = 0; plan && i < plan->cnt && is_good; i++) {
		const char *word = plan->words[i];
		if (word_is(word, "check:", &value) && strtoull(value, NULL, 16) != ir_fingerprint(in)) {
			diag_error(in->diag, 0, "an input changed while others were compiled (link-time optimisation): "
						"link again");
			return -ESTALE;
		}
		if (word_is(word, "claimed:", &value))
			is_good = each_position(in, value, leave_out);
		else if (word_is(word, "linked:", &value))
			is_good = each_position(in, value, keep_linked);
		else if (word_is(word, "at:", &value))
			is_good = next_number(&value, &at) && at <= in->file_cnt;
	}
	if (!is_good) {
		diag_error(in->diag, 0, "the plan of link-time optimisation does not fit this command line");
		return -EINVAL;
	}
	int rc = plan ? take_groups(in) : 0;
	return rc || !plan ? rc : add_yields(in, at);
}
