/* check_show.c - what linkfs status and its kin are made of: amounts, tables, JSON, `key: value` files, who linked it. */
#include <check.h>
#include <elf.h>
#include <sys/mman.h>

#include "keys.h"
#include "show.h"
#include "who.h"

START_TEST(amounts)
{
	static const struct {
		uint64_t bytes;
		const char *want;
	} rows[] = {
		{ 0, "0" },	     { 999, "999" },	      { 1000, "1.0K" },		{ 1024, "1.0K" },
		{ 10188, "9.9K" },   { 10240, "10K" },	      { 1048576, "1.0M" },	{ 4724464026, "4.4G" },
		{ 1023487, "999K" }, { 1023488, "1.0M" }, { UINT64_MAX, "16E" },
	};
	char buf[AMOUNT_SZ];

	ck_assert_str_eq(show_bytes(buf, rows[_i].bytes), rows[_i].want);
	ck_assert_str_eq(show_ms(buf, 0.04), "0.0ms");
	ck_assert_str_eq(show_ms(buf, 9.94), "9.9ms");
	ck_assert_str_eq(show_ms(buf, 999.4), "999ms");
	ck_assert_str_eq(show_ms(buf, 1234), "1.2s");
	ck_assert_str_eq(show_ms(buf, 125000), "2m05s");
	ck_assert_str_eq(show_age(buf, -3), "0s");
	ck_assert_str_eq(show_age(buf, 119), "119s");
	ck_assert_str_eq(show_age(buf, 120), "2m");
	ck_assert_str_eq(show_age(buf, 3 * 86400), "3d");
	ck_assert_str_eq(show_share(buf, 0, 0), "0%");
	ck_assert_str_eq(show_share(buf, 1, 1 << 30), "1%");
	ck_assert_str_eq(show_share(buf, (1 << 30) - 1, 1 << 30), "99%");
	ck_assert_str_eq(show_share(buf, 8192, 8000), "100%");
}
END_TEST

static const struct column cols[] = {
	{ "NAME", .may_be_cut = true },
	{ "ONE", .drop = 1 },
	{ "TWO", .drop = 2, .is_right = true },
};

START_TEST(tables)
{
	struct table t = { .col = cols, .col_cnt = 3 };
	struct text wide = { 0 }, narrow = { 0 }, least = { 0 };
	const char *const a[] = { "/a/long/directory/name/prog", "x", "7" }, *const b[] = { "\303\244\n", "yy", "123456" };

	table_add(&t, a);
	table_add(&t, b);
	table_show(&t, &wide, 0, 9, "\n");
	ck_assert_str_eq(wide.s, "NAME                        ONE    TWO\n"
				 "/a/long/directory/name/prog x        7\n"
				 "\303\244?                          yy  123456\n");
	table_show(&t, &narrow, 30, 1, "\n");
	ck_assert_str_eq(narrow.s, "NAME                   ONE TWO\n"
				   "...directory/name/prog x     7\n");
	table_show(&t, &least, 12, 1, "|");
	ck_assert_str_eq(least.s, "NAME|...ory/name/prog|");
	free(wide.s);
	free(narrow.s);
	free(least.s);
	table_done(&t);
}
END_TEST

START_TEST(json)
{
	struct text t = { 0 };

	show_json(&t, "a\"b\\c\n\x01\303\251\xff\xed\xa0\x80\xf4\x90\x80\x80");
	ck_assert_str_eq(t.s, "\"a\\\"b\\\\c\\u000a\\u0001\303\251\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"");
	free(t.s);
}
END_TEST

START_TEST(paragraphs)
{
	struct keyfile f;

	ck_assert_int_eq(keyfile_parse(strdup("name: a\\012b: \\134\nsize: 12\n\n\nno key\nname: c\nms: 1.5"), &f), 0);
	ck_assert_uint_eq(f.cnt, 2);
	ck_assert_str_eq(keys_text(&f.par[0], "name"), "a\nb: \\");
	ck_assert_uint_eq(keys_number(&f.par[0], "size"), 12);
	ck_assert_str_eq(keys_text(&f.par[1], "name"), "c");
	ck_assert_str_eq(keys_text(&f.par[1], "size"), "");
	ck_assert(keys_double(&f.par[1], "ms") > 1.4);
	keyfile_done(&f);
	ck_assert_int_eq(keyfile_parse(strdup(""), &f), 0);
	ck_assert_uint_eq(f.cnt, 0);
	keyfile_done(&f);
	ck_assert_int_eq(keyfile_read("/none/at/all", &f), -ENOENT);
}
END_TEST

/* A shared object of nothing but .comment with TEXT and the names. */
static int make(const char *text, size_t sz)
{
	static const char names[] = "\0.comment\0.shstrtab";
	Elf64_Shdr sh[3] = {
		[1] = { .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = 1024, .sh_size = sz },
		[2] = { .sh_name = 10, .sh_type = SHT_STRTAB, .sh_offset = 512, .sh_size = sizeof(names) },
	};
	Elf64_Ehdr h = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
				      __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? ELFDATA2MSB : ELFDATA2LSB, 1 },
			 .e_type = ET_DYN,
			 .e_shoff = 64,
			 .e_shentsize = sizeof(*sh),
			 .e_shnum = 3,
			 .e_shstrndx = 2 };
	int fd = memfd_create("who", 0);

	ck_assert_int_eq(pwrite(fd, &h, sizeof(h), 0), sizeof(h));
	ck_assert_int_eq(pwrite(fd, sh, sizeof(sh), 64), sizeof(sh));
	ck_assert_int_eq(pwrite(fd, names, sizeof(names), 512), sizeof(names));
	ck_assert_int_eq(pwrite(fd, text, sz, 1024), (ssize_t)sz);
	return fd;
}

START_TEST(linkers)
{
#define TEXT(s) s, sizeof(s) - 1
	static const struct {
		const char *text;
		size_t sz;
		const char *want;
	} rows[] = {
		{ TEXT("GCC: (x) 12\0Linker: LLD 14.0.6 (etc)\0"), "LLD 14.0.6" },
		{ TEXT("mold 1.10.1 (compatible with GNU ld)"), "mold 1.10.1" },
		{ TEXT("Linker: LLD 1\0Linker: linkfs 0.1.0\0mold 2\0"), "linkfs 0.1.0" },
		{ TEXT("GCC: (x) 12\0\0\0"), "" },
		{ TEXT("Linker: 0123456789012345678901234567890123456789012345678901234567890123456789"),
		  "012345678901234567890123456789012345678901234567890123456789012" },
	};
	enum who_kind kind;
	char linker[WHO_SZ];
	int fd = make(rows[_i].text, rows[_i].sz);

	ck_assert_int_eq(who_linked(fd, &kind, linker), 0);
	ck_assert_int_eq(kind, WHO_LINKED);
	ck_assert_str_eq(linker, rows[_i].want);
	ck_assert_int_eq(who_is_linkfs(linker), _i == 2);
	/* Whatever byte is another one, and wherever it ends. */
	for (off_t at = 0; at < 400; at++) {
		unsigned char was, now;
		ck_assert_int_eq(pread(fd, &was, 1, at), 1);
		for (unsigned bit = 0; bit < 8; bit++) {
			now = (unsigned char)(was ^ 1u << bit);
			ck_assert_int_eq(pwrite(fd, &now, 1, at), 1);
			ck_assert_int_eq(who_linked(fd, &kind, linker), 0);
		}
		ck_assert_int_eq(pwrite(fd, &was, 1, at), 1);
	}
	for (off_t end = 1024 + (off_t)rows[_i].sz; end > 0; end -= 7) {
		ck_assert_int_eq(ftruncate(fd, end), 0);
		ck_assert_int_eq(who_linked(fd, &kind, linker), 0);
	}
	close(fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("show");
	TCase *t = tcase_create("show");

	tcase_add_loop_test(t, amounts, 0, 11);
	tcase_add_test(t, tables);
	tcase_add_test(t, json);
	tcase_add_test(t, paragraphs);
	tcase_add_loop_test(t, linkers, 0, 5);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
