#!/bin/sh
# A load through the GOT of a symbol whose value lies outside of its section stays one: of such nobody knows how far it is.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
is_linkfs || skip "others may relax it where it happens to be near"

cat >a.s <<'END_S'
	.globl _start, outside, inside
_start:	movq outside@GOTPCREL(%rip), %rax
	movq inside@GOTPCREL(%rip), %rbx
	ret
inside:	nop
	.set outside, _start + 0x1000
END_S
gcc -c a.s
"$LD" -pie a.o -o a
objdump -d --no-show-raw-insn a >code
grep -q 'mov .*(%rip),%rax' code || fail "the one outside: $(cat code)"
grep -q 'lea .*(%rip),%rbx' code || fail "the one inside: $(cat code)"
