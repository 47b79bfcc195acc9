/* fuzz_script.c - linker scripts, version scripts and dynamic lists, from the same text. */
#include "fuzz_input.h"
#include "script.h"

static void check_words(const char *const *words, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (!*words[i])
			abort();
}

static void run_script(const struct infile *f)
{
	struct diag *d = diag_new(0);
	struct script *s = NULL;
	int r = script_parse((const char *)f->data, f->sz, "fuzz", d, 0, &s);
	fuzz_check_verdict(r, d);
	if (!r) {
		for (size_t i = 0; i < s->input_cnt; i++)
			check_words(&s->inputs[i].name, 1);
		check_words(s->formats, s->format_cnt);
		check_words(s->search_dirs, s->search_dir_cnt);
		check_words(s->externs, s->extern_cnt);
	}
	script_free(s);
	diag_free(d);
}

static void run_versions(const struct infile *f, bool is_list)
{
	struct diag *d = diag_new(0);
	struct version_script *s = NULL;
	const char *text = (const char *)f->data;
	int r = is_list ? dynamic_list_parse(text, f->sz, "fuzz", d, 0, &s)
			: version_script_parse(text, f->sz, "fuzz", d, 0, &s);
	fuzz_check_verdict(r, d);
	if (!r && is_list && s->node_cnt != 1)
		abort();
	for (size_t i = 0; !r && i < s->node_cnt; i++) {
		const struct version_node *n = &s->nodes[i];
		fuzz_read(n->name, strlen(n->name));
		for (size_t k = 0; k < n->pattern_cnt; k++) {
			check_words(&n->patterns[k].pattern, 1);
			if (n->patterns[k].is_local && is_list)
				abort();
		}
	}
	version_script_free(s);
	diag_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t sz);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t sz)
{
	if (sz > FUZZ_MAX)
		return 0;
	struct infile f = fuzz_file(data, sz);
	run_script(&f);
	run_versions(&f, false);
	run_versions(&f, true);
	return 0;
}
