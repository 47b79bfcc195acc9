/* check_script.c - linker/input/script, version_script: what texts mean, and where exactly they are wrong. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"

#define ARRAY_CNT(a) (sizeof(a) / sizeof((a)[0]))

enum kind { SCRIPT, VERSIONS, LIST };

struct dump {
	char text[2048];
	size_t sz;
};

static void put(struct dump *d, const char *what, const char *word)
{
	d->sz += (size_t)snprintf(d->text + d->sz, sizeof(d->text) - d->sz, "%s%s ", what, word);
}

static void dump_script(struct dump *d, const struct script *s)
{
	for (size_t i = 0; i < s->input_cnt; i++) {
		const struct script_input *in = &s->inputs[i];
		put(d, in->is_group ? in->as_needed ? "group?" : "group:" : in->as_needed ? "input?" : "input:", in->name);
	}
	for (size_t i = 0; i < s->format_cnt; i++)
		put(d, "format:", s->formats[i]);
	for (size_t i = 0; i < s->search_dir_cnt; i++)
		put(d, "dir:", s->search_dirs[i]);
	for (size_t i = 0; i < s->extern_cnt; i++)
		put(d, "extern:", s->externs[i]);
	if (s->entry)
		put(d, "entry:", s->entry);
	if (s->output)
		put(d, "output:", s->output);
	if (s->arch)
		put(d, "arch:", s->arch);
}

static void dump_versions(struct dump *d, const struct version_script *s)
{
	for (size_t i = 0; i < s->node_cnt; i++) {
		const struct version_node *n = &s->nodes[i];
		put(d, "[", n->name);
		for (size_t k = 0; k < n->parent_cnt; k++)
			put(d, "parent:", n->parents[k]);
		for (size_t k = 0; k < n->pattern_cnt; k++) {
			const struct version_pattern *p = &n->patterns[k];
			char marks[8];
			snprintf(marks, sizeof(marks), "%s%s%s", p->is_local ? "-" : "+", p->is_cxx ? "c" : "",
				 p->is_exact ? "=" : "~");
			put(d, marks, p->pattern);
		}
		put(d, "]", "");
	}
}

/* Parses TEXT in a block of its very size. */
static int run(enum kind kind, const char *text, struct dump *ret, char **ret_messages)
{
	size_t sz = strlen(text);
	char *copy = malloc(sz ? sz : 1);
	struct diag *d = diag_new(0);
	struct script *s = NULL;
	struct version_script *v = NULL;
	int rc;
	memcpy(copy, text, sz);
	*ret = (struct dump){ .sz = 0 };
	if (kind == SCRIPT)
		rc = script_parse(copy, sz, "x.ld", d, 0, &s);
	else if (kind == VERSIONS)
		rc = version_script_parse(copy, sz, "x.ld", d, 0, &v);
	else
		rc = dynamic_list_parse(copy, sz, "x.ld", d, 0, &v);
	memset(copy, '?', sz); /* the product has words of its own */
	free(copy);
	if (s)
		dump_script(ret, s);
	if (v)
		dump_versions(ret, v);
	script_free(s);
	version_script_free(v);
	*ret_messages = diag_text(d);
	diag_free(d);
	return rc;
}

static const struct good_row {
	enum kind kind;
	const char *text, *want;
} good_rows[] = {
	{ SCRIPT, "", "" },
	{ SCRIPT, "/* GNU ld script\n*/ OUTPUT_FORMAT(elf64-x86-64)\nGROUP ( /lib/x86_64-linux-gnu/libc.so.6 "
		  "/usr/lib/x86_64-linux-gnu/libc_nonshared.a  AS_NEEDED ( /lib64/ld-linux-x86-64.so.2 ) )\n",
	  "group:/lib/x86_64-linux-gnu/libc.so.6 group:/usr/lib/x86_64-linux-gnu/libc_nonshared.a "
	  "group?/lib64/ld-linux-x86-64.so.2 format:elf64-x86-64 " },
	{ SCRIPT, "INPUT(a.o,b.o c.o , -lm)", "input:a.o input:b.o input:c.o input:-lm " },
	{ SCRIPT, "INPUT(-l:libx.a \"with space.o\" =/lib/y.o)", "input:-l:libx.a input:with space.o input:=/lib/y.o " },
	{ SCRIPT, "INPUT(AS_NEEDED(a) b)INPUT()AS_NEEDED(c)", "input?a input:b input?c " },
	{ SCRIPT, "OUTPUT_FORMAT(\"a\", \"b\", \"c\")", "format:a format:b format:c " },
	{ SCRIPT, "SEARCH_DIR(/a);SEARCH_DIR(\"=/b\");;", "dir:/a dir:=/b " },
	{ SCRIPT, "ENTRY(_start) OUTPUT(o) OUTPUT_ARCH(i386:x86-64) TARGET(t) EXTERN(a b, c)",
	  "extern:a extern:b extern:c entry:_start output:o arch:i386:x86-64 " },
	{ SCRIPT, "/**/INPUT(a/*b*/c)/* ** */", "input:a input:c " },
	{ VERSIONS, "", "" },
	{ VERSIONS, "{ global: f; g*; local: *; };", "[ +=f +~g* -~* ] " },
	{ VERSIONS, "V1 { f; };\nV2 { g; } V1;", "[V1 +=f ] [V2 parent:V1 +=g ] " },
	{ VERSIONS, "A{};B{};C{}A B;", "[A ] [B ] [C parent:A parent:B ] " },
	{ VERSIONS, "V1 { local: *; global: f };", "[V1 -~* +=f ] " },
	{ VERSIONS, "V1{};", "[V1 ] " },
	{ VERSIONS, "V1/**/{f/* g*/;h/**/};", "[V1 +=f +=h ] " },
	{ VERSIONS, "V { extern \"C++\" { ns::*; \"f(int)\"; \"g*\" }; h; local: extern \"C\" { x }; };",
	  "[V +c~ns::* +c=f(int) +c=g* +=h -=x ] " },
	{ VERSIONS, "# all\nV { # one\n f; /* two */ };", "[V +=f ] " },
	{ VERSIONS, "V { global; local; extern; };", "[V +=global +=local +=extern ] " },
	{ VERSIONS, "V { a?; [bc]d; e\\*; \"*\"; };", "[V +~a? +~[bc]d +~e\\* +=* ] " },
	{ LIST, "{ f; g*; };", "[ +=f +~g* ] " },
	{ LIST, "{ global: f; }; { extern \"C++\" { \"h()\"; }; };", "[ +=f +c=h() ] " },
	{ LIST, "", "[ ] " },
};

START_TEST(test_good)
{
	const struct good_row *row = &good_rows[_i];
	struct dump d;
	char *messages;
	int rc = run(row->kind, row->text, &d, &messages);
	ck_assert_msg(!rc && !*messages, "%s: %d, %s", row->text, rc, messages);
	ck_assert_msg(!strcmp(d.text, row->want), "%s: got %s", row->text, d.text);
	free(messages);
}
END_TEST

static const struct bad_row {
	enum kind kind;
	const char *text, *message;
} bad_rows[] = {
	{ SCRIPT, "INPUT(a", "x.ld:1:8: expected a file name, got the end" },
	{ SCRIPT, "INPUT a", "x.ld:1:7: expected '(', got a" },
	{ SCRIPT, "INPUT(a (b))", "x.ld:1:9: expected a file name, got '('" },
	{ SCRIPT, "\n\n  INPUT(\"\")", "x.ld:3:9: expected a file name, got an empty name" },
	{ SCRIPT, "INPUT(AS_NEEDED(AS_NEEDED(a)))", "x.ld:1:17: AS_NEEDED inside AS_NEEDED" },
	{ SCRIPT, "INPUT(\"a\nb\")", "x.ld:1:7: the quoted name does not end" },
	{ SCRIPT, " /* x", "x.ld:1:2: the comment does not end" },
	{ SCRIPT, "/*/", "x.ld:1:1: the comment does not end" },
	{ SCRIPT, "SECTIONS { }", "x.ld:1:1: SECTIONS: this linker script command is not supported" },
	{ SCRIPT, "MEMORY { }", "x.ld:1:1: MEMORY: this linker script command is not supported" },
	{ SCRIPT, "PROVIDE(a = 1)", "PROVIDE: this linker script command is not supported" },
	{ SCRIPT, "a = 1;", "x.ld:1:1: a: assignments are not supported" },
	{ SCRIPT, "hello world", "x.ld:1:1: hello: neither an object" },
	{ SCRIPT, "(", "x.ld:1:1: expected a linker script command, got '('" },
	{ SCRIPT, "OUTPUT_FORMAT(a,b,c,d)", "x.ld:1:21: expected ')', got d" },
	{ SCRIPT, "OUTPUT_FORMAT()", "x.ld:1:15: expected a name, got ')'" },
	{ SCRIPT, "ENTRY(a b)", "x.ld:1:9: expected ')', got b" },
	{ SCRIPT, "EXTERN()", "x.ld:1:8: expected a name, got ')'" },
	{ VERSIONS, "V {", "x.ld:1:4: expected a symbol pattern, got the end" },
	{ VERSIONS, "V { f; }", "x.ld:1:9: expected the version's parent or ';', got the end" },
	{ VERSIONS, "V { f g; };", "x.ld:1:7: expected ';', got g" },
	{ VERSIONS, "V { f; };\nV { g; };", "x.ld:2:1: version V is defined twice" },
	{ VERSIONS, "V { f; } W;", "x.ld:1:10: V: its parent W is not defined before" },
	{ VERSIONS, "V { f; } V;", "x.ld:1:10: V: its parent V is not defined before" },
	{ VERSIONS, "{ f; }; V { g; };", "x.ld:1:9: an anonymous version cannot stand with others" },
	{ VERSIONS, "V { g; }; { f; };", "x.ld:1:11: an anonymous version cannot stand with others" },
	{ VERSIONS, "{ f; }; { g; };", "an anonymous version cannot stand with others" },
	{ VERSIONS, "V { hidden: f; };", "x.ld:1:5: expected global: or local:, got hidden:" },
	{ VERSIONS, "V { extern \"Java\" { f; }; };", "x.ld:1:12: extern \"Java\": expected \"C\" or \"C++\"" },
	{ VERSIONS, "V { extern \"C\" { local: f; }; };", "x.ld:1:23: expected ';', got ':'" },
	{ VERSIONS, "V { f; } \"\";", "expected the version's parent or ';', got an empty name" },
	{ VERSIONS, "V { : f; };", "x.ld:1:5: expected a symbol pattern, got ':'" },
	{ LIST, "{ local: *; };", "x.ld:1:3: local: has no meaning in a dynamic list" },
	{ LIST, "V { f; };", "x.ld:1:1: expected '{', got V" },
	{ LIST, "{ f; }", "x.ld:1:7: expected ';', got the end" },
};

START_TEST(test_bad)
{
	const struct bad_row *row = &bad_rows[_i];
	struct dump d;
	char *messages;
	int rc = run(row->kind, row->text, &d, &messages);
	ck_assert_msg(rc == -EINVAL && !*d.text, "%s: %d", row->text, rc);
	ck_assert_msg(strstr(messages, row->message) != NULL, "%s: %s", row->text, messages);
	ck_assert_msg(strchr(messages, '\n') == strrchr(messages, '\n'), "%s: more than one error: %s", row->text, messages);
	free(messages);
}
END_TEST

START_TEST(test_not_a_text)
{
	struct diag *d = diag_new(0);
	struct script *s = NULL;
	ck_assert_int_eq(script_parse("INPUT(a\0b)", 10, "x.ld", d, 0, &s), -EINVAL);
	char *messages = diag_text(d);
	ck_assert_ptr_nonnull(strstr(messages, "x.ld:1:8: a NUL character: not a text"));
	free(messages);
	diag_free(d);
}
END_TEST

/* Every prefix of every good text is parsed or refused with a message. */
START_TEST(test_cut)
{
	const struct good_row *row = &good_rows[_i];
	for (size_t sz = 0; sz < strlen(row->text); sz++) {
		struct dump d;
		char *messages, *text = strndup(row->text, sz);
		int rc = run(row->kind, text, &d, &messages);
		ck_assert_msg(rc ? *messages != 0 : *messages == 0, "%s: %d, %s", text, rc, messages);
		free(messages);
		free(text);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("script");
	TCase *tc = tcase_create("script");
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_good, 0, (int)ARRAY_CNT(good_rows));
	tcase_add_loop_test(tc, test_bad, 0, (int)ARRAY_CNT(bad_rows));
	tcase_add_test(tc, test_not_a_text);
	tcase_add_loop_test(tc, test_cut, 0, (int)ARRAY_CNT(good_rows));
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
