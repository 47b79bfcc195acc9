/* check_prot.c - linker/mem/prot: the arrows between memory states, their system calls, their failures, and what a page
 * does afterwards (SEEDS.md 4.5, R23-R26).
 */
#include <check.h>

#include "fake_os.h"
#include "prot.h"

enum { TIMEOUT_SEC = 60 };

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static const char *const state_names[MEM_STATE_CNT] = { "None", "Reserved", "Prepared", "Ready", "Sealed", "Faulted" };

/* --- the table of arrows --- */

/* What one arrow does on a kernel with guards, for 16 pages: calls as letters in order. m: mmap NONE over it, M: mmap
 * RW, u: munmap, n, r, w: mprotect NONE, R, RW, f: MADV_FREE, d: DONTNEED, g: guards, G: guards removed. */
static const struct arrow_row {
	enum mem_state from, to;
	const char *calls;
} arrow_rows[] = {
	{ MEM_RESERVED, MEM_PREPARED, "w" },
	{ MEM_PREPARED, MEM_READY, "" },
	{ MEM_READY, MEM_PREPARED, "f" },
	{ MEM_READY, MEM_SEALED, "r" },
	{ MEM_SEALED, MEM_READY, "w" },
	{ MEM_PREPARED, MEM_FAULTED, "g" },
	{ MEM_READY, MEM_FAULTED, "g" },
	{ MEM_SEALED, MEM_FAULTED, "g" },
	{ MEM_FAULTED, MEM_PREPARED, "Gdw" },
	{ MEM_FAULTED, MEM_READY, "Gdw" },
	{ MEM_PREPARED, MEM_RESERVED, "m" },
	{ MEM_READY, MEM_RESERVED, "m" },
	{ MEM_SEALED, MEM_RESERVED, "m" },
	{ MEM_FAULTED, MEM_RESERVED, "m" },
	{ MEM_RESERVED, MEM_NONE, "u" },
	{ MEM_PREPARED, MEM_NONE, "u" },
	{ MEM_READY, MEM_NONE, "u" },
	{ MEM_SEALED, MEM_NONE, "u" },
	{ MEM_FAULTED, MEM_NONE, "u" },
};

static char letter(const struct fake_call *c)
{
	switch (c->call) {
	case OS_MMAP:
		return c->arg == PROT_NONE ? 'm' : 'M';
	case OS_MUNMAP:
		return 'u';
	case OS_MPROTECT:
		return c->arg == PROT_NONE ? 'n' : c->arg == PROT_READ ? 'r' : 'w';
	case OS_MADVISE:
		return c->arg == MADV_FREE	  ? 'f' :
		       c->arg == MADV_DONTNEED	  ? 'd' :
		       c->arg == MADV_GUARD_INSTALL ? 'g' :
		       c->arg == MADV_GUARD_REMOVE  ? 'G' :
						      '?';
	default:
		return '?';
	}
}

static const char *calls_of(const struct fake_os *f)
{
	static char text[64];
	size_t n = 0;

	for (size_t i = 0; i < f->log_cnt && n + 1 < sizeof(text); i++)
		text[n++] = letter(&f->log[i]);
	text[n] = 0;
	return text;
}

static void assert_calls(const struct fake_os *f, const char *want, const char *what)
{
	ck_assert_msg(!strcmp(calls_of(f), want), "%s: calls %s, expected %s", what, calls_of(f), want);
}

/* A fake without kernel, all of RANGE mapped, probed for guards or known to have none. */
static struct fake_os *fake_with(struct va_range range, bool guards)
{
	struct fake_os *f = fake_new(true, 4096);

	ranges_add(&f->mapped, (struct range){ range.base, range.limit });
	atomic_store(&f->os.guards, guards ? 1 : -1);
	return f;
}

static const struct va_range sixteen = { 0x40000000, 0x40010000 };

START_TEST(test_arrows)
{
	const struct arrow_row *row = &arrow_rows[_i];
	struct fake_os *f = fake_with(sixteen, true);
	struct prot p;
	char name[32];

	prot_init(&p, &(struct prot_config){ .os = &f->os });
	ck_assert(prot_has_edge(row->from, row->to));
	ck_assert_int_eq(prot_change(&p, sixteen, row->from, row->to, PROT_FOR_USE), 0);
	snprintf(name, sizeof(name), "%s -> %s", state_names[row->from], state_names[row->to]);
	assert_calls(f, row->calls, name);
	for (size_t i = 0; i < f->log_cnt; i++)
		ck_assert(f->log[i].addr == sixteen.base && f->log[i].sz == 64 * KIB);
	ck_assert_uint_eq(p.changes, 1);
	ck_assert_uint_eq(f->stray, 0);
	fake_free(f);
}
END_TEST

START_TEST(test_no_other_arrows)
{
	struct fake_os *f = fake_with(sixteen, true);
	struct prot p;
	size_t found = 0;

	prot_init(&p, &(struct prot_config){ .os = &f->os });
	for (int from = -1; from <= MEM_STATE_CNT; from++) {
		for (int to = -1; to <= MEM_STATE_CNT; to++) {
			bool listed = false;

			for (size_t i = 0; i < ARRAY_CNT(arrow_rows); i++)
				listed = listed || ((int)arrow_rows[i].from == from && (int)arrow_rows[i].to == to);
			found += listed;
			ck_assert_int_eq(prot_has_edge((enum mem_state)from, (enum mem_state)to), listed);
			if (!listed)
				ck_assert_int_eq(prot_change(&p, sixteen, (enum mem_state)from, (enum mem_state)to,
							     PROT_FOR_USE), -EINVAL);
		}
	}
	ck_assert_uint_eq(found, ARRAY_CNT(arrow_rows));
	ck_assert_uint_eq(f->log_cnt, 0);
	fake_free(f);
}
END_TEST

START_TEST(test_ranges_refused)
{
	static const struct row {
		size_t page_sz;
		struct va_range r;
		int want;
	} rows[] = {
		{ 4096, { 0x40000000, 0x40000000 }, -EINVAL },
		{ 4096, { 0x40001000, 0x40000000 }, -EINVAL },
		{ 4096, { 0x40000001, 0x40001000 }, -EINVAL },
		{ 4096, { 0x40000000, 0x40000fff }, -EINVAL },
		{ 4096, { 0x40000000, 0x40001000 }, 0 },
		{ 16384, { 0x40000000, 0x40001000 }, -EINVAL },
		{ 16384, { 0x40000000, 0x40004000 }, 0 },
		{ 65536, { 0x40000000, 0x40004000 }, -EINVAL },
		{ 65536, { 0x40000000, 0x40010000 }, 0 },
	};

	for (size_t i = 0; i < ARRAY_CNT(rows); i++) {
		struct fake_os *f = fake_with(sixteen, true);
		struct prot p;

		f->os.page_sz = rows[i].page_sz;
		prot_init(&p, &(struct prot_config){ .os = &f->os });
		ck_assert_msg(prot_change(&p, rows[i].r, MEM_RESERVED, MEM_PREPARED, PROT_FOR_USE) == rows[i].want,
			      "row %zu", i);
		ck_assert_uint_eq(f->log_cnt, rows[i].want == 0);
		fake_free(f);
	}
}
END_TEST

/* --- R25: which way --- */

static const struct way_row {
	const char *name;
	enum prot_way way;
	enum prot_reason why;
	size_t pages;
	bool guards;
	const char *calls;
	enum prot_way done;
} way_rows[] = {
	{ "small", PROT_WAY_AUTO, PROT_FOR_USE, 16, true, "g", PROT_WAY_GUARD },
	{ "small, old kernel", PROT_WAY_AUTO, PROT_FOR_USE, 16, false, "dn", PROT_WAY_DONTNEED_MPROTECT },
	{ "large", PROT_WAY_AUTO, PROT_FOR_USE, 17, true, "dn", PROT_WAY_DONTNEED_MPROTECT },
	{ "large, may be touched", PROT_WAY_AUTO, PROT_FOR_RETIRE, 17, true, "dnd", PROT_WAY_DONTNEED_MPROTECT },
	{ "large guard", PROT_WAY_AUTO, PROT_FOR_GUARD, 1000, true, "g", PROT_WAY_GUARD },
	{ "guard, old kernel", PROT_WAY_AUTO, PROT_FOR_GUARD, 1, false, "dn", PROT_WAY_DONTNEED_MPROTECT },
	{ "charge", PROT_WAY_AUTO, PROT_FOR_CHARGE, 1, true, "m", PROT_WAY_MMAP_NONE },
	{ "A", PROT_WAY_MPROTECT_DONTNEED, PROT_FOR_USE, 1, true, "nd", PROT_WAY_MPROTECT_DONTNEED },
	{ "B", PROT_WAY_DONTNEED_MPROTECT, PROT_FOR_USE, 1, true, "dn", PROT_WAY_DONTNEED_MPROTECT },
	{ "C", PROT_WAY_MMAP_NONE, PROT_FOR_USE, 1, true, "m", PROT_WAY_MMAP_NONE },
	{ "D", PROT_WAY_GUARD, PROT_FOR_USE, 1000, true, "g", PROT_WAY_GUARD },
	{ "D, old kernel", PROT_WAY_GUARD, PROT_FOR_USE, 1, false, "m", PROT_WAY_MMAP_NONE },
};

START_TEST(test_ways)
{
	const struct way_row *row = &way_rows[_i];
	struct va_range r = { 0x40000000, 0x40000000 + row->pages * 4096 };
	struct fake_os *f = fake_with(r, row->guards);
	struct prot p;

	prot_init(&p, &(struct prot_config){ .os = &f->os, .way = row->way });
	ck_assert_int_eq(prot_change(&p, r, MEM_READY, MEM_FAULTED, row->why), 0);
	assert_calls(f, row->calls, row->name);
	for (enum prot_way way = 0; way < PROT_WAY_CNT; way++)
		ck_assert_uint_eq(p.done[way], way == row->done);
	fake_free(f);
}
END_TEST

/* --- R24: failures, taken back or got round --- */

static const struct fail_row {
	const char *name;
	enum mem_state from, to;
	enum prot_way way;
	bool guards;
	enum os_call fail_call;
	unsigned fail_cnt;
	int want;
	const char *calls;
	unsigned fallbacks, rollbacks;
} fail_rows[] = {
	{ "prepare: given back", MEM_RESERVED, MEM_PREPARED, 0, true, OS_MPROTECT, 1, -ENOMEM, "wn", 0, 1 },
	{ "prepare: nothing works", MEM_RESERVED, MEM_PREPARED, 0, true, OS_MPROTECT, 9, -ENOMEM, "wn", 0, 0 },
	{ "seal: given back", MEM_READY, MEM_SEALED, 0, true, OS_MPROTECT, 1, -ENOMEM, "rw", 0, 1 },
	{ "unseal: given back", MEM_SEALED, MEM_READY, 0, true, OS_MPROTECT, 1, -ENOMEM, "wr", 0, 1 },
	{ "release: DONTNEED", MEM_READY, MEM_PREPARED, 0, true, OS_MADVISE, 1, 0, "fd", 1, 0 },
	{ "release: mmap", MEM_READY, MEM_PREPARED, 0, true, OS_MADVISE, 2, 0, "fdM", 2, 0 },
	{ "release: nothing works", MEM_READY, MEM_PREPARED, 0, true, OS_CALL_CNT, 9, -ENOMEM, "fdM", 2, 0 },
	{ "A: to guards", MEM_READY, MEM_FAULTED, PROT_WAY_MPROTECT_DONTNEED, true, OS_MPROTECT, 1, 0, "nwg", 1, 1 },
	{ "A: pages stay", MEM_READY, MEM_FAULTED, PROT_WAY_MPROTECT_DONTNEED, true, OS_MADVISE, 1, 0, "nd", 1, 0 },
	{ "B: to guards", MEM_READY, MEM_FAULTED, PROT_WAY_DONTNEED_MPROTECT, true, OS_MPROTECT, 1, 0, "dnwg", 1, 1 },
	{ "B: to mmap", MEM_READY, MEM_FAULTED, PROT_WAY_DONTNEED_MPROTECT, false, OS_MPROTECT, 1, 0, "dnwm", 2, 1 },
	{ "B: sealed", MEM_SEALED, MEM_FAULTED, PROT_WAY_DONTNEED_MPROTECT, false, OS_MPROTECT, 1, 0, "dnrm", 2, 1 },
	{ "B: none", MEM_READY, MEM_FAULTED, PROT_WAY_DONTNEED_MPROTECT, true, OS_CALL_CNT, 99, -ENOMEM, "dgGm", 2, 0 },
	{ "C: to guards", MEM_READY, MEM_FAULTED, PROT_WAY_MMAP_NONE, true, OS_MMAP, 9, 0, "mg", 1, 0 },
	{ "C: nothing works", MEM_READY, MEM_FAULTED, PROT_WAY_MMAP_NONE, false, OS_MMAP, 9, -EOPNOTSUPP, "m", 1, 0 },
	{ "D: half done, to mmap", MEM_READY, MEM_FAULTED, PROT_WAY_GUARD, true, OS_MADVISE, 1, 0, "gGm", 1, 1 },
	{ "unfault: guards stay", MEM_FAULTED, MEM_READY, 0, true, OS_MADVISE, 1, -ENOMEM, "G", 0, 0 },
	{ "unfault: not zero", MEM_FAULTED, MEM_READY, 0, false, OS_MADVISE, 1, -ENOMEM, "d", 0, 0 },
	{ "unfault: no charge", MEM_FAULTED, MEM_READY, 0, false, OS_MPROTECT, 1, -ENOMEM, "dwn", 0, 1 },
	{ "give back", MEM_READY, MEM_RESERVED, 0, true, OS_MMAP, 1, -ENOMEM, "m", 0, 0 },
	{ "unmap", MEM_READY, MEM_NONE, 0, true, OS_MUNMAP, 1, -ENOMEM, "u", 0, 0 },
};

START_TEST(test_failures)
{
	const struct fail_row *row = &fail_rows[_i];
	struct fake_os *f = fake_with(sixteen, row->guards);
	struct prot p;

	prot_init(&p, &(struct prot_config){ .os = &f->os, .way = row->way });
	f->fail_call = row->fail_call;
	f->fail_at = 1;
	f->fail_cnt = row->fail_cnt;
	ck_assert_msg(prot_change(&p, sixteen, row->from, row->to, PROT_FOR_USE) == row->want, "%s", row->name);
	assert_calls(f, row->calls, row->name);
	ck_assert_msg(p.fallbacks == row->fallbacks, "%s: %u fallbacks", row->name, (unsigned)p.fallbacks);
	ck_assert_msg(p.rollbacks == row->rollbacks, "%s: %u rollbacks", row->name, (unsigned)p.rollbacks);
	ck_assert_uint_eq(p.failures, row->want < 0);
	fake_free(f);
}
END_TEST

/* R23: one change per run of a tracker, and all or nothing. */
static const struct all_row {
	const char *name;
	enum mem_state from, to;
	unsigned fail_at;
	int want;
	size_t done;
	const char *calls;
} all_rows[] = {
	{ "all", MEM_READY, MEM_SEALED, 0, 0, 3, "rrr" },
	{ "third fails", MEM_READY, MEM_SEALED, 3, -ENOMEM, 0, "rrrwww" },
	{ "first fails", MEM_READY, MEM_SEALED, 1, -ENOMEM, 0, "rw" },
	{ "no way back", MEM_SEALED, MEM_FAULTED, 0, 0, 3, "ggg" },
	{ "no arrow", MEM_NONE, MEM_READY, 0, -EINVAL, 99, "" },
};

START_TEST(test_all_ranges)
{
	const struct all_row *row = &all_rows[_i];
	struct fake_os *f = fake_with((struct va_range){ 0x40000000, 0x50000000 }, true);
	struct va_ranges t;
	size_t done = 99;
	struct prot p;

	va_ranges_init(&t, NULL);
	for (uint64_t i = 0; i < 6; i++) /* touching pairs: three runs */
		ck_assert_int_eq(va_ranges_add(&t, (struct va_range){ 0x40000000 + (i + i / 2) * 4096,
								      0x40001000 + (i + i / 2) * 4096 }), 0);
	prot_init(&p, &(struct prot_config){ .os = &f->os });
	f->fail_at = row->fail_at;
	ck_assert_msg(prot_change_all(&p, &t, row->from, row->to, PROT_FOR_USE, &done) == row->want, "%s", row->name);
	ck_assert_msg(done == row->done, "%s: %zu done", row->name, done);
	assert_calls(f, row->calls, row->name);
	va_ranges_done(&t);
	fake_free(f);
}
END_TEST

/* --- R26: on the kernel --- */

static struct va_range map_ready(size_t sz)
{
	void *p = NULL;

	ck_assert_int_eq(os_map(NULL, NULL, sz, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, &p), 0);
	return (struct va_range){ (uintptr_t)p, (uintptr_t)p + sz };
}

static void unmap(struct va_range r)
{
	ck_assert_int_eq(os_unmap(NULL, (void *)(uintptr_t)r.base, (size_t)(r.limit - r.base)), 0);
}

static char *at(struct va_range r, size_t off)
{
	return (char *)(uintptr_t)r.base + off;
}

static int child_writes(void *ctx)
{
	*(volatile char *)ctx = 1;
	return 0;
}

static int child_reads(void *ctx)
{
	return *(volatile char *)ctx == 'k' ? 0 : 1;
}

static int child_reads_zero(void *ctx)
{
	return *(volatile char *)ctx == 0 ? 0 : 1;
}

static void assert_dies_at(int (*fn)(void *), char *p, const char *what)
{
	struct child_end end = child_run(fn, p);

	ck_assert_msg(end.fault_sig == SIGSEGV, "%s: signal %d, status %#x", what, end.fault_sig, (unsigned)end.status);
	ck_assert_msg(end.fault_addr == p, "%s: at %p, expected %p", what, end.fault_addr, (void *)p);
}

static const char *const way_names[PROT_WAY_CNT] = { "auto", "A", "B", "C", "D" };

/* A faulted page kills whoever touches it, at its address; made Ready again it reads zero, whatever was there. */
START_TEST(test_faulted_page)
{
	enum prot_way way = (enum prot_way)_i;
	size_t page = os_page_sz(NULL);
	struct va_range r, hole;
	struct prot p;

	if (way == PROT_WAY_GUARD && !os_has_guards(NULL))
		SKIP("the kernel has no MADV_GUARD_INSTALL");
	r = map_ready(16 * page);
	hole = (struct va_range){ r.base + 4 * page, r.base + 8 * page };
	memset(at(r, 0), 'k', 16 * page);
	prot_init(&p, &(struct prot_config){ .way = way });
	ck_assert_int_eq(prot_change(&p, hole, MEM_READY, MEM_FAULTED, PROT_FOR_RETIRE), 0);
	assert_dies_at(child_reads, at(hole, 0), way_names[way]);
	assert_dies_at(child_writes, at(hole, 4 * page - 1), way_names[way]);
	ck_assert(child_ok(child_run(child_reads, at(hole, 0) - 1)));
	ck_assert(child_ok(child_run(child_reads, at(hole, 4 * page))));
	ck_assert_int_eq(prot_change(&p, hole, MEM_FAULTED, MEM_READY, PROT_FOR_USE), 0);
	ck_assert(child_ok(child_run(child_reads_zero, at(hole, 0))));
	ck_assert(child_ok(child_run(child_writes, at(hole, 4 * page - 1))));
	for (size_t i = 0; i < 4 * page; i++)
		if (at(hole, 0)[i])
			ck_abort_msg("%s: byte %zu is %d", way_names[way], i, at(hole, 0)[i]);
	unmap(r);
}
END_TEST

START_TEST(test_sealed_page)
{
	size_t page = os_page_sz(NULL);
	struct va_range r = map_ready(4 * page);
	struct prot p;

	prot_init(&p, NULL);
	memset(at(r, 0), 'k', 4 * page);
	ck_assert_int_eq(prot_change(&p, r, MEM_READY, MEM_SEALED, PROT_FOR_USE), 0);
	ck_assert(child_ok(child_run(child_reads, at(r, page))));
	assert_dies_at(child_writes, at(r, page + 5), "sealed");
	ck_assert_int_eq(prot_change(&p, r, MEM_SEALED, MEM_READY, PROT_FOR_USE), 0);
	ck_assert(child_ok(child_run(child_reads, at(r, page))));
	ck_assert(child_ok(child_run(child_writes, at(r, page))));
	ck_assert_int_eq(prot_change(&p, r, MEM_READY, MEM_SEALED, PROT_FOR_USE), 0);
	ck_assert_int_eq(prot_change(&p, r, MEM_SEALED, MEM_FAULTED, PROT_FOR_RETIRE), 0);
	assert_dies_at(child_reads, at(r, 0), "sealed, then faulted");
	ck_assert_int_eq(prot_change(&p, r, MEM_FAULTED, MEM_RESERVED, PROT_FOR_CHARGE), 0);
	assert_dies_at(child_reads, at(r, 0), "reserved");
	ck_assert_int_eq(prot_change(&p, r, MEM_RESERVED, MEM_PREPARED, PROT_FOR_USE), 0);
	ck_assert(child_ok(child_run(child_reads_zero, at(r, 0))));
	ck_assert_int_eq(prot_change(&p, r, MEM_PREPARED, MEM_NONE, PROT_FOR_USE), 0);
	assert_dies_at(child_reads, at(r, 0), "unmapped");
}
END_TEST

static size_t mapping_cnt(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	size_t lines = 0;

	for (int c; maps && (c = getc(maps)) != EOF;)
		lines += c == '\n';
	if (maps)
		fclose(maps);
	return lines;
}

/* 100 holes in live memory: every one splits the mapping twice, but for guards. */
START_TEST(test_mappings_for_100_holes)
{
	enum prot_way way = (enum prot_way)_i;
	size_t page = os_page_sz(NULL), before, after;
	struct va_range r;
	struct prot p;

	if (way == PROT_WAY_GUARD && !os_has_guards(NULL))
		SKIP("the kernel has no MADV_GUARD_INSTALL");
	r = map_ready(201 * page);
	memset(at(r, 0), 'k', 201 * page);
	prot_init(&p, &(struct prot_config){ .way = way });
	before = mapping_cnt();
	for (size_t i = 0; i < 100; i++) {
		struct va_range hole = { r.base + (2 * i + 1) * page, r.base + (2 * i + 2) * page };

		ck_assert_int_eq(prot_change(&p, hole, MEM_READY, MEM_FAULTED, PROT_FOR_USE), 0);
	}
	after = mapping_cnt();
	if (way == PROT_WAY_GUARD) {
		ck_assert_uint_le(after, before + 2);
	} else {
		ck_assert_uint_ge(after, before + 199);
		ck_assert_uint_le(after, before + 203);
	}
	unmap(r);
}
END_TEST

static long committed_kb(void)
{
	char line[128];
	long kb = -1;
	FILE *info = fopen("/proc/meminfo", "re");

	while (info && fgets(line, sizeof(line), info))
		if (!strncmp(line, "Committed_AS:", 13))
			kb = strtol(line + 13, NULL, 10);
	if (info)
		fclose(info);
	return kb;
}

/* Who gives the charge of touched memory back: mmap NONE, and nobody else. Other processes move the figure too, so a
 * large range, half of it as margin, and some attempts. */
static const struct charge_row {
	enum prot_way way;
	bool kept;
} charge_rows[] = {
	{ PROT_WAY_MPROTECT_DONTNEED, true },
	{ PROT_WAY_DONTNEED_MPROTECT, true },
	{ PROT_WAY_MMAP_NONE, false },
	{ PROT_WAY_GUARD, true },
};

START_TEST(test_charge)
{
	enum { SZ_KB = 512 * 1024, ATTEMPTS = 10 };
	const struct charge_row *row = &charge_rows[_i];
	bool seen = false;
	struct prot p;

	if (committed_kb() < 0)
		SKIP("no Committed_AS in /proc/meminfo");
	if (row->way == PROT_WAY_GUARD && !os_has_guards(NULL))
		SKIP("the kernel has no MADV_GUARD_INSTALL");
	prot_init(&p, &(struct prot_config){ .way = row->way });
	for (unsigned i = 0; i < ATTEMPTS && !seen; i++) {
		long before = committed_kb();
		struct va_range r = map_ready((size_t)SZ_KB * KIB);
		long gone;

		*at(r, 100 * MIB) = 1; /* touched memory is what keeps its charge */
		ck_assert_int_eq(prot_change(&p, r, MEM_READY, MEM_FAULTED, PROT_FOR_USE), 0);
		gone = before + SZ_KB - committed_kb();
		seen = row->kept ? gone < SZ_KB / 2 : gone > SZ_KB / 2;
		unmap(r);
	}
	ck_assert_msg(seen, "way %s: the charge was not %s", way_names[row->way], row->kept ? "kept" : "given back");
}
END_TEST

/* Holes in every other page up to the limit of mappings. WITH_GUARDS: all work. Without: an error in the end, the
 * page that failed can still be written, and the process lives on. */
static int limit_child(void *ctx)
{
	const bool with_guards = *(const bool *)ctx;
	size_t page = os_page_sz(NULL), holes = 70000, made = 0;
	struct va_range r;
	struct prot p;
	void *start;
	int e = 0;

	if (os_map(NULL, NULL, 2 * holes * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		   -1, 0, &start) < 0)
		return 1;
	if (!with_guards)
		atomic_store(&os_default()->guards, -1);
	prot_init(&p, &(struct prot_config){ .way = PROT_WAY_DONTNEED_MPROTECT });
	for (; made < holes && !e; made += !e) {
		r = (struct va_range){ (uintptr_t)start + 2 * made * page, (uintptr_t)start + (2 * made + 1) * page };
		e = prot_change(&p, r, MEM_READY, MEM_FAULTED, PROT_FOR_USE);
	}
	if (with_guards)
		return !e && made == holes && p.fallbacks && p.done[PROT_WAY_GUARD] == p.fallbacks ? 0 : 2;
	if (e != -ENOMEM || p.failures != 1 || made < 1000)
		return 3;
	*at(r, 0) = 1;
	r = (struct va_range){ r.base - 2 * page, r.base - page };
	if (prot_change(&p, r, MEM_FAULTED, MEM_READY, PROT_FOR_USE))
		return 4; /* merging works at the limit */
	*at(r, 0) = 1;
	if (os_unmap(NULL, start, 2 * holes * page) < 0)
		return 5;
	return os_zalloc(4 * MIB) ? 0 : 6;
}

static bool map_limit_is_usual(void)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
	long cnt = 0;

	if (file && fscanf(file, "%ld", &cnt) != 1)
		cnt = 0;
	if (file)
		fclose(file);
	return cnt > 0 && cnt < 130000;
}

START_TEST(test_limit_of_mappings)
{
	bool with_guards = _i;
	struct child_end end;

	if (HAS_SANITIZER)
		SKIP("sanitizers need mappings of their own");
	if (!map_limit_is_usual())
		SKIP("vm.max_map_count is unknown or too high to reach");
	if (with_guards && !os_has_guards(NULL))
		SKIP("the kernel has no MADV_GUARD_INSTALL");
	end = child_run(limit_child, &with_guards);
	ck_assert_msg(child_ok(end), "ended with %#x, signal %d", (unsigned)end.status, end.fault_sig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("prot");
	TCase *tc = tcase_create("prot");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, TIMEOUT_SEC);
	tcase_add_loop_test(tc, test_arrows, 0, (int)ARRAY_CNT(arrow_rows));
	tcase_add_test(tc, test_no_other_arrows);
	tcase_add_test(tc, test_ranges_refused);
	tcase_add_loop_test(tc, test_ways, 0, (int)ARRAY_CNT(way_rows));
	tcase_add_loop_test(tc, test_failures, 0, (int)ARRAY_CNT(fail_rows));
	tcase_add_loop_test(tc, test_all_ranges, 0, (int)ARRAY_CNT(all_rows));
	tcase_add_loop_test(tc, test_faulted_page, PROT_WAY_AUTO, PROT_WAY_CNT);
	tcase_add_test(tc, test_sealed_page);
	tcase_add_loop_test(tc, test_mappings_for_100_holes, PROT_WAY_MPROTECT_DONTNEED, PROT_WAY_CNT);
	tcase_add_loop_test(tc, test_charge, 0, (int)ARRAY_CNT(charge_rows));
	tcase_add_loop_test(tc, test_limit_of_mappings, 0, 2);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
