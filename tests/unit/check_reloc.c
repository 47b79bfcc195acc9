/* check_reloc.c - relocation rows, relaxations and PLT bytes of every CPU, against data written from the ABIs.
 *
 * The tables are in tests/reloc/<cpu>.def. x86-64 is in the product; i386, aarch64 and s390x are small test-only CPUs
 * that show what x86-64 has not: addends kept in place, thunks, shifted and big-endian fields. Buffers of sequences are
 * allocated to the byte, so that a sanitizer sees any access outside them.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch.h"
#include "elfbytes.h"

#include "../reloc/reloc_case.h"

#include "../reloc/aarch64.def"
#include "../reloc/i386.def"
#include "../reloc/s390x.def"
#include "../reloc/x86_64.def"

#include "../reloc/peer.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const struct arch *const test_arches[] = { &test_arch_i386, &test_arch_s390x, &test_arch_aarch64 };

/* --- Tools ------------------------------------------------------------------------------------------------------- */

static const struct arch *x86_64(void)
{
	const struct arch *a = arch_find(62, 2, false);

	ck_assert_ptr_nonnull(a);
	return a;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = strchr(digits, c);

	ck_assert_msg(at && c, "'%c' in a hex text", c);
	return (int)(at - digits);
}

/* HEX as bytes in a buffer of exactly that size; the caller frees it. */
static uint8_t *from_hex(const char *hex, size_t *ret_sz)
{
	size_t digit_cnt = 0;

	for (const char *c = hex; *c; c++)
		digit_cnt += *c != ' ';
	ck_assert(digit_cnt > 0 && digit_cnt % 2 == 0);
	uint8_t *bytes = malloc(digit_cnt / 2);
	ck_assert_ptr_nonnull(bytes);
	size_t at = 0;
	for (const char *c = hex; *c; c++) {
		if (*c == ' ')
			continue;
		if (at % 2 == 0)
			bytes[at / 2] = (uint8_t)(hex_digit(*c) << 4);
		else
			bytes[at / 2] |= (uint8_t)hex_digit(*c);
		at++;
	}
	*ret_sz = digit_cnt / 2;
	return bytes;
}

static void assert_bytes(const char *what, const uint8_t *got, const char *want_hex)
{
	size_t sz;
	uint8_t *want = from_hex(want_hex, &sz);

	for (size_t i = 0; i < sz; i++)
		ck_assert_msg(got[i] == want[i], "%s: byte %zu is 0x%02x, expected 0x%02x of %s", what, i, got[i],
			      want[i], want_hex);
	free(want);
}

static uint64_t page(uint64_t va)
{
	return va & ~UINT64_C(0xfff);
}

/* The kinds the encode tables use; the linker has its own, complete one. */
static uint64_t evaluate(enum rel_kind kind, uint64_t S, int64_t A, uint64_t P)
{
	switch (kind) {
	case REL_ABS:
		return S + (uint64_t)A;
	case REL_PC:
	case REL_PLT_PC:
		return S + (uint64_t)A - P;
	case REL_PAGE_PC:
		return page(S + (uint64_t)A) - page(P);
	default:
		ck_abort_msg("kind %d is not expected here", (int)kind);
		return 0;
	}
}

/* --- Rows -------------------------------------------------------------------------------------------------------- */

/* A row says what the ABI says, accepts its extremes and nothing beyond, and stores inside its field only. */
static void check_type(const struct arch *arch, const struct type_case *c)
{
	const struct rel_row *row = arch_row(arch, c->type);

	ck_assert_msg(row != NULL, "%s: no row", c->name);
	ck_assert_str_eq(row->name, c->name);
	ck_assert_msg(row->kind == c->kind, "%s: kind %d, expected %d", c->name, row->kind, (int)c->kind);
	const struct rel_field *field = &arch->fields[row->field];
	if (c->size == 0)
		return;
	ck_assert_msg(field->size == c->size, "%s: size %u, expected %u", c->name, field->size, c->size);

	bool is_any = c->min == 0 && c->max == 0;
	const int64_t samples[] = { is_any ? INT64_MIN : c->min, is_any ? INT64_MAX : c->max, 0 };
	for (int i = 0; i < COUNT(samples); i++) {
		uint8_t around[24];
		ck_assert_msg(rel_fits(row, (uint64_t)samples[i]), "%s: refuses %lld", c->name, (long long)samples[i]);
		for (int fill = 0; fill <= 0xff; fill += 0xff) {
			memset(around, fill, sizeof(around));
			field->put(around + 8, (uint64_t)(samples[i] >> row->shift));
			for (unsigned at = 0; at < sizeof(around); at++)
				ck_assert_msg((at >= 8 && at < 8 + c->size) || around[at] == fill,
					      "%s: writes at %d", c->name, (int)at - 8);
		}
	}
	if (is_any)
		return;
	int64_t step = INT64_C(1) << row->shift;
	ck_assert_msg(!rel_fits(row, (uint64_t)(c->min - step)), "%s: accepts less than its least", c->name);
	ck_assert_msg(!rel_fits(row, (uint64_t)(c->max + step)), "%s: accepts more than its most", c->name);
	ck_assert_msg(step == 1 || !rel_fits(row, (uint64_t)(c->min + step / 2)), "%s: accepts a lost bit", c->name);
	ck_assert_msg(!rel_fits(row, (uint64_t)INT64_MIN) && !rel_fits(row, (uint64_t)INT64_MAX),
		      "%s: accepts 64 bits", c->name);
}

START_TEST(x86_64_type)
{
	check_type(x86_64(), &x86_64_types[_i]);
}
END_TEST

START_TEST(s390x_type)
{
	check_type(&test_arch_s390x, &s390x_types[_i]);
}
END_TEST

START_TEST(aarch64_type)
{
	check_type(&test_arch_aarch64, &a64_types[_i]);
}
END_TEST

START_TEST(x86_64_unknown_types)
{
	ck_assert_ptr_null(arch_row(x86_64(), COUNT(x86_64_types)));
	ck_assert_ptr_null(arch_row(x86_64(), 250));
	ck_assert_ptr_null(arch_row(x86_64(), UINT32_MAX));
}
END_TEST

START_TEST(aarch64_unknown_types)
{
	ck_assert_ptr_null(arch_row(&test_arch_aarch64, 1));
	ck_assert_ptr_null(arch_row(&test_arch_aarch64, 276));
	ck_assert_ptr_null(arch_row(&test_arch_aarch64, 287));
}
END_TEST

static void check_encode(const struct arch *arch, const struct encode_case *c)
{
	const struct rel_row *row = arch_row(arch, c->type);
	const struct rel_field *field = &arch->fields[row->field];
	size_t sz;
	uint8_t *loc = from_hex(c->before, &sz);

	ck_assert_msg(sz == field->size, "%s: the case has %zu bytes", c->what, sz);
	int64_t A = arch->is_rela ? c->A : field->get(loc);
	ck_assert_msg(A == c->A, "%s: addend %lld, expected %lld", c->what, (long long)A, (long long)c->A);
	uint64_t value = evaluate(row->kind, c->S, A, c->P);
	ck_assert_msg(rel_fits(row, value), "%s: 0x%llx does not fit", c->what, (unsigned long long)value);
	uint64_t stored = (uint64_t)((int64_t)value >> row->shift);
	field->put(loc, stored);
	assert_bytes(c->what, loc, c->after);
	uint64_t mask = row->bits < 64 ? (UINT64_C(1) << row->bits) - 1 : UINT64_MAX;
	if (row->check == CHECK_NONE && row->shift)
		mask >>= row->shift; /* a scaled low part */
	ck_assert_msg((((uint64_t)field->get(loc) ^ stored) & mask) == 0, "%s: reads back 0x%llx", c->what,
		      (unsigned long long)field->get(loc));
	free(loc);
}

START_TEST(x86_64_encode)
{
	check_encode(x86_64(), &x86_64_encoded[_i]);
}
END_TEST

START_TEST(i386_encode)
{
	check_encode(&test_arch_i386, &i386_encoded[_i]);
}
END_TEST

START_TEST(s390x_encode)
{
	check_encode(&test_arch_s390x, &s390x_encoded[_i]);
}
END_TEST

START_TEST(aarch64_encode)
{
	check_encode(&test_arch_aarch64, &a64_encoded[_i]);
}
END_TEST

/* --- Relaxation -------------------------------------------------------------------------------------------------- */

static enum relax relax_at(const struct relax_case *c, const uint8_t *sec, size_t sz, uint64_t off,
			   const char **ret_bad)
{
	*ret_bad = NULL;
	return x86_64()->relax(c->type, sec, sz, off, c->A, c->is_next_call, &c->facts, ret_bad);
}

static struct relax_values case_values(const struct relax_case *c)
{
	return (struct relax_values){ .S = CASE_S, .P = CASE_SEC_VA + c->off, .A = c->A, .tpoff = CASE_TPOFF,
				      .got_tp = CASE_GOT_TP };
}

START_TEST(x86_64_relax)
{
	const struct relax_case *c = &x86_64_relaxed[_i];
	const struct rel_row *row = arch_row(x86_64(), c->type);
	const char *bad;
	size_t sz;
	uint8_t *bytes = from_hex(c->before, &sz), *was = from_hex(c->before, &sz);
	enum relax how = relax_at(c, bytes, sz, c->off, &bad);

	ck_assert_msg(how == c->how && !bad, "%s: relaxation %d, expected %d (%s)", c->what, (int)how, (int)c->how,
		      bad ? bad : "no text");
	ck_assert_msg(x86_64()->relax(c->type, bytes, sz, c->off, c->A, c->is_next_call, &c->facts, NULL) == how,
		      "%s: depends on ret_bad", c->what);
	const struct relax_values v = case_values(c);
	ck_assert_msg(x86_64()->apply_relax(how, c->type, bytes + c->off, &v), "%s: does not fit", c->what);
	assert_bytes(c->what, bytes, c->after);
	ck_assert_msg(row->flags & ROW_MAY_RELAX, "%s: not marked", c->what);
	ck_assert_msg(!(row->flags & ROW_CONSUMES_NEXT) == !c->is_next_call, "%s: the next relocation", c->what);
	for (size_t i = 0; i < sz; i++)
		ck_assert_msg(bytes[i] == was[i] || (i + row->before >= c->off && i < c->off + row->after),
			      "%s: changes byte %zu, outside its footprint", c->what, i);
	free(was);
	free(bytes);
}
END_TEST

/* The section ends or begins inside the sequence: refused, and no byte outside is read. */
START_TEST(x86_64_relax_cut)
{
	const struct relax_case *c = &x86_64_relaxed[_i];
	const struct rel_row *row = arch_row(x86_64(), c->type);
	const char *bad;
	size_t sz;
	uint8_t *bytes = from_hex(c->before, &sz);

	for (size_t keep = 0; keep < sz; keep++) {
		uint8_t *cut = malloc(keep ? keep : 1);
		memcpy(cut, bytes, keep);
		ck_assert_msg(relax_at(c, cut, keep, c->off, &bad) == RELAX_NO, "%s: cut after %zu", c->what, keep);
		free(cut);
	}
	uint64_t needed = c->off < row->before ? c->off : row->before;
	for (size_t skip = c->off - needed + 1; skip <= c->off; skip++) {
		uint8_t *cut = malloc(sz - skip);
		memcpy(cut, bytes + skip, sz - skip);
		ck_assert_msg(relax_at(c, cut, sz - skip, c->off - skip, &bad) == RELAX_NO, "%s: begun at %zu", c->what,
			      skip);
		free(cut);
	}
	free(bytes);
}
END_TEST

/* Any bit of the instructions turned: refused, or another sequence that is known; never more bytes than there are. */
START_TEST(x86_64_relax_flipped)
{
	const struct relax_case *c = &x86_64_relaxed[_i];
	const char *bad;
	size_t sz;
	uint8_t *bytes = from_hex(c->before, &sz);

	for (size_t bit = 0; bit < sz * 8; bit++) {
		uint8_t *odd = malloc(sz);
		memcpy(odd, bytes, sz);
		odd[bit / 8] ^= (uint8_t)(1u << bit % 8);
		enum relax how = relax_at(c, odd, sz, c->off, &bad);
		ck_assert_msg(!bad || how == RELAX_NO, "%s: both relaxed and malformed", c->what);
		const struct relax_values v = case_values(c);
		if (how != RELAX_NO)
			ck_assert(x86_64()->apply_relax(how, c->type, odd + c->off, &v));
		free(odd);
	}
	free(bytes);
}
END_TEST

START_TEST(x86_64_refuse)
{
	const struct relax_case *c = &x86_64_refused[_i];
	const char *bad;
	size_t sz;
	uint8_t *bytes = from_hex(c->before, &sz);
	enum relax how = relax_at(c, bytes, sz, c->off, &bad);

	ck_assert_msg(how == RELAX_NO, "%s: relaxation %d", c->what, (int)how);
	ck_assert_msg(!!bad == c->is_malformed, "%s: %s", c->what, bad ? bad : "no text");
	free(bytes);
}
END_TEST

START_TEST(x86_64_too_far_value)
{
	const struct relax_case *c = &x86_64_too_far[_i];
	const char *bad;
	size_t sz;
	uint8_t *bytes = from_hex(c->before, &sz);
	const struct relax_values v = { .S = INT64_C(0x180000000), .P = CASE_SEC_VA + c->off, .A = c->A,
					.tpoff = -INT64_C(0x80000001), .got_tp = INT64_C(0x180000000) };
	enum relax how = relax_at(c, bytes, sz, c->off, &bad);

	ck_assert_msg(how == c->how, "%s: relaxation %d", c->what, (int)how);
	ck_assert_msg(!x86_64()->apply_relax(how, c->type, bytes + c->off, &v), "%s: accepted", c->what);
	free(bytes);
}
END_TEST

/* A field that moves with its instruction must reach exactly as far as before: jmp at both ends of its reach. */
START_TEST(x86_64_jmp_reach)
{
	static const struct {
		uint64_t S;
		bool fits;
	} ends[] = {
		{ CASE_SEC_VA + 5 + INT32_MAX, true },
		{ CASE_SEC_VA + 5 + UINT64_C(0x80000000), false },
		{ CASE_SEC_VA + 5 - UINT64_C(0x80000000), true },
		{ CASE_SEC_VA + 4 - UINT64_C(0x80000000), false },
	};

	for (int i = 0; i < COUNT(ends); i++) {
		uint8_t jmp[] = { 0xff, 0x25, 0, 0, 0, 0 };
		const struct relax_values v = { .S = ends[i].S, .P = CASE_SEC_VA + 2, .A = -4 };
		ck_assert_msg(x86_64()->apply_relax(RELAX_GOT_TO_PC, X_GOT, jmp + 2, &v) == ends[i].fits, "end %d", i);
	}
}
END_TEST

/* --- PLT --------------------------------------------------------------------------------------------------------- */

START_TEST(x86_64_plt_bytes)
{
	const struct arch *a = x86_64();
	uint8_t code[32];

	a->write_plt_header(code, 0x401020, 0x404000, false);
	assert_bytes("header", code, "ff35 e22f0000 ff25 e42f0000 0f1f4000");
	a->write_plt_entry(code, 0x401030, 0x404018, 0x401020, 0x12345678, false);
	assert_bytes("entry", code, "ff25 e22f0000 68 78563412 e9 e0ffffff");
	ck_assert_uint_eq(a->lazy_slot_offset, 6);
	a->write_plt_header(code, 0x401020, 0x404000, true);
	assert_bytes("header, ibt", code, "f30f1efa 4153 ff35 dc2f0000 ff25 de2f0000 cccccccccccccccccccccccccccc");
	a->write_plt_entry(code, 0x401040, 0x404018, 0x401020, 0x12345678, true);
	assert_bytes("entry, ibt", code, "f30f1efa 41bb 78563412 ff25 c82f0000");
	a->write_pltgot_entry(code, 0x401050, 0x403ff8, false);
	assert_bytes("pltgot", code, "ff25 a22f0000 cccccccccccccccccccc");
	a->write_pltgot_entry(code, 0x401050, 0x403ff8, true);
	assert_bytes("pltgot, ibt", code, "f30f1efa ff25 9e2f0000 cccccccccccc");
	ck_assert(a->plt_header_size == 16 && a->plt_entry_size == 16 && a->pltgot_entry_size == 16);
	ck_assert(a->plt_ibt_header_size == 32 && a->plt_ibt_entry_size == 16);
	ck_assert_uint_eq(a->gotplt_reserved, 3);
	ck_assert_msg(!a->needs_thunk, "branches reach everything, but there are thunks");
}
END_TEST

#ifdef __x86_64__
struct plt_answer { /* comes back in %rax and %rdx */
	uint64_t link_map;
	uint64_t index;
};

/* A resolver's view: hands back what lies on the stack where glibc's expects its two arguments. */
static const uint8_t plt_resolver[] = {
	0x48, 0x8b, 0x04, 0x24,       /* mov (%rsp), %rax */
	0x48, 0x8b, 0x54, 0x24, 0x08, /* mov 8(%rsp), %rdx */
	0x48, 0x83, 0xc4, 0x10,       /* add $16, %rsp */
	0xc3,                         /* ret */
};

enum { PLT_AT = 0, PLT_RESOLVER_AT = 1024, PLT_GOT_AT = 2048, PLT_MAP_SZ = 4096, PLT_INDEX = 5 };

/* Calls through a PLT entry with an unresolved slot, as a lazily bound program does. */
static struct plt_answer plt_call(const struct arch *a, uint8_t *map, bool ibt)
{
	uint64_t base = (uint64_t)(uintptr_t)map, entry = base + (ibt ? a->plt_ibt_header_size : a->plt_header_size);
	uint64_t gotplt = base + PLT_GOT_AT, slot = gotplt + 8u * (a->gotplt_reserved + PLT_INDEX);

	memcpy(map + PLT_RESOLVER_AT, plt_resolver, sizeof(plt_resolver));
	a->write_plt_header(map + PLT_AT, base, gotplt, ibt);
	a->write_plt_entry(map + (entry - base), entry, slot, base, PLT_INDEX, ibt);
	store64(map + PLT_GOT_AT + 8, 0x6c696e6b6d6170, false);
	store64(map + PLT_GOT_AT + 16, base + PLT_RESOLVER_AT, false);
	uint64_t lazy = entry + a->lazy_slot_offset;
	if (ibt)
		lazy = (a->lazy_slot_is_header_ibt ? base : entry) + a->lazy_slot_offset_ibt;
	store64(map + (slot - base), lazy, false);
	ck_assert_int_eq(mprotect(map, PLT_MAP_SZ, PROT_READ | PROT_EXEC), 0);
	struct plt_answer (*call)(void);
	memcpy(&call, &entry, sizeof(call));
	struct plt_answer answer = call();
	ck_assert_int_eq(mprotect(map, PLT_MAP_SZ, PROT_READ | PROT_WRITE), 0);
	return answer;
}

START_TEST(x86_64_plt_runs)
{
	uint8_t *map = mmap(NULL, PLT_MAP_SZ, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(map, MAP_FAILED);
	struct plt_answer answer = plt_call(x86_64(), map, _i);
	ck_assert_uint_eq(answer.link_map, 0x6c696e6b6d6170);
	ck_assert_uint_eq(answer.index, PLT_INDEX);
	munmap(map, PLT_MAP_SZ);
}
END_TEST
#endif

/* --- Thunks ------------------------------------------------------------------------------------------------------ */

START_TEST(aarch64_reach)
{
	const struct arch *a = &test_arch_aarch64;

	ck_assert_msg(a->needs_thunk(a64_reach[_i].type, a64_reach[_i].P, a64_reach[_i].S, 0) == a64_reach[_i].needs,
		      "case %d", _i);
	/* What is in reach fits the field and what is not does not. */
	const struct rel_row *row = arch_row(a, a64_reach[_i].type);
	if (row->kind == REL_PLT_PC)
		ck_assert(rel_fits(row, a64_reach[_i].S - a64_reach[_i].P) == !a64_reach[_i].needs);
}
END_TEST

START_TEST(aarch64_thunk)
{
	const struct arch *a = &test_arch_aarch64;
	uint8_t code[12];

	ck_assert_uint_eq(a->thunk_size, sizeof(code));
	a->write_thunk(code, &(struct thunk_values){ .S = 0x10412348, .P = 0x400ffc });
	assert_bytes("forwards", code, "900008d0 10220d91 00021fd6");
	a->write_thunk(code, &(struct thunk_values){ .S = 0x400010, .P = 0x10400000 });
	assert_bytes("backwards", code, "1000f890 10420091 00021fd6");
}
END_TEST

/* --- Contract ---------------------------------------------------------------------------------------------------- */

static bool is_power_of_2(uint64_t v)
{
	return v && (v & (v - 1)) == 0;
}

static void check_row_contract(const struct arch *a, uint32_t type)
{
	const struct rel_row *row = &a->rows[type];

	if (row->kind == REL_UNKNOWN) {
		ck_assert_msg(!row->name, "%s: type %u has a name and no kind", a->name, type);
		return;
	}
	ck_assert_msg(row->name && *row->name, "%s: type %u has no name", a->name, type);
	ck_assert_msg(row->kind <= REL_DYNAMIC && row->check <= CHECK_EITHER, "%s: not in the enum", row->name);
	for (uint32_t other = 0; other < type; other++)
		ck_assert_msg(!a->rows[other].name || strcmp(a->rows[other].name, row->name), "%s: twice", row->name);
	const struct rel_field *field = &a->fields[row->field];
	ck_assert_msg(field->put && field->get, "%s: field without put or get", row->name);
	bool has_no_value = row->kind == REL_NONE || row->kind == REL_DYNAMIC || row->kind == REL_TLS_DESC_CALL;
	if (has_no_value) {
		ck_assert_msg(!row->bits && !row->shift && !row->check, "%s: has bits and needs none", row->name);
	} else {
		ck_assert_msg(row->bits >= 1 && row->bits <= 64 && row->bits <= field->size * 8, "%s: bits", row->name);
		ck_assert_msg(row->shift < 64 && row->after >= field->size, "%s: footprint or shift", row->name);
	}
	if (row->flags & ROW_CONSUMES_NEXT)
		ck_assert_msg(row->flags & ROW_MAY_RELAX, "%s: consumes, but is never relaxed", row->name);
	if (row->flags & ROW_MAY_RELAX)
		ck_assert_msg(a->relax && a->apply_relax, "%s: no hook", row->name);
	else
		ck_assert_msg(!row->before && (has_no_value || row->after == field->size), "%s: footprint", row->name);
	if (row->check != CHECK_NONE && (row->shift || row->bits < 32))
		ck_assert_msg(row->flags & ROW_SUSPECT, "%s: narrow or scaled, but not suspect", row->name);
}

static void check_dyn_contract(const struct arch *a)
{
	const struct arch_dyn *d = &a->dyn;
	const struct {
		uint32_t type;
		bool may_be_in_object;
	} all[] = {
		{ d->abs, true }, { d->copy, false }, { d->glob_dat, false }, { d->jump_slot, false },
		{ d->relative, false }, { d->irelative, false }, { d->dtpmod, false }, { d->dtpoff, true },
		{ d->tpoff, true }, { d->tlsdesc, false },
	};

	ck_assert_msg(d->abs, "%s: no absolute dynamic relocation", a->name);
	for (int i = 0; i < COUNT(all); i++) {
		if (!all[i].type)
			continue;
		const struct rel_row *row = arch_row(a, all[i].type);
		ck_assert_msg(row != NULL, "%s: dynamic type %u has no row", a->name, all[i].type);
		ck_assert_msg(all[i].may_be_in_object || row->kind == REL_DYNAMIC, "%s: not dynamic", row->name);
	}
}

static void check_plt_contract(const struct arch *a)
{
	bool has_plt = a->plt_entry_size > 0;

	ck_assert_msg(has_plt == (a->write_plt_header != NULL) && has_plt == (a->write_plt_entry != NULL),
		      "%s: PLT sizes and hooks", a->name);
	ck_assert_msg(!has_plt || a->plt_header_size, "%s: no PLT header", a->name);
	ck_assert_msg(!a->plt_ibt_entry_size == !a->plt_ibt_header_size, "%s: half an IBT PLT", a->name);
	ck_assert_msg(!a->plt_ibt_entry_size || has_plt, "%s: only an IBT PLT", a->name);
	ck_assert_msg((a->pltgot_entry_size > 0) == (a->write_pltgot_entry != NULL), "%s: pltgot", a->name);
	ck_assert_msg(!has_plt || a->lazy_slot_offset < a->plt_entry_size, "%s: lazy slot", a->name);
	unsigned ibt_sz = a->lazy_slot_is_header_ibt ? a->plt_ibt_header_size : a->plt_ibt_entry_size;
	ck_assert_msg(!ibt_sz || a->lazy_slot_offset_ibt < ibt_sz, "%s: lazy slot, ibt", a->name);
	ck_assert_msg(!a->lazy_slot_is_header_ibt || ibt_sz, "%s: lazy slot, no ibt form", a->name);
}

static void check_arch_contract(const struct arch *a)
{
	ck_assert(a->name && *a->name);
	ck_assert_msg(a->emulations && a->emulations[0] && a->bfd_names && a->bfd_names[0], "%s: names", a->name);
	ck_assert_msg(a->machine && (a->elf_class == 1 || a->elf_class == 2), "%s: machine or class", a->name);
	ck_assert_msg(is_power_of_2(a->max_page_size) && is_power_of_2(a->common_page_size) &&
			      a->common_page_size <= a->max_page_size,
		      "%s: page sizes", a->name);
	ck_assert_msg(a->image_base && a->image_base % a->max_page_size == 0, "%s: image base", a->name);
	ck_assert_msg(a->default_interp && a->default_interp[0] == '/', "%s: interpreter", a->name);
	ck_assert_msg(a->rows && a->row_cnt && a->fields, "%s: no rows", a->name);
	ck_assert_msg(!a->relax == !a->apply_relax, "%s: half a relaxation", a->name);
	ck_assert_msg(a->tls_variant_1 == (a->tcb_size != 0), "%s: TLS variant", a->name);
	ck_assert_msg(!a->property_ibt_bit || a->property_and, "%s: branch tracking without its property", a->name);
	ck_assert_msg(!a->needs_thunk == !a->write_thunk, "%s: half a thunk", a->name);
	ck_assert_msg(!a->write_thunk || (a->thunk_size && is_power_of_2(a->thunk_align)), "%s: thunk size", a->name);
	check_dyn_contract(a);
	check_plt_contract(a);
	for (uint32_t type = 0; type < a->row_cnt; type++)
		check_row_contract(a, type);
}

START_TEST(contract_product)
{
	ck_assert_ptr_nonnull(arch_table[0]);
	for (const struct arch *const *a = arch_table; *a; a++) {
		check_arch_contract(*a);
		ck_assert_ptr_eq(arch_find((*a)->machine, (*a)->elf_class, (*a)->is_be), *a);
		for (const struct arch *const *b = arch_table; b != a; b++)
			ck_assert_str_ne((*a)->emulations[0], (*b)->emulations[0]);
	}
	ck_assert_ptr_null(arch_find(0, 2, false));
	ck_assert_ptr_null(arch_find(62, 2, true));
}
END_TEST

START_TEST(contract_test_only)
{
	check_arch_contract(test_arches[_i]);
}
END_TEST

/* --- The same as GNU ld ------------------------------------------------------------------------------------------ */

START_TEST(peer_pie)
{
	const struct relax_facts facts = { .pic = true, .small_image = true };
	const struct relax_facts abs_facts = { .pic = true, .small_image = true, .is_absolute = true, .is_low = true };

	peer_compare(x86_64(), PEER_COMMON PEER_TAIL, "-pie --no-dynamic-linker", &facts, &abs_facts);
}
END_TEST

/* Not small: a mov becomes an immediate, as GNU ld has it; branches then wait for small_image. */
START_TEST(peer_fixed)
{
	const struct relax_facts facts = { .low_image = true };
	const struct relax_facts abs_facts = { .low_image = true, .is_absolute = true, .is_low = true };

	peer_compare(x86_64(), ".text\n.globl _start\n_start:\n" PEER_FIXED PEER_TAIL, "", &facts, &abs_facts);
}
END_TEST

/* A build may leave x86-64 out; what remains must pass. */
static void add_x86_64(Suite *suite)
{
	TCase *rows = tcase_create("x86-64 rows"), *relax = tcase_create("x86-64 relax");
	TCase *plt = tcase_create("x86-64 plt"), *peer = tcase_create("x86-64 peer");

	tcase_add_loop_test(rows, x86_64_type, 0, COUNT(x86_64_types));
	tcase_add_test(rows, x86_64_unknown_types);
	tcase_add_loop_test(rows, x86_64_encode, 0, COUNT(x86_64_encoded));
	suite_add_tcase(suite, rows);
	tcase_add_loop_test(relax, x86_64_relax, 0, COUNT(x86_64_relaxed));
	tcase_add_loop_test(relax, x86_64_relax_cut, 0, COUNT(x86_64_relaxed));
	tcase_add_loop_test(relax, x86_64_relax_flipped, 0, COUNT(x86_64_relaxed));
	tcase_add_loop_test(relax, x86_64_refuse, 0, COUNT(x86_64_refused));
	tcase_add_loop_test(relax, x86_64_too_far_value, 0, COUNT(x86_64_too_far));
	tcase_add_test(relax, x86_64_jmp_reach);
	suite_add_tcase(suite, relax);
	tcase_add_test(plt, x86_64_plt_bytes);
#ifdef __x86_64__
	tcase_add_loop_test(plt, x86_64_plt_runs, 0, 2);
#endif
	suite_add_tcase(suite, plt);
	tcase_set_timeout(peer, 60);
	tcase_add_test(peer, peer_pie);
	tcase_add_test(peer, peer_fixed);
	suite_add_tcase(suite, peer);
}

int main(void)
{
	Suite *suite = suite_create("reloc");
	TCase *test_only = tcase_create("test-only CPUs"), *contract = tcase_create("contract");

	if (arch_find(62, 2, false))
		add_x86_64(suite);
	tcase_add_loop_test(test_only, s390x_type, 0, COUNT(s390x_types));
	tcase_add_loop_test(test_only, aarch64_type, 0, COUNT(a64_types));
	tcase_add_test(test_only, aarch64_unknown_types);
	tcase_add_loop_test(test_only, i386_encode, 0, COUNT(i386_encoded));
	tcase_add_loop_test(test_only, s390x_encode, 0, COUNT(s390x_encoded));
	tcase_add_loop_test(test_only, aarch64_encode, 0, COUNT(a64_encoded));
	tcase_add_loop_test(test_only, aarch64_reach, 0, COUNT(a64_reach));
	tcase_add_test(test_only, aarch64_thunk);
	suite_add_tcase(suite, test_only);
	tcase_add_test(contract, contract_product);
	tcase_add_loop_test(contract, contract_test_only, 0, COUNT(test_arches));
	suite_add_tcase(suite, contract);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed_cnt = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed_cnt ? EXIT_FAILURE : EXIT_SUCCESS;
}
