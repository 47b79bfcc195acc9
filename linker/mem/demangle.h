/* demangle.h - C++ names as people write them: in messages, and in version scripts. */
#ifndef LINKFS_DEMANGLE_H
#define LINKFS_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

/* Replaces the mangled name in BUF (NUL-terminated, SZ bytes of room) by the demangled one, cut to fit; leaves every
 * other name, and every name where no demangler is installed. Thread-safe. */
void demangle_in_place(char *buf, size_t sz);
/* The demangled name, malloc-ed; NULL for every other name, without memory and where no demangler is installed.
 * Thread-safe. */
char *demangle(const char *mangled);
/* Is a demangler installed? */
bool demangle_is_available(void);

#endif
