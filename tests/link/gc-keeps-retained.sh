#!/bin/sh
# Sections flagged SHF_GNU_RETAIN stay under --gc-sections.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for mold "mold 1.10 does not know the flag"

cat >a.s <<'END'
	.section .text.kept,"axR",@progbits
	.globl kept
kept:	ret
	.section .text.gone,"ax",@progbits
	.globl gone
gone:	ret
	.section .note.GNU-stack,"",@progbits
END
echo 'int main(void) { return 0; }' >m.c
cc a.s m.c -Wl,--gc-sections -o m
[ -n "$(sym m kept)" ] || fail "the retained function is gone"
[ -z "$(sym m gone)" ] || fail "the other is still there"
