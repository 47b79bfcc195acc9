#!/bin/sh
# PC32 and 32S out of reach behind a 3 GiB bss: exactly the references that overflow are reported, with their place.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.globl main, near, far
main:	lea near(%rip), %rax
	nop
	lea far(%rip), %rax
	ret
	.bss
near:	.skip 0xc0000000
far:	.skip 8
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
expect_error 'out of range|truncated to fit|overflow' cc a.o -o a
has 'R_X86_64_PC32' err
has 'far' err
hasnt 'near' err
if is_linkfs; then
	has 'a\.o:?\(?.*\.text\+0xb\)?' err
	has '3221[0-9]{6}|0xc000[0-9a-f]{4}' err
	equal "$(grep -c 'R_X86_64_PC32' err)" 1 "reports"
fi
sed -i '/far(%rip)/d' a.s
cc a.s -o a

check_elf a
