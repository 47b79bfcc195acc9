#!/bin/sh
# -o - writes the output to standard output.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd mold" "they make a file of that name"

cat >a.s <<'END'
	.globl _start
_start:	ret
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
"$LD" a.o -o file
"$LD" a.o -o - >copy
same file copy
[ ! -e ./- ] || fail "a file was made"
