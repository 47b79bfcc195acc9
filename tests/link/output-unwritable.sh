#!/bin/sh
# An output that is a directory, or lies in a missing directory, is an error that names it.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"

cat >a.s <<'END'
	.globl _start
_start:	ret
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
mkdir dir
expect_error 'dir' "$LD" a.o -o dir
[ -d dir ] || fail "the directory is gone"
expect_error 'missing/' "$LD" a.o -o missing/out
