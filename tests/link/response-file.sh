#!/bin/sh
# @FILE is replaced by the options in it: quotes, backslashes, newlines, nesting; a missing one is an error.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "it does not nest response files"

mkdir 'a dir'
cat >a.s <<'END'
	.globl mine
mine:	mov $60, %eax
	mov $9, %edi
	syscall
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s -o 'a dir/an object.o'
printf '"a dir/an object.o"\n\t-e mi\\ne\n@inner\n' >outer
printf -- "-o 'an output'" >inner
"$LD" @outer
exits_with 9 './an output'
expect_error 'no-such-response' "$LD" @no-such-response
