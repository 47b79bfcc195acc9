#!/bin/sh
# -e names the entry: a symbol or a number; a missing one is told.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "mold 1.10 takes no number"

cat >a.s <<'END'
	.globl mine, _start
_start:	mov $1, %edi
	jmp 1f
mine:	mov $2, %edi
1:	mov $60, %eax
	syscall
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
"$LD" -e mine a.o -o a
exits_with 2 ./a
"$LD" --entry=mine a.o -o a
exits_with 2 ./a
"$LD" -e 0x12345 a.o -o b
readelf -hW b >h
has 'Entry point address: *0x12345$' h
