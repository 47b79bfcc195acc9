/* linked.h - links made in the test's own process through linkfs.h, over objects that `as` makes on the fly.
 *
 * linked_begin gives the test a private folder as its working directory, linked_end removes it with all that is in
 * it. Where there is no `as`, linked_need_as ends the program with 77: skipped, and says so. Everything else that goes
 * wrong is a failed test.
 */
#ifndef LINKFS_TEST_LINKED_H
#define LINKFS_TEST_LINKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linkfs.h"

void linked_need_as(void);
void linked_begin(void);
void linked_end(void);

/* Writes SZ bytes to the file NAME; its whole contents, of which the caller owns the memory. */
void linked_write(const char *name, const void *data, size_t sz);
uint8_t *linked_read(const char *name, size_t *ret_sz);
/* Assembles TEXT into the object NAME. */
void linked_assemble(const char *name, const char *text);
/* Runs a command of the shell; it must succeed. */
void linked_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

struct linkfs_linker *linked_linker(unsigned threads);
/* Links what the command line (without the program's name) says. *ret_errors, where not NULL, is the text of the sink,
 * which the caller frees; with NULL the link must succeed. NULL: it failed. */
struct linkfs_image *linked_try(struct linkfs_linker *l, const char *args, char **ret_errors);
/* All bytes of an image; the caller owns the memory. */
uint8_t *linked_bytes(struct linkfs_image *img, size_t *ret_sz);

/* Relocation tables of an ELF64 little-endian object, for tests that change them in place. */
struct linked_table {
	uint8_t *rela;       /* entries of 24 bytes */
	size_t cnt;
	const char *section; /* the name of the section they apply to */
};
/* The table of the section called NAME, .cnt 0: it has none. Points into OBJECT. */
struct linked_table linked_table(uint8_t *object, const char *name);
/* Offset of the section NAME in the ELF64 file FILE, *ret_sz its bytes, *ret_va its address (both may be NULL). */
size_t linked_section(const uint8_t *file, const char *name, size_t *ret_sz, uint64_t *ret_va);

#endif
