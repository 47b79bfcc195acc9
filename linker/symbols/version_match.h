/* version_match.h - patterns of version scripts and dynamic lists against names. Only versions.c uses it. */
#ifndef LINKFS_VERSION_MATCH_H
#define LINKFS_VERSION_MATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "script.h"

/* Twice the position of a node, plus 1 for its local patterns. */
#define RULE_NONE UINT32_MAX
#define RULE_LOCAL 1u

/* A name being matched, in the forms that patterns ask for; zero at first, one per thread. */
struct subject {
	const char *str;
	size_t len;
	char *copy, *demangled;
	size_t cap;
	bool is_copied, is_demangled;
	bool no_memory;   /* sticky */
};
void subject_set(struct subject *s, const char *str, size_t len);
void subject_clear(struct subject *s);

struct glob;
struct cxx_name;
struct patterns {
	struct glob *globs;
	size_t glob_cnt;
	struct cxx_name *names;
	size_t name_cnt;
	bool has_cxx;
};

/* Room for CAP patterns. 0 or -ENOMEM. */
int patterns_init(struct patterns *p, size_t cap);
void patterns_clear(struct patterns *p);
/* Notes a pattern, but for exact C names, which need no search. Its text must live as long as P. */
void patterns_add(struct patterns *p, const struct version_pattern *v, uint32_t rule);
/* After the last one was added. */
void patterns_sort(struct patterns *p);
/* A pattern that some node has as global and some as local, NULL: none. 0 or -ENOMEM. */
int patterns_conflict(const struct patterns *p, const char **ret_text);
/* The rule for a name; EXACT: that of its exact C pattern, RULE_NONE: it has none. Thread-safe. */
uint32_t patterns_match(const struct patterns *p, struct subject *s, uint32_t exact);
/* The next exact C++ pattern from position *AT on that no name has matched; NULL: no more. */
const char *patterns_missed(const struct patterns *p, size_t *at, uint32_t *ret_rule);
bool version_pattern_matches(const struct version_pattern *p, struct subject *s);

#endif
