/* script.h - linker scripts as inputs: INPUT, GROUP, AS_NEEDED, OUTPUT_FORMAT, OUTPUT_ARCH, SEARCH_DIR, TARGET, ENTRY, OUTPUT,
 * EXTERN, PROVIDE-free assignments are not here: SECTIONS and MEMORY are refused with a message.
 *
 * Parsing knows no file system: the result is a list of words with their modes; search.c finds the files.
 * Source: GNU ld manual, "File Commands", "Format Commands". Version scripts and dynamic lists (manual, "VERSION Command")
 * are read here too, since they share the lexer.
 */
#ifndef LINKFS_SCRIPT_H
#define LINKFS_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag.h"

struct script_input {
	const char *name;    /* "libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6", "-lm" as written */
	bool as_needed;
	bool is_group;       /* inside GROUP (...) */
};

struct script {
	struct script_input *inputs;
	size_t input_cnt;
	const char **formats;  /* OUTPUT_FORMAT names (default, big, little) */
	size_t format_cnt;
	const char **search_dirs;
	size_t search_dir_cnt;
	const char **externs;
	size_t extern_cnt;
	const char *entry, *output, *arch;
};

/* TEXT need not be NUL-terminated. Errors: "PATH:LINE:COLUMN: ...". */
int script_parse(const char *text, size_t sz, const char *path, struct diag *d, uint64_t place,
		 struct script **ret_script);
struct script *script_free(struct script *s);

/* Version scripts: nodes in order, patterns as written. */
struct version_pattern {
	const char *pattern;
	bool is_cxx;         /* extern "C++": matched against the demangled name */
	bool is_exact;       /* quoted, or without wildcards */
	bool is_local;
	bool is_ext;         /* reserved for other languages: false */
};
struct version_node {
	const char *name;    /* "" for the anonymous one */
	const char **parents; /* as written: documentation for readers of the output */
	size_t parent_cnt;
	struct version_pattern *patterns;
	size_t pattern_cnt;
};
struct version_script {
	struct version_node *nodes;
	size_t node_cnt;
};
int version_script_parse(const char *text, size_t sz, const char *path, struct diag *d, uint64_t place,
			 struct version_script **ret_script);
/* A dynamic list: one anonymous node. */
int dynamic_list_parse(const char *text, size_t sz, const char *path, struct diag *d, uint64_t place,
		       struct version_script **ret_script);
struct version_script *version_script_free(struct version_script *s);

#endif
