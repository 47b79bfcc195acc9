/* plugin.c - see plugin.h; the interface is plugin_api.h.
 *
 * Plugins are the one that -plugin names and, for bitcode that it does not claim, those in the folders where binutils look for
 * plugins by themselves (bfd-plugins). A plugin is loaded for the first file that may be its, so a link without intermediate
 * code loads none. What it says goes to standard error as what the linker says does.
 */
#include "plugin.h"

#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "plugin_api.h"
#include "util.h"

/* A file that a plugin claimed, or is being asked about. Its address is the handle that the plugin knows. */
struct claimed {
	SLIST_ENTRY(claimed) on;
	const struct linkfs_ir_file *file;
	struct linkfs_ir_object object;
	bool failed;
};

struct plugin {
	TAILQ_ENTRY(plugin) on;
	void *dl; /* one for each file, whatever it is called */
	plugin_claim_file claim_file;
	plugin_event all_symbols_read, cleanup;
};

struct plugins {
	const struct linkfs_plugin_args *args;
	const char *output;
	void (*end)(void *ctx);
	void *ctx;
	TAILQ_HEAD(plugin_list, plugin) list;
	SLIST_HEAD(claimed_list, claimed) claimed;
	struct plugin *loading; /* who registers now */
	bool is_given_loaded, are_standard_loaded, is_compiling, is_clean;
	bool has_failed;	/* a plugin told an error */
	struct linkfs_ir_yield *yields;
	size_t yield_cnt;
	pthread_mutex_t calling; /* held while plugins run; recursive, since END cleans up */
};

static struct plugins *the_plugins; /* the callbacks have no context */

/* --- what plugins call --- */

static enum plugin_status on_message(int level, const char *format, ...)
{
	static const char *const words[] = { "", "warning: ", "error: ", "error: " };
	struct plugins *ps = the_plugins;
	va_list ap;

	level = level < PLUGIN_INFO || level > PLUGIN_FATAL ? PLUGIN_ERROR : level;
	fflush(stdout);
	fprintf(stderr, "linkfs: %s", words[level]);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	ps->has_failed |= level >= PLUGIN_ERROR;
	if (level == PLUGIN_FATAL)
		ps->end(ps->ctx);
	return PLUGIN_OK;
}

static enum plugin_status on_register_claim_file(plugin_claim_file handler)
{
	if (!the_plugins->loading)
		return PLUGIN_ERR;
	the_plugins->loading->claim_file = handler;
	return PLUGIN_OK;
}

static enum plugin_status on_register_all_symbols_read(plugin_event handler)
{
	if (!the_plugins->loading)
		return PLUGIN_ERR;
	the_plugins->loading->all_symbols_read = handler;
	return PLUGIN_OK;
}

static enum plugin_status on_register_cleanup(plugin_event handler)
{
	if (!the_plugins->loading)
		return PLUGIN_ERR;
	the_plugins->loading->cleanup = handler;
	return PLUGIN_OK;
}

static void put_symbol(struct linkfs_ir_symbol *s, const struct plugin_symbol *from, bool *io_failed)
{
	static const uint8_t kinds[] = {
		[PLUGIN_DEF] = LINKFS_IR_DEF,
		[PLUGIN_WEAKDEF] = LINKFS_IR_WEAK,
		[PLUGIN_UNDEF] = LINKFS_IR_UNDEF,
		[PLUGIN_WEAKUNDEF] = LINKFS_IR_WEAK_UNDEF,
		[PLUGIN_COMMON] = LINKFS_IR_COMMON,
	};
	static const uint8_t visibilities[] = {
		[PLUGIN_DEFAULT] = STV_DEFAULT,
		[PLUGIN_PROTECTED] = STV_PROTECTED,
		[PLUGIN_INTERNAL] = STV_INTERNAL,
		[PLUGIN_HIDDEN] = STV_HIDDEN,
	};
	unsigned def = (unsigned char)from->def, type = (unsigned char)from->symbol_type;
	bool is_bad = def >= sizeof(kinds) || !from->name || !*from->name || from->visibility < 0 ||
		      from->visibility >= (int)sizeof(visibilities);
	char *name = NULL;

	if (!is_bad && asprintf(&name, "%s%s%s", from->name, from->version && *from->version ? "@" : "",
				from->version ? from->version : "") < 0)
		name = NULL;
	char *comdat = from->comdat_key && *from->comdat_key ? strdup(from->comdat_key) : NULL;
	*io_failed |= !name || (!comdat && from->comdat_key && *from->comdat_key);
	if (!name) {
		free(comdat);
		return;
	}
	*s = (struct linkfs_ir_symbol){
		.name = name,
		.comdat = comdat,
		.size = from->size,
		.kind = kinds[def],
		.visibility = visibilities[from->visibility],
		.type = type == PLUGIN_FUNCTION ? STT_FUNC : type == PLUGIN_VARIABLE ? STT_OBJECT : STT_NOTYPE,
	};
}

static enum plugin_status on_add_symbols(void *handle, int cnt, const struct plugin_symbol *syms)
{
	struct claimed *c = handle;

	if (!c || cnt < 0 || c->object.symbols)
		return c ? PLUGIN_ERR : PLUGIN_BAD_HANDLE;
	c->object.symbols = calloc((size_t)cnt + 1, sizeof(*c->object.symbols));
	c->failed |= !c->object.symbols;
	for (int i = 0; i < cnt && !c->failed; i++) {
		put_symbol(&c->object.symbols[i], &syms[i], &c->failed);
		c->object.symbol_cnt++;
	}
	return c->failed ? PLUGIN_ERR : PLUGIN_OK;
}

static enum plugin_status get_symbols(const void *handle, int cnt, struct plugin_symbol *syms, int version)
{
	static const uint8_t resolutions[] = {
		[LINKFS_IR_UNKNOWN] = PLUGIN_UNKNOWN,
		[LINKFS_IR_UNDEFINED] = PLUGIN_RES_UNDEF,
		[LINKFS_IR_PREVAILS] = PLUGIN_PREVAILING_DEF,
		[LINKFS_IR_PREVAILS_ALONE] = PLUGIN_PREVAILING_DEF_IRONLY,
		[LINKFS_IR_PREVAILS_EXPORTED] = PLUGIN_PREVAILING_DEF_IRONLY_EXP,
		[LINKFS_IR_PREEMPTED] = PLUGIN_PREEMPTED_REG,
		[LINKFS_IR_PREEMPTED_IR] = PLUGIN_PREEMPTED_IR,
		[LINKFS_IR_FOUND] = PLUGIN_RESOLVED_EXEC,
		[LINKFS_IR_FOUND_IR] = PLUGIN_RESOLVED_IR,
		[LINKFS_IR_FOUND_SHARED] = PLUGIN_RESOLVED_DYN,
	};
	const struct claimed *c = handle;

	if (!c)
		return PLUGIN_BAD_HANDLE;
	if (!the_plugins->is_compiling || cnt < 0 || (size_t)cnt > c->object.symbol_cnt)
		return PLUGIN_ERR;
	if (version >= 3 && !c->object.is_linked)
		return PLUGIN_NO_SYMS;
	for (int i = 0; i < cnt; i++) {
		syms[i].resolution = resolutions[c->object.symbols[i].meaning];
		if (version < 2 && syms[i].resolution == PLUGIN_PREVAILING_DEF_IRONLY_EXP)
			syms[i].resolution = PLUGIN_PREVAILING_DEF;
	}
	return PLUGIN_OK;
}

static enum plugin_status on_get_symbols(const void *handle, int cnt, struct plugin_symbol *syms)
{
	return get_symbols(handle, cnt, syms, 1);
}

static enum plugin_status on_get_symbols_v2(const void *handle, int cnt, struct plugin_symbol *syms)
{
	return get_symbols(handle, cnt, syms, 2);
}

static enum plugin_status on_get_symbols_v3(const void *handle, int cnt, struct plugin_symbol *syms)
{
	return get_symbols(handle, cnt, syms, 3);
}

static enum plugin_status add_yield(enum linkfs_ir_yield_kind kind, const char *name)
{
	struct plugins *ps = the_plugins;
	struct linkfs_ir_yield *more;
	char *copy;

	if (!ps->is_compiling || !name || !*name)
		return PLUGIN_ERR;
	more = realloc(ps->yields, (ps->yield_cnt + 1) * sizeof(*more));
	ps->yields = more ? more : ps->yields;
	copy = more ? strdup(name) : NULL;
	if (!copy) {
		on_message(PLUGIN_FATAL, "out of memory");
		return PLUGIN_ERR;
	}
	ps->yields[ps->yield_cnt++] = (struct linkfs_ir_yield){ kind, copy };
	return PLUGIN_OK;
}

static enum plugin_status on_add_input_file(const char *name)
{
	return add_yield(LINKFS_IR_OBJECT, name);
}

static enum plugin_status on_add_input_library(const char *name)
{
	return add_yield(LINKFS_IR_LIBRARY, name);
}

static enum plugin_status on_set_extra_library_path(const char *name)
{
	return add_yield(LINKFS_IR_LIBPATH, name);
}

static struct plugin_file file_of(struct claimed *c)
{
	return (struct plugin_file){
		.name = c->file->path,
		.fd = c->file->fd,
		.offset = (off_t)c->file->off,
		.filesize = (off_t)c->file->sz,
		.handle = c,
	};
}

static enum plugin_status on_get_input_file(const void *handle, struct plugin_file *file)
{
	if (!handle)
		return PLUGIN_BAD_HANDLE;
	*file = file_of((struct claimed *)handle);
	return PLUGIN_OK;
}

/* Files are held until everything is compiled. */
static enum plugin_status on_release_input_file(const void *handle)
{
	return handle ? PLUGIN_OK : PLUGIN_BAD_HANDLE;
}

static enum plugin_status on_get_view(const void *handle, const void **view)
{
	const struct claimed *c = handle;

	if (!c)
		return PLUGIN_BAD_HANDLE;
	*view = c->file->data;
	return PLUGIN_OK;
}

static enum plugin_status on_get_wrap_symbols(uint64_t *cnt, const char ***list)
{
	*cnt = the_plugins->args->wrap_cnt;
	*list = (const char **)the_plugins->args->wraps;
	return PLUGIN_OK;
}

/* --- loading --- */

static int output_of(enum linkfs_output output)
{
	static const uint8_t kinds[] = {
		[LINKFS_OUTPUT_RELOCATABLE] = PLUGIN_REL,
		[LINKFS_OUTPUT_EXEC] = PLUGIN_EXEC,
		[LINKFS_OUTPUT_SHARED] = PLUGIN_DYN,
		[LINKFS_OUTPUT_PIE] = PLUGIN_PIE,
	};

	return kinds[output];
}

/* What a plugin is given; WITH_OPTIONS: they are meant for this one. One allocation. */
static struct plugin_value *new_values(const struct plugins *ps, bool with_options)
{
	const struct plugin_value fixed[] = {
		{ PLUGIN_TAG_MESSAGE, { .message = on_message } },
		{ PLUGIN_TAG_API_VERSION, { .val = PLUGIN_API_VERSION } },
		{ PLUGIN_TAG_GNU_LD_VERSION, { .val = PLUGIN_GNU_LD_VERSION } },
		{ PLUGIN_TAG_LINKER_OUTPUT, { .val = output_of(ps->args->output) } },
		{ PLUGIN_TAG_OUTPUT_NAME, { .string = ps->output } },
		{ PLUGIN_TAG_REGISTER_CLAIM_FILE, { .register_claim_file = on_register_claim_file } },
		{ PLUGIN_TAG_REGISTER_ALL_SYMBOLS_READ, { .register_event = on_register_all_symbols_read } },
		{ PLUGIN_TAG_REGISTER_CLEANUP, { .register_event = on_register_cleanup } },
		{ PLUGIN_TAG_ADD_SYMBOLS, { .add_symbols = on_add_symbols } },
		{ PLUGIN_TAG_ADD_SYMBOLS_V2, { .add_symbols = on_add_symbols } },
		{ PLUGIN_TAG_GET_SYMBOLS, { .get_symbols = on_get_symbols } },
		{ PLUGIN_TAG_GET_SYMBOLS_V2, { .get_symbols = on_get_symbols_v2 } },
		{ PLUGIN_TAG_GET_SYMBOLS_V3, { .get_symbols = on_get_symbols_v3 } },
		{ PLUGIN_TAG_ADD_INPUT_FILE, { .add_name = on_add_input_file } },
		{ PLUGIN_TAG_ADD_INPUT_LIBRARY, { .add_name = on_add_input_library } },
		{ PLUGIN_TAG_SET_EXTRA_LIBRARY_PATH, { .add_name = on_set_extra_library_path } },
		{ PLUGIN_TAG_GET_INPUT_FILE, { .get_input_file = on_get_input_file } },
		{ PLUGIN_TAG_RELEASE_INPUT_FILE, { .release_input_file = on_release_input_file } },
		{ PLUGIN_TAG_GET_VIEW, { .get_view = on_get_view } },
		{ PLUGIN_TAG_GET_WRAP_SYMBOLS, { .get_wrap_symbols = on_get_wrap_symbols } },
	};
	size_t cnt = sizeof(fixed) / sizeof(*fixed), opt_cnt = with_options ? ps->args->opt_cnt : 0;
	struct plugin_value *values = calloc(cnt + opt_cnt + 1, sizeof(*values));

	if (!values)
		return NULL;
	memcpy(values, fixed, sizeof(fixed));
	for (size_t i = 0; i < opt_cnt; i++)
		values[cnt++] = (struct plugin_value){ PLUGIN_TAG_OPTION, { .string = ps->args->opts[i] } };
	return values;
}

static bool is_loaded(const struct plugins *ps, const void *dl)
{
	const struct plugin *p;

	TAILQ_FOREACH (p, &ps->list, on)
		if (p->dl == dl)
			return true;
	return false;
}

/* 0, also where it was loaded already, under whatever name; or -errno with *RET_WHY, what dlerror says or a constant. */
static int load(struct plugins *ps, const char *path, bool with_options, const char **ret_why)
{
	plugin_onload onload;
	CLEAN_MEM struct plugin_value *values = new_values(ps, with_options);
	struct plugin *p = calloc(1, sizeof(*p));
	void *dl = values && p ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	void *sym = dl ? dlsym(dl, "onload") : NULL;

	if (!sym || is_loaded(ps, dl)) {
		*ret_why = values && p ? dlerror() : "out of memory";
		free(p);
		return sym ? 0 : -EINVAL;
	}
	memcpy(&onload, &sym, sizeof(onload));
	p->dl = dl;
	ps->loading = p;
	enum plugin_status status = onload(values);
	ps->loading = NULL;
	TAILQ_INSERT_TAIL(&ps->list, p, on); /* its cleanup is called whatever it said */
	if (status == PLUGIN_OK)
		return 0;
	p->claim_file = NULL;
	p->all_symbols_read = NULL;
	*ret_why = "its onload failed";
	return -EINVAL;
}

static void load_given(struct plugins *ps)
{
	const char *why;

	ps->is_given_loaded = true;
	if (ps->args->path && load(ps, ps->args->path, true, &why))
		on_message(PLUGIN_FATAL, "-plugin %s: cannot load it: %s: intermediate code (LTO) needs the compiler's plugin",
			   ps->args->path, why);
}

static int is_library(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 3 && !strcmp(e->d_name + n - 3, ".so");
}

/* Those that binutils use by themselves; who is not one, or not for this machine, is passed over. */
static void load_standard(struct plugins *ps)
{
	static const char *const dirs[] = { "/usr/local/lib/bfd-plugins", "/usr/lib/bfd-plugins", "/usr/lib64/bfd-plugins" };

	ps->are_standard_loaded = true;
	for (size_t d = 0; d < sizeof(dirs) / sizeof(*dirs); d++) {
		struct dirent **list;
		int cnt = scandir(dirs[d], &list, is_library, alphasort);
		for (int i = 0; i < cnt; i++) {
			char path[PATH_MAX];
			const char *why;
			snprintf(path, sizeof(path), "%s/%s", dirs[d], list[i]->d_name);
			/* GCC's has nothing for bitcode, and wants to be told of its compiler. */
			if (strncmp(list[i]->d_name, "liblto_plugin", 13))
				load(ps, path, false, &why);
			free(list[i]);
		}
		if (cnt >= 0)
			free(list);
	}
}

/* --- the claimer --- */

static void claimed_reset(struct claimed *c)
{
	for (size_t i = 0; i < c->object.symbol_cnt; i++) {
		free((char *)c->object.symbols[i].name);
		free((char *)c->object.symbols[i].comdat);
	}
	free(c->object.symbols);
	c->object = (struct linkfs_ir_object){ 0 };
	c->failed = false;
}

/* Asks those from P on: 1, 0 or -errno. */
static int ask(struct plugin *p, struct claimed *c)
{
	for (; p; p = TAILQ_NEXT(p, on)) {
		struct plugin_file file = file_of(c);
		int is_claimed = 0;
		if (!p->claim_file)
			continue;
		enum plugin_status status = p->claim_file(&file, &is_claimed);
		if (status != PLUGIN_OK || c->failed)
			return -EINVAL;
		if (is_claimed)
			return 1;
		claimed_reset(c);
	}
	return 0;
}

static int ask_all(struct plugins *ps, struct claimed *c)
{
	if (!ps->is_given_loaded)
		load_given(ps);
	int r = ask(TAILQ_FIRST(&ps->list), c);
	if (!r && c->file->is_bitcode && !ps->are_standard_loaded) {
		struct plugin *last = TAILQ_LAST(&ps->list, plugin_list);
		load_standard(ps);
		r = ask(last ? TAILQ_NEXT(last, on) : TAILQ_FIRST(&ps->list), c);
	}
	return r;
}

int plugins_claim(void *ctx, const struct linkfs_ir_file *f, struct linkfs_ir_object **ret_object)
{
	struct plugins *ps = ctx;
	struct claimed *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->file = f;
	pthread_mutex_lock(&ps->calling);
	int r = ask_all(ps, c);
	pthread_mutex_unlock(&ps->calling);
	if (r != 1) {
		claimed_reset(c);
		free(c);
		return r;
	}
	SLIST_INSERT_HEAD(&ps->claimed, c, on);
	*ret_object = &c->object;
	return 1;
}

int plugins_compile(struct plugins *ps, const struct linkfs_ir_yield **ret_yields, size_t *ret_cnt)
{
	struct plugin *p;

	fflush(stdout);
	pthread_mutex_lock(&ps->calling);
	ps->is_compiling = true;
	TAILQ_FOREACH (p, &ps->list, on)
		if (p->all_symbols_read && p->all_symbols_read() != PLUGIN_OK && !ps->has_failed)
			on_message(PLUGIN_ERROR, "the compiler's plugin failed");
	ps->is_compiling = false;
	pthread_mutex_unlock(&ps->calling);
	*ret_yields = ps->yields;
	*ret_cnt = ps->yield_cnt;
	return ps->has_failed ? -EINVAL : 0;
}

void plugins_clean_up(struct plugins *ps, unsigned patience_sec)
{
	struct timespec until;
	struct plugin *p;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += patience_sec;
	if (pthread_mutex_timedlock(&ps->calling, &until))
		return;
	if (!ps->is_clean)
		TAILQ_FOREACH (p, &ps->list, on)
			if (p->cleanup)
				p->cleanup();
	ps->is_clean = true;
	pthread_mutex_unlock(&ps->calling);
}

struct plugins *plugins_new(const struct linkfs_plugin_args *args, const char *output, void (*end)(void *ctx), void *ctx)
{
	struct plugins *ps = calloc(1, sizeof(*ps));
	pthread_mutexattr_t attr;

	if (!ps)
		return NULL;
	*ps = (struct plugins){ .args = args, .output = output, .end = end, .ctx = ctx };
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&ps->calling, &attr);
	pthread_mutexattr_destroy(&attr);
	TAILQ_INIT(&ps->list);
	SLIST_INIT(&ps->claimed);
	the_plugins = ps;
	return ps;
}
