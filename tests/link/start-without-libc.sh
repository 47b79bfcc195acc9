#!/bin/sh
# A program of one object, linked by calling the linker itself: the entry is _start, the result is static.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.globl _start
_start:	mov $60, %eax
	mov status(%rip), %edi
	syscall
	.data
status:	.long 7
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
"$LD" a.o -o a
exits_with 7 ./a
equal "$(readelf -hW a | sed -n 's/.*Entry point address: *0x0*//p')" "$(sym a _start | sed 's/^0*//')" "the entry"
readelf -lW a >l
hasnt 'INTERP|DYNAMIC' l
check_elf a
