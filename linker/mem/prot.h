/* prot.h - the one function that changes what may be done with a range of memory (SEEDS.md R13, R23-R26).
 *
 * The states of memory and the arrows between them; the charge is what the system counts as promised to the process:
 *
 *	None      not ours
 *	Reserved  ours, faults on touch, not charged
 *	Prepared  may be touched, charged, contents undefined
 *	Ready     in use
 *	Sealed    in use, read-only
 *	Faulted   retired: faults on touch
 *
 *	arrow                               by                              charge
 *	Reserved -> Prepared                mprotect RW                     +size
 *	Prepared -> Ready                   nothing                         0
 *	Ready -> Prepared                   MADV_FREE, DONTNEED or mmap RW  0
 *	Ready -> Sealed, Sealed -> Ready    mprotect R, RW                  0
 *	Prepared, Ready, Sealed -> Faulted  enum prot_way                   0, but -size by mmap NONE
 *	Faulted -> Prepared, Ready          guards removed, mprotect RW     back to size; contents are zeros
 *	any but None -> Reserved            mmap NONE over it               -size
 *	any but None -> None                munmap                          -size
 *
 * Sealing works on any mapping; the rest is for private anonymous memory. Which way a page is made to fault was
 * decided by measuring: small holes and guards by MADV_GUARD_INSTALL where the kernel has it, which splits no mapping;
 * the rest by DONTNEED first and mprotect second, which has then no pages to walk while it holds the lock. From
 * tests/bench/run.sh prot, Linux 6.18, two CPUs, medians as ratios to way A in the same run:
 *
 *	          untouched             touched               mappings     charge
 *	hole      B     C     D         B     C     D         100 holes    kept
 *	  4 KiB   0.96  1.37  0.62      0.68  0.88  0.64      A, B, C 200  A, B, D
 *	 64 KiB   0.96  1.41  0.76      0.61  0.65  0.62      D       0
 *	128 KiB   0.98  1.54  0.94      0.61  0.64  0.63
 *	256 KiB   0.98  1.47  1.52      0.79  0.82  0.90
 *	  4 MiB   0.64  2.63  6.64      0.81  0.84  0.93
 *
 * Threads: thread-safe; the range must be the caller's alone. It may madvise: do not call it under an arena's lock but
 * for the first arrow.
 */
#ifndef LINKFS_PROT_H
#define LINKFS_PROT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ranges.h"

struct os;

/* ORDER mem_state: the table of arrows in prot.c. */
enum mem_state { MEM_NONE, MEM_RESERVED, MEM_PREPARED, MEM_READY, MEM_SEALED, MEM_FAULTED, MEM_STATE_CNT };

/* What a change is for; decides between ways that look the same to whoever touches the range. */
enum prot_reason {
	PROT_FOR_USE,    /* about to be used, or no longer */
	PROT_FOR_GUARD,  /* must fault from now on */
	PROT_FOR_RETIRE, /* must fault so that late users, perhaps still running, are found */
	PROT_FOR_CHARGE, /* the charge must go back to the system */
};

enum prot_way {
	PROT_WAY_AUTO,              /* by size and reason, as above */
	PROT_WAY_MPROTECT_DONTNEED, /* A: the seed's order, kept to compare with */
	PROT_WAY_DONTNEED_MPROTECT, /* B */
	PROT_WAY_MMAP_NONE,         /* C: the only one that gives the charge of touched memory back */
	PROT_WAY_GUARD,             /* D: Linux 6.13; linear in pages */
	PROT_WAY_CNT
};

struct prot_config {
	struct os *os;       /* NULL: os_default() */
	enum prot_way way;   /* tried first for every range made to fault */
	size_t guard_max_sz; /* AUTO takes guards up to this many bytes; 0: 64 KiB */
};

struct prot {
	struct prot_config cfg;              /* with defaults filled in */
	_Atomic uint64_t changes;            /* calls that were an arrow */
	_Atomic uint64_t done[PROT_WAY_CNT]; /* ranges made to fault, by the way that worked */
	_Atomic uint64_t fallbacks;          /* a way failed and another was tried */
	_Atomic uint64_t rollbacks;          /* a half-made change was undone */
	_Atomic uint64_t failures;           /* calls that failed */
};

/* CFG NULL: defaults. Asks the kernel for guards once per struct os, at the first change that could use them. */
void prot_init(struct prot *p, const struct prot_config *cfg);

/* Is FROM -> TO an arrow of the table above? */
bool prot_has_edge(enum mem_state from, enum mem_state to);

/* Takes R, all of it in state FROM, to state TO. -EINVAL: no such arrow, or R not in whole pages. Else, mostly
 * -ENOMEM for the map limit or the commit limit: R is in state FROM as far as access goes; contents may be lost where
 * the arrow loses them. */
int prot_change(struct prot *p, struct va_range r, enum mem_state from, enum mem_state to, enum prot_reason why);
/* Each range of T, one change per range. At the first failure those already changed are taken back, where the table
 * has an arrow for it; *ret_done (may be NULL, set on failure too) is how many ranges are in state TO. */
int prot_change_all(struct prot *p, const struct va_ranges *t, enum mem_state from, enum mem_state to,
		    enum prot_reason why, size_t *ret_done);

#endif
