/* reloc_case.h - the forms of the test data for relocation rows; one <cpu>.def per CPU fills them.
 *
 * A .def file is C: tables, and for a CPU that is not in the product a small test-only `struct arch`. It is included
 * by tests/unit/check_reloc.c alone. Numbers and bytes come from the CPU's ABI, not from arch/, so that the two can
 * disagree. Bytes are written as hex digits; spaces mean nothing.
 */
#ifndef LINKFS_RELOC_CASE_H
#define LINKFS_RELOC_CASE_H

#include "arch.h"

/* What the ABI says of one type. */
struct type_case {
	uint32_t type;
	const char *name;
	enum rel_kind kind;
	unsigned size;    /* bytes of its field */
	int64_t min, max; /* of the value before the shift; both 0: any */
};

/* One relocation evaluated and stored: BEFORE are the bytes at the field, AFTER the same once it is applied. */
struct encode_case {
	const char *what;
	uint32_t type;
	uint64_t S;
	int64_t A; /* of RELA; where the CPU uses REL the addend is in BEFORE and this is what reading must give */
	uint64_t P;
	const char *before;
	const char *after;
};

/* Where the section of a relax_case lies, and the values all of them use. */
#define CASE_SEC_VA UINT64_C(0x401000)
#define CASE_S UINT64_C(0x402000)
#define CASE_TPOFF INT64_C(-8)
#define CASE_GOT_TP UINT64_C(0x403000)

/* One instruction sequence, alone in its section. */
struct relax_case {
	const char *what;
	uint32_t type;
	uint64_t off; /* of the relocation */
	int64_t A;
	bool is_next_call; /* next_is_tls_call */
	struct relax_facts facts;
	const char *before;
	enum relax how;    /* the decision expected */
	const char *after; /* NULL where HOW is RELAX_NO */
	bool is_malformed; /* a text must be given */
};

#endif
