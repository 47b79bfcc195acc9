/* x86_64.c - the CPU x86-64 (LP64): relocation rows, field writers, relaxations, PLT bytes.
 *
 * One row per type of the x86-64 psABI, "Relocation" (section 4.4). Relaxations follow its appendix B, "Linker
 * Optimization", and its TLS chapter; the bytes of each sequence stand beside the code that writes them. Where the ABI
 * leaves a choice, the one with the same effect on registers *and* flags is taken: an `add` stays an `add`.
 *
 * x86_64_relax only looks, at the input; x86_64_apply_relax only writes. The second reads nothing but bytes of the
 * sequence the first has recognised, so that it may run on a page's scratch copy. Which symbol is meant, whether it may
 * be preempted and where things lie is the generic linker's business (linker/render/ evaluates, linker/layout/ places).
 */
#include <elf.h>

#include "arch.h"
#include "elfbytes.h"

/* In the psABI, but not in every <elf.h>: MPX branches (withdrawn: they mean the same without the prefix) and APX. */
#ifndef R_X86_64_PC32_BND
#define R_X86_64_PC32_BND 39
#define R_X86_64_PLT32_BND 40
#endif
#ifndef R_X86_64_CODE_4_GOTPCRELX
#define R_X86_64_CODE_4_GOTPCRELX 43
#define R_X86_64_CODE_4_GOTTPOFF 44
#define R_X86_64_CODE_4_GOTPC32_TLSDESC 45
#define R_X86_64_CODE_5_GOTPCRELX 46
#define R_X86_64_CODE_5_GOTTPOFF 47
#define R_X86_64_CODE_5_GOTPC32_TLSDESC 48
#define R_X86_64_CODE_6_GOTPCRELX 49
#define R_X86_64_CODE_6_GOTTPOFF 50
#define R_X86_64_CODE_6_GOTPC32_TLSDESC 51
#endif

enum {
	REX2 = 0xd5,                 /* the prefix of APX's 16 more registers; a payload byte follows */
	CALL_AFTER = 12,             /* bytes from the field of TLSGD to the end of its sequence */
	CALL_AFTER_LARGE = 4 + 15,   /* the same with the call of the large code model, also of TLSLD */
};

/* --- Fields ------------------------------------------------------------------------------------------------------ */

static void put_none(uint8_t *loc, uint64_t value)
{
	(void)loc;
	(void)value;
}

static void put8(uint8_t *loc, uint64_t value)
{
	*loc = (uint8_t)value;
}

static void put16(uint8_t *loc, uint64_t value)
{
	store16(loc, (uint16_t)value, false);
}

static void put32(uint8_t *loc, uint64_t value)
{
	store32(loc, (uint32_t)value, false);
}

static void put64(uint8_t *loc, uint64_t value)
{
	store64(loc, value, false);
}

static int64_t get_none(const uint8_t *loc)
{
	(void)loc;
	return 0;
}

static int64_t get8(const uint8_t *loc)
{
	return (int8_t)*loc;
}

static int64_t get16(const uint8_t *loc)
{
	return (int16_t)load16(loc, false);
}

static int64_t get32(const uint8_t *loc)
{
	return (int32_t)load32(loc, false);
}

static int64_t get64(const uint8_t *loc)
{
	return (int64_t)load64(loc, false);
}

enum { FIELD_NONE, FIELD_8, FIELD_16, FIELD_32, FIELD_64 };

static const struct rel_field fields[] = {
	[FIELD_NONE] = { .size = 0, .put = put_none, .get = get_none },
	[FIELD_8] = { .size = 1, .is_int = true, .put = put8, .get = get8 },
	[FIELD_16] = { .size = 2, .is_int = true, .put = put16, .get = get16 },
	[FIELD_32] = { .size = 4, .is_int = true, .put = put32, .get = get32 },
	[FIELD_64] = { .size = 8, .is_int = true, .put = put64, .get = get64 },
};

/* --- Rows -------------------------------------------------------------------------------------------------------- */

#define ROW_EMPTY(type, what) [type] = { .name = #type, .kind = what, .field = FIELD_NONE }
#define ROW8(type, what, how)                                                                                 \
	[type] = { .name = #type, .kind = what, .field = FIELD_8, .bits = 8, .check = how, .after = 1,        \
		   .flags = ROW_SUSPECT }
#define ROW16(type, what, how)                                                                                \
	[type] = { .name = #type, .kind = what, .field = FIELD_16, .bits = 16, .check = how, .after = 2,      \
		   .flags = ROW_SUSPECT }
#define ROW32(type, what, how, more_flags)                                                                    \
	[type] = { .name = #type, .kind = what, .field = FIELD_32, .bits = 32, .check = how, .after = 4,      \
		   .flags = more_flags }
#define ROW64(type, what) [type] = { .name = #type, .kind = what, .field = FIELD_64, .bits = 64, .after = 8 }
/* A signed 32-bit field; FRONT bytes before it may change, and BACK from it on. */
#define ROW_RELAX(type, what, front, back, more_flags)                                                        \
	[type] = { .name = #type, .kind = what, .field = FIELD_32, .bits = 32, .check = CHECK_SIGNED,         \
		   .before = front, .after = back, .flags = ROW_MAY_RELAX | (more_flags) }

static const struct rel_row rows[] = {
	ROW_EMPTY(R_X86_64_NONE, REL_NONE),
	ROW64(R_X86_64_64, REL_ABS),
	ROW32(R_X86_64_PC32, REL_PC, CHECK_SIGNED, 0),
	ROW32(R_X86_64_GOT32, REL_GOT_OFF, CHECK_SIGNED, 0),
	ROW32(R_X86_64_PLT32, REL_PLT_PC, CHECK_SIGNED, 0),
	ROW_EMPTY(R_X86_64_COPY, REL_DYNAMIC),
	ROW_EMPTY(R_X86_64_GLOB_DAT, REL_DYNAMIC),
	ROW_EMPTY(R_X86_64_JUMP_SLOT, REL_DYNAMIC),
	ROW_EMPTY(R_X86_64_RELATIVE, REL_DYNAMIC),
	ROW32(R_X86_64_GOTPCREL, REL_GOT_PC, CHECK_SIGNED, 0),
	ROW32(R_X86_64_32, REL_ABS, CHECK_UNSIGNED, 0),
	ROW32(R_X86_64_32S, REL_ABS, CHECK_SIGNED, 0),
	ROW16(R_X86_64_16, REL_ABS, CHECK_EITHER),
	ROW16(R_X86_64_PC16, REL_PC, CHECK_SIGNED),
	ROW8(R_X86_64_8, REL_ABS, CHECK_EITHER),
	ROW8(R_X86_64_PC8, REL_PC, CHECK_SIGNED),
	ROW_EMPTY(R_X86_64_DTPMOD64, REL_DYNAMIC),
	ROW64(R_X86_64_DTPOFF64, REL_TLS_DTPOFF),
	ROW64(R_X86_64_TPOFF64, REL_TLS_LE),
	ROW_RELAX(R_X86_64_TLSGD, REL_TLS_GD_PC, 4, CALL_AFTER_LARGE, ROW_CONSUMES_NEXT),
	ROW_RELAX(R_X86_64_TLSLD, REL_TLS_LD_PC, 3, CALL_AFTER_LARGE, ROW_CONSUMES_NEXT),
	ROW32(R_X86_64_DTPOFF32, REL_TLS_DTPOFF, CHECK_SIGNED, 0),
	ROW_RELAX(R_X86_64_GOTTPOFF, REL_TLS_IE_PC, 3, 4, 0),
	ROW32(R_X86_64_TPOFF32, REL_TLS_LE, CHECK_SIGNED, ROW_SUSPECT),
	ROW64(R_X86_64_PC64, REL_PC),
	ROW64(R_X86_64_GOTOFF64, REL_GOTBASE_REL),
	ROW32(R_X86_64_GOTPC32, REL_GOTBASE_PC, CHECK_SIGNED, 0),
	ROW64(R_X86_64_GOT64, REL_GOT_OFF),
	ROW64(R_X86_64_GOTPCREL64, REL_GOT_PC),
	ROW64(R_X86_64_GOTPC64, REL_GOTBASE_PC),
	ROW64(R_X86_64_GOTPLT64, REL_GOT_OFF), /* as GOT64: that a PLT entry shares the slot is only a hint */
	ROW64(R_X86_64_PLTOFF64, REL_PLT_GOTREL),
	ROW32(R_X86_64_SIZE32, REL_SIZE, CHECK_UNSIGNED, ROW_SUSPECT),
	ROW64(R_X86_64_SIZE64, REL_SIZE),
	ROW_RELAX(R_X86_64_GOTPC32_TLSDESC, REL_TLS_DESC_PC, 3, 4, 0),
	[R_X86_64_TLSDESC_CALL] = { .name = "R_X86_64_TLSDESC_CALL", .kind = REL_TLS_DESC_CALL, .field = FIELD_NONE,
				    .after = 3, .flags = ROW_MAY_RELAX },
	ROW_EMPTY(R_X86_64_TLSDESC, REL_DYNAMIC),
	ROW_EMPTY(R_X86_64_IRELATIVE, REL_DYNAMIC),
	ROW_EMPTY(R_X86_64_RELATIVE64, REL_DYNAMIC),
	ROW32(R_X86_64_PC32_BND, REL_PC, CHECK_SIGNED, 0),
	ROW32(R_X86_64_PLT32_BND, REL_PLT_PC, CHECK_SIGNED, 0),
	ROW_RELAX(R_X86_64_GOTPCRELX, REL_GOT_PC, 2, 4, 0),
	ROW_RELAX(R_X86_64_REX_GOTPCRELX, REL_GOT_PC, 3, 4, 0),
	ROW_RELAX(R_X86_64_CODE_4_GOTPCRELX, REL_GOT_PC, 4, 4, 0),
	ROW_RELAX(R_X86_64_CODE_4_GOTTPOFF, REL_TLS_IE_PC, 4, 4, 0),
	ROW_RELAX(R_X86_64_CODE_4_GOTPC32_TLSDESC, REL_TLS_DESC_PC, 4, 4, 0),
	/* EVEX forms: the loads stay loads. A descriptor's must be relaxed together with its call: see relax_desc. */
	ROW32(R_X86_64_CODE_5_GOTPCRELX, REL_GOT_PC, CHECK_SIGNED, 0),
	ROW32(R_X86_64_CODE_5_GOTTPOFF, REL_TLS_IE_PC, CHECK_SIGNED, 0),
	ROW_RELAX(R_X86_64_CODE_5_GOTPC32_TLSDESC, REL_TLS_DESC_PC, 0, 4, 0),
	ROW32(R_X86_64_CODE_6_GOTPCRELX, REL_GOT_PC, CHECK_SIGNED, 0),
	ROW32(R_X86_64_CODE_6_GOTTPOFF, REL_TLS_IE_PC, CHECK_SIGNED, 0),
	ROW_RELAX(R_X86_64_CODE_6_GOTPC32_TLSDESC, REL_TLS_DESC_PC, 0, 4, 0),
};

/* --- Relaxation: looking ----------------------------------------------------------------------------------------- */

/* The place being looked at: SEC[OFF] is the field. */
struct place {
	const uint8_t *sec;
	uint64_t sec_sz;
	uint64_t off;
};

/* Are there BEFORE bytes in front of the field and AFTER from it on, inside the section? */
static bool has_bytes(const struct place *p, uint64_t before, uint64_t after)
{
	return p->off <= p->sec_sz && p->off >= before && p->sec_sz - p->off >= after;
}

static bool is_at(const struct place *p, int64_t from_field, const char *bytes, size_t cnt)
{
	return memcmp(p->sec + p->off + from_field, bytes, cnt) == 0;
}

/* ModRM with mod 00, rm 101: disp32(%rip); the register field is free. */
static bool is_rip_relative(uint8_t modrm)
{
	return (modrm & 0xc7) == 0x05;
}

/* Is the byte before the opcode a REX prefix that says no more than W and R, or after 0xd5 such a REX2 payload of map
 * 0? Only W and R mean anything in a RIP-relative operand; anything else is not what an assembler writes. */
static bool is_plain_prefix(const struct place *p, bool is_rex2, bool needs_w)
{
	uint8_t prefix = p->sec[p->off - 3];

	if (needs_w && !(prefix & 0x08))
		return false;
	if (is_rex2)
		return p->sec[p->off - 4] == REX2 && (prefix & ~0x4c) == 0;
	return (prefix & 0xf3) == 0x40;
}

static bool is_binop(uint8_t opcode) /* adc add and cmp or sbb sub xor, memory to register */
{
	return (opcode & 0xc7) == 0x03;
}

/* Load, test or arithmetic through the GOT (appendix B, "Optimize GOTPCRELX Relocations"). PREFIX_SZ: 0, REX: 1, REX2:
 * 2. Refusing is always right here: the GOT entry gives the same value. */
static enum relax relax_got(const struct place *p, unsigned prefix_sz, int64_t A, const struct relax_facts *f)
{
	if (!has_bytes(p, 2 + prefix_sz, 4) || A != -4 || f->preemptible || f->is_ifunc)
		return RELAX_NO;
	uint8_t opcode = p->sec[p->off - 2], modrm = p->sec[p->off - 1];
	if (prefix_sz && !is_plain_prefix(p, prefix_sz == 2, false))
		return RELAX_NO;
	if (opcode == 0xff) /* call *foo@GOTPCREL(%rip), jmp *... */
		return !prefix_sz && (modrm == 0x15 || modrm == 0x25) && f->small_image && !f->is_absolute
			       ? RELAX_GOT_TO_PC
			       : RELAX_NO;
	if (!is_rip_relative(modrm))
		return RELAX_NO;
	if (opcode == 0x8b && f->small_image && !f->is_absolute)
		return RELAX_GOT_TO_PC;
	/* An immediate is sign-extended from 32 bits, and fixed: only below 2^31 and where nothing moves. */
	bool fits_imm = !f->pic && (f->is_absolute ? f->is_low : f->low_image);
	return fits_imm && (opcode == 0x8b || opcode == 0x85 || is_binop(opcode)) ? RELAX_GOT_TO_ABS : RELAX_NO;
}

/* The three calls of the large code model: movabs $__tls_get_addr@pltoff,%rax; add %rbx,%rax; call *%rax, or %r15. */
static bool is_large_call(const struct place *p)
{
	return has_bytes(p, 0, CALL_AFTER_LARGE) && is_at(p, 4, "\x48\xb8", 2) &&
	       (is_at(p, 14, "\x48\x01\xd8\xff\xd0", 5) || is_at(p, 14, "\x4c\x01\xf8\xff\xd0", 5));
}

/* General dynamic. In an executable it must go: a static one has no resolver worth the name, and the choice may not
 * depend on the instruction alone. */
static enum relax relax_gd(const struct place *p, int64_t A, bool next_is_tls_call, const struct relax_facts *f,
			   const char **ret_bad)
{
	if (f->shared)
		return RELAX_NO;
	bool is_small = has_bytes(p, 4, CALL_AFTER) && is_at(p, -4, "\x66\x48\x8d\x3d", 4) &&
			(is_at(p, 4, "\x66\x66\x48\xe8", 4) || is_at(p, 4, "\x66\x48\x67\xe8", 4) ||
			 is_at(p, 4, "\x66\x48\xff\x15", 4));
	bool is_large = has_bytes(p, 3, 4) && is_at(p, -3, "\x48\x8d\x3d", 3) && is_large_call(p);

	if (A != -4 || !next_is_tls_call || !(is_small || is_large)) {
		*ret_bad = "malformed general-dynamic TLS access, expected data16 lea x@tlsgd(%rip), %rdi and the "
			   "padded call of __tls_get_addr directly after it";
		return RELAX_NO;
	}
	return f->preemptible ? RELAX_GD_TO_IE : RELAX_GD_TO_LE;
}

/* Local dynamic: as above; its module is the executable itself, so the block is at hand. */
static enum relax relax_ld(const struct place *p, int64_t A, bool next_is_tls_call, const struct relax_facts *f,
			   const char **ret_bad)
{
	if (f->shared)
		return RELAX_NO;
	bool is_lea = has_bytes(p, 3, 4) && is_at(p, -3, "\x48\x8d\x3d", 3);
	bool is_call = (has_bytes(p, 0, 9) && is_at(p, 4, "\xe8", 1)) ||
		       (has_bytes(p, 0, 10) && (is_at(p, 4, "\xff\x15", 2) || is_at(p, 4, "\x67\xe8", 2)));

	if (A != -4 || !next_is_tls_call || !is_lea || !(is_call || is_large_call(p))) {
		*ret_bad = "malformed local-dynamic TLS access, expected lea x@tlsld(%rip), %rdi and the call of "
			   "__tls_get_addr directly after it";
		return RELAX_NO;
	}
	return RELAX_LD_TO_LE;
}

/* Initial exec: mov or add of x@gottpoff(%rip) to a 64-bit register. Others keep their GOT entry, which is as right. */
static enum relax relax_ie(const struct place *p, bool is_rex2, int64_t A, const struct relax_facts *f)
{
	if (f->shared || f->preemptible || A != -4 || !has_bytes(p, is_rex2 ? 4 : 3, 4))
		return RELAX_NO;
	uint8_t opcode = p->sec[p->off - 2];
	if ((opcode != 0x8b && opcode != 0x03) || !is_rip_relative(p->sec[p->off - 1]) ||
	    !is_plain_prefix(p, is_rex2, true))
		return RELAX_NO;
	return RELAX_IE_TO_LE;
}

static enum relax relaxed_desc(const struct relax_facts *f)
{
	return f->preemptible ? RELAX_DESC_TO_IE : RELAX_DESC_TO_LE;
}

/* TLS descriptor, the lea. PREFIX_SZ 0: a form that is not known. It and its call are relaxed each by itself, hence
 * always both or none: in an executable an unknown form is an error. */
static enum relax relax_desc(const struct place *p, unsigned prefix_sz, int64_t A, const struct relax_facts *f,
			     const char **ret_bad)
{
	if (f->shared)
		return RELAX_NO;
	if (!prefix_sz || A != -4 || !has_bytes(p, 2 + prefix_sz, 4) || p->sec[p->off - 2] != 0x8d ||
	    !is_rip_relative(p->sec[p->off - 1]) || !is_plain_prefix(p, prefix_sz == 2, true)) {
		*ret_bad = "malformed TLS descriptor access, expected lea x@tlsdesc(%rip), %reg";
		return RELAX_NO;
	}
	return relaxed_desc(f);
}

/* TLS descriptor, the call: here the "field" is the instruction. */
static enum relax relax_desc_call(const struct place *p, const struct relax_facts *f, const char **ret_bad)
{
	if (f->shared)
		return RELAX_NO;
	if (!(has_bytes(p, 0, 2) && is_at(p, 0, "\xff\x10", 2)) &&
	    !(has_bytes(p, 0, 3) && is_at(p, 0, "\x67\xff\x10", 3))) {
		*ret_bad = "malformed TLS descriptor access, expected call *x@tlscall(%rax)";
		return RELAX_NO;
	}
	return relaxed_desc(f);
}

static enum relax x86_64_relax(uint32_t type, const uint8_t *sec, uint64_t sec_sz, uint64_t off, int64_t A,
			       bool next_is_tls_call, const struct relax_facts *facts, const char **ret_bad)
{
	const struct place p = { .sec = sec, .sec_sz = sec_sz, .off = off };
	const char *unused;

	if (!ret_bad)
		ret_bad = &unused;
	switch (type) {
	case R_X86_64_GOTPCRELX:
		return relax_got(&p, 0, A, facts);
	case R_X86_64_REX_GOTPCRELX:
		return relax_got(&p, 1, A, facts);
	case R_X86_64_CODE_4_GOTPCRELX:
		return relax_got(&p, 2, A, facts);
	case R_X86_64_TLSGD:
		return relax_gd(&p, A, next_is_tls_call, facts, ret_bad);
	case R_X86_64_TLSLD:
		return relax_ld(&p, A, next_is_tls_call, facts, ret_bad);
	case R_X86_64_GOTTPOFF:
		return relax_ie(&p, false, A, facts);
	case R_X86_64_CODE_4_GOTTPOFF:
		return relax_ie(&p, true, A, facts);
	case R_X86_64_GOTPC32_TLSDESC:
		return relax_desc(&p, 1, A, facts, ret_bad);
	case R_X86_64_CODE_4_GOTPC32_TLSDESC:
		return relax_desc(&p, 2, A, facts, ret_bad);
	case R_X86_64_CODE_5_GOTPC32_TLSDESC:
	case R_X86_64_CODE_6_GOTPC32_TLSDESC:
		return relax_desc(&p, 0, A, facts, ret_bad);
	case R_X86_64_TLSDESC_CALL:
		return relax_desc_call(&p, facts, ret_bad);
	default:
		return RELAX_NO;
	}
}

/* --- Relaxation: writing ----------------------------------------------------------------------------------------- */

/* Stores VALUE as a sign-extended 32-bit field; false: it does not fit. */
static bool put_s32(uint8_t *loc, uint64_t value)
{
	put32(loc, value);
	return (int64_t)value == (int32_t)value;
}

/* The register of ModRM.reg becomes the one of ModRM.rm: its high bits move in the prefix from R (R4, R3 in REX2) to B
 * (B4, B3). LOC[-3] is a REX prefix or the payload of a REX2. */
static void move_prefix_r_to_b(uint8_t *loc, bool is_rex2)
{
	uint8_t r_bits = is_rex2 ? 0x44 : 0x04;

	loc[-3] = (uint8_t)((loc[-3] & ~r_bits) | (loc[-3] & r_bits) >> 2);
}

/* From `op mem, %reg` (or test) with the memory operand foo(%rip) to `op $imm32, %reg`. */
static void make_immediate(uint8_t *loc)
{
	uint8_t opcode = loc[-2], reg = loc[-1] >> 3 & 7;

	if (opcode == 0x8b) { /* mov $imm32, %reg */
		loc[-2] = 0xc7;
		loc[-1] = 0xc0 | reg;
	} else if (opcode == 0x85) { /* test $imm32, %reg */
		loc[-2] = 0xf7;
		loc[-1] = 0xc0 | reg;
	} else { /* binop $imm32, %reg: its number stays in the bits 3 to 5 */
		loc[-2] = 0x81;
		loc[-1] = 0xc0 | (opcode & 0x38) | reg;
	}
}

static bool write_got_to_pc(uint8_t *loc, const struct relax_values *v)
{
	uint64_t value = v->S + (uint64_t)v->A - v->P;

	if (loc[-2] == 0x8b) { /* lea foo(%rip), %reg */
		loc[-2] = 0x8d;
		return put_s32(loc, value);
	}
	if (loc[-1] == 0x15) { /* addr32 call foo: a prefix without effect makes up the length */
		loc[-2] = 0x67;
		loc[-1] = 0xe8;
		return put_s32(loc, value);
	}
	loc[-2] = 0xe9; /* jmp foo; nop: the field lies one byte earlier */
	loc[3] = 0x90;
	return put_s32(loc - 1, value + 1);
}

static bool write_got_to_abs(uint32_t type, uint8_t *loc, const struct relax_values *v)
{
	if (type != R_X86_64_GOTPCRELX)
		move_prefix_r_to_b(loc, type == R_X86_64_CODE_4_GOTPCRELX);
	make_immediate(loc);
	return put_s32(loc, v->S);
}

/* mov %fs:0, %rax; then lea x@tpoff(%rax), %rax or add x@gottpoff(%rip), %rax. The large model's longer call leaves
 * six bytes: nopw 0(%rax,%rax,1). */
static bool write_gd(enum relax how, uint8_t *loc, const struct relax_values *v)
{
	bool is_large = loc[4] == 0x48;
	uint8_t *start = is_large ? loc - 3 : loc - 4;

	memcpy(start, "\x64\x48\x8b\x04\x25\0\0\0\0", 9);
	if (is_large)
		memcpy(start + 16, "\x66\x0f\x1f\x44\0\0", 6);
	if (how == RELAX_GD_TO_LE) {
		memcpy(start + 9, "\x48\x8d\x80", 3);
		return put_s32(start + 12, (uint64_t)v->tpoff);
	}
	memcpy(start + 9, "\x48\x03\x05", 3);
	uint64_t next_va = v->P + (uint64_t)(start + 16 - loc);
	return put_s32(start + 12, v->got_tp - next_va);
}

/* mov %fs:0, %rax, made as long as what it replaces: by operand-size prefixes, or with nopw %cs:0(%rax,%rax,1). */
static bool write_ld(uint8_t *loc)
{
	uint8_t *start = loc - 3;
	size_t pad;

	if (loc[4] == 0x48) {
		memcpy(start, "\x66\x66\x66\x66\x2e\x0f\x1f\x84\0\0\0\0\0", 13);
		pad = 13;
	} else {
		pad = loc[4] == 0xe8 ? 3 : 4;
		memset(start, 0x66, pad);
	}
	memcpy(start + pad, "\x64\x48\x8b\x04\x25\0\0\0\0", 9);
	return true;
}

/* mov $x@tpoff, %reg or add $x@tpoff, %reg. The ABI's examples turn add into lea, except for %rsp and %r12, whose lea
 * would be longer; add $imm32 has the same length for all of them and leaves the flags as the program expects. */
static bool write_ie_to_le(uint32_t type, uint8_t *loc, const struct relax_values *v)
{
	move_prefix_r_to_b(loc, type == R_X86_64_CODE_4_GOTTPOFF);
	make_immediate(loc);
	return put_s32(loc, (uint64_t)v->tpoff);
}

static bool write_desc(enum relax how, uint32_t type, uint8_t *loc, const struct relax_values *v)
{
	if (type == R_X86_64_TLSDESC_CALL) { /* call *(%rax) -> xchg %ax, %ax; call *(%eax) -> nopl (%rax) */
		if (loc[0] == 0x67)
			memcpy(loc, "\x0f\x1f\x00", 3);
		else
			memcpy(loc, "\x66\x90", 2);
		return true;
	}
	loc[-2] = 0x8b; /* mov x@gottpoff(%rip), %reg */
	if (how == RELAX_DESC_TO_IE)
		return put_s32(loc, v->got_tp - (v->P + 4));
	return write_ie_to_le(type == R_X86_64_GOTPC32_TLSDESC ? R_X86_64_GOTTPOFF : R_X86_64_CODE_4_GOTTPOFF, loc, v);
}

static bool x86_64_apply_relax(enum relax how, uint32_t type, uint8_t *loc, const struct relax_values *v)
{
	switch (how) {
	case RELAX_NO:
		return true;
	case RELAX_GOT_TO_PC:
		return write_got_to_pc(loc, v);
	case RELAX_GOT_TO_ABS:
		return write_got_to_abs(type, loc, v);
	case RELAX_GD_TO_LE:
	case RELAX_GD_TO_IE:
		return write_gd(how, loc, v);
	case RELAX_LD_TO_LE:
		return write_ld(loc);
	case RELAX_IE_TO_LE:
		return write_ie_to_le(type, loc, v);
	case RELAX_DESC_TO_LE:
	case RELAX_DESC_TO_IE:
		return write_desc(how, type, loc, v);
	}
	return false;
}

/* --- PLT --------------------------------------------------------------------------------------------------------- */

enum { PLT_HEADER_SZ = 16, PLT_IBT_HEADER_SZ = 32, PLT_ENTRY_SZ = 16, TRAP = 0xcc /* int3 */, NOP = 0x90 };

/* The displacement at AT in code written to DST, which will lie at VA, so that the instruction ending there means
 * TARGET. */
static void put_disp32(uint8_t *dst, uint64_t va, unsigned at, uint64_t target)
{
	put32(dst + at, target - (va + at + 4));
}

/* The resolver (glibc's _dl_runtime_resolve) finds on the stack the link map, from the second word of .got.plt, and
 * above it the index of the relocation; its own address is the third word. In the branch-tracking form entries jump
 * here through their slots, with the index in %r11, which a call may clobber. */
static void x86_64_write_plt_header(uint8_t *dst, uint64_t plt_va, uint64_t gotplt_va, bool ibt)
{
	static const uint8_t lazy[PLT_HEADER_SZ] = {
		0xff, 0x35, 0, 0, 0, 0, /* push GOTPLT+8(%rip) */
		0xff, 0x25, 0, 0, 0, 0, /* jmp *GOTPLT+16(%rip) */
		0x0f, 0x1f, 0x40, 0x00, /* nopl 0(%rax) */
	};
	static const uint8_t lazy_ibt[] = {
		0xf3, 0x0f, 0x1e, 0xfa, /* endbr64 */
		0x41, 0x53,             /* push %r11 */
		0xff, 0x35, 0, 0, 0, 0, /* push GOTPLT+8(%rip) */
		0xff, 0x25, 0, 0, 0, 0, /* jmp *GOTPLT+16(%rip) */
	};

	if (ibt) {
		memset(dst, TRAP, PLT_IBT_HEADER_SZ);
		memcpy(dst, lazy_ibt, sizeof(lazy_ibt));
		put_disp32(dst, plt_va, 8, gotplt_va + 8);
		put_disp32(dst, plt_va, 14, gotplt_va + 16);
	} else {
		memcpy(dst, lazy, sizeof(lazy));
		put_disp32(dst, plt_va, 2, gotplt_va + 8);
		put_disp32(dst, plt_va, 8, gotplt_va + 16);
	}
}

static void x86_64_write_plt_entry(uint8_t *dst, uint64_t plt_va, uint64_t slot_va, uint64_t header_va, uint32_t index,
				   bool ibt)
{
	static const uint8_t entry[PLT_ENTRY_SZ] = {
		0xff, 0x25, 0, 0, 0, 0, /* jmp *slot(%rip) */
		0x68, 0, 0, 0, 0,       /* push $index: where the slot points at first */
		0xe9, 0, 0, 0, 0,       /* jmp header */
	};
	static const uint8_t entry_ibt[PLT_ENTRY_SZ] = {
		0xf3, 0x0f, 0x1e, 0xfa, /* endbr64 */
		0x41, 0xbb, 0, 0, 0, 0, /* mov $index, %r11d */
		0xff, 0x25, 0, 0, 0, 0, /* jmp *slot(%rip): at first to the header */
	};

	if (ibt) {
		memcpy(dst, entry_ibt, sizeof(entry_ibt));
		put32(dst + 6, index);
		put_disp32(dst, plt_va, 12, slot_va);
	} else {
		memcpy(dst, entry, sizeof(entry));
		put_disp32(dst, plt_va, 2, slot_va);
		put32(dst + 7, index);
		put_disp32(dst, plt_va, 12, header_va);
	}
}

static void x86_64_write_pltgot_entry(uint8_t *dst, uint64_t plt_va, uint64_t slot_va, bool ibt)
{
	memset(dst, TRAP, PLT_ENTRY_SZ);
	unsigned at = 0;
	if (ibt) {
		memcpy(dst, "\xf3\x0f\x1e\xfa", 4); /* endbr64 */
		at = 4;
	}
	memcpy(dst + at, "\xff\x25", 2); /* jmp *slot(%rip) */
	put_disp32(dst, plt_va, at + 2, slot_va);
}

/* --- The CPU ----------------------------------------------------------------------------------------------------- */

static const char *const emulations[] = { "elf_x86_64", NULL };
static const char *const bfd_names[] = { "elf64-x86-64", NULL };

const struct arch arch_x86_64 = {
	.name = "x86-64",
	.emulations = emulations,
	.bfd_names = bfd_names,
	.machine = EM_X86_64,
	.elf_class = ELFCLASS64,
	.is_be = false,
	.is_rela = true,
	.tls_variant_1 = false,
	.image_base = 0x400000,
	.max_page_size = 0x1000,
	.common_page_size = 0x1000,
	.gap = { NOP, NOP, NOP, NOP },
	.plt_header_size = PLT_HEADER_SZ,
	.plt_entry_size = PLT_ENTRY_SZ,
	.plt_ibt_header_size = PLT_IBT_HEADER_SZ,
	.plt_ibt_entry_size = PLT_ENTRY_SZ,
	.pltgot_entry_size = PLT_ENTRY_SZ,
	.gotplt_reserved = 3, /* _DYNAMIC, link map, resolver */
	.default_interp = "/lib64/ld-linux-x86-64.so.2",
	.rows = rows,
	.row_cnt = sizeof(rows) / sizeof(rows[0]),
	.fields = fields,
	.dyn = {
		.none = R_X86_64_NONE,
		.abs = R_X86_64_64,
		.copy = R_X86_64_COPY,
		.glob_dat = R_X86_64_GLOB_DAT,
		.jump_slot = R_X86_64_JUMP_SLOT,
		.relative = R_X86_64_RELATIVE,
		.irelative = R_X86_64_IRELATIVE,
		.dtpmod = R_X86_64_DTPMOD64,
		.dtpoff = R_X86_64_DTPOFF64,
		.tpoff = R_X86_64_TPOFF64,
		.tlsdesc = R_X86_64_TLSDESC,
	},
	.relax = x86_64_relax,
	.apply_relax = x86_64_apply_relax,
	.write_plt_header = x86_64_write_plt_header,
	.write_plt_entry = x86_64_write_plt_entry,
	.write_pltgot_entry = x86_64_write_pltgot_entry,
	.lazy_slot_offset = 6,
	.lazy_slot_offset_ibt = 0,
	.lazy_slot_is_header_ibt = true,
	.property_and = 0xc0000002,    /* GNU_PROPERTY_X86_FEATURE_1_AND */
	.property_or = 0xc0008002,     /* GNU_PROPERTY_X86_ISA_1_NEEDED */
	.property_or_and = 0xc0010002, /* GNU_PROPERTY_X86_ISA_1_USED */
	.property_ibt_bit = 1,         /* GNU_PROPERTY_X86_FEATURE_1_IBT */
};
