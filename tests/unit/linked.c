/* linked.c - links made in the test's own process: a private folder, `as`, linkfs.h, and the tables of an object. */
#include "linked.h"

#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "temp.h"

static char dir[PATH_MAX];

void linked_need_as(void)
{
	if (system("as --version >/dev/null 2>&1")) {
		puts("SKIP: as is not installed");
		exit(77);
	}
}

void linked_begin(void)
{
	ck_assert_int_eq(temp_dir_make(dir), 0);
	ck_assert_int_eq(chdir(dir), 0);
}

void linked_end(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(temp_dir_remove(dir), 0);
}

void linked_write(const char *name, const void *data, size_t sz)
{
	FILE *f = fopen(name, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, sz, f), sz);
	ck_assert_int_eq(fclose(f), 0);
}

uint8_t *linked_read(const char *name, size_t *ret_sz)
{
	struct stat st;
	FILE *f = fopen(name, "rb");
	ck_assert_msg(f && !fstat(fileno(f), &st), "%s: cannot be read", name);
	uint8_t *data = malloc((size_t)st.st_size + 1);
	ck_assert_ptr_nonnull(data);
	*ret_sz = fread(data, 1, (size_t)st.st_size, f);
	ck_assert_uint_eq(*ret_sz, (size_t)st.st_size);
	fclose(f);
	return data;
}

void linked_run(const char *fmt, ...)
{
	char command[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	ck_assert_msg(system(command) == 0, "failed: %s", command);
}

void linked_assemble(const char *name, const char *text)
{
	char source[256];
	snprintf(source, sizeof(source), "%s.s", name);
	linked_write(source, text, strlen(text));
	linked_run("as -mrelax-relocations=yes -o %s %s", name, source);
}

struct linkfs_linker *linked_linker(unsigned threads)
{
	struct linkfs_linker *l = NULL;
	ck_assert_int_eq(linkfs_linker_new(&(struct linkfs_config){ .threads = threads }, &l), 0);
	return l;
}

struct linkfs_image *linked_try(struct linkfs_linker *l, const char *args, char **ret_errors)
{
	char line[4096], *text = NULL, **argv;
	struct linkfs_image *img = NULL;
	struct diag *d = diag_new(0);
	int argc;
	ck_assert_ptr_nonnull(d);
	ck_assert_int_lt(snprintf(line, sizeof(line), "ld %s", args), (int)sizeof(line));
	ck_assert_int_eq(linkfs_split_args(line, strlen(line), &argc, &argv), 0);
	struct linkfs_request rq = { .argc = argc, .argv = (const char *const *)argv, .cwd_fd = AT_FDCWD };
	int rc = linkfs_link(l, &rq, d, &img, &text);
	char *errors = diag_text(d);
	ck_assert_ptr_nonnull(errors);
	ck_assert_msg(ret_errors || rc == 0, "ld %s\n%s", args, errors);
	ck_assert_msg(!rc == !diag_errors(d), "ld %s: status %d with %u errors", args, rc, diag_errors(d));
	if (ret_errors)
		*ret_errors = errors;
	else
		free(errors);
	diag_free(d);
	free(argv);
	free(text);
	return rc ? NULL : img;
}

uint8_t *linked_bytes(struct linkfs_image *img, size_t *ret_sz)
{
	char why[256] = "";
	*ret_sz = linkfs_image_size(img);
	uint8_t *data = malloc(*ret_sz);
	ck_assert_ptr_nonnull(data);
	int rc = linkfs_image_fill(img, 0, *ret_sz, data, why, sizeof(why));
	ck_assert_msg(rc == 0, "fill: %d: %s", rc, why);
	return data;
}

static const char *section_name(const uint8_t *file, const Elf64_Shdr *s)
{
	const Elf64_Ehdr *e = (const void *)file;
	const Elf64_Shdr *sh = (const void *)(file + e->e_shoff);
	return (const char *)file + sh[e->e_shstrndx].sh_offset + s->sh_name;
}

struct linked_table linked_table(uint8_t *object, const char *name)
{
	const Elf64_Ehdr *e = (const void *)object;
	const Elf64_Shdr *sh = (const void *)(object + e->e_shoff);
	for (int i = 1; i < e->e_shnum; i++)
		if (sh[i].sh_type == SHT_RELA && !strcmp(section_name(object, &sh[sh[i].sh_info]), name))
			return (struct linked_table){ object + sh[i].sh_offset, sh[i].sh_size / sizeof(Elf64_Rela),
						      section_name(object, &sh[sh[i].sh_info]) };
	return (struct linked_table){ 0 };
}

size_t linked_section(const uint8_t *file, const char *name, size_t *ret_sz, uint64_t *ret_va)
{
	const Elf64_Ehdr *e = (const void *)file;
	const Elf64_Shdr *sh = (const void *)(file + e->e_shoff);
	for (int i = 1; i < e->e_shnum; i++) {
		if (strcmp(section_name(file, &sh[i]), name))
			continue;
		if (ret_sz)
			*ret_sz = sh[i].sh_size;
		if (ret_va)
			*ret_va = sh[i].sh_addr;
		return sh[i].sh_offset;
	}
	ck_abort_msg("no section %s", name);
	return 0;
}
