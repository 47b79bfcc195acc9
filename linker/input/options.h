/* options.h - the command line as data: what ld's options mean, before any file is opened.
 *
 * options_parse reads argv (response files expanded) into one frozen `struct options`; everything that has an order on
 * the command line (files, libraries, and the modes in force at each) is kept as a list of `struct operand`. Later
 * stages read it and never change it. What it leaves out: finding and opening files (search.c), reading linker scripts
 * (script.c).
 *
 * The option table is one X-macro file, options.def: name, form, help text; --help and the man page come from it.
 */
#ifndef LINKFS_OPTIONS_H
#define LINKFS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag.h"
#include "linkfs.h"

enum operand_kind {
	OPERAND_FILE,        /* a name as given */
	OPERAND_LIBRARY,     /* -l NAME, or -l :NAME (the colon kept) */
	OPERAND_START_GROUP, /* -( and -): the provider rule makes them mean nothing, but they must pair */
	OPERAND_END_GROUP,
	OPERAND_START_LIB,   /* objects between are extracted as if they were archive members */
	OPERAND_END_LIB,
	OPERAND_SCRIPT,      /* -T FILE */
};

/* One thing on the command line with the modes in force there (--push-state and --pop-state already applied). */
struct operand {
	enum operand_kind kind;
	const char *name;      /* in the options' own memory */
	bool is_static;        /* -Bstatic: -l finds archives only */
	bool whole_archive;
	bool as_needed;
	bool just_symbols;     /* -R FILE */
	bool is_lib;           /* between --start-lib and --end-lib */
};

enum output_kind { OUTPUT_EXEC, OUTPUT_PIE, OUTPUT_SHARED, OUTPUT_RELOCATABLE };
enum strip_kind { STRIP_NONE, STRIP_DEBUG, STRIP_ALL };
enum hash_style { HASH_SYSV = 1, HASH_GNU = 2, HASH_BOTH = 3 };
enum build_id { BUILD_ID_NONE, BUILD_ID_FAST, BUILD_ID_MD5, BUILD_ID_SHA1, BUILD_ID_UUID, BUILD_ID_HEX };
enum unresolved { UNRESOLVED_ERROR, UNRESOLVED_WARN, UNRESOLVED_IGNORE };
enum discard_kind { DISCARD_DEFAULT, DISCARD_NONE, DISCARD_LOCALS, DISCARD_ALL }; /* -X: .L names; -x: all locals */
enum bsymbolic { BSYMBOLIC_NO, BSYMBOLIC_FUNCTIONS, BSYMBOLIC_ALL, BSYMBOLIC_NON_WEAK, BSYMBOLIC_NON_WEAK_FUNCTIONS };
enum sort_section { SORT_SECTION_NONE, SORT_SECTION_NAME, SORT_SECTION_ALIGNMENT };

/* --defsym NAME=EXPR: EXPR is [-](number | symbol) [(+|-) (number | symbol)]... */
struct defsym {
	const char *name;
	const char *expr;
};

struct options {
	/* What to make. */
	enum output_kind kind;
	bool is_static;              /* no dynamic linking: -static with OUTPUT_EXEC, or --no-dynamic-linker with PIE */
	bool no_dynamic_linker;
	const char *output;          /* "a.out" by default */
	const char *emulation;       /* -m, NULL: from the first object */
	const char *entry;           /* -e, NULL: "_start" */
	const char *dynamic_linker;  /* NULL: the arch's */
	const char *soname;          /* NULL: none */
	const char *rpath;           /* joined with ':', NULL: none */
	bool new_dtags;              /* DT_RUNPATH (default) or DT_RPATH */
	const char *init, *fini;     /* "_init", "_fini" */
	const char *map_file;        /* NULL: none; "-": standard output */
	const char *dependency_file; /* --dependency-file: the inputs as a rule for make; NULL: none */
	int byte_order;              /* -EL: 1, -EB: 2, 0: neither was given; it must be the output's */
	const char *sysroot;         /* "" by default */
	uint64_t image_base;         /* --image-base, --Ttext-segment; valid where has_image_base */
	bool has_image_base;
	uint64_t max_page_size, common_page_size; /* 0: the arch's */
	unsigned threads;            /* 0: the linker's own */

	/* Inputs, in order. */
	struct operand *operands;
	size_t operand_cnt;
	const char **lib_paths;      /* -L, in order, a leading '=' or $SYSROOT already replaced by the sysroot */
	size_t lib_path_cnt;
	const char **rpath_links;
	size_t rpath_link_cnt;
	bool nostdlib;               /* only -L paths are searched */

	/* Symbols. */
	const char **undefined;      /* -u, --require-defined */
	size_t undefined_cnt;
	const char **require_defined;
	size_t require_defined_cnt;
	struct defsym *defsyms;
	size_t defsym_cnt;
	const char **wraps;          /* --wrap */
	size_t wrap_cnt;
	const char **export_symbols; /* --export-dynamic-symbol globs */
	size_t export_symbol_cnt;
	const char **exclude_libs;   /* base names, or "ALL" */
	size_t exclude_lib_cnt;
	const char **trace_symbols;  /* -y */
	size_t trace_symbol_cnt;
	const char **version_scripts, **dynamic_lists; /* file names */
	size_t version_script_cnt, dynamic_list_cnt;
	bool export_dynamic;
	bool gnu_unique;             /* default true */
	enum bsymbolic bsymbolic;
	bool allow_multiple_definition;
	enum unresolved unresolved_object, unresolved_shlib; /* the latter default: error for executables, ignore for -shared */
	bool no_undefined;           /* -z defs, --no-undefined */
	bool warn_common, warn_unresolved;
	bool no_undefined_version;

	/* Sections and layout. */
	bool gc_sections, print_gc_sections, gc_keep_exported;
	bool eh_frame_hdr;
	bool relax;                  /* default true */
	bool omagic, nmagic;         /* -N, -n */
	bool z_now, z_relro, z_execstack, z_noexecstack, z_text, z_notext, z_defs, z_nodelete, z_nodlopen, z_origin,
	     z_initfirst, z_interpose, z_nodump, z_separate_code, z_noseparate_code, z_keep_text_section_prefix, z_global,
	     z_lazy, z_combreloc, z_nocopyreloc, z_nodefaultlib, z_ibt, z_shstk, z_ibtplt, z_force_ibt, z_start_stop_gc,
	     z_pack_relative_relocs, z_dynamic_undefined_weak, z_nodynamic_undefined_weak, z_unique_symbol;
	uint64_t z_stack_size;       /* 0: none given */
	unsigned start_stop_visibility; /* STV_*, default STV_PROTECTED */
	enum sort_section sort_section;
	bool sort_common;
	enum hash_style hash_style;  /* default both as the distribution's ld: GNU */
	enum build_id build_id;
	uint8_t build_id_hex[64];
	size_t build_id_hex_sz;
	int optimize;                /* -O N, default 1 */
	const char *package_metadata; /* --package-metadata, NULL: none */

	/* Symbol table and debug information of the output. */
	enum strip_kind strip;
	enum discard_kind discard;
	const char *compress_debug;  /* NULL, "none", "zlib", "zstd" ...: anything but none is an error for now */

	/* Talk. */
	bool verbose, trace, cref, print_map, fatal_warnings, no_warnings, demangle, print_statistics;
	bool linkfs_time;            /* --linkfs-time */
	unsigned error_limit;        /* 0: none; default 20 */

	/* LTO: what the driver passes always, needed only where an input is an LTO object. */
	const char *plugin;
	const char **plugin_opts;
	size_t plugin_opt_cnt;

	/* ld.linkfs itself. */
	const char *linkfs_mode;     /* --linkfs=auto|mount|file, NULL: not given */

	/* The arguments that say what is made, canonical (no output name, no paths of inputs, no talk): what the build-id
	 * covers besides the inputs' bytes. */
	const char *semantic;
	size_t semantic_sz;

	struct option_block *blocks; /* the memory all strings above live in; private */
};

/* Parses. `read_file` gives the text of @FILE (the caller's opener underneath): 0 and a malloc-ed *ret_text, or -errno.
 * 0: *ret_options is new. -ECANCELED: only text was asked for, *ret_text is it (malloc-ed). Else -errno with an error in D.
 * With -v or -V *ret_text is the version line, and the link goes on if there are inputs. */
struct options_reader {
	int (*read_file)(void *ctx, const char *path, char **ret_text, size_t *ret_sz);
	void *ctx;
};
int options_parse(int argc, const char *const *argv, const struct options_reader *reader, struct diag *d,
		  struct options **ret_options, char **ret_text);
struct options *options_free(struct options *o); /* takes NULL, returns NULL */

#endif
