/* demangle.h - C++ names for people, in messages only. */
#ifndef LINKFS_DEMANGLE_H
#define LINKFS_DEMANGLE_H

#include <stddef.h>

/* Replaces the mangled name in BUF (NUL-terminated, SZ bytes of room) by the demangled one, cut to fit; leaves every
 * other name, and every name where no demangler is installed. Thread-safe. */
void demangle_in_place(char *buf, size_t sz);

#endif
