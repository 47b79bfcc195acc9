/* lto_plugin.c - a plugin for linkers whose intermediate code is a text: for tests of what a linker tells plugins.
 *
 * An object is claimed where it has the line FAKEIR; each line that follows, up to END, is a symbol (its kind as a number of
 * enum plugin_def, its name, its visibility as a number, a COMDAT key or -), or "native FILE": what it compiles to. Options:
 * log=FILE, api=1 to 3 (how symbols are asked for), dir=DIR and lib=NAME (a library that is wanted late).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin_api.h"

#define SYMS_MAX 64

static struct input {
	char name[256], native[256];
	void *handle;
	int cnt;
	struct plugin_symbol syms[SYMS_MAX];
} inputs[64];
static int input_cnt, api = 3;
static FILE *log_file;
static const char *dir, *lib;
static struct plugin_value at[64]; /* by tag */

static void say(const char *what, const char *more)
{
	fprintf(log_file, "%s %s\n", what, more);
	fflush(log_file);
}

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static char *find_text(const struct plugin_file *file, char *buf, size_t sz)
{
	const void *view;
	size_t n = (size_t)file->filesize < sz ? (size_t)file->filesize : sz;
	if (pread(file->fd, buf, n, file->offset) != (ssize_t)n)
		abort();
	if (at[PLUGIN_TAG_GET_VIEW].u.get_view(file->handle, &view) != PLUGIN_OK || memcmp(view, buf, n))
		abort(); /* both ways to the bytes are the same */
	return memmem(buf, n, "\nFAKEIR\n", 8);
}

static enum plugin_status claim(const struct plugin_file *file, int *claimed)
{
	static char buf[65536];
	char *text = find_text(file, buf, sizeof(buf));
	struct input *in = &inputs[input_cnt];
	if (!text)
		return PLUGIN_OK;
	strtok(text + 1, "\n");
	snprintf(in->name, sizeof(in->name), "%s%s", base(file->name), file->offset ? "()" : "");
	in->handle = file->handle;
	for (char *line; (line = strtok(NULL, "\n")) && strcmp(line, "END");) {
		char name[100], key[100];
		int def, vis;
		struct plugin_symbol *s = &in->syms[in->cnt];
		if (sscanf(line, "native %255s", in->native) == 1)
			continue;
		if (sscanf(line, "%d %99s %d %99s", &def, name, &vis, key) != 4)
			abort();
		*s = (struct plugin_symbol){ .name = strdup(name), .def = (char)def, .visibility = vis,
					     .size = def == PLUGIN_COMMON ? 4 : 0,
					     .comdat_key = strcmp(key, "-") ? strdup(key) : NULL };
		in->cnt++;
	}
	*claimed = 1;
	input_cnt++;
	return at[PLUGIN_TAG_ADD_SYMBOLS].u.add_symbols(file->handle, in->cnt, in->syms);
}

static const char *resolution(int r)
{
	static const char *const names[] = { "unknown", "undef", "prevailing", "ironly", "preempted_reg", "preempted_ir",
					     "resolved_ir", "resolved_exec", "resolved_dyn", "ironly_exp" };
	return r >= 0 && r < 10 ? names[r] : "?";
}

static enum plugin_status read_all(void)
{
	static const enum plugin_tag gets[] = { PLUGIN_TAG_GET_SYMBOLS, PLUGIN_TAG_GET_SYMBOLS_V2,
						PLUGIN_TAG_GET_SYMBOLS_V3 };
	enum plugin_tag get = gets[api == 1 || api == 2 ? api - 1 : 2];
	if (!at[get].tag)
		get = PLUGIN_TAG_GET_SYMBOLS_V2; /* an older linker */
	say("all symbols", "read");
	for (int i = 0; i < input_cnt; i++) {
		struct input *in = &inputs[i];
		struct plugin_file file;
		enum plugin_status st = at[get].u.get_symbols(in->handle, in->cnt, in->syms);
		if (st != PLUGIN_OK) {
			say(in->name, st == PLUGIN_NO_SYMS ? "not linked" : "error");
			continue;
		}
		for (int k = 0; k < in->cnt; k++) {
			fprintf(log_file, "%s ", in->name);
			say(in->syms[k].name, resolution(in->syms[k].resolution));
		}
		if (at[PLUGIN_TAG_GET_INPUT_FILE].u.get_input_file(in->handle, &file) != PLUGIN_OK ||
		    at[PLUGIN_TAG_RELEASE_INPUT_FILE].u.release_input_file(in->handle) != PLUGIN_OK)
			abort();
		if (in->native[0] && at[PLUGIN_TAG_ADD_INPUT_FILE].u.add_name(in->native) != PLUGIN_OK)
			abort();
	}
	if (dir)
		at[PLUGIN_TAG_SET_EXTRA_LIBRARY_PATH].u.add_name(dir);
	if (lib)
		at[PLUGIN_TAG_ADD_INPUT_LIBRARY].u.add_name(lib);
	at[PLUGIN_TAG_MESSAGE].u.message(PLUGIN_INFO, "compiled %d inputs", input_cnt);
	return PLUGIN_OK;
}

static enum plugin_status clean_up(void)
{
	say("clean", "up");
	return PLUGIN_OK;
}

static void take_option(const char *s)
{
	if (!strncmp(s, "log=", 4))
		log_file = fopen(s + 4, "w");
	if (!strncmp(s, "api=", 4))
		api = atoi(s + 4);
	if (!strncmp(s, "dir=", 4))
		dir = s + 4;
	if (!strncmp(s, "lib=", 4))
		lib = s + 4;
}

enum plugin_status onload(struct plugin_value *v);
enum plugin_status onload(struct plugin_value *v)
{
	static const char *const outputs[] = { "rel", "exec", "dyn", "pie" };
	for (; v->tag; v++) {
		if (v->tag == PLUGIN_TAG_OPTION)
			take_option(v->u.string);
		else if (v->tag < 64)
			at[v->tag] = *v;
	}
	if (!log_file)
		return PLUGIN_ERR;
	say("output", outputs[at[PLUGIN_TAG_LINKER_OUTPUT].u.val]);
	say("name", base(at[PLUGIN_TAG_OUTPUT_NAME].u.string));
	say("version", at[PLUGIN_TAG_API_VERSION].u.val == 1 && at[PLUGIN_TAG_GNU_LD_VERSION].u.val >= 200 ? "good" : "bad");
	at[PLUGIN_TAG_REGISTER_CLAIM_FILE].u.register_claim_file(claim);
	at[PLUGIN_TAG_REGISTER_ALL_SYMBOLS_READ].u.register_event(read_all);
	at[PLUGIN_TAG_REGISTER_CLEANUP].u.register_event(clean_up);
	return PLUGIN_OK;
}
