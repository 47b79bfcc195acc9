#!/bin/sh
# Code that refers to a local symbol of a dropped group copy is an error that names the section.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "mold" "it links such code without a word"

cat >1.s <<'END'
	.section .text.f,"axG",@progbits,f,comdat
	.weak f
f:	ret
inner:	ret
	.text
	.globl g1
g1:	call inner
	.section .note.GNU-stack,"",@progbits
END
sed 's/g1/g2/' 1.s >2.s
cat >m.s <<'END'
	.globl _start
_start:	call g1
	call g2
	.section .note.GNU-stack,"",@progbits
END
cc -c 1.s 2.s m.s
expect_error 'discarded' "$LD" m.o 1.o 2.o -o m
has '2\.o' err
