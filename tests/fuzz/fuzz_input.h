/* fuzz_input.h - what the targets of the input layer share: an input before an unreadable page, and names.
 *
 * libelf is not instrumented; that it reads no byte beyond its slice shows only because such a byte is not there.
 */
#ifndef LINKFS_FUZZ_INPUT_H
#define LINKFS_FUZZ_INPUT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "diag.h"
#include "mapper.h"
#include "names.h"

enum { FUZZ_MAX = 1 << 20, FUZZ_NAMES_MAX = 20000 };

/* The file of one run: a copy of the input that ends where memory ends. Valid until the next call. */
static inline struct infile fuzz_file(const uint8_t *data, size_t sz)
{
	static uint8_t *area;
	if (!area) {
		area = mmap(NULL, FUZZ_MAX + 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (area == MAP_FAILED || mprotect(area + FUZZ_MAX, 65536, PROT_NONE))
			abort();
	}
	uint8_t *copy = area + FUZZ_MAX - sz;
	if (sz)
		memcpy(copy, data, sz);
	return (struct infile){ .data = copy, .sz = sz, .fd = -1, .path = (char *)"fuzz" };
}

/* Kept from run to run, as in the linker. */
static inline struct names *fuzz_names(void)
{
	static struct names *names;
	if (names && names_cnt(names) > FUZZ_NAMES_MAX)
		names = names_free(names);
	if (!names && names_new(&names))
		abort();
	return names;
}

/* An id is a name that can be found again. */
static inline void fuzz_check_name(const struct names *names, name_id id)
{
	const struct name *n = names_get(names, id);
	if (!id || id >= names_cnt(names) || names_find(names, n->str, n->len) != id)
		abort();
}

/* A failure has said why; a success has no errors. */
static inline void fuzz_check_verdict(int r, struct diag *d)
{
	if ((r != 0) != (diag_errors(d) != 0))
		abort();
	char *text = diag_text(d);
	if (r && (!text || !*text))
		abort();
	free(text);
}

/* Touches every byte. */
static inline void fuzz_read(const void *p, uint64_t sz)
{
	static volatile uint8_t sum;
	for (uint64_t i = 0; i < sz; i++)
		sum = (uint8_t)(sum + ((const uint8_t *)p)[i]);
}

#endif
