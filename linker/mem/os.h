/* os.h - every system call that changes a mapping or a file's blocks goes through here, counted (SEEDS.md R17,
 * section 3).
 *
 * A struct os is a table of calls plus counters. os_default() is the kernel; tests put a fake below the same counters
 * to record calls, inject the k-th failure, or move the address space to its upper end. Every function takes NULL for
 * the default. Nothing here retries, rounds or hides an error but where its comment says so.
 *
 * Threads: everything is thread-safe; counters are atomic and may be read at any time (each exact, not all of one
 * moment).
 * Errors: 0 or -errno; outputs untouched on failure.
 */
#ifndef LINKFS_OS_H
#define LINKFS_OS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ORDER os_call: the names in os.c follow it. */
enum os_call {
	OS_MMAP,
	OS_MUNMAP,
	OS_MPROTECT,
	OS_MREMAP,
	OS_MADVISE,
	OS_FALLOCATE,
	OS_FTRUNCATE,
	OS_NAME, /* prctl(PR_SET_VMA_ANON_NAME) */
	OS_CALL_CNT
};

/* The calls below the counters. Each slot does one system call and returns 0 or -errno; sizes are in bytes. CTX is the
 * struct os's. A fake must write *ret_addr only on success. */
struct os_ops {
	int (*map)(void *ctx, void *hint, size_t sz, int prot, int flags, int fd, uint64_t off, void **ret_addr);
	int (*unmap)(void *ctx, void *addr, size_t sz);
	int (*protect)(void *ctx, void *addr, size_t sz, int prot);
	int (*remap)(void *ctx, void *addr, size_t old_sz, size_t new_sz, int flags, void **ret_addr);
	int (*advise)(void *ctx, void *addr, size_t sz, int advice);
	int (*allocate)(void *ctx, int fd, int mode, uint64_t off, uint64_t sz);
	int (*truncate)(void *ctx, int fd, uint64_t sz);
	int (*name)(void *ctx, void *addr, size_t sz, const char *name);
};

struct os_count {
	_Atomic uint64_t calls;    /* attempts, failed ones too */
	_Atomic uint64_t failures; /* of these */
	_Atomic uint64_t bytes;    /* sum of the sizes of those that succeeded */
};

struct os {
	const struct os_ops *ops;
	void *ctx;                 /* handed to every slot */
	size_t page_sz;            /* a power of two */
	atomic_int guards;         /* does MADV_GUARD_INSTALL work: 0 not probed yet, 1 yes, -1 no */
	_Atomic uint64_t heap_sz;  /* bytes os_zalloc took from malloc and still holds */
	_Atomic uint64_t zmap_sz;  /* bytes os_zalloc mapped and still holds */
	struct os_count counts[OS_CALL_CNT];
};

/* The kernel's; lives for ever. */
struct os *os_default(void);
/* Makes OS a layer over OPS with counters at zero. PAGE_SZ 0: the kernel's. */
void os_init(struct os *os, const struct os_ops *ops, void *ctx, size_t page_sz);
/* The slots that do the real calls, for a fake that passes some of them on. */
const struct os_ops *os_kernel_ops(void);
/* "mmap", "munmap", ... for stats files. */
const char *os_call_name(enum os_call call);

size_t os_page_sz(const struct os *os);

/* mmap(2) and so on. A mapping at an address other than HINT is a success: check what you got. */
int os_map(struct os *os, void *hint, size_t sz, int prot, int flags, int fd, uint64_t off, void **ret_addr);
int os_unmap(struct os *os, void *addr, size_t sz);
int os_protect(struct os *os, void *addr, size_t sz, int prot);
int os_remap(struct os *os, void *addr, size_t old_sz, size_t new_sz, int flags, void **ret_addr);
int os_advise(struct os *os, void *addr, size_t sz, int advice);
int os_fallocate(struct os *os, int fd, int mode, uint64_t off, uint64_t sz);
/* Allocates blocks for [off, off+sz), where nothing was ever written: an interrupted call is repeated, which over
 * written bytes would be unsafe on kernels 5.16 to 6.0. Size 0 is no call. */
int os_fallocate_new(struct os *os, int fd, uint64_t off, uint64_t sz);
/* Repeated where interrupted. */
int os_truncate(struct os *os, int fd, uint64_t sz);
/* Shows anonymous memory as [anon:NAME] in /proc/PID/maps. At most 79 characters, printable, none of []\$`. Where the
 * kernel has no such thing that is no error to care about. */
int os_name(struct os *os, void *addr, size_t sz, const char *name);
/* Can single pages be made to fault without a mapping of their own (Linux 6.13)? Probed at the first call, on a page of
 * its own. */
bool os_has_guards(struct os *os);

/* Zeroed memory for big one-shot tables, from the default os: mapped from OS_ZALLOC_MAP bytes on, else from malloc.
 * NULL without memory. 0 bytes is a valid (empty) block. Aligned for any type. */
#define OS_ZALLOC_MAP ((size_t)64 << 10)
void *os_zalloc(size_t bytes);
/* Overflow-checked CNT * EACH bytes. */
void *os_zalloc_array(size_t cnt, size_t each);
/* The block P of OLD_BYTES made NEW_BYTES long, possibly moved; bytes beyond the old size are zero. NULL without
 * memory: P is still good then. P may be NULL (with OLD_BYTES 0). */
void *os_zresize(void *p, size_t old_bytes, size_t new_bytes);
/* BYTES as given to os_zalloc. Takes NULL. */
void os_zfree(void *p, size_t bytes);

/* Advice and prctl numbers that C libraries do not all know yet. */
#ifndef MADV_FREE
#define MADV_FREE 8
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef MADV_GUARD_REMOVE
#define MADV_GUARD_REMOVE 103
#endif

#endif
