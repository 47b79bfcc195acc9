/* elfbytes.h - loads and stores of integers at any address and in either byte order.
 *
 * The one place that knows how a number lies in a file. All functions accept unaligned pointers. `be` is the file's
 * byte order (ELFDATA2MSB), a constant in most callers, so that the branch folds.
 */
#ifndef LINKFS_ELFBYTES_H
#define LINKFS_ELFBYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ELFBYTES_LOAD(bits)                                                                                  \
	static inline uint##bits##_t load##bits(const void *p, bool be)                                      \
	{                                                                                                    \
		uint##bits##_t v;                                                                            \
		memcpy(&v, p, sizeof(v));                                                                    \
		return be != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) ? __builtin_bswap##bits(v) : v;        \
	}                                                                                                    \
	static inline void store##bits(void *p, uint##bits##_t v, bool be)                                   \
	{                                                                                                    \
		if (be != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))                                          \
			v = __builtin_bswap##bits(v);                                                        \
		memcpy(p, &v, sizeof(v));                                                                    \
	}
ELFBYTES_LOAD(16)
ELFBYTES_LOAD(32)
ELFBYTES_LOAD(64)
#undef ELFBYTES_LOAD

#endif
