/* clear.c - zeroing page by page: written where a page is resident, dropped where none is.
 *
 * The kernel is asked which pages are resident (mincore). One that is not may be in swap, so it is not taken for zeros: it is
 * dropped, which costs a call for a run of pages, and nothing for each page (rubbish is not put there either). Short gaps
 * between resident pages are written, as a call costs more than a page or two. Where the kernel does not tell, all is.
 */
#include "clear.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "os.h"

enum {
	ASK_PAGES = 1024, /* at a time */
	GAP_PAGES = 8,    /* a shorter gap is written */
};
#define ASK_MIN_SZ ((size_t)64 << 10) /* less is written at once: asking takes as long */

/* From page I on: how many are like it? */
static size_t run_length(const unsigned char *is_there, size_t i, size_t cnt)
{
	size_t n = 1;

	while (i + n < cnt && !((is_there[i] ^ is_there[i + n]) & 1))
		n++;
	return n;
}

static void set_pages(struct os *os, unsigned char *p, int byte, size_t cnt, size_t page_sz)
{
	unsigned char is_there[ASK_PAGES];

	if (mincore(p, cnt * page_sz, is_there)) {
		memset(p, byte, cnt * page_sz);
		return;
	}
	for (size_t i = 0, n; i < cnt; i += n) {
		unsigned char *at = p + i * page_sz;

		n = run_length(is_there, i, cnt);
		if (is_there[i] & 1 || n < GAP_PAGES || os_advise(os, at, n * page_sz, MADV_DONTNEED) < 0)
			memset(at, byte, n * page_sz);
	}
}

static void set(struct os *os, void *p, int byte, size_t sz)
{
	size_t page_sz = os_page_sz(os);
	unsigned char *at = p;
	size_t head = -(uintptr_t)p & (page_sz - 1);

	if (sz < ASK_MIN_SZ || sz < head + page_sz) {
		memset(p, byte, sz);
		return;
	}
	memset(at, byte, head);
	at += head;
	sz -= head;
	for (size_t cnt; (cnt = sz / page_sz); at += cnt * page_sz, sz -= cnt * page_sz) {
		cnt = cnt < ASK_PAGES ? cnt : ASK_PAGES;
		set_pages(os, at, byte, cnt, page_sz);
	}
	memset(at, byte, sz);
}

void mem_clear(struct os *os, void *p, size_t sz)
{
	set(os, p, 0, sz);
}

void mem_spoil(struct os *os, void *p, size_t sz)
{
	set(os, p, 0xa5, sz);
}
