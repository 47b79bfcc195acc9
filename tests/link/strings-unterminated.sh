#!/bin/sh
# A string section whose last string does not end is an error that names file and section.
# NEEDS: cc
. "$(dirname "$0")/lib.sh"
not_for "bfd" "it then merges nothing"

cat >a.s <<'END'
	.section .rodata.str1.1,"aMS",@progbits,1
	.ascii "never ends"
	.section .note.GNU-stack,"",@progbits
END
echo 'int main(void) { return 0; }' >m.c
cc -c a.s m.c
expect_error 'a\.o' cc a.o m.o -o m
has '\.rodata\.str1\.1|string' err
