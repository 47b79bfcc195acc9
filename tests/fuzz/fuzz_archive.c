/* fuzz_archive.c - archives: every member lies in the file, every index entry names one. */
#include "archive.h"
#include "fuzz_input.h"

static void check(const struct archive *a, const struct infile *f, const struct names *names)
{
	for (uint32_t i = 0; i < a->member_cnt; i++) {
		const struct archive_member *m = &a->members[i];
		if (!*m->name || (i && m->header_off <= m[-1].header_off) || (!a->is_thin && m->nested_off))
			abort();
		fuzz_read(m->name, strlen(m->name));
		if (a->is_thin)
			continue;
		if (!infile_has(f, m->off, m->sz))
			abort();
		fuzz_read(f->data + m->off, m->sz);
	}
	if (a->sym_cnt && !a->has_index)
		abort();
	for (uint32_t i = 0; i < a->sym_cnt; i++) {
		fuzz_check_name(names, a->syms[i].name);
		if (a->syms[i].member >= a->member_cnt)
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
	struct archive *a = NULL;
	if (!d)
		abort();
	int r = archive_parse(&f, names, d, 0, &a);
	fuzz_check_verdict(r, d);
	if (!r)
		check(a, &f, names);
	archive_free(a);
	diag_free(d);
	return 0;
}
