#!/bin/sh
# An absolute address in read-only code of a position-independent output is an error that suggests -fPIC.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "mold 1.10 says nothing"
not_for "bfd" "GNU ld makes a DT_TEXTREL with a warning for 64-bit ones"

cat >a.s <<'END'
	.globl f
	.text
f:	movabs $data, %rax
	ret
	.data
	.globl data
data:	.long 1
	.section .note.GNU-stack,"",@progbits
END
cc -c a.s
expect_error 'fPIC|text|read-only' cc -shared a.o -o a.so
has 'data' err
has 'a\.o' err
