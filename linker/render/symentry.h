/* symentry.h - one symbol table entry of the output, for .dynsym and .symtab alike. */
#ifndef LINKFS_SYMENTRY_H
#define LINKFS_SYMENTRY_H

#include "render.h"

/* Writes the entry for name ID; or, where ID is 0, for E, a local symbol of FILE. STR: offset in the string table. */
void symentry_put(const struct layout *l, uint8_t *dst, uint32_t str, name_id id, const struct esym *e, uint32_t file,
		  bool is_dynamic);

#endif
