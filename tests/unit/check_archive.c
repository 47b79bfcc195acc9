/* check_archive.c - linker/input/archive: every dialect of ar, and each way to be malformed. Archives are made here. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"

#define ARRAY_CNT(a) (sizeof(a) / sizeof((a)[0]))

/* A text being made: member headers are written with %-16s and so on. */
struct text {
	char data[4096];
	size_t sz;
};

static void add(struct text *t, const void *data, size_t sz)
{
	ck_assert_uint_le(t->sz + sz, sizeof(t->data));
	memcpy(t->data + t->sz, data, sz);
	t->sz += sz;
}

static void add_header(struct text *t, const char *name, const char *size)
{
	char header[64];
	if (t->sz & 1)
		add(t, "\n", 1);
	snprintf(header, sizeof(header), "%-16s%-12s%-6s%-6s%-8s%-10s`\n", name, "0", "0", "0", "644", size);
	add(t, header, 60);
}

static void add_member(struct text *t, const char *name, const void *data, size_t sz)
{
	char size[16];
	snprintf(size, sizeof(size), "%zu", sz);
	add_header(t, name, size);
	add(t, data, sz);
}

struct outcome {
	struct names *names;
	struct archive *a;
	struct infile f;
	int rc;
	char *messages;
};

static void parse(const void *data, size_t sz, struct outcome *ret)
{
	struct diag *d = diag_new(0);
	uint8_t *copy = malloc(sz ? sz : 1); /* of its very size, for the sanitizer */
	memcpy(copy, data, sz);
	*ret = (struct outcome){ .f = { .data = copy, .sz = sz, .path = (char *)"lib.a" } };
	ck_assert_int_eq(names_new(&ret->names), 0);
	ret->rc = archive_parse(&ret->f, ret->names, d, 0, &ret->a);
	ret->messages = diag_text(d);
	diag_free(d);
}

static void done(struct outcome *o)
{
	archive_free(o->a);
	names_free(o->names);
	free((void *)o->f.data);
	free(o->messages);
}

static void make_empty(struct text *t)
{
	add(t, "!<arch>\n", 8);
}

static void make_plain(struct text *t)
{
	add(t, "!<arch>\n", 8);
	add_member(t, "a.o/", "one", 3);
	add_member(t, "sixteen-bytes.o/", "", 0);
	add_member(t, "b.o/", "four", 4);
}

/* The index's 20 bytes lie at 68, the members' headers at 88 and 150. */
static void make_gnu(struct text *t)
{
	add(t, "!<arch>\n", 8);
	add_member(t, "/", "\0\0\0\2\0\0\0\x96\0\0\0\x58" "f\0g\0\0\0\0", 20);
	add_member(t, "a.o/", "ab", 2);
	add_member(t, "b.o/", "cde", 3);
}

static void make_sym64(struct text *t)
{
	add(t, "!<arch>\n", 8);
	add_member(t, "/SYM64/", "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\x58" "f\0\0\0", 20);
	add_member(t, "a.o/", "ab", 2);
}

static void make_long(struct text *t)
{
	static const char names[] = "a-name-longer-than-that.o/\nsecond with space.o/\n";
	add(t, "!<arch>\n", 8);
	add_member(t, "//", names, sizeof(names) - 1);
	add_member(t, "/27", "x", 1);
	add_member(t, "/0", "yz", 2);
}

static void make_bsd(struct text *t)
{
	add(t, "!<arch>\n", 8);
	/* one pair: name 0, header at 8 + 60 + 38 = 0x6a */
	add_member(t, "#1/20", "__.SYMDEF SORTED\0\0\0\0" "\x8\0\0\0" "\0\0\0\0\x6a\0\0\0" "\2\0\0\0" "f\0", 38);
	add_member(t, "#1/12", "long-name.o\0data", 16);
	add_member(t, "short.o", "q", 1);
}

static void make_thin(struct text *t)
{
	static const char names[] = "dir/a.o/\nnested.a/\n";
	add(t, "!<thin>\n", 8);
	add_member(t, "/", "\0\0\0\1\0\0\0\xa2" "f\0", 10);
	add_member(t, "//", names, sizeof(names) - 1);
	if (t->sz & 1)
		add(t, "\n", 1);
	ck_assert_uint_eq(t->sz, 158);
	t->data[8 + 60 + 7] = (char)158;
	add_header(t, "/0", "1000");
	add_header(t, "/9:1374", "2000");
}

static const struct good_row {
	const char *name;
	void (*make)(struct text *t);
	bool is_thin, has_index;
	const char *members; /* "name:bytes name:bytes" */
	const char *syms;    /* "symbol:member index" */
} good_rows[] = {
	{ "empty", make_empty, false, false, "", "" },
	{ "plain", make_plain, false, false, "a.o:one sixteen-bytes.o: b.o:four ", "" },
	{ "gnu index", make_gnu, false, true, "a.o:ab b.o:cde ", "f:1 g:0 " },
	{ "64-bit index", make_sym64, false, true, "a.o:ab ", "f:0 " },
	{ "long names", make_long, false, false, "second with space.o:x a-name-longer-than-that.o:yz ", "" },
	{ "bsd", make_bsd, false, true, "long-name.o:data short.o:q ", "f:0 " },
	{ "thin", make_thin, true, true, "dir/a.o=1000+0 nested.a=2000+1374 ", "f:0 " },
};

START_TEST(test_good)
{
	const struct good_row *row = &good_rows[_i];
	struct text t = { .sz = 0 }, members = { .sz = 0 }, syms = { .sz = 0 };
	struct outcome o;
	row->make(&t);
	parse(t.data, t.sz, &o);
	ck_assert_msg(!o.rc, "%s: %s", row->name, o.messages);
	ck_assert_msg(o.a->is_thin == row->is_thin && o.a->has_index == row->has_index, "%s: kind", row->name);
	for (uint32_t i = 0; i < o.a->member_cnt; i++) {
		const struct archive_member *m = &o.a->members[i];
		if (o.a->is_thin)
			members.sz += (size_t)sprintf(members.data + members.sz, "%s=%d+%d ", m->name, (int)m->sz,
						      (int)m->nested_off);
		else
			members.sz += (size_t)sprintf(members.data + members.sz, "%s:%.*s ", m->name, (int)m->sz,
						      (const char *)o.f.data + m->off);
	}
	for (uint32_t i = 0; i < o.a->sym_cnt; i++) {
		const struct name *n = names_get(o.names, o.a->syms[i].name);
		syms.sz += (size_t)sprintf(syms.data + syms.sz, "%.*s:%u ", (int)n->len, n->str, o.a->syms[i].member);
	}
	ck_assert_msg(!strcmp(members.data, row->members), "%s: members: %s", row->name, members.data);
	ck_assert_msg(!strcmp(syms.data, row->syms), "%s: symbols: %s", row->name, syms.data);
	done(&o);
}
END_TEST

/* Every prefix of every good archive is parsed or refused with a message, and read no further. */
START_TEST(test_cut)
{
	struct text t = { .sz = 0 };
	unsigned refused = 0;
	good_rows[_i].make(&t);
	for (size_t sz = 0; sz < t.sz; sz++) {
		struct outcome o;
		parse(t.data, sz, &o);
		ck_assert_msg(o.rc ? *o.messages != 0 : *o.messages == 0, "%s: cut at %zu: %d, %s", good_rows[_i].name, sz,
			      o.rc, o.messages);
		refused += o.rc != 0;
		done(&o);
	}
	ck_assert_uint_ge(refused, 8); /* at least where the magic is cut */
}
END_TEST

static const struct bad_row {
	const char *name;
	void (*make)(struct text *t); /* then one change: */
	size_t at;
	const char *bytes;
	size_t cnt;
	const char *message;
} bad_rows[] = {
	{ "magic", make_plain, 0, "?", 1, "not an archive" },
	{ "end mark", make_plain, 8 + 58, "x", 1, "its end mark is missing" },
	{ "size with letters", make_plain, 8 + 48, "3x", 2, "member size: not a number" },
	{ "no size", make_plain, 8 + 48, " ", 1, "member size: not a number" },
	{ "member beyond the end", make_plain, 8 + 48, "999999", 6, "member a.o has 0xf423f bytes" },
	{ "no name", make_plain, 8, "        ", 8, "a member without a name" },
	{ "long name beyond the table", make_long, 116 + 1, "99", 2, "it has 0x30 bytes" },
	{ "long name not a number", make_long, 116 + 2, "x", 1, "member name: not a number" },
	{ "colon outside a thin archive", make_long, 116 + 2, ":5", 2, "member name: not a number" },
	{ "colon without a number", make_thin, 158 + 60 + 3, "     ", 5, "expected an offset after the colon" },
	{ "bsd name longer than its data", make_bsd, 106 + 3, "99", 2, "its length does not fit" },
	{ "index shorter than its entries", make_gnu, 8 + 60 + 3, "\x09", 1, "9 entries do not fit" },
	{ "index with too many entries", make_gnu, 8 + 60, "\xff\xff\xff\xff", 4, "4294967295 entries do not fit" },
	{ "64-bit count overflows", make_sym64, 8 + 60, "\x80\0\0\0\0\0\0\1", 8, "entries do not fit" },
	{ "index names no member", make_gnu, 8 + 60 + 7, "\x97", 1, "there is no member at 0x97" },
	{ "index names beyond the file", make_gnu, 8 + 60 + 4, "\x7f", 1, "there is no member at 0x7f000096" },
	{ "name without an end", make_gnu, 8 + 60 + 12, "fffggggg", 8, "its name is cut off" },
	{ "entry without a name", make_gnu, 8 + 60 + 12, "\0\0", 2, "no name" },
	{ "bsd entries beyond the index", make_bsd, 88, "\x10\0\0\0", 4, "its entries do not fit" },
	{ "bsd entries not pairs", make_bsd, 88, "\x7\0\0\0", 4, "its entries do not fit" },
	{ "bsd names beyond the index", make_bsd, 88 + 12, "\xff\0\0\0", 4, "its names do not fit" },
	{ "bsd name beyond the names", make_bsd, 88 + 4, "\x9\0\0\0", 4, "its name is cut off" },
	{ "two indexes", make_gnu, 88, "/ ", 2, NULL },
};

START_TEST(test_bad)
{
	const struct bad_row *row = &bad_rows[_i];
	struct text t = { .sz = 0 };
	struct outcome o;
	row->make(&t);
	memcpy(t.data + row->at, row->bytes, row->cnt);
	if (!row->message)
		memset(t.data + row->at + row->cnt, ' ', 14);
	parse(t.data, t.sz, &o);
	ck_assert_msg(o.rc == -EINVAL && !o.a, "%s: gives %d", row->name, o.rc);
	ck_assert_msg(strstr(o.messages, "lib.a:(archive+0x") != NULL, "%s: no place: %s", row->name, o.messages);
	ck_assert_msg(strstr(o.messages, row->message ? row->message : "a second index") != NULL, "%s: %s", row->name,
		      o.messages);
	done(&o);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("archive");
	TCase *tc = tcase_create("archive");
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_good, 0, (int)ARRAY_CNT(good_rows));
	tcase_add_loop_test(tc, test_cut, 0, (int)ARRAY_CNT(good_rows));
	tcase_add_loop_test(tc, test_bad, 0, (int)ARRAY_CNT(bad_rows));
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
