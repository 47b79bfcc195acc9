/* must.h - assertions that cost nothing while they hold.
 */
#ifndef UNIT_MUST_H
#define UNIT_MUST_H

#include <check.h>
#include <stdint.h>

/* Check notes each of its assertions in a file, which takes longer than what is tested here: these speak when they fail. */
#define must(cond)                                                            \
	do {                                                                  \
		if (!(cond))                                                  \
			ck_abort_msg("line %d: not so: %s", __LINE__, #cond); \
	} while (0)
#define must_be(got, want)                                                                        \
	do {                                                                                      \
		intmax_t got_ = (intmax_t)(got), want_ = (intmax_t)(want);                        \
		if (got_ != want_)                                                                \
			ck_abort_msg("line %d: %s is %jd, not %jd", __LINE__, #got, got_, want_); \
	} while (0)

#endif
