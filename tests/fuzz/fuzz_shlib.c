/* fuzz_shlib.c - shared libraries: names, versions and strings of whatever is let through can be used. */
#include "fuzz_input.h"
#include "shlib.h"

static void check_string(const char *s)
{
	if (s)
		fuzz_read(s, strlen(s));
}

static void check(const struct shlib *s, const struct names *names)
{
	check_string(s->soname);
	check_string(s->rpath);
	check_string(s->runpath);
	for (uint32_t i = 0; i < s->needed_cnt; i++)
		check_string(s->needed[i]);
	for (uint32_t i = 0; i < s->version_cnt; i++)
		check_string(s->versions[i]);
	for (uint32_t i = 0; i < s->sym_cnt; i++) {
		const struct shlib_sym *sym = &s->syms[i];
		fuzz_check_name(names, sym->name);
		fuzz_check_name(names, sym->base);
		if (sym->version > 1 && (sym->version >= s->version_cnt || !s->versions[sym->version]))
			abort();
		if (sym->align_shift > 63 || (i && sym->dynsym_idx <= sym[-1].dynsym_idx))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t sz);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t sz)
{
	if (sz > FUZZ_MAX)
		return 0;
	struct infile f = fuzz_file(data, sz);
	struct names *names = fuzz_names();
	struct diag *d = diag_new(0);
	struct shlib *s = NULL;
	if (!d)
		abort();
	int r = shlib_parse(&f, names, d, 0, &s);
	fuzz_check_verdict(r, d);
	if (!r)
		check(s, names);
	shlib_free(s);
	diag_free(d);
	return 0;
}
