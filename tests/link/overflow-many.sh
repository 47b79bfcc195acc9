#!/bin/sh
# Many overflows are all counted but not all printed at length; the link still ends with one status.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >gen.sh <<'END'
echo '	.globl main
main:'
i=0
while [ $i -lt 100 ]; do echo "	mov var$i(%rip), %eax"; i=$((i + 1)); done
echo '	ret
	.bss
	.skip 0x90000000'
i=0
while [ $i -lt 100 ]; do echo "	.globl var$i
var$i:	.long 0"; i=$((i + 1)); done
echo '	.section .note.GNU-stack,"",@progbits'
END
sh gen.sh >a.s
cc -c a.s
expect_error 'out of range|truncated to fit|overflow' cc a.o -o a
[ "$(wc -l <err)" -lt 120 ] || fail "$(wc -l <err) lines of errors"
