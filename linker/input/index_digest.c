/* index_digest.c - digests of what a library's and an archive's index say, kept with them.
 *
 * The symbols stage compares links by these (symbols/recipe.c, which makes an object's itself). Names count by their ids:
 * digests tell files apart that share the names, and mean nothing elsewhere.
 */
#include <string.h>

#define XXH_STATIC_LINKING_ONLY /* the state lives on the stack */
#include <xxhash.h>

#include "archive.h"
#include "shlib_parse.h"

enum { BATCH = 128 };

void archive_digest(struct archive *a)
{
	XXH128_hash_t h = XXH3_128bits(a->syms, a->sym_cnt * sizeof(*a->syms));
	a->digest[0] = h.low64;
	a->digest[1] = h.high64;
}

void shlib_digest(struct shlib *s)
{
	struct {
		name_id name, base;
		uint32_t facts, zero;
	} rows[BATCH];
	XXH3_state_t h;
	XXH3_128bits_reset(&h);
	XXH3_128bits_update(&h, &s->sym_cnt, sizeof(s->sym_cnt));
	for (uint32_t i = 0, n; i < s->sym_cnt; i += n) {
		n = s->sym_cnt - i < BATCH ? s->sym_cnt - i : BATCH;
		for (uint32_t k = 0; k < n; k++) {
			const struct shlib_sym *y = &s->syms[i + k];
			rows[k].name = y->name;
			rows[k].base = y->base;
			rows[k].facts = y->version | (uint32_t)y->type << 16 | (uint32_t)y->bind << 20 |
					(uint32_t)y->vis << 24 | (uint32_t)y->is_undef << 26;
			rows[k].zero = 0;
		}
		XXH3_128bits_update(&h, rows, n * sizeof(*rows));
	}
	for (uint32_t i = 0; i < s->version_cnt; i++) {
		const char *text = s->versions[i] ? s->versions[i] : ""; /* a hole matches no name, and a name is not empty */
		XXH3_128bits_update(&h, text, strlen(text) + 1);
	}
	XXH128_hash_t d = XXH3_128bits_digest(&h);
	s->digest[0] = d.low64;
	s->digest[1] = d.high64;
}
