#!/bin/sh
# An unknown option is an error that names it; so is an option without its argument, and a link without inputs.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "it complains of a missing -m first"

cat >a.s <<'END'
	.globl _start
_start:	ret
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
expect_error 'no-such-option' "$LD" --no-such-option a.o -o a
[ ! -e a ] || fail "an output was made"
expect_error '\-o|argument' "$LD" a.o -o
expect_error 'no input' "$LD" -o a
