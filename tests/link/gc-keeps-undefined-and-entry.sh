#!/bin/sh
# --gc-sections keeps what -e and -u name.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.section .text.mine,"ax",@progbits
	.globl mine
mine:	mov $60, %eax
	mov $3, %edi
	syscall
	.section .text.asked,"ax",@progbits
	.globl asked
asked:	ret
	.section .text.other,"ax",@progbits
	.globl other
other:	ret
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
"$LD" --gc-sections -e mine -u asked a.o -o a
exits_with 3 ./a
[ -n "$(sym a asked)" ] || fail "the symbol of -u is gone"
[ -z "$(sym a other)" ] || fail "an unused function is still there"
check_elf a
