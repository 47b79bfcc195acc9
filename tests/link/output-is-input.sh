#!/bin/sh
# An output that is also an input is an error, and the input stays as it was.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "lld mold" "they overwrite it"

cat >a.s <<'END'
	.globl _start
_start:	ret
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
cp a.o copy.o
expect_error 'a\.o' "$LD" a.o -o a.o
same a.o copy.o
ln -s a.o other-name
expect_error 'other-name|a\.o' "$LD" a.o -o other-name
same a.o copy.o
