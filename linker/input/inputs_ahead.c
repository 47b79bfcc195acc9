/* inputs_ahead.c - what is parsed already, or may be parsed before it is known whether a link wants it.
 *
 * A relink that expects to take the members that the link before took has to look at them first (symbols/recipe.c).
 */
#include <stdlib.h>

#include "inputs_priv.h"

struct object *inputs_resident(const struct ifile *f)
{
	const struct source *s = f->source;
	if (f->obj || !s || (s->archive && s->archive->is_thin))
		return f->obj;
	return s->archive ? s->members[f->member] : s->obj;
}

/* By a link of its own over copies of the files, which shares the products and nothing else. */
void inputs_parse_ahead(const struct inputs *in, const uint32_t *files, uint32_t cnt)
{
	struct inputs ahead = *in;
	uint32_t *all = malloc(cnt * sizeof(*all));
	ahead.files = calloc(cnt, sizeof(*ahead.files));
	ahead.file_cnt = cnt;
	ahead.diag = diag_new(1);
	for (uint32_t i = 0; all && ahead.files && i < cnt; i++) {
		const struct ifile *f = &in->files[files[i]];
		ahead.files[i] = (struct ifile){ .kind = f->kind, .member = f->member, .file = f->file, .source = f->source };
		all[i] = i;
	}
	if (all && ahead.files && ahead.diag)
		inputs_parse(&ahead, all, cnt);
	diag_free(ahead.diag);
	free(ahead.files);
	free(all);
}
