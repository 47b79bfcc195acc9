/* check_options.c - the command line: what each option does, response files, mistakes, texts, the canonical form.
 *
 * A row is a command line, written as a response file would have it, and what must come of it. "a.o" is added at its
 * end where the row is about an option.
 */
#include <check.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch.h"
#include "options.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

/* The response files of these tests. */
static const struct {
	const char *path;
	const char *text;
} files[] = {
	{ "plain", "-o out  x.o\n\ty.o" },
	{ "quotes", "'a b' \"c d\" e\\ f 'g'\"h\"" },
	{ "inner", "i.o" },
	{ "outer", "o.o @inner p.o" },
	{ "self", "@self" },
	{ "ping", "@pong" },
	{ "pong", "@ping" },
	{ "open", "'open" },
	{ "value", "-o @name x.o" },
	{ "name", "out" },
	{ "empty", " \n" },
	{ "same/../twice", "@twice" },
	{ "twice", "t.o" },
	{ "repeats", "@vast @vast @vast @vast @vast @vast @vast @vast @vast @vast" },
};

static int read_file(void *ctx, const char *path, char **ret_text, size_t *ret_sz)
{
	ck_assert_ptr_eq(ctx, files);
	if (!strcmp(path, "forbidden"))
		return -EACCES;
	/* Names that go on for ever, each includes the next one: once, and twice. */
	if (!strncmp(path, "deep", 4) || !strncmp(path, "wide", 4)) {
		int sz = *path == 'd' ? asprintf(ret_text, "@%sx", path) :
					asprintf(ret_text, "@%sx @%sy", path, path);
		*ret_sz = (size_t)sz;
		if (*path == 'w' && strlen(path) > 16)
			*ret_sz = 0;
		return 0;
	}
	if (!strcmp(path, "vast")) { /* a large file; included many times by "repeats" */
		enum { ARGS = 30000 };
		*ret_sz = 2 * ARGS;
		*ret_text = malloc(*ret_sz);
		for (int i = 0; i < ARGS; i++)
			memcpy(*ret_text + 2 * i, "x ", 2);
		return 0;
	}
	for (int i = 0; i < COUNT(files); i++)
		if (!strcmp(files[i].path, path)) {
			*ret_text = strdup(files[i].text);
			*ret_sz = strlen(files[i].text);
			return 0;
		}
	return -ENOENT;
}

static const struct options_reader reader = { read_file, (void *)files };

/* Parses ARGS followed by MORE; the messages in *ret_messages. */
static int parse(const char *args, const char *more, struct options **ret_o, char **ret_text, char **ret_messages)
{
	struct diag *d = diag_new(0);
	char *line, **argv;
	int argc;
	int sz = asprintf(&line, "ld %s %s", args, more);

	ck_assert_int_eq(linkfs_split_args(line, (size_t)sz, &argc, &argv), 0);
	free(line);
	*ret_o = NULL;
	*ret_text = NULL;
	int rc = options_parse(argc, (const char *const *)argv, &reader, d, ret_o, ret_text);
	free(argv); /* nothing in the options may point there */
	*ret_messages = diag_text(d);
	ck_assert_int_eq(rc == 0, *ret_o != NULL);
	ck_assert_msg(rc == 0 || rc == -ECANCELED || diag_errors(d), "%s: an error without a message", args);
	ck_assert_msg((rc != 0 && rc != -ECANCELED) || !diag_errors(d), "%s: %s", args, *ret_messages);
	diag_free(d);
	return rc;
}

static struct options *parse_ok(const char *args, const char *more)
{
	struct options *o;
	char *text, *messages;
	int rc = parse(args, more, &o, &text, &messages);

	ck_assert_msg(rc == 0, "%s: %d %s", args, rc, messages);
	free(text);
	free(messages);
	return o;
}

/* One field. */

enum type { BOOL, INT, U64, STRING };

#define AT(f) offsetof(struct options, f)
#define IS(args, f) { args, AT(f), BOOL, true, NULL }
#define ISNT(args, f) { args, AT(f), BOOL, false, NULL }
#define NUMBER(args, f, n) { args, AT(f), sizeof(((struct options *)NULL)->f) == 8 ? U64 : INT, n, NULL }
#define TEXT(args, f, s) { args, AT(f), STRING, 0, s }

static const struct effect {
	const char *args;
	size_t field;
	enum type type;
	uint64_t number;
	const char *string;
} effects[] = {
	/* What to make. */
	NUMBER("", kind, OUTPUT_EXEC),
	NUMBER("-shared", kind, OUTPUT_SHARED),
	NUMBER("--shared", kind, OUTPUT_SHARED),
	NUMBER("-Bshareable", kind, OUTPUT_SHARED),
	NUMBER("-pie", kind, OUTPUT_PIE),
	NUMBER("--pic-executable", kind, OUTPUT_PIE),
	NUMBER("-shared -pie", kind, OUTPUT_PIE),
	NUMBER("-pie -shared", kind, OUTPUT_SHARED),
	NUMBER("-pie -no-pie", kind, OUTPUT_EXEC),
	NUMBER("-pie --no-pic-executable", kind, OUTPUT_EXEC),
	NUMBER("-r", kind, OUTPUT_RELOCATABLE),
	NUMBER("-i", kind, OUTPUT_RELOCATABLE),
	NUMBER("--relocatable -no-pie", kind, OUTPUT_RELOCATABLE),
	ISNT("", is_static),
	IS("-static", is_static),
	ISNT("-Bstatic", is_static),
	ISNT("-static -shared", is_static),
	ISNT("-static -pie", is_static),
	IS("-static -pie --no-dynamic-linker -z text", is_static),
	IS("--no-dynamic-linker", no_dynamic_linker),
	TEXT("", output, "a.out"),
	TEXT("-o x", output, "x"),
	TEXT("-ox", output, "x"),
	TEXT("--output=x", output, "x"),
	TEXT("--output x", output, "x"),
	TEXT("-output", output, "utput"),
	TEXT("-omagic", output, "magic"),
	TEXT("-o first -o second", output, "second"),
	TEXT("-o --strange", output, "--strange"),
	TEXT("", entry, NULL),
	TEXT("-e main", entry, "main"),
	TEXT("-emain", entry, "main"),
	TEXT("-entry=main", entry, "main"),
	TEXT("--entry main", entry, "main"),
	TEXT("-dynamic-linker /ld.so", dynamic_linker, "/ld.so"),
	TEXT("--dynamic-linker=/ld.so", dynamic_linker, "/ld.so"),
	TEXT("-I/ld.so", dynamic_linker, "/ld.so"),
	TEXT("-soname x", soname, "x"),
	TEXT("-soname=x", soname, "x"),
	TEXT("-hx", soname, "x"),
	TEXT("-h x", soname, "x"),
	TEXT("", rpath, NULL),
	TEXT("-rpath a -rpath=b:c --rpath a", rpath, "a:b:c"),
	IS("", new_dtags),
	ISNT("--disable-new-dtags", new_dtags),
	IS("--disable-new-dtags --enable-new-dtags", new_dtags),
	TEXT("", init, "_init"),
	TEXT("-init x", init, "x"),
	TEXT("", fini, "_fini"),
	TEXT("-fini=x", fini, "x"),
	TEXT("", map_file, NULL),
	TEXT("-Map=x", map_file, "x"),
	TEXT("-Map x", map_file, "x"),
	TEXT("-M", map_file, "-"),
	IS("--print-map", print_map),
	TEXT("--dependency-file=x.d", dependency_file, "x.d"),
	TEXT("", sysroot, ""),
	TEXT("--sysroot=/r", sysroot, "/r"),
	NUMBER("--image-base=0x10000", image_base, 0x10000),
	NUMBER("-Ttext-segment=10000", image_base, 0x10000),
	NUMBER("-Ttext-segment 0x10000", image_base, 0x10000),
	IS("--image-base=0", has_image_base),
	ISNT("", has_image_base),
	NUMBER("-z max-page-size=0x4000", max_page_size, 0x4000),
	NUMBER("-zmax-page-size=4096", max_page_size, 4096),
	NUMBER("-z common-page-size=4096", common_page_size, 4096),
	NUMBER("", threads, 0),
	NUMBER("--threads=3", threads, 3),
	NUMBER("--thread-count 3", threads, 3),
	NUMBER("--thread-count 3 --threads", threads, 0),
	NUMBER("--no-threads", threads, 1),
	NUMBER("-EL", byte_order, 1),
	NUMBER("-EB", byte_order, 2),
	IS("-nostdlib", nostdlib),
	NUMBER("", build_id, BUILD_ID_NONE),
	NUMBER("--build-id", build_id, BUILD_ID_SHA1),
	NUMBER("--build-id=none", build_id, BUILD_ID_NONE),
	NUMBER("--build-id --no-build-id", build_id, BUILD_ID_NONE),
	NUMBER("--build-id=fast", build_id, BUILD_ID_FAST),
	NUMBER("--build-id=md5", build_id, BUILD_ID_MD5),
	NUMBER("--build-id=tree", build_id, BUILD_ID_SHA1),
	NUMBER("--build-id=uuid", build_id, BUILD_ID_UUID),
	NUMBER("--build-id=0xabcd", build_id, BUILD_ID_HEX),
	NUMBER("--build-id=0xab-cd:ef", build_id_hex_sz, 3),
	NUMBER("", optimize, 1),
	NUMBER("-O0", optimize, 0),
	NUMBER("-O 2", optimize, 2),
	TEXT("--package-metadata='{\"a\":1}'", package_metadata, "{\"a\":1}"),
	TEXT("--package-metadata=x --package-metadata", package_metadata, NULL),
	TEXT("-plugin /x.so", plugin, "/x.so"),

	/* Symbols. */
	IS("-E", export_dynamic),
	IS("-export-dynamic", export_dynamic),
	ISNT("-E --no-export-dynamic", export_dynamic),
	IS("", gnu_unique),
	ISNT("--no-gnu-unique", gnu_unique),
	NUMBER("-Bsymbolic", bsymbolic, BSYMBOLIC_ALL),
	NUMBER("-Bsymbolic-functions", bsymbolic, BSYMBOLIC_FUNCTIONS),
	NUMBER("-Bsymbolic-non-weak", bsymbolic, BSYMBOLIC_NON_WEAK),
	NUMBER("-Bsymbolic-non-weak-functions", bsymbolic, BSYMBOLIC_NON_WEAK_FUNCTIONS),
	NUMBER("-Bsymbolic -Bno-symbolic", bsymbolic, BSYMBOLIC_NO),
	IS("--allow-multiple-definition", allow_multiple_definition),
	IS("-z muldefs", allow_multiple_definition),
	ISNT("-z muldefs --no-allow-multiple-definition", allow_multiple_definition),
	NUMBER("", unresolved_object, UNRESOLVED_ERROR),
	NUMBER("", unresolved_shlib, UNRESOLVED_ERROR),
	NUMBER("-shared", unresolved_object, UNRESOLVED_IGNORE),
	NUMBER("-shared", unresolved_shlib, UNRESOLVED_IGNORE),
	NUMBER("-z defs -shared", unresolved_object, UNRESOLVED_ERROR),
	NUMBER("-z defs -shared", unresolved_shlib, UNRESOLVED_IGNORE),
	NUMBER("-shared --no-undefined", unresolved_object, UNRESOLVED_ERROR),
	NUMBER("-shared --no-undefined -z undefs", unresolved_object, UNRESOLVED_IGNORE),
	NUMBER("-z nodefs", unresolved_object, UNRESOLVED_IGNORE),
	NUMBER("--allow-shlib-undefined", unresolved_shlib, UNRESOLVED_IGNORE),
	NUMBER("-shared --no-allow-shlib-undefined", unresolved_shlib, UNRESOLVED_ERROR),
	NUMBER("--unresolved-symbols=ignore-all", unresolved_object, UNRESOLVED_IGNORE),
	NUMBER("--unresolved-symbols=ignore-all", unresolved_shlib, UNRESOLVED_IGNORE),
	NUMBER("--unresolved-symbols=ignore-in-object-files", unresolved_object, UNRESOLVED_IGNORE),
	NUMBER("--unresolved-symbols=ignore-in-object-files", unresolved_shlib, UNRESOLVED_ERROR),
	NUMBER("--unresolved-symbols=ignore-in-shared-libs", unresolved_object, UNRESOLVED_ERROR),
	NUMBER("--unresolved-symbols=ignore-in-shared-libs", unresolved_shlib, UNRESOLVED_IGNORE),
	NUMBER("-shared --unresolved-symbols=report-all", unresolved_object, UNRESOLVED_ERROR),
	NUMBER("--warn-unresolved-symbols", unresolved_object, UNRESOLVED_WARN),
	NUMBER("--warn-unresolved-symbols", unresolved_shlib, UNRESOLVED_WARN),
	NUMBER("--warn-unresolved-symbols --error-unresolved-symbols", unresolved_object, UNRESOLVED_ERROR),
	NUMBER("--warn-unresolved-symbols -z undefs", unresolved_object, UNRESOLVED_IGNORE),
	IS("--no-undefined", no_undefined),
	IS("-z defs", z_defs),
	ISNT("-z defs -z undefs", z_defs),
	IS("--warn-common", warn_common),
	ISNT("--warn-common --no-warn-common", warn_common),
	IS("--no-undefined-version", no_undefined_version),
	ISNT("--no-undefined-version --undefined-version", no_undefined_version),

	/* Sections and layout. */
	IS("--gc-sections", gc_sections),
	IS("-gc-sections", gc_sections),
	ISNT("--gc-sections --no-gc-sections", gc_sections),
	IS("--print-gc-sections", print_gc_sections),
	ISNT("--print-gc-sections --no-print-gc-sections", print_gc_sections),
	IS("--gc-keep-exported", gc_keep_exported),
	IS("--eh-frame-hdr", eh_frame_hdr),
	ISNT("--eh-frame-hdr --no-eh-frame-hdr", eh_frame_hdr),
	IS("", relax),
	ISNT("--no-relax", relax),
	IS("-n", nmagic),
	ISNT("-n --no-nmagic", nmagic),
	IS("-N", omagic),
	IS("--omagic", omagic),
	ISNT("-N --no-omagic", omagic),
	NUMBER("--sort-section=name", sort_section, SORT_SECTION_NAME),
	NUMBER("--sort-section alignment", sort_section, SORT_SECTION_ALIGNMENT),
	IS("--sort-common", sort_common),
	IS("--sort-common=descending", sort_common),
	NUMBER("", hash_style, HASH_BOTH),
	NUMBER("--hash-style=gnu", hash_style, HASH_GNU),
	NUMBER("-hash-style sysv", hash_style, HASH_SYSV),
	NUMBER("--hash-style=gnu --hash-style=both", hash_style, HASH_BOTH),
	IS("-z now", z_now),
	IS("-znow", z_now),
	ISNT("-z now -z lazy", z_now),
	IS("-z lazy", z_lazy),
	ISNT("-z lazy -z now", z_lazy),
	IS("", z_relro),
	ISNT("-z norelro", z_relro),
	IS("-z norelro -z relro", z_relro),
	IS("-z execstack", z_execstack),
	IS("-z noexecstack", z_noexecstack),
	ISNT("-z execstack -z noexecstack", z_execstack),
	ISNT("-z noexecstack -z execstack", z_noexecstack),
	IS("-z text", z_text),
	IS("-z notext", z_notext),
	IS("-z textoff", z_notext),
	ISNT("-z text -z notext", z_text),
	IS("-z nodelete", z_nodelete),
	IS("-z nodlopen", z_nodlopen),
	IS("-z origin", z_origin),
	IS("-z initfirst", z_initfirst),
	IS("-z interpose", z_interpose),
	IS("-z nodump", z_nodump),
	IS("-z separate-code", z_separate_code),
	IS("-z noseparate-code", z_noseparate_code),
	ISNT("-z separate-code -z noseparate-code", z_separate_code),
	IS("-z keep-text-section-prefix", z_keep_text_section_prefix),
	ISNT("-z keep-text-section-prefix -z nokeep-text-section-prefix", z_keep_text_section_prefix),
	IS("-z global", z_global),
	IS("", z_combreloc),
	ISNT("-z nocombreloc", z_combreloc),
	IS("-z nocopyreloc", z_nocopyreloc),
	ISNT("-z nocopyreloc -z copyreloc", z_nocopyreloc),
	IS("-z nodefaultlib", z_nodefaultlib),
	IS("-z ibt", z_ibt),
	IS("-z shstk", z_shstk),
	IS("-z ibtplt", z_ibtplt),
	IS("-z force-ibt", z_force_ibt),
	IS("-z start-stop-gc", z_start_stop_gc),
	ISNT("-z start-stop-gc -z nostart-stop-gc", z_start_stop_gc),
	IS("-z pack-relative-relocs", z_pack_relative_relocs),
	IS("--pack-dyn-relocs=relr", z_pack_relative_relocs),
	ISNT("-z pack-relative-relocs --pack-dyn-relocs=none", z_pack_relative_relocs),
	IS("-z dynamic-undefined-weak", z_dynamic_undefined_weak),
	IS("-z nodynamic-undefined-weak", z_nodynamic_undefined_weak),
	IS("-z unique-symbol", z_unique_symbol),
	NUMBER("-z stack-size=0x100000", z_stack_size, 0x100000),
	NUMBER("", start_stop_visibility, STV_PROTECTED),
	NUMBER("-z start-stop-visibility=hidden", start_stop_visibility, STV_HIDDEN),

	/* Symbol table and debug information, talk. */
	NUMBER("-s", strip, STRIP_ALL),
	NUMBER("--strip-debug", strip, STRIP_DEBUG),
	NUMBER("-s -S", strip, STRIP_DEBUG),
	NUMBER("", discard, DISCARD_DEFAULT),
	NUMBER("-x", discard, DISCARD_ALL),
	NUMBER("-X", discard, DISCARD_LOCALS),
	NUMBER("--discard-none", discard, DISCARD_NONE),
	TEXT("--compress-debug-sections=none", compress_debug, "none"),
	IS("--verbose", verbose),
	IS("-t", trace),
	IS("--cref", cref),
	IS("--fatal-warnings", fatal_warnings),
	ISNT("--fatal-warnings --no-fatal-warnings", fatal_warnings),
	IS("-w", no_warnings),
	IS("", demangle),
	ISNT("--no-demangle", demangle),
	IS("--no-demangle --demangle=gnu-v3", demangle),
	IS("--stats", print_statistics),
	IS("--linkfs-time", linkfs_time),
	NUMBER("", error_limit, 20),
	NUMBER("--error-limit=0", error_limit, 0),
	TEXT("", linkfs_mode, NULL),
	TEXT("--linkfs=mount", linkfs_mode, "mount"),

	/* Accepted, without effect. */
	TEXT("-d -g -Qy -assert pure-text -G8 -flto -flto=auto -fuse-ld=bfd --no-add-needed", output, "a.out"),
	TEXT("--hash-size=31 --icf=none --color-diagnostics=always --no-lto-x --orphan-handling=place", output, "a.out"),
	TEXT("-b elf --oformat=elf --format default -z nocommon -z cet-report=none", output, "a.out"),
};

START_TEST(effect)
{
	const struct effect *e = &effects[_i];
	struct options *o = parse_ok(e->args, "a.o");
	const char *field = (const char *)o + e->field;
	uint64_t number = 0;

	switch (e->type) {
	case BOOL:
		number = *(const bool *)field;
		break;
	case INT:
		number = *(const unsigned *)field;
		break;
	case U64:
		number = *(const uint64_t *)field;
		break;
	case STRING: {
		const char *s = *(const char *const *)field;
		ck_assert_msg(s && e->string ? !strcmp(s, e->string) : s == e->string, "%s: got %s, expected %s",
			      e->args, s ? s : "NULL", e->string ? e->string : "NULL");
	}
	}
	ck_assert_msg(e->type == STRING || number == e->number, "%s: got %llu, expected %llu", e->args,
		      (unsigned long long)number, (unsigned long long)e->number);
	options_free(o);
}
END_TEST

START_TEST(build_id_bytes)
{
	struct options *o = parse_ok("--build-id=0x00Ff-10", "a.o");

	ck_assert_mem_eq(o->build_id_hex, "\x00\xff\x10", 3);
	options_free(o);
}
END_TEST

/* Lists. */

#undef LIST
#define LIST(args, array, cnt, expected) { args, AT(array), AT(cnt), expected }

static const struct {
	const char *args;
	size_t array, cnt;
	const char *expected; /* with a blank behind each */
} lists[] = {
	LIST("-Lx -L y --library-path=z -library-path w", lib_paths, lib_path_cnt, "x y z w "),
	LIST("-L=/lib --sysroot=/r -L $SYSROOT/usr -L/=x", lib_paths, lib_path_cnt, "/r/lib /r/usr /=x "),
	LIST("-L=/lib", lib_paths, lib_path_cnt, "/lib "),
	LIST("-rpath-link a:b -rpath-link=c", rpath_links, rpath_link_cnt, "a b c "),
	LIST("-u x -uy --undefined=z --require-defined w", undefined, undefined_cnt, "x y z w "),
	LIST("-u x --require-defined=w", require_defined, require_defined_cnt, "w "),
	LIST("--wrap=x --wrap y", wraps, wrap_cnt, "x y "),
	LIST("--export-dynamic-symbol=x* --export-dynamic-symbol y", export_symbols, export_symbol_cnt, "x* y "),
	LIST("--exclude-libs a.a,b.a:c.a --exclude-libs=ALL", exclude_libs, exclude_lib_cnt, "a.a b.a c.a ALL "),
	LIST("-yx --trace-symbol=y", trace_symbols, trace_symbol_cnt, "x y "),
	LIST("--version-script=a --version-script b", version_scripts, version_script_cnt, "a b "),
	LIST("--dynamic-list=a", dynamic_lists, dynamic_list_cnt, "a "),
	LIST("-plugin-opt=-pass-through=-lc -plugin-opt x", plugin_opts, plugin_opt_cnt, "-pass-through=-lc x "),
};

START_TEST(list)
{
	struct options *o = parse_ok(lists[_i].args, "a.o");
	const char **array = *(const char ***)((char *)o + lists[_i].array);
	char got[256] = "";

	for (size_t i = 0; i < *(size_t *)((char *)o + lists[_i].cnt); i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ", array[i]);
	ck_assert_str_eq(got, lists[_i].expected);
	options_free(o);
}
END_TEST

START_TEST(long_list)
{
	char args[20000] = "";

	for (int i = 0; i < 1000; i++)
		snprintf(args + strlen(args), sizeof(args) - strlen(args), "-u s%d x%d.o ", i, i);
	struct options *o = parse_ok(args, "");
	ck_assert_uint_eq(o->undefined_cnt, 1000);
	ck_assert_uint_eq(o->operand_cnt, 1000);
	ck_assert_str_eq(o->undefined[999], "s999");
	ck_assert_str_eq(o->operands[999].name, "x999.o");
	options_free(o);
}
END_TEST

START_TEST(defsyms)
{
	struct options *o = parse_ok("--defsym=a=0x10 --defsym 'b = a + 4' --defsym=c=-b-1", "a.o");

	ck_assert_uint_eq(o->defsym_cnt, 3);
	ck_assert_str_eq(o->defsyms[0].name, "a");
	ck_assert_str_eq(o->defsyms[0].expr, "0x10");
	ck_assert_str_eq(o->defsyms[1].name, "b");
	ck_assert_str_eq(o->defsyms[1].expr, " a + 4");
	ck_assert_str_eq(o->defsyms[2].expr, "-b-1");
	options_free(o);
}
END_TEST

/* Operands: "KIND:NAME" with the letters of the modes in force: static, whole archive, as needed, just symbols, lib. */

static const struct {
	const char *args;
	const char *expected;
} operands[] = {
	{ "a.o -lc", "file:a.o lib:c " },
	{ "-l c --library=m -l:x.a -library n", "lib:c lib:m lib::x.a lib:n " },
	{ "a -- -lc", "file:a file:-lc " },
	{ "- a", "file:- file:a " },
	{ "-Bstatic -la -Bdynamic -lb", "lib:a/s lib:b " },
	{ "-dn -la -dy -lb -non_shared -lc -call_shared -ld", "lib:a/s lib:b lib:c/s lib:d " },
	{ "-la -static -lb", "lib:a lib:b/s " },
	{ "-n -la", "lib:a/s " },
	{ "-N -la --no-omagic -lb", "lib:a/s lib:b/s " },
	{ "--whole-archive a.a --no-whole-archive b.a", "file:a.a/w file:b.a " },
	{ "--as-needed -la --no-as-needed -lb", "lib:a/n lib:b " },
	{ "--push-state --as-needed --whole-archive -Bstatic -la --pop-state -lb", "lib:a/swn lib:b " },
	{ "--as-needed --push-state --no-as-needed --push-state -la --pop-state --pop-state -lb", "lib:a lib:b/n " },
	{ "-R x.o y.o", "file:x.o/j file:y.o " },
	{ "--just-symbols=x.o", "file:x.o/j " },
	{ "--start-group a --end-group", "(: file:a ): " },
	{ "-( a -) -( b -)", "(: file:a ): (: file:b ): " },
	{ "--start-lib a b --end-lib c", "[: file:a/l file:b/l ]: file:c " },
	{ "-T s.ld a --script=t", "script:s.ld file:a script:t " },
	{ "@plain", "file:x.o file:y.o " },
	{ "@quotes", "file:a b file:c d file:e f file:gh " },
	{ "a @outer b", "file:a file:o.o file:i.o file:p.o file:b " },
	{ "@value", "file:x.o " },
	{ "@empty a", "file:a " },
	{ "@inner @inner", "file:i.o file:i.o " },
	{ "@same/../twice", "file:t.o " },
	{ "@missing", "file:@missing " },
	{ "@", "file:@ " },
	{ "-o @name a", "file:a " },
	/* gcc -static-pie and clang++, as Debian 12's call the linker. */
	{ "-plugin p.so -plugin-opt=x --build-id -m EMULATION --hash-style=gnu -static -pie --no-dynamic-linker "
	  "-z text -o a rcrt1.o -L/usr/lib a.o --start-group -lgcc -lgcc_eh -lc --end-group crtn.o",
	  "file:rcrt1.o/s file:a.o/s (:/s lib:gcc/s lib:gcc_eh/s lib:c/s ):/s file:crtn.o/s " },
	{ "-pie --hash-style=both --build-id --eh-frame-hdr -m EMULATION -dynamic-linker /ld.so -o a Scrt1.o -L/usr/lib "
	  "a.o -lc --as-needed -lgcc_s --no-as-needed crtn.o",
	  "file:Scrt1.o file:a.o lib:c lib:gcc_s/n file:crtn.o " },
};

static const char *const kinds[] = {
	[OPERAND_FILE] = "file", [OPERAND_LIBRARY] = "lib", [OPERAND_START_GROUP] = "(", [OPERAND_END_GROUP] = ")",
	[OPERAND_START_LIB] = "[", [OPERAND_END_LIB] = "]", [OPERAND_SCRIPT] = "script",
};

START_TEST(operand)
{
	/* EMULATION stands for one that is built in. */
	const char *args = operands[_i].args, *mark = strstr(args, "EMULATION");
	char line[1024], got[1024] = "";

	if (mark)
		snprintf(line, sizeof(line), "%.*s%s%s", (int)(mark - args), args, arch_table[0]->emulations[0],
			 mark + 9);
	struct options *o = parse_ok(mark ? line : args, "");
	for (size_t i = 0; i < o->operand_cnt; i++) {
		const struct operand *x = &o->operands[i];
		bool any = x->is_static || x->whole_archive || x->as_needed || x->just_symbols || x->is_lib;
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s:%s%s%s%s%s%s%s ", kinds[x->kind],
			 x->name ? x->name : "", any ? "/" : "", x->is_static ? "s" : "", x->whole_archive ? "w" : "",
			 x->as_needed ? "n" : "", x->just_symbols ? "j" : "", x->is_lib ? "l" : "");
	}
	ck_assert_str_eq(got, operands[_i].expected);
	options_free(o);
}
END_TEST

START_TEST(many_response_files)
{
	struct options *o = parse_ok("@plain", "@outer");

	ck_assert_str_eq(o->output, "out");
	options_free(o);
}
END_TEST

/* Mistakes. */

static const struct {
	const char *args;
	const char *expected; /* what the messages contain */
} mistakes[] = {
	{ "", "linkfs: error: no input files\n" },
	{ "-o x", "no input files" },
	{ "--gc-section a.o", "--gc-section: unknown option: did you mean --gc-sections\n" },
	{ "--whole-archives a.o", "did you mean --whole-archive\n" },
	{ "-sahred a.o", "did you mean -shared\n" },
	{ "--dynamc-linker=x a.o", "did you mean --dynamic-linker\n" },
	{ "--xyzzyplugh a.o", "--xyzzyplugh: unknown option: see --help for those known\n" },
	{ "--e a.o", "--e: unknown option" },
	{ "a.o -o", "-o: missing argument: expected FILE\n" },
	{ "a.o -soname", "-soname: missing argument: expected NAME\n" },
	{ "a.o -z", "-z: missing argument: expected KEYWORD\n" },
	{ "a.o -z max-page-size", "-z max-page-size: missing argument: expected -z max-page-size=SIZE\n" },
	{ "a.o -z max-page-size=", "-z max-page-size=: bad number: got ''" },
	{ "a.o -z max-page-size=3000", "expected a power of two\n" },
	{ "a.o -z common-page-size=8192 -z max-page-size=4096", "-z common-page-size: larger than max-page-size\n" },
	{ "a.o -z stack-size=1x", "bad number: got '1x'" },
	{ "a.o -z stack-size=-1", "bad number: got '-1'" },
	{ "a.o -z stack-size=0x10000000000000000", "bad number" },
	{ "a.o -z start-stop-visibility=x", "expected default, protected, hidden or internal\n" },
	{ "a.o -z x86-64-v3", "-z x86-64-v3: this option is not supported by linkfs\n" },
	{ "a.o --error-limit=many", "--error-limit: bad number: got 'many'" },
	{ "a.o --error-limit=", "--error-limit: bad number: got ''" },
	{ "a.o -Ttext-segment=xyz", "expected a hexadecimal number" },
	{ "a.o --threads=x", "--threads: bad number" },
	{ "a.o -Os", "-O: bad number: got 's'" },
	{ "a.o --shared=x", "--shared: this option takes no argument: got 'x'\n" },
	{ "a.o --hash-style=x", "--hash-style: got 'x', expected sysv, gnu or both\n" },
	{ "a.o --build-id=sha3", "--build-id: got 'sha3', expected none, fast, md5" },
	{ "a.o --build-id=0xabc", "expected pairs of hexadecimal digits\n" },
	{ "a.o --build-id=0x", "expected pairs of hexadecimal digits\n" },
#define BYTES "0123456789abcdef0123456789abcdef"
	{ "a.o --build-id=0x" BYTES BYTES BYTES BYTES "00", "build-id too long" },
	{ "a.o -m elf_pdp11", "-m: unknown emulation: got 'elf_pdp11', expected one of: " },
	{ "a.o --oformat=binary", "--oformat: this format is not supported: got 'binary'" },
	{ "a.o -b binary", "-b: this format is not supported: got 'binary'" },
	{ "a.o --unresolved-symbols=x", "expected report-all, ignore-in-object-files, ignore-in-shared-libs or" },
	{ "a.o --linkfs=x", "--linkfs: got 'x', expected auto, mount or file\n" },
	{ "a.o --icf=all", "--icf: this option is not supported by linkfs\n" },
	{ "a.o --icf", "--icf: this option is not supported by linkfs\n" },
	{ "a.o --gdb-index", "--gdb-index: this option is not supported" },
	{ "a.o -q", "-q: this option is not supported" },
	{ "a.o -Ttext=0", "-Ttext: this option is not supported" },
	{ "a.o --section-start=.x=0", "--section-start: this option is not supported" },
	{ "a.o -F x", "-F: this option is not supported" },
	{ "a.o --lto-O2", "--lto-O2: this option is not supported" },
	{ "a.o --fix-something", "this option is not supported" },
	{ "a.o --compress-debug-sections=zlib", "compressing debug sections is not supported: got 'zlib'" },
	{ "a.o --compress-debug-sections=x", "got 'x', expected none" },
	{ "a.o --pack-dyn-relocs=android", "expected none or relr\n" },
	{ "a.o -( b.a", "--start-group: the group is not closed" },
	{ "a.o -)", "-): no group is open" },
	{ "a.o -( b -( c -) -)", "-(: groups can't be nested" },
	{ "--start-lib a.o", "--start-lib: not closed" },
	{ "a.o --end-lib", "--end-lib: no --start-lib is open" },
	{ "--start-lib a.o --start-lib --end-lib", "can't be nested" },
	{ "a.o --pop-state", "--pop-state: nothing to go back to" },
	{ "a.o --push-state --pop-state --pop-state", "--pop-state: nothing to go back to" },
	{ "a.o -r -shared", "-shared: -r and -shared can't be used together\n" },
	{ "a.o -pie -r", "-r: -r and -pie can't be used together\n" },
	{ "a.o --defsym=x", "--defsym: got 'x', expected SYMBOL=EXPRESSION\n" },
	{ "a.o --defsym==1", "expected SYMBOL=EXPRESSION\n" },
	{ "a.o --defsym=x=", "this expression is not supported" },
	{ "a.o --defsym=x=(1)", "this expression is not supported: got '(1)'" },
	{ "a.o --defsym=x=1+", "this expression is not supported" },
	{ "a.o --defsym=x=y*2", "this expression is not supported" },
	{ "a.o --defsym=x=.", "this expression is not supported" },
	{ "a.o --defsym=x=1z", "this expression is not supported" },
	{ "a.o -l ''", "-l: empty library name\n" },
	{ "a.o -l:", "-l: empty library name\n" },
	{ "a.o --fatal-warnings -z bogus", "linkfs: error: -z bogus: unknown keyword is ignored\n" },
	{ "a.o -z bogus --fatal-warnings", "linkfs: error: -z bogus: unknown keyword is ignored\n" },
	{ "a.o -Bwrong --wrong-option", "--wrong-option: unknown option" },
	{ "@self", "@self: response file includes itself\n" },
	{ "@ping", "@ping: response file includes itself\n" },
	{ "@deep", "too many nested response files\n" },
	{ "@wide", "too many nested response files\n" },
	{ "@repeats", "linkfs: error: @vast: too many arguments in nested response files\n" },
	{ "@open", "@open: malformed response file" },
	{ "@forbidden", "@forbidden: can't read response file: Permission denied\n" },
	{ "a.o --nonsense-option --help", "--nonsense-option: unknown option" },
};

START_TEST(mistake)
{
	struct options *o;
	char *text, *messages;
	int rc = parse(mistakes[_i].args, "", &o, &text, &messages);

	ck_assert_msg(rc == -EINVAL, "%s: got %d", mistakes[_i].args, rc);
	ck_assert_ptr_null(text);
	ck_assert_msg(strstr(messages, mistakes[_i].expected), "%s: got %s", mistakes[_i].args, messages);
	free(messages);
}
END_TEST

START_TEST(all_mistakes_are_told)
{
	struct options *o;
	char *text, *messages;

	ck_assert_int_eq(parse("--hash-style=x -( a.o -z bogus --undefind=f", "", &o, &text, &messages), -EINVAL);
	ck_assert_str_eq(messages, "linkfs: error: --hash-style: got 'x', expected sysv, gnu or both\n"
				   "linkfs: warning: -z bogus: unknown keyword is ignored\n"
				   "linkfs: error: --undefind=f: unknown option: did you mean --undefined\n"
				   "linkfs: error: --start-group: the group is not closed: expected --end-group\n");
	free(messages);
}
END_TEST

/* A guess costs more than the rest of the command line: only the first unknown options get one. */
START_TEST(guesses_are_few)
{
	char args[30 * sizeof("--gc-sectio00 ")] = "", *text, *messages;
	struct options *o;
	int guesses = 0, unknown = 0;

	for (int i = 0; i < 30; i++)
		snprintf(args + strlen(args), sizeof(args) - strlen(args), "--gc-sectio%02d ", i);
	ck_assert_int_eq(parse(args, "a.o", &o, &text, &messages), -EINVAL);
	for (const char *s = messages; (s = strstr(s, "unknown option")); s++) {
		unknown++;
		guesses += !strncmp(s, "unknown option: did you mean --gc-sections\n", 43);
	}
	ck_assert_int_eq(unknown, 30);
	ck_assert_int_eq(guesses, 20);
	free(messages);
}
END_TEST

START_TEST(unknown_keyword_is_a_warning)
{
	struct options *o;
	char *text, *messages;

	ck_assert_int_eq(parse("-z bogus=1", "a.o", &o, &text, &messages), 0);
	ck_assert_str_eq(messages, "linkfs: warning: -z bogus=1: unknown keyword is ignored\n");
	free(messages);
	options_free(o);
	ck_assert_int_eq(parse("-w --fatal-warnings -z bogus", "a.o", &o, &text, &messages), 0);
	ck_assert_str_eq(messages, "");
	free(messages);
	options_free(o);
}
END_TEST

/* Texts. */

static const struct {
	const char *args;
	int rc;
	const char *expected; /* what the text contains, NULL: there is none */
} texts[] = {
	{ "--help", -ECANCELED, "Usage: ld.linkfs [options] file...\n" },
	{ "--help", -ECANCELED, "ld.linkfs: supported targets: elf" },
	{ "--help", -ECANCELED, "supported emulations: " },
	{ "--help", -ECANCELED, "--no-whole-archive" },
	{ "-shared --help a.o", -ECANCELED, "-shared" },
	{ "--target-help", -ECANCELED, "-z noexecstack" },
	{ "--version", -ECANCELED, "linkfs " LINKFS_VERSION " (compatible with GNU ld)\n" },
	{ "--version a.o", -ECANCELED, "linkfs" },
	{ "-v", -ECANCELED, "linkfs" },
	{ "-v a.o", 0, "linkfs" },
	{ "-V", -ECANCELED, "  Supported emulations:\n   " },
	{ "-v -V", -ECANCELED, "  Supported emulations:\n   " },
	{ "--verbose", -ECANCELED, "linkfs" },
	{ "--verbose a.o", 0, "linkfs" },
	{ "--sysroot=/r --print-sysroot", -ECANCELED, "/r\n" },
	{ "--print-output-format", -ECANCELED, "elf" },
	{ "a.o", 0, NULL },
};

START_TEST(text)
{
	struct options *o;
	char *text, *messages;

	ck_assert_int_eq(parse(texts[_i].args, "", &o, &text, &messages), texts[_i].rc);
	ck_assert_str_eq(messages, "");
	if (texts[_i].expected)
		ck_assert_msg(text && strstr(text, texts[_i].expected), "%s: got %s", texts[_i].args,
			      text ? text : "NULL");
	else
		ck_assert_ptr_null(text);
	free(text);
	free(messages);
	options_free(o);
}
END_TEST

/* The canonical text. */

static const struct {
	bool same;
	const char *a, *b;
} canons[] = {
	{ true, "a.o -o x", "b.o -o y" },
	{ true, "a.o", "-Lx -Map=m --threads=2 --sysroot=/r --stats -v -t -w --fatal-warnings a.o" },
	{ true, "-u x -u y a.o", "-u y -u x -u y a.o" },
	{ true, "--wrap=x --wrap=y a.o", "--wrap=y --wrap=x a.o" },
	{ true, "-z now --gc-sections a.o", "--gc-sections -z now a.o" },
	{ true, "-shared -pie a.o", "-pie a.o" },
	{ true, "--start-group a.o b.o --end-group", "a.o b.o" },
	{ true, "-lc", "libc.a" },
	{ true, "-plugin p -plugin-opt=-fresolution=/tmp/1 a.o", "a.o" },
	{ true, "--linkfs=file --linkfs-time a.o", "a.o" },
	{ true, "-m EMULATION a.o", "a.o" },
	{ false, "a.o", "a.o b.o" },
	{ false, "a.o", "-pie a.o" },
	{ false, "a.o", "-static a.o" },
	{ false, "a.o", "-e f a.o" },
	{ false, "a.o", "-u f a.o" },
	{ false, "a.o", "-z now a.o" },
	{ false, "a.o", "-z norelro a.o" },
	{ false, "a.o", "-z stack-size=4096 a.o" },
	{ false, "a.o", "--image-base=0 a.o" },
	{ false, "a.o", "--gc-sections a.o" },
	{ false, "a.o", "-s a.o" },
	{ false, "a.o", "-O0 a.o" },
	{ false, "a.o", "--build-id a.o" },
	{ false, "a.o", "-soname x a.o" },
	{ false, "-soname x a.o", "-soname y a.o" },
	{ false, "-rpath x a.o", "-rpath y a.o" },
	{ false, "--defsym=a=1 --defsym=a=2 a.o", "--defsym=a=2 --defsym=a=1 a.o" },
	{ false, "--whole-archive a.a b.a", "--whole-archive a.a --no-whole-archive b.a" },
	{ false, "--as-needed -la -lb", "--as-needed -la --no-as-needed -lb" },
};

START_TEST(canon)
{
	char line[256];
	const char *a = canons[_i].a;

	if (!strncmp(a, "-m EMULATION", 12)) {
		snprintf(line, sizeof(line), "-m %s%s", arch_table[0]->emulations[0], a + 12);
		a = line;
	}
	struct options *x = parse_ok(a, ""), *y = parse_ok(canons[_i].b, "");
	ck_assert_uint_eq(strlen(x->semantic), x->semantic_sz);
	ck_assert_msg(!strcmp(x->semantic, y->semantic) == canons[_i].same, "%s and %s:\n%s\n%s", canons[_i].a,
		      canons[_i].b, x->semantic, y->semantic);
	options_free(x);
	options_free(y);
}
END_TEST

/* Cutting up text. */

static const struct {
	const char *text;
	const char *expected; /* the arguments in brackets; NULL: -EINVAL */
} splits[] = {
	{ "", "" },
	{ " \t\r\n\v\f", "" },
	{ "a b\tc\nd", "[a][b][c][d]" },
	{ "  a  ", "[a]" },
	{ "'a b' \"c d\"", "[a b][c d]" },
	{ "a'b c'd\"e f\"g", "[ab cde fg]" },
	{ "'' \"\" a''", "[][][a]" },
	{ "'\"' \"'\"", "[\"][']" },
	{ "a\\ b \\'c \\\"d \\\\", "[a b]['c][\"d][\\]" },
	{ "'a\\'b' \"a\\\"b\"", "[a'b][a\"b]" },
	{ "a\\\nb", "[a\nb]" },
	{ "a\\", "[a]" },
	{ "'a", NULL },
	{ "\"a", NULL },
	{ "a 'b\\", NULL },
};

START_TEST(split)
{
	char got[256] = "", **argv;
	int argc, rc = linkfs_split_args(splits[_i].text, strlen(splits[_i].text), &argc, &argv);

	if (!splits[_i].expected) {
		ck_assert_int_eq(rc, -EINVAL);
		return;
	}
	ck_assert_int_eq(rc, 0);
	for (int i = 0; i < argc; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "[%s]", argv[i]);
	ck_assert_ptr_null(argv[argc]);
	free(argv);
	ck_assert_str_eq(got, splits[_i].expected);
}
END_TEST

START_TEST(split_of_bytes)
{
	char **argv;
	int argc;

	ck_assert_int_eq(linkfs_split_args("a\0b", 3, &argc, &argv), -EINVAL);
	ck_assert_int_eq(linkfs_split_args("'\0'", 3, &argc, &argv), -EINVAL);
	ck_assert_int_eq(linkfs_split_args("\\\0", 2, &argc, &argv), -EINVAL);
	ck_assert_int_eq(linkfs_split_args("ab cd", 4, &argc, &argv), 0); /* the size counts, not a NUL */
	ck_assert_int_eq(argc, 2);
	ck_assert_str_eq(argv[1], "c");
	free(argv);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options");
	TCase *fields = tcase_create("fields"), *wrong = tcase_create("mistakes"), *said = tcase_create("texts");

	tcase_add_loop_test(fields, effect, 0, COUNT(effects));
	tcase_add_test(fields, build_id_bytes);
	tcase_add_loop_test(fields, list, 0, COUNT(lists));
	tcase_add_test(fields, long_list);
	tcase_add_test(fields, defsyms);
	tcase_add_loop_test(fields, operand, 0, COUNT(operands));
	tcase_add_test(fields, many_response_files);
	suite_add_tcase(suite, fields);
	tcase_add_loop_test(wrong, mistake, 0, COUNT(mistakes));
	tcase_add_test(wrong, all_mistakes_are_told);
	tcase_add_test(wrong, guesses_are_few);
	tcase_add_test(wrong, unknown_keyword_is_a_warning);
	suite_add_tcase(suite, wrong);
	tcase_add_loop_test(said, text, 0, COUNT(texts));
	tcase_add_loop_test(said, canon, 0, COUNT(canons));
	tcase_add_loop_test(said, split, 0, COUNT(splits));
	tcase_add_test(said, split_of_bytes);
	suite_add_tcase(suite, said);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed_cnt = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed_cnt ? EXIT_FAILURE : EXIT_SUCCESS;
}
