#!/bin/sh
# -o may stand anywhere, joined or not; the default name is a.out; the mode is 0777 minus the umask.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.globl _start
_start:	ret
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
"$LD" -o one a.o
"$LD" a.o -otwo
"$LD" --output=three a.o
"$LD" a.o
same one two
same one three
same one a.out
umask 027
"$LD" a.o -o four
equal "$(stat -c %a one four | tr '\n' ' ')" "755 750 " "the modes"
