/* os.c - system calls on mappings and blocks, one table of slots under one set of counters.
 *
 * Knows nothing of states or budgets: that is arena.c and prot.c. The only global is the default struct os, whose
 * counters belong to the process as the mappings do. Big tables (os_zalloc) come from here too, so that they show in
 * the counters and go back to the system when freed.
 */
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

static int kernel_map(void *ctx, void *hint, size_t sz, int prot, int flags, int fd, uint64_t off, void **ret_addr)
{
	void *addr;

	(void)ctx;
	if (off > INT64_MAX)
		return -EOVERFLOW;
	addr = mmap(hint, sz, prot, flags, fd, (off_t)off);
	if (addr == MAP_FAILED)
		return -errno;
	*ret_addr = addr;
	return 0;
}

static int kernel_unmap(void *ctx, void *addr, size_t sz)
{
	(void)ctx;
	return munmap(addr, sz) ? -errno : 0;
}

static int kernel_protect(void *ctx, void *addr, size_t sz, int prot)
{
	(void)ctx;
	return mprotect(addr, sz, prot) ? -errno : 0;
}

static int kernel_remap(void *ctx, void *addr, size_t old_sz, size_t new_sz, int flags, void **ret_addr)
{
	void *moved;

	(void)ctx;
	moved = mremap(addr, old_sz, new_sz, flags);
	if (moved == MAP_FAILED)
		return -errno;
	*ret_addr = moved;
	return 0;
}

static int kernel_advise(void *ctx, void *addr, size_t sz, int advice)
{
	(void)ctx;
	return madvise(addr, sz, advice) ? -errno : 0;
}

static int kernel_allocate(void *ctx, int fd, int mode, uint64_t off, uint64_t sz)
{
	(void)ctx;
	if (off > INT64_MAX || sz > INT64_MAX)
		return -EFBIG;
	return fallocate(fd, mode, (off_t)off, (off_t)sz) ? -errno : 0;
}

static int kernel_truncate(void *ctx, int fd, uint64_t sz)
{
	(void)ctx;
	if (sz > INT64_MAX)
		return -EFBIG;
	return ftruncate(fd, (off_t)sz) ? -errno : 0;
}

static int kernel_name(void *ctx, void *addr, size_t sz, const char *name)
{
	(void)ctx;
	return prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)addr, sz, (unsigned long)name) ? -errno : 0;
}

static const struct os_ops kernel_ops = {
	.map = kernel_map,
	.unmap = kernel_unmap,
	.protect = kernel_protect,
	.remap = kernel_remap,
	.advise = kernel_advise,
	.allocate = kernel_allocate,
	.truncate = kernel_truncate,
	.name = kernel_name,
};

/* ORDER os_call */
static const char *const call_names[OS_CALL_CNT] = {
	[OS_MMAP] = "mmap",
	[OS_MUNMAP] = "munmap",
	[OS_MPROTECT] = "mprotect",
	[OS_MREMAP] = "mremap",
	[OS_MADVISE] = "madvise",
	[OS_FALLOCATE] = "fallocate",
	[OS_FTRUNCATE] = "ftruncate",
	[OS_NAME] = "prctl",
};

static size_t kernel_page_sz(void)
{
	long sz = sysconf(_SC_PAGESIZE);

	return sz > 0 ? (size_t)sz : 4096;
}

struct os *os_default(void)
{
	static struct os os = { .ops = &kernel_ops };

	return &os;
}

const struct os_ops *os_kernel_ops(void)
{
	return &kernel_ops;
}

void os_init(struct os *os, const struct os_ops *ops, void *ctx, size_t page_sz)
{
	memset(os, 0, sizeof(*os));
	os->ops = ops;
	os->ctx = ctx;
	os->page_sz = page_sz;
}

const char *os_call_name(enum os_call call)
{
	return (unsigned)call < OS_CALL_CNT ? call_names[call] : "?";
}

/* The default has no page size of its own: sysconf reads what the kernel told at exec, without a system call. */
size_t os_page_sz(const struct os *os)
{
	return os && os->page_sz ? os->page_sz : kernel_page_sz();
}

static struct os *os_or_default(struct os *os)
{
	return os ? os : os_default();
}

static int counted(struct os *os, enum os_call call, uint64_t bytes, int r)
{
	struct os_count *c = &os->counts[call];

	atomic_fetch_add_explicit(&c->calls, 1, memory_order_relaxed);
	if (r < 0)
		atomic_fetch_add_explicit(&c->failures, 1, memory_order_relaxed);
	else
		atomic_fetch_add_explicit(&c->bytes, bytes, memory_order_relaxed);
	return r;
}

int os_map(struct os *os, void *hint, size_t sz, int prot, int flags, int fd, uint64_t off, void **ret_addr)
{
	os = os_or_default(os);
	return counted(os, OS_MMAP, sz, os->ops->map(os->ctx, hint, sz, prot, flags, fd, off, ret_addr));
}

int os_unmap(struct os *os, void *addr, size_t sz)
{
	os = os_or_default(os);
	return counted(os, OS_MUNMAP, sz, os->ops->unmap(os->ctx, addr, sz));
}

int os_protect(struct os *os, void *addr, size_t sz, int prot)
{
	os = os_or_default(os);
	return counted(os, OS_MPROTECT, sz, os->ops->protect(os->ctx, addr, sz, prot));
}

int os_remap(struct os *os, void *addr, size_t old_sz, size_t new_sz, int flags, void **ret_addr)
{
	os = os_or_default(os);
	return counted(os, OS_MREMAP, new_sz, os->ops->remap(os->ctx, addr, old_sz, new_sz, flags, ret_addr));
}

int os_advise(struct os *os, void *addr, size_t sz, int advice)
{
	os = os_or_default(os);
	return counted(os, OS_MADVISE, sz, os->ops->advise(os->ctx, addr, sz, advice));
}

int os_fallocate(struct os *os, int fd, int mode, uint64_t off, uint64_t sz)
{
	os = os_or_default(os);
	return counted(os, OS_FALLOCATE, sz, os->ops->allocate(os->ctx, fd, mode, off, sz));
}

int os_fallocate_new(struct os *os, int fd, uint64_t off, uint64_t sz)
{
	int r;

	if (!sz)
		return 0;
	do
		r = os_fallocate(os, fd, 0, off, sz);
	while (r == -EINTR);
	return r;
}

int os_truncate(struct os *os, int fd, uint64_t sz)
{
	int r;

	os = os_or_default(os);
	do
		r = counted(os, OS_FTRUNCATE, sz, os->ops->truncate(os->ctx, fd, sz));
	while (r == -EINTR);
	return r;
}

int os_name(struct os *os, void *addr, size_t sz, const char *name)
{
	os = os_or_default(os);
	return counted(os, OS_NAME, sz, os->ops->name(os->ctx, addr, sz, name));
}

bool os_has_guards(struct os *os)
{
	size_t page_sz = os_page_sz(os);
	void *page;
	int known;

	os = os_or_default(os);
	known = atomic_load(&os->guards);
	if (known)
		return known > 0;
	/* Without memory for a page nothing is learnt: ask again next time. */
	if (os_map(os, NULL, page_sz, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, &page) < 0)
		return false;
	known = os_advise(os, page, page_sz, MADV_GUARD_INSTALL) < 0 ? -1 : 1;
	os_unmap(os, page, page_sz);
	atomic_store(&os->guards, known);
	return known > 0;
}

/* BYTES in whole pages, 0 where that does not fit. */
static size_t zmap_sz(size_t bytes)
{
	size_t mask = os_page_sz(NULL) - 1;

	return bytes > SIZE_MAX - mask ? 0 : (bytes + mask) & ~mask;
}

static void *zmap(size_t bytes)
{
	struct os *os = os_default();
	size_t sz = zmap_sz(bytes);
	void *p;

	if (!sz || os_map(os, NULL, sz, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, &p) < 0)
		return NULL;
	os_name(os, p, sz, "linkfs table");
	atomic_fetch_add_explicit(&os->zmap_sz, sz, memory_order_relaxed);
	return p;
}

void *os_zalloc(size_t bytes)
{
	void *p;

	if (bytes >= OS_ZALLOC_MAP)
		return zmap(bytes);
	p = calloc(1, bytes ? bytes : 1);
	if (p)
		atomic_fetch_add_explicit(&os_default()->heap_sz, bytes, memory_order_relaxed);
	return p;
}

void *os_zalloc_array(size_t cnt, size_t each)
{
	size_t bytes;

	return __builtin_mul_overflow(cnt, each, &bytes) ? NULL : os_zalloc(bytes);
}

/* Both sizes are mapped ones. The bytes past OLD_BYTES in its last page were never the caller's, and so are zero; when
 * shrinking the caller's own are cleared to keep it so. */
static void *zmap_resize(void *p, size_t old_bytes, size_t new_bytes)
{
	struct os *os = os_default();
	size_t old_sz = zmap_sz(old_bytes), new_sz = zmap_sz(new_bytes);
	void *moved = p;

	if (!new_sz)
		return NULL;
	if (new_sz != old_sz) {
		if (os_remap(os, p, old_sz, new_sz, MREMAP_MAYMOVE, &moved) < 0)
			return NULL;
		atomic_fetch_add_explicit(&os->zmap_sz, new_sz - old_sz, memory_order_relaxed);
	}
	if (new_bytes < old_bytes)
		memset((char *)moved + new_bytes, 0, new_sz - new_bytes);
	return moved;
}

void *os_zresize(void *p, size_t old_bytes, size_t new_bytes)
{
	void *fresh;

	if (p && old_bytes >= OS_ZALLOC_MAP && new_bytes >= OS_ZALLOC_MAP)
		return zmap_resize(p, old_bytes, new_bytes);
	fresh = os_zalloc(new_bytes);
	if (!fresh)
		return NULL;
	if (p)
		memcpy(fresh, p, old_bytes < new_bytes ? old_bytes : new_bytes);
	os_zfree(p, old_bytes);
	return fresh;
}

void os_zfree(void *p, size_t bytes)
{
	struct os *os = os_default();

	if (!p)
		return;
	if (bytes < OS_ZALLOC_MAP) {
		atomic_fetch_sub_explicit(&os->heap_sz, bytes, memory_order_relaxed);
		free(p);
		return;
	}
	if (os_unmap(os, p, zmap_sz(bytes)) < 0)
		return; /* at the map limit: stays held, and counted */
	atomic_fetch_sub_explicit(&os->zmap_sz, zmap_sz(bytes), memory_order_relaxed);
}
